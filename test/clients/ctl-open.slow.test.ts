/** `wfdctl open`: a session that is followed from its opening to its end, on the real daemon. */
import test from 'ava';
import { parseAllDocuments } from 'yaml';
import { Way } from '../conformance/way.js';
import { display, gatewayForThisFile, printer, robot, scanner, withGateway } from '../harness/gateway.js';
import { Folder, lines, start, uncoloured, wfdctl } from './ctl-run.js';

const gateway = gatewayForThisFile();

const environment = { WFDCTL_CONFIG: '/nobody/none.yaml' };
const here = () => ['--address', gateway().daemon.address];
const open = (...argv: string[]) => start(['open', ...argv, ...here()], { environment });

/** The second word of each line: what happened. */
const eventsIn = (text: string) =>
  [...text.matchAll(/^\S+ +([A-Z_]+)/gm)].map(([, event]) => event).filter((event) => event !== 'INTERFACE');

test.serial('a session is followed, and Ctrl+C closes it and waits for its end', async (t) => {
  const running = open(display);
  await running.stdout.says(/INTERFACE +host .*192\.168\./);
  running.pressCtrlC();
  const { code, stdout, stderr } = await running.ended;
  t.is(code, 0);
  t.is(stderr, '');
  t.deepEqual(eventsIn(stdout), ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
  t.regex(stdout, /^\d\d:\d\d:\d\d\.\d{3} {2}OPENING +[0-9a-f-]{36} to 02:11:22:33:44:01$/m);
  t.regex(stdout, /OPENED +on Local Area Connection\* \d+, after [\d.]+s$/m);
  t.regex(stdout, /CLOSING +by anonymous \(CloseSession\)$/m);
  t.regex(stdout, /CLOSED +REQUESTED, confirmed by [A-Z_]+, open for [\d.]+s\n$/);
});

test.serial('Ctrl+C while it is opening cancels it', async (t) => {
  await gateway().world.scriptOpen({ delayMs: 'never' });
  const running = open(display);
  await running.stdout.says(/OPENING/);
  running.pressCtrlC();
  const { code, stdout } = await running.ended;
  t.is(code, 130);
  t.deepEqual(eventsIn(stdout), ['OPENING', 'CANCELLING', 'CANCELLED']);
});

test.serial('Ctrl+C before the host has answered closes what comes of it', async (t) => {
  const running = open(display);
  await running.listening;
  running.pressCtrlC();
  const { code, stdout } = await running.ended;
  t.is(code, 130);
  t.is(eventsIn(stdout).at(-1), 'CANCELLED');
});

test.serial('Ctrl+C once more leaves the rest to the host', async (t) => {
  await gateway().world.scriptClose({ delayMs: 'never' });
  const running = open(display, '--session-id', 'left-behind');
  await running.stdout.says(/OPENED/);
  running.pressCtrlC();
  await running.stdout.says(/CLOSING/);
  running.pressCtrlC();
  const { code, stderr } = await running.ended;
  t.is(code, 130);
  t.is(stderr, 'wfdctl: Exited before session left-behind was closed; the host closes it.\n');
  await gateway().world.dropLink(display);
});

test.serial('one that fails tells what Windows said, and ends with 71', async (t) => {
  const { code, stdout, stderr } = await open(robot).ended;
  t.is(code, 71);
  t.deepEqual(eventsIn(stdout), ['OPENING', 'FAILED']);
  t.regex(stdout, /FAILED +OPEN_FAILED: 1460 ERROR_TIMEOUT/);
  t.regex(
    stderr,
    /^wfdctl: The session could not be opened: Windows reports 1460 ERROR_TIMEOUT .*; check that the device is on/,
  );
});

test.serial('one that takes longer than --timeout ends with 124', async (t) => {
  await gateway().world.scriptOpen({ delayMs: 'never' });
  const { code, stderr } = await open(display, '--timeout', '20ms').ended;
  t.is(code, 124);
  t.regex(stderr, /^wfdctl: The open timed out;/);
});

test.serial('one that somebody else cancels has failed; one that somebody else closes is over', async (t) => {
  await gateway().world.scriptOpen({ delayMs: 'never', count: 2 });
  for (const flags of [[], ['--detach', '--ttl', '1m']]) {
    const id = `cancelled-${flags.length}`;
    const watcher = gateway().watch({ sessionIds: [id] });
    await watcher.headers;
    const running = open(display, '--session-id', id, ...flags);
    await watcher.event(id, 'OPENING');
    await wfdctl(['cancel', id, ...here()], { environment });
    const { code, stderr } = await running.ended;
    t.is(code, 71);
    t.is(stderr, 'wfdctl: The session was cancelled before it was open; run the command again.\n');
    watcher.cancel();
  }
  const running = open(display, '--session-id', 'closed');
  await running.stdout.says(/OPENED/);
  t.is((await wfdctl(['close', 'closed', ...here()], { environment })).code, 0);
  t.is((await running.ended).code, 0);
});

test.serial('a link that is lost ends it, and the line says so', async (t) => {
  const running = open(display);
  await running.stdout.says(/OPENED/);
  await gateway().world.dropLink(display);
  const { code, stdout } = await running.ended;
  t.is(code, 0);
  t.regex(stdout, /CLOSING +the link is down$/m);
  t.regex(stdout, /CLOSED +PEER_DISCONNECTED/);
});

test.serial('a legacy device is opened as one, and where it is not, the sentence says how', async (t) => {
  const { code, stderr } = await open(printer).ended;
  t.is(code, 65);
  t.regex(
    stderr,
    /^wfdctl: The host is not paired with 02:11:22:33:44:03 for this kind of session; .* add --legacy if wfdctl devices/,
  );
  const running = open(printer, '--legacy', '--session-id', 'legacy');
  await running.stdout.says(/OPENED/);
  t.regex((await wfdctl(['get', 'legacy', ...here()], { environment })).stdout, /^Kind +LEGACY$/m);
  running.pressCtrlC();
  t.is((await running.ended).code, 0);
});

test.serial('a name that is taken ends with 65, and a value that is wrong with 64', async (t) => {
  const running = open(display, '--session-id', 'taken');
  await running.stdout.says(/OPENED/);
  const { code, stderr } = await open(display, '--session-id', 'taken').ended;
  t.is(code, 65);
  t.is(
    stderr,
    'wfdctl: Session taken already exists; choose another --session-id, or run wfdctl get taken to see the session.\n',
  );
  running.pressCtrlC();
  await running.ended;
  t.like(await open('nonsense').ended, { code: 64, stdout: '' });
  t.like(await open(display, '--detach').ended, { code: 64 });
});

test.serial('-o json is an OpenSessionResponse a line, -o yaml one a document', async (t) => {
  for (const format of ['json', 'yaml']) {
    const { code, stdout, stderr } = await open(robot, '-o', format).ended;
    const documents =
      format === 'json' ? lines(stdout) : parseAllDocuments(stdout).map((document) => document.toJS() as object);
    t.like(documents, {
      0: { event: { type: 'SESSION_EVENT_TYPE_OPENING', session: { deviceAddress: robot } } },
      1: { event: { type: 'SESSION_EVENT_TYPE_FAILED', session: { state: 'SESSION_STATE_FAILED' } } },
    });
    const [told] = parseAllDocuments(stderr).map((document) => document.toJS() as object);
    t.is(code, 71);
    t.like(told, { error: { kind: 'failed', exitCode: 71, code: 'ABORTED', reason: 'OPEN_FAILED' } });
    t.like(told, { error: { native: { code: 1460, name: 'ERROR_TIMEOUT' } } });
  }
});

test.serial('a session with a lease is followed, and its lease renewed, until Ctrl+C closes it', async (t) => {
  const watcher = gateway().watch();
  await watcher.headers;
  const running = open(display, '--ttl', '1s', '--session-id', 'leased');
  for (const renewals of [1, 2, 3, 4])
    await gateway().until(
      async () => watcher.typesOf('leased').filter((type) => type === 'LEASE_RENEWED').length >= renewals,
    );
  running.pressCtrlC();
  const { code, stdout, stderr } = await running.ended;
  t.is(code, 0);
  t.is(stderr, '');
  t.deepEqual(eventsIn(stdout), ['OPENING', 'OPENED', 'CLOSING', 'CLOSED']);
  t.false(watcher.typesOf('leased').includes('LEASE_EXPIRED'));
  watcher.cancel();
});

test.serial('the hint for a detached session asks the same host, as a shell would take it', async (t) => {
  const { address } = gateway().daemon;
  using folder = new Folder();
  const config = folder.file("it's.yaml");
  await wfdctl(['context', 'set', 'lab', '--address', address, '--config', config]);
  const detached = ['open', '--detach', '--ttl', '1m'];
  const hint = async (...argv: string[]) => {
    const { stderr } = await wfdctl(argv, { environment, columns: 100 });
    return /The lease expires.*\n$/.exec(uncoloured(stderr))?.[0];
  };
  const ofAddress = await hint(...detached, display, '--address', address, '--session-id', 'hint-one');
  t.is(ofAddress, `The lease expires in 1m; to renew it: wfdctl renew hint-one --address ${address}\n`);
  const ofContext = await hint(
    ...detached,
    scanner,
    '--context',
    'lab',
    '--config',
    config,
    '--session-id',
    'hint-two',
  );
  const quoted = `'${config.replace("'", "'\\''")}'`;
  t.is(ofContext, `The lease expires in 1m; to renew it: wfdctl renew hint-two --context lab --config ${quoted}\n`);
});

test.serial('a lease outlives the connection of who follows the session, which is told', async (t) => {
  await using way = await Way.to(gateway().daemon.address);
  const argv = ['open', display, '--ttl', '1m', '--session-id', 'outlives', '--address', way.address];
  const running = start(argv, { environment, columns: 100 });
  await running.stdout.says(/OPENED/);
  way.cut();
  const { code, stderr } = await running.ended;
  t.is(code, 69);
  t.true(
    uncoloured(stderr).includes(
      `The lease keeps the session open for now: wfdctl get outlives --address ${way.address}\n`,
    ),
  );
  t.regex((await wfdctl(['get', 'outlives', ...here()], { environment })).stdout, /^State +OPEN$/m);
});

test.serial('where a connection breaks that worked, nobody talks of TLS', async (t) => {
  await using way = await Way.to(gateway().daemon.address);
  const running = start(['open', display, '--address', way.address], { environment });
  await running.stdout.says(/OPENED/);
  way.cut();
  const { code, stderr } = await running.ended;
  t.is(code, 69);
  t.regex(
    stderr,
    /^wfdctl: (The connection to \S+ was lost; check that wfdd is running there\.|No host answers at .*)\n$/,
  );
});

test.serial('a detached session prints its id alone, and lives until its lease lapses', async (t) => {
  const watcher = gateway().watch();
  await watcher.headers;
  const { code, stdout, stderr } = await open(display, '--detach', '--ttl', '1m').ended;
  t.is(code, 0);
  t.regex(stdout, /^[0-9a-f-]{36}\n$/);
  t.is(stderr, '');
  const id = stdout.trim();
  const renewed = await wfdctl(['renew', id, '--ttl', '1s', ...here()], { environment });
  t.is(renewed.code, 0);
  t.regex(renewed.stdout, /^Session \S+ is OPEN; its lease expires in [01]s\.\n$/);
  await watcher.event(id, 'CLOSED');
  t.deepEqual(watcher.typesOf(id), ['OPENING', 'OPENED', 'LEASE_RENEWED', 'LEASE_EXPIRED', 'CLOSING', 'CLOSED']);
  t.regex((await wfdctl(['get', id, ...here()], { environment })).stdout, /^End +LEASE_EXPIRED, confirmed by/m);
  watcher.cancel();
});

test.serial('a detached session as JSON is a GetSessionResponse', async (t) => {
  const { stdout } = await open(display, '--detach', '--ttl', '1m', '-o', 'json').ended;
  const { session, cursor } = JSON.parse(stdout);
  t.is(session.state, 'SESSION_STATE_OPEN');
  t.regex(cursor, /\S/);
});

test.serial('Ctrl+C while a detached session is opening leaves none behind', async (t) => {
  await gateway().world.scriptOpen({ delayMs: 'never' });
  const watcher = gateway().watch({ sessionIds: ['given-up'] });
  await watcher.headers;
  const running = open(display, '--detach', '--ttl', '1m', '--session-id', 'given-up');
  await watcher.event('given-up', 'OPENING');
  running.pressCtrlC();
  t.like(await running.ended, { code: 130, stdout: '' });
  await watcher.event('given-up', 'CANCELLED');
  watcher.cancel();
});

test.serial('Ctrl+C just when a detached session has opened leaves none behind either', async (t) => {
  await using way = await Way.to(gateway().daemon.address);
  const watcher = gateway().watch({ sessionIds: ['just-open'] });
  await watcher.headers;
  const argv = ['open', display, '--detach', '--ttl', '1m', '--session-id', 'just-open', '--address', way.address];
  const running = start(argv, { environment });
  await watcher.event('just-open', 'OPENING');
  way.hang();
  await watcher.event('just-open', 'OPENED');
  running.pressCtrlC();
  way.flow();
  t.like(await running.ended, { code: 130, stdout: '' });
  await watcher.event('just-open', 'CLOSED');
  watcher.cancel();
});

test.serial('a host that is gone ends it with 69', async (t) => {
  await withGateway([], async ({ daemon }) => {
    const running = start(['open', display, '--address', daemon.address], { environment });
    await running.stdout.says(/OPENED/);
    await daemon.kill();
    const { code, stderr } = await running.ended;
    t.is(code, 69);
    t.regex(stderr, /^wfdctl: (The connection to|No host answers at) 127\.0\.0\.1:\d+/);
  });
});
