/**
 * The driver as a whole, on the simulator's ABI: what it says of a host whose devices Windows does
 * not tell.
 */
import test from 'ava';
import { filter, firstValueFrom } from 'rxjs';
import { openContexts } from '../../native/callbacks.js';
import { loadLibraries, type NativeLibraries } from '../../native/load.js';
import type { NativeCallObserver } from '../../service/driver/native-calls.js';
import { WlanDriver } from '../../service/driver/wlan-driver.js';
import { library, world } from '../session/rig.js';

const HOUR = 3_600_000;
const display = '02:11:22:33:44:01';

function make(
  changed: Partial<NativeLibraries['wlanapi']> = {},
  onNativeReturned: NativeCallObserver['onNativeReturned'] = () => {},
) {
  world.reset();
  const libraries = loadLibraries({ wlanapi: library, iphlpapi: library, cfgmgr32: library });
  const settings = {
    ...{ nativeCallsMax: 6, slowCallsMax: 1, nativeCallWarnMs: HOUR, linkPollMs: HOUR },
    ...{ probeIntervalMs: HOUR, reopenBackoffMinMs: 5, reopenBackoffMaxMs: 5 },
  };
  const wlanapi = { ...libraries.wlanapi, ...changed };
  return new WlanDriver({ ...libraries, wlanapi }, settings, { onNativeReturned, onNativeSlow: () => {} });
}

test.serial.afterEach.always((t) => {
  world.checkLeaks();
  t.deepEqual(world.misuse().records, []);
});

test.serial(
  'a device query that Windows refuses is told with its HRESULT, refuses no open, and ends when it ends',
  async (t) => {
    const alive = setInterval(() => {}, HOUR);
    t.teardown(() => clearInterval(alive));
    const driver = make();
    world.scriptCall({ function: 'DevCreateObjectQuery', code: 0x8007_0057, count: 'always' });
    await driver.start();
    t.is(driver.devices, undefined);
    t.is(driver.status.fault, undefined, 'Wi-Fi Direct itself can be reached');
    t.is(driver.whyNotDevices()?.reason, 'NATIVE_ERROR');
    t.is(driver.whyNotDevices()?.native?.code, 0x8007_0057);
    t.is(driver.status.devicesFault, driver.whyNotDevices());
    t.is(driver.whyNotOpen('WIFI_DIRECT', display), undefined);
    world.clearScripts();
    await firstValueFrom(driver.statuses.pipe(filter(({ devicesFault }) => devicesFault === undefined)));
    t.is(driver.whyNotDevices(), undefined);
    t.is(driver.devices?.size, 6);
    t.true(await driver.close(10_000));
  },
);

test.serial('what was told before Windows refused is still told', async (t) => {
  const alive = setInterval(() => {}, HOUR);
  t.teardown(() => clearInterval(alive));
  const driver = make();
  await driver.start();
  world.scriptCall({ function: 'DevCreateObjectQuery', code: 0x8000_4005, count: 'always' });
  world.abortDeviceQueries();
  await firstValueFrom(driver.statuses.pipe(filter(({ devicesFault }) => devicesFault !== undefined)));
  t.is(driver.whyNotDevices(), undefined);
  t.is(driver.devices?.size, 6);
  world.clearScripts();
  t.true(await driver.close(10_000));
});

test.serial('only a removal that Windows has told refuses an open before it is asked', async (t) => {
  const driver = make();
  await driver.start();
  t.is(driver.whyNotOpen('WIFI_DIRECT', '02:aa:aa:aa:aa:aa'), undefined, 'not listed');
  t.false(driver.isRemoved(display));
  world.removeDevice(display);
  await world.waitIdle(10_000);
  t.true(driver.isRemoved(display));
  t.is(driver.whyNotOpen('WIFI_DIRECT', display)?.reason, 'DEVICE_NOT_PAIRED');
  world.addDevice(display);
  await world.waitIdle(10_000);
  t.is(driver.whyNotOpen('WIFI_DIRECT', display), undefined);
  t.true(await driver.close(10_000));
});

test.serial('an open that could not be called is told, and waits for no callback', async (t) => {
  const driver = make({ WFDStartOpenSession: () => Promise.reject(new Error('an argument does not fit')) });
  await driver.start();
  const told = firstValueFrom(driver.completions);
  driver.startOpen('session-1', display, 'WIFI_DIRECT', 'somebody');
  t.like(await told, { type: 'StartReturned', outcome: { fault: { reason: 'NATIVE_ERROR' } } });
  t.is(new Map(openContexts()).get('WFD_OPEN_SESSION_COMPLETE_CALLBACK'), 0);
  t.true(await driver.close(10_000));
  for (const [name, count] of openContexts()) t.is(count, 0, name);
});

test.serial('a link that goes down because it was closed does not make the driver probe the service', async (t) => {
  const called: string[] = [];
  const driver = make({}, (fn) => called.push(fn));
  await driver.start();
  const next = (type: string) => firstValueFrom(driver.completions.pipe(filter((each) => each.type === type)));
  const opened = next('OpenCompleted');
  driver.startOpen('session-1', display, 'WIFI_DIRECT', 'somebody');
  await opened;
  called.length = 0;
  const down = next('LinkDown');
  driver.closeSession('session-1');
  await down;
  driver.release('session-1');
  t.is(called.filter((fn) => fn === 'WFDCloseSession').length, 1);
  t.false(called.includes('WFDOpenHandle'));
  t.true(await driver.close(10_000));
});
