/** Where the page is. Links are real links; this only keeps the browser from loading everything anew. */
const state = $state({ path: location.pathname, search: location.search });
let guard: (() => boolean) | null = null;

export const router = {
  get path(): string {
    return state.path;
  },
  get query(): URLSearchParams {
    return new URLSearchParams(state.search);
  },
  go(to: string): void {
    if (guard && !guard()) return;
    guard = null;
    history.pushState(null, '', to);
    read();
    window.scrollTo(0, 0);
  },
  /** Changes the address of the place where we are. */
  amend(change: Record<string, string | null>): void {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(change)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    history.replaceState(null, '', url);
    read();
  },
  /** Asked before the place is left. */
  guard(ask: (() => boolean) | null): void {
    guard = ask;
  },
};

function read(): void {
  state.path = location.pathname;
  state.search = location.search;
}

window.addEventListener('popstate', () => {
  if (guard && !guard()) {
    // The browser has gone back already: stay by going where we are.
    history.pushState(null, '', state.path + state.search);
    return;
  }
  guard = null;
  read();
});
document.addEventListener('click', (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link || link.origin !== location.origin || link.target || link.hasAttribute('download') || link.getAttribute('href')?.startsWith('#')) return;
  event.preventDefault();
  router.go(link.pathname + link.search);
});
