/** The way through the page by keyboard alone, and a phone that falls asleep in the middle of it. */
import type { Browser, Page } from 'playwright-core';
import { account, equal, open, PHONE, registered, signIn, write } from './support.ts';

type Flow = (browser: Browser) => Promise<string[]>;
const RIGHT = 'n, k = map(int, input().split())\nboxes = -(-n // k)\nprint(boxes, boxes * k - n)\n';

/** Presses Tab until it is there. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${selector}`);
}

export const byKeyboard: Flow = async (browser) => {
  const { page, faults } = await open(browser, { locale: 'ko-KR' });
  const learner = await registered('키보드');
  await page.goto('/');
  await page.waitForSelector('input[type=email]');
  await tabTo(page, 'input[type=email]');
  await page.keyboard.type(learner.email);
  await tabTo(page, 'input[type=password]');
  await page.keyboard.type(learner.password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.questions li');
  await tabTo(page, 'input[type=search]');
  await page.keyboard.type('tangerine');
  await page.waitForFunction(() => document.querySelectorAll('.questions li').length === 1);
  await tabTo(page, '.questions a.title');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.cm-content');
  await tabTo(page, '.language select');
  await page.keyboard.type('Python');
  await page.waitForFunction(() => (document.querySelector('.language select') as HTMLSelectElement).value === 'python');
  await tabTo(page, '.editor');
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(RIGHT);
  await page.keyboard.press('Control+Shift+Enter');
  await page.waitForSelector('.head.ok');
  // A screen reader hears what is seen.
  const said = (await page.textContent('[data-testid=said]')) ?? '';
  equal(said.startsWith((await page.innerText('.big')).trim()), true, `whether the verdict is said: ${said}`);
  // Tab writes in the editor; Esc before it leaves.
  equal(await page.evaluate(() => document.activeElement?.matches('.editor')), true, 'whether it is still in the editor');
  await page.keyboard.press('Escape');
  await tabTo(page, '.actions button.primary');
  // Arrows go between tabs; the source opens, and Esc closes it.
  await page.waitForSelector('.review p');
  await tabTo(page, '#tab-result');
  await page.keyboard.press('ArrowRight');
  await page.waitForSelector('#tab-input[aria-selected=true]');
  await page.keyboard.press('ArrowLeft');
  await page.waitForSelector('#tab-result[aria-selected=true]');
  await tabTo(page, '#tab-problem');
  await page.keyboard.press('ArrowRight');
  await page.waitForSelector('#panel-left li');
  await tabTo(page, '#panel-left li > button');
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open] .line');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  await page.context().close();
  return faults;
};

export const sleepingPhone: Flow = async (browser) => {
  const { page, faults } = await open(browser, { viewport: PHONE });
  await signIn(page, account('learner'));
  await page.goto('/questions/tangerine-boxes');
  await page.waitForSelector('.cm-content', { state: 'attached' });
  await page.locator('.switch [role=tab]').nth(1).click();
  await page.locator('.language select').selectOption('python');
  await write(page, `import time\ntime.sleep(0.4)\n${RIGHT}`);
  await page.click('.actions button.primary');
  await page.waitForSelector('button.cell.ok');
  // Nothing of the page runs, and its connection dies under it.
  const debug = await page.context().newCDPSession(page);
  await debug.send('Page.setWebLifecycleState', { state: 'frozen' });
  await page.context().setOffline(true);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await page.context().setOffline(false);
  await debug.send('Page.setWebLifecycleState', { state: 'active' });
  await page.waitForSelector('.head.ok');
  await page.waitForSelector('.review p');
  equal(await page.locator('.cell.ok').count(), 12, 'tests after the sleep');
  await page.context().close();
  return faults;
};
