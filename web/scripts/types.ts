/** Writes src/api/schema.ts from the project's openapi.json; a test compares the two. */
import { readFile, writeFile } from 'node:fs/promises';
import openapi, { astToString } from 'openapi-typescript';

export const SCHEMA = new URL('../src/api/schema.ts', import.meta.url);
const OPENAPI = new URL('../../openapi.json', import.meta.url);

/** What schema.ts has to hold. */
export async function schema(): Promise<string> {
  const document = JSON.parse(await readFile(OPENAPI, 'utf8')) as { paths: object };
  // The page's requests are few and written out; what it needs are the shapes of what goes to and fro.
  const types = astToString(await openapi(JSON.stringify({ ...document, paths: {} }), { alphabetize: true }));
  return `// Made by \`npm run types\` from openapi.json: not to be changed by hand.\n\n${types}`;
}

if (process.argv[1]?.endsWith('types.ts')) {
  await writeFile(SCHEMA, await schema());
}
