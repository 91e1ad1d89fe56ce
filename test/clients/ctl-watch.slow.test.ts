/**
 * `wfdctl watch` and `devices --watch`: from now, from a cursor, and through the loss of a
 * connection.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { startSimulated } from '../harness/daemon.js';
import { display, forklifts, Gateway, gatewayForThisFile } from '../harness/gateway.js';
import { lines, start, wfdctl } from './ctl-run.js';
import { event, startHost } from './typescript-host.js';

const gateway = gatewayForThisFile();

const environment = { WFDCTL_CONFIG: '/nobody/none.yaml' };
const ctl = (argv: readonly string[], columns?: number) =>
  start([...argv, '--address', gateway().daemon.address], { environment, ...(columns && { columns }) });

test.serial('a watch shows a snapshot, then each event, until Ctrl+C', async (t) => {
  await gateway().openSession({ deviceAddress: display, sessionId: 'was-there' });
  const running = ctl(['watch']);
  await running.stdout.says(/was-there/);
  await gateway().openSession({ deviceAddress: forklifts[0], sessionId: 'came-later' });
  await gateway().close('came-later');
  await running.stdout.says(/came-later.* CLOSED/);
  running.pressCtrlC();
  const { code, stdout, stderr } = await running.ended;
  t.is(code, 0);
  t.is(stderr, '');
  const [header = ''] = stdout.split('\n');
  t.deepEqual(header.split(/ +/), ['TIME', 'SESSION', 'DEVICE', 'EVENT', 'DETAIL']);
  t.regex(stdout, /^- +was-there +02:11:22:33:44:01 +SNAPSHOT +OPEN: Local Area Connection/m);
  t.regex(stdout, /^\d\d:\d\d:\d\d\.\d{3} +came-later +\S+ +OPENING +by anonymous \(OpenSession\)$/m);
  t.regex(stdout, /came-later +\S+ +OPENED +on Local Area Connection/);
});

test.serial('what was missed is shown from a cursor, once each', async (t) => {
  const { newestCursor } = JSON.parse((await ctl(['host', '-o', 'json']).ended).stdout);
  await gateway().openSession({ deviceAddress: display, sessionId: 'missed' });
  await gateway().close('missed', { waitForDisconnect: true });
  const typesFrom = async (cursor: string) => {
    const running = ctl(['watch', 'missed', '--since', cursor, '-o', 'json']);
    await running.stdout.says(/EVENT_TYPE_CLOSED/);
    running.pressCtrlC();
    const items = lines((await running.ended).stdout) as { events: { type: string }[]; cursor: string }[];
    const seen = items.map(({ events: [first], cursor: at }) => [first?.type.replace('SESSION_EVENT_TYPE_', ''), at]);
    return seen.filter(([type]) => type !== 'NETWORK_INTERFACE_CHANGED' && type !== 'INTERFACE');
  };
  const all = await typesFrom(newestCursor);
  t.deepEqual(
    all.map(([type]) => type),
    ['OPENING', 'OPENED', 'CLOSING', 'CLOSED'],
  );
});

test.serial('at the terminal it says how to go on', async (t) => {
  const running = ctl(['watch', 'a-session', '--since', await newestCursor()], 120);
  await running.listening;
  running.pressCtrlC();
  const { stderr } = await running.ended;
  t.regex(stderr, /To continue from here: --since \S+/);
});

async function newestCursor(): Promise<string> {
  return JSON.parse((await ctl(['host', '-o', 'json']).ended).stdout).newestCursor;
}

test.serial('--timeout ends a watch, well', async (t) => {
  const { code, stdout } = await ctl(['watch', 'no-session-yet', '--timeout', '300ms', '-o', 'yaml']).ended;
  t.is(code, 0);
  t.regex(stdout, /^---\nsnapshot: \[\]\nsnapshotComplete: true\ncursor: /);
});

test.serial('a cursor of another life of the host is told, and a snapshot follows', async (t) => {
  await gateway().openSession({ deviceAddress: display, sessionId: 'still-there' });
  const running = ctl(['watch', '--since', '0000000000000000.7']);
  await running.stdout.says(/still-there +\S+ +SNAPSHOT/);
  running.pressCtrlC();
  const { code, stderr } = await running.ended;
  t.is(code, 0);
  t.regex(
    stderr,
    /^wfdctl: The host no longer has the events after this cursor, so some events may be missing; a snapshot follows\./,
  );
});

test.serial('a host with a journal is killed and comes back: --since goes on, and shows what was lost', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wfdd-journal-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const life = async () => {
    const gateway = new Gateway(await startSimulated('--journal-folder', folder));
    t.teardown(async () => {
      gateway.disconnect();
      await gateway.daemon.kill();
    });
    return gateway;
  };
  const first = await life();
  await first.openSession({ deviceAddress: display, sessionId: 'was-live', leaseTtl: { seconds: 600n } });
  const { newestCursor } = await first.getHost();
  await first.daemon.kill();
  const { address } = (await life()).daemon;
  const running = start(['watch', '--since', newestCursor, '--address', address], { environment });
  await running.stdout.says(/was-live +\S+ +LOST/);
  running.pressCtrlC();
  const { code, stdout, stderr } = await running.ended;
  t.is(code, 0);
  t.is(stderr, '');
  t.is(stdout.match(/ LOST +HOST_RESTARTED/g)?.length, 1, stdout);
  t.notRegex(stdout, /SNAPSHOT/);
});

test.serial('devices are watched likewise', async (t) => {
  const running = ctl(['devices', '--watch']);
  await running.stdout.says(/Forklift Terminal 2/);
  await gateway().world.addDevice('02:11:22:33:44:77', { name: 'New \x1b[31mName' });
  await running.stdout.says(/ADDED/);
  running.pressCtrlC();
  const { code, stdout } = await running.ended;
  t.is(code, 0);
  t.regex(stdout, /^- +02:11:22:33:44:01 +Meeting Room Display +SNAPSHOT +not connected, visible, quality 92$/m);
  t.regex(stdout, /02:11:22:33:44:77 +New \ufffd\[31mName +ADDED/);
  await gateway().world.removeDevice('02:11:22:33:44:77');
  t.like(await ctl(['devices', '--since', 'x']).ended, { code: 64 });
});

test('a watch goes on when the host was away, and bookmarks show with -v', async (t) => {
  const cursors: string[] = [];
  const handlers = {
    watchSessions: (call: { request: { cursor: string }; write(message: unknown): void }) => {
      cursors.push(call.request.cursor);
      const isFirst = call.request.cursor === '';
      const events = isFirst ? [] : [event(8, 'OPEN', 'after-the-cut')];
      call.write({ events, cursor: isFirst ? 'c7' : 'c8', snapshot: [], snapshotComplete: isFirst });
      call.write({ events: [], cursor: isFirst ? 'c7' : 'c9', snapshot: [], snapshotComplete: false });
    },
  };
  const first = await startHost(handlers);
  const running = start(['watch', '-v', '--address', first.address], { environment });
  await running.stdout.says(/BOOKMARK +c7/);
  first.close();
  await running.stderr.says(/Trying again in/);
  const second = await startHost(handlers, undefined, first.address);
  await running.stdout.says(/BOOKMARK +c9/);
  running.pressCtrlC();
  const { code, stdout, stderr } = await running.ended;
  second.close();
  t.is(code, 0);
  t.deepEqual(cursors, ['', 'c7']);
  t.regex(stdout, /after-the-cut/);
  t.is(stdout.match(/^TIME/gm)?.length, 1);
  t.regex(stderr, /^wfdctl: .* Trying again in [\d.]+m?s\.$/m);
});

test('a host that takes the connection and says nothing is an error, in time', async (t) => {
  const { createServer } = await import('node:net');
  const server = createServer((socket) => t.teardown(() => socket.destroy())).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const address = `127.0.0.1:${port}`;
  const watch = (...flags: string[]) => wfdctl(['watch', '--address', address, ...flags], { environment });
  const [soon, later] = await Promise.all([watch('--timeout', '300ms'), watch()]);
  t.is(soon.stderr, `wfdctl: ${address} did not answer within 0.3s; check the address, or try again.\n`);
  t.is(soon.code, 124);
  t.is(
    later.stderr,
    `wfdctl: Nothing at ${address} accepts the connection; check the address, and that wfdd is running there.\n`,
  );
  t.is(later.code, 69);
});

test('a host that never answered is an error, not something to wait for', async (t) => {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  const { code, stderr } = await wfdctl(['watch', '--address', `127.0.0.1:${port}`], { environment });
  t.is(code, 69);
  t.regex(
    stderr,
    /^wfdctl: No host answers at 127\.0\.0\.1:\d+ \(ECONNREFUSED\); check the address, and that wfdd is running there\.\n$/,
  );
});
