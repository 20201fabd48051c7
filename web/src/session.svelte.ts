/** Who is signed in. An end of it in the middle of work opens a dialog over the page, and the work waits for its answer. */
import { ask, forget, onSignedOut, open, renew, take } from './api/client.ts';
import type { Account, SignIn } from './api/types.ts';
import { keep, kept } from './kept.ts';
import { words } from './words.svelte.ts';

interface State {
  status: 'starting' | 'out' | 'in';
  me: Account | null;
  /** The dialog over the page. */
  asking: boolean;
}

const state = $state<State>({ status: 'starting', me: null, asking: false });
let waiting: ((signedIn: boolean) => void)[] = [];
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('codementor') : null;

export const session = {
  get status() {
    return state.status;
  },
  get me() {
    return state.me;
  },
  get asking() {
    return state.asking;
  },
  get teaches(): boolean {
    return state.me?.role === 'teacher' || state.me?.role === 'admin';
  },

  /** At the start: perhaps the cookie still holds. */
  async begin(): Promise<void> {
    if (kept('signed-in') === null || !(await renew())) {
      state.status = 'out';
      return;
    }
    await this.meet();
  },

  async signIn(email: string, password: string): Promise<void> {
    await this.enter(await open<SignIn>('/auth/login', { email, password }));
  },

  async register(email: string, password: string, name: string): Promise<void> {
    await open('/auth/register', { email, password, name, locale: words.locale });
    await this.signIn(email, password);
  },

  async reset(code: string, password: string): Promise<void> {
    await this.enter(await open<SignIn>('/auth/reset', { code, password }));
  },

  async signOut(): Promise<void> {
    await open('/auth/logout').catch(() => undefined);
    this.left();
    tabs?.postMessage('out');
  },

  left(): void {
    forget();
    keep('signed-in', null);
    state.me = null;
    state.status = 'out';
  },

  async enter(signIn: SignIn): Promise<void> {
    take(signIn);
    keep('signed-in', '1');
    const before = state.me?.id;
    await this.meet(before === undefined);
    const same = before === undefined || before === state.me?.id;
    this.answer(same);
    // Somebody else's page: what was there is not theirs.
    if (!same) location.assign('/');
  },

  async meet(speak = true): Promise<void> {
    try {
      state.me = await ask<Account>('/me');
      state.status = 'in';
      if (speak && kept('locale') === null) words.speak(state.me.locale);
    } catch {
      state.status = 'out';
    }
  },

  /** The account as it is after a change. */
  changed(me: Account): void {
    state.me = me;
  },

  answer(signedIn: boolean): void {
    state.asking = false;
    for (const go of waiting) go(signedIn);
    waiting = [];
  },
};

onSignedOut(() => {
  if (state.status !== 'in') return Promise.resolve(false);
  state.asking = true;
  return new Promise((resolve) => waiting.push(resolve));
});
tabs?.addEventListener('message', () => {
  session.left();
});
