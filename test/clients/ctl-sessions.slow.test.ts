/** `wfdctl close`, `cancel`, `renew`, `get` and `list`, on the real daemon. */
import test from 'ava';
import { parse } from 'yaml';
import { display, gatewayForThisFile, robot, scanner } from '../harness/gateway.js';
import { lines, start, uncoloured, wfdctl } from './ctl-run.js';
import { session, startHost } from './typescript-host.js';

const gateway = gatewayForThisFile();

const environment = { WFDCTL_CONFIG: '/nobody/none.yaml' };
const ctl = (...argv: string[]) => wfdctl([...argv, '--address', gateway().daemon.address], { environment });

/** A session that is open, with a lease, so that it stays. */
async function openSession(sessionId: string, deviceAddress = display): Promise<void> {
  await gateway().openSession({ sessionId, deviceAddress, leaseTtl: { seconds: 60n, nanos: 0 } });
}

test.serial('close answers when it is queued, or with --wait when it has ended', async (t) => {
  await openSession('first');
  t.like(await ctl('close', 'first'), { code: 0, stdout: 'Session first is CLOSING.\n', stderr: '' });
  await openSession('second', scanner);
  const { code, stdout } = await ctl('close', 'second', '--wait');
  t.is(code, 0);
  t.regex(stdout, /^Session second is CLOSED: REQUESTED, confirmed by [A-Z_]+\.\n$/);
  t.like(await ctl('close', 'second'), { code: 0, stdout });
});

test.serial('a close that is waited for ends with 124 when its --timeout is over, and goes on', async (t) => {
  await openSession('slow');
  await gateway().world.scriptClose({ delayMs: 'never' });
  const { code, stderr } = await ctl('close', 'slow', '--wait', '--timeout', '50ms');
  t.is(code, 124);
  t.regex(stderr, /did not answer in time; give a longer --timeout/);
  t.regex((await ctl('get', 'slow')).stdout, /^State +CLOSING$/m);
  await gateway().world.dropLink(display);
});

test.serial('cancel stops what is opening, and nothing else', async (t) => {
  await gateway().world.scriptOpen({ delayMs: 'never' });
  const stream = gateway().open({ deviceAddress: display, sessionId: 'pending' });
  await stream.event('OPENING');
  t.like(await ctl('cancel', 'pending'), { code: 0, stdout: 'Session pending is CANCELLING.\n' });
  await stream.event('CANCELLED');
  await openSession('open');
  const { code, stderr } = await ctl('cancel', 'open');
  t.is(code, 65);
  t.regex(stderr, /^wfdctl: Session open is OPEN .*; run wfdctl get open to see the session\.\n$/);
});

test.serial('renew extends a lease, by as much as it had or as is said', async (t) => {
  await openSession('leased');
  t.like(await ctl('renew', 'leased'), { code: 0, stdout: 'Session leased is OPEN; its lease expires in 1m.\n' });
  const { stdout } = await ctl('renew', 'leased', '--ttl', '1h', '-o', 'yaml');
  t.true(Date.parse(parse(stdout).session.leaseExpireTime) > Date.now() + 3_500_000);
  await gateway().openSession({ sessionId: 'without-lease', deviceAddress: scanner });
  t.like(await ctl('renew', 'without-lease'), { code: 65 });
  t.like(await ctl('renew', 'leased', '--ttl', '1ms'), { code: 64 });
});

test.serial('get shows all that is known of a session', async (t) => {
  await openSession('known');
  const { stdout } = await ctl('get', 'known');
  for (const line of [
    /^Session +known$/m,
    /^Device +02:11:22:33:44:01$/m,
    /^Kind +WIFI_DIRECT$/m,
    /^State +OPEN$/m,
    /^Owner +anonymous$/m,
    /^Interface +Local Area Connection\* \d+, index \d+$/m,
    /^Lease +(1m|\d\ds)$/m,
    /^Created +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(\d+s ago\)$/m,
    /^Cursor +\S+$/m,
  ]) {
    t.regex(stdout, line);
  }
  t.notRegex(stdout, /^(End|Error|Ended)/m);
});

test.serial('what is not there ends with 66, as a sentence or as JSON', async (t) => {
  for (const command of ['get', 'close', 'cancel', 'renew']) {
    const { code, stdout, stderr } = await ctl(command, 'no-such');
    t.is(code, 66);
    t.is(stdout, '');
    t.is(
      stderr,
      'wfdctl: The host has no session no-such, or you may not see it; run wfdctl list to see the sessions.\n',
    );
  }
  const { stdout, stderr } = await ctl('get', 'no-such', '-o', 'json');
  t.is(stdout, '');
  t.like(lines(stderr)[0], {
    error: {
      kind: 'notFound',
      exitCode: 66,
      code: 'NOT_FOUND',
      reason: 'SESSION_NOT_FOUND',
      metadata: { session_id: 'no-such' },
    },
  });
});

test.serial('list shows sessions by state and device', async (t) => {
  t.like(await ctl('list', '--state', 'open'), { code: 0, stdout: 'No sessions.\n' });
  await openSession('of-display');
  await openSession('of-scanner', scanner);
  await gateway().open({ deviceAddress: robot, sessionId: 'of-robot' }).status();
  const { stdout } = await ctl('list', '--state', 'open,failed');
  const [header = '', ...rows] = stdout.trimEnd().split('\n');
  t.deepEqual(header.split(/ +/), ['SESSION', 'DEVICE', 'STATE', 'AGE', 'LEASE', 'OWNER', 'DETAIL']);
  t.is(rows.length, 3);
  t.regex(rows[0] ?? '', /^of-display +02:11:22:33:44:01 +OPEN +\d+s +(1m|\d\ds) +anonymous +Local Area Connection/);
  t.regex(rows[2] ?? '', /^of-robot +\S+ +FAILED +\d+s +- +anonymous +OPEN_FAILED: 1460 ERROR_TIMEOUT/);
  const ids = async (...flags: string[]) =>
    JSON.parse((await ctl('list', ...flags, '-o', 'json')).stdout).sessions.map(
      ({ sessionId }: { sessionId: string }) => sessionId,
    );
  t.deepEqual(await ids('--state', 'OPEN'), ['of-display', 'of-scanner']);
  t.deepEqual(await ids('--state', 'open', '--device', scanner.toUpperCase()), ['of-scanner']);
  t.deepEqual(await ids('--state', 'opening'), []);
});

test.serial(
  'list shows those that live, by their names, by owner, and with --all those that ended after them',
  async (t) => {
    await openSession('has-ended');
    await gateway().close('has-ended', { waitForDisconnect: true });
    await openSession('is-open');
    t.is((await ctl('list', '-o', 'name')).stdout, 'is-open\n');
    const all = (await ctl('list', '--all', '-o', 'name')).stdout.trimEnd().split('\n');
    t.is(all[0], 'is-open');
    t.true(all.includes('has-ended'));
    t.is((await ctl('list', '--owner', 'anonymous', '-o', 'name')).stdout, 'is-open\n');
    t.is((await ctl('list', '--owner', 'nobody', '-o', 'name')).stdout, '');
    t.like(await ctl('list', '--owner', 'nobody'), { stdout: 'No active sessions; --all also lists ended ones.\n' });
    t.like(await ctl('list', '--all', '--state', 'open'), { code: 64 });
    t.is((await ctl('get', 'is-open', '-o', 'name')).stdout, 'is-open\n');
    t.is((await ctl('devices', '-o', 'name')).stdout.split('\n')[0], display);
  },
);

test.serial('list fits eighty columns, and -o wide shows all of it', async (t) => {
  await openSession('3f0e7a44-93c1-4a58-8f0e-5d6cf2b1a977');
  const argv = ['list', '--address', gateway().daemon.address];
  const narrow = await wfdctl(argv, { environment, columns: 80 });
  for (const line of narrow.stdout.trimEnd().split('\n')) t.true(uncoloured(line).length <= 80, line);
  t.regex(narrow.stdout, /3f0e7a44-93c1-4a58-8f0e-5d6cf2b1a977/);
  const wide = await wfdctl([...argv, '-o', 'wide'], { environment, columns: 80 });
  t.regex(uncoloured(wide.stdout), /anonymous +Local Area Connection\* \d+/);
});

for (const hours of [2, -2]) {
  test(`a lease is reckoned by the clock of the host, which is ${hours} h from ours`, async (t) => {
    const hostTime = new Date(Date.now() + hours * 3_600_000);
    const leaseExpireTime = new Date(hostTime.getTime() + 60_000);
    const shown = { ...session('OPEN'), leaseExpireTime, createTime: hostTime };
    const host = await startHost({
      getSession: (_, answer) => answer(null, { session: shown, cursor: 'c', hostTime }),
      renewSession: (_, answer) => answer(null, { session: shown, cursor: 'c', hostTime }),
      listSessions: (_, answer) => answer(null, { sessions: [shown], cursor: 'c', hostTime, nextPageToken: '' }),
    });
    const ask = async (...argv: string[]) =>
      (await wfdctl([...argv, '--address', host.address], { environment })).stdout;
    t.regex(await ask('get', 'a-session'), /^Lease +1m$/m);
    t.regex(await ask('get', 'a-session'), /^Created .* \(0s ago\)$/m);
    t.regex(await ask('list'), /OPEN +0s +1m /);
    t.regex(await ask('renew', 'a-session'), /its lease expires in 1m\.\n$/);
    t.is(JSON.parse(await ask('get', 'a-session', '-o', 'json')).hostTime, hostTime.toISOString());
    host.close();
  });
}

test('list reads all pages, and shows the cursor of the first', async (t) => {
  const host = await startHost({
    listSessions: ({ request: { pageToken } }, answer) => {
      const page = Number(pageToken || '1');
      const sessions = [session('OPEN', `of-page-${page}`)];
      answer(null, {
        sessions,
        cursor: `c${page}`,
        nextPageToken: page < 3 ? String(page + 1) : '',
        hostTime: undefined,
      });
    },
  });
  const { stdout } = await wfdctl(['list', '-o', 'json', '--address', host.address], { environment });
  const { sessions, cursor } = JSON.parse(stdout);
  t.deepEqual(
    sessions.map(({ sessionId }: { sessionId: string }) => sessionId),
    ['of-page-1', 'of-page-2', 'of-page-3'],
  );
  t.is(cursor, 'c1');
  host.close();
});

test.serial(
  'on a terminal there is colour, and a line while something is pending; elsewhere there is neither',
  async (t) => {
    await openSession('slow-to-close');
    await gateway().world.scriptClose({ delayMs: 'never' });
    const argv = ['close', 'slow-to-close', '--wait', '--address', gateway().daemon.address];
    const running = start(argv, { environment, columns: 80 });
    await running.stderr.says(/ Closing session slow-to-close \(0s\)/);
    await gateway().world.dropLink(display);
    const { stdout, stderr } = await running.ended;
    t.true(stdout.includes('\x1b[2mCLOSED\x1b[22m'));
    t.true(stderr.endsWith('\r\x1b[K'));
    const list = ['list', '--all', '--address', gateway().daemon.address];
    t.true((await wfdctl(list, { environment, columns: 80 })).stdout.startsWith('\x1b[1mSESSION\x1b[22m'));
    for (const calm of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
      const { stdout: text } = await wfdctl(list, { environment: { ...environment, ...calm }, columns: 80 });
      t.false(text.includes('\x1b'));
    }
  },
);
