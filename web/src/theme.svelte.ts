/** Light, dark, or as the system has it. */
import { keep, kept } from './kept.ts';

export type Theme = 'auto' | 'light' | 'dark';

const first = kept('theme');
const state = $state<{ theme: Theme }>({ theme: first === 'light' || first === 'dark' ? first : 'auto' });
document.documentElement.dataset['theme'] = state.theme;

export const theme = {
  get now(): Theme {
    return state.theme;
  },
  choose(next: Theme): void {
    state.theme = next;
    keep('theme', next === 'auto' ? null : next);
    document.documentElement.dataset['theme'] = next;
  },
};
