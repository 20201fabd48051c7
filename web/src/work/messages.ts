/** Where in the learner's code compilers, interpreters and reviewers point. Pure. */
import type { Picture } from '../live/picture.ts';
import type { Mark } from '../editor/editor.ts';

const LINE = /^<solution>:(\d+)(?::(\d+))?:\s*(?:(fatal error|error|warning|note|info)\b:?\s*)?(.*)$/;
const MOST = 200;

/** The compiler's messages at their lines. */
export function compilerMarks(log: string): Mark[] {
  const marks: Mark[] = [];
  for (const line of log.split('\n')) {
    const found = LINE.exec(line);
    if (!found || marks.length >= MOST) continue;
    const [, number, column, kind, message] = found;
    marks.push({
      lineStart: Number(number),
      lineEnd: Number(number),
      column: column === undefined ? undefined : Number(column),
      severity: kind === 'warning' ? 'warning' : kind === 'note' || kind === 'info' ? 'info' : 'error',
      message: message || line,
      source: 'compiler',
    });
  }
  return marks;
}

/** All that is known of a submission's lines. */
export function marksOf(picture: Pick<Picture, 'compiled' | 'review'>, reviewer: string): Mark[] {
  const marks = picture.compiled ? compilerMarks(picture.compiled.log) : [];
  for (const finding of picture.review?.findings ?? []) {
    marks.push({
      lineStart: finding.line_start,
      // What is said of a whole program is marked at its beginning, not under every line.
      lineEnd: finding.line_end - finding.line_start > 2 ? finding.line_start : finding.line_end,
      severity: finding.kind === 'praise' ? 'hint' : finding.severity === 'essential' ? 'warning' : 'info',
      message: finding.message,
      source: reviewer,
    });
  }
  return marks;
}

/** A line of a log, with the number of the learner's line where it names one. */
export function logLines(log: string): { text: string; line: number | null }[] {
  return log
    .replace(/\n$/, '')
    .split('\n')
    .map((text) => ({ text, line: Number(/<solution>:(\d+)/.exec(text)?.[1] ?? 0) || null }));
}
