/**
 * The statement of a question: the only HTML that the page takes from anywhere. The server has sanitised it; here it is parsed
 * without being run and rebuilt, element by element, from a short list of tags and attributes. No other module makes HTML.
 */
import { tex, type MathNode } from './tex.ts';

const TAGS = new Set(
  'a abbr b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i kbd li ol p pre q s samp small span strong sub summary sup table tbody td th thead tr u ul var'.split(' '),
);
const MATHML = 'http://www.w3.org/1998/Math/MathML';

interface Policy {
  createHTML(html: string): unknown;
}
type Factory = { createPolicy(name: string, rules: { createHTML: (html: string) => string }): Policy };

const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
const policy: Policy = factory?.createPolicy('codementor-statement', { createHTML: (html) => html }) ?? { createHTML: (html) => html };

/** What can be put into the page. */
export function statement(html: string): DocumentFragment {
  // Inert: a document without a window runs nothing and loads nothing.
  const parsed = new DOMParser().parseFromString(policy.createHTML(html) as string, 'text/html');
  const fragment = document.createDocumentFragment();
  rebuild(parsed.body, fragment);
  return fragment;
}

function rebuild(from: Node, into: Node): void {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) {
      into.appendChild(document.createTextNode(node.nodeValue ?? ''));
    } else if (node instanceof Element || node.nodeType === Node.ELEMENT_NODE) {
      element(node as Element, into);
    }
  }
}

function element(from: Element, into: Node): void {
  const tag = from.localName;
  if (!TAGS.has(tag)) {
    if (tag !== 'script' && tag !== 'style') rebuild(from, into);
    return;
  }
  if (tag === 'span' && from.classList.contains('math')) {
    into.appendChild(maths(from.textContent ?? '', from.classList.contains('math-display')));
    return;
  }
  // The page has an h1 of its own above.
  const made = document.createElement(tag === 'h1' ? 'h2' : tag);
  if (tag === 'a') {
    const href = from.getAttribute('href') ?? '';
    if (/^(https?:|mailto:)/i.test(href)) {
      made.setAttribute('href', href);
      made.setAttribute('rel', 'noopener noreferrer nofollow');
      made.setAttribute('target', '_blank');
    }
  }
  const start = from.getAttribute('start');
  if (tag === 'ol' && start && /^\d{1,6}$/.test(start)) made.setAttribute('start', start);
  rebuild(from, made);
  if (tag === 'table' || tag === 'pre') {
    // Wide content scrolls by itself, by keyboard too.
    const frame = document.createElement('div');
    frame.className = 'wide';
    frame.tabIndex = 0;
    frame.setAttribute('role', 'group');
    frame.appendChild(made);
    into.appendChild(frame);
    return;
  }
  into.appendChild(made);
}

function maths(source: string, display: boolean): Element {
  const tree = tex(source);
  if (!tree) {
    const code = document.createElement('code');
    code.textContent = source;
    return code;
  }
  const math = document.createElementNS(MATHML, 'math');
  math.setAttribute('display', display ? 'block' : 'inline');
  math.appendChild(build(tree));
  return math;
}

function build(node: MathNode): Element {
  const made = document.createElementNS(MATHML, node.tag);
  for (const [name, value] of Object.entries(node.attributes ?? {})) made.setAttribute(name, value);
  if (node.text !== undefined) made.textContent = node.text;
  for (const child of node.children ?? []) made.appendChild(build(child));
  return made;
}
