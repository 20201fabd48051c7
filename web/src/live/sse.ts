/** The text of an event stream, cut anywhere, into its messages. Pure but for the text that is not complete yet. */
export interface Message {
  id: string | null;
  event: string;
  data: string;
}

export interface Parsed {
  messages: Message[];
  /** The last `retry:` hint in milliseconds. */
  retry: number | null;
}

export class Parser {
  #rest = '';
  #id: string | null = null;
  #event = '';
  #data: string[] = [];

  push(text: string): Parsed {
    const parsed: Parsed = { messages: [], retry: null };
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line, parsed);
    return parsed;
  }

  #line(line: string, parsed: Parsed): void {
    if (line === '') {
      if (this.#data.length > 0) {
        parsed.messages.push({ id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') });
      }
      this.#id = null;
      this.#event = '';
      this.#data = [];
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) parsed.retry = Number(value);
  }
}
