import { expect, it } from 'vitest';
import { compilerMarks, logLines, marksOf } from '../src/work/messages.ts';
import { EMPTY } from '../src/live/picture.ts';

const GCC = "<solution>: In function ‘int main()’:\n<solution>:2:20: error: ‘cout’ was not declared in this scope\n    2 | int main(){ }\n<solution>:2:17: warning: unused variable ‘x’";

it('finds the lines of gcc', () => {
  expect(compilerMarks(GCC).map(({ lineStart, column, severity }) => [lineStart, column, severity])).toEqual([
    [2, 20, 'error'],
    [2, 17, 'warning'],
  ]);
});

it('finds the lines of javac, which names no column', () => {
  expect(compilerMarks("<solution>:3: error: ';' expected")).toMatchObject([{ lineStart: 3, column: undefined, severity: 'error', message: "';' expected" }]);
});

it('links each line of a log that names one', () => {
  expect(logLines(GCC).map(({ line }) => line)).toEqual([null, 2, null, 2]);
});

it('bounds what a hostile log may draw', () => {
  expect(compilerMarks('<solution>:1: error: x\n'.repeat(10_000))).toHaveLength(200);
});

it('puts findings beside them', () => {
  const review = { reviewer: 'builtin', model: null, conclusion: null, skipped: null, findings: [{ line_start: 2, line_end: 4, kind: 'bug' as const, severity: 'essential' as const, message: 'look' }] };
  expect(marksOf({ ...EMPTY, review }, 'review')).toMatchObject([{ lineStart: 2, lineEnd: 4, severity: 'warning', message: 'look' }]);
});
