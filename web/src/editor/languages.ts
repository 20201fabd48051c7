/** What the editor knows of each language, loaded when it is chosen. */
import { indentUnit, StreamLanguage } from '@codemirror/language';
import type { Extension } from '@codemirror/state';

export async function languageSupport(id: string): Promise<Extension> {
  try {
    return [indentUnit.of(id === 'go' ? '\t' : '    '), await load(id)];
  } catch {
    // Without its colours the code can still be written.
    return indentUnit.of('    ');
  }
}

/**
 * CodeMirror's light modes: they colour and indent line by line, and all of them together weigh less than one full grammar.
 */
async function load(id: string): Promise<Extension> {
  switch (id) {
    case 'c':
    case 'cpp':
    case 'java':
    case 'kotlin': {
      const { c, cpp, java, kotlin } = await import('@codemirror/legacy-modes/mode/clike');
      return StreamLanguage.define({ c, cpp, java, kotlin }[id]);
    }
    case 'python':
    case 'pypy':
      return StreamLanguage.define((await import('@codemirror/legacy-modes/mode/python')).python);
    case 'javascript':
    case 'typescript': {
      const { javascript, typescript } = await import('@codemirror/legacy-modes/mode/javascript');
      return StreamLanguage.define({ javascript, typescript }[id]);
    }
    case 'go':
      return StreamLanguage.define((await import('@codemirror/legacy-modes/mode/go')).go);
    case 'rust':
      return StreamLanguage.define((await import('@codemirror/legacy-modes/mode/rust')).rust);
    default:
      return [];
  }
}
