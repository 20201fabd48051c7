import { expect, it } from 'vitest';
import { Parser } from '../src/live/sse.ts';

const TEXT =
  'retry: 1500\n\n: still here\n\nevent: accepted\nid: 1.0.1\ndata: {"a":"가"}\n\nevent: queued\r\ndata: {"position":2}\r\n\r\ndata: one\ndata: two\n\n';

it('reads the same however the text is cut', () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    const parser = new Parser();
    const messages = [];
    let retry = null;
    for (let at = 0; at < TEXT.length; at += size) {
      const parsed = parser.push(TEXT.slice(at, at + size));
      messages.push(...parsed.messages);
      retry = parsed.retry ?? retry;
    }
    expect(messages, `pieces of ${size}`).toEqual([
      { id: '1.0.1', event: 'accepted', data: '{"a":"가"}' },
      { id: null, event: 'queued', data: '{"position":2}' },
      { id: null, event: 'message', data: 'one\ntwo' },
    ]);
    expect(retry).toBe(1500);
  }
});

it('says nothing of what is not complete', () => {
  expect(new Parser().push('event: test\ndata: {}\n').messages).toEqual([]);
});
