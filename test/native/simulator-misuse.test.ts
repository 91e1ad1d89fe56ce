/**
 * What the simulator counts against its caller, as the controls report it. Misuse is the point
 * here.
 */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import * as c from '../../native/constants.js';
import { loadLibraries } from '../../native/load.js';
import { openSimulatorControl } from '../../native/simulator-control.js';
import type { ClientHandle, SessionHandle } from '../../native/wlanapi.js';

const path = fileURLToPath(new URL('../../native/simulator/libwfdsim.so', import.meta.url));
const { wlanapi } = loadLibraries({ wlanapi: path, iphlpapi: path, cfgmgr32: path });
const control = openSimulatorControl(path);

test.beforeEach(() => control.reset());

async function openClient(): Promise<ClientHandle> {
  return (await wlanapi.WFDOpenHandle(c.WFD_API_VERSION)).hClientHandle;
}

test.serial('a misuse is counted by its kind, and on record with its function and handle', async (t) => {
  const client = await openClient();
  await wlanapi.WFDCloseHandle(client);
  t.is((await wlanapi.WFDCloseHandle(client)).code, c.winerror.ERROR_INVALID_HANDLE);
  t.is((await wlanapi.WFDCloseSession(4711n as SessionHandle)).code, c.winerror.ERROR_INVALID_HANDLE);
  const { total, counts, records } = control.misuse();
  t.is(total, 2);
  t.like(counts, { USE_AFTER_CLOSE_HANDLE: 1, UNKNOWN_HANDLE: 1, CLOSE_TWICE: 0 });
  t.like(records[0], { kind: 'USE_AFTER_CLOSE_HANDLE', function: 'WFDCloseHandle', value: client });
  t.like(records[1], { kind: 'UNKNOWN_HANDLE', function: 'WFDCloseSession', value: 4711n });
});

test.serial('a handle cut to 32 bits is none', async (t) => {
  const client = await openClient();
  await wlanapi.WFDCloseHandle(BigInt.asUintN(32, client) as ClientHandle);
  t.is(control.misuse().counts.UNKNOWN_HANDLE, 1);
  await wlanapi.WFDCloseHandle(client);
});

test.serial('what is held at the end is a leak, counted once', async (t) => {
  const client = await openClient();
  t.is(control.checkLeaks(), 1);
  t.is(control.checkLeaks(), 0);
  t.like(control.misuse().records[0], { kind: 'LEAKED_CLIENT_HANDLE', function: undefined, value: client });
  await wlanapi.WFDCloseHandle(client);
});

test.serial('a reset forgets what was misused', (t) => {
  t.is(control.misuse().total, 0);
});
