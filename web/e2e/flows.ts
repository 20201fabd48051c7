/** The flows that must work, each by the name of what it shows. Real stack, real browser. */
import type { Browser, Page } from 'playwright-core';
import { Parser } from '../src/live/sse.ts';
import { manages, ownAccount } from './accounts.ts';
import { gateway } from './gateway.ts';
import { byKeyboard, sleepingPhone } from './keyboard.ts';
import { keepsDrafts, stages, tellsStatus, written } from './learning.ts';
import { looksAfterQuestions } from './teaching.ts';
import { accessible, account, api, DESKTOP, equal, narrow, open, PHONE, registered, signIn, token, up, watch, write } from './support.ts';

type Flow = (browser: Browser) => Promise<string[]>;
const RIGHT = 'n, k = map(int, input().split())\nboxes = -(-n // k)\nprint(boxes, boxes * k - n)\n';
const WRONG = 'n, k = map(int, input().split())\nprint(n // k, 0)\n';
const SLOW = 'import time\ntime.sleep(0.4)\n' + RIGHT;
const VERDICT = { ko: '맞았습니다', en: 'Accepted' };

/** From the list to an accepted submission with its review. */
function submits(locale: 'ko' | 'en', viewport: { width: number; height: number }): Flow {
  return async (browser) => {
    const { page, faults } = await open(browser, { viewport, colorScheme: locale === 'ko' ? 'dark' : 'light' });
    await page.goto('/');
    await page.waitForSelector('input[type=email]');
    await accessible(page, 'sign in');
    await page.goto('/register');
    await page.waitForSelector('#password-hint');
    await accessible(page, 'register');
    await signIn(page, account('learner'), locale);
    await accessible(page, 'list');
    await narrow(page, 'the list');
    await page.fill('input[type=search]', 'tangerine');
    await page.waitForFunction(() => document.querySelectorAll('.questions li').length === 1);
    await page.click('.questions .title');
    await page.waitForSelector('.statement');
    await page.waitForSelector('math');
    await narrow(page, 'the question');
    await page.waitForSelector('.cm-content', { state: 'attached' });
    await accessible(page, 'question');
    await write(page, WRONG);
    await accessible(page, 'code');
    // By keyboard alone: run the samples, then submit.
    await page.keyboard.press('Control+Enter');
    await page.waitForSelector('.output .verdict.bad');
    await narrow(page, 'the result of a run');
    await accessible(page, 'run');
    await write(page, WRONG);
    await page.keyboard.press('Control+Shift+Enter');
    await page.waitForSelector('.review');
    await page.waitForSelector('.difference');
    await narrow(page, 'a wrong answer');
    await accessible(page, 'wrong answer');
    await write(page, RIGHT);
    await page.keyboard.press('Control+Shift+Enter');
    await page.waitForSelector('.head.ok');
    await page.waitForSelector('.review .next, .review p');
    equal((await page.innerText('.big')).trim(), VERDICT[locale], 'the verdict');
    const said = (await page.textContent('[data-testid=said]')) ?? '';
    if (!said.startsWith(VERDICT[locale])) throw new Error(`a screen reader hears ${said}`);
    await narrow(page, 'an accepted submission');
    await accessible(page, 'accepted');
    const history = viewport.width < 900 ? page.locator('.switch [role=tab]').nth(3) : page.locator('#tab-history');
    await history.click();
    await page.waitForSelector('.panel li.current');
    await accessible(page, 'history');
    await page.click('.panel li.current > button');
    await page.waitForSelector('dialog .line');
    await accessible(page, 'source');
    if (!(await page.innerText('dialog pre')).includes('boxes * k - n')) throw new Error('the source is not the one that was sent');
    await page.context().close();
    return faults;
  };
}

const compilerMessages: Flow = async (browser) => {
  const { page, faults } = await open(browser);
  await signIn(page, account('learner'));
  await page.goto('/questions/tangerine-boxes');
  await page.waitForSelector('.cm-content');
  await page.selectOption('.language select', 'cpp');
  await write(page, '#include <iostream>\nint main() {\n    std::cout << missing;\n}\n');
  await page.click('.actions button.primary');
  await page.waitForSelector('.head.bad');
  await page.waitForSelector('.cm-lint-marker-error');
  await page.waitForSelector('.review');
  await accessible(page, 'compile error');
  await page.click('button.log');
  const line = await page.evaluate(() => document.querySelector('.editor')?.shadowRoot?.querySelector('.cm-activeLine')?.textContent);
  equal(line, '    std::cout << missing;', 'the line that the message leads to');
  await page.context().close();
  return faults;
};

const reload: Flow = async (browser) => {
  const { page, faults } = await open(browser);
  await signIn(page, account('learner'));
  await page.goto('/questions/tangerine-boxes');
  await page.waitForSelector('.cm-content');
  await page.selectOption('.language select', 'python');
  await write(page, SLOW);
  await page.click('.actions button.primary');
  await page.waitForSelector('.cell.ok');
  const address = page.url();
  // A second tab, and the first one loaded anew in the middle.
  const second = await page.context().newPage();
  const faultsOfSecond = watch(second);
  await Promise.all([second.goto(address), page.reload()]);
  const whole = async (tab: typeof page) => {
    await tab.waitForSelector('.head.ok');
    // The last that the review says.
    await tab.waitForSelector('.review .next');
    return tab.evaluate(() => [...document.querySelectorAll('.result .facts span, .result .cell, .review')].map((part) => part.matches('.cell') ? part.getAttribute('aria-label') : part.textContent?.trim()));
  };
  const [one, other] = [await whole(page), await whole(second)];
  equal(one, other, 'the two tabs');
  equal(one.filter((text) => text?.includes('Test ')).length, 12, 'tests shown');
  // The draft is there, too.
  const draft = await page.evaluate(() => document.querySelector('.editor')?.shadowRoot?.querySelector('.cm-content')?.textContent);
  if (!draft?.includes('time.sleep(0.4)')) throw new Error(`the draft after a reload: ${draft}`);
  await page.context().close();
  return [...faults, ...faultsOfSecond];
};

const cutConnection: Flow = async (browser) => {
  const { page, faults } = await open(browser);
  await signIn(page, account('learner'));
  await page.goto('/questions/tangerine-boxes');
  await page.waitForSelector('.cm-content');
  await write(page, SLOW);
  await page.click('.actions button.primary');
  await page.waitForSelector('.cell.ok');
  await page.context().setOffline(true);
  await page.waitForTimeout(1500);
  await page.context().setOffline(false);
  await page.waitForSelector('.head.ok');
  equal(await page.locator('.cell.ok').count(), 12, 'tests after the cut');
  await page.context().close();
  return faults;
};

const killedGateway: Flow = async (browser) => {
  const second = await gateway();
  try {
    await second.start();
    const { page, faults } = await open(browser, { baseURL: second.url });
    await signIn(page, account('learner'));
    await page.goto('/questions/tangerine-boxes');
    await page.waitForSelector('.cm-content');
    await page.selectOption('.language select', 'python');
    // Which event each opening of the stream asks to go on after.
    const after: (string | null)[] = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/events')) after.push(request.headers()['last-event-id'] ?? null);
    });
    // Killed in the middle of the stream.
    await write(page, SLOW);
    await page.click('.actions button.primary');
    await page.waitForSelector('.cell.ok');
    await second.kill();
    const seen = await page.locator('button.cell').count();
    if (seen >= 12) throw new Error(`the gateway was killed too late: ${seen} tests had come`);
    await page.waitForSelector('.head [role=status]');
    await accessible(page, 'cut off');
    await second.start();
    await page.waitForSelector('.head.ok');
    await page.waitForSelector('.review .next');
    if (!after.some((id) => id !== null && /^1\.1\.\d+$/.test(id))) throw new Error(`it did not go on behind a test: ${JSON.stringify(after)}`);
    equal(after.slice(1).includes(null), false, 'whether it began anew');
    const id = new URL(page.url()).searchParams.get('submission') ?? '';
    equal(await shown(page), await told(id), 'what is on the page, and what was told in all');
    // Away when the code is sent: it is sent once.
    await second.kill();
    await write(page, RIGHT);
    await page.click('.actions button.primary');
    await page.waitForRequest((request) => request.method() === 'POST' && request.url().endsWith('/submissions'));
    await second.start();
    await page.waitForURL((url) => ![null, id].includes(url.searchParams.get('submission')));
    await page.waitForSelector('.head.ok');
    const { items } = await api<{ items: { id: string }[] }>('/submissions?limit=2', await token('learner'));
    equal(items.map((item) => item.id), [new URL(page.url()).searchParams.get('submission'), id], 'the last two submissions');
    await page.context().close();
    return faults;
  } finally {
    await second.kill();
  }
};

/** The tests and the words of the review that the page shows. */
async function shown(page: Page): Promise<string[]> {
  const cells = await page.locator('button.cell').evaluateAll((all) => all.map((cell) => cell.getAttribute('aria-label') ?? ''));
  return [...cells, ...(await page.locator('.findings li > p:last-child').allInnerTexts()), await page.innerText('.review > p:not(.small):not(.next)')];
}

/** The same from the stream's beginning, of a gateway that was never killed. */
async function told(submission: string): Promise<string[]> {
  const response = await fetch(`${up.url}/api/v1/submissions/${submission}/events`, { headers: { authorization: `Bearer ${await token('learner')}`, accept: 'text/event-stream' } });
  const { messages } = new Parser().push(await response.text());
  const data = (event: string) => messages.filter((message) => message.event === event).map((message) => JSON.parse(message.data) as Record<string, string | number>);
  return [
    ...data('test').map(({ index }) => `Test ${index}: Accepted`),
    ...data('review.finding').map(({ message }) => String(message)),
    ...data('review.done').map(({ summary }) => String(summary)),
  ];
}

const expiredSignIn: Flow = async (browser) => {
  const { page, faults } = await open(browser);
  await signIn(page, account('learner'));
  await page.goto('/questions/tangerine-boxes');
  await page.waitForSelector('.cm-content');
  await write(page, RIGHT);
  // Both ends of it: the cookie goes, and the token is refused.
  await page.context().clearCookies();
  let refuse = true;
  await page.route('**/api/v1/submissions', (route) => (refuse ? route.fulfill({ status: 401, contentType: 'application/problem+json', body: '{"type":"x/unauthenticated","status":401}' }) : route.continue()));
  await page.click('.actions button.primary');
  await page.waitForSelector('dialog[open] input[type=password]');
  await accessible(page, 'signed out in mid-work');
  // Not now: nothing is sent, and nothing is gone.
  await page.click('dialog button.quiet');
  await page.waitForSelector('.below [role=alert]');
  equal((await written(page)).trim(), RIGHT.trim(), 'what was written');
  await accessible(page, 'not signed in again');
  await page.click('.actions button.primary');
  await page.waitForSelector('dialog[open] input[type=password]');
  refuse = false;
  await page.fill('dialog input[type=password]', account('learner').password);
  await page.click('dialog button.primary');
  await page.waitForSelector('.head.ok');
  await page.context().close();
  return faults;
};

/** What would run, were any of it taken for HTML. */
const EVIL = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>"\'><svg onload=window.ran=1>';

/** The stream as the stack sends it, but each free word of the review is hostile, as a language model's may be. */
async function hostileReview(page: Page): Promise<void> {
  await page.route('**/events', async (route) => {
    const response = await route.fetch();
    const text = await response.text();
    const body = text.replace(/^(event: review\.\w+\n(?:id: .*\n)?data: )(.*)$/gm, (_, before: string, data: string) => {
      const evil = { message: EVIL, summary: EVIL, next_step: EVIL, model: EVIL, complexity: { time: EVIL, space: EVIL } };
      const told = JSON.parse(data) as Record<string, unknown>;
      if (before.includes('review.started')) told['reviewer'] = 'openai';
      return `${before}${JSON.stringify({ ...told, ...evil })}`;
    });
    await route.fulfill({ response, body });
  });
}

async function harmless(page: Page, faults: string[], where: string): Promise<void> {
  if (await page.evaluate(() => (window as { ran?: number }).ran)) faults.push(`${where}: hostile text ran`);
  if (await page.locator('main img, main script, header img, header script, [onerror], [onload], [onclick], a[href^="javascript:"]').count()) faults.push(`${where}: hostile text became elements`);
}

const hostile: Flow = async (browser) => {
  const teacher = await token('teacher');
  const slug = `hostile-${Date.now()}`;
  const statement = `${EVIL}\n\n[x](javascript:window.ran=1) $\\href{javascript:window.ran=1}{x}$ <a href="javascript:window.ran=1" onclick="window.ran=1">y</a>\n\n\`\`\`\n${EVIL}\n\`\`\``;
  await api('/questions', teacher, 'POST', {
    slug,
    kind: 'stdio',
    titles: { en: EVIL.slice(0, 100), ko: EVIL.slice(0, 100) },
    statements: { en: statement, ko: statement },
    difficulty: 1,
    tags: ['hostile'],
    tests: [{ name: '1', input: `${EVIL}\n`, output: `${EVIL}\n`, sample: true }],
  });
  const etag = (await fetch(`${up.url}/api/v1/questions/${slug}`, { headers: { authorization: `Bearer ${teacher}` } })).headers.get('etag') ?? '*';
  await api(`/questions/${slug}/publish?unverified=true`, teacher, 'POST', undefined, { 'if-match': etag });
  const { page, faults } = await open(browser);
  page.on('dialog', (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await hostileReview(page);
  await signIn(page, await registered(EVIL));
  equal((await page.innerText('header .who')).trim(), EVIL, 'the name');
  await page.goto(`/questions/${slug}`);
  await page.waitForSelector('.cm-content');
  await page.selectOption('.language select', 'python');
  await write(page, `import sys\nprint(${JSON.stringify(EVIL)} + "!")\nprint(${JSON.stringify(EVIL)}, file=sys.stderr)\n`);
  await page.click('.actions button:not(.primary)');
  await page.waitForSelector('.output');
  await harmless(page, faults, 'a run');
  await page.click('.actions button.primary');
  await page.waitForSelector('.review .next');
  equal(await page.locator('.review').getByText(EVIL).count() >= 5, true, 'whether the review is shown as it was written');
  await harmless(page, faults, 'a review');
  await page.hover('.cm-lint-marker');
  await page.waitForSelector('.cm-tooltip .cm-diagnostic');
  equal((await page.locator('.cm-diagnostic').allInnerTexts()).some((text) => text.includes(EVIL)), true, 'whether the editor shows the remark');
  await harmless(page, faults, 'a remark in the editor');
  await page.click('#tab-history');
  await page.click('#panel-left li > button');
  await page.waitForSelector('dialog .line');
  await harmless(page, faults, 'the history');
  await page.goto('/submissions');
  await page.waitForSelector('.frame li');
  await harmless(page, faults, 'the submissions');
  await page.goto('/?tag=hostile');
  await page.waitForSelector('.questions li');
  await harmless(page, faults, 'the list');
  await page.unrouteAll({ behavior: 'wait' });
  await page.context().close();

  // The teacher sees who submitted.
  const { page: desk, faults: faultsOfTeacher } = await open(browser);
  await signIn(desk, account('teacher'));
  await desk.goto('/submissions');
  await desk.waitForSelector('.frame li');
  equal((await desk.innerText('.frame')).includes(EVIL), true, 'whether the learner’s name is shown');
  await harmless(desk, faultsOfTeacher, 'the learners’ submissions');
  await desk.goto('/teach');
  await desk.waitForSelector('table');
  await harmless(desk, faultsOfTeacher, 'the teacher’s list');
  await desk.goto(`/teach/${slug}`);
  await desk.waitForSelector('td code');
  await harmless(desk, faultsOfTeacher, 'the question being edited');
  await desk.context().close();
  return [...faults, ...faultsOfTeacher];
};

/** Axe in what the other flows do not pass through. */
function accessibleElsewhere(locale: 'ko' | 'en', viewport: { width: number; height: number }): Flow {
  return async (browser) => {
    const { page, faults } = await open(browser, { viewport, locale: locale === 'ko' ? 'ko-KR' : 'en-GB', colorScheme: locale === 'ko' ? 'light' : 'dark' });
    const check = async (state: string) => {
      await narrow(page, state);
      await accessible(page, state);
    };
    const small = viewport.width < 900;
    const pane = async (at: number) => {
      if (small) await page.locator('.switch [role=tab]').nth(at).click();
    };
    await page.goto('/reset');
    await page.waitForSelector('#password-hint');
    await check('a new password');
    await page.fill('input[autocomplete=one-time-code]', 'none-such');
    await page.fill('input[type=password]', 'long-enough-1');
    await page.click('form button.primary');
    await page.waitForSelector('[role=alert]');
    await check('a code that is refused');
    await page.goto('/nowhere/at/all');
    await page.waitForSelector('main h1');
    await check('an address without a page');
    await page.goto('/');
    await page.fill('input[type=email]', account('learner').email);
    await page.fill('input[type=password]', 'not the password');
    await page.click('form button.primary');
    await page.waitForSelector('[role=alert]');
    await check('a wrong password');

    await signIn(page, await registered('새 학생'), locale);
    await page.goto('/submissions');
    await page.waitForSelector('.frame .none');
    await check('no submissions');
    await page.goto('/?query=nothing-is-called-this&difficulty=9');
    await page.waitForSelector('p.card');
    await check('nothing found');
    await page.goto('/?tag=math');
    await page.waitForSelector('.tag.chosen');
    await check('a tag chosen');
    await page.route('**/api/v1/questions?*', (route) => route.abort());
    await page.fill('input[type=search]', 'x');
    await page.waitForSelector('[role=alert]');
    await check('no answer');
    await page.unroute('**/api/v1/questions?*');
    await page.goto('/questions/none-such');
    await page.waitForSelector('main [role=alert]');
    await check('no such question');

    await page.goto('/questions/tangerine-boxes');
    await page.waitForSelector('.cm-content', { state: 'attached' });
    await page.waitForSelector('.actions button:not([disabled])', { state: 'attached' });
    await pane(3);
    if (!small) await page.click('#tab-history');
    await page.waitForSelector('.panel .none');
    await check('no history');
    await write(page, `#${'x'.repeat(64 * 1024)}`);
    await page.waitForSelector('.actions [role=alert]');
    await check('too much code');
    await write(page, 'import sys\nprint("on the way", file=sys.stderr)\nsys.exit(3)\n');
    await pane(2);
    await page.click('#tab-input');
    await check('own input');
    await page.click('.own button');
    await page.waitForSelector('.output');
    await check('a run on own input that failed');
    // Long enough to be looked at while it runs.
    await write(page, SLOW.replace('0.4', '1.2'));
    await page.click('.actions button.primary');
    await page.waitForSelector('button.cell.ok');
    await check('being judged');
    await page.click('.head button.quiet');
    await page.waitForSelector('.head.warn');
    await check('called off');
    await write(page, 'import sys\nprint("before the end", file=sys.stderr)\nsys.exit(3)\n');
    await page.click('.actions button.primary');
    await page.waitForSelector('.review');
    await page.locator('button.cell').last().click();
    await check('a hidden test that failed');
    await page.goto('/submissions');
    await page.waitForSelector('.frame li');
    await check('submissions');
    await page.locator('.frame li > button').first().click();
    await page.waitForSelector('dialog .line');
    await check('a source among all submissions');
    await page.context().close();

    const { page: desk, faults: faultsOfTeacher } = await open(browser, { viewport, colorScheme: locale === 'ko' ? 'light' : 'dark' });
    await signIn(desk, account('teacher'), locale);
    await desk.goto('/teach?status=archived');
    await desk.waitForSelector('main .card');
    await narrow(desk, 'no questions of this state');
    await accessible(desk, 'no questions of this state');
    await desk.goto('/teach/new');
    await desk.waitForSelector('#basics');
    await desk.locator('#judging').locator('xpath=..').locator('select').first().selectOption('program');
    await desk.locator('section[aria-labelledby=groups] button').last().click();
    await desk.locator('section[aria-labelledby=languages] select').selectOption('python');
    await desk.locator('section[aria-labelledby=languages] button').last().click();
    await desk.locator('section[aria-labelledby=solutions] button').last().click();
    await narrow(desk, 'a checker, a group, a language and a solution');
    await accessible(desk, 'a checker, a group, a language and a solution');
    await desk.click('.tools button.primary');
    await desk.waitForSelector('[role=alert]');
    await narrow(desk, 'a draft that is refused');
    await accessible(desk, 'a draft that is refused');
    await desk.context().close();
    return [...faults, ...faultsOfTeacher];
  };
}

const teaches: Flow = async (browser) => {
  const { page, faults } = await open(browser);
  await signIn(page, account('teacher'));
  await page.click('nav a[href="/teach"]');
  await page.waitForSelector('table');
  await accessible(page, 'teacher’s list');
  await page.click('a[href="/teach/new"]');
  await page.waitForSelector('#basics');
  await accessible(page, 'new question');
  const slug = `doubled-${Date.now()}`;
  const field = (name: string) => page.getByLabel(name, { exact: false }).first();
  await field('Title, Korean').fill('두 배');
  await field('Title, English').fill('Doubled');
  await field('Name in addresses').fill(slug);
  await field('Tags').fill('math');
  await field('Statement, Korean').fill('$n$의 두 배를 출력하세요.');
  await field('Statement, English').fill('Print twice $n$.');
  await page.click('.tools button.primary');
  await page.waitForURL(`**/teach/${slug}`);
  for (const [name, input, output, sample] of [['1', '2\n', '4\n', true], ['2', '5\n', '10\n', false]] as const) {
    const form = page.locator('form.sub');
    await form.getByLabel('Name').fill(name);
    await form.locator('textarea').first().fill(input);
    await form.locator('textarea').last().fill(output);
    if (sample) await form.getByLabel('Sample').check();
    await form.locator('button').click();
    await page.waitForSelector(`td code:text-is("${name}")`);
  }
  await field('Difficulty').fill('2');
  await page.click('.tools button.primary');
  await page.waitForSelector('.tools [role=status]:has-text("Saved.")');
  await accessible(page, 'question being edited');
  const solutions = page.locator('section[aria-labelledby=solutions]');
  for (const code of ['print(2 * int(input()))', 'print(4)']) {
    await solutions.getByRole('button', { name: 'Add a solution' }).click();
    await solutions.locator('fieldset').last().locator('textarea').fill(code);
  }
  const verify = page.locator('.tools button:has-text("Verify")');
  const proof = (said: string) => page.waitForSelector(`section[aria-labelledby=proof] [role=status]:has-text("${said}")`);
  await verify.click();
  await proof('Not every solution');
  await page.waitForSelector('section[aria-labelledby=proof] tr:has-text("not as expected")');
  await accessible(page, 'a draft that is not proven');
  await page.click('.tools button:has-text("Publish")');
  await page.waitForSelector('.notice.warn button:has-text("Publish without verification")');
  await solutions.locator('fieldset').last().locator('select').last().selectOption('WA');
  await proof('has been changed since');
  await verify.click();
  await proof('Every solution got the verdict');
  await accessible(page, 'a draft that is proven');
  await page.click('.tools button:has-text("Publish")');
  await page.waitForSelector('.tools [role=status]:has-text("Published as version 1")');
  await page.setViewportSize(PHONE);
  await narrow(page, 'the editor of a question');
  await page.setViewportSize(DESKTOP);
  await page.click('.tools a');
  await page.waitForSelector('.statement math');
  await page.context().close();
  return faults;
};

/** The description of the API: read, opened, and tried out by its own button. */
const describes: Flow = async (browser) => {
  const { page, faults } = await open(browser);
  const others: string[] = [];
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol !== 'data:' && origin !== up.url) others.push(request.url());
  });
  await page.goto('/api/docs');
  const languages = page.locator('.opblock', { has: page.locator('[data-path="/api/v1/languages"]') });
  await languages.locator('.opblock-summary').click();
  await languages.locator('.try-out button').click();
  await languages.locator('button.execute').click();
  await languages.locator('.live-responses-table .response-col_status:has-text("200")').waitFor();
  equal(others, [], 'what is asked of others');
  await page.context().close();
  return faults;
};

export const FLOWS: Record<string, Flow> = {
  'submits in Korean on a phone': submits('ko', PHONE),
  'submits in English on a desktop': submits('en', DESKTOP),
  'shows each stage as it comes': stages,
  'keeps drafts, runs on own input, and gives back what was sent': keepsDrafts,
  'tells what was tried and solved': tellsStatus,
  'shows compiler messages at their lines': compilerMessages,
  'resumes after a reload, and two tabs show the same': reload,
  'goes on after a cut connection': cutConnection,
  'goes on after a phone has slept': sleepingPhone,
  'can be used by keyboard alone': byKeyboard,
  'loses no word when the gateway is killed': killedGateway,
  'loses nothing when the sign-in ends': expiredSignIn,
  'runs nothing of hostile content': hostile,
  'is accessible elsewhere, too, in Korean on a phone': accessibleElsewhere('ko', PHONE),
  'is accessible elsewhere, too, in English on a desktop': accessibleElsewhere('en', DESKTOP),
  'lets a teacher write, test, verify and publish a question': teaches,
  'lets a teacher look after questions': looksAfterQuestions,
  'describes its API, and loads nothing from elsewhere for it': describes,
  'changes the own account, and makes a token': ownAccount,
  'lets an admin look after accounts': manages,
};
