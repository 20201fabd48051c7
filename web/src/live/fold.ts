/**
 * The one fold, as in crates/contract/src/fold.rs: which event of a submission may be shown, and when something is missing.
 * Both are tested on the same golden files. Pure; it never looks at a clock.
 */
export interface EventKey {
  judgement: number;
  attempt: number;
  seq: number;
}

export interface Keyed {
  key: EventKey;
  follows: EventKey | null;
  event: string;
}

/** What a reader of one judgement has shown so far. */
export interface Shown {
  last: EventKey | null;
  verdict: EventKey | null;
  terminal: boolean;
}

export type Step = 'show' | 'drop' | 'gap';

export const NOTHING_SHOWN: Shown = { last: null, verdict: null, terminal: false };

/** `<judgement>.<attempt>.<seq>`, as the stream's `id:` has it. */
export function parseKey(id: string): EventKey | null {
  const parts = /^(\d+)\.(\d+)\.(\d+)$/.exec(id);
  return parts ? { judgement: Number(parts[1]), attempt: Number(parts[2]), seq: Number(parts[3]) } : null;
}

/** Decides about `event`; where it is shown, the second value remembers it. */
export function step(shown: Shown, event: Keyed): [Step, Shown] {
  const decided = decide(shown, event);
  if (decided !== 'show') return [decided, shown];
  return [
    decided,
    {
      last: event.key,
      verdict: event.event === 'verdict' ? event.key : shown.verdict,
      terminal: event.event === 'done' || event.event === 'failed',
    },
  ];
}

function decide({ last, verdict, terminal }: Shown, { key, follows, event }: Keyed): Step {
  if (!last) {
    const begins = event === 'accepted' || (key.judgement > 1 && key.seq === 1 && !follows);
    return begins ? 'show' : 'gap';
  }
  if (terminal || key.judgement !== last.judgement || compare(key, last) <= 0) return 'drop';
  if (key.attempt === last.attempt) return key.seq === last.seq + 1 ? 'show' : 'gap';
  if (key.seq !== 1) return 'gap';
  if (!follows) return verdict ? 'drop' : 'show';
  if (verdict) return compare(verdict, follows) === 0 ? 'show' : 'drop';
  return 'gap';
}

export function compare(a: EventKey, b: EventKey): number {
  return a.judgement - b.judgement || a.attempt - b.attempt || a.seq - b.seq;
}
