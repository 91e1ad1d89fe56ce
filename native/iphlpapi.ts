/**
 * iphlpapi.dll: the functions that show when a session's interface goes down, and which addresses
 * both ends have. Prototypes are Microsoft's. An out parameter is returned beside `code`, and has
 * no meaning unless `code` is 0.
 *
 * Invariant: CancelMibChangeNotify2 is called asynchronously only. It waits for a running callback,
 * and a callback runs on the thread of the event loop. After it has resolved with 0, that
 * notification makes no more callbacks.
 *
 * Source: learn.microsoft.com/windows/win32/api/netioapi
 */
import koffi from 'koffi';
import { Callbacks, type Deliver } from './callbacks.js';
import { winerror } from './constants.js';
import type { Library } from './library.js';
import {
  type ChangedRow,
  type InterfaceRow,
  interfaceRow,
  ipInterfaceChange,
  ipNetRows,
  unicastIpAddressChange,
  unicastIpAddressRows,
} from './netioapi.js';
import { guidToBytes, type Handle, toBigInt } from './types.js';

/** The `NotificationHandle` of both Notify... functions. */
export type NotificationHandle = Handle<'MIB change notification'>;

/** One call of a change callback. */
export interface MibChange {
  /** MIB_NOTIFICATION_TYPE */
  readonly NotificationType: number;
  /** null for MibInitialNotification only */
  readonly Row: ChangedRow | null;
}

/**
 * The entry of a change callback. The row belongs to the system, and is valid only during the call.
 */
function changeEntry(changedRow: (row: bigint) => ChangedRow) {
  return (deliver: Deliver<MibChange>) =>
    (CallerContext: bigint | null, Row: bigint | null, NotificationType: number) =>
      deliver(CallerContext, () => ({ NotificationType, Row: Row === null ? null : changedRow(Row) }));
}

/** Listeners for NotifyIpInterfaceChange. The calls of one notification are sequential. */
export const ipInterfaceChangeCallbacks = new Callbacks<MibChange>(
  'PIPINTERFACE_CHANGE_CALLBACK',
  'VOID __stdcall (PVOID CallerContext, PMIB_IPINTERFACE_ROW Row, MIB_NOTIFICATION_TYPE NotificationType)',
  changeEntry(ipInterfaceChange),
);

/** Listeners for NotifyUnicastIpAddressChange. */
export const unicastIpAddressChangeCallbacks = new Callbacks<MibChange>(
  'PUNICAST_IPADDRESS_CHANGE_CALLBACK',
  'VOID __stdcall (PVOID CallerContext, PMIB_UNICASTIPADDRESS_ROW Row, MIB_NOTIFICATION_TYPE NotificationType)',
  changeEntry(unicastIpAddressChange),
);

type NotifyArguments = [
  Family: number,
  Callback: bigint,
  CallerContext: bigint,
  InitialNotification: number,
  NotificationHandle: (bigint | null)[],
];

/** The functions of iphlpapi.dll; see bindIphlpapi(). */
export type Iphlpapi = ReturnType<typeof bindIphlpapi>;

/** Binds iphlpapi.dll, or a library with its exports. `library.missing` lists what is missing. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: an entry for each function of the library.
export function bindIphlpapi(library: Library) {
  const ConvertInterfaceGuidToLuid = library.bind<[Buffer, (number | bigint)[]]>(
    'DWORD __stdcall ConvertInterfaceGuidToLuid(const GUID *InterfaceGuid, _Out_ PNET_LUID InterfaceLuid)',
  );
  const GetIfEntry2 = library.bind<[Buffer]>('DWORD __stdcall GetIfEntry2(_Inout_ PMIB_IF_ROW2 Row)');
  const NotifyIpInterfaceChange = library.bind<NotifyArguments>(
    'DWORD __stdcall NotifyIpInterfaceChange(ADDRESS_FAMILY Family, PIPINTERFACE_CHANGE_CALLBACK Callback, PVOID CallerContext, BOOLEAN InitialNotification, _Out_ PHANDLE NotificationHandle)',
  );
  const NotifyUnicastIpAddressChange = library.bind<NotifyArguments>(
    'DWORD __stdcall NotifyUnicastIpAddressChange(ADDRESS_FAMILY Family, PUNICAST_IPADDRESS_CHANGE_CALLBACK Callback, PVOID CallerContext, BOOLEAN InitialNotification, _Out_ PHANDLE NotificationHandle)',
  );
  const CancelMibChangeNotify2 = library.bind<[NotificationHandle]>(
    'DWORD __stdcall CancelMibChangeNotify2(HANDLE NotificationHandle)',
  );
  const GetUnicastIpAddressTable = library.bind<[number, (bigint | null)[]]>(
    'DWORD __stdcall GetUnicastIpAddressTable(ADDRESS_FAMILY Family, _Out_ PMIB_UNICASTIPADDRESS_TABLE *Table)',
  );
  const GetIpNetTable2 = library.bind<[number, (bigint | null)[]]>(
    'DWORD __stdcall GetIpNetTable2(ADDRESS_FAMILY Family, _Out_ PMIB_IPNET_TABLE2 *Table)',
  );
  const FreeMibTable = library.bindSync<[bigint], void>('VOID __stdcall FreeMibTable(PVOID Memory)');

  /** Reads a table into plain rows, and frees it. */
  async function readTable<Row>(
    get: typeof GetIpNetTable2,
    Family: number,
    rows: (table: bigint, of?: ReadonlySet<bigint>) => Row[],
    of?: ReadonlySet<bigint>,
  ): Promise<{ code: number; Table: Row[] }> {
    const out: (bigint | null)[] = [null];
    const code = await get(Family, out);
    const table = out[0] ?? null;
    if (code !== winerror.ERROR_SUCCESS || table === null) return { code, Table: [] };
    try {
      return { code, Table: rows(table, of) };
    } finally {
      FreeMibTable(table);
    }
  }

  const notification =
    (callbacks: Callbacks<MibChange>, start: typeof NotifyIpInterfaceChange) =>
    async (Family: number, CallerContext: bigint, InitialNotification: boolean) => {
      const out = [null];
      const code = await start(Family, callbacks.pointer, CallerContext, InitialNotification ? 1 : 0, out);
      return { code, NotificationHandle: toBigInt(out[0]) as NotificationHandle };
    };

  return {
    /**
     * The LUID of an interface by its GUID. It fails once the interface is gone, so keep the LUID.
     */
    async ConvertInterfaceGuidToLuid(InterfaceGuid: string) {
      const out: (number | bigint)[] = [0];
      const code = await ConvertInterfaceGuidToLuid(guidToBytes(InterfaceGuid), out);
      return { code, InterfaceLuid: toBigInt(out[0]) };
    },

    /** The interface as it is now; ERROR_FILE_NOT_FOUND if no interface has this LUID. */
    async GetIfEntry2(InterfaceLuid: bigint): Promise<{ code: number; Row: InterfaceRow }> {
      const row = Buffer.alloc(koffi.sizeof('MIB_IF_ROW2'));
      row.writeBigUInt64LE(InterfaceLuid, koffi.offsetof('MIB_IF_ROW2', 'InterfaceLuid'));
      const code = await GetIfEntry2(row);
      return { code, Row: interfaceRow(row) };
    },

    /**
     * Requests a call at each change of an IP interface. `CallerContext` is from
     * ipInterfaceChangeCallbacks.
     */
    NotifyIpInterfaceChange: notification(ipInterfaceChangeCallbacks, NotifyIpInterfaceChange),

    /**
     * Requests a call at each change of a local address. `CallerContext` is from
     * unicastIpAddressChangeCallbacks.
     */
    NotifyUnicastIpAddressChange: notification(unicastIpAddressChangeCallbacks, NotifyUnicastIpAddressChange),

    /**
     * Ends a notification of either kind. It waits for a running callback. Forget the context
     * afterwards.
     */
    async CancelMibChangeNotify2(NotificationHandle: NotificationHandle) {
      return { code: await CancelMibChangeNotify2(NotificationHandle) };
    },

    /** The local addresses of all interfaces, or of those with these LUIDs. */
    GetUnicastIpAddressTable: (Family: number, of?: ReadonlySet<bigint>) =>
      readTable(GetUnicastIpAddressTable, Family, unicastIpAddressRows, of),

    /**
     * The neighbours of all interfaces, or of those with these LUIDs; ERROR_NOT_FOUND if there are
     * none.
     */
    GetIpNetTable2: (Family: number, of?: ReadonlySet<bigint>) => readTable(GetIpNetTable2, Family, ipNetRows, of),
  };
}
