/**
 * What a person does with the console, in a real browser, on the simulator: sees, opens, loses a
 * device, closes, is cut off and comes back. And what an attacker does with that browser.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import type { Browser } from 'playwright-core';
import { startSimulated } from '../harness/daemon.js';
import { display, forklifts, gatewayForThisFile, robot, scanner } from '../harness/gateway.js';
import { hasBrowser, isWellBehaved, launch, PATIENCE_MS, Person, RunningConsole } from './browser.js';

const browserTest = hasBrowser ? test.serial : test.serial.skip;
const gateway = gatewayForThisFile();

let browser: Browser;
test.before(async (t) => {
  t.timeout(2 * PATIENCE_MS);
  if (hasBrowser) browser = await launch();
});
test.after.always(() => browser?.close());

const consoleOf = (...flags: string[]) => RunningConsole.start(gateway().daemon.address, ...flags);

browserTest(
  'one look answers: the host, what is simulated, who is connected, what failed and what to do',
  async (t) => {
    t.timeout(PATIENCE_MS);
    await using console = await consoleOf();
    await gateway().openSession({ deviceAddress: display, sessionId: 'in-the-room' });
    await gateway().open({ deviceAddress: robot, sessionId: 'out-of-reach' }).ended;
    await using person = await Person.sit(browser, console.link);
    await person.sees('ready');
    await person.sees('simulated, no radio');
    await person.sees('Meeting Room Display');
    await person.sees('in-the-room');
    await person.sees('1460 ERROR_TIMEOUT');
    await person.sees(/check that the device is on and in reach of the host/);
    t.false(person.page.url().includes('k='));
    isWellBehaved(t, person);
  },
);

browserTest('an empty host invites, with the next step', async (t) => {
  t.timeout(PATIENCE_MS);
  await using daemon = await freshDaemon();
  await using console = await RunningConsole.start(daemon.address);
  await using person = await Person.sit(browser, console.link);
  await person.sees('No session is open.');
  await person.sees('wfdctl open ADDRESS');
  await person.goes('Sessions');
  await person.sees('No sessions yet.');
  await person.goes('Events');
  await person.sees('No events yet.');
  isWellBehaved(t, person);
});

browserTest('a session is opened, is seen to live, and is closed after a question', async (t) => {
  t.timeout(PATIENCE_MS);
  await using console = await consoleOf('--allow-actions');
  await using person = await Person.sit(browser, console.link);
  const { page } = person;
  await person.goes('Devices');
  const card = page.getByRole('article').filter({ hasText: 'Warehouse Scanner' });
  await card.getByRole('button', { name: 'Open …' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Open', exact: true }).click();
  await page.getByRole('heading', { name: 'Warehouse Scanner open', exact: true }).waitFor();
  await person.sees('OpenSession by anonymous');
  const id = decodeURIComponent(new URL(page.url()).hash.replace('#/sessions/', ''));
  t.is((await gateway().get(id)).deviceAddress, scanner);

  await page.getByRole('button', { name: 'Renew …' }).click();
  await page.getByRole('dialog').getByLabel('Lease').selectOption('1 hour');
  await page.getByRole('button', { name: 'Renew', exact: true }).click();
  await person.sees(/59m \d\ds left/);

  await page.getByRole('button', { name: 'Close …' }).click();
  await page.getByRole('button', { name: 'Back' }).click();
  await page.getByRole('button', { name: 'Close …' }).click();
  await page.getByRole('button', { name: 'Close the session' }).click();
  await page.getByRole('heading', { name: 'Warehouse Scanner closed' }).waitFor();
  await person.sees(/requested, confirmed by device disconnected/);
  isWellBehaved(t, person);
});

browserTest('a pending open is cancelled, and a device is looked for', async (t) => {
  t.timeout(PATIENCE_MS);
  await using console = await consoleOf('--allow-actions');
  await gateway().world.scriptOpen({ deviceAddress: display, delayMs: 'never' });
  const opened = gateway().open({ deviceAddress: display, sessionId: 'never-opens' });
  await opened.event('OPENING');
  await using person = await Person.sit(browser, console.link);
  await person.page.goto(`${console.origin}/#/sessions/never-opens`);
  await person.page.getByRole('button', { name: 'Cancel …' }).click();
  await person.page.getByRole('button', { name: 'Cancel the open' }).click();
  await person.page.getByRole('heading', { name: 'Meeting Room Display cancelled' }).waitFor();
  await person.goes('Devices');
  const card = person.page.getByRole('article').filter({ hasText: 'Delivery Robot' });
  await card.getByRole('button', { name: 'Search', exact: true }).click();
  await person.sees('Not found. Check that it is on and near the host.');
  isWellBehaved(t, person);
});

browserTest('without leave to act there is nothing to act with', async (t) => {
  t.timeout(PATIENCE_MS);
  await using console = await consoleOf();
  await gateway().openSession({ deviceAddress: display, sessionId: 'only-seen' });
  await using person = await Person.sit(browser, console.link);
  await person.page.goto(`${console.origin}/#/sessions/only-seen`);
  await person.page.getByRole('heading', { name: 'Meeting Room Display open' }).waitFor();
  for (const name of ['Close …', 'Renew …']) t.is(await person.page.getByRole('button', { name }).count(), 0);
  isWellBehaved(t, person);
});

browserTest('an error stays in the dialog, in the words of wfdctl', async (t) => {
  t.timeout(PATIENCE_MS);
  await using daemon = await freshDaemon('--set', 'limits.sessionsPerPrincipalMax=1');
  await using console = await RunningConsole.start(daemon.address, '--allow-actions');
  await using person = await Person.sit(browser, console.link);
  await person.page.getByRole('button', { name: 'Open a session' }).click();
  await person.page.getByRole('dialog').getByRole('button', { name: 'Open', exact: true }).click();
  await person.page.getByRole('heading', { name: 'Meeting Room Display open', exact: true }).waitFor();
  await person.goes('Sessions');
  await person.page.getByRole('button', { name: 'Open a session' }).click();
  const dialog = person.page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Open', exact: true }).click();
  await dialog.getByText(/^Limit reached: sessions_per_principal_max of .*; close or stop something/).waitFor();
  // The refused request is what the browser itself logs.
  t.deepEqual(
    person.complaints.filter((text) => !text.includes('409 (Conflict)')),
    [],
  );
});

browserTest('a host that cannot do its work says why, and what to do, until it can again', async (t) => {
  t.timeout(PATIENCE_MS);
  await using console = await consoleOf();
  await using person = await Person.sit(browser, console.link);
  await person.sees('ready');
  await gateway().world.stopService();
  await person.sees(/The host is degraded: WLAN_SERVICE_NOT_RUNNING/);
  await person.sees(/WLAN AutoConfig service \(WlanSvc\) is not running on the host; start it there/);
  await gateway().world.startService();
  await person.sees('ready');
  isWellBehaved(t, person);
});

browserTest('a device that is lost ends its session before the eyes of who watches', async (t) => {
  t.timeout(PATIENCE_MS);
  await using console = await consoleOf();
  await gateway().openSession({ deviceAddress: forklifts[0], sessionId: 'drives-off' });
  await using person = await Person.sit(browser, console.link);
  await person.page.goto(`${console.origin}/#/sessions/drives-off`);
  await person.page.getByRole('heading', { name: 'Forklift Terminal 1 open' }).waitFor();
  await gateway().world.dropLink(forklifts[0]);
  await person.page.getByRole('heading', { name: 'Forklift Terminal 1 closed' }).waitFor();
  await person.sees(/peer disconnected, confirmed by/);
  await person.sees('the link is down');
  isWellBehaved(t, person);
});

browserTest('cut off from the host, the page says since when; it comes back, and has missed nothing', async (t) => {
  t.timeout(2 * PATIENCE_MS);
  const first = await startSimulated('--listen', '127.0.0.1:0');
  const { address } = first;
  await using console = await RunningConsole.start(address);
  await using person = await Person.sit(browser, console.link);
  await person.sees('ready');
  const tiles = person.page.locator('.tiles');
  const before = await tiles.boundingBox();
  await first.kill();
  await person.sees(/Reconnecting since \d\d:\d\d:\d\d, for \d+s\. The page shows the state at that time\./);
  await person.sees('not live');
  t.deepEqual(await tiles.boundingBox(), before, 'nothing moves');
  const second = await startSimulated('--listen', address);
  try {
    await person.page.getByText('live', { exact: true }).waitFor();
    await person.page.getByText(/Reconnecting since/).waitFor({ state: 'detached' });
    const { connect } = await import('../../clients/typescript/src/client.js');
    const client = connect(address);
    const held = client.sessions.hold({ deviceAddress: display, sessionId: 'after-all' });
    await person.sees('after-all');
    await held.close();
    client.close();
  } finally {
    await second.stop();
  }
  isWellBehaved(t, person);
});

browserTest('when wfdctl ends, the page says what to run', async (t) => {
  t.timeout(PATIENCE_MS);
  const console = await consoleOf();
  await using person = await Person.sit(browser, console.link);
  await person.sees('ready');
  await console[Symbol.asyncDispose]();
  await person.sees(/wfdctl does not answer, since/);
  await person.sees(/run wfdctl console again/);
  t.pass();
});

browserTest('the fifth tab takes the place of the first, which says so', async (t) => {
  t.timeout(PATIENCE_MS);
  await using console = await consoleOf();
  await using person = await Person.sit(browser, console.link);
  await person.sees('ready');
  const context = person.page.context();
  for (let tab = 2; tab <= 5; tab += 1) {
    const page = await context.newPage();
    await page.goto(`${console.origin}/#/`);
    await page.getByText('ready', { exact: true }).waitFor();
  }
  await person.sees(/open in four newer tabs/);
  isWellBehaved(t, person);
});

browserTest('keys: search, arrows, Enter, numbers, help', async (t) => {
  t.timeout(PATIENCE_MS);
  await using console = await consoleOf();
  for (const sessionId of ['key-one', 'key-two', 'key-three'])
    await gateway().openSession({ deviceAddress: forklifts[0], sessionId });
  await using person = await Person.sit(browser, console.link);
  const { page } = person;
  await person.sees('key-three');
  await page.keyboard.press('2');
  await page.getByRole('heading', { name: /^Sessions \d+$/ }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('key-');
  await page.getByRole('heading', { name: 'Sessions 3' }).waitFor();
  t.true(page.url().endsWith('#/sessions?q=key-'));
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.waitForURL(/#\/sessions\/key-two$/);
  await page.goBack();
  await page.getByRole('heading', { name: 'Sessions 3' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  isWellBehaved(t, person);
});

const MARKUP = '<img src=x onerror="document.title=1"><b>bold</b>';

browserTest('a device whose name is markup is called so, and is nothing but text', async (t) => {
  t.timeout(PATIENCE_MS);
  await using console = await consoleOf('--allow-actions');
  await gateway().world.updateDevice(display, { name: MARKUP });
  await using person = await Person.sit(browser, console.link);
  await person.sees('ready');
  await gateway().openSession({ deviceAddress: display, sessionId: 'marked-up' });
  for (const view of ['Overview', 'Sessions', 'Devices', 'Events'] as const) {
    await person.goes(view);
    await person.page.getByText(MARKUP).first().waitFor();
  }
  await person.page.goto(`${console.origin}/#/sessions/marked-up`);
  await person.page.getByRole('heading', { name: MARKUP }).waitFor();
  t.is(await person.page.locator('img').count(), 0);
  t.is(await person.page.locator('b', { hasText: /^bold$/ }).count(), 0);
  isWellBehaved(t, person);
});

browserTest('the policy of the page is in force: markup and scripts that got in would not run', async (t) => {
  t.timeout(PATIENCE_MS);
  await using console = await consoleOf();
  await using person = await Person.sit(browser, console.link);
  await person.sees('ready');
  const kept = await person.page.locator('body').evaluate(async ({ ownerDocument: document }) => {
    const said: string[] = [];
    const violated = () =>
      new Promise<string>((resolve) => {
        const violation = ({ effectiveDirective }: { effectiveDirective: string }) => resolve(effectiveDirective);
        document.addEventListener('securitypolicyviolation', violation, { once: true });
      });
    const first = violated();
    try {
      document.createElement('div').innerHTML = '<b>in</b>';
    } catch (error) {
      said.push((error as Error).name);
    }
    said.push(await first);
    const second = violated();
    await fetch('http://127.0.0.1:1/').catch(() => said.push('refused'));
    return [...said, await second];
  });
  t.deepEqual(kept, ['TypeError', 'require-trusted-types-for', 'refused', 'connect-src']);
});

browserTest('a page of another port, in the same browser, neither reads nor asks anything', async (t) => {
  t.timeout(PATIENCE_MS);
  await using console = await consoleOf('--allow-actions');
  await gateway().openSession({ deviceAddress: display, sessionId: 'attacked' });
  await using person = await Person.sit(browser, console.link);
  await person.sees('attacked');
  let cookies = '';
  const attacker = createServer((request, response) => {
    cookies += request.headers.cookie ?? '';
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>attacker</title><form method="post" enctype="text/plain"></form>');
  }).listen(0, '127.0.0.1');
  await once(attacker, 'listening');
  const { port } = attacker.address() as AddressInfo;
  const page = await person.page.context().newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  // Cookies don't know ports: that it gets this one is why it is not enough.
  t.regex(cookies, /^wfdctl-console-/);
  const body = JSON.stringify({ host: gateway().daemon.address, sessionId: 'attacked' });
  const outcomes = await page.evaluate(
    async ({ target, body }) => {
      const tries: RequestInit[] = [
        { method: 'POST', body, credentials: 'include' },
        { method: 'POST', body, credentials: 'include', headers: { 'x-wfdctl-token': 'guessed' } },
        { method: 'POST', body, credentials: 'include', mode: 'no-cors' },
      ];
      const said: string[] = [];
      for (const init of tries)
        said.push(
          await fetch(target, init).then(
            ({ type, status }) => `${type} ${status}`,
            () => 'failed',
          ),
        );
      return said;
    },
    { target: `${console.origin}/api/close`, body },
  );
  t.deepEqual(outcomes, ['failed', 'failed', 'failed']);
  const answered = page.waitForResponse(`${console.origin}/api/close`);
  await page.locator('form').evaluate((form: { action: string; submit(): void }, target) => {
    form.action = target;
    form.submit();
  }, `${console.origin}/api/close`);
  t.is((await answered).status(), 403);
  t.is((await gateway().get('attacked')).endTime, undefined);
  attacker.close();
});

browserTest('a name that is made to resolve to this machine gets no page', async (t) => {
  t.timeout(2 * PATIENCE_MS);
  await using console = await consoleOf();
  const rebound = await launch('--host-resolver-rules=MAP rebound.example 127.0.0.1');
  try {
    const { port, hash } = new URL(console.link);
    await using person = await Person.sit(rebound, `http://rebound.example:${port}/${hash}`);
    await person.sees(/Only requests to .* are answered/);
    t.is(await person.page.locator('script').count(), 0);
  } finally {
    await rebound.close();
  }
});

/** A daemon that nobody has asked for anything. */
async function freshDaemon(...flags: string[]): Promise<{ readonly address: string } & AsyncDisposable> {
  const daemon = await startSimulated(...flags);
  const stop = async (): Promise<void> => void (await daemon.stop());
  return { address: daemon.address, [Symbol.asyncDispose]: stop };
}
