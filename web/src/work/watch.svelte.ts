/** One submission or run as the page shows it: its picture, and how the connection is. */
import { ApiError, ask, NoAnswer, request } from '../api/client.ts';
import type { Accepted } from '../api/types.ts';
import { EMPTY, type Picture } from '../live/picture.ts';
import { follow, type Connection } from '../live/stream.ts';

export type Kind = 'submission' | 'run';

export class Watch {
  picture = $state.raw<Picture>(EMPTY);
  connection = $state<Connection>('connecting');
  problem = $state.raw<Error | null>(null);
  id = $state<string | null>(null);
  #stop: (() => void) | null = null;
  #frame = 0;

  readonly kind: Kind;

  constructor(kind: Kind) {
    this.kind = kind;
  }

  get busy(): boolean {
    return !this.problem && this.connection !== 'ended' && this.connection !== 'refused';
  }

  /** Follows what exists. */
  attach(id: string): void {
    this.id = id;
    const path = `/${this.kind}s/${encodeURIComponent(id)}/events`;
    this.#stop = follow({
      open: (lastEventId, signal) =>
        request(path, { signal, headers: { accept: 'text/event-stream', ...(lastEventId ? { 'last-event-id': lastEventId } : {}) } }),
      show: (picture) => this.#draw(picture),
      connection: (state, problem) => {
        this.connection = state;
        if (state === 'refused') this.problem = problem;
      },
    });
  }

  stop(): void {
    this.#stop?.();
    cancelAnimationFrame(this.#frame);
  }

  /** At most once a frame, however many events came; at once where no frames are drawn. */
  #draw(picture: Picture): void {
    cancelAnimationFrame(this.#frame);
    if (document.hidden) {
      this.picture = picture;
      return;
    }
    this.#frame = requestAnimationFrame(() => {
      this.picture = picture;
    });
  }
}

const TRIES = 6;

/**
 * Sends code and says under which id it was accepted. The key makes a repeat harmless: whatever happened to the first answer,
 * there is one submission.
 */
export async function send(kind: Kind, key: string, body: unknown): Promise<Accepted> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask<Accepted>(`/${kind}s`, { method: 'POST', body, headers: { 'idempotency-key': key } });
    } catch (error) {
      const wait = error instanceof ApiError && error.status >= 502 ? (error.retryAfterMs ?? 1000) : error instanceof NoAnswer ? 1000 : null;
      if (wait === null || attempt === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.min(wait * 2 ** (attempt - 1), 10_000) * (0.7 + 0.6 * Math.random())));
    }
  }
}
