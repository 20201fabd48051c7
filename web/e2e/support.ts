/** What the browser tests share: the stack's address and people, a browser window, and waiting for what must come. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

interface Up {
  url: string;
  accounts: { role: string; email: string; password: string }[];
  services: Record<string, { url: string }>;
  servers: { database_url: string; kafka_brokers: string; topic_prefix: string };
}

const file = process.env['CODEMENTOR_UP'];
if (!file) throw new Error('CODEMENTOR_UP: the up.json of a running `codementor up`');
export const upFile = file;
export const up = JSON.parse(readFileSync(file, 'utf8')) as Up;

const axeSource = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 320, height: 640 };

export function account(role: string): Up['accounts'][number] {
  const found = up.accounts.find((one) => one.role === role);
  if (!found) throw new Error(`no ${role} in ${file}`);
  return found;
}

export interface Window {
  page: Page;
  /** What must never happen: errors of scripts, refusals of the content policy, dialogs that nobody asked for. */
  faults: string[];
}

export async function open(browser: Browser, options: BrowserContextOptions = {}): Promise<Window> {
  const context = await browser.newContext({ baseURL: up.url, viewport: DESKTOP, locale: 'en-GB', ...options });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  return { page, faults: watch(page) };
}

export function watch(page: Page): string[] {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`script error: ${error.message}`));
  page.on('console', (message) => {
    // Chromium's own editing wraps what is typed over coloured text in a styled span; the policy refuses it, and the editor
    // draws the line anew.
    if (message.text().startsWith('Applying inline style')) return;
    if (/Content Security Policy|TrustedHTML|Trusted Type/i.test(message.text())) faults.push(message.text());
  });
  return faults;
}

export async function signIn(page: Page, who: { email: string; password: string }, locale: 'ko' | 'en' = 'en'): Promise<void> {
  await page.goto('/');
  await page.fill('input[type=email]', who.email);
  await page.fill('input[type=password]', who.password);
  await page.click('form button.primary');
  await page.waitForSelector('.questions');
  const other = page.locator(`header button[lang=${locale}]`);
  if (await other.count()) await other.click();
  await page.waitForFunction((wanted) => document.documentElement.lang === wanted, locale);
}

/** A request of the API, outside the page. */
export async function api<T>(path: string, token: string | null, method = 'GET', body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const response = await fetch(`${up.url}/api/v1${path}`, {
    method,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export async function token(role: string): Promise<string> {
  const { email, password } = account(role);
  return (await api<{ access_token: string }>('/auth/login', null, 'POST', { email, password })).access_token;
}

/** A learner of this name, who can sign in. */
export async function registered(name: string): Promise<{ email: string; password: string }> {
  const who = { email: `flow-${crypto.randomUUID()}@codementor.example`, password: crypto.randomUUID() };
  await api('/auth/register', null, 'POST', { ...who, name });
  return who;
}

export async function write(page: Page, code: string): Promise<void> {
  // On a small screen the code is behind a tab.
  const tab = page.locator('.switch [role=tab]').nth(1);
  if (await tab.isVisible()) await tab.click();
  await page.click('.cm-content');
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(code);
}

/** Axe's findings in the page as it is: none may be there. */
export async function accessible(page: Page, state: string): Promise<void> {
  // Through the debugger: the content policy allows no script of others, and stays on.
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } };
    const { violations } = await axe.run({ resultTypes: ['violations'] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary ?? ''}`).join(' | ')}`);
  });
  if (found.length > 0) throw new Error(`axe, ${state}:\n  ${found.join('\n  ')}`);
}

export async function narrow(page: Page, state: string): Promise<void> {
  const { width, inner } = await page.evaluate(() => ({ width: document.documentElement.scrollWidth, inner: window.innerWidth }));
  if (width > inner) throw new Error(`${state} is ${width} px wide on a screen of ${inner}`);
}

export function equal(got: unknown, wanted: unknown, what: string): void {
  if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`${what}: ${JSON.stringify(got)} and not ${JSON.stringify(wanted)}`);
}
