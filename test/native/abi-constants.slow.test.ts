/** Every constant of constants.ts against the headers that define it. */
import test from 'ava';
import * as constants from '../../native/constants.js';
import { guidToBytes } from '../../native/types.js';
import { compilerErrors, hasCompiler, mingw, preprocess, simulatorHeader, windowsHeaders } from './compiler.js';

const numbers = Object.entries<unknown>({ ...constants, ...constants.winerror }).filter(
  (entry): entry is [string, number] => typeof entry[1] === 'number',
);

/**
 * Of devquerydef.h, devfiltertypes.h and the Wi-Fi Direct part of wlanapi.h, which mingw-w64 does
 * not have.
 */
const isUnknownToMingw = (name: string) => /^(Dev|DEVPROP_STORE_|DEVPROP_OPERATOR_|WFD_)/.test(name);

const assertions = (names: readonly [string, number][]) =>
  names.map(([name, value]) => `_Static_assert((${name}) == ${value}, "constants.ts has ${value}");`);

const withMingw = hasCompiler(mingw) ? test : test.skip;

withMingw(`every constant has the value of the Windows headers (needs ${mingw})`, (t) => {
  const known = numbers.filter(([name]) => !isUnknownToMingw(name));
  t.is(compilerErrors(mingw, [windowsHeaders, ...assertions(known)].join('\n')), '');
});

test('every constant that the simulator has too has the same value there', (t) => {
  const words = new Set(preprocess('cc', simulatorHeader, '-dD').match(/\b[A-Za-z_]\w+\b/g));
  const shared = numbers.filter(([name]) => words.has(name));
  t.true(shared.some(([name]) => isUnknownToMingw(name)));
  t.is(compilerErrors('cc', [simulatorHeader, ...assertions(shared)].join('\n')), '');
});

withMingw(`the general property keys are those of devpkey.h (needs ${mingw})`, (t) => {
  const text = preprocess(
    mingw,
    '#define INITGUID\n#include <windows.h>\n#include <devpropdef.h>\n#include <devpkey.h>\n',
  );
  const keys = Object.entries<unknown>(constants).filter((entry): entry is [string, constants.DevPropKey] =>
    /^DEVPKEY_(?!WiFiDirect)/.test(entry[0]),
  );
  t.true(keys.length > 0);
  for (const [name, { fmtid, pid }] of keys) {
    const initializer = new RegExp(` ${name} = (.*);`).exec(text)?.[1] ?? '';
    const [data1 = 0, data2 = 0, data3 = 0, ...rest] = (initializer.match(/\w+/g) ?? []).map(Number);
    const guid = Buffer.alloc(16);
    guid.writeUInt32LE(data1, 0);
    guid.writeUInt16LE(data2, 4);
    guid.writeUInt16LE(data3, 6);
    guid.set(rest.slice(0, 8), 8);
    t.deepEqual(guidToBytes(fmtid), guid, name);
    t.deepEqual(rest.slice(8), [pid], name);
  }
});

test('a Win32 code and its name are found from each other', (t) => {
  t.is(constants.winerrorName(5023), 'ERROR_INVALID_STATE');
  t.is(constants.winerrorName(constants.winerror.RPC_S_SERVER_UNAVAILABLE), 'RPC_S_SERVER_UNAVAILABLE');
  t.is(constants.winerrorName(31337), undefined);
});

test('a HRESULT gives the Win32 code that it wraps, and no other', (t) => {
  t.is(constants.win32OfHresult(0), 0);
  t.is(constants.win32OfHresult(0x80070490), constants.winerror.ERROR_NOT_FOUND);
  t.is(constants.win32OfHresult(-2147024809), constants.winerror.ERROR_INVALID_PARAMETER);
  t.is(constants.win32OfHresult(0x80004005), undefined);
  t.is(constants.win32OfHresult(0x80070000), undefined, 'a failure is never success');
});
