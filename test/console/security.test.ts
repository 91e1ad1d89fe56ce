/**
 * Who is let in to the console, and who is not: each test has everything right but the one thing
 * that it is about.
 */
import test from 'ava';
import { Admission } from '../../clients/ctl/src/console/admission.js';
import { SessionState } from '../../clients/typescript/src/client.js';
import { display, gatewayForThisFile } from '../harness/gateway.js';
import { RunningConsole } from './browser.js';
import { type Asked, ask, type Credentials, enter, exchange } from './requests.js';

const gateway = gatewayForThisFile();

interface Entered extends AsyncDisposable {
  readonly origin: string;
  readonly credentials: Credentials;
  /** Whether the session is still open. */
  isKept(): Promise<boolean>;
  /** Closes the session, with these headers instead of the right ones. */
  close(instead?: Asked['headers'], path?: string): Promise<number>;
}

let count = 0;

/** A console whose page is let in, and a session that only it may close. */
async function enteredConsole(...flags: string[]): Promise<Entered> {
  count += 1;
  const sessionId = `kept-${count}`;
  await gateway().openSession({ deviceAddress: display, sessionId });
  const console = await RunningConsole.start(gateway().daemon.address, ...flags);
  const credentials = await enter(console.link);
  const { origin } = console;
  const body = JSON.stringify({ host: gateway().daemon.address, sessionId });
  return {
    origin,
    credentials,
    close: async (instead = {}, path = '/api/close') =>
      (await ask(origin, { path, headers: { ...credentials, ...instead }, body })).status,
    isKept: async () => (await gateway().get(sessionId)).state === SessionState.OPEN,
    [Symbol.asyncDispose]: () => console[Symbol.asyncDispose](),
  };
}

test.serial('the page that was let in may close a session', async (t) => {
  await using console = await enteredConsole('--allow-actions');
  t.true(await console.isKept());
  t.is(await console.close(), 200);
  t.false(await console.isKept());
});

test.serial('a name that was made to resolve to this machine is not answered, not even with the page', async (t) => {
  await using console = await enteredConsole('--allow-actions');
  const { port } = new URL(console.origin);
  for (const host of [`evil.example:${port}`, `localhost:${port}`, '127.0.0.1', `127.0.0.1:${port}.evil.example`]) {
    t.is(await console.close({ host }), 421, host);
    t.is((await ask(console.origin, { method: 'GET', headers: { host } })).status, 421, host);
  }
  t.true(await console.isKept());
});

test.serial('another site, or another port of this machine, may not ask', async (t) => {
  await using console = await enteredConsole('--allow-actions');
  for (const origin of ['https://evil.example', 'http://127.0.0.1:1', 'null', undefined]) {
    t.is(await console.close({ origin }), 403, origin);
  }
  for (const site of ['cross-site', 'same-site', 'none'])
    t.is(await console.close({ 'sec-fetch-site': site }), 403, site);
  t.true(await console.isKept());
});

test.serial('what a form can send is not enough', async (t) => {
  await using console = await enteredConsole('--allow-actions');
  t.is(await console.close({ 'x-wfdctl-token': undefined }), 403);
  t.is(await console.close({ 'content-type': 'text/plain' }), 415);
  t.true(await console.isKept());
});

test.serial('the cookie without the token, and the token without the cookie, open nothing', async (t) => {
  await using console = await enteredConsole('--allow-actions');
  for (const path of ['/api/close', '/api/watch']) {
    t.is(await console.close({ 'x-wfdctl-token': 'guessed' }, path), 401);
    t.is(await console.close({ cookie: undefined }, path), 401);
    t.is(await console.close({ cookie: console.credentials.cookie.replace(/=.*/, '=guessed') }, path), 401);
  }
  t.true(await console.isKept());
});

test.serial('nothing is done unless the console was told to allow it', async (t) => {
  await using console = await enteredConsole();
  for (const action of ['open', 'close', 'cancel', 'renew', 'look'])
    t.is(await console.close({}, `/api/${action}`), 403, action);
  t.true(await console.isKept());
});

test.serial('the key lets in once', async (t) => {
  await using console = await RunningConsole.start(gateway().daemon.address);
  const key = new URL(console.link).hash.replace('#k=', '');
  t.is((await exchange(console.origin, key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a'))).status, 401);
  const first = await exchange(console.origin, key);
  t.is(first.status, 200);
  t.regex(first.headers['set-cookie']?.[0] ?? '', /^wfdctl-console-\d+=[\w-]{32}; HttpOnly; SameSite=Strict; Path=\/$/);
  const second = await exchange(console.origin, key);
  t.is(second.status, 401);
  t.is(second.headers['set-cookie'], undefined);
  t.regex(second.body, /was already used or has expired\. Run wfdctl console again/);
});

test('the key lets in for a minute, and no longer', (t) => {
  let nowMs = 0;
  const admission = new Admission(1, 60_000, () => nowMs);
  const key = admission.link.replace(/.*#k=/, '');
  nowMs = 60_001;
  t.like(admission.admit(key), { status: 401 });
  nowMs = 60_000;
  t.true('token' in admission.admit(key));
});

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

test.serial('each answer, whatever it is, says what a browser may load and who may read it', async (t) => {
  await using console = await enteredConsole();
  const asked: readonly Asked[] = [
    { method: 'GET' },
    { method: 'GET', path: '/nothing' },
    { method: 'GET', headers: { host: 'evil.example' } },
    { method: 'OPTIONS', headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' } },
    { path: '/api/close', headers: console.credentials, body: '{}' },
    { path: '/api/watch' },
  ];
  for (const each of asked) {
    const { headers } = await ask(console.origin, each);
    t.is(headers['content-security-policy'], POLICY);
    t.like(headers, {
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    t.deepEqual(
      Object.keys(headers).filter((name) => name.startsWith('access-control-')),
      [],
    );
  }
});

test.serial('a preflight of another site is refused', async (t) => {
  await using console = await enteredConsole();
  const { status } = await ask(console.origin, {
    method: 'OPTIONS',
    path: '/api/close',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  });
  t.is(status, 405);
});

test.serial('no path leads to another file', async (t) => {
  await using console = await RunningConsole.start(gateway().daemon.address);
  for (const path of [
    '/../package.json',
    '/..%2fpackage.json',
    '/page.html',
    '/LICENSES.txt',
    '//etc/passwd',
    '/api/key',
  ])
    t.is((await ask(console.origin, { method: 'GET', path })).status, 404, path);
});

test.serial('a request that is too long, or no JSON object, is refused', async (t) => {
  await using console = await enteredConsole('--allow-actions');
  const { origin, credentials } = console;
  for (const body of ['', 'null', '[', `{"host":"${'x'.repeat(20_000)}"}`])
    t.is((await ask(origin, { path: '/api/close', headers: credentials, body })).status, 400, body.slice(0, 20));
});

test.serial('an action that a host refuses says so as wfdctl does', async (t) => {
  await using console = await enteredConsole('--allow-actions');
  const body = JSON.stringify({ host: gateway().daemon.address, sessionId: 'unknown' });
  const { status, body: said } = await ask(console.origin, {
    path: '/api/close',
    headers: console.credentials,
    body,
  });
  t.is(status, 409);
  t.deepEqual(JSON.parse(said), {
    message: 'The host has no session unknown, or you may not see it; run wfdctl list to see the sessions.',
    reason: 'SESSION_NOT_FOUND',
  });
});

test.serial('without a session id, or with a host that it does not have, nothing is asked of a host', async (t) => {
  await using console = await enteredConsole('--allow-actions');
  const said = async (body: object) => {
    const request = { path: '/api/close', headers: console.credentials, body: JSON.stringify(body) };
    const { status, body: answer } = await ask(console.origin, request);
    return [status, JSON.parse(answer).message];
  };
  t.deepEqual(await said({ host: gateway().daemon.address }), [400, 'sessionId must be a string that is not empty.']);
  t.deepEqual(await said({ host: 'elsewhere:1', sessionId: 'kept' }), [404, 'Unknown host.']);
});
