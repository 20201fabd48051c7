/** Drafts: the learner's code by account, question and language, kept in this browser. */
import { keep, kept } from '../kept.ts';

const name = (account: string, question: string, language: string) => `draft:${account}:${question}:${language}`;

export function draft(account: string, question: string, language: string): string | null {
  return kept(name(account, question, language));
}

/** Whether the browser kept it. Null lets go of it. */
export function keepDraft(account: string, question: string, language: string, code: string | null): boolean {
  return keep(name(account, question, language), code);
}

/** The language that was last chosen, for this question or at all. */
export function lastLanguage(question: string): string | null {
  return kept(`language:${question}`) ?? kept('language');
}

export function keepLanguage(question: string, language: string): void {
  keep(`language:${question}`, language);
  keep('language', language);
}
