import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tex, type MathNode } from '../src/statement/tex.ts';

const samples = new URL('../../samples/', import.meta.url);

/** The tree in one line. */
function show({ tag, text, children }: MathNode): string {
  return `${tag}(${text ?? (children ?? []).map(show).join(' ')})`;
}

describe('the maths of statements', () => {
  it('is known in every sample', () => {
    let seen = 0;
    for (const folder of readdirSync(samples, { withFileTypes: true })) {
      if (!folder.isDirectory()) continue;
      for (const locale of ['ko', 'en']) {
        const text = readFileSync(new URL(`${folder.name}/statement.${locale}.md`, samples), 'utf8');
        for (const [, display, inline] of text.matchAll(/\$\$([^$]+)\$\$|\$([^$\n]+)\$/g)) {
          const source = display ?? inline ?? '';
          expect(tex(source), `${folder.name}: ${source}`).not.toBeNull();
          seen += 1;
        }
      }
    }
    expect(seen).toBeGreaterThan(20);
  });
  it.each([
    ['1 \\le n \\le 10^5', 'mrow(mn(1) mo(≤) mi(n) mo(≤) msup(mn(10) mn(5)))'],
    ['10\\,000', 'mrow(mn(10\u2009000))'],
    ['a_{i+1}^2', 'mrow(msubsup(mi(a) mrow(mi(i) mo(+) mn(1)) mn(2)))'],
    ['\\frac{n}{2}', 'mrow(mfrac(mi(n) mn(2)))'],
    ['\\sum_{i=1}^{n} a_i', 'mrow(munderover(mo(∑) mrow(mi(i) mo(=) mn(1)) mi(n)) msub(mi(a) mi(i)))'],
    ['\\sqrt[3]{x}', 'mrow(mroot(mi(x) mrow(mn(3))))'],
    ['\\text{a b}', 'mrow(mtext(a\u00a0b))'],
  ])('%s', (source, wanted) => expect(show(tex(source) as MathNode)).toBe(wanted));
  it.each(['\\href{javascript:alert(1)}{x}', '\\htmlData{a}', '{', '}', 'a^', '^^', 'x^1^2', '\\frac{1}', '\\left', '&', '\\sqrt[3', '{'.repeat(100), 'x^'.repeat(1000) + 'x', 'a'.repeat(5000)])(
    'shows the source where it is not known: %#',
    (source) => expect(tex(source)).toBeNull(),
  );
});
