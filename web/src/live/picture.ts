/**
 * What is known of one submission or run: a pure reducer over its shown events. The page draws this and nothing else, so
 * that a reload, a second tab and a stream that was never cut show the same.
 */
import type { Compiled, EventBody, Failed, Finding, FinalVerdict, ReviewDone, RunOutput, TestResult } from '../api/types.ts';

export interface Review {
  reviewer: string | null;
  model: string | null;
  findings: Finding[];
  conclusion: ReviewDone | null;
  skipped: string | null;
}

export interface Picture {
  accepted: boolean;
  /** The place in the queue, while it waits. */
  position: number | null;
  /** The attempt that judges it, once one does. */
  attempt: number | null;
  /** How many tests there are to come, once that is known. */
  total: number | null;
  language: string | null;
  compiled: Compiled | null;
  tests: TestResult[];
  outputs: RunOutput[];
  verdict: FinalVerdict | null;
  review: Review | null;
  failed: Failed | null;
  ended: boolean;
}

export const EMPTY: Picture = {
  accepted: false,
  position: null,
  attempt: null,
  total: null,
  language: null,
  compiled: null,
  tests: [],
  outputs: [],
  verdict: null,
  review: null,
  failed: null,
  ended: false,
};

/** An event of the stream, or the approximate place in the queue, which has no id and is not replayed. */
export type Shownable = EventBody | { event: 'queued'; data: { position: number } };

export function reduce(picture: Picture, { event, data }: Shownable): Picture {
  switch (event) {
    case 'accepted':
      return { ...picture, accepted: true, language: data.language };
    case 'queued':
      return picture.attempt === null && !picture.ended ? { ...picture, position: data.position } : picture;
    case 'judging':
      // A new attempt voids what the former one said.
      return { ...EMPTY, accepted: true, language: picture.language, attempt: data.attempt, total: data.tests };
    case 'compiled':
      return { ...picture, compiled: data };
    case 'test':
      return { ...picture, tests: [...picture.tests, data] };
    case 'output':
      return { ...picture, outputs: [...picture.outputs, data] };
    case 'verdict':
      return { ...picture, verdict: data, position: null };
    case 'review.started':
      return { ...picture, review: { ...NO_REVIEW, reviewer: data.reviewer, model: data.model ?? null } };
    case 'review.finding':
      return withReview(picture, (review) => ({ ...review, findings: [...review.findings, data] }));
    case 'review.done':
      return withReview(picture, (review) => ({ ...review, conclusion: data }));
    case 'review.skipped':
      return withReview(picture, (review) => ({ ...review, skipped: data.reason }));
    case 'done':
      return { ...picture, ended: true, position: null };
    case 'failed':
      return { ...picture, ended: true, failed: data, position: null };
    default:
      // A kind that this page does not know yet: fields and events are only added.
      return picture;
  }
}

const NO_REVIEW: Review = { reviewer: null, model: null, findings: [], conclusion: null, skipped: null };

function withReview(picture: Picture, change: (review: Review) => Review): Picture {
  return { ...picture, review: change(picture.review ?? NO_REVIEW) };
}
