/** One open and one close through the bindings, on the simulator. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import * as c from '../../native/constants.js';
import { openLibrary } from '../../native/library.js';
import { loadLibraries } from '../../native/load.js';
import { type ClientHandle, type OpenSessionComplete, openSessionCallbacks } from '../../native/wlanapi.js';

const path = fileURLToPath(new URL('../../native/simulator/libwfdsim.so', import.meta.url));
const { wlanapi, iphlpapi, missing } = loadLibraries({ wlanapi: path, iphlpapi: path, cfgmgr32: path });
const control = openLibrary(path);
const SimSetClock = control.bindSync<[number]>('uint32_t SimSetClock(uint32_t manual)');
const SimAdvanceClock = control.bindSync<[number]>('uint32_t SimAdvanceClock(uint32_t ms)');
const SimGetMisuse = control.bindSync<[number]>('uint64_t SimGetMisuse(uint32_t kind)');
const SimCheckLeaks = control.bindSync<[]>('uint32_t SimCheckLeaks()');

test.serial('the simulator exports every function', (t) => {
  t.true(existsSync(path));
  t.deepEqual(missing, []);
});

test.serial('a session opens, names its interface, and closes', async (t) => {
  SimSetClock(1);
  const { code, dwNegotiatedVersion, hClientHandle } = await wlanapi.WFDOpenHandle(c.WFD_API_VERSION);
  t.deepEqual([code, dwNegotiatedVersion], [0, c.WFD_API_VERSION]);

  let context = 0n;
  const completed = new Promise<OpenSessionComplete>((resolve) => {
    context = openSessionCallbacks.registerContext(resolve);
  });
  const opened = await wlanapi.WFDStartOpenSession(hClientHandle, '02:11:22:33:44:01', context);
  t.is(opened.code, 0);
  SimAdvanceClock(10_000);
  const { hSessionHandle, guidSessionInterface, dwError } = await completed;
  openSessionCallbacks.forgetContext(context);
  t.is(dwError, 0);
  t.is(hSessionHandle, opened.hSessionHandle);

  const { InterfaceLuid } = await iphlpapi.ConvertInterfaceGuidToLuid(guidSessionInterface);
  const { Row } = await iphlpapi.GetIfEntry2(InterfaceLuid);
  t.is(Row.InterfaceGuid, guidSessionInterface);
  t.is(Row.OperStatus, c.IfOperStatusUp);

  t.deepEqual(await wlanapi.WFDCloseSession(hSessionHandle), { code: 0 });
  SimAdvanceClock(10_000);
  t.is((await iphlpapi.GetIfEntry2(InterfaceLuid)).code, c.winerror.ERROR_FILE_NOT_FOUND);
  t.deepEqual(await wlanapi.WFDCloseHandle(hClientHandle), { code: 0 });
});

test.serial('a version that the service does not have is refused', async (t) => {
  t.is((await wlanapi.WFDOpenHandle(2)).code, c.winerror.ERROR_INVALID_PARAMETER);
  t.is((await wlanapi.WFDCloseHandle(0n as ClientHandle)).code, c.winerror.ERROR_INVALID_PARAMETER);
});

test.serial('a reason code has a text', async (t) => {
  const { code, stringBuffer } = await wlanapi.WlanReasonCodeToString(0x38001);
  t.is(code, 0);
  t.regex(stringBuffer, /\w+/);
});

test.serial('nothing was misused or leaked', (t) => {
  SimCheckLeaks();
  t.is(Number(SimGetMisuse(0)), 0);
});
