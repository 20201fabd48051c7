/** @type {import('@sveltejs/vite-plugin-svelte').SvelteConfig} */
export default {
  compilerOptions: {
    runes: true,
    // Elements are made one by one, never by innerHTML: Trusted Types need no exception for the framework.
    fragments: 'tree',
  },
};
