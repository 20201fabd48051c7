/** A question's document as a form holds it, and back. Pure. */
import type { Checker, QuestionDocument, Solution, TestGroup } from '../api/types.ts';

export interface LanguageRow {
  id: string;
  starter: string;
  driver: string;
  timeFactor: string;
}

/** A checker of the question's own. */
export interface Program {
  language: string;
  protocol: 'kattis' | 'testlib';
  interactive: boolean;
  passes: number;
  /** One a line: an argument may hold spaces. */
  args: string;
  files: { name: string; content: string }[];
}

export interface GroupRow {
  name: string;
  score: 'sum' | 'min';
  points: string;
  /** Separated by commas. */
  dependsOn: string;
  judging: '' | 'full' | 'lazy';
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
  program: Program;
  groups: GroupRow[];
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
  program: { language: 'python', protocol: 'kattis', interactive: false, passes: 1, args: '', files: [{ name: 'check.py', content: '' }] },
  groups: [],
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
    program: checker?.kind === 'program' ? programOf(checker) : structuredClone(BLANK.program),
    groups: (document.groups ?? []).map(({ name, score, points, depends_on, judging }) => ({
      name,
      score: score ?? 'sum',
      points: written(points),
      dependsOn: (depends_on ?? []).join(', '),
      judging: judging ?? '',
    })),
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

function programOf(checker: Extract<Checker, { kind: 'program' }>): Program {
  return {
    language: checker.language,
    protocol: checker.protocol ?? 'kattis',
    interactive: checker.interactive ?? false,
    passes: checker.passes ?? 1,
    args: (checker.args ?? []).join('\n'),
    files: checker.files.map(({ name, content }) => ({ name, content })),
  };
}

/** What stands between commas or on lines. */
function parts(text: string, between: string): string[] {
  return text.split(between).map((part) => part.trim()).filter(Boolean);
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
    case 'program': {
      const { args, ...program } = form.program;
      return { kind: 'program', ...program, args: parts(args, '\n') } as Checker;
    }
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
    tags: parts(form.tags, ','),
    limits: { time_ms: form.timeMs, memory_kib: form.memoryKib, output_kib: form.outputKib },
    checker: checkerOf(form),
    groups: form.groups.map(
      ({ name, score, points, dependsOn, judging }): TestGroup => ({
        name: name.trim(),
        score,
        points: points.trim() === '' ? null : Number(points),
        depends_on: parts(dependsOn, ','),
        judging: judging || null,
      }),
    ),
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
