/*
 * The ABI of the Windows libraries that Wi-Fi Direct needs, as this simulator exports it: the
 * functions of wlanapi.dll, iphlpapi.dll and cfgmgr32.dll under their own names, with Microsoft's
 * types in fixed widths. control.h has the controls of the world behind them.
 *
 * Invariant: no `long` and no `wchar_t`, because their widths differ between Linux and Windows.
 * Every layout below is asserted.
 *
 * Pages: learn.microsoft.com/windows/win32/api, wlanapi, netioapi, devquery, devquerydef,
 * devfiltertypes.
 */
#ifndef WFDSIM_H
#define WFDSIM_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define WINAPI __stdcall
#define SIM_EXPORT __declspec(dllexport)
#else
#define WINAPI
#define SIM_EXPORT __attribute__((visibility("default")))
#endif

typedef uint8_t UCHAR, UINT8, BYTE, BOOLEAN;
typedef uint16_t USHORT, WCHAR, ADDRESS_FAMILY;
typedef uint32_t DWORD, ULONG, NET_IFINDEX, DEVPROPTYPE, DEVPROPSTORE;
typedef uint64_t ULONG64;
typedef int32_t HRESULT;
typedef int8_t DEVPROP_BOOLEAN;
typedef void *PVOID, *HANDLE, *HDEVQUERY;

typedef struct GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;
_Static_assert(sizeof(GUID) == 16 && _Alignof(GUID) == 4, "GUID");

/* winerror.h */
enum {
    ERROR_SUCCESS = 0,
    ERROR_FILE_NOT_FOUND = 2,
    ERROR_INVALID_HANDLE = 6,
    ERROR_NOT_ENOUGH_MEMORY = 8,
    ERROR_INVALID_PARAMETER = 87,
    ERROR_ALREADY_EXISTS = 183,
    ERROR_SERVICE_NOT_ACTIVE = 1062,
    ERROR_NOT_FOUND = 1168,
    ERROR_REMOTE_SESSION_LIMIT_EXCEEDED = 1220,
    ERROR_CANCELLED = 1223,
    ERROR_TIMEOUT = 1460,
    RPC_S_SERVER_UNAVAILABLE = 1722,
    RPC_S_CALL_FAILED = 1726,
};
#define S_OK ((HRESULT)0)
#define E_INVALIDARG ((HRESULT)0x80070057)
#define E_OUTOFMEMORY ((HRESULT)0x8007000E)
#define E_ELEMENT_NOT_FOUND ((HRESULT)0x80070490) /* HRESULT_FROM_WIN32(ERROR_NOT_FOUND) */

/* ---- wlanapi.dll ----------------------------------------------------------------------------- */

#define WFD_API_VERSION 1u

enum { WLAN_REASON_CODE_UNKNOWN = 0x10001, WLAN_REASON_CODE_NETWORK_NOT_AVAILABLE = 0x2800B };
enum { WLAN_REASON_CODE_USER_CANCELLED = 0x38001 };

/* Octets in the order in which they are printed. */
typedef UCHAR DOT11_MAC_ADDRESS[6];

/* guidSessionInterface is passed by value. It is valid only if dwError is ERROR_SUCCESS. */
typedef void(WINAPI *WFD_OPEN_SESSION_COMPLETE_CALLBACK)(HANDLE hSessionHandle, PVOID pvContext,
                                                         GUID guidSessionInterface, DWORD dwError, DWORD dwReasonCode);

SIM_EXPORT DWORD WINAPI WFDOpenHandle(DWORD dwClientVersion, DWORD *pdwNegotiatedVersion, HANDLE *phClientHandle);
SIM_EXPORT DWORD WINAPI WFDCloseHandle(HANDLE hClientHandle);
SIM_EXPORT DWORD WINAPI WFDStartOpenSession(HANDLE hClientHandle, DOT11_MAC_ADDRESS *pDeviceAddress, PVOID pvContext,
                                            WFD_OPEN_SESSION_COMPLETE_CALLBACK pfnCallback, HANDLE *phSessionHandle);
SIM_EXPORT DWORD WINAPI WFDCancelOpenSession(HANDLE hSessionHandle);
SIM_EXPORT DWORD WINAPI WFDOpenLegacySession(HANDLE hClientHandle, DOT11_MAC_ADDRESS *pLegacyMacAddress,
                                             HANDLE *phSessionHandle, GUID *pGuidSessionInterface);
SIM_EXPORT DWORD WINAPI WFDCloseSession(HANDLE hSessionHandle);
SIM_EXPORT DWORD WINAPI WFDUpdateDeviceVisibility(DOT11_MAC_ADDRESS *pDeviceAddress);
SIM_EXPORT DWORD WINAPI WlanReasonCodeToString(DWORD dwReasonCode, DWORD dwBufferSize, WCHAR *pStringBuffer,
                                               PVOID pReserved);

/* ---- iphlpapi.dll ---------------------------------------------------------------------------- */

enum { AF_UNSPEC = 0, AF_INET = 2, AF_INET6 = 23 };
enum { MibParameterNotification, MibAddInstance, MibDeleteInstance, MibInitialNotification };
enum { IfOperStatusUp = 1, IfOperStatusDown = 2 };
enum { NET_IF_ADMIN_STATUS_UP = 1 };
enum { MediaConnectStateUnknown, MediaConnectStateConnected, MediaConnectStateDisconnected };
enum { IF_TYPE_ETHERNET_CSMACD = 6, IF_TYPE_IEEE80211 = 71, NdisPhysicalMediumNative802_11 = 9 };
enum {
    IpPrefixOriginWellKnown = 2,
    IpPrefixOriginDhcp = 3,
    IpSuffixOriginDhcp = 3,
    IpSuffixOriginLinkLayerAddress = 4
};
enum { IpDadStatePreferred = 4, NlnsReachable = 5, NlnsPermanent = 6 };

typedef union NET_LUID {
    ULONG64 Value; /* 24 bits reserved, 24 bits of index, 16 bits of interface type */
} NET_LUID;

typedef struct MIB_IF_ROW2 {
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;
    GUID InterfaceGuid;
    WCHAR Alias[257];
    WCHAR Description[257];
    ULONG PhysicalAddressLength;
    UCHAR PhysicalAddress[32];
    UCHAR PermanentPhysicalAddress[32];
    ULONG Mtu;
    ULONG Type;
    uint32_t TunnelType, MediaType, PhysicalMediumType, AccessType, DirectionType;
    /* Bits: 0 HardwareInterface, 1 FilterInterface, 2 ConnectorPresent, 3 NotAuthenticated, 4
     * NotMediaConnected, 5 Paused, 6 LowPower, 7 EndPointInterface. */
    UINT8 InterfaceAndOperStatusFlags;
    uint32_t OperStatus, AdminStatus, MediaConnectState;
    GUID NetworkGuid;
    uint32_t ConnectionType;
    ULONG64 TransmitLinkSpeed, ReceiveLinkSpeed;
    ULONG64 InOctets, InUcastPkts, InNUcastPkts, InDiscards, InErrors, InUnknownProtos, InUcastOctets,
        InMulticastOctets, InBroadcastOctets, OutOctets, OutUcastPkts, OutNUcastPkts, OutDiscards, OutErrors,
        OutUcastOctets, OutMulticastOctets, OutBroadcastOctets, OutQLen;
} MIB_IF_ROW2;
#define IF_FLAG_NOT_MEDIA_CONNECTED 0x10u
_Static_assert(sizeof(MIB_IF_ROW2) == 1352 && offsetof(MIB_IF_ROW2, Description) == 542 &&
                   offsetof(MIB_IF_ROW2, OperStatus) == 1156 && offsetof(MIB_IF_ROW2, InOctets) == 1208,
               "MIB_IF_ROW2");

typedef struct MIB_IPINTERFACE_ROW {
    ADDRESS_FAMILY Family;
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;
    ULONG MaxReassemblySize;
    ULONG64 InterfaceIdentifier;
    /* Not filled in by a notification, which gives "only enough information" to ask further. */
    UCHAR Settings[120];
    ULONG NlMtu;
    BOOLEAN Connected;
    UCHAR MoreSettings[11];
} MIB_IPINTERFACE_ROW;
_Static_assert(sizeof(MIB_IPINTERFACE_ROW) == 168 && offsetof(MIB_IPINTERFACE_ROW, NlMtu) == 152 &&
                   offsetof(MIB_IPINTERFACE_ROW, Connected) == 156,
               "MIB_IPINTERFACE_ROW");

typedef struct SOCKADDR_INET {
    ADDRESS_FAMILY si_family;
    USHORT port;
    union {
        UCHAR Ipv4[4];
        struct {
            ULONG flowinfo;
            UCHAR address[16];
            ULONG scope_id;
        } Ipv6;
    };
} SOCKADDR_INET;
_Static_assert(sizeof(SOCKADDR_INET) == 28, "SOCKADDR_INET");

typedef struct MIB_UNICASTIPADDRESS_ROW {
    SOCKADDR_INET Address;
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;
    uint32_t PrefixOrigin, SuffixOrigin;
    ULONG ValidLifetime, PreferredLifetime; /* seconds */
    UINT8 OnLinkPrefixLength;
    BOOLEAN SkipAsSource;
    uint32_t DadState;
    ULONG ScopeId;
    int64_t CreationTimeStamp;
} MIB_UNICASTIPADDRESS_ROW;
_Static_assert(sizeof(MIB_UNICASTIPADDRESS_ROW) == 80 && offsetof(MIB_UNICASTIPADDRESS_ROW, InterfaceLuid) == 32 &&
                   offsetof(MIB_UNICASTIPADDRESS_ROW, DadState) == 64,
               "MIB_UNICASTIPADDRESS_ROW");

typedef struct MIB_UNICASTIPADDRESS_TABLE {
    ULONG NumEntries;
    MIB_UNICASTIPADDRESS_ROW Table[1];
} MIB_UNICASTIPADDRESS_TABLE;

typedef struct MIB_IPNET_ROW2 {
    SOCKADDR_INET Address;
    NET_IFINDEX InterfaceIndex;
    NET_LUID InterfaceLuid;
    UCHAR PhysicalAddress[32];
    ULONG PhysicalAddressLength;
    uint32_t State;
    UCHAR Flags; /* bit 0 IsRouter, bit 1 IsUnreachable */
    ULONG ReachabilityTime;
} MIB_IPNET_ROW2;
_Static_assert(sizeof(MIB_IPNET_ROW2) == 88 && offsetof(MIB_IPNET_ROW2, InterfaceLuid) == 32 &&
                   offsetof(MIB_IPNET_ROW2, State) == 76,
               "MIB_IPNET_ROW2");

typedef struct MIB_IPNET_TABLE2 {
    ULONG NumEntries;
    MIB_IPNET_ROW2 Table[1];
} MIB_IPNET_TABLE2;

/* Row is NULL for MibInitialNotification. Otherwise it belongs to the system, and is freed when the
 * callback returns. */
typedef void(WINAPI *PIPINTERFACE_CHANGE_CALLBACK)(PVOID CallerContext, MIB_IPINTERFACE_ROW *Row,
                                                   uint32_t NotificationType);
typedef void(WINAPI *PUNICAST_IPADDRESS_CHANGE_CALLBACK)(PVOID CallerContext, MIB_UNICASTIPADDRESS_ROW *Row,
                                                         uint32_t NotificationType);

SIM_EXPORT DWORD WINAPI ConvertInterfaceGuidToLuid(const GUID *InterfaceGuid, NET_LUID *InterfaceLuid);
SIM_EXPORT DWORD WINAPI GetIfEntry2(MIB_IF_ROW2 *Row);
SIM_EXPORT DWORD WINAPI NotifyIpInterfaceChange(ADDRESS_FAMILY Family, PIPINTERFACE_CHANGE_CALLBACK Callback,
                                                PVOID CallerContext, BOOLEAN InitialNotification,
                                                HANDLE *NotificationHandle);
SIM_EXPORT DWORD WINAPI NotifyUnicastIpAddressChange(ADDRESS_FAMILY Family, PUNICAST_IPADDRESS_CHANGE_CALLBACK Callback,
                                                     PVOID CallerContext, BOOLEAN InitialNotification,
                                                     HANDLE *NotificationHandle);
SIM_EXPORT DWORD WINAPI CancelMibChangeNotify2(HANDLE NotificationHandle);
SIM_EXPORT DWORD WINAPI GetUnicastIpAddressTable(ADDRESS_FAMILY Family, MIB_UNICASTIPADDRESS_TABLE **Table);
SIM_EXPORT DWORD WINAPI GetIpNetTable2(ADDRESS_FAMILY Family, MIB_IPNET_TABLE2 **Table);
SIM_EXPORT void WINAPI FreeMibTable(PVOID Memory);

/* ---- cfgmgr32.dll ---------------------------------------------------------------------------- */

enum { DevObjectTypeDeviceInterface = 1, DevObjectTypeDevice = 3 };
enum { DevQueryFlagUpdateResults = 1, DevQueryFlagAllProperties = 2 };
enum { DevQueryFlagLocalize = 4, DevQueryFlagAsyncClose = 8 };
enum { DevQueryStateEnumCompleted = 1, DevQueryStateAborted, DevQueryStateClosed };
enum { DevQueryResultStateChange, DevQueryResultAdd, DevQueryResultUpdate, DevQueryResultRemove };
enum { DEVPROP_TYPE_EMPTY = 0, DEVPROP_TYPE_UINT32 = 7, DEVPROP_TYPE_GUID = 0x0D, DEVPROP_TYPE_BOOLEAN = 0x11 };
enum { DEVPROP_TYPE_STRING = 0x12, DEVPROP_TYPE_BINARY = 0x1003 };
#define DEVPROP_TRUE ((DEVPROP_BOOLEAN)(-1))
#define DEVPROP_FALSE ((DEVPROP_BOOLEAN)0)
enum { DEVPROP_OPERATOR_EXISTS = 1, DEVPROP_OPERATOR_EQUALS = 2, DEVPROP_OPERATOR_MODIFIER_NOT = 0x10000 };
enum { DEVPROP_OPERATOR_NOT_EQUALS = DEVPROP_OPERATOR_EQUALS | DEVPROP_OPERATOR_MODIFIER_NOT };

typedef struct DEVPROPKEY {
    GUID fmtid;
    ULONG pid;
} DEVPROPKEY;
typedef struct DEVPROPCOMPKEY {
    DEVPROPKEY Key;
    DEVPROPSTORE Store;
    const WCHAR *LocaleName;
} DEVPROPCOMPKEY;
typedef struct DEVPROPERTY {
    DEVPROPCOMPKEY CompKey;
    DEVPROPTYPE Type;
    ULONG BufferSize; /* bytes */
    PVOID Buffer;
} DEVPROPERTY;
typedef struct DEVPROP_FILTER_EXPRESSION {
    uint32_t Operator;
    DEVPROPERTY Property;
} DEVPROP_FILTER_EXPRESSION;
typedef struct DEV_OBJECT {
    uint32_t ObjectType;
    const WCHAR *pszObjectId;
    ULONG cPropertyCount;
    const DEVPROPERTY *pProperties;
} DEV_OBJECT;
typedef struct DEV_QUERY_RESULT_ACTION_DATA {
    uint32_t Action;
    union {
        uint32_t State;
        DEV_OBJECT DeviceObject;
    } Data;
} DEV_QUERY_RESULT_ACTION_DATA;
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(DEVPROPCOMPKEY) == 32 && sizeof(DEVPROPERTY) == 48 && sizeof(DEVPROP_FILTER_EXPRESSION) == 56 &&
                   sizeof(DEV_OBJECT) == 32 && sizeof(DEV_QUERY_RESULT_ACTION_DATA) == 40,
               "devquery");
#endif

/* The data is freed once the callback returns. */
typedef void(WINAPI *PDEV_QUERY_RESULT_CALLBACK)(HDEVQUERY hDevQuery, PVOID pContext,
                                                 const DEV_QUERY_RESULT_ACTION_DATA *pActionData);

SIM_EXPORT HRESULT WINAPI DevCreateObjectQuery(uint32_t ObjectType, ULONG QueryFlags, ULONG cRequestedProperties,
                                               const DEVPROPCOMPKEY *pRequestedProperties, ULONG cFilterExpressionCount,
                                               const DEVPROP_FILTER_EXPRESSION *pFilter,
                                               PDEV_QUERY_RESULT_CALLBACK pCallback, PVOID pContext,
                                               HDEVQUERY *phDevQuery);
SIM_EXPORT void WINAPI DevCloseObjectQuery(HDEVQUERY hDevQuery);
SIM_EXPORT HRESULT WINAPI DevGetObjects(uint32_t ObjectType, ULONG QueryFlags, ULONG cRequestedProperties,
                                        const DEVPROPCOMPKEY *pRequestedProperties, ULONG cFilterExpressionCount,
                                        const DEVPROP_FILTER_EXPRESSION *pFilter, ULONG *pcObjectCount,
                                        const DEV_OBJECT **ppObjects);
SIM_EXPORT void WINAPI DevFreeObjects(ULONG cObjectCount, const DEV_OBJECT *pObjects);
SIM_EXPORT HRESULT WINAPI DevGetObjectProperties(uint32_t ObjectType, const WCHAR *pszObjectId, ULONG QueryFlags,
                                                 ULONG cRequestedProperties, const DEVPROPCOMPKEY *pRequestedProperties,
                                                 ULONG *pcPropertyCount, const DEVPROPERTY **ppProperties);
SIM_EXPORT void WINAPI DevFreeObjectProperties(ULONG cPropertyCount, const DEVPROPERTY *pProperties);
SIM_EXPORT const DEVPROPERTY *WINAPI DevFindProperty(const DEVPROPKEY *pKey, DEVPROPSTORE Store,
                                                     const WCHAR *pszLocaleName, ULONG cProperties,
                                                     const DEVPROPERTY *pProperties);

#endif
