/**
 * The simulator seen from JavaScript: the bindings on one side, the controls on the other, one
 * world between them.
 */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import koffi from 'koffi';
import * as c from '../../native/constants.js';
import { openLibrary } from '../../native/library.js';
import { loadLibraries } from '../../native/load.js';
import { openSimulatorControl, SimulatorError } from '../../native/simulator-control.js';
import { MISUSE_KINDS, SIMULATED_FUNCTIONS } from '../../native/simulator-types.js';
import { type ClientHandle, type OpenSessionComplete, openSessionCallbacks } from '../../native/wlanapi.js';
import { compilerErrors } from './compiler.js';

const path = fileURLToPath(new URL('../../native/simulator/libwfdsim.so', import.meta.url));
const { wlanapi, iphlpapi } = loadLibraries({ wlanapi: path, iphlpapi: path, cfgmgr32: path });
const control = openSimulatorControl(path);
const display = '02:11:22:33:44:01';
const robot = '02:11:22:33:44:04';
const gate = '02:aa:bb:cc:dd:ee';

test.beforeEach(() => {
  control.reset();
  control.setClock('manual');
});

test.afterEach((t) => {
  t.is(control.checkLeaks(), 0);
  t.deepEqual(control.misuse().records, []);
});

async function openClient(): Promise<ClientHandle> {
  const { hClientHandle } = await wlanapi.WFDOpenHandle(c.WFD_API_VERSION);
  return hClientHandle;
}

/** Starts an open; `completed` resolves with its one callback. */
async function startOpen(client: ClientHandle, address: string) {
  let context = 0n;
  const completed = new Promise<OpenSessionComplete>((resolve) => {
    context = openSessionCallbacks.registerContext(resolve);
  }).finally(() => openSessionCallbacks.forgetContext(context));
  const { hSessionHandle } = await wlanapi.WFDStartOpenSession(client, address, context);
  return { session: hSessionHandle, completed };
}

async function close(client: ClientHandle, session: Awaited<ReturnType<typeof startOpen>>['session']) {
  await wlanapi.WFDCloseSession(session);
  await wlanapi.WFDCloseHandle(client);
}

test.serial('the structs are as long as in C', (t) => {
  const names = 'SimDevice SimDefaults SimLimits SimLinkEnd SimOpenScript SimCloseScript SimVisibilityScript';
  const more = 'SimCallScript SimServiceStop SimMisuseRecord SimCounts';
  const checks = `${names} ${more}`.split(' ').flatMap((name) => {
    const { size, members = {} } = koffi.type(name);
    return [
      `_Static_assert(sizeof(${name}) == ${size}, "${name}");`,
      ...Object.values(members)
        .filter((member) => !member.name.startsWith('reserved_'))
        .map((member) => `_Static_assert(offsetof(${name}, ${member.name}) == ${member.offset}, "${member.name}");`),
    ];
  });
  t.is(compilerErrors('cc', ['#include "native/simulator/control.h"', ...checks].join('\n')), '');
});

test.serial('functions and misuses have the names that the library gives them', (t) => {
  const library = openLibrary(path);
  const name = library.bindSync<[number], string | null>('const char *SimGetFunctionName(uint32_t function)');
  const misuse = library.bindSync<[number], string | null>('const char *SimGetMisuseName(uint32_t kind)');
  t.deepEqual(
    [...SIMULATED_FUNCTIONS.map((_, index) => name(index + 1)), name(SIMULATED_FUNCTIONS.length + 1)],
    [...SIMULATED_FUNCTIONS, null],
  );
  t.deepEqual(
    [...MISUSE_KINDS.map((_, index) => misuse(index + 1)), misuse(MISUSE_KINDS.length + 1)],
    [...MISUSE_KINDS, null],
  );
});

test.serial('a session opens and closes by the clock', async (t) => {
  const client = await openClient();
  const { session, completed } = await startOpen(client, display);
  t.is(control.counts().opensPending, 1);
  control.advanceClock(400);
  const { dwError, hSessionHandle, guidSessionInterface } = await completed;
  t.deepEqual([dwError, hSessionHandle], [0, session]);
  const { InterfaceLuid } = await iphlpapi.ConvertInterfaceGuidToLuid(guidSessionInterface);
  await wlanapi.WFDCloseSession(session);
  t.is(control.counts().closesQueued, 1);
  control.advanceClock(150);
  t.is((await iphlpapi.GetIfEntry2(InterfaceLuid)).code, c.winerror.ERROR_FILE_NOT_FOUND);
  await wlanapi.WFDCloseHandle(client);
});

test.serial('an open fails as the script says', async (t) => {
  control.scriptOpen({ deviceAddress: display, error: 1225, reasonCode: 0x48014, delayMs: 0 });
  const client = await openClient();
  const { completed } = await startOpen(client, display);
  const { dwError, dwReasonCode } = await completed;
  t.deepEqual([dwError, dwReasonCode], [1225, 0x48014]);
  await wlanapi.WFDCloseHandle(client);
});

test.serial('the callback is delivered before an asynchronous start returns, where the script says so', async (t) => {
  control.scriptOpen({ delayMs: 0, isCallbackFirst: true });
  const order: string[] = [];
  const client = await openClient();
  const context = openSessionCallbacks.registerContext(() => order.push('callback'));
  const { hSessionHandle } = await wlanapi.WFDStartOpenSession(client, display, context);
  order.push('return');
  openSessionCallbacks.forgetContext(context);
  t.deepEqual(order, ['callback', 'return']);
  await close(client, hSessionHandle);
});

test.serial('a cancel that loses leaves a session to close', async (t) => {
  control.scriptOpen({ doesCancelLose: true });
  const client = await openClient();
  const { session, completed } = await startOpen(client, display);
  await wlanapi.WFDCancelOpenSession(session);
  control.advanceClock(400);
  t.is((await completed).dwError, 0);
  await close(client, session);
});

test.serial('a blocked call is released', async (t) => {
  control.scriptCall({ function: 'WFDOpenHandle', blockMs: 'never', code: 1722 });
  const opening = wlanapi.WFDOpenHandle(c.WFD_API_VERSION);
  while (control.counts().callsBlocked === 0) await new Promise(setImmediate);
  t.is(control.releaseCalls('WFDOpenHandle'), 1);
  t.is((await opening).code, 1722);
});

test.serial('the service stops, with what is pending, and starts again', async (t) => {
  const client = await openClient();
  const { completed } = await startOpen(client, display);
  control.stopService({ callCode: 1722 });
  t.is((await completed).dwError, 1726);
  t.is((await wlanapi.WFDOpenHandle(c.WFD_API_VERSION)).code, 1722);
  t.is((await wlanapi.WFDCloseHandle(client)).code, 1722);
  control.startService();
  await wlanapi.WFDCloseHandle(await openClient());
});

test.serial('devices are added, changed, listed and removed', (t) => {
  control.addDevice(gate, { name: 'Tür 7', isVisible: 'empty', addressMs: 'never', localAddress: '10.1.2.3' });
  control.updateDevice(gate.toUpperCase().replaceAll(':', '-'), { linkQuality: 40 });
  t.like(control.findDevice(gate), {
    name: 'Tür 7',
    isInRange: true,
    isLegacy: false,
    isVisible: 'empty',
    isConnected: 'empty',
    linkQuality: 40,
    addressMs: 'never',
    localAddress: '10.1.2.3',
    interfaceAddress: '02:aa:bb:cc:dd:6e',
    interfaceIndex: 0,
  });
  t.deepEqual(
    control.listDevices().find(({ deviceAddress }) => deviceAddress === gate),
    control.findDevice(gate),
  );
  t.throws(() => control.addDevice(gate), { instanceOf: SimulatorError, message: 'SimAddDevice returned 183' });
  control.removeDevice(gate);
  t.throws(() => control.removeDevice(gate), { message: 'SimRemoveDevice returned 1168' });
  t.throws(() => control.updateDevice(gate, {}), { message: 'SimUpdateDevice returned 1168' });
  t.throws(() => control.dropLink(display), { message: 'SimDropLink returned 1168' });
  t.throws(() => control.addDevice(gate, { name: 'ü'.repeat(32) }), { instanceOf: RangeError });
  t.throws(() => control.addDevice(gate, { peerAddress: 'fe80::1' }), { instanceOf: TypeError });
});

test.serial('defaults and limits change by the property', async (t) => {
  control.setDefaults({ openMs: 0, closeMs: 7 });
  t.deepEqual(control.defaults(), {
    openMs: 0,
    legacyOpenMs: 200,
    cancelMs: 50,
    closeMs: 7,
    visibilityMs: 300,
    addressMs: 100,
    raceGraceMs: 1000,
  });
  control.setLimits({ clientsMax: 0 });
  t.deepEqual(control.limits(), { clientsMax: 0, sessionsMax: 65536, isMemoryExhausted: false });
  t.is((await wlanapi.WFDOpenHandle(c.WFD_API_VERSION)).code, 1220);
});

test.serial('the clock of a test stands still, and the real one runs', async (t) => {
  const before = control.clockMs();
  control.advanceClock(60_000);
  t.is(control.clockMs(), before + 60_000);
  control.setClock('real');
  t.throws(() => control.advanceClock(1), { message: 'SimAdvanceClock returned 87' });
  control.setDefaults({ openMs: 2 });
  const client = await openClient();
  const { completed } = await startOpen(client, robot);
  t.is((await completed).dwError, 1460);
  t.true(await control.waitIdle(10_000));
  await wlanapi.WFDCloseHandle(client);
});

test.serial('visibility follows the range, or the script', async (t) => {
  control.updateDevice(robot, { isInRange: true });
  control.setDefaults({ visibilityMs: 0 });
  const visible = () => control.listDevices().find(({ deviceAddress }) => deviceAddress === robot)?.isVisible;
  t.false(visible());
  await wlanapi.WFDUpdateDeviceVisibility(robot);
  t.true(visible());
  control.scriptVisibility({ visible: 'empty', delayMs: 0 });
  control.scriptVisibility({ code: 1722, delayMs: 0 });
  await wlanapi.WFDUpdateDeviceVisibility(robot);
  t.is(visible(), 'empty');
  t.is((await wlanapi.WFDUpdateDeviceVisibility(robot)).code, 1722);
});
