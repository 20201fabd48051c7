import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { QuestionDocument } from '../src/api/types.ts';
import { BLANK, toDocument, toForm, toPatch } from '../src/pages/draft.ts';

it('a document comes back as it was', () => {
  const document: QuestionDocument = {
    slug: 'two-sum',
    kind: 'function',
    titles: { ko: '두 수의 합', en: null },
    statements: { ko: '본문', en: null },
    difficulty: 4,
    tags: ['arrays', 'hash'],
    limits: { time_ms: 1500, memory_kib: 65536, output_kib: 64 },
    checker: { kind: 'float', abs: 1e-6 },
    groups: [
      { name: 'small', score: 'sum', points: null, depends_on: [], judging: null },
      { name: 'large', score: 'min', points: 40, depends_on: ['small'], judging: 'lazy' },
    ],
    judging: 'lazy',
    feedback: 'samples',
    languages: { python: { starter: 'def f(): ...', driver: '{{code}}\nf()', time_factor: 2.5 } },
    solutions: [{ language: 'python', code: 'def f(): pass', expect: 'WA' }],
  };
  expect(toDocument(toForm(document))).toEqual(document);
});

it('a checker of the question’s own comes back as it was', () => {
  const checker: QuestionDocument['checker'] = {
    kind: 'program',
    language: 'cpp',
    protocol: 'testlib',
    interactive: true,
    passes: 2,
    args: ['--eps', '1e-6', 'two words'],
    files: [{ name: 'check.cpp', content: 'int main() {}' }],
  };
  expect(toDocument(toForm({ ...toDocument(BLANK), checker })).checker).toEqual(checker);
});

it('a language that was removed is null in the patch', () => {
  const before = { ...BLANK, languages: [{ id: 'go', starter: 'x', driver: '', timeFactor: '' }] };
  expect(toPatch(before, BLANK)).toMatchObject({ languages: { go: null } });
});

it('every field of the API’s document is in the form', () => {
  const openapi = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as {
    components: { schemas: { QuestionDocument: { properties: object } } };
  };
  // Tests have requests of their own.
  const fields = Object.keys(openapi.components.schemas.QuestionDocument.properties).filter((name) => name !== 'tests');
  expect(Object.keys(toDocument(BLANK)).sort()).toEqual(fields.sort());
});
