/** The pictures of the README: `CODEMENTOR_UP=…/up.json npm run pictures` writes docs/screenshots anew. */
import { fileURLToPath } from 'node:url';
import { launch } from './browser.ts';
import { account, open, PHONE, signIn, write } from './support.ts';

const picture = (name: string) => fileURLToPath(new URL(`../../docs/screenshots/${name}.png`, import.meta.url));
const browser = await launch();

const { page } = await open(browser, { viewport: { width: 1280, height: 860 } });
await signIn(page, account('learner'));
await page.goto('/questions/rain-chart');
await page.waitForSelector('.cm-content');
await page.selectOption('.language select', 'python');
await write(page, 'days = int(input())\nrain = list(map(int, input().split()))\n\nfor height in range(max(rain), 0, -1):\n    print("".join("#" if amount >= height else "." for amount in rain))\n');
await page.click('.actions button.primary');
await page.waitForSelector('.review .next, .review p');
await page.waitForFunction(() => !document.querySelector('.result .spinner'));
await page.screenshot({ path: picture('submission') });

const { page: list } = await open(browser, { colorScheme: 'dark', locale: 'ko-KR', viewport: { width: 1280, height: 800 } });
await signIn(list, account('learner'), 'ko');
await list.waitForSelector('.questions li');
await list.mouse.move(0, 0);
await list.screenshot({ path: picture('questions') });

const { page: phone } = await open(browser, { viewport: { ...PHONE, width: 360, height: 720 }, deviceScaleFactor: 2, locale: 'ko-KR' });
await signIn(phone, account('learner'), 'ko');
await phone.goto(page.url());
await phone.locator('.switch [role=tab]').nth(2).click();
await phone.waitForSelector('.review p');
await phone.screenshot({ path: picture('phone') });
await browser.close();
