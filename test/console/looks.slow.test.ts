/**
 * How the console looks: each view at two widths in two themes, with nothing serious for axe-core
 * to find, nothing cut off, and a screenshot of each in `dist/console-screenshots/` to look at.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'ava';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { display, forklifts, gatewayForThisFile, printer, robot, scanner } from '../harness/gateway.js';
import { hasBrowser, isWellBehaved, type Look, launch, PATIENCE_MS, Person, RunningConsole } from './browser.js';

const browserTest = hasBrowser ? test.serial : test.serial.skip;
const gateway = gatewayForThisFile();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = new URL('../../console-screenshots/', import.meta.url);
mkdirSync(folder, { recursive: true });

let browser: Browser;
test.before(async (t) => {
  t.timeout(2 * PATIENCE_MS);
  if (hasBrowser) browser = await launch();
});
test.after.always(() => browser?.close());

/**
 * What is wrong with the view, by the rules of WCAG that axe-core knows and that keep somebody from
 * using it.
 */
async function faultsOf(page: Page): Promise<string[]> {
  const { violations } = (await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  )) as AxeResults;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

const WHOLE = '.number, time, button, h1, h2, dt, dd, .state, .badge, nav a';

/**
 * What does not fit and may not be cut: all but ids, names and causes, which end in an ellipsis.
 */
async function cutOff(page: Page): Promise<string[]> {
  const isWide = await page.locator('html').evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth);
  const cut = await page
    .locator(WHOLE)
    .evaluateAll((elements) =>
      elements
        .filter(({ scrollWidth, clientWidth }) => clientWidth > 0 && scrollWidth > clientWidth + 1)
        .map(({ outerHTML }) => outerHTML.slice(0, 120)),
    );
  return [...(isWide ? ['the page is wider than the window'] : []), ...cut];
}

const VIEWS: readonly (readonly [name: string, hash: string])[] = [
  ['overview', '#/'],
  ['sessions', '#/sessions'],
  ['nothing-found', '#/sessions?q=nothing-like-it'],
  ['session-open', '#/sessions/scanner-at-gate-7'],
  ['session-failed', '#/sessions/robot-out-of-reach'],
  ['session-unknown', '#/sessions/long-forgotten'],
  ['devices', '#/devices'],
  ['device', `#/devices/${encodeURIComponent(scanner)}`],
  ['events', '#/events'],
];

const looks: readonly Look[] = [
  { width: 1280, theme: 'light' },
  { width: 1280, theme: 'dark' },
  { width: 390, theme: 'light' },
  { width: 390, theme: 'dark' },
];

for (const look of looks) {
  browserTest(`at ${look.width} px, ${look.theme}, each view can be used by everybody and fits`, async (t) => {
    t.timeout(4 * PATIENCE_MS);
    const suffix = `${look.width}-${look.theme}`;
    await gateway().openSession({ deviceAddress: display, sessionId: `display-${suffix}` });
    await gateway().openSession({ deviceAddress: forklifts[0], leaseTtl: { seconds: 600n, nanos: 0 } });
    // The name of a session is kept for a while after its end.
    const hashes = VIEWS.map(
      ([name, hash]) => [name, /scanner-at|robot-out/.test(hash) ? `${hash}-${suffix}` : hash] as const,
    );
    await gateway().openSession({ deviceAddress: scanner, sessionId: `scanner-at-gate-7-${suffix}` });
    await gateway().open({ deviceAddress: robot, sessionId: `robot-out-of-reach-${suffix}` }).ended;
    await gateway().open({ deviceAddress: printer }).ended;
    await using console = await RunningConsole.start(gateway().daemon.address, '--allow-actions');
    await using person = await Person.sit(browser, console.link, look);
    await person.sees('ready');
    const { page } = person;
    for (const [name, hash] of hashes) {
      await page.goto(`${console.origin}/${hash}`);
      await page.locator('h1').first().waitFor();
      await page.waitForTimeout(250);
      await page.screenshot({ path: new URL(`${name}-${suffix}.png`, folder).pathname });
      t.deepEqual(await cutOff(page), [], name);
      await page.evaluate(axe);
      t.deepEqual(await faultsOf(page), [], name);
    }
    await page.goto(`${console.origin}/#/sessions/scanner-at-gate-7-${suffix}`);
    await page.getByRole('button', { name: 'Close …' }).click();
    await page.screenshot({ path: new URL(`dialog-${suffix}.png`, folder).pathname });
    t.deepEqual(await faultsOf(page), [], 'a dialog');
    await page.getByRole('button', { name: 'Back' }).click();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    t.deepEqual(await faultsOf(page), [], 'the help');
    isWellBehaved(t, person);
  });
}
