/** The flows of a teacher beyond writing a question: tests by file and by ZIP, and what is done to a whole question. */
import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { accessible, account, api, equal, narrow, open, PHONE, signIn, token, up } from './support.ts';
import { zip } from './zip.ts';

type Flow = (browser: Browser) => Promise<string[]>;

/** Tests as files and as a ZIP; one of them changed; the whole copied, archived, brought back, taken away, deleted, read again. */
export const looksAfterQuestions: Flow = async (browser) => {
  const slug = `kept-${Date.now()}`;
  await api('/questions', await token('teacher'), 'POST', {
    slug,
    kind: 'stdio',
    titles: { ko: '보살핌', en: 'Looked after' },
    statements: { ko: '그대로 출력하세요.', en: 'Print it.' },
    difficulty: 1,
    tests: [],
  });
  const { page, faults } = await open(browser);
  page.on('dialog', (dialog) => void dialog.accept());
  await signIn(page, account('teacher'));
  await page.goto(`/teach/${slug}`);
  await page.waitForSelector('section[aria-labelledby=more] li');

  const file = (name: string, text: string) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(text) });
  const form = page.locator('form.sub');
  await form.getByLabel('Name').fill('by-file');
  await form.locator('input[type=file]').first().setInputFiles(file('1.in', 'one\n'));
  await form.locator('input[type=file]').last().setInputFiles(file('1.ans', 'one\n'));
  await form.locator('button').click();
  await page.waitForSelector('td code:text-is("by-file")');
  const archive = zip({ '01.in': 'a\n', '01.ans': 'a\n', '02.in': 'b\n', '02.ans': 'b\n' });
  await page.locator('input[accept*=zip]').setInputFiles({ name: 'tests.zip', mimeType: 'application/zip', buffer: archive });
  await page.waitForSelector('td code:text-is("02")');
  equal(await page.locator('td code').allInnerTexts(), ['01', '02'], 'the tests of the ZIP file');
  await page.click('[aria-label="Change 01"]');
  await page.waitForFunction(() => document.activeElement instanceof HTMLInputElement && document.activeElement.value === '01');
  await form.locator('textarea').last().fill('something else\n');
  await form.getByLabel('Sample').check();
  await form.locator('button').click();
  await page.waitForSelector('tr:has(code:text-is("01")) td:text-is("✓")');
  equal((await api<{ output: string }>(`/questions/${slug}/tests/01`, await token('teacher'))).output, 'something else\n', 'the test that was changed');

  const more = page.locator('section[aria-labelledby=more]');
  const does = (name: string) => more.getByRole('button', { name }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), does('Download as a package')]);
  equal(download.suggestedFilename(), `${slug}.zip`, 'the name of the package');
  const taken = readFileSync(await download.path());
  await does('Archive');
  await page.waitForSelector('.tools [role=status]:has-text("Archived")');
  await accessible(page, 'an archived question');
  await does('Bring back');
  await page.waitForSelector('.tools [role=status]:has-text("It is back")');
  await more.getByText('brought back').waitFor();
  await does('Make a copy');
  await page.waitForURL((url) => url.pathname.startsWith('/teach/') && !url.pathname.endsWith(slug));
  await page.waitForSelector('td code:text-is("02")');
  const copy = new URL(page.url()).pathname.split('/').pop() ?? '';

  // What is not saved is not left by chance: not by a link, not by going back, not by an ended sign-in.
  page.removeAllListeners('dialog');
  let asked = 0;
  page.on('dialog', (dialog) => {
    asked += 1;
    void dialog.dismiss();
  });
  await page.getByLabel('Title, English').fill('Not saved yet');
  await page.click('nav a[href="/teach"]');
  await page.goBack();
  await page.waitForFunction((wanted) => location.pathname === wanted, `/teach/${copy}`);
  equal(asked, 2, 'how often it was asked');
  equal(await page.getByLabel('Title, English').inputValue(), 'Not saved yet', 'what was written');
  await page.context().clearCookies();
  let refuse = true;
  await page.route(`**/api/v1/questions/${copy}`, (route) => (refuse ? route.fulfill({ status: 401, contentType: 'application/problem+json', body: '{"type":"x/unauthenticated","status":401}' }) : route.continue()));
  await page.click('.tools button.primary');
  await page.waitForSelector('dialog[open] input[type=password]');
  refuse = false;
  await page.fill('dialog input[type=password]', account('teacher').password);
  await page.click('dialog button.primary');
  await page.waitForSelector('.tools [role=status]:has-text("Saved.")');
  equal((await api<{ title: string }>(`/questions/${copy}`, await token('teacher'), 'GET', undefined, { 'accept-language': 'en' })).title, 'Not saved yet', 'the title that was saved');

  page.removeAllListeners('dialog');
  page.on('dialog', (dialog) => void dialog.accept());
  await does('Delete the draft');
  await page.waitForURL('**/teach');
  equal((await fetch(`${up.url}/api/v1/questions/${copy}`, { headers: { authorization: `Bearer ${await token('teacher')}` } })).status, 404, 'the draft that was deleted');

  // A package becomes a question; what is none is refused.
  await page.locator('input[accept*=zip]').setInputFiles({ name: 'none.zip', mimeType: 'application/zip', buffer: Buffer.from('no zip') });
  await page.waitForSelector('[role=alert]');
  await accessible(page, 'a package that is refused');
  await page.locator('input[accept*=zip]').setInputFiles({ name: 'taken.zip', mimeType: 'application/zip', buffer: taken });
  await page.waitForSelector('[role=alert]:has-text("Another question has this slug")');
  const original = await fetch(`${up.url}/api/v1/questions/${slug}`, { headers: { authorization: `Bearer ${await token('teacher')}` } });
  await api(`/questions/${slug}`, await token('teacher'), 'DELETE', undefined, { 'if-match': original.headers.get('etag') ?? '' });
  await page.locator('input[accept*=zip]').setInputFiles({ name: 'taken.zip', mimeType: 'application/zip', buffer: taken });
  await page.waitForSelector('.notice a[href^="/teach/"]');
  await accessible(page, 'a package that was read');
  await page.setViewportSize(PHONE);
  await narrow(page, 'a package that was read');
  await page.context().close();
  return faults;
};
