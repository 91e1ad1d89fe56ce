/** Many leases that lapse at the same moment: each is told and closed, and whatever else is asked meanwhile is answered as ever. */
import test from 'ava';
import { EventSource, SessionEndReason } from '../../clients/typescript/src/gen/wifidirect/v1/session.js';
import { display, forklifts, gatewayForThisFile, scanner } from '../harness/gateway.js';
import { duration } from '../harness/world.js';
import { newId, renew } from './lively.js';

const LEASES = 200;
/** Longer than it takes to open them all. */
const LAPSE_MS = 6000;
const gateway = gatewayForThisFile('--set', 'limits.sessionsPerPrincipalMax=256');

test.serial(`${LEASES} leases lapse at once, and nobody waits for it`, async (t) => {
  await gateway().world.setDefaults({ open: 0, close: 0, address: 0 });
  const lapseMs = Date.now() + LAPSE_MS;
  const ids: string[] = [];
  for (let count = 0; count < LEASES; count += 1) {
    const deviceAddress = [scanner, ...forklifts][count % 3] ?? '';
    const sessionId = newId();
    const leaseTtl = duration(lapseMs - Date.now());
    const { stream } = await gateway().openSession({ sessionId, deviceAddress, leaseTtl });
    stream.cancel();
    ids.push(sessionId);
  }
  t.true(Date.now() < lapseMs, 'this machine is too slow for this test');
  const other = await gateway().openSession({ deviceAddress: display, leaseTtl: duration(60_000) });
  const watcher = gateway().watch();
  await watcher.first(({ snapshotComplete }) => snapshotComplete);

  let hasEnded = false;
  const ended = Promise.all(ids.map((id) => watcher.event(id, 'CLOSED'))).then((events) => {
    hasEnded = true;
    return events;
  });
  const tookMs: number[] = [];
  while (!hasEnded) {
    const startMs = performance.now();
    await renew(gateway(), other.id);
    tookMs.push(performance.now() - startMs);
  }
  for (const { session, cause } of await ended) {
    t.is(session?.end?.reason, SessionEndReason.LEASE_EXPIRED);
    t.is(cause?.source, EventSource.LEASE);
  }
  for (const id of ids) t.deepEqual(watcher.typesOf(id), ['LEASE_EXPIRED', 'CLOSING', 'CLOSED']);
  t.false(other.stream.types.includes('CLOSING'));
  const worst = Math.max(...tookMs);
  t.log(`${tookMs.length} answers meanwhile, the slowest after ${worst.toFixed(0)} ms`);
  t.true(worst < 500);
  watcher.cancel();
});
