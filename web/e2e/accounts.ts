/** The flows around accounts: one's own, its API tokens, and those that an admin looks after. */
import type { Browser, Page } from 'playwright-core';
import { accessible, account, api, DESKTOP, equal, narrow, open, PHONE, registered, signIn, token, up } from './support.ts';

type Flow = (browser: Browser) => Promise<string[]>;

/** Answers the questions that the page asks before what cannot be undone. */
function agree(page: Page): void {
  page.on('dialog', (dialog) => void dialog.accept());
}

async function status(url: string, bearer: string): Promise<number> {
  return (await fetch(`${up.url}/api/v1${url}`, { headers: { authorization: `Bearer ${bearer}` } })).status;
}

export const ownAccount: Flow = async (browser) => {
  const who = await registered('First name');
  const { page, faults } = await open(browser, { viewport: PHONE, locale: 'ko-KR', colorScheme: 'dark' });
  agree(page);
  await signIn(page, who, 'ko');
  await page.click('header a[href="/account"]');
  await page.waitForSelector('#tokens');
  await page.waitForSelector('section[aria-labelledby=tokens] > p.muted');
  await narrow(page, 'the own account');
  await accessible(page, 'own account');

  const profile = page.locator('section[aria-labelledby=profile]');
  await profile.locator('input').fill('Second name');
  await profile.locator('select').selectOption('en');
  await profile.locator('button').click();
  await page.waitForSelector('section[aria-labelledby=profile] [role=status]:has-text("Saved.")');
  equal(await page.evaluate(() => document.documentElement.lang), 'en', 'the language of the page');
  equal(await page.getAttribute('header a[href="/account"]', 'aria-label'), 'Your account: Second name', 'the name in the header');

  const password = page.locator('section[aria-labelledby=password]');
  const next = crypto.randomUUID();
  await password.locator('input[type=password]').first().fill('not the password');
  await password.locator('input[type=password]').last().fill(next);
  await password.locator('button').click();
  await page.waitForSelector('section[aria-labelledby=password] [role=alert]');
  await accessible(page, 'a password so far that is wrong');
  await password.locator('input[type=password]').first().fill(who.password);
  await password.locator('button').click();
  await page.waitForSelector('section[aria-labelledby=password] [role=status]:has-text("The password is changed.")');
  await api('/auth/login', null, 'POST', { email: who.email, password: next });

  // A token is shown once, and good until it is revoked.
  const tokens = page.locator('section[aria-labelledby=tokens]');
  await tokens.locator('form input').first().fill('my <b>editor</b>');
  await tokens.locator('form button').click();
  const shown = page.locator('section[aria-labelledby=tokens] .secret pre');
  const secret = (await shown.innerText()).trim();
  equal(/^cm_pat_\w/.test(secret), true, 'whether it is a token');
  equal(await status('/me', secret), 200, 'what the token gets');
  await page.waitForSelector('section[aria-labelledby=tokens] th[scope=row]:text-is("my <b>editor</b>")');
  await narrow(page, 'a token that was made');
  await accessible(page, 'a token that was made');
  await page.reload();
  await page.waitForSelector('section[aria-labelledby=tokens] tbody tr');
  equal((await page.content()).includes(secret), false, 'whether it is shown again');
  await page.click('section[aria-labelledby=tokens] tbody button');
  await page.waitForSelector('section[aria-labelledby=tokens] > p.muted');
  equal(await status('/me', secret), 401, 'what the revoked token gets');
  await page.context().close();
  return faults;
};

export const manages: Flow = async (browser) => {
  const learner = await registered(`Managed ${Date.now()}`);
  const { page, faults } = await open(browser);
  agree(page);
  await signIn(page, account('admin'));
  await page.click('nav a[href="/accounts"]');
  await page.waitForSelector('table tbody tr');
  await accessible(page, 'accounts');
  await page.setViewportSize(PHONE);
  await narrow(page, 'the accounts');
  await accessible(page, 'accounts on a phone');
  await page.setViewportSize(DESKTOP);
  await page.fill('input[type=search]', learner.email);
  await page.waitForFunction(() => document.querySelectorAll('table tbody tr').length === 1);
  equal(new URL(page.url()).searchParams.get('query'), learner.email, 'what is searched stands in the address');

  await page.selectOption('table select', 'teacher');
  await page.waitForSelector('[role=status]:has-text("Saved.")');
  const { access_token } = await api<{ access_token: string }>('/auth/login', null, 'POST', learner);
  equal((await api<{ role: string }>('/me', access_token)).role, 'teacher', 'the role');

  // A code, and with it a password.
  await page.click('table button:has-text("One-time code")');
  const code = (await page.innerText('.secret pre')).trim();
  await accessible(page, 'a one-time code');
  const { page: other, faults: faultsOfOther } = await open(browser, { viewport: PHONE });
  await other.goto('/reset');
  await other.fill('input[autocomplete=one-time-code]', code);
  const next = crypto.randomUUID();
  await other.fill('input[type=password]', next);
  await other.click('form button.primary');
  await other.waitForSelector('nav a[href="/teach"]');

  // Suspended: signed out at once, and not let in.
  await page.click('table button:has-text("Suspend")');
  await page.waitForSelector('table .verdict.bad');
  await accessible(page, 'a suspended account');
  await other.reload();
  await other.fill('input[type=email]', learner.email);
  await other.fill('input[type=password]', next);
  await other.click('form button.primary');
  await other.waitForSelector('[role=alert]');
  await page.click('table button:has-text("Let back in")');
  await page.waitForSelector('table button:has-text("Suspend")');
  await other.click('form button.primary');
  await other.waitForSelector('.questions');
  await other.context().close();

  // Many at once, and what is wrong with a list.
  const list = page.locator('section[aria-labelledby=import]');
  await list.locator('textarea').fill('email,name\nnot an address,Kim\n');
  await list.locator('button').click();
  await page.waitForSelector('section[aria-labelledby=import] [role=alert]');
  await accessible(page, 'a list that is refused');
  const email = `flow-${crypto.randomUUID()}@codementor.example`;
  await list.locator('textarea').fill(`email,name\n${email},새 학생\n${learner.email},There\n`);
  await list.locator('button').first().click();
  await page.waitForSelector('section[aria-labelledby=import] .secret pre');
  equal((await page.innerText('section[aria-labelledby=import] .secret pre')).startsWith(`${email},`), true, 'the code of the new account');
  equal((await page.innerText('section[aria-labelledby=import] .notice')).includes('1 had an account already'), true, 'whether the other is told of');
  await accessible(page, 'accounts that were made');
  await page.context().close();

  // The last admin stays one, and nobody else sees the page.
  const { page: learners, faults: faultsOfLearner } = await open(browser);
  await signIn(learners, account('learner'));
  equal(await learners.locator('nav a[href="/accounts"]').count(), 0, 'ways to the accounts for a learner');
  await learners.goto('/accounts');
  await learners.waitForSelector('main h1');
  equal(await learners.locator('table').count(), 0, 'accounts that a learner sees');
  await learners.context().close();
  equal(await status('/accounts', await token('learner')), 403, 'what a learner gets');
  return [...faults, ...faultsOfOther, ...faultsOfLearner];
};
