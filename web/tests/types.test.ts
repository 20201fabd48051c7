import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { SCHEMA, schema } from '../scripts/types.ts';

it('the types are those of openapi.json (`npm run types` writes them anew)', async () => {
  expect(await readFile(SCHEMA, 'utf8')).toBe(await schema());
}, 30_000);
