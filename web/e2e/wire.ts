/**
 * An address that is the stack's, but for the events of one submission: those come from here, each when the caller says so, so
 * that it is known to the millisecond when an event was on the wire.
 */
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Wire {
  url: string;
  /** The page's stream, once it is open. */
  stream(): Promise<ServerResponse>;
  close(): void;
}

export async function wire(to: string, submission: string): Promise<Wire> {
  let opened: (stream: ServerResponse) => void;
  let stream = new Promise<ServerResponse>((resolve) => (opened = resolve));
  const server = createServer((asked, answer) => {
    if (asked.url === `/api/v1/submissions/${submission}/events`) {
      answer.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      answer.flushHeaders();
      answer.socket?.setNoDelay(true);
      opened(answer);
      return;
    }
    const passed = request(new URL(asked.url ?? '/', to), { method: asked.method ?? 'GET', headers: asked.headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stream() {
      const one = await stream;
      stream = new Promise<ServerResponse>((resolve) => (opened = resolve));
      return one;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function event(name: string, id: string, data: unknown): string {
  return `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}
