/**
 * Constants of the Windows headers under their Microsoft names, and functions that look them up.
 *
 * Invariant: a name means here what it means in the SDK. Constants of our own are elsewhere.
 */

/** `winerror.h`: the codes that the functions and the `dwError` of a callback are known to have. */
export const winerror = {
  ERROR_SUCCESS: 0,
  ERROR_FILE_NOT_FOUND: 2,
  ERROR_ACCESS_DENIED: 5,
  ERROR_INVALID_HANDLE: 6,
  ERROR_NOT_ENOUGH_MEMORY: 8,
  ERROR_OUTOFMEMORY: 14,
  ERROR_NOT_READY: 21,
  ERROR_GEN_FAILURE: 31,
  ERROR_NOT_SUPPORTED: 50,
  ERROR_ADAP_HDW_ERR: 57,
  ERROR_INVALID_PARAMETER: 87,
  ERROR_CALL_NOT_IMPLEMENTED: 120,
  ERROR_MOD_NOT_FOUND: 126,
  ERROR_PROC_NOT_FOUND: 127,
  ERROR_BUSY: 170,
  ERROR_ALREADY_EXISTS: 183,
  ERROR_NO_DATA: 232,
  WAIT_TIMEOUT: 258,
  ERROR_OPERATION_ABORTED: 995,
  ERROR_IO_PENDING: 997,
  ERROR_SERVICE_REQUEST_TIMEOUT: 1053,
  ERROR_SERVICE_DISABLED: 1058,
  ERROR_SERVICE_NOT_ACTIVE: 1062,
  ERROR_SHUTDOWN_IN_PROGRESS: 1115,
  RPC_S_SERVER_OUT_OF_MEMORY: 1130,
  ERROR_DEVICE_NOT_CONNECTED: 1167,
  ERROR_NOT_FOUND: 1168,
  ERROR_BAD_PROFILE: 1206,
  ERROR_REMOTE_SESSION_LIMIT_EXCEEDED: 1220,
  ERROR_CANCELLED: 1223,
  ERROR_CONNECTION_REFUSED: 1225,
  ERROR_HOST_UNREACHABLE: 1232,
  ERROR_CONNECTION_ABORTED: 1236,
  ERROR_RETRY: 1237,
  ERROR_INTERNAL_ERROR: 1359,
  ERROR_TIMEOUT: 1460,
  RPC_S_INVALID_BINDING: 1702,
  RPC_S_NOT_LISTENING: 1715,
  RPC_S_UNKNOWN_IF: 1717,
  RPC_S_OUT_OF_RESOURCES: 1721,
  RPC_S_SERVER_UNAVAILABLE: 1722,
  RPC_S_SERVER_TOO_BUSY: 1723,
  RPC_S_CALL_FAILED: 1726,
  RPC_S_CALL_FAILED_DNE: 1727,
  RPC_S_PROTOCOL_ERROR: 1728,
  RPC_S_PROCNUM_OUT_OF_RANGE: 1745,
  EPT_S_NOT_REGISTERED: 1753,
  RPC_S_INTERNAL_ERROR: 1766,
  RPC_X_NULL_REF_POINTER: 1780,
  RPC_X_BAD_STUB_DATA: 1783,
  RPC_S_CALL_CANCELLED: 1818,
  RPC_S_COMM_FAILURE: 1820,
  ERROR_DEVICE_IN_USE: 2404,
  ERROR_DEVICE_NOT_AVAILABLE: 4319,
  ERROR_INVALID_STATE: 5023,
} as const;

export type WinerrorName = keyof typeof winerror;

const winerrorNames: ReadonlyMap<number, string> = new Map(
  Object.entries(winerror).map(([name, code]) => [code, name]),
);

/** The name of a Win32 error code; undefined if `winerror` does not list it. */
export function winerrorName(code: number): WinerrorName | undefined {
  return winerrorNames.get(code) as WinerrorName | undefined;
}

/** FACILITY_WIN32 with the severity bit: what HRESULT_FROM_WIN32 puts above a Win32 code. */
const HRESULT_WIN32 = 0x8007;

/** The Win32 code in a HRESULT: 0 for S_OK, nnnn for 0x8007nnnn; undefined for another facility. */
export function win32OfHresult(hresult: number): number | undefined {
  const unsigned = hresult >>> 0;
  if (unsigned === 0) return winerror.ERROR_SUCCESS;
  // 0x80070000 is a failure without a code, and must not become ERROR_SUCCESS.
  return unsigned >>> 16 === HRESULT_WIN32 && (unsigned & 0xffff) !== 0 ? unsigned & 0xffff : undefined;
}

// wlanapi.h

/** WFD_API_VERSION_1_0, the only version, and the only value that WFDOpenHandle accepts. */
export const WFD_API_VERSION = 1;

// ws2def.h

export const AF_UNSPEC = 0;
export const AF_INET = 2;
/** Windows' value; Linux has 10. */
export const AF_INET6 = 23;

// netioapi.h, ifdef.h, nldef.h

/** MIB_NOTIFICATION_TYPE */
export const MibParameterNotification = 0;
export const MibAddInstance = 1;
export const MibDeleteInstance = 2;
export const MibInitialNotification = 3;

/** IF_OPER_STATUS */
export const IfOperStatusUp = 1;
export const IfOperStatusDown = 2;
export const IfOperStatusTesting = 3;
export const IfOperStatusUnknown = 4;
export const IfOperStatusDormant = 5;
export const IfOperStatusNotPresent = 6;
export const IfOperStatusLowerLayerDown = 7;

/** NET_IF_ADMIN_STATUS */
export const NET_IF_ADMIN_STATUS_UP = 1;
export const NET_IF_ADMIN_STATUS_DOWN = 2;
export const NET_IF_ADMIN_STATUS_TESTING = 3;

/** NET_IF_MEDIA_CONNECT_STATE */
export const MediaConnectStateUnknown = 0;
export const MediaConnectStateConnected = 1;
export const MediaConnectStateDisconnected = 2;

/** IFTYPE of a wireless interface. */
export const IF_TYPE_IEEE80211 = 71;

/** NL_DAD_STATE: an address is usable from Preferred on, still usable while Deprecated. */
export const IpDadStateInvalid = 0;
export const IpDadStateTentative = 1;
export const IpDadStateDuplicate = 2;
export const IpDadStateDeprecated = 3;
export const IpDadStatePreferred = 4;

/** NL_NEIGHBOR_STATE */
export const NlnsUnreachable = 0;
export const NlnsIncomplete = 1;
export const NlnsProbe = 2;
export const NlnsDelay = 3;
export const NlnsStale = 4;
export const NlnsReachable = 5;
export const NlnsPermanent = 6;

// devquerydef.h

/** DEV_OBJECT_TYPE */
export const DevObjectTypeDeviceInterface = 1;
export const DevObjectTypeDeviceContainer = 2;
export const DevObjectTypeDevice = 3;
export const DevObjectTypeAEP = 5;
export const DevObjectTypeAEPService = 10;

/** DEV_QUERY_FLAGS */
export const DevQueryFlagNone = 0;
export const DevQueryFlagUpdateResults = 0x1;
export const DevQueryFlagAllProperties = 0x2;
export const DevQueryFlagLocalize = 0x4;
export const DevQueryFlagAsyncClose = 0x8;

/** DEV_QUERY_RESULT_ACTION */
export const DevQueryResultStateChange = 0;
export const DevQueryResultAdd = 1;
export const DevQueryResultUpdate = 2;
export const DevQueryResultRemove = 3;

/** DEV_QUERY_STATE */
export const DevQueryStateInitialized = 0;
export const DevQueryStateEnumCompleted = 1;
export const DevQueryStateAborted = 2;
export const DevQueryStateClosed = 3;

// devpropdef.h, devfiltertypes.h

/** DEVPROPTYPE */
export const DEVPROP_TYPE_EMPTY = 0x0;
export const DEVPROP_TYPE_UINT32 = 0x7;
export const DEVPROP_TYPE_GUID = 0xd;
export const DEVPROP_TYPE_BOOLEAN = 0x11;
export const DEVPROP_TYPE_STRING = 0x12;
export const DEVPROP_TYPE_BINARY = 0x1003;

/** DEVPROP_BOOLEAN, one signed byte */
export const DEVPROP_TRUE = -1;
export const DEVPROP_FALSE = 0;

/** DEVPROPSTORE */
export const DEVPROP_STORE_SYSTEM = 0;

/** DEVPROP_OPERATOR */
export const DEVPROP_OPERATOR_EXISTS = 1;
export const DEVPROP_OPERATOR_EQUALS = 2;
export const DEVPROP_OPERATOR_NOT_EQUALS = 0x10002;

/** DEVPROPKEY, with the GUID as text. */
export interface DevPropKey {
  readonly fmtid: string;
  readonly pid: number;
}

const wifiDirect = '1506935d-e3e7-450f-8637-82233ebe5f6e';
const deviceInterface = '026e516e-b814-414b-83cd-856d6fef4822';

/** BINARY, 6 octets; always set. The device's own copy is DEVPKEY_WiFiDirect_DeviceAddressCopy. */
export const DEVPKEY_WiFiDirect_DeviceAddress: DevPropKey = { fmtid: wifiDirect, pid: 1 };
/** BINARY, 6 octets; set while connected. */
export const DEVPKEY_WiFiDirect_InterfaceAddress: DevPropKey = { fmtid: wifiDirect, pid: 2 };
/** GUID of the local interface of the session; set while connected. */
export const DEVPKEY_WiFiDirect_InterfaceGuid: DevPropKey = { fmtid: wifiDirect, pid: 3 };
/** GUID of the group (SSID and device address of its owner). */
export const DEVPKEY_WiFiDirect_GroupId: DevPropKey = { fmtid: wifiDirect, pid: 4 };
/** BOOLEAN; not connected is FALSE or EMPTY. */
export const DEVPKEY_WiFiDirect_IsConnected: DevPropKey = { fmtid: wifiDirect, pid: 5 };
/** BOOLEAN; not visible is FALSE or EMPTY. WFDUpdateDeviceVisibility refreshes it. */
export const DEVPKEY_WiFiDirect_IsVisible: DevPropKey = { fmtid: wifiDirect, pid: 6 };
/** BOOLEAN */
export const DEVPKEY_WiFiDirect_IsLegacyDevice: DevPropKey = { fmtid: wifiDirect, pid: 7 };
/** BINARY, 6 octets */
export const DEVPKEY_WiFiDirect_DeviceAddressCopy: DevPropKey = { fmtid: wifiDirect, pid: 0x0d };
/** BOOLEAN */
export const DEVPKEY_WiFiDirect_TransientAssociation: DevPropKey = { fmtid: wifiDirect, pid: 0x1b };
/** UINT32, 0 to 100 */
export const DEVPKEY_WiFiDirect_LinkQuality: DevPropKey = { fmtid: wifiDirect, pid: 0x1c };

/** STRING: the name shown for any object. */
export const DEVPKEY_NAME: DevPropKey = { fmtid: 'b725f130-47ef-101a-a5f1-02608c9eebac', pid: 10 };
/** BOOLEAN: FALSE for the node of a device that existed once and does not now. */
export const DEVPKEY_Device_IsPresent: DevPropKey = { fmtid: '540b947e-8b40-45bc-a8a2-6a0b894cbda2', pid: 5 };
/** STRING */
export const DEVPKEY_Device_FriendlyName: DevPropKey = { fmtid: 'a45c254e-df1c-4efd-8020-67d146a850e0', pid: 14 };
/** STRING */
export const DEVPKEY_Device_InstanceId: DevPropKey = { fmtid: '78c34fc8-104a-4aca-9ea4-524d52996e57', pid: 256 };
/** STRING */
export const DEVPKEY_DeviceInterface_FriendlyName: DevPropKey = { fmtid: deviceInterface, pid: 2 };
/** BOOLEAN */
export const DEVPKEY_DeviceInterface_Enabled: DevPropKey = { fmtid: deviceInterface, pid: 3 };
/** GUID */
export const DEVPKEY_DeviceInterface_ClassGuid: DevPropKey = { fmtid: deviceInterface, pid: 4 };

/** The device interface class of a paired Wi-Fi Direct device. */
export const GUID_DEVINTERFACE_WIFIDIRECT_DEVICE = '439b20af-8955-405b-99f0-a62af0c68d43';
/** The association endpoint service of a paired Wi-Fi Direct device. */
export const GUID_AEPSERVICE_WIFIDIRECT_DEVICE = 'cc29827c-9caf-4928-99a9-18f7c2381389';
