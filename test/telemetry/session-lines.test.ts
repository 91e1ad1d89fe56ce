/**
 * The lines of sessions, as a daemon at work writes them: one for each change, with ids, and no
 * address unless it is allowed.
 */
import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { LogLine } from '../harness/daemon.js';
import { display, gatewayForThisFile, robot, typeName } from '../harness/gateway.js';
import { makeEvents, openLeased } from '../stream/lively.js';

const gateway = gatewayForThisFile('--set', 'log.addresses=false', '--set', 'session.leaseTtlMinMs=10');

function linesOf(sessionId: string): LogLine[] {
  return gateway().daemon.log.filter((line) => line['sessionId'] === sessionId && line.event.startsWith('session-'));
}

test.serial('each change is one line: what happened, its number, who asked, what it came to', async (t) => {
  const watch = gateway().watch();
  const requestId = randomUUID();
  const { id, stream } = await gateway().openSession({ deviceAddress: display, requestId });
  await gateway().close(id, { waitForDisconnect: true });
  await stream.ended;
  await watch.event(id, 'CLOSED');
  await gateway().until(async () => linesOf(id).some(({ event }) => event === 'session-closed'));
  const events = watch.events.filter(({ session }) => session?.sessionId === id);
  t.deepEqual(
    linesOf(id).map(({ event, sequence, level }) => ({ event, sequence, level })),
    events.map(({ type, sequence }) => ({
      event: `session-${typeName(type).toLowerCase().replaceAll('_', '-')}`,
      sequence: Number(sequence),
      level: 'info',
    })),
  );
  t.like(linesOf(id)[0], {
    state: 'OPENING',
    owner: 'anonymous',
    source: 'CLIENT',
    rpc: 'wifidirect.v1.SessionService/OpenSession',
    requestId,
  });
  t.like(linesOf(id).at(-1), {
    state: 'CLOSED',
    endReason: 'REQUESTED',
    evidence: 'DEVICE_DISCONNECTED',
    native: 'WFDCloseSession 0 ERROR_SUCCESS',
  });
  watch.cancel();
});

test.serial('the sentence of a line says what happened, not what it was taken for', async (t) => {
  const { id, stream } = await gateway().openSession({ deviceAddress: display, leaseTtl: { nanos: 900_000_000 } });
  await stream.ended;
  const of = (event: string) => gateway().daemon.log.find((line) => line.event === event && line['sessionId'] === id);
  await gateway().until(async () => of('session-closed') !== undefined);
  t.is(of('session-opened')?.msg, `Session ${id} is open.`);
  t.is(of('session-lease-expired')?.msg, `The lease of session ${id} expired.`);
  t.is(of('session-closing')?.msg, `Session ${id} is closing.`);
  t.is(of('session-closed')?.msg, `Session ${id} is closed.`);
});

test.serial('a session that fails is a warning', async (t) => {
  const stream = gateway().open({ deviceAddress: robot });
  await stream.status();
  const id = stream.events[0]?.session?.sessionId ?? '';
  await gateway().until(async () => linesOf(id).length === 2);
  t.deepEqual(
    linesOf(id).map(({ event, level }) => [event, level]),
    [
      ['session-opening', 'info'],
      ['session-failed', 'warn'],
    ],
  );
  t.is(linesOf(id)[1]?.msg, `Session ${id} could not be opened.`);
});

test.serial('renewals are routine: a hundred of them write no line of the session', async (t) => {
  const [id = ''] = await openLeased(gateway(), 1);
  await makeEvents(gateway(), [id], 100);
  await gateway().close(id, { waitForDisconnect: true });
  await gateway().until(async () => linesOf(id).some(({ event }) => event === 'session-closed'));
  t.false(linesOf(id).some(({ event }) => event === 'session-lease-renewed'));
});

test.serial('no line has the address of a device', (t) => {
  const text = JSON.stringify(gateway().daemon.log);
  t.true(text.includes('"deviceAddress":"[address]"'));
  // Whole enough that neither a random id nor a time of day is taken for one.
  t.notRegex(text, /02:11:22:33:44|fe80::|192\.168\./i);
});
