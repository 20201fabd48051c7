// Lets Node 20 run TypeScript files as they are: `node --import ./scripts/strip.mjs file.ts`.
import { register } from 'node:module';

register('./strip-hooks.mjs', import.meta.url);
