import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds the API: `codementor up` on its usual address. */
const api = process.env['CODEMENTOR_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // Everything that the browser loads is a file with a hash in its name: no data URLs, no inline polyfill (the CSP has no room for them).
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Swagger UI, which is loaded by its own page alone.
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { input: ['index.html', 'docs.html'] },
  },
  server: { proxy: { '/api': api, '/.well-known': api } },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
