/**
 * The one module that owns a stream: it reads it, folds it, and takes it up where it was cut, until its end.
 *
 *   connect ──► read ──► terminal event: ended
 *      ▲          │ cut, silent for 40 s, a gap
 *      └─ wait ◄──┘ retry hint × backoff with jitter; at once when the network comes back or the page is looked at again
 *
 * It never asks for anything but the stream, and never shows an event twice.
 */
import { ApiError, type Fetched } from '../api/client.ts';
import type { EventBody } from '../api/types.ts';
import { NOTHING_SHOWN, parseKey, step, type Shown } from './fold.ts';
import { EMPTY, reduce, type Picture } from './picture.ts';
import { Parser, type Message } from './sse.ts';

/** A comment comes every 15 s: after twice that and some the connection is dead, whatever the system says. */
const SILENCE_MS = 40_000;
const LONGEST_WAIT_MS = 15_000;

export type Connection = 'connecting' | 'live' | 'waiting' | 'ended' | 'refused';

export interface Follow {
  /** Opens the stream after the event of this id. */
  open: (lastEventId: string | null, signal: AbortSignal) => Promise<Fetched>;
  show: (picture: Picture) => void;
  connection: (state: Connection, problem: ApiError | null) => void;
}

/** Follows a stream to its end; returns what stops it. */
export function follow({ open, show, connection }: Follow): () => void {
  const stopped = new AbortController();
  let shown: Shown = NOTHING_SHOWN;
  let picture: Picture = EMPTY;
  let lastId: string | null = null;
  let gaps = 0;
  let base = 1000;
  let failures = 0;

  void run();
  return () => stopped.abort();

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      connection('connecting', null);
      try {
        await read();
      } catch (error) {
        if (stopped.signal.aborted) return;
        // What is refused stays refused: not found, forbidden, signed out for good.
        if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) {
          connection('refused', error);
          return;
        }
        if (error instanceof ApiError && error.retryAfterMs) base = Math.max(base, error.retryAfterMs);
      }
      if (stopped.signal.aborted) return;
      if (shown.terminal) {
        connection('ended', null);
        return;
      }
      connection('waiting', null);
      await pause(Math.min(base * 2 ** failures, LONGEST_WAIT_MS) * (0.5 + Math.random()));
      failures = Math.min(failures + 1, 6);
    }
  }

  async function read(): Promise<void> {
    const attempt = new AbortController();
    const end = () => attempt.abort();
    stopped.signal.addEventListener('abort', end);
    let silence = setTimeout(end, SILENCE_MS);
    try {
      const { response } = await open(lastId, attempt.signal);
      const reader = response.body?.getReader();
      if (!reader) return;
      connection('live', null);
      const decoder = new TextDecoder();
      const parser = new Parser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(end, SILENCE_MS);
        const { messages, retry } = parser.push(decoder.decode(value, { stream: true }));
        if (retry !== null) base = retry;
        const before = picture;
        const whole = messages.every(take);
        if (picture !== before) show(picture);
        if (!whole || shown.terminal) {
          void reader.cancel();
          return;
        }
      }
    } finally {
      clearTimeout(silence);
      stopped.signal.removeEventListener('abort', end);
    }
  }

  /** False when something before this message is missing. */
  function take(message: Message): boolean {
    let data: unknown;
    try {
      data = JSON.parse(message.data);
    } catch {
      return true;
    }
    const body = { event: message.event, data } as EventBody;
    const key = message.id === null ? null : parseKey(message.id);
    if (!key) {
      if (message.event === 'queued') picture = reduce(picture, { event: 'queued', data: data as { position: number } });
      return true;
    }
    // The gateway sends a review only behind the verdict that it follows.
    const follows = message.event.startsWith('review.') ? shown.verdict : null;
    const [decided, next] = step(shown, { key, follows, event: message.event });
    if (decided === 'gap') {
      // Once more behind the last one; if that does not help, the whole.
      gaps += 1;
      if (gaps > 1) {
        lastId = null;
        shown = NOTHING_SHOWN;
        picture = EMPTY;
      }
      return false;
    }
    if (decided === 'show') {
      shown = next;
      lastId = message.id;
      picture = reduce(picture, body);
      failures = 0;
      gaps = 0;
    }
    return true;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        window.removeEventListener('online', wake);
        document.removeEventListener('visibilitychange', wakeWhenSeen);
        stopped.signal.removeEventListener('abort', wake);
        resolve();
      };
      const wakeWhenSeen = () => {
        if (document.visibilityState === 'visible') wake();
      };
      const timer = setTimeout(wake, ms);
      window.addEventListener('online', wake);
      document.addEventListener('visibilitychange', wakeWhenSeen);
      stopped.signal.addEventListener('abort', wake);
    });
  }
}
