/**
 * The structs of `netioapi.h` that iphlpapi.dll takes and returns: their layout, field by field as
 * Microsoft writes it, and the fields that are passed on as plain values. The functions are in
 * iphlpapi.ts.
 *
 * Invariant: a layout changes only together with the ABI test, which compares every size and offset
 * with what C compilers make of Microsoft's headers.
 *
 * Source: learn.microsoft.com/windows/win32/api/netioapi
 */
import { SocketAddress } from 'node:net';
import koffi from 'koffi';
import { AF_INET, AF_INET6 } from './constants.js';
import { type GuidStruct, guidFromStruct, toBigInt } from './types.js';

/** The bit of MIB_IF_ROW2.InterfaceAndOperStatusFlags.NotMediaConnected. */
const NOT_MEDIA_CONNECTED = 0x10;

const octets = (count: number) => koffi.array('UCHAR', count, 'Buffer');
const ulong64s = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 'ULONG64']));
const ulongs = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 'ULONG']));
const booleans = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 'BOOLEAN']));

/** Enumerations are `int` in C; their values are in constants.ts. */
const enums = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 'int32_t']));

koffi.struct('MIB_IF_ROW2', {
  InterfaceLuid: 'NET_LUID',
  InterfaceIndex: 'NET_IFINDEX',
  InterfaceGuid: 'GUID',
  Alias: koffi.array('WCHAR', 257, 'String'),
  Description: koffi.array('WCHAR', 257, 'String'),
  PhysicalAddressLength: 'ULONG',
  PhysicalAddress: octets(32),
  PermanentPhysicalAddress: octets(32),
  ...ulongs('Mtu', 'Type'),
  ...enums('TunnelType', 'MediaType', 'PhysicalMediumType', 'AccessType', 'DirectionType'),
  /** Eight bit-fields in C. */
  InterfaceAndOperStatusFlags: 'BOOLEAN',
  ...enums('OperStatus', 'AdminStatus', 'MediaConnectState'),
  NetworkGuid: 'GUID',
  ...enums('ConnectionType'),
  ...ulong64s('TransmitLinkSpeed', 'ReceiveLinkSpeed'),
  ...ulong64s('InOctets', 'InUcastPkts', 'InNUcastPkts', 'InDiscards', 'InErrors', 'InUnknownProtos'),
  ...ulong64s('InUcastOctets', 'InMulticastOctets', 'InBroadcastOctets'),
  ...ulong64s('OutOctets', 'OutUcastPkts', 'OutNUcastPkts', 'OutDiscards', 'OutErrors'),
  ...ulong64s('OutUcastOctets', 'OutMulticastOctets', 'OutBroadcastOctets', 'OutQLen'),
});

koffi.struct('MIB_IPINTERFACE_ROW', {
  Family: 'ADDRESS_FAMILY',
  InterfaceLuid: 'NET_LUID',
  InterfaceIndex: 'NET_IFINDEX',
  ...ulongs('MaxReassemblySize'),
  ...ulong64s('InterfaceIdentifier'),
  ...ulongs('MinRouterAdvertisementInterval', 'MaxRouterAdvertisementInterval'),
  ...booleans('AdvertisingEnabled', 'ForwardingEnabled', 'WeakHostSend', 'WeakHostReceive', 'UseAutomaticMetric'),
  ...booleans('UseNeighborUnreachabilityDetection', 'ManagedAddressConfigurationSupported'),
  ...booleans('OtherStatefulConfigurationSupported', 'AdvertiseDefaultRoute'),
  ...enums('RouterDiscoveryBehavior'),
  ...ulongs('DadTransmits', 'BaseReachableTime', 'RetransmitTime', 'PathMtuDiscoveryTimeout'),
  ...enums('LinkLocalAddressBehavior'),
  ...ulongs('LinkLocalAddressTimeout'),
  ZoneIndices: koffi.array('ULONG', 16),
  ...ulongs('SitePrefixLength', 'Metric', 'NlMtu'),
  ...booleans('Connected', 'SupportsWakeUpPatterns', 'SupportsNeighborDiscovery', 'SupportsRouterDiscovery'),
  ...ulongs('ReachableTime'),
  /** Eight bit-fields each in C. */
  ...booleans('TransmitOffload', 'ReceiveOffload'),
  ...booleans('DisableDefaultRoutes'),
});

koffi.struct('SOCKADDR_IN', {
  sin_family: 'ADDRESS_FAMILY',
  sin_port: 'USHORT',
  /** A union with a ULONG in C, and aligned like one. */
  sin_addr: [4, octets(4)],
  sin_zero: octets(8),
});
koffi.struct('SOCKADDR_IN6', {
  sin6_family: 'ADDRESS_FAMILY',
  sin6_port: 'USHORT',
  sin6_flowinfo: 'ULONG',
  sin6_addr: octets(16),
  sin6_scope_id: 'ULONG',
});
koffi.union('SOCKADDR_INET', { Ipv4: 'SOCKADDR_IN', Ipv6: 'SOCKADDR_IN6', si_family: 'ADDRESS_FAMILY' });

koffi.struct('MIB_UNICASTIPADDRESS_ROW', {
  Address: 'SOCKADDR_INET',
  InterfaceLuid: 'NET_LUID',
  InterfaceIndex: 'NET_IFINDEX',
  ...enums('PrefixOrigin', 'SuffixOrigin'),
  ...ulongs('ValidLifetime', 'PreferredLifetime'),
  OnLinkPrefixLength: 'UCHAR',
  SkipAsSource: 'BOOLEAN',
  ...enums('DadState'),
  ScopeId: 'ULONG',
  CreationTimeStamp: 'int64_t',
});
koffi.struct('MIB_UNICASTIPADDRESS_TABLE', { NumEntries: 'ULONG', Table: koffi.array('MIB_UNICASTIPADDRESS_ROW', 1) });

koffi.struct('MIB_IPNET_ROW2', {
  Address: 'SOCKADDR_INET',
  InterfaceIndex: 'NET_IFINDEX',
  InterfaceLuid: 'NET_LUID',
  PhysicalAddress: octets(32),
  PhysicalAddressLength: 'ULONG',
  ...enums('State'),
  Flags: 'UCHAR',
  /** A union of two ULONGs in C. */
  ReachabilityTime: 'ULONG',
});
koffi.struct('MIB_IPNET_TABLE2', { NumEntries: 'ULONG', Table: koffi.array('MIB_IPNET_ROW2', 1) });

koffi.alias('MIB_NOTIFICATION_TYPE', 'int32_t');
koffi.alias('PMIB_IF_ROW2', 'MIB_IF_ROW2 *');
koffi.alias('PMIB_IPINTERFACE_ROW', 'MIB_IPINTERFACE_ROW *');
koffi.alias('PMIB_UNICASTIPADDRESS_ROW', 'MIB_UNICASTIPADDRESS_ROW *');
koffi.alias('PMIB_UNICASTIPADDRESS_TABLE', 'MIB_UNICASTIPADDRESS_TABLE *');
koffi.alias('PMIB_IPNET_TABLE2', 'MIB_IPNET_TABLE2 *');

/** The fields of a MIB_IF_ROW2 that matter for a session. */
export interface InterfaceRow {
  readonly InterfaceLuid: bigint;
  readonly InterfaceIndex: number;
  readonly InterfaceGuid: string;
  readonly Alias: string;
  readonly Description: string;
  readonly PhysicalAddress: Buffer;
  readonly Type: number;
  readonly PhysicalMediumType: number;
  /**
   * Bit-fields. `NotMediaConnected` is set for a wireless adapter without a connection to a
   * network.
   */
  readonly InterfaceAndOperStatusFlags: { readonly NotMediaConnected: boolean };
  readonly OperStatus: number;
  readonly AdminStatus: number;
  readonly MediaConnectState: number;
}

/** A SOCKADDR_INET. `address` is empty if `family` is neither AF_INET nor AF_INET6. */
export interface InetAddress {
  readonly family: number;
  /** Without a zone; an IPv6 address in its short form. */
  readonly address: string;
  /** `sin6_scope_id`, the zone of a link-local IPv6 address on this host; otherwise 0. */
  readonly scopeId: number;
}

/** A row of GetUnicastIpAddressTable: a local address. */
export interface UnicastIpAddressRow {
  readonly Address: InetAddress;
  readonly InterfaceLuid: bigint;
  readonly InterfaceIndex: number;
  readonly OnLinkPrefixLength: number;
  /** NL_DAD_STATE */
  readonly DadState: number;
}

/** A row of GetIpNetTable2: a neighbour, such as the peer of a session. */
export interface IpNetRow {
  readonly Address: InetAddress;
  readonly InterfaceLuid: bigint;
  readonly InterfaceIndex: number;
  /** As many octets as the row says; empty if the address is not known. */
  readonly PhysicalAddress: Buffer;
  /** NL_NEIGHBOR_STATE */
  readonly State: number;
}

/** The fields of a change notification's row: which interface has changed. */
export interface ChangedRow {
  readonly Family: number;
  readonly InterfaceLuid: bigint;
  readonly InterfaceIndex: number;
}

/** A struct as koffi reads it. Fields that are passed on in another form have koffi's form here. */
type Raw<Row, Form> = Omit<Row, keyof Form> & Form;

interface RawLuid {
  /** koffi returns a ULONG64 as a number if that is exact. */
  readonly InterfaceLuid: number | bigint;
}

interface RawAddress {
  readonly Address: {
    readonly si_family: number;
    readonly Ipv4: { readonly sin_addr: Buffer };
    readonly Ipv6: { readonly sin6_addr: Buffer; readonly sin6_scope_id: number };
  };
}

type RawInterface = RawLuid & {
  readonly InterfaceGuid: GuidStruct;
  readonly PhysicalAddressLength: number;
  readonly InterfaceAndOperStatusFlags: number;
};

/** Reads the MIB_IF_ROW2 at `row`. */
export function interfaceRow(row: Buffer): InterfaceRow {
  const raw: Raw<InterfaceRow, RawInterface> = koffi.decode(row, 'MIB_IF_ROW2');
  return {
    InterfaceLuid: toBigInt(raw.InterfaceLuid),
    InterfaceIndex: raw.InterfaceIndex,
    InterfaceGuid: guidFromStruct(raw.InterfaceGuid),
    Alias: raw.Alias,
    Description: raw.Description,
    PhysicalAddress: raw.PhysicalAddress.subarray(0, raw.PhysicalAddressLength),
    Type: raw.Type,
    PhysicalMediumType: raw.PhysicalMediumType,
    InterfaceAndOperStatusFlags: { NotMediaConnected: (raw.InterfaceAndOperStatusFlags & NOT_MEDIA_CONNECTED) !== 0 },
    OperStatus: raw.OperStatus,
    AdminStatus: raw.AdminStatus,
    MediaConnectState: raw.MediaConnectState,
  };
}

/** The rows of the MIB_UNICASTIPADDRESS_TABLE at `table`. */
export function unicastIpAddressRows(table: bigint, of?: ReadonlySet<bigint>): UnicastIpAddressRow[] {
  const rows: Raw<UnicastIpAddressRow, RawLuid & RawAddress>[] = tableRows(
    table,
    'MIB_UNICASTIPADDRESS_TABLE',
    'MIB_UNICASTIPADDRESS_ROW',
    of,
  );
  return rows.map((raw) => ({
    Address: inetAddress(raw.Address),
    InterfaceLuid: toBigInt(raw.InterfaceLuid),
    InterfaceIndex: raw.InterfaceIndex,
    OnLinkPrefixLength: raw.OnLinkPrefixLength,
    DadState: raw.DadState,
  }));
}

/** The rows of the MIB_IPNET_TABLE2 at `table`. */
export function ipNetRows(table: bigint, of?: ReadonlySet<bigint>): IpNetRow[] {
  const rows: Raw<IpNetRow, RawLuid & RawAddress & { PhysicalAddressLength: number }>[] = tableRows(
    table,
    'MIB_IPNET_TABLE2',
    'MIB_IPNET_ROW2',
    of,
  );
  return rows.map((raw) => ({
    Address: inetAddress(raw.Address),
    InterfaceLuid: toBigInt(raw.InterfaceLuid),
    InterfaceIndex: raw.InterfaceIndex,
    PhysicalAddress: raw.PhysicalAddress.subarray(0, raw.PhysicalAddressLength),
    State: raw.State,
  }));
}

/** The interface of the MIB_IPINTERFACE_ROW at `row`. A callback gets its other fields unset. */
export function ipInterfaceChange(row: bigint): ChangedRow {
  const raw = koffi.decode(row, 'MIB_IPINTERFACE_ROW');
  return { Family: raw.Family, InterfaceLuid: toBigInt(raw.InterfaceLuid), InterfaceIndex: raw.InterfaceIndex };
}

/**
 * The interface of the MIB_UNICASTIPADDRESS_ROW at `row`. A callback gets its other fields unset.
 */
export function unicastIpAddressChange(row: bigint): ChangedRow {
  const raw = koffi.decode(row, 'MIB_UNICASTIPADDRESS_ROW');
  return {
    Family: raw.Address.si_family,
    InterfaceLuid: toBigInt(raw.InterfaceLuid),
    InterfaceIndex: raw.InterfaceIndex,
  };
}

/** The rows of a table, or only those of the interfaces `of`. Decoding is what takes the time. */
function tableRows<Row>(table: bigint, tableType: string, rowType: string, of?: ReadonlySet<bigint>): Row[] {
  const count: number = koffi.decode(table, 'ULONG');
  const first = koffi.offsetof(tableType, 'Table');
  if (of === undefined) return koffi.decode(table, first, rowType, count);
  const size = koffi.sizeof(rowType);
  const luidAt = koffi.offsetof(rowType, 'InterfaceLuid');
  const bytes = Buffer.from(koffi.decode(table, first, 'UCHAR', count * size));
  const rows: Row[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    if (of.has(bytes.readBigUInt64LE(at + luidAt))) rows.push(koffi.decode(bytes.subarray(at, at + size), rowType));
  }
  return rows;
}

function inetAddress({ si_family: family, Ipv4, Ipv6 }: RawAddress['Address']): InetAddress {
  if (family === AF_INET) return { family, address: Ipv4.sin_addr.join('.'), scopeId: 0 };
  if (family !== AF_INET6) return { family, address: '', scopeId: 0 };
  const groups = Ipv6.sin6_addr.toString('hex').match(/.{4}/g) ?? [];
  // Node's SocketAddress writes the short form.
  const { address } = new SocketAddress({ family: 'ipv6', address: groups.join(':') });
  return { family, address, scopeId: Ipv6.sin6_scope_id };
}
