/** What a page does for somebody and shows while it is done: that it is under way, what went wrong, what is to be said of it. */

export class Doing {
  busy = $state(false);
  error = $state.raw<unknown>(null);
  said = $state('');

  /** One thing at a time; what goes wrong is kept to be shown. Whether it went well. */
  attempt = async (work: () => Promise<void>): Promise<boolean> => {
    this.busy = true;
    this.error = null;
    this.said = '';
    try {
      await work();
      return true;
    } catch (reason) {
      this.error = reason;
      return false;
    } finally {
      this.busy = false;
    }
  };
}

/** A part of a list, as the API sends it. */
interface Part<T> {
  items: T[];
  next_cursor?: string | null;
}

/** A list that comes part by part. An answer that a later question has overtaken is not shown. */
export class Listing<T> extends Doing {
  items = $state.raw<T[]>([]);
  next = $state<string | null>(null);
  loaded = $state(false);
  #round = 0;

  /** Asks for the first part, or with a cursor for a further one. */
  async load(ask: (query: URLSearchParams) => Promise<Part<T>>, query: URLSearchParams, cursor: string | null): Promise<void> {
    const mine = (this.#round += 1);
    if (cursor) query.set('cursor', cursor);
    try {
      const part = await ask(query);
      if (mine !== this.#round) return;
      this.items = cursor ? [...this.items, ...part.items] : part.items;
      this.next = part.next_cursor ?? null;
      this.error = null;
    } catch (reason) {
      if (mine === this.#round) this.error = reason;
    }
    this.loaded = true;
  }
}
