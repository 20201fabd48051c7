/**
 * The code editor: CodeMirror, in a shadow root so that its style sheets are constructed ones (the CSP allows no style
 * elements). Loaded when a question is opened, never before; each language is a file of its own.
 */
import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentLess, insertTab, indentMore } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, nextDiagnostic, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { Compartment, EditorState, Prec, Transaction, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { languageSupport } from './languages.ts';

export interface Mark {
  lineStart: number;
  lineEnd: number;
  /** From 1, where it is known. */
  column?: number | undefined;
  severity: 'error' | 'warning' | 'info' | 'hint';
  message: string;
  source: string;
}

export interface EditorOptions {
  host: HTMLElement;
  text: string;
  language: string;
  label: string;
  /** The id of the text that tells how to leave the editor. */
  readOnly?: boolean;
  change?: (text: string) => void;
  run?: () => void;
  submit?: () => void;
}

export interface Editor {
  text(): string;
  replace(text: string): void;
  language(id: string): Promise<void>;
  mark(marks: Mark[]): void;
  goTo(line: number): void;
  focus(): void;
  label(text: string): void;
  destroy(): void;
}

const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)', backgroundColor: 'var(--surface)', fontSize: 'var(--code-size, 14px)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--text)', padding: '10px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--surface)', color: 'var(--muted)', border: 'none', paddingLeft: '4px' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--hover)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--selection) !important' },
  '.cm-tooltip': { backgroundColor: 'var(--raised)', color: 'var(--text)', border: '1px solid var(--line)', borderRadius: '8px', maxWidth: 'min(36rem, 80vw)', boxShadow: 'var(--shadow)', overflow: 'hidden' },
  '.cm-diagnostic': { padding: '8px 12px', whiteSpace: 'pre-wrap', fontFamily: 'var(--sans)' },
  '.cm-diagnosticSource': { opacity: '1', color: 'var(--muted)' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--bad)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--warn)' },
  '.cm-diagnostic-info, .cm-diagnostic-hint': { borderLeftColor: 'var(--accent)' },
  // The library draws these with data: images, for which the CSP has no room.
  '.cm-lintRange': { backgroundImage: 'none !important', textDecoration: 'underline wavy 1px', textUnderlineOffset: '4px' },
  '.cm-lintRange-error': { textDecorationColor: 'var(--bad)' },
  '.cm-lintRange-warning': { textDecorationColor: 'var(--warn)' },
  '.cm-lintRange-info, .cm-lintRange-hint': { textDecorationColor: 'var(--accent)' },
  '.cm-lint-marker': { width: '0.7em', height: '0.7em', borderRadius: '50%', margin: '0.45em 0.2em', content: '"" !important', boxSizing: 'border-box' },
  '.cm-lint-marker-error': { backgroundColor: 'var(--bad)' },
  '.cm-lint-marker-warning': { backgroundColor: 'var(--warn)', borderRadius: '2px' },
  '.cm-lint-marker-info, .cm-lint-marker-hint': { border: '2px solid var(--accent)' },
  '.cm-lintPoint:after': { borderBottomColor: 'var(--bad)' },
  '.cm-matchingBracket': { backgroundColor: 'var(--selection) !important' },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string), tags.character, tags.regexp], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: 'var(--code-number)' },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: 'var(--code-comment)', fontStyle: 'italic' },
  { tag: [tags.typeName, tags.className, tags.namespace], color: 'var(--code-type)' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.definition(tags.function(tags.variableName))], color: 'var(--code-function)' },
  { tag: [tags.meta, tags.processingInstruction, tags.annotation], color: 'var(--code-meta)' },
]);

export async function mount(options: EditorOptions): Promise<Editor> {
  const { host, text, label, readOnly = false } = options;
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const languageSlot = new Compartment();
  const labelSlot = new Compartment();
  const labelled = (words: string): Extension => EditorView.contentAttributes.of({ 'aria-label': words, tabindex: '0', spellcheck: 'false', autocapitalize: 'off', autocorrect: 'off', translate: 'no' });
  const support = await languageSupport(options.language);
  // Enter while a Korean syllable is being composed belongs to the input method.
  const unlessComposing = (work?: () => void) => (view: EditorView) => {
    if (!work || view.composing) return false;
    work();
    return true;
  };
  const view = new EditorView({
    parent: shadow,
    root: shadow,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        highlightSpecialChars(),
        drawSelection(),
        bracketMatching(),
        lintGutter(),
        look,
        syntaxHighlighting(colours),
        EditorState.tabSize.of(4),
        languageSlot.of(support),
        labelSlot.of(labelled(label)),
        readOnly
          ? [EditorState.readOnly.of(true), EditorView.editable.of(false)]
          : [
              highlightActiveLine(),
              highlightActiveLineGutter(),
              history(),
              indentOnInput(),
              closeBrackets(),
              Prec.highest(
                keymap.of([
                  { key: 'Mod-Enter', run: unlessComposing(options.run) },
                  { key: 'Mod-Shift-Enter', run: unlessComposing(options.submit) },
                ]),
              ),
              keymap.of([
                ...closeBracketsKeymap,
                ...defaultKeymap,
                ...historyKeymap,
                { key: 'F8', run: nextDiagnostic },
                { key: 'Tab', run: (target) => (target.state.selection.main.empty ? softTab(target) : indentMore(target)), shift: indentLess },
              ]),
              EditorView.updateListener.of((update) => {
                if (update.docChanged) options.change?.(update.state.doc.toString());
              }),
            ],
      ],
    }),
  });

  let wanted = options.language;
  return {
    text: () => view.state.doc.toString(),
    replace(next) {
      if (next === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, annotations: Transaction.userEvent.of('input') });
    },
    async language(id) {
      wanted = id;
      const loaded = await languageSupport(id);
      // Another one may have been chosen meanwhile.
      if (wanted === id) view.dispatch({ effects: languageSlot.reconfigure(loaded) });
    },
    mark(marks) {
      view.dispatch(setDiagnostics(view.state, marks.map((mark) => diagnostic(view.state, mark))));
    },
    goTo(number) {
      const line = view.state.doc.line(Math.min(Math.max(number, 1), view.state.doc.lines));
      view.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: 'center' }) });
      view.focus();
    },
    focus: () => view.focus(),
    label(words) {
      view.dispatch({ effects: labelSlot.reconfigure(labelled(words)) });
    },
    destroy: () => view.destroy(),
  };
}

/** Spaces up to the next stop, or a tab where the language has tabs. */
function softTab(view: EditorView): boolean {
  if (view.state.facet(indentUnit) === '\t') return insertTab(view);
  const { head } = view.state.selection.main;
  const column = head - view.state.doc.lineAt(head).from;
  const width = view.state.facet(indentUnit).length;
  view.dispatch(view.state.replaceSelection(' '.repeat(width - (column % width))));
  return true;
}

function diagnostic(state: EditorState, { lineStart, lineEnd, column, severity, message, source }: Mark): Diagnostic {
  const lines = state.doc.lines;
  const first = state.doc.line(Math.min(Math.max(lineStart, 1), lines));
  const last = state.doc.line(Math.min(Math.max(lineEnd, lineStart, 1), lines));
  const from = column === undefined ? first.from + (/^\s*/.exec(first.text)?.[0].length ?? 0) : Math.min(first.from + column - 1, first.to);
  return { from: Math.min(from, last.to), to: last.to, severity, message, source };
}
