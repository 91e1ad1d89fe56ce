/** The device query on the real ABI: created anew when it fails or is aborted, ever more rarely while nothing comes of it. */
import test from 'ava';
import { filter, firstValueFrom, ReplaySubject, take, toArray } from 'rxjs';
import { loadLibraries } from '../../native/load.js';
import { DeviceTable } from '../../service/driver/device-table.js';
import { NativeCalls } from '../../service/driver/native-calls.js';
import { library, world } from '../session/rig.js';

const E_FAIL = 0x80004005;
const HOUR = 3_600_000;
/** Timers may be this early by rounding. */
const EARLY_MS = 2;

function make(reopenBackoffMinMs: number, reopenBackoffMaxMs: number) {
  world.reset();
  const { cfgmgr32 } = loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library });
  const returns = new ReplaySubject<{ fn: string; timeMs: number }>();
  const calls = new NativeCalls(
    { nativeCallsMax: 4, slowCallsMax: 1, nativeCallWarnMs: HOUR },
    { nativeReturned: (fn) => returns.next({ fn, timeMs: performance.now() }), nativeSlow: () => {} },
  );
  const created = returns.pipe(filter(({ fn }) => fn === 'DevCreateObjectQuery'));
  return { table: new DeviceTable(cfgmgr32, calls, { reopenBackoffMinMs, reopenBackoffMaxMs }), created };
}

test.serial.afterEach.always((t) => {
  world.checkLeaks();
  t.deepEqual(world.misuse().records, []);
});

test.serial('while it fails it is asked for after twice the time, up to the longest', async (t) => {
  const { table, created } = make(20, 70);
  // A wait for the next query keeps no process alive.
  const alive = setInterval(() => {}, HOUR);
  t.teardown(() => clearInterval(alive));
  world.scriptCall({ function: 'DevCreateObjectQuery', code: E_FAIL, count: 5 });
  await table.start();
  const times = await firstValueFrom(created.pipe(take(6), toArray()));
  const gaps = times.slice(1).map(({ timeMs }, index) => timeMs - (times[index]?.timeMs ?? 0));
  for (const [index, least] of [20, 40, 70, 70, 70].entries())
    t.true((gaps[index] ?? 0) >= least - EARLY_MS, `${gaps}`);
  await table.close();
});

test.serial(
  'once it has told the devices, an abort is no failure: the next one comes as soon as the first did',
  async (t) => {
    const { table, created } = make(5, HOUR);
    await table.start();
    // With a wait that doubled each time, the last would take most of a minute.
    for (let aborts = 1; aborts <= 14; aborts += 1) {
      world.abortDeviceQueries();
      await firstValueFrom(created.pipe(take(aborts + 1), toArray()));
      await world.waitIdle(10_000);
    }
    t.true((table.devices?.size ?? 0) > 0);
    await table.close();
  },
);
