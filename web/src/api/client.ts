/**
 * Every request of the page goes through here: it carries the access token, which lives in this module's memory alone, renews
 * it by the cookie, and when the sign-in itself has ended asks for it anew over the page and then goes on.
 */
import type { Problem, SignIn } from './types.ts';

export class ApiError extends Error {
  readonly problem: Problem;
  readonly retryAfterMs: number | null;

  constructor(problem: Problem, retryAfterMs: number | null = null) {
    super(problem.detail ?? problem.title ?? problem.type);
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }

  get status(): number {
    return this.problem.status;
  }

  /** The stable word at the end of the type. */
  get kind(): string {
    return this.problem.type.split('/').pop() ?? '';
  }
}

/** There was no answer: no network, or nothing listens. */
export class NoAnswer extends Error {}

export interface Fetched {
  response: Response;
}

interface Ask {
  method?: string;
  body?: unknown;
  /** Sent as it is, with this content type; with none, the browser writes it. */
  raw?: { type: string; content: BodyInit };
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

let token: string | null = null;
let expiresAt = 0;
let renewing: Promise<boolean> | null = null;
let askForSignIn: () => Promise<boolean> = () => Promise.resolve(false);

/** What to do when the sign-in has ended: ask, and say whether there is a new one. */
export function onSignedOut(ask: () => Promise<boolean>): void {
  askForSignIn = ask;
}

export function take(signIn: SignIn): void {
  token = signIn.access_token;
  expiresAt = Date.now() + signIn.expires_in * 1000;
}

export function forget(): void {
  token = null;
  expiresAt = 0;
}

/** The answer's JSON. */
export async function ask<T>(path: string, options: Ask = {}): Promise<T> {
  const { response } = await request(path, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** The answer itself, once it is a good one. */
export async function request(path: string, options: Ask = {}): Promise<Fetched> {
  if (expiresAt - Date.now() < 30_000) await renew();
  let response = await send(path, options);
  if (response.status === 401 && ((await renew()) || (await askForSignIn()))) {
    response = await send(path, options);
  }
  if (!response.ok) throw await failure(response);
  return { response };
}

/** A request of the sign-in routes: no token, no renewal. */
export async function open<T>(path: string, body?: unknown): Promise<T> {
  const response = await send(path, { method: 'POST', ...(body === undefined ? {} : { body }) });
  if (!response.ok) throw await failure(response);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** Renews the access token by the cookie; one tab at a time, one request at a time. */
export function renew(): Promise<boolean> {
  renewing ??= withLock(async () => {
    try {
      take(await open<SignIn>('/auth/refresh'));
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status < 500 && error.status !== 429) forget();
      return false;
    }
  }).finally(() => {
    renewing = null;
  });
  return renewing;
}

function withLock(work: () => Promise<boolean>): Promise<boolean> {
  return 'locks' in navigator ? navigator.locks.request('codementor-refresh', () => work()).then((renewed) => renewed) : work();
}

async function send(path: string, { method = 'GET', body, raw, headers = {}, signal }: Ask): Promise<Response> {
  const all = new Headers(headers);
  if (token) all.set('authorization', `Bearer ${token}`);
  if (raw?.type) all.set('content-type', raw.type);
  else if (!raw && body !== undefined && !all.has('content-type')) all.set('content-type', 'application/json');
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      headers: all,
      credentials: 'same-origin',
      cache: 'no-store',
      ...(raw ? { body: raw.content } : body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new NoAnswer();
  }
}

async function failure(response: Response): Promise<ApiError> {
  const seconds = Number(response.headers.get('retry-after'));
  const retry = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
  try {
    const problem = (await response.json()) as Problem;
    return new ApiError({ ...problem, status: problem.status ?? response.status, type: problem.type ?? '' }, retry);
  } catch {
    return new ApiError({ type: 'unavailable', status: response.status }, retry);
  }
}
