import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE } from '../../native/advapi32.js';
import { createLog } from '../../service/telemetry/log.js';
import { EVENT_IDS, EventLog, withEvents } from '../../service/windows-service/event-log.js';
import { fakeEventLog } from './fake-event-log.js';

/** A log whose file is a list, with its events. */
async function logWithEvents(level: 'debug' | 'error' = 'error') {
  const { advapi32, reported } = fakeEventLog();
  const events = new EventLog(advapi32, 'wfdd');
  const lines: string[] = [];
  const file = await createLog(
    { level, format: 'json', addresses: true },
    { write: (line: string) => void lines.push(line) },
  );
  return { log: await withEvents(file, events), events, reported, lines };
}

test('ids are never given twice, and the program with the texts has them', (t) => {
  const ids = [...EVENT_IDS.values()];
  t.is(new Set(ids).size, ids.length);
  t.true(ids.every((id) => id >= 1 && id <= 1000));
});

test('every line that has an id is written somewhere, but for those of sessions under the name that stands here', (t) => {
  const service = fileURLToPath(new URL('../../../service', import.meta.url));
  const written = readdirSync(service, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('event-log.ts') && !file.includes('gen'))
    .map((file) => readFileSync(join(service, file), 'utf8'))
    .join('\n');
  for (const event of EVENT_IDS.keys()) t.true(event.startsWith('session-') || written.includes(`'${event}'`), event);
});

test('lines that are events get there whatever the level of the log, in order, each with its id and kind', async (t) => {
  const { log, events, reported, lines } = await logWithEvents('error');
  log.info('serving', 'Serving on 127.0.0.1:1.', { addresses: ['127.0.0.1:1'] });
  log.warn('degraded', 'Wi-Fi Direct is off.');
  log.error('crashed', 'It crashed.');
  log.info('no-event', 'Only for the file.');
  await events.flushed();
  t.deepEqual(
    reported.map(({ id, type }) => [id, type]),
    [
      [100, EVENTLOG_INFORMATION_TYPE],
      [200, EVENTLOG_WARNING_TYPE],
      [105, EVENTLOG_ERROR_TYPE],
    ],
  );
  t.is(reported[0]?.text, 'Serving on 127.0.0.1:1.\r\n\r\naddresses: ["127.0.0.1:1"]');
  t.is(lines.length, 1);
});

test('the fields of a child are in its events too', async (t) => {
  const { log, events, reported } = await logWithEvents();
  log.child({ rpc: 'OpenSession' }).warn('access-denied', 'No.');
  await events.flushed();
  t.is(reported[0]?.text, 'No.\r\n\r\nrpc: OpenSession');
});

test('no secret and no address of a device gets there, whatever the log may show', async (t) => {
  const { log, events, reported } = await logWithEvents('debug');
  const fields = { deviceAddress: '02:11:22:33:44:01', token: 'hidden', note: 'at 02:11:22:33:44:01' };
  log.warn('session-failed', 'Session of 02:11:22:33:44:01 failed.', fields);
  await events.flushed();
  t.notRegex(reported[0]?.text ?? '', /02:11:22|hidden/);
});

test('a text is not taken for one with places to fill in, and not longer than Windows takes', async (t) => {
  const { log, events, reported } = await logWithEvents();
  log.warn('access-denied', `From fe80::1%12, ${'x'.repeat(40_000)}`);
  await events.flushed();
  t.regex(reported[0]?.text ?? '', /^From fe80::1% 12, x/);
  t.true((reported[0]?.text.length ?? 0) <= 31_839);
});

test('one that knocks a thousand times fills no event log, and hides nothing else', async (t) => {
  const { log, events, reported } = await logWithEvents();
  for (let count = 0; count < 1000; count++) {
    log.warn('access-denied', 'No.');
    if (count % 100 === 0) await events.flushed();
  }
  log.error('crashed', 'It crashed.');
  await events.flushed();
  t.is(reported.filter(({ id }) => id === 300).length, 10);
  t.is(reported.filter(({ id }) => id === 105).length, 1);
});

test('an event log that refuses, or is not there, costs its events only', async (t) => {
  for (const advapi32 of [
    { ...fakeEventLog().advapi32, RegisterEventSourceW: () => Promise.reject(new Error('no such function')) },
    { ...fakeEventLog().advapi32, ReportEventW: () => Promise.reject(new Error('no such function')) },
  ]) {
    const events = new EventLog(advapi32, 'wfdd');
    events.write('{"event":"crashed","level":"error","msg":"It crashed."}');
    await t.notThrowsAsync(events.flushed());
  }
});

test('an event log that does not answer holds only so many events', async (t) => {
  let release = () => {};
  const hung = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { advapi32, reported } = fakeEventLog();
  const events = new EventLog(
    { ...advapi32, RegisterEventSourceW: () => hung.then(() => advapi32.RegisterEventSourceW('')) },
    'wfdd',
  );
  for (const event of EVENT_IDS.keys()) {
    for (let count = 0; count < 10; count++) events.write(JSON.stringify({ event, level: 'warn', msg: '' }));
  }
  release();
  await events.flushed();
  t.is(reported.length, 100);
});
