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

async function load(id: string): Promise<Extension> {
  switch (id) {
    case 'c':
    case 'cpp':
      return (await import('@codemirror/lang-cpp')).cpp();
    case 'java':
      return (await import('@codemirror/lang-java')).java();
    case 'python':
    case 'pypy':
      return (await import('@codemirror/lang-python')).python();
    case 'javascript':
    case 'typescript':
      return (await import('@codemirror/lang-javascript')).javascript({ typescript: id === 'typescript' });
    case 'go':
      return (await import('@codemirror/lang-go')).go();
    case 'rust':
      return (await import('@codemirror/lang-rust')).rust();
    case 'kotlin':
      return StreamLanguage.define((await import('@codemirror/legacy-modes/mode/clike')).kotlin);
    default:
      return [];
  }
}
