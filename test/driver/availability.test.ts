/** What a host can do, from what its libraries lack. */
import test from 'ava';
import { LibraryNotAvailable } from '../../native/library.js';
import { evidenceKinds, firstMissing, incomplete, requiredToOpen } from '../../service/driver/availability.js';

const lacking = (library: string, ...functions: (string | undefined)[]) =>
  functions.map((name) => new LibraryNotAvailable(library, name, 'not there'));

test('a host that has everything finds every kind of evidence, strongest first', (t) => {
  t.deepEqual(evidenceKinds([]), ['DEVICE_DISCONNECTED', 'INTERFACE_GONE', 'INTERFACE_DOWN']);
});

for (const [what, missing, kinds] of [
  ['DevCreateObjectQuery', lacking('cfgmgr32.dll', 'DevCreateObjectQuery'), ['INTERFACE_GONE', 'INTERFACE_DOWN']],
  ['DevCloseObjectQuery', lacking('cfgmgr32.dll', 'DevCloseObjectQuery'), ['INTERFACE_GONE', 'INTERFACE_DOWN']],
  ['cfgmgr32.dll', lacking('cfgmgr32.dll', undefined), ['INTERFACE_GONE', 'INTERFACE_DOWN']],
  ['GetIfEntry2', lacking('iphlpapi.dll', 'GetIfEntry2'), ['DEVICE_DISCONNECTED']],
  ['ConvertInterfaceGuidToLuid', lacking('iphlpapi.dll', 'ConvertInterfaceGuidToLuid'), ['DEVICE_DISCONNECTED']],
  ['iphlpapi.dll', lacking('IPHLPAPI.DLL', undefined), ['DEVICE_DISCONNECTED']],
  ['one file that stands for all', lacking('libwfdsim.so', undefined), []],
  [
    'notifications',
    lacking('iphlpapi.dll', 'NotifyIpInterfaceChange'),
    ['DEVICE_DISCONNECTED', 'INTERFACE_GONE', 'INTERFACE_DOWN'],
  ],
  ['wlanapi.dll', lacking('wlanapi.dll', undefined), ['DEVICE_DISCONNECTED', 'INTERFACE_GONE', 'INTERFACE_DOWN']],
] as const) {
  test(`without ${what} there is ${kinds.join(', ') || 'none'}`, (t) => {
    t.deepEqual(evidenceKinds(missing), [...kinds]);
  });
}

test('a session needs all that its whole life takes', (t) => {
  const lacks = (name: string, kind: keyof typeof requiredToOpen) =>
    firstMissing(lacking('wlanapi.dll', name), requiredToOpen[kind])?.function;
  for (const name of ['WFDOpenHandle', 'WFDCloseHandle', 'WFDCloseSession']) {
    t.is(lacks(name, 'WIFI_DIRECT'), name);
    t.is(lacks(name, 'LEGACY'), name);
  }
  for (const name of ['WFDStartOpenSession', 'WFDCancelOpenSession']) {
    t.is(lacks(name, 'WIFI_DIRECT'), name);
    t.is(lacks(name, 'LEGACY'), undefined);
  }
  t.is(lacks('WFDOpenLegacySession', 'LEGACY'), 'WFDOpenLegacySession');
  t.is(lacks('WFDOpenLegacySession', 'WIFI_DIRECT'), undefined);
  t.is(lacks('WFDUpdateDeviceVisibility', 'WIFI_DIRECT'), undefined);
});

test('the first that is missing is named, in the order in which it was looked for', (t) => {
  const missing = lacking('wlanapi.dll', 'WFDUpdateDeviceVisibility', 'WFDCloseSession', 'WFDOpenHandle');
  t.is(firstMissing(missing, requiredToOpen.WIFI_DIRECT)?.function, 'WFDCloseSession');
  t.is(firstMissing([], requiredToOpen.WIFI_DIRECT), undefined);
});

test('all that is missing is one reason, with every name; nothing missing is none', (t) => {
  t.is(incomplete([]), undefined);
  t.is(incomplete(lacking('wlanapi.dll', undefined))?.message, 'This host has no wlanapi.dll: not there');
  const missing = [
    ...lacking('wlanapi.dll', 'WFDOpenLegacySession', 'WFDUpdateDeviceVisibility'),
    ...lacking('cfgmgr32.dll', undefined),
  ];
  t.like(incomplete(missing), {
    reason: 'DRIVER_NOT_AVAILABLE',
    message:
      'This host has no WFDOpenLegacySession, WFDUpdateDeviceVisibility of wlanapi.dll, no cfgmgr32.dll; what needs them is UNIMPLEMENTED.',
    metadata: { library: 'wlanapi.dll', function: 'WFDOpenLegacySession' },
  });
});
