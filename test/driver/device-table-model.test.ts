/**
 * The device table on the real ABI, against a model of the simulated world: devices are paired,
 * unpaired and changed, their nodes come and go in any order, queries are aborted, and the table is
 * read at any time. Whenever all is quiet the table is what the model says, the changes that were
 * told lead to it, and a read tells nothing new.
 */
import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { filter, firstValueFrom, ReplaySubject, startWith, timeout } from 'rxjs';
import { loadLibraries } from '../../native/load.js';
import type { Flag } from '../../native/simulator-types.js';
import { DeviceTable } from '../../service/driver/device-table.js';
import type { DeviceProperties } from '../../service/driver/driver.js';
import { NativeCalls } from '../../service/driver/native-calls.js';
import { library, world } from '../session/rig.js';
import { effort, randomly } from '../session/seed.js';

const HOUR = 3_600_000;
const addresses = ['02:11:22:33:44:01', '02:11:22:33:44:02', '02:aa:aa:aa:aa:aa'];
const suffixes = ['', '#MIRACAST', '#2'];

type Flags = { readonly isConnected: Flag; readonly isVisible: Flag };
/** By address the nodes by suffix; all that the simulated world has. */
type Model = Map<string, Map<string, Flags>>;

type Step =
  | { readonly do: 'setNode'; readonly address: string; readonly suffix: string; readonly flags: Flags }
  | { readonly do: 'removeNode'; readonly address: string; readonly suffix: string }
  | { readonly do: 'unpair' | 'pair'; readonly address: string }
  | { readonly do: 'abort' | 'refresh' | 'rest' };

const flag = fc.constantFrom<Flag>(true, false, 'empty');
const anAddress = fc.constantFrom(...addresses);
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('setNode' as const),
    address: anAddress,
    suffix: fc.constantFrom(...suffixes),
    flags: fc.record({ isConnected: flag, isVisible: flag }),
  }),
  fc.record({
    do: fc.constant('setNode' as const),
    address: anAddress,
    suffix: fc.constantFrom(...suffixes),
    flags: fc.record({ isConnected: flag, isVisible: flag }),
  }),
  fc.record({ do: fc.constant('removeNode' as const), address: anAddress, suffix: fc.constantFrom(...suffixes) }),
  fc.record({ do: fc.constantFrom('unpair' as const, 'pair' as const), address: anAddress }),
  fc.record({ do: fc.constantFrom('abort' as const, 'refresh' as const, 'rest' as const) }),
);

function take(step: Step, model: Model): void {
  if (step.do === 'pair' && !model.has(step.address)) {
    world.addDevice(step.address, { isVisible: 'empty' });
    model.set(step.address, new Map([['', { isConnected: 'empty', isVisible: 'empty' }]]));
  } else if (step.do === 'unpair' && model.has(step.address)) {
    world.removeDevice(step.address);
    model.delete(step.address);
  } else if (step.do === 'setNode' && model.has(step.address)) {
    world.setNode(step.address, { suffix: step.suffix, ...step.flags });
    model.get(step.address)?.set(step.suffix, step.flags);
  } else if (step.do === 'removeNode' && model.get(step.address)?.delete(step.suffix)) {
    world.removeNode(step.address, step.suffix);
  }
}

/** What the table is to have. */
function expected(model: Model): Map<string, [boolean | undefined, boolean | undefined]> {
  const say = (nodes: Iterable<Flags>, key: keyof Flags) => {
    const told = [...nodes].map((node) => node[key]);
    if (told.includes(true)) return true;
    return told.includes(false) ? false : undefined;
  };
  return new Map(
    [...model]
      .filter(([, nodes]) => nodes.size > 0)
      .map(([address, nodes]) => [address, [say(nodes.values(), 'isConnected'), say(nodes.values(), 'isVisible')]]),
  );
}

function shown(devices: Iterable<DeviceProperties>): Map<string, [boolean | undefined, boolean | undefined]> {
  return new Map([...devices].map(({ address, isConnected, isVisible }) => [address, [isConnected, isVisible]]));
}

const sorted = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

test.serial('whatever nodes come and go, the table is what the world is', async (t) => {
  t.timeout(240_000);
  // A wait for the next query keeps no process alive.
  const alive = setInterval(() => {}, HOUR);
  t.teardown(() => clearInterval(alive));
  const property = fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 30 }), async (taken) => {
    world.reset();
    for (const { deviceAddress } of world.listDevices()) world.removeDevice(deviceAddress);
    const model: Model = new Map();
    take({ do: 'pair', address: addresses[0] ?? '' }, model);
    const { cfgmgr32 } = loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library });
    let created = 0;
    const creations = new ReplaySubject<number>(1);
    const calls = new NativeCalls(
      { nativeCallsMax: 6, slowCallsMax: 1, nativeCallWarnMs: HOUR },
      {
        onNativeReturned: (fn) => {
          if (fn === 'DevCreateObjectQuery') creations.next(++created);
        },
        onNativeSlow: () => {},
      },
    );
    const table = new DeviceTable(cfgmgr32, calls, { reopenBackoffMinMs: 1, reopenBackoffMaxMs: 1 });
    const told = new Map<string, DeviceProperties>();
    const wrong: string[] = [];
    table.changes.subscribe(({ type, device }) => {
      const before = told.get(device.address);
      if ((type === 'ADDED') !== (before === undefined)) wrong.push(`${type} ${device.address}`);
      if (type === 'REMOVED') told.delete(device.address);
      else told.set(device.address, device);
    });
    await table.start();
    const rest = async () => {
      await world.waitIdle(20_000);
      const isSo = () => isDeepStrictEqual(sorted(shown(table.devices?.values() ?? [])), sorted(expected(model)));
      // The world has told all, and the last of it may wait for its turn here.
      await firstValueFrom(table.changes.pipe(startWith(undefined), filter(isSo), timeout(20_000))).catch(() => {});
      t.deepEqual(sorted(shown(table.devices?.values() ?? [])), sorted(expected(model)));
      t.deepEqual(sorted(shown(told.values())), sorted(expected(model)));
      const before = [...told.values()];
      await table.refresh();
      await table.refresh(new Set([addresses[1] ?? '']));
      t.deepEqual([...told.values()], before, 'a read tells nothing new');
      t.deepEqual(wrong, []);
    };
    try {
      for (const step of taken) {
        take(step, model);
        if (step.do === 'abort') {
          const aborted = world.abortDeviceQueries();
          const wanted = created + aborted;
          await firstValueFrom(creations.pipe(filter((count) => count >= wanted)));
        } else if (step.do === 'refresh') await table.refresh();
        else if (step.do === 'rest') await rest();
      }
      await rest();
    } finally {
      await table.close();
    }
    world.checkLeaks();
    t.deepEqual(world.misuse().records, []);
  });
  await fc.assert(property, { ...randomly(t, effort(40)), endOnFailure: true });
});
