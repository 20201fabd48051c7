/** What scrolls by itself can be reached and scrolled by keyboard. */
export function scrollable(node: HTMLElement): void {
  node.tabIndex = 0;
}
