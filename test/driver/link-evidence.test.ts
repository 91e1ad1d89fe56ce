/** How a link is assessed, in every order of what device and interface report. */
import test from 'ava';
import fc from 'fast-check';
import type { InterfaceRow } from '../../native/netioapi.js';
import type { DeviceProperties } from '../../service/driver/driver.js';
import {
  assess,
  type InterfaceStatus,
  initialObservation,
  interfaceStatus,
  type LinkAge,
  type LinkObservation,
} from '../../service/driver/link-evidence.js';
import type { DisconnectEvidence } from '../../service/session/session.js';

type Says = boolean | undefined | 'unknown';

/**
 * One look: what the interface shows, and what the device says; `unknown`: the host can't tell
 * devices.
 */
type Look = readonly [InterfaceStatus, Says, LinkAge?];

const young: LinkAge = { isSettled: false, isClosing: false };
const settled: LinkAge = { isSettled: true, isClosing: false };
const closing: LinkAge = { isSettled: false, isClosing: true };
const closingLate: LinkAge = { isSettled: true, isClosing: true };

function deviceThat(says: Says): DeviceProperties | undefined {
  if (says === 'unknown') return undefined;
  return {
    address: '02:11:22:33:44:01',
    name: '',
    isConnected: says,
    isVisible: undefined,
    isLegacy: undefined,
    linkQuality: undefined,
    interfaceGuid: undefined,
    interfaceAddress: undefined,
    groupId: undefined,
    isPresent: undefined,
    isTransient: undefined,
  };
}

/** The evidence of each look. */
function evidence(...looks: readonly Look[]) {
  let observation: LinkObservation = initialObservation;
  return looks.map(([status, says, age = young]) => {
    const assessed = assess(observation, status, deviceThat(says), age);
    observation = assessed.observation;
    return assessed.evidence;
  });
}

const upAndConnected: Look = ['UP', true];

const rows: readonly [string, readonly Look[], DisconnectEvidence | undefined][] = [
  ['up and connected', [upAndConnected, upAndConnected], undefined],
  ['the device says no', [upAndConnected, ['UP', false]], 'DEVICE_DISCONNECTED'],
  ['the device says nothing any more', [upAndConnected, ['UP', undefined]], 'DEVICE_DISCONNECTED'],
  ['the device is not there any more', [upAndConnected, ['UP', 'unknown']], 'DEVICE_DISCONNECTED'],
  ['both at once: the device comes first', [upAndConnected, ['GONE', false]], 'DEVICE_DISCONNECTED'],
  ['the interface first: the device gets one more look', [upAndConnected, ['GONE', true]], undefined],
  ['the interface first, then the device', [upAndConnected, ['GONE', true], ['GONE', false]], 'DEVICE_DISCONNECTED'],
  ['the interface, and the device does not follow', [upAndConnected, ['GONE', true], ['GONE', true]], 'INTERFACE_GONE'],
  ['likewise when it is down', [upAndConnected, ['DOWN', true], ['DOWN', true]], 'INTERFACE_DOWN'],
  ['down, then gone', [upAndConnected, ['DOWN', true], ['GONE', true]], 'INTERFACE_GONE'],
  ['a moment of weakness', [upAndConnected, ['DOWN', true], upAndConnected, ['DOWN', true]], undefined],
  ['no answer of the interface means nothing', [upAndConnected, ['UNKNOWN', true], ['UNKNOWN', true]], undefined],
  ['no answer of the interface, and the device says no', [upAndConnected, ['UNKNOWN', false]], 'DEVICE_DISCONNECTED'],
  [
    'nothing has come up yet',
    [
      ['DOWN', false],
      ['DOWN', undefined],
      ['ABSENT', false],
    ],
    undefined,
  ],
  [
    'a device that follows late',
    [
      ['UP', false],
      ['UP', undefined],
      ['UP', true],
    ],
    undefined,
  ],
  [
    'an interface that follows late',
    [
      ['DOWN', true],
      ['DOWN', true],
      ['UP', true],
    ],
    undefined,
  ],
  [
    'a device that never follows',
    [
      ['UP', false],
      ['UP', false, settled],
    ],
    undefined,
  ],
  [
    'a device that never follows, and the interface goes',
    [
      ['UP', false],
      ['DOWN', false],
    ],
    'INTERFACE_DOWN',
  ],
  [
    'an interface that goes before it was up',
    [
      ['DOWN', false],
      ['GONE', false],
    ],
    'INTERFACE_GONE',
  ],
  [
    'nothing came up in its time',
    [
      ['DOWN', false],
      ['DOWN', false, settled],
    ],
    'INTERFACE_DOWN',
  ],
  [
    'the interface never was there',
    [
      ['ABSENT', undefined],
      ['ABSENT', undefined, settled],
    ],
    'INTERFACE_GONE',
  ],
  [
    'never there, though the device is connected',
    [
      ['ABSENT', true],
      ['ABSENT', true, settled],
    ],
    undefined,
  ],
  [
    'never up, though the device is connected',
    [
      ['DOWN', true],
      ['DOWN', true, settled],
    ],
    undefined,
  ],
  [
    'no device API: up, then down',
    [
      ['UP', 'unknown'],
      ['DOWN', 'unknown'],
    ],
    'INTERFACE_DOWN',
  ],
  [
    'no device API: up, then gone',
    [
      ['UP', 'unknown'],
      ['GONE', 'unknown'],
    ],
    'INTERFACE_GONE',
  ],
  [
    'neither API',
    [
      ['UNKNOWN', 'unknown'],
      ['UNKNOWN', 'unknown', closingLate],
    ],
    undefined,
  ],
  ['closed before it was seen connected', [['UP', false, closing]], undefined],
  [
    'the same, when it would have been seen',
    [
      ['UP', false, closing],
      ['UP', false, closingLate],
    ],
    'DEVICE_DISCONNECTED',
  ],
  ['closing, and still connected', [upAndConnected, ['UP', true, closingLate]], undefined],
];

for (const [what, looks, expected] of rows) {
  test(`${what}: ${expected ?? 'not lost'}`, (t) => {
    const found = evidence(...looks);
    t.is(found.at(-1), expected);
    t.deepEqual(found.slice(0, -1), Array(looks.length - 1).fill(undefined));
  });
}

const statuses = fc.constantFrom<InterfaceStatus[]>('UP', 'DOWN', 'GONE', 'ABSENT', 'UNKNOWN');
const says = fc.constantFrom<Says[]>(true, false, undefined, 'unknown');

test('a connected device is never lost at the first look that says otherwise', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(statuses, says)), statuses, (looks, link) => {
      t.is(evidence(...looks, upAndConnected, [link, true]).at(-1), undefined);
    }),
  );
});

test('a device that was connected and is not is lost, whatever the interface shows', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(statuses, says)), statuses, fc.constantFrom(false, undefined), (looks, link, no) => {
      t.is(evidence(...looks, ['UP', true], [link, no]).at(-1), 'DEVICE_DISCONNECTED');
    }),
  );
});

test('what the interface does not show is never its evidence', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(statuses, says)), says, (looks, device) => {
      for (const link of ['UP', 'UNKNOWN'] as const) {
        const last = evidence(...looks, [link, device, closingLate]).at(-1);
        t.true(last === undefined || last === 'DEVICE_DISCONNECTED');
      }
    }),
  );
});

function rowWith(OperStatus: number, MediaConnectState: number, NotMediaConnected: boolean): InterfaceRow {
  return {
    InterfaceLuid: 1n,
    InterfaceIndex: 1,
    InterfaceGuid: '',
    Alias: '',
    InterfaceAndOperStatusFlags: { NotMediaConnected },
    OperStatus,
    MediaConnectState,
  };
}

test('an interface is up where it is operational and its medium is not said to be disconnected', (t) => {
  const status = (...row: Parameters<typeof rowWith>) => interfaceStatus(0, rowWith(...row));
  t.is(status(1, 1, false), 'UP');
  t.is(status(1, 0, false), 'UP', 'MediaConnectStateUnknown');
  t.is(status(1, 2, false), 'DOWN');
  t.is(status(1, 1, true), 'DOWN');
  for (const operStatus of [2, 3, 4, 5, 6, 7]) t.is(status(operStatus, 1, false), 'DOWN');
});

test('an interface is gone where Windows says that there is none, and nowhere else', (t) => {
  t.is(interfaceStatus(2, rowWith(1, 1, false)), 'GONE');
  for (const code of [5, 8, 31, 87, 1168]) t.is(interfaceStatus(code, rowWith(1, 1, false)), 'UNKNOWN');
});
