/**
 * Debian's Chromium as the tests drive it: `wfdctl console` on a gateway, and a page of it that a
 * person sits before.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { type Running, start } from '../clients/ctl-run.js';
import type { Lack } from '../windows/machine.js';

const executablePath = process.env['WFD_CHROMIUM'] ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);

/** What is lacking of it, as `machine.ts` has it for the rest. */
export const lackingBrowser: readonly Lack[] = isThere
  ? []
  : [{ what: 'Chromium, for the tests of the console', remedy: 'apt-get install chromium' }];

export const hasBrowser = isThere;

/** Nothing that a browser does by itself: no sandbox where tests run as root, no calls home. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** Chromium starts slowly on a busy machine. */
export const PATIENCE_MS = 60_000;

export async function launch(...flags: string[]): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), 'wfdctl-chromium-'));
  const browser = await chromium.launch({
    executablePath,
    args: [...FLAGS, ...flags],
    timeout: PATIENCE_MS,
    env: { ...process.env, HOME: folder },
  });
  browser.on('disconnected', () => rmSync(folder, { recursive: true, force: true }));
  return browser;
}

/** `wfdctl console`, and its link. */
export class RunningConsole implements AsyncDisposable {
  readonly link: string;
  readonly origin: string;
  readonly #running: Running;

  private constructor(link: string, running: Running) {
    this.link = link;
    this.origin = new URL(link).origin;
    this.#running = running;
  }

  static async start(address: string, ...flags: string[]): Promise<RunningConsole> {
    const argv = ['console', '--no-browser', '--address', address, ...flags];
    const running = start(argv, { environment: { WFDCTL_CONFIG: '/nobody/none.yaml' } });
    const failed = running.ended.then(({ stderr }) => Promise.reject(new Error(stderr)));
    failed.catch(() => {});
    const found = await Promise.race([running.stdout.says(/^(http:\/\/\S+)$/m), failed]);
    return new RunningConsole(found[1] ?? '', running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running.pressCtrlC();
    await this.#running.ended;
  }
}

export interface Look {
  readonly width?: 1280 | 390;
  readonly theme?: 'dark' | 'light';
}

/** A window of its own: another person, another cookie jar. What the page complains of is kept. */
export class Person implements AsyncDisposable {
  readonly page: Page;
  /** Errors of scripts, and what the content security policy kept from happening. */
  readonly complaints: string[] = [];
  readonly #context: BrowserContext;

  private constructor(page: Page, context: BrowserContext) {
    this.page = page;
    this.#context = context;
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  static async sit(browser: Browser, url: string, { width = 1280, theme = 'light' }: Look = {}): Promise<Person> {
    const viewport = { width, height: width === 390 ? 844 : 860 };
    const context = await browser.newContext({ viewport, colorScheme: theme, locale: 'en-GB' });
    context.setDefaultTimeout(PATIENCE_MS / 2);
    const page = await context.newPage();
    const person = new Person(page, context);
    await page.goto(url);
    return person;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }

  /** Waits until this text is to be seen. */
  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  async goes(view: 'Overview' | 'Sessions' | 'Devices' | 'Events'): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view }).click();
  }
}

/** What a page must never do, whatever else a test asks of it. */
export function isWellBehaved(t: ExecutionContext, { complaints }: Person): void {
  t.deepEqual(complaints, []);
}
