/** The flows of a learner beside submitting: each stage as it comes, starters and drafts, own input, what the list remembers. */
import type { Browser, Page } from 'playwright-core';
import { accessible, account, api, equal, narrow, open, PHONE, registered, signIn, token, up, write } from './support.ts';
import { event, wire } from './wire.ts';

type Flow = (browser: Browser) => Promise<string[]>;
const QUESTION = '/questions/tangerine-boxes';

/** The text in the editor. */
export async function written(page: Page): Promise<string> {
  return page.evaluate(() => [...(document.querySelector('.editor')?.shadowRoot?.querySelectorAll('.cm-line') ?? [])].map((line) => line.textContent ?? '').join('\n'));
}

/** Waits until the editor holds this. */
async function holds(page: Page, part: string): Promise<void> {
  await page.waitForFunction((wanted) => document.querySelector('.editor')?.shadowRoot?.querySelector('.cm-content')?.textContent?.includes(wanted), part);
}

/** Every stage of a submission, event by event, in Korean on a phone, with an attempt that was lost on the way. */
export const stages: Flow = async (browser) => {
  const { id } = await api<{ id: string }>('/submissions', await token('learner'), 'POST', { question: 'tangerine-boxes', language: 'python', code: 'a = 1\nb = 2\nprint(a)\n' });
  const address = await wire(up.url, id);
  try {
    const { page, faults } = await open(browser, { viewport: PHONE, baseURL: address.url, locale: 'ko-KR', colorScheme: 'dark' });
    await signIn(page, account('learner'), 'ko');
    await page.goto(`${QUESTION}?submission=${id}`);
    await page.locator('.switch [role=tab]').nth(2).click();
    const stream = await address.stream();
    const says = async (words: string) => {
      await page.waitForSelector(`.head .big:has-text("${words}")`);
      await narrow(page, words);
      await accessible(page, words);
    };
    const heard = (words: string) => page.waitForSelector(`[data-testid=said]:has-text("${words}")`, { state: 'attached' });
    const test = (key: string, index: number, more: object) => event('test', key, { index, name: String(index), verdict: 'AC', time_ms: 12, wall_ms: 30, memory_kib: 9000, ...more });
    stream.write(event('accepted', '1.0.1', { submission: id, question: id, version: 1, language: 'python', accepted_at: new Date().toISOString() }));
    await says('접수됨');
    // Without an id: it is not replayed.
    stream.write('event: queued\ndata: {"position":7}\n\n');
    await says('대기 순서 7번째');
    stream.write('event: queued\ndata: {"position":1}\n\n');
    await says('다음 차례입니다');
    stream.write(event('judging', '1.1.1', { attempt: 1, tests: 3 }));
    await says('컴파일 중');
    await heard('컴파일 중');
    stream.write(event('compiled', '1.1.2', { ok: true, cached: false, time_ms: 40, log: '' }));
    await says('테스트 3개 중 1번째');
    stream.write(test('1.1.3', 1, {}));
    await page.waitForSelector('button.cell');
    await says('테스트 3개 중 2번째');
    // The judge was lost: another one begins anew, and its list with it.
    stream.write(event('judging', '1.2.1', { attempt: 2, tests: 3 }));
    await says('컴파일 중');
    equal(await page.locator('button.cell').count(), 0, 'tests of the attempt that was lost');
    stream.write(event('compiled', '1.2.2', { ok: true, cached: true, time_ms: 0, log: '' }));
    stream.write(test('1.2.3', 1, {}));
    stream.write(test('1.2.4', 2, { verdict: 'WA', exit_code: 0, input: '1 2\n', expected: '1\n', output: '2\n', stderr: '', difference: { line: 1, column: 1, expected: '1', got: '2' } }));
    stream.write(test('1.2.5', 3, { verdict: 'TLE', limit: { kind: 'cpu', value: 1000 } }));
    await page.waitForSelector('.difference');
    stream.write(event('verdict', '1.2.6', { verdict: 'WA', score: 1, max_score: 3, passed: 1, total: 3, time_ms: 1000, memory_kib: 9000 }));
    await heard('틀렸습니다');
    stream.write(event('review.started', '1.3.1', { reviewer: 'builtin' }));
    await page.waitForSelector('.head .spinner');
    await accessible(page, 'being reviewed');
    stream.write(event('review.finding', '1.3.2', { line_start: 2, line_end: 2, kind: 'readability', severity: 'actionable', message: '쓰지 않는 변수입니다.' }));
    await page.waitForSelector('.findings li');
    stream.write(event('review.done', '1.3.3', { summary: '끝까지 살펴봤습니다.', findings: 1 }));
    stream.write(event('done', '1.3.4', {}));
    stream.end();
    await heard('끝까지 살펴봤습니다.');
    await page.waitForFunction(() => !document.querySelector('.result .spinner'));
    await narrow(page, 'a verdict with its review');
    await accessible(page, 'a verdict with its review');
    // The remark stands at its line, and leads there.
    await page.click('.findings button');
    await page.waitForSelector('.cm-lint-marker');
    const line = await page.evaluate(() => document.querySelector('.editor')?.shadowRoot?.querySelector('.cm-activeLine')?.textContent);
    equal(line, 'b = 2', 'the line that the remark leads to');
    const [marker, number] = [await page.locator('.cm-lint-marker').boundingBox(), await page.locator('.cm-lineNumbers .cm-gutterElement:text-is("2")').boundingBox()];
    equal(Math.abs((marker?.y ?? 0) - (number?.y ?? 99)) < 12, true, 'whether the remark stands at line 2');
    await page.context().close();
    return faults;
  } finally {
    address.close();
  }
};

export const keepsDrafts: Flow = async (browser) => {
  const learner = await registered('Draft keeper');
  const { page, faults } = await open(browser);
  page.on('dialog', (dialog) => void dialog.accept());
  await signIn(page, learner);
  await page.goto(QUESTION);
  await page.waitForSelector('.cm-content');
  const language = page.locator('.language select');
  await language.selectOption('python');
  await holds(page, '# Work out both numbers here.');
  await write(page, 'n, k = map(int, input().split())\nprint(n * k, "mine")\n');
  await language.selectOption('cpp');
  await holds(page, '#include <iostream>');
  await write(page, '// also mine\n');
  // A slow line: what is written before the starter has come stays.
  let come = () => {};
  const coming = new Promise<void>((resolve) => (come = resolve));
  await page.route('**/languages/java/starter', async (route) => {
    await coming;
    await route.continue();
  });
  await language.selectOption('java');
  await write(page, '// before it came\n');
  const starter = page.waitForResponse('**/languages/java/starter');
  come();
  await (await starter).finished();
  await language.selectOption('python');
  await holds(page, '"mine"');
  await language.selectOption('java');
  await holds(page, '// before it came');
  await language.selectOption('python');
  await holds(page, '"mine"');
  await page.reload();
  await page.waitForSelector('.cm-content');
  await holds(page, '"mine"');

  await page.click('#tab-input');
  await page.fill('.own textarea', '6 7\n');
  await page.click('.own button');
  await page.waitForSelector('.output pre:has-text("42 mine")');
  await accessible(page, 'a run on own input');

  await page.click('.actions button.primary');
  await page.waitForSelector('.head.bad');
  await write(page, 'n, k = map(int, input().split())\nboxes = -(-n // k)\nprint(boxes, boxes * k - n)\n');
  await page.click('.actions button.primary');
  await page.waitForSelector('.head.ok');

  // What was sent first is in the history, and comes back into the editor.
  await page.goto(QUESTION);
  await page.waitForSelector('.cm-content');
  await page.click('#tab-history');
  await page.waitForFunction(() => document.querySelectorAll('#panel-left li').length === 2);
  await page.locator('#panel-left li > button').last().click();
  await page.click('dialog button.primary');
  await holds(page, '"mine"');
  await page.click('section.code .bar button.quiet');
  await holds(page, '# Work out both numbers here.');

  // Signing out in another tab ends this one, too; what was written is there after the next sign-in.
  await write(page, 'print("kept over a sign-out")\n');
  const other = await page.context().newPage();
  await other.goto('/');
  await other.waitForSelector('.questions');
  await other.click('header .end > button:last-child');
  await page.waitForSelector('main input[type=password]');
  await page.fill('input[type=email]', learner.email);
  await page.fill('input[type=password]', learner.password);
  await page.click('form button.primary');
  await page.waitForSelector('.cm-content');
  await holds(page, 'kept over a sign-out');
  await page.context().close();
  return faults;
};

/** The list says how far one has come with each question, as the API tells it. */
export const tellsStatus: Flow = async (browser) => {
  const { page, faults } = await open(browser, { colorScheme: 'dark' });
  const far = ['solved', 'attempted'];
  await page.route('**/api/v1/questions?*', async (route) => {
    const response = await route.fetch();
    const list = (await response.json()) as { items: object[] };
    await route.fulfill({ response, json: { ...list, items: list.items.map((item, at) => ({ ...item, my_status: far[at] ?? 'none' })) } });
  });
  await signIn(page, account('learner'));
  equal((await page.locator('.questions .state').allInnerTexts()).slice(0, 3), ['Solved', 'Tried', 'Not tried'], 'the status of the first three');
  await accessible(page, 'solved and tried questions');
  await page.setViewportSize(PHONE);
  await narrow(page, 'solved and tried questions');
  await accessible(page, 'solved and tried questions on a phone');
  const asked = page.waitForRequest((request) => request.url().endsWith('/api/v1/questions?status=solved'));
  await page.locator('.filters select').last().selectOption('solved');
  await asked;
  // An answer that is still being made up would miss its page.
  await page.unrouteAll({ behavior: 'wait' });
  await page.context().close();
  return faults;
};
