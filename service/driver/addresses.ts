/** The IP addresses at both ends of a link, from the tables of the host. */
import { AF_UNSPEC, IpDadStatePreferred, NlnsIncomplete, NlnsUnreachable, winerror } from '../../native/constants.js';
import type { Iphlpapi } from '../../native/iphlpapi.js';
import type { InetAddress, IpNetRow, UnicastIpAddressRow } from '../../native/netioapi.js';
import { macFromBytes } from '../../native/types.js';
import { Multimap } from '../multimap.js';
import type { NativeCalls } from './native-calls.js';
import { win32Code } from './win32-error.js';

/** The addresses of the host and its neighbours, on some interfaces. */
export interface AddressTables {
  readonly local: readonly UnicastIpAddressRow[];
  readonly neighbours: readonly IpNetRow[];
}

/** Both tables, of these interfaces; undefined where the host can't tell, which is not the same as none. */
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

/** The tables of one interface each, made in one pass over both. */
export function byInterface({ local, neighbours }: AddressTables): (luid: bigint) => AddressTables {
  const locals = new Multimap<bigint, UnicastIpAddressRow>();
  const stations = new Multimap<bigint, IpNetRow>();
  for (const row of local) locals.add(row.InterfaceLuid, row);
  for (const row of neighbours) stations.add(row.InterfaceLuid, row);
  return (luid) => ({ local: [...locals.get(luid)], neighbours: [...stations.get(luid)] });
}

/** The usable local addresses of an interface: those that duplicate address detection has passed. */
export function localAddresses({ local }: AddressTables, luid: bigint): string[] {
  return texts(local.filter((row) => row.InterfaceLuid === luid && row.DadState === IpDadStatePreferred));
}

/**
 * The addresses of the peer: the neighbours with its interface address. Where that is not known, the only station on the link
 * must be the peer; on an interface that several sessions share, nothing is guessed.
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

/** It has answered once, and has not stopped answering. */
function isReached({ State }: IpNetRow): boolean {
  return State !== NlnsUnreachable && State !== NlnsIncomplete;
}

/** A single station's address: six octets, no group bit, not all zero. */
function isStation({ PhysicalAddress }: IpNetRow): boolean {
  return (
    PhysicalAddress.length === 6 && ((PhysicalAddress[0] ?? 1) & 1) === 0 && PhysicalAddress.some((octet) => octet > 0)
  );
}

function addressOf({ PhysicalAddress }: IpNetRow): string {
  return macFromBytes(PhysicalAddress);
}

/** In one order always, IPv4 first, so that only a change is one. */
function texts(rows: readonly { readonly Address: InetAddress; readonly InterfaceIndex: number }[]): string[] {
  return rows
    .map(({ Address: { family, address }, InterfaceIndex }) => ({
      family,
      // The tables leave the zone out at times; it is the interface.
      text: isLinkLocal(address) ? `${address}%${InterfaceIndex}` : address,
    }))
    .sort((a, b) => a.family - b.family || (a.text < b.text ? -1 : 1))
    .map(({ text }) => text);
}

/** fe80::/10 */
function isLinkLocal(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address);
}
