/** A question's document as a form holds it, and back. Pure. */
import type { Checker, QuestionDocument, Solution } from '../api/types.ts';

export interface LanguageRow {
  id: string;
  starter: string;
  driver: string;
  timeFactor: string;
}

export interface Form {
  slug: string;
  kind: 'stdio' | 'function';
  titleKo: string;
  titleEn: string;
  statementKo: string;
  statementEn: string;
  difficulty: number;
  tags: string;
  timeMs: number;
  memoryKib: number;
  outputKib: number;
  checker: Checker['kind'];
  caseSensitive: boolean;
  abs: string;
  rel: string;
  judging: 'full' | 'lazy';
  feedback: 'full' | 'samples' | 'none';
  languages: LanguageRow[];
  solutions: { language: string; code: string; expect: string }[];
}

export const BLANK: Form = {
  slug: '',
  kind: 'stdio',
  titleKo: '',
  titleEn: '',
  statementKo: '',
  statementEn: '',
  difficulty: 1,
  tags: '',
  timeMs: 2000,
  memoryKib: 262144,
  outputKib: 8192,
  checker: 'tokens',
  caseSensitive: true,
  abs: '',
  rel: '',
  judging: 'full',
  feedback: 'full',
  languages: [],
  solutions: [],
};

export function toForm(document: QuestionDocument): Form {
  const { checker, limits } = document;
  return {
    slug: document.slug,
    kind: document.kind,
    titleKo: document.titles.ko ?? '',
    titleEn: document.titles.en ?? '',
    statementKo: document.statements.ko ?? '',
    statementEn: document.statements.en ?? '',
    difficulty: document.difficulty,
    tags: (document.tags ?? []).join(', '),
    timeMs: limits?.time_ms ?? BLANK.timeMs,
    memoryKib: limits?.memory_kib ?? BLANK.memoryKib,
    outputKib: limits?.output_kib ?? BLANK.outputKib,
    checker: checker?.kind ?? 'tokens',
    caseSensitive: checker?.kind === 'tokens' ? (checker.case_sensitive ?? true) : true,
    abs: checker?.kind === 'float' ? written(checker.abs) : '',
    rel: checker?.kind === 'float' ? written(checker.rel) : '',
    judging: document.judging ?? 'full',
    feedback: document.feedback ?? 'full',
    languages: Object.entries(document.languages ?? {}).map(([id, { starter, driver, time_factor }]) => ({
      id,
      starter: starter ?? '',
      driver: driver ?? '',
      timeFactor: written(time_factor),
    })),
    solutions: (document.solutions ?? []).map(({ language, code, expect }) => ({ language, code, expect: expect ?? 'AC' })),
  };
}

function written(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : String(value);
}

function checkerOf(form: Form): Checker {
  const number = (text: string) => (text.trim() === '' ? {} : Number(text));
  switch (form.checker) {
    case 'tokens':
      return { kind: 'tokens', case_sensitive: form.caseSensitive };
    case 'float':
      return {
        kind: 'float',
        ...(typeof number(form.abs) === 'number' ? { abs: Number(form.abs) } : {}),
        ...(typeof number(form.rel) === 'number' ? { rel: Number(form.rel) } : {}),
      };
    default:
      return { kind: form.checker } as Checker;
  }
}

/** Everything but the tests, which have requests of their own. */
export function toDocument(form: Form): QuestionDocument {
  const text = (value: string) => (value.trim() === '' ? null : value);
  return {
    slug: form.slug.trim(),
    kind: form.kind,
    titles: { ko: text(form.titleKo), en: text(form.titleEn) },
    statements: { ko: text(form.statementKo), en: text(form.statementEn) },
    difficulty: form.difficulty,
    tags: form.tags.split(',').map((tag) => tag.trim()).filter(Boolean),
    limits: { time_ms: form.timeMs, memory_kib: form.memoryKib, output_kib: form.outputKib },
    checker: checkerOf(form),
    judging: form.judging,
    feedback: form.feedback,
    languages: Object.fromEntries(
      form.languages.map(({ id, starter, driver, timeFactor }) => [
        id,
        { starter: text(starter), driver: text(driver), time_factor: timeFactor.trim() === '' ? null : Number(timeFactor) },
      ]),
    ),
    solutions: form.solutions.map(({ language, code, expect }) => ({ language, code, expect }) as Solution),
  };
}

/** What makes `before` into `after`: a merge patch, in which a language that went away is null. */
export function toPatch(before: Form, after: Form): object {
  const gone = before.languages.filter(({ id }) => !after.languages.some((other) => other.id === id)).map(({ id }) => [id, null]);
  const document = toDocument(after);
  return { ...document, languages: { ...document.languages, ...Object.fromEntries(gone) } };
}
