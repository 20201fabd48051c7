/**
 * The TeX of problem statements as a small tree that MathML can show: numbers, names, scripts, fractions, roots, sums,
 * relations, Greek, text. Not all of TeX: what it does not know makes it say so (null), and the source is shown as it is.
 * Pure, linear in the length of the text, bounded in depth; it makes no HTML.
 */
export interface MathNode {
  tag: string;
  text?: string;
  attributes?: Record<string, string>;
  children?: MathNode[];
}

const MAX_LENGTH = 4000;
const MAX_DEPTH = 24;

const OPERATORS: Record<string, string> = {
  le: '≤', leq: '≤', leqslant: '≤', ge: '≥', geq: '≥', geqslant: '≥', ne: '≠', neq: '≠', lt: '<', gt: '>', ll: '≪', gg: '≫',
  times: '×', cdot: '⋅', div: '÷', pm: '±', mp: '∓', ast: '∗', star: '⋆', circ: '∘', oplus: '⊕', otimes: '⊗', bmod: 'mod',
  in: '∈', notin: '∉', ni: '∋', subset: '⊂', subseteq: '⊆', supset: '⊃', supseteq: '⊇', cup: '∪', cap: '∩', setminus: '∖',
  land: '∧', wedge: '∧', lor: '∨', vee: '∨', lnot: '¬', neg: '¬', to: '→', rightarrow: '→', leftarrow: '←', gets: '←', mapsto: '↦',
  Rightarrow: '⇒', Leftarrow: '⇐', Leftrightarrow: '⇔', iff: '⇔', implies: '⇒', leftrightarrow: '↔', equiv: '≡', approx: '≈', sim: '∼', cong: '≅',
  mid: '∣', nmid: '∤', parallel: '∥', perp: '⊥', forall: '∀', exists: '∃', ldots: '…', dots: '…', cdots: '⋯', vdots: '⋮', ddots: '⋱',
  lfloor: '⌊', rfloor: '⌋', lceil: '⌈', rceil: '⌉', langle: '⟨', rangle: '⟩', lbrace: '{', rbrace: '}', vert: '|', lvert: '|', rvert: '|', Vert: '‖',
  colon: ':', prime: '′', backslash: '\\', '{': '{', '}': '}', '|': '‖', sum: '∑', prod: '∏', int: '∫', bigcup: '⋃', bigcap: '⋂', bigoplus: '⨁',
};
const LARGE = new Set(['sum', 'prod', 'bigcup', 'bigcap', 'bigoplus', 'max', 'min', 'lim', 'sup', 'inf', 'gcd', 'argmax', 'argmin']);
const NAMES: Record<string, string> = {
  alpha: 'α', beta: 'β', gamma: 'γ', delta: 'δ', epsilon: 'ϵ', varepsilon: 'ε', zeta: 'ζ', eta: 'η', theta: 'θ', iota: 'ι', kappa: 'κ', lambda: 'λ', mu: 'μ',
  nu: 'ν', xi: 'ξ', pi: 'π', rho: 'ρ', sigma: 'σ', tau: 'τ', upsilon: 'υ', phi: 'ϕ', varphi: 'φ', chi: 'χ', psi: 'ψ', omega: 'ω', Gamma: 'Γ', Delta: 'Δ',
  Theta: 'Θ', Lambda: 'Λ', Xi: 'Ξ', Pi: 'Π', Sigma: 'Σ', Phi: 'Φ', Psi: 'Ψ', Omega: 'Ω', infty: '∞', emptyset: '∅', varnothing: '∅', ell: 'ℓ', partial: '∂', nabla: '∇',
  '%': '%', '#': '#', '&': '&', _: '_', $: '$',
};
const FUNCTIONS = new Set(['log', 'ln', 'lg', 'exp', 'sin', 'cos', 'tan', 'max', 'min', 'gcd', 'lcm', 'lim', 'sup', 'inf', 'det', 'dim', 'deg', 'arg', 'argmax', 'argmin', 'mod']);
const SPACES: Record<string, string> = { ',': '0.17em', ':': '0.22em', ';': '0.28em', ' ': '0.28em', '!': '-0.17em', quad: '1em', qquad: '2em' };
const SETS: Record<string, string> = { N: 'ℕ', Z: 'ℤ', Q: 'ℚ', R: 'ℝ', C: 'ℂ', P: 'ℙ' };
const ACCENTS: Record<string, string> = { overline: '‾', bar: '‾', hat: '^', vec: '→', tilde: '~', dot: '˙' };
const TEXTS = new Set(['text', 'textrm', 'mathrm', 'operatorname', 'texttt', 'mathtt', 'textbf', 'mathbf', 'textit', 'mathit', 'mathsf', 'textsf', 'mathcal']);

class Unknown extends Error {}

/** Null when there is something in it that this does not know. */
export function tex(source: string): MathNode | null {
  if (source.length > MAX_LENGTH) return null;
  const tokens = source.match(/\\[A-Za-z]+\*?|\\[\s\S]|\d+(?:\.\d+)?|\s+|[\s\S]/gu) ?? [];
  let at = 0;
  try {
    const children = list(0, null);
    return at === tokens.length ? { tag: 'mrow', children } : null;
  } catch (error) {
    if (error instanceof Unknown) return null;
    throw error;
  }

  function list(depth: number, end: string | null): MathNode[] {
    if (depth > MAX_DEPTH) throw new Unknown();
    const nodes: MathNode[] = [];
    while (at < tokens.length && tokens[at] !== end) {
      const token = tokens[at] as string;
      if (/^\s/.test(token)) {
        at += 1;
      } else if (token === '^' || token === '_' || token === "'") {
        nodes.push(scripts(nodes.pop() ?? { tag: 'mrow', children: [] }, depth));
      } else {
        nodes.push(atom(depth));
      }
    }
    return nodes;
  }

  function scripts(base: MathNode, depth: number): MathNode {
    let below: MathNode | null = null;
    let above: MathNode | null = null;
    for (;;) {
      const token = tokens[at];
      if (token === '_' && !below) {
        at += 1;
        below = argument(depth);
      } else if (token === '^' && !above) {
        at += 1;
        above = argument(depth);
      } else if (token === "'" && !above) {
        let primes = '';
        while (tokens[at] === "'") {
          primes += '′';
          at += 1;
        }
        above = { tag: 'mo', text: primes };
      } else if (token === '_' || token === '^' || token === "'") {
        throw new Unknown();
      } else {
        break;
      }
    }
    const under = base.attributes?.['movablelimits'] !== undefined;
    if (below && above) return { tag: under ? 'munderover' : 'msubsup', children: [base, below, above] };
    if (below) return { tag: under ? 'munder' : 'msub', children: [base, below] };
    return { tag: under ? 'mover' : 'msup', children: [base, above as MathNode] };
  }

  function argument(depth: number): MathNode {
    while (/^\s/.test(tokens[at] ?? '')) at += 1;
    return atom(depth + 1);
  }

  function atom(depth: number): MathNode {
    if (depth > MAX_DEPTH) throw new Unknown();
    const token = tokens[at];
    if (token === undefined || '}&^_\''.includes(token)) throw new Unknown();
    at += 1;
    if (token === '{') {
      const children = list(depth + 1, '}');
      if (tokens[at] !== '}') throw new Unknown();
      at += 1;
      // {,} keeps a comma in a number from being spaced.
      return children.length === 1 ? (children[0] as MathNode) : { tag: 'mrow', children };
    }
    if (/^\d/.test(token)) return number(token);
    if (/^\p{L}/u.test(token)) return { tag: 'mi', text: token };
    if (!token.startsWith('\\')) {
      if (token === '-') return { tag: 'mo', text: '−' };
      if (token === '*') return { tag: 'mo', text: '∗' };
      if (token === '~') return space('0.28em');
      const fence = '()[]|'.includes(token);
      return { tag: 'mo', text: token, ...(fence ? { attributes: { stretchy: 'false' } } : {}) };
    }
    return command(token.slice(1), depth);
  }

  /** Digits with thin spaces or commas between groups of three are one number. */
  function number(first: string): MathNode {
    let text = first;
    for (;;) {
      const comma = tokens[at] === '{' && tokens[at + 1] === ',' && tokens[at + 2] === '}';
      const next = comma ? at + 3 : at + 1;
      if (!(comma || tokens[at] === '\\,') || !/^\d{3}$/.test(tokens[next] ?? '')) break;
      text += (comma ? ',' : '\u2009') + (tokens[next] as string);
      at = next + 1;
    }
    return { tag: 'mn', text };
  }

  function command(name: string, depth: number): MathNode {
    const operator = OPERATORS[name];
    if (operator !== undefined) {
      const large = LARGE.has(name);
      return { tag: 'mo', text: operator, attributes: large ? { movablelimits: 'true' } : { stretchy: 'false' } };
    }
    const letter = NAMES[name];
    if (letter !== undefined) return { tag: 'mi', text: letter };
    const width = SPACES[name];
    if (width !== undefined) return space(width);
    if (FUNCTIONS.has(name)) {
      return LARGE.has(name)
        ? { tag: 'mo', text: name, attributes: { movablelimits: 'true', rspace: '0.17em' } }
        : { tag: 'mrow', children: [{ tag: 'mi', text: name }, space('0.17em')] };
    }
    if (TEXTS.has(name)) return { tag: 'mtext', text: raw() };
    if (name === 'frac' || name === 'dfrac' || name === 'tfrac') {
      return { tag: 'mfrac', children: [argument(depth), argument(depth)] };
    }
    if (name === 'binom') {
      const parts = { tag: 'mfrac', attributes: { linethickness: '0' }, children: [argument(depth), argument(depth)] };
      return { tag: 'mrow', children: [{ tag: 'mo', text: '(' }, parts, { tag: 'mo', text: ')' }] };
    }
    if (name === 'sqrt') {
      if (tokens[at] !== '[') return { tag: 'msqrt', children: [argument(depth)] };
      at += 1;
      const index = { tag: 'mrow', children: list(depth + 1, ']') };
      if (tokens[at] !== ']') throw new Unknown();
      at += 1;
      return { tag: 'mroot', children: [argument(depth), index] };
    }
    if (name === 'mathbb') {
      const set = raw();
      return { tag: 'mi', text: SETS[set] ?? set };
    }
    const accent = ACCENTS[name];
    if (accent !== undefined) return { tag: 'mover', attributes: { accent: 'true' }, children: [argument(depth), { tag: 'mo', text: accent }] };
    if (name === 'pmod') {
      return { tag: 'mrow', children: [space('0.4em'), { tag: 'mo', text: '(' }, { tag: 'mi', text: 'mod' }, space('0.3em'), argument(depth), { tag: 'mo', text: ')' }] };
    }
    if (name === 'left' || name === 'right' || /^[bB]igg?[lr]?$/.test(name)) {
      const fence = tokens[at];
      if (fence === undefined) throw new Unknown();
      at += 1;
      if (fence === '.') return { tag: 'mrow', children: [] };
      const text = fence.startsWith('\\') ? OPERATORS[fence.slice(1)] : fence;
      if (text === undefined) throw new Unknown();
      return { tag: 'mo', text, attributes: { stretchy: 'true', fence: 'true' } };
    }
    if (name === 'displaystyle' || name === 'limits' || name === 'nolimits') return { tag: 'mrow', children: [] };
    throw new Unknown();
  }

  function space(width: string): MathNode {
    return { tag: 'mspace', attributes: { width } };
  }

  /** The text between braces, as it stands. */
  function raw(): string {
    if (tokens[at] !== '{') throw new Unknown();
    let text = '';
    for (at += 1; tokens[at] !== '}'; at += 1) {
      const token = tokens[at];
      if (token === undefined || token === '{') throw new Unknown();
      text += token.startsWith('\\') ? token.slice(1) : token.replace(/\s+/g, '\u00a0');
    }
    at += 1;
    return text;
  }
}
