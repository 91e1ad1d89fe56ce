/**
 * Many sessions at once over the real ABI, each with a life of its own at random, in a world where
 * opens fail, links drop, cancels lose, closes hang and the WLAN service stops. Whatever happens in
 * whatever order, every promise of the event stream holds, every session ends once, and no native
 * function is misused.
 */
import test from 'ava';
import fc from 'fast-check';
import { SimulatorError } from '../../native/simulator-control.js';
import type { CloseScript, OpenScript } from '../../native/simulator-types.js';
import { WatchSessionsResponse } from '../../proto/gen/wifidirect/v1/session_service.js';
import { encodeWatchSessions } from '../../service/codec/encode-once.js';
import { isFinal, type Session } from '../../service/session/session.js';
import { StreamValidator } from '../harness/validator.js';
import { printer, type Rig, readAll, rigForThisFile, world } from './rig.js';
import { effort, randomly } from './seed.js';

const start = rigForThisFile();

/** Lives that go on at the same time. */
const AT_ONCE = 60;
const everything = { states: [], deviceAddress: undefined, isVisible: () => true };

const devices = ['01', '02', '05', '06'].map((octet) => `02:11:22:33:44:${octet}`);

interface Plan {
  readonly deviceAddress: string;
  readonly openTimeoutMs: number;
  readonly leaseTtlMs: number | undefined;
  readonly opens: Omit<OpenScript, 'deviceAddress'>;
  readonly closes: Omit<CloseScript, 'deviceAddress'>;
  /**
   * Each act comes so many turns of the event loop after the one before, or once the session is
   * open.
   */
  readonly acts: readonly { readonly at: 'OPEN' | number; readonly act: keyof typeof acts }[];
}

/** What may be done to a session, or to its world. */
const acts = {
  cancel: (rig: Rig, id: string) => void rig.cancel(id),
  close: (rig: Rig, id: string) => void rig.close(id, { wait: false }),
  renew: (rig: Rig, id: string) => void rig.renew(id, 30),
  leave: (rig: Rig, id: string) => rig.lifecycle.attach(id)?.detach(),
  dropLink: (rig: Rig, id: string) => {
    try {
      world.dropLink(rig.session(id)?.deviceAddress ?? printer);
    } catch (error) {
      // It may be down already.
      if (!(error instanceof SimulatorError)) throw error;
    }
  },
  abortQueries: () => void world.abortDeviceQueries(),
  /** The next cancel is told that there is no such handle. */
  refuseCancel: () => world.scriptCall({ function: 'WFDCancelOpenSession', code: 6 }),
  stopService: () => {
    world.stopService();
    setTimeout(() => world.startService(), 5);
  },
};

const ms = fc.integer({ min: 0, max: 8 });
const common = ['cancel', 'cancel', 'close', 'close', 'close', 'renew', 'leave', 'dropLink', 'refuseCancel'] as const;
const rare = ['abortQueries', 'stopService'] as const;
const plans: fc.Arbitrary<Plan> = fc.record({
  deviceAddress: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...devices) },
    { weight: 1, arbitrary: fc.constant(printer) },
  ),
  openTimeoutMs: fc.constantFrom(2, 10_000, 10_000),
  leaseTtlMs: fc.constantFrom(undefined, undefined, 10, 10_000),
  opens: fc.record(
    {
      delayMs: ms,
      error: fc.constantFrom(0, 0, 31, 1460, 1726),
      code: fc.constantFrom(0, 0, 0, 1062, 8),
      isCallbackFirst: fc.boolean(),
      doesCancelLose: fc.boolean(),
      cancelMs: ms,
      dropMs: ms,
    },
    { requiredKeys: ['delayMs'] },
  ),
  closes: fc.record(
    { delayMs: fc.oneof(ms, fc.constant('never' as const)), code: fc.constantFrom(0, 0, 0, 31) },
    { requiredKeys: [] },
  ),
  acts: fc.array(
    fc.record({
      at: fc.oneof(fc.constant('OPEN' as const), fc.nat(20)),
      act: fc.oneof(
        { weight: 300, arbitrary: fc.constantFrom(...common) },
        { weight: 1, arbitrary: fc.constantFrom(...rare) },
      ),
    }),
    { maxLength: 5 },
  ),
});

/** Resolves when the session is open, or has ended. */
function openOrEnded(rig: Rig, id: string): Promise<void> {
  const isSo = (session: Session | undefined) => session === undefined || isFinal(session) || session.state === 'OPEN';
  if (isSo(rig.session(id))) return Promise.resolve();
  return new Promise((resolve) => {
    const subscription = rig.events.follow(id).subscribe(({ session }) => {
      if (!isSo(session)) return;
      subscription.unsubscribe();
      resolve();
    });
  });
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function live(rig: Rig, plan: Plan): Promise<void> {
  const { deviceAddress, openTimeoutMs, leaseTtlMs } = plan;
  world.scriptOpen({ ...plan.opens, deviceAddress });
  world.scriptClose({ ...plan.closes, deviceAddress });
  const kind = deviceAddress === printer ? 'LEGACY' : 'WIFI_DIRECT';
  const asked = rig.ask({ deviceAddress, kind, openTimeoutMs, leaseTtlMs });
  if (!asked.ok) return;
  const { id } = asked.value.session;
  for (const { at, act } of plan.acts) {
    await (at === 'OPEN' ? openOrEnded(rig, id) : turns(at));
    acts[act](rig, id);
  }
  // Whatever it has come to, it can be closed.
  await rig.close(id);
}

/** A watcher of everything, from the first event on. */
function watch(rig: Rig): StreamValidator {
  const validator = new StreamValidator();
  const reader = rig.events.read(0, () => true);
  validator.connected(rig.events.cursor);
  rig.events.ready.subscribe(() => {
    const message = {
      events: readAll(reader),
      cursor: `${rig.events.log.epoch}.${reader.position}`,
      snapshot: [],
      snapshotComplete: false,
    };
    validator.message(WatchSessionsResponse.decode(encodeWatchSessions(message)));
  });
  return validator;
}

test.serial('no interleaving of many lives breaks a promise or misuses a native function', async (t) => {
  const all = fc.sample(plans, randomly(t, effort(3000)));
  const ends = new Map<string, number>();
  while (all.length > 0) {
    const rig = await start({ closeTimeoutMs: 30, probeIntervalMs: 20 });
    const validator = watch(rig);
    await Promise.all(all.splice(0, AT_ONCE).map((plan) => live(rig, plan)));
    await rig.finish(t);
    validator.finish(rig.events.log.newest);
    for (const { state, end } of rig.lifecycle.registry.list(everything, 0, 1000).sessions) {
      const kind = `${state} ${end?.reason}`;
      ends.set(kind, (ends.get(kind) ?? 0) + 1);
    }
  }
  for (const [end, count] of [...ends].toSorted()) t.log(`${end}: ${count}`);
});
