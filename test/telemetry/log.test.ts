import test from 'ava';
import { makeConfig } from '../../service/config/schema.js';
import { createLog, type Log } from '../../service/telemetry/log.js';

type Settings = Partial<Parameters<typeof createLog>[0]>;

/** A log and the lines that it has written. */
async function logOf(
  settings: Settings = {},
): Promise<{ log: Log; lines: string[]; objects: () => Record<string, unknown>[] }> {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  const log = await createLog({ ...makeConfig().log, ...settings }, { write });
  return { log, lines, objects: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const MAC = 'aa:bb:cc:dd:ee:ff';

test('a line is one JSON object: level, time, what happened, its fields, a sentence', async (t) => {
  const { log, lines, objects } = await logOf();
  log.info('session-opened', 'A session is open.', {
    sessionId: 's-1',
    count: 2,
    parts: ['a', null],
    nothing: undefined,
  });
  t.regex(lines[0] ?? '', /^\{.*\}\n$/);
  const { time, ...rest } = objects()[0] ?? {};
  t.regex(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.deepEqual(rest, {
    level: 'info',
    event: 'session-opened',
    sessionId: 's-1',
    count: 2,
    parts: ['a', null],
    msg: 'A session is open.',
  });
});

test('lines below the level are not written', async (t) => {
  const { log, objects } = await logOf({ level: 'warn' });
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]('happened', 'It happened.');
  t.deepEqual(
    objects().map(({ level }) => level),
    ['warn', 'error'],
  );
});

test('a child has its fields on every line, and its own children too; a line may replace them', async (t) => {
  const { log, objects } = await logOf();
  const child = log.child({ sessionId: 's-1', principal: 'a' });
  child.child({ principal: 'b' }).info('happened', 'It happened.', { extra: 1 });
  child.info('happened', 'It happened.', { sessionId: 's-2' });
  log.info('happened', 'It happened.');
  t.like(objects(), [
    { sessionId: 's-1', principal: 'b', extra: 1 },
    { sessionId: 's-2', principal: 'a' },
    { event: 'happened' },
  ]);
  t.false('sessionId' in (objects()[2] ?? {}));
});

test('secrets are never written, however deep, whatever the level', async (t) => {
  const { log, lines } = await logOf({ level: 'debug', addresses: true });
  const secrets = { authorization: 'hunter2', keyPassphrase: 'hunter2', API_KEY: 'hunter2', 'access-token': 'hunter2' };
  log.debug('happened', 'It happened.', { ...secrets, request: { list: [{ metadata: secrets }] } });
  log
    .child({ password: ['hunter2'] })
    .error('happened', 'It happened.', { error: Object.assign(new Error('no'), secrets) });
  t.false(lines.join('').includes('hunter2'));
  t.true(lines.join('').includes('"authorization":"[secret]"'));
});

test('files of secrets and ids of requests are no secrets', async (t) => {
  const { log, objects } = await logOf();
  log.info('happened', 'It happened.', { tokensFile: '/a', requestId: 'b', keyFile: '/c', password: null });
  t.like(objects()[0], { tokensFile: '/a', requestId: 'b', keyFile: '/c', password: null });
});

test('no address of a device appears at info and above: in fields, sentences and errors', async (t) => {
  const { log, lines } = await logOf();
  const error = new Error(`no ${MAC}`, { cause: new Error(MAC.toUpperCase()) });
  const fields = {
    deviceAddress: MAC,
    other: `at ${MAC.replaceAll(':', '-')}`,
    link: { localAddresses: ['10.0.0.1'], peerAddress: 'fe80::1' },
  };
  for (const level of ['info', 'warn', 'error'] as const) {
    log.child(fields)[level]('happened', `It happened to ${MAC}.`, { ...fields, error });
  }
  t.is(lines.length, 3);
  t.notRegex(lines.join(''), /aa.bb.cc|10\.0\.0\.1|fe80/i);
  t.true(lines[0]?.includes('It happened to [address].'));
});

test('addresses appear at debug, and everywhere if they are allowed', async (t) => {
  const debug = await logOf({ level: 'debug' });
  debug.log.debug('happened', `It happened to ${MAC}.`, { deviceAddress: MAC });
  t.like(debug.objects()[0], { deviceAddress: MAC, msg: `It happened to ${MAC}.` });
  const allowed = await logOf({ addresses: true });
  allowed.log.info('happened', `It happened to ${MAC}.`, { deviceAddress: MAC });
  t.like(allowed.objects()[0], { deviceAddress: MAC, msg: `It happened to ${MAC}.` });
});

test('the addresses that the daemon serves, GUIDs, UUIDs and times are not taken for those of devices', async (t) => {
  const { log, objects } = await logOf();
  const fields = {
    addresses: ['127.0.0.1:50051'],
    guid: '{01020304-0506-0708-090a-0b0c0d0e0f10}',
    time2: '2024-01-02T03:04:05Z',
  };
  log.info('serving', 'The daemon serves.', fields);
  t.like(objects()[0], fields);
});

test('errors keep their type, code, stack and cause', async (t) => {
  const { log, objects } = await logOf();
  const error = Object.assign(new TypeError('no', { cause: new Error('because') }), { code: 5 });
  // `err` is a name that pino itself makes something of.
  log.error('native-call-failed', 'A native call failed.', { error, err: error });
  t.deepEqual(objects()[0]?.['err'], objects()[0]?.['error']);
  const written = objects()[0]?.['error'] as Record<string, unknown>;
  t.like(written, { type: 'TypeError', message: 'no', code: 5, cause: { type: 'Error', message: 'because' } });
  t.regex(String(written['stack']), /^TypeError: no\n {4}at /);
});

test('nothing that is logged can break or flood a line', async (t) => {
  const { log, lines, objects } = await logOf();
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  const fields = {
    big: 2n ** 64n,
    bytes: Buffer.from('abc'),
    when: new Date(0),
    foreign: process,
    map: new Map(),
    cycle,
  };
  log.info('happened', 'Line\nends " and \u2028.', { ...fields, call: () => 1, symbol: Symbol('x'), nan: Number.NaN });
  t.is(lines[0]?.indexOf('\n'), (lines[0]?.length ?? 0) - 1);
  t.like(objects()[0], {
    big: '18446744073709551616',
    bytes: '[3 bytes]',
    when: '1970-01-01T00:00:00.000Z',
    foreign: '[process]',
    map: '[Map]',
    nan: null,
  });
});

test('pretty lines are for people: time, level, sentence, fields', async (t) => {
  const { log, lines } = await logOf({ format: 'pretty' });
  log.warn('slow-call', 'A native call is slow.', { function: 'WFDCloseSession' });
  t.regex(
    lines[0] ?? '',
    /^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: A native call is slow\. \{"event":"slow-call","function":"WFDCloseSession"\}\n$/,
  );
});

test('a long text, array or object is cut, and says by how much', async (t) => {
  const { log, lines, objects } = await logOf();
  const fields = {
    text: 'x'.repeat(1_000_000),
    list: Array.from({ length: 1000 }, (_, n) => n),
    record: Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`k${n}`, n])),
  };
  log.info('happened', 'y'.repeat(1_000_000), { ...fields, error: new Error('z'.repeat(1_000_000)) });
  t.true((lines[0]?.length ?? 0) < 20_000, `${lines[0]?.length}`);
  t.like(objects()[0], { text: `${'x'.repeat(1000)}[999000 more]`, msg: `${'y'.repeat(1000)}[999000 more]` });
  const { list, record } = objects()[0] as { list: unknown[]; record: Record<string, unknown> };
  t.is(list.at(-1), '[900 more]');
  t.is(record['more'], 900);
});

test('an address at the place of a cut is no less hidden', async (t) => {
  const { log, lines } = await logOf();
  for (let before = 980; before <= 1000; before += 1) log.info('happened', `${' '.repeat(before)}${MAC} and more`);
  t.is(lines.length, 21);
  t.notRegex(lines.join(''), /aa:bb/);
});
