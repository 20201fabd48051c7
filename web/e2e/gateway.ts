/** A second gateway before the same stack, to be killed: any gateway takes up what another one began. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { up, upFile } from './support.ts';

export interface Gateway {
  url: string;
  /** Returns once it is ready. */
  start(): Promise<void>;
  /** As a power cut does it: nothing is flushed, nothing is said. Returns once it is gone. */
  kill(): Promise<void>;
}

export async function gateway(): Promise<Gateway> {
  const program = process.env['CODEMENTOR_PROGRAM'];
  if (!program) throw new Error('CODEMENTOR_PROGRAM: the program whose `up` this is');
  const { servers, services } = up;
  const [port, ops] = [await freePort(), await freePort()];
  const keys = join(dirname(upFile), 'keys');
  const told = {
    CODEMENTOR_LISTEN: `127.0.0.1:${port}`,
    CODEMENTOR_OPS_LISTEN: `127.0.0.1:${ops}`,
    CODEMENTOR_INSTANCE: 'killed',
    CODEMENTOR_TRUSTED_KEYS: join(keys, 'trusted.json'),
    CODEMENTOR_SERVICE_KEY: join(keys, 'gateway.pem'),
    CODEMENTOR_QUESTION_URL: services['question']?.url,
    CODEMENTOR_EXECUTE_URL: services['execute']?.url,
    CODEMENTOR_TOPIC_PREFIX: servers.topic_prefix,
    DATABASE_URL: servers.database_url,
    KAFKA_BROKERS: servers.kafka_brokers,
  };
  let running: ChildProcess | null = null;
  process.on('exit', () => running?.kill('SIGKILL'));

  return {
    url: `http://127.0.0.1:${port}`,
    async start() {
      const child = spawn(program, ['gateway'], { env: { ...process.env, ...told }, stdio: ['ignore', 'ignore', 'pipe'] });
      running = child;
      let said = '';
      child.stderr.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-2000)));
      const deadline = Date.now() + 60_000;
      while (!(await ready(`http://127.0.0.1:${ops}/readyz`))) {
        if (child.exitCode !== null || Date.now() > deadline) throw new Error(`the second gateway did not become ready: ${said}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async kill() {
      const child = running;
      if (!child || child.exitCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
      running = null;
    },
  };
}

async function ready(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
