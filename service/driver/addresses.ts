/** The IP addresses at both ends of a link, from the address tables of the host. */
import { AF_UNSPEC, IpDadStatePreferred, NlnsIncomplete, NlnsUnreachable, winerror } from '../../native/constants.js';
import type { Iphlpapi } from '../../native/iphlpapi.js';
import type { InetAddress, IpNetRow, UnicastIpAddressRow } from '../../native/netioapi.js';
import { macFromBytes } from '../../native/types.js';
import { Multimap } from '../multimap.js';
import type { NativeCalls } from './native-calls.js';
import { win32Code } from './win32-error.js';

/** The addresses of this host and of its neighbours on some interfaces. */
export interface AddressTables {
  readonly local: readonly UnicastIpAddressRow[];
  readonly neighbours: readonly IpNetRow[];
}

/**
 * Reads both tables for these interfaces. Undefined, which does not mean empty, if a read fails.
 */
export async function readAddressTables(
  iphlpapi: Iphlpapi,
  calls: NativeCalls,
  luids: ReadonlySet<bigint>,
): Promise<AddressTables | undefined> {
  const [local, neighbours] = await Promise.all([
    calls.ask('GetUnicastIpAddressTable', () => iphlpapi.GetUnicastIpAddressTable(AF_UNSPEC, luids)).then(rowsOf),
    calls.ask('GetIpNetTable2', () => iphlpapi.GetIpNetTable2(AF_UNSPEC, luids)).then(rowsOf),
  ]);
  return local && neighbours && { local, neighbours };
}

/** Splits the tables by interface, in one pass. */
export function byInterface({ local, neighbours }: AddressTables): (luid: bigint) => AddressTables {
  const locals = new Multimap<bigint, UnicastIpAddressRow>();
  const stations = new Multimap<bigint, IpNetRow>();
  for (const row of local) locals.add(row.InterfaceLuid, row);
  for (const row of neighbours) stations.add(row.InterfaceLuid, row);
  return (luid) => ({ local: [...locals.get(luid)], neighbours: [...stations.get(luid)] });
}

/**
 * The usable local addresses of an interface: those that have passed duplicate address detection.
 */
export function localAddresses({ local }: AddressTables, luid: bigint): string[] {
  return texts(local.filter((row) => row.InterfaceLuid === luid && row.DadState === IpDadStatePreferred));
}

/**
 * The addresses of the peer: those of the neighbours with its interface address. If that address is
 * not known and there is only one station on the link, the station is the peer. If several sessions
 * share the interface, nothing is guessed.
 */
export function peerAddresses(
  { neighbours }: AddressTables,
  luid: bigint,
  interfaceAddress: string | undefined,
  isShared: boolean,
): string[] {
  const stations = neighbours.filter((row) => row.InterfaceLuid === luid && isReached(row) && isStation(row));
  if (interfaceAddress !== undefined) return texts(stations.filter((row) => addressOf(row) === interfaceAddress));
  const isAlone = new Set(stations.map(addressOf)).size === 1;
  return isAlone && !isShared ? texts(stations) : [];
}

function rowsOf<Row>(read: { readonly code: number; readonly Table: readonly Row[] } | undefined) {
  if (read === undefined) return undefined;
  if (win32Code(read.code) === winerror.ERROR_NOT_FOUND) return [];
  return read.code === winerror.ERROR_SUCCESS ? read.Table : undefined;
}

/** Whether the neighbour has answered and has not stopped answering. */
function isReached({ State }: IpNetRow): boolean {
  return State !== NlnsUnreachable && State !== NlnsIncomplete;
}

/** Whether the address is that of a single station: six octets, no group bit, not all zero. */
function isStation({ PhysicalAddress }: IpNetRow): boolean {
  return (
    PhysicalAddress.length === 6 && ((PhysicalAddress[0] ?? 1) & 1) === 0 && PhysicalAddress.some((octet) => octet > 0)
  );
}

function addressOf({ PhysicalAddress }: IpNetRow): string {
  return macFromBytes(PhysicalAddress);
}

/** Always in the same order, IPv4 first, so that a different order is not taken for a change. */
function texts(rows: readonly { readonly Address: InetAddress; readonly InterfaceIndex: number }[]): string[] {
  return rows
    .map(({ Address: { family, address }, InterfaceIndex }) => ({
      family,
      // The tables sometimes omit the zone. It is the interface.
      text: isLinkLocal(address) ? `${address}%${InterfaceIndex}` : address,
    }))
    .sort((a, b) => a.family - b.family || (a.text < b.text ? -1 : 1))
    .map(({ text }) => text);
}

/** fe80::/10 */
function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address);
}
