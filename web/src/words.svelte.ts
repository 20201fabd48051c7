/** The language of the page and its words; follows the account, else the browser, and is remembered here. */
import type { Locale } from './api/types.ts';
import { MESSAGES, type Messages } from './messages.ts';
import { keep, kept } from './kept.ts';

const first: Locale = kept('locale') === 'ko' ? 'ko' : kept('locale') === 'en' ? 'en' : navigator.language.startsWith('ko') ? 'ko' : 'en';

const state = $state<{ locale: Locale }>({ locale: first });

/** Made once: making one takes longer than all that is done with it. */
const formats = new Map<string, Intl.NumberFormat>();

export const words = {
  get locale(): Locale {
    return state.locale;
  },
  /** The words themselves. */
  get t(): Messages {
    return MESSAGES[state.locale];
  },
  speak(locale: Locale): void {
    state.locale = locale;
    keep('locale', locale);
    document.documentElement.lang = locale;
  },
  number(value: number, digits = 0): string {
    const key = `${state.locale}${digits}`;
    let format = formats.get(key);
    if (!format) formats.set(key, (format = new Intl.NumberFormat(state.locale, { maximumFractionDigits: digits })));
    return format.format(value);
  },
  ms(value: number): string {
    return value >= 10_000 ? `${this.number(value / 1000, 1)} s` : `${this.number(value)} ms`;
  },
  kib(value: number): string {
    return value >= 1024 ? `${this.number(value / 1024, value < 10_240 ? 1 : 0)} MiB` : `${this.number(value)} KiB`;
  },
  bytes(value: number): string {
    return value >= 1024 ? this.kib(value / 1024) : `${value} B`;
  },
  when(time: string): string {
    return new Date(time).toLocaleString(state.locale, { dateStyle: 'medium', timeStyle: 'short' });
  },
};

document.documentElement.lang = first;
