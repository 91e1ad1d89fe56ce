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
import { copyBytes, guidFromBytes, offsetsOf, toBigInt, wideText } from './types.js';

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
  /**
   * Bit-fields. `NotMediaConnected` is set for a wireless adapter without a connection to a
   * network.
   */
  readonly InterfaceAndOperStatusFlags: { readonly NotMediaConnected: boolean };
  readonly OperStatus: number;
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

const ifRow = {
  ...offsetsOf('MIB_IF_ROW2', 'InterfaceLuid', 'InterfaceIndex', 'InterfaceGuid', 'Alias', 'Description'),
  ...offsetsOf('MIB_IF_ROW2', 'InterfaceAndOperStatusFlags', 'OperStatus', 'MediaConnectState'),
};
const ipInterfaceRow = offsetsOf('MIB_IPINTERFACE_ROW', 'Family', 'InterfaceLuid', 'InterfaceIndex');
const unicastRow = {
  ...offsetsOf('MIB_UNICASTIPADDRESS_ROW', 'Address', 'InterfaceLuid', 'InterfaceIndex'),
  ...offsetsOf('MIB_UNICASTIPADDRESS_ROW', 'OnLinkPrefixLength', 'DadState'),
  size: koffi.sizeof('MIB_UNICASTIPADDRESS_ROW'),
  first: koffi.offsetof('MIB_UNICASTIPADDRESS_TABLE', 'Table'),
};
const ipNetRow = {
  ...offsetsOf('MIB_IPNET_ROW2', 'Address', 'InterfaceIndex', 'InterfaceLuid'),
  ...offsetsOf('MIB_IPNET_ROW2', 'PhysicalAddress', 'PhysicalAddressLength', 'State'),
  size: koffi.sizeof('MIB_IPNET_ROW2'),
  first: koffi.offsetof('MIB_IPNET_TABLE2', 'Table'),
};
const { sin_addr } = offsetsOf('SOCKADDR_IN', 'sin_addr');
const { sin6_addr, sin6_scope_id } = offsetsOf('SOCKADDR_IN6', 'sin6_addr', 'sin6_scope_id');

/** Reads the MIB_IF_ROW2 in `bytes`. */
export function interfaceRow(bytes: Buffer): InterfaceRow {
  const flags = bytes.readUInt8(ifRow.InterfaceAndOperStatusFlags);
  return {
    InterfaceLuid: bytes.readBigUInt64LE(ifRow.InterfaceLuid),
    InterfaceIndex: bytes.readUInt32LE(ifRow.InterfaceIndex),
    InterfaceGuid: guidFromBytes(bytes, ifRow.InterfaceGuid),
    Alias: wideText(bytes.subarray(ifRow.Alias, ifRow.Description)),
    InterfaceAndOperStatusFlags: { NotMediaConnected: (flags & NOT_MEDIA_CONNECTED) !== 0 },
    OperStatus: bytes.readInt32LE(ifRow.OperStatus),
    MediaConnectState: bytes.readInt32LE(ifRow.MediaConnectState),
  };
}

/** The rows of the MIB_UNICASTIPADDRESS_TABLE at `table`, or only those of the interfaces `of`. */
export function unicastIpAddressRows(table: bigint, of?: ReadonlySet<bigint>): UnicastIpAddressRow[] {
  return tableRows(table, unicastRow, of).map((bytes) => ({
    Address: inetAddress(bytes, unicastRow.Address),
    InterfaceLuid: bytes.readBigUInt64LE(unicastRow.InterfaceLuid),
    InterfaceIndex: bytes.readUInt32LE(unicastRow.InterfaceIndex),
    OnLinkPrefixLength: bytes.readUInt8(unicastRow.OnLinkPrefixLength),
    DadState: bytes.readInt32LE(unicastRow.DadState),
  }));
}

/** The rows of the MIB_IPNET_TABLE2 at `table`, or only those of the interfaces `of`. */
export function ipNetRows(table: bigint, of?: ReadonlySet<bigint>): IpNetRow[] {
  return tableRows(table, ipNetRow, of).map((bytes) => {
    const octets = bytes.subarray(ipNetRow.PhysicalAddress, ipNetRow.PhysicalAddressLength);
    return {
      Address: inetAddress(bytes, ipNetRow.Address),
      InterfaceLuid: bytes.readBigUInt64LE(ipNetRow.InterfaceLuid),
      InterfaceIndex: bytes.readUInt32LE(ipNetRow.InterfaceIndex),
      PhysicalAddress: octets.subarray(0, bytes.readUInt32LE(ipNetRow.PhysicalAddressLength)),
      State: bytes.readInt32LE(ipNetRow.State),
    };
  });
}

/** The interface of the MIB_IPINTERFACE_ROW at `row`. A callback gets its other fields unset. */
export function ipInterfaceChange(row: bigint): ChangedRow {
  return {
    Family: koffi.decode(row, ipInterfaceRow.Family, 'ADDRESS_FAMILY'),
    InterfaceLuid: toBigInt(koffi.decode(row, ipInterfaceRow.InterfaceLuid, 'NET_LUID')),
    InterfaceIndex: koffi.decode(row, ipInterfaceRow.InterfaceIndex, 'NET_IFINDEX'),
  };
}

/**
 * The interface of the MIB_UNICASTIPADDRESS_ROW at `row`. A callback gets its other fields unset.
 */
export function unicastIpAddressChange(row: bigint): ChangedRow {
  return {
    Family: koffi.decode(row, unicastRow.Address, 'ADDRESS_FAMILY'),
    InterfaceLuid: toBigInt(koffi.decode(row, unicastRow.InterfaceLuid, 'NET_LUID')),
    InterfaceIndex: koffi.decode(row, unicastRow.InterfaceIndex, 'NET_IFINDEX'),
  };
}

interface RowLayout {
  readonly size: number;
  /** Where the first row is in the table. */
  readonly first: number;
  readonly InterfaceLuid: number;
}

/** The bytes of the rows of a table, or only of those of the interfaces `of`. */
function tableRows(table: bigint, { size, first, InterfaceLuid }: RowLayout, of?: ReadonlySet<bigint>): Buffer[] {
  const count: number = koffi.decode(table, 'ULONG');
  const bytes = copyBytes(table + BigInt(first), count * size);
  const rows: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    if (of?.has(bytes.readBigUInt64LE(at + InterfaceLuid)) ?? true) rows.push(bytes.subarray(at, at + size));
  }
  return rows;
}

/** The SOCKADDR_INET at `at`. Its family decides which member of the union is valid. */
function inetAddress(bytes: Buffer, at: number): InetAddress {
  const family = bytes.readUInt16LE(at);
  if (family === AF_INET) {
    return { family, address: bytes.subarray(at + sin_addr, at + sin_addr + 4).join('.'), scopeId: 0 };
  }
  if (family !== AF_INET6) return { family, address: '', scopeId: 0 };
  const groups = bytes.toString('hex', at + sin6_addr, at + sin6_addr + 16).match(/.{4}/g) ?? [];
  // Node's SocketAddress writes the short form.
  const { address } = new SocketAddress({ family: 'ipv6', address: groups.join(':') });
  return { family, address, scopeId: bytes.readUInt32LE(at + sin6_scope_id) };
}
