/**
 * Services, event log and security against the Windows headers by mingw-w64: every struct, constant
 * and number of parameters.
 */
import test from 'ava';
import koffi from 'koffi';
import * as aclapi from '../../native/aclapi.js';
import * as advapi32 from '../../native/advapi32.js';
import * as hostFacts from '../../native/host-facts.js';
import type { Library } from '../../native/library.js';
import * as winsvc from '../../native/winsvc.js';
import { compilerErrors, hasCompiler, mingw } from './compiler.js';
import { layout, same } from './layout.js';

const headers = `
#define _WIN32_WINNT 0x0A00
#include <windows.h>
#include <winsvc.h>
#include <aclapi.h>
#include <sddl.h>
#include <wlanapi.h>
#include <wintrust.h>
#include <powrprof.h>
#include <stddef.h>
#include <stdint.h>
`;

/** Types that only koffi needs told apart. */
const ours = 'typedef PVOID MULTI_SZ; typedef LPWSTR LOCAL_LPWSTR;';

/**
 * But WINTRUST_DATA and WLAN_INTERFACE_INFO_LIST, of which mingw-w64 has older forms; abi-metadata
 * compares those.
 */
const structs = [
  'SERVICE_TABLE_ENTRYW',
  'SERVICE_STATUS',
  'SERVICE_STATUS_PROCESS',
  'QUERY_SERVICE_CONFIGW',
  'SC_ACTION',
  'SERVICE_DESCRIPTIONW',
  'SERVICE_FAILURE_ACTIONSW',
  'SERVICE_DELAYED_AUTO_START_INFO',
  'SERVICE_FAILURE_ACTIONS_FLAG',
  'SERVICE_SID_INFO',
  'SERVICE_REQUIRED_PRIVILEGES_INFOW',
  'SERVICE_PRESHUTDOWN_INFO',
  'SECURITY_ATTRIBUTES',
  'WLAN_INTERFACE_INFO',
  'WINTRUST_FILE_INFO',
];

const withMingw = hasCompiler(mingw) ? test : test.skip;

withMingw(`every struct is laid out as on Windows (needs ${mingw})`, (t) => {
  const assertions = structs.flatMap((name) => layout(name));
  t.is(compilerErrors(mingw, [headers, ...assertions].join('\n')), '');
});

const constants = Object.entries<unknown>({ ...winsvc, ...advapi32, ...hostFacts }).filter(
  // mingw-w64 has no number for this.
  (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[0] !== 'wlan_secure_wfd_elevated_access',
);

withMingw(`every constant has the value of the Windows headers (needs ${mingw})`, (t) => {
  t.true(constants.length > 50);
  const assertions = constants.map(([name, value]) => same(name, value));
  t.is(compilerErrors(mingw, [headers, ...assertions].join('\n')), '');
});

withMingw(`HKEY_LOCAL_MACHINE is the pointer that C makes of it (needs ${mingw})`, (t) => {
  const assertion = same('(ULONG_PTR)HKEY_LOCAL_MACHINE', advapi32.HKEY_LOCAL_MACHINE).replace(/(\d{20}),/, '$1ull,');
  t.is(compilerErrors(mingw, `${headers}${assertion}`), '');
});

/** The prototypes that are bound, as the library sees them. */
function prototypes(): string[] {
  const seen: string[] = [];
  const record = (prototype: string) => {
    seen.push(prototype);
    return () => {
      throw new Error('nothing is called here');
    };
  };
  const library = { bind: record, bindSync: record, bindWithLastError: record } as unknown as Library;
  advapi32.bindAdvapi32(library);
  aclapi.bindAclapi(library, library);
  hostFacts.bindHostFacts({ wlanapi: library, wintrust: library, powrprof: library });
  return seen;
}

/**
 * A C function that makes the call of a prototype, each argument of the type that koffi has for it.
 */
function callOf(prototype: string, index: number): string {
  const [, result = '', name = '', parameters = ''] = /^(.+?) __stdcall (\w+)\((.*)\)$/.exec(prototype) ?? [];
  const types = parameters.split(', ').map((parameter) => parameter.replace(/^_Out_ /, '').replace(/\w+$/, ''));
  return `${result} call_${index}(void) { return ${name}(${types.map((type) => `(${type})0`).join(', ')}); }`;
}

withMingw(`every prototype can be called as the Windows headers have it (needs ${mingw})`, (t) => {
  const strict = ['incompatible-pointer-types', 'int-conversion', 'implicit-function-declaration'].map(
    (warning) => `#pragma GCC diagnostic error "-W${warning}"`,
  );
  const calls = prototypes().map(callOf);
  t.true(calls.length > 20);
  t.is(compilerErrors(mingw, [headers, ours, ...strict, ...calls].join('\n')), '');
});

test('an array in a struct is laid out behind a pointer, and read back the same', (t) => {
  const actions = [
    { Type: 1, Delay: 5000 },
    { Type: 1, Delay: 30_000 },
  ];
  const memory = koffi.alloc('SERVICE_FAILURE_ACTIONSW', 1);
  koffi.encode(memory, 'SERVICE_FAILURE_ACTIONSW', {
    dwResetPeriod: 60,
    lpRebootMsg: null,
    lpCommand: null,
    cActions: actions.length,
    lpsaActions: actions,
  });
  const { lpsaActions, ...rest } = koffi.decode(memory, 'SERVICE_FAILURE_ACTIONSW');
  t.deepEqual(rest, { dwResetPeriod: 60, lpRebootMsg: null, lpCommand: null, cActions: 2 });
  t.deepEqual(koffi.decode(lpsaActions, 'SC_ACTION', 2), actions);
  koffi.free(memory);
});

test('strings become one MULTI_SZ', (t) => {
  t.is(winsvc.multiSz(['ab', 'c']).toString('utf16le'), 'ab\0c\0\0');
});
