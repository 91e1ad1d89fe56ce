/** The addresses at both ends of a link, from tables as Windows gives them. */
import test from 'ava';
import {
  AF_INET,
  AF_INET6,
  IpDadStateDeprecated,
  IpDadStateDuplicate,
  IpDadStateInvalid,
  IpDadStatePreferred,
  IpDadStateTentative,
  NlnsDelay,
  NlnsIncomplete,
  NlnsPermanent,
  NlnsProbe,
  NlnsReachable,
  NlnsStale,
  NlnsUnreachable,
} from '../../native/constants.js';
import type { Iphlpapi } from '../../native/iphlpapi.js';
import type { IpNetRow, UnicastIpAddressRow } from '../../native/netioapi.js';
import { macToBytes } from '../../native/types.js';
import { localAddresses, peerAddresses, readAddressTables } from '../../service/driver/addresses.js';
import { NativeCalls } from '../../service/driver/native-calls.js';

const luid = 0x47_0000_8001_0000_00n;
const other = 0x47_0000_8002_0000_00n;
const peer = '02:11:22:33:44:81';
const stranger = '02:11:22:33:44:82';

function inet(address: string) {
  return { family: address.includes(':') ? AF_INET6 : AF_INET, address, scopeId: 0 };
}

function local(address: string, DadState: number = IpDadStatePreferred, InterfaceLuid = luid): UnicastIpAddressRow {
  return { Address: inet(address), InterfaceLuid, InterfaceIndex: 23, OnLinkPrefixLength: 24, DadState };
}

function neighbour(
  address: string,
  mac: string,
  State: number = NlnsReachable,
  InterfaceLuid: bigint = luid,
): IpNetRow {
  const PhysicalAddress = mac === '' ? Buffer.alloc(0) : macToBytes(mac);
  return { Address: inet(address), InterfaceLuid, InterfaceIndex: 23, PhysicalAddress, State };
}

const locals = (...rows: UnicastIpAddressRow[]) => localAddresses({ local: rows, neighbours: [] }, luid);
const peers = (rows: IpNetRow[], interfaceAddress: string | undefined, isShared = false) =>
  peerAddresses({ local: [], neighbours: rows }, luid, interfaceAddress, isShared);

test('local addresses are those of the interface, IPv4 first, link-local ones with their zone', (t) => {
  t.deepEqual(
    locals(
      local('fe80::1'),
      local('2001:db8::7'),
      local('192.168.49.1'),
      local('10.0.0.1'),
      local('203.0.113.9', IpDadStatePreferred, other),
    ),
    ['10.0.0.1', '192.168.49.1', '2001:db8::7', 'fe80::1%23'],
  );
});

test('an address that may not be used, or not yet, is none', (t) => {
  const states = [IpDadStateInvalid, IpDadStateTentative, IpDadStateDuplicate, IpDadStateDeprecated];
  t.deepEqual(locals(...states.map((state, index) => local(`10.0.0.${index}`, state))), []);
});

test('the whole of fe80::/10 is link-local, and nothing beside it', (t) => {
  t.deepEqual(locals(local('fe80::1'), local('febf::1'), local('fec0::1'), local('fd00::1'), local('fe7f::1')), [
    'fd00::1',
    'fe7f::1',
    'fe80::1%23',
    'febf::1%23',
    'fec0::1',
  ]);
});

test('the peer is the neighbour with the interface address of the device', (t) => {
  const rows = [
    neighbour('fe80::2', peer),
    neighbour('192.168.49.2', peer),
    neighbour('192.168.49.3', stranger),
    neighbour('192.168.49.4', peer, NlnsReachable, other),
  ];
  t.deepEqual(peers(rows, peer), ['192.168.49.2', 'fe80::2%23']);
  t.deepEqual(peers(rows, peer, true), ['192.168.49.2', 'fe80::2%23']);
  t.deepEqual(peers(rows, '02:00:00:00:00:01'), []);
});

test('a neighbour counts from its first answer until it stops answering', (t) => {
  const isShown = (state: number) => peers([neighbour('10.0.0.2', peer, state)], peer).length === 1;
  for (const state of [NlnsProbe, NlnsDelay, NlnsStale, NlnsReachable, NlnsPermanent]) t.true(isShown(state));
  for (const state of [NlnsUnreachable, NlnsIncomplete]) t.false(isShown(state));
});

test('where the device does not say, the only station is the peer, with all its addresses', (t) => {
  const rows = [
    neighbour('192.168.49.2', peer),
    neighbour('fe80::2', peer),
    neighbour('224.0.0.22', '01:00:5e:00:00:16', NlnsPermanent),
    neighbour('ff02::16', '33:33:00:00:00:16', NlnsPermanent),
    neighbour('192.168.49.255', 'ff:ff:ff:ff:ff:ff', NlnsPermanent),
    neighbour('192.168.49.7', '00:00:00:00:00:00'),
    neighbour('192.168.49.8', ''),
  ];
  t.deepEqual(peers(rows, undefined), ['192.168.49.2', 'fe80::2%23']);
});

test('of several stations none is guessed, and none on an interface that sessions share', (t) => {
  const one = [neighbour('192.168.49.2', peer)];
  t.deepEqual(peers([...one, neighbour('192.168.49.3', stranger)], undefined), []);
  t.deepEqual(peers(one, undefined, true), []);
  t.deepEqual(peers([], undefined), []);
});

const calls = () =>
  new NativeCalls(
    { nativeCallsMax: 4, slowCallsMax: 1, nativeCallWarnMs: 60_000 },
    { onNativeReturned: () => {}, onNativeSlow: () => {} },
  );

/** The two functions, with these codes. */
function tables(localCode: number, neighbourCode: number): Iphlpapi {
  const table =
    <Row>(code: number, row: Row) =>
    async () => ({ code, Table: code === 0 ? [row] : [] });
  return {
    GetUnicastIpAddressTable: table(localCode, local('10.0.0.1')),
    GetIpNetTable2: table(neighbourCode, neighbour('10.0.0.2', peer)),
  } as unknown as Iphlpapi;
}

test('a table that is empty is one; a table that Windows does not give is none', async (t) => {
  const read = (...codes: [number, number]) => readAddressTables(tables(...codes), calls(), new Set([luid]));
  t.like(await read(0, 0), { local: { length: 1 }, neighbours: { length: 1 } });
  t.like(await read(0, 1168), { local: { length: 1 }, neighbours: { length: 0 } });
  t.like(await read(1168, 0), { local: { length: 0 }, neighbours: { length: 1 } });
  t.is(await read(8, 0), undefined);
  t.is(await read(0, 14), undefined);
});
