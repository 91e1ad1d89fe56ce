/** What is missing, and the text forms: nothing here needs a library that works. */
import { spawnSync } from 'node:child_process';
import test from 'ava';
import fc from 'fast-check';
import { LibraryNotAvailable, nativeCallsUnderWay, openLibrary } from '../../native/library.js';
import { loadLibraries } from '../../native/load.js';
import { wlanReasonCodeName } from '../../native/reason-codes.js';
import * as types from '../../native/types.js';
import type { SessionHandle } from '../../native/wlanapi.js';
import { buildLibrary } from './compiler.js';

const session = 1n as SessionHandle;
const everywhere = (path: string) => ({ wlanapi: path, iphlpapi: path, cfgmgr32: path });

test.serial('a missing library is named once, and its functions reject', async (t) => {
  const { wlanapi, missing } = loadLibraries(everywhere('/nowhere/wlanapi.dll'));
  t.deepEqual(
    missing.map((error) => [error.library, error.function]),
    [['wlanapi.dll', undefined]],
  );
  t.regex(missing[0]?.message ?? '', /^Cannot load \/nowhere\/wlanapi\.dll: Failed to load shared library: ./);
  const error = await t.throwsAsync(wlanapi.WFDCloseSession(session), { instanceOf: LibraryNotAvailable });
  t.deepEqual([error.library, error.function], ['wlanapi.dll', 'WFDCloseSession']);
  t.is(nativeCallsUnderWay(), 0);
});

test('several missing libraries are named in their order', (t) => {
  const { missing } = loadLibraries({ wlanapi: '/no/w.dll', iphlpapi: '/no/i.dll', cfgmgr32: '/no/c.dll' });
  t.deepEqual(
    missing.map(({ library }) => library),
    ['w.dll', 'i.dll', 'c.dll'],
  );
});

test('a library without some exports works but for these, which are named in the order of their declaration', async (t) => {
  const path = buildLibrary('native/echo.c');
  const { wlanapi, iphlpapi, missing } = loadLibraries(everywhere(path));
  t.true(missing.every(({ library }) => library === 'echo.so'));
  t.deepEqual(
    missing.map((error) => error.function),
    [
      ...['WFDOpenHandle', 'WFDCloseHandle', 'WFDCancelOpenSession', 'WFDCloseSession', 'WFDUpdateDeviceVisibility'],
      ...['WlanReasonCodeToString', 'CancelMibChangeNotify2', 'DevCloseObjectQuery'],
    ],
  );
  const error = await t.throwsAsync(wlanapi.WFDCloseSession(session), { instanceOf: LibraryNotAvailable });
  t.is(error.function, 'WFDCloseSession');
  t.is(error.message, `${path} has no function WFDCloseSession`);
  t.is((await iphlpapi.GetIfEntry2(1n)).code, 2);
});

test('a library is not looked for along the search path', (t) => {
  const [missing] = openLibrary('libc.so.6').missing;
  t.is(missing?.message, 'Cannot load libc.so.6: the path is not absolute');
});

test.serial('an argument that does not fit rejects, and leaves no call under way', async (t) => {
  const { iphlpapi } = loadLibraries(everywhere(buildLibrary('native/echo.c')));
  await t.throwsAsync(iphlpapi.ConvertInterfaceGuidToLuid('not a GUID'), { message: 'Not a GUID: not a GUID' });
  await t.throwsAsync(iphlpapi.GetUnicastIpAddressTable('2' as never), { instanceOf: TypeError });
  t.is(nativeCallsUnderWay(), 0);
});

test('a registered context keeps the process alive until it is forgotten', (t) => {
  const callbacks = new URL('../../native/wlanapi.js', import.meta.url);
  const program = `
    import { openSessionCallbacks } from '${callbacks}';
    const context = openSessionCallbacks.registerContext(() => {});
    setTimeout(() => { console.log('alive'); openSessionCallbacks.forgetContext(context); }, 10).unref();
  `;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  t.deepEqual([status, stdout], [0, 'alive\n']);
});

// glibc says what it unloads. A library that went before the process would take the code from under
// its own threads.
(process.platform === 'linux' ? test : test.skip)(
  'a library stays loaded while a process that has run out of work is taken down',
  (t) => {
    const path = buildLibrary('native/echo.c');
    const program = `
    import { openLibrary } from '${new URL('../../native/library.js', import.meta.url)}';
    if (openLibrary('${path}').missing.length > 0) process.exitCode = 1;
  `;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      encoding: 'utf8',
      env: { ...process.env, LD_DEBUG: 'files' },
      timeout: 30_000,
    });
    t.is(status, 0);
    const told = stderr.split('\n').filter((line) => line.includes(path));
    t.true(told.some((line) => line.includes('calling init')));
    t.deepEqual(
      told.filter((line) => line.includes('destroying link map')),
      [],
    );
  },
);

test('a GUID keeps its value as text, bytes and struct', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(8), (bytes, offset) => {
      const text = types.guidFromBytes(Buffer.concat([Buffer.alloc(offset), bytes]), offset);
      t.regex(text, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      t.deepEqual(types.guidToBytes(text), Buffer.from(bytes));
      t.deepEqual(types.guidToBytes(`{${text.toUpperCase()}}`), Buffer.from(bytes));
      t.is(types.guidFromStruct(types.guidToStruct(text)), text);
    }),
  );
});

test('the first three fields of a GUID are little-endian in memory', (t) => {
  const bytes = Buffer.from('04030201060508070910111213141516', 'hex');
  t.deepEqual(types.guidToBytes('01020304-0506-0708-0910-111213141516'), bytes);
});

test('a MAC address keeps its value as text and octets, in the order of printing', (t) => {
  t.deepEqual(types.macToBytes('02-AA-bb-CC-dd-01'), Buffer.from('02aabbccdd01', 'hex'));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (octets) => {
      const text = types.macFromBytes(octets);
      t.regex(text, /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
      t.deepEqual(types.macToBytes(text), Buffer.from(octets));
    }),
  );
});

test('what is no GUID or MAC address is refused', (t) => {
  for (const text of [
    '',
    '02:11:22:33:44',
    '02:11:22:33:44:5',
    '02:11-22:33:44:55',
    '02:11:22:33:44:55:66',
    '0211223344ff',
  ]) {
    t.throws(() => types.macToBytes(text), { instanceOf: TypeError }, text);
  }
  for (const text of ['', '0102030405060708090a0b0c0d0e0f10', '01020304-0506-0708-090a-0b0c0d0e0f1g']) {
    t.throws(() => types.guidToBytes(text), { instanceOf: TypeError }, text);
  }
  t.throws(() => types.guidFromBytes(Buffer.alloc(15)), { instanceOf: RangeError });
  t.throws(() => types.macFromBytes(Buffer.alloc(8), 3), { instanceOf: RangeError });
});

test('a reason code has its name, a range marker has none', (t) => {
  t.is(wlanReasonCodeName(0), 'WLAN_REASON_CODE_SUCCESS');
  t.is(wlanReasonCodeName(0x38001), 'WLAN_REASON_CODE_USER_CANCELLED');
  t.is(wlanReasonCodeName(0x8001b), 'WLAN_REASON_CODE_HOTSPOT2_PROFILE_NOT_ALLOWED');
  t.is(wlanReasonCodeName(0x28000), undefined);
});
