/**
 * Many leases that lapse at the same moment: each is told and closed, and whatever else is asked
 * meanwhile is answered as ever.
 */
import test from 'ava';
import { EventSource, SessionEndReason, SessionEventType } from '../../proto/gen/wifidirect/v1/session.js';
import { display, forklifts, gatewayForThisFile, scanner } from '../harness/gateway.js';
import { duration } from '../harness/world.js';
import { newId, renew, unpaced } from './lively.js';

const LEASES = 200;
/** Longer than it takes to open them all, and to renew them. */
const LONG_MS = 600_000;
/** The shortest there is: they lapse as close together as they were renewed. */
const SHORT_MS = 1000;
const gateway = gatewayForThisFile('--set', 'limits.sessionsPerPrincipalMax=256', ...unpaced);

test.serial(`${LEASES} leases lapse at once, and nobody waits for it`, async (t) => {
  await gateway().world.setDefaults({ open: 0, close: 0, address: 0 });
  const ids: string[] = [];
  for (let count = 0; count < LEASES; count += 1) {
    const deviceAddress = [scanner, ...forklifts][count % 3] ?? '';
    const sessionId = newId();
    const { stream } = await gateway().openSession({ sessionId, deviceAddress, leaseTtl: duration(LONG_MS) });
    stream.cancel();
    ids.push(sessionId);
  }
  const other = await gateway().openSession({ deviceAddress: display, leaseTtl: duration(LONG_MS) });
  const watcher = gateway().watch();
  await watcher.first(({ snapshotComplete }) => snapshotComplete);
  await Promise.all(ids.map((id) => renew(gateway(), id, { leaseTtl: duration(SHORT_MS) })));

  let hasEnded = false;
  const ended = Promise.all(ids.map((id) => watcher.event(id, 'CLOSED'))).then((events) => {
    hasEnded = true;
    return events;
  });
  while (!hasEnded) await renew(gateway(), other.id);
  for (const { session, cause } of await ended) {
    t.is(session?.end?.reason, SessionEndReason.LEASE_EXPIRED);
    t.is(cause?.source, EventSource.LEASE);
  }
  for (const id of ids) t.deepEqual(watcher.typesOf(id), ['LEASE_RENEWED', 'LEASE_EXPIRED', 'CLOSING', 'CLOSED']);
  t.false(other.stream.types.includes('CLOSING'));
  const { events } = watcher;
  const first = events.findIndex(({ type }) => type === SessionEventType.LEASE_EXPIRED);
  const last = events.findLastIndex(({ type }) => type === SessionEventType.CLOSED);
  const answered = events.slice(first, last).filter(({ session }) => session?.sessionId === other.id);
  t.true(answered.length > 1, `${answered.length} renewals between the first that lapsed and the last that was closed`);
  watcher.cancel();
});
