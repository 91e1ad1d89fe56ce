/**
 * The wall clock of the host is set, forwards and back: whatever has a duration keeps it, and what
 * is shown does not go back.
 */
import { randomUUID } from 'node:crypto';
import test from 'ava';
import type { Moment } from '../../service/session/session.js';
import { arrives, by, LEASE_MS, Life, START_MS } from './life.js';
import { rigForThisFile } from './rig.js';

const HOURS_MS = 2 * 3_600_000;
const RETENTION_MS = 60_000;

/** The clocks of the host, as a test moves them. */
const clocks = { timeMs: START_MS, steadyMs: 1000 };
const now = (): Moment => ({ ...clocks });
const pass = (ms: number) => {
  clocks.timeMs += ms;
  clocks.steadyMs += ms;
};
const set = (ms: number) => {
  clocks.timeMs += ms;
};

const start = rigForThisFile();

for (const ms of [HOURS_MS, -HOURS_MS]) {
  const way = ms > 0 ? 'forwards' : 'back';

  test.serial(
    `set ${way} by two hours: what has ended is remembered for its time, no longer and no shorter`,
    async (t) => {
      const rig = await start({ retentionMs: RETENTION_MS, now });
      const requestId = randomUUID();
      const id = rig.open({ leaseTtlMs: LEASE_MS });
      await rig.event(id, 'OPENED');
      t.true(rig.lifecycle.renew(id, undefined, by('RenewSession', requestId)).ok);
      await rig.close(id);
      await rig.event(id, 'CLOSED');
      set(ms);
      pass(RETENTION_MS - 1000);
      const other = rig.open();
      t.not(rig.lifecycle.registry.find(id), undefined);
      const again = rig.lifecycle.cancel(other, by('CancelOpenSession', requestId));
      t.like(again, { ok: false, fault: { reason: 'REQUEST_ID_REUSED' } });
      pass(2000);
      await rig.event(other, 'OPENED');
      await rig.close(other);
      await rig.event(other, 'CLOSED');
      t.is(rig.lifecycle.registry.find(id), undefined);
    },
  );

  test(`set ${way}: the times of a session do not go back, and how long it took is what passed`, (t) => {
    const life = new Life();
    life.in(arrives.started(), arrives.opened());
    life.nowMs += ms;
    life.in(arrives.close(), arrives.closeReturned(), arrives.linkDown());
    const { createTimeMs, openTimeMs = 0, closeTimeMs = 0, endTimeMs = 0, marks } = life.session;
    t.true(createTimeMs <= openTimeMs && openTimeMs <= closeTimeMs && closeTimeMs <= endTimeMs);
    const shown = life.events.map(({ timeMs }) => timeMs);
    t.deepEqual(
      shown,
      shown.toSorted((a, b) => a - b),
    );
    t.deepEqual(marks, { createMs: 0, openMs: 2000, closeMs: 3000, endMs: 5000 });
    t.deepEqual(
      life.events.map(({ steadyMs }) => steadyMs),
      [0, 2000, 3000, 5000],
    );
  });

  test(`set ${way}: a lease that is renewed lapses by the clock that clients compare it with`, (t) => {
    const life = Life.leased();
    life.in(arrives.started(), arrives.opened());
    life.nowMs += ms;
    life.in(arrives.renew());
    t.is(life.session.leaseExpireTimeMs, life.nowMs + LEASE_MS);
  });
}
