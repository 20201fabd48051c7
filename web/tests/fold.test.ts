import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { EventBody } from '../src/api/types.ts';
import { NOTHING_SHOWN, parseKey, step, type EventKey, type Step } from '../src/live/fold.ts';
import { EMPTY, reduce, type Picture } from '../src/live/picture.ts';

const golden = new URL('../../crates/contract/golden/', import.meta.url);

type Event = EventKey & { follows?: EventKey } & EventBody;
interface Script {
  about: string;
  steps: { step: Step; event: Event }[];
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, golden), 'utf8')) as T;
}

function play(script: Script): Picture {
  let shown = NOTHING_SHOWN;
  let picture = EMPTY;
  for (const [at, { step: wanted, event }] of script.steps.entries()) {
    const { judgement, attempt, seq } = event;
    const [decided, next] = step(shown, {
      key: { judgement, attempt, seq },
      follows: event.follows ?? null,
      event: event.event,
    });
    expect(decided, `step ${at}, ${event.event}`).toBe(wanted);
    shown = next;
    if (decided === 'show') picture = reduce(picture, event);
  }
  return picture;
}

describe('the fold decides as the contract does', () => {
  const scripts = readdirSync(new URL('fold/', golden));
  it('on every golden script', () => expect(scripts.length).toBeGreaterThanOrEqual(8));
  for (const name of scripts) {
    const script = read<Script>(`fold/${name}`);
    it(`${name}: ${script.about}`, () => {
      play(script);
    });
  }
  it('ends with the same picture whether events came once or twice', () => {
    expect(play(read('fold/doubled.json'))).toEqual(play(read('fold/missing.json')));
  });
  it('keeps a failure without a verdict', () => {
    const picture = play(read('fold/failed.json'));
    expect(picture.failed?.reason).toBe('deadline');
    expect(picture.verdict).toBeNull();
    expect(picture.ended).toBe(true);
  });
});

describe('the picture', () => {
  it('takes every golden event', () => {
    const all = ['accepted', 'judging', 'compiled', 'test-sample', 'test-hidden', 'verdict', 'review-started', 'review-finding', 'review-done', 'done'];
    const picture = all.map((name) => read<Event>(`events/${name}.json`)).reduce<Picture>(reduce, EMPTY);
    expect(picture).toMatchObject({ accepted: true, attempt: 1, total: 2, language: 'cpp', ended: true });
    expect(picture.tests.map((test) => test.verdict)).toEqual(['WA', 'TLE']);
    expect(picture.verdict?.score).toBe(50);
    expect(picture.review).toMatchObject({ reviewer: 'openai', model: 'a-model', conclusion: { findings: 1 } });
    expect(picture.review?.findings).toHaveLength(1);
  });
  it('begins anew with each attempt', () => {
    const judging = read<Event>('events/judging.json');
    const compiled = read<Event>('events/compiled.json');
    const once = [judging, compiled].reduce<Picture>(reduce, EMPTY);
    expect(reduce(once, judging)).toMatchObject({ compiled: null, tests: [], attempt: 1 });
  });
  it('ignores events that it does not know', () => {
    expect(reduce(EMPTY, { event: 'applause', data: {} } as never)).toBe(EMPTY);
  });
  it('shows a place in the queue only while it waits', () => {
    const waiting = reduce(EMPTY, { event: 'queued', data: { position: 3 } });
    expect(waiting.position).toBe(3);
    expect(reduce(waiting, read<Event>('events/judging.json')).position).toBeNull();
  });
});

describe('the id of an event', () => {
  it('is three whole numbers', () => {
    expect(parseKey('1.2147483647.10')).toEqual({ judgement: 1, attempt: 2147483647, seq: 10 });
    for (const bad of ['', '1.1', '1.1.x', '1.1.1.1', '-1.1.1']) expect(parseKey(bad)).toBeNull();
  });
});
