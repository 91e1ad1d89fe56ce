/*
 * Controls the world behind the simulated Windows libraries: devices, outcomes, time, faults, and
 * the count of misuse. Tests and SimulatorService call these functions. The rest of the product
 * does not.
 *
 * Units: *_ms is milliseconds on the clock of the world (SimSetClock). Two times are special:
 * SIM_NEVER means that it does not happen, and SIM_DEFAULT means the value of SimSetDefaults. If a
 * comment begins with a number, that is the usual value.
 *
 * Errors: a function that returns uint32_t returns 0, ERROR_INVALID_PARAMETER (a NULL, or a value
 * out of range), ERROR_NOT_FOUND (no such device), ERROR_ALREADY_EXISTS or ERROR_NOT_ENOUGH_MEMORY.
 *
 * Every function can be called at any time, on any thread, and inside a callback. Only SimWaitIdle
 * waits.
 */
#ifndef WFDSIM_CONTROL_H
#define WFDSIM_CONTROL_H

#include "wfdsim.h"

#define SIM_NEVER 0xFFFFFFFFu
#define SIM_DEFAULT 0xFFFFFFFEu
#define SIM_ALWAYS 0xFFFFFFFFu /* as a count: until SimClearScripts */

/* ---- the world ------------------------------------------------------------------------------- */

/*
 * Restores the world as it is at load: the default devices without links, a running service, a
 * real clock, no scripts, limits or misuse. Blocked calls return, and pending opens end as
 * cancelled, at once. Handles, queries and notifications stay open, and their holders still have to
 * close them. Leaks from before are not counted again.
 *
 * The default devices (addresses 02:11:22:33:44:NN):
 *   01 Meeting Room Display, 02 Warehouse Scanner: in range.
 *   03 Label Printer: a legacy WPS device, opened with WFDOpenLegacySession.
 *   04 Delivery Robot: out of range; an open fails with ERROR_TIMEOUT,
 *      WLAN_REASON_CODE_NETWORK_NOT_AVAILABLE.
 *   05, 06 Forklift Terminal 1 and 2: in range, sharing one interface (this host is group owner).
 * An open of an address that is not paired fails with ERROR_NOT_FOUND. So does the open of a legacy
 * device as an ordinary one, or the reverse, because there is no stored profile of that kind.
 */
SIM_EXPORT void SimReset(void);

/* How long things take, unless a script says otherwise. 0 is allowed everywhere and means at
 * once. */
typedef struct SimDefaults {
    uint32_t open_ms;        /* 400: from WFDStartOpenSession to its completion */
    uint32_t legacy_open_ms; /* 200: how long WFDOpenLegacySession blocks */
    uint32_t cancel_ms;      /* 50: from WFDCancelOpenSession to the completion of the open */
    uint32_t close_ms;       /* 150: from WFDCloseSession to the end of the link */
    uint32_t visibility_ms;  /* 300: how long WFDUpdateDeviceVisibility blocks */
    uint32_t address_ms;     /* 100: from the start of a link until its addresses are known */
    /* 1000: for this time, a cancel after its callback has returned, or a cancel or close after the
     * service has stopped, counts as a lost race and not as misuse, because the caller may not know
     * better yet. */
    uint32_t race_grace_ms;
} SimDefaults;
SIM_EXPORT void SimGetDefaults(SimDefaults *defaults);
SIM_EXPORT uint32_t SimSetDefaults(const SimDefaults *defaults);

typedef struct SimLimits {
    /* 64. Beyond it, WFDOpenHandle returns ERROR_REMOTE_SESSION_LIMIT_EXCEEDED. */
    uint32_t clients_max;
    /* 65536. Beyond it, WFDStartOpenSession and WFDOpenLegacySession return the same. */
    uint32_t sessions_max;
    /* 0. 1: every function that can return ERROR_NOT_ENOUGH_MEMORY (or E_OUTOFMEMORY) does so. */
    uint32_t memory_exhausted;
} SimLimits;
SIM_EXPORT void SimGetLimits(SimLimits *limits);
SIM_EXPORT uint32_t SimSetLimits(const SimLimits *limits);

/* ---- time ------------------------------------------------------------------------------------ */

/* manual: 1: only SimAdvanceClock moves the time; 0: the time continues from its current value. */
SIM_EXPORT uint32_t SimSetClock(uint32_t manual);

/* Moves a manual clock, and lets everything that is due happen in order. When it returns,
 * effects are visible and callbacks have been started; it does not wait for them.
 * ERROR_INVALID_PARAMETER if the clock is not manual. */
SIM_EXPORT uint32_t SimAdvanceClock(uint32_t ms);

/* The world's time in milliseconds. */
SIM_EXPORT uint64_t SimGetClock(void);

/* ---- devices --------------------------------------------------------------------------------- */

/* A paired device. Values that are zero are derived from device_address; SimListDevices shows
 * them. */
typedef struct SimDevice {
    /* P2P device address, the key. */
    uint8_t device_address[6];
    /* The peer's address on a link. Derived: the device address, last octet xor 0x80. */
    uint8_t interface_address[6];
    /* IPv4 of this host on a link. Derived: 192.168.N.2, in a group 192.168.137.1. */
    uint8_t local_address[4];
    /* IPv4 of the peer on a link. Derived: 192.168.N.1, in a group 192.168.137.N. */
    uint8_t peer_address[4];
    uint8_t is_legacy;    /* 1: a legacy WPS device */
    uint8_t is_in_range;  /* 1: opens succeed and discovery finds it */
    uint8_t is_visible;   /* property IsVisible: 0 false, 1 true, 2 empty */
    uint8_t is_connected; /* out; property IsConnected: 0 false, 1 true, 2 empty (no link so far) */
    uint8_t is_transient; /* 1: Windows unpairs it when it disconnects */
    uint8_t is_absent;    /* property Device_IsPresent: 0 true, 1 false, 2 empty */
    uint8_t reserved[2];
    uint32_t link_quality;    /* 0 to 100 */
    uint32_t address_ms;      /* from the start of a link until its addresses are known */
    uint32_t interface_index; /* out; 0 if there is no interface */
    char name[64];            /* UTF-8, ended by 0 */
    /* Devices with the same group share an interface, which is up until the last link ends. Ended
     * by 0; empty: no group. */
    char interface_group[32];
} SimDevice;

/* Pairs a device. ERROR_ALREADY_EXISTS if its address is paired already. */
SIM_EXPORT uint32_t SimAddDevice(const SimDevice *device);

/* Changes a device. On a live link, new addresses appear after address_ms. A new group applies
 * to the next link. */
SIM_EXPORT uint32_t SimUpdateDevice(const SimDevice *device);

/* Unpairs a device. Its links end at once, but their sessions still have to be closed. */
SIM_EXPORT uint32_t SimRemoveDevice(const uint8_t device_address[6]);

/* Copies one paired device. ERROR_NOT_FOUND. */
SIM_EXPORT uint32_t SimGetDevice(const uint8_t device_address[6], SimDevice *device);

/* Fills up to capacity devices in the order of their pairing, and returns how many there are. */
SIM_EXPORT uint32_t SimListDevices(SimDevice *devices, uint32_t capacity);

/* A device node of a paired device. Each device has one with the suffix "", unless it is
 * removed. Windows can add more, which appear and disappear in any order. All have the same
 * properties, except these. */
#define SIM_NODES_MAX 4u
#define SIM_AS_DEVICE 3u
typedef struct SimNode {
    uint8_t device_address[6];
    /* Property IsConnected: 0 false, 1 true, 2 empty, SIM_AS_DEVICE the value of the device. */
    uint8_t is_connected;
    uint8_t is_visible; /* property IsVisible, likewise */
    char suffix[16];    /* appended to the object id of the node, ended by 0 */
} SimNode;

/* Adds the node with this suffix, or changes it. ERROR_NOT_FOUND. ERROR_NOT_ENOUGH_MEMORY if the
 * device already has SIM_NODES_MAX nodes. */
SIM_EXPORT uint32_t SimSetNode(const SimNode *node);

/* Removes the node with this suffix. The device stays paired, even without nodes.
 * ERROR_NOT_FOUND. */
SIM_EXPORT uint32_t SimRemoveNode(const uint8_t device_address[6], const char *suffix);

/* Sets which kinds of object have the Wi-Fi Direct properties; SIM_NODES_ON_DEVICES at load. The
 * SDK header documents them on device nodes. WinRT finds them on device interfaces, by the
 * canonical address (pid 13). */
enum { SIM_NODES_ON_DEVICES = 1, SIM_NODES_ON_INTERFACES = 2 };
SIM_EXPORT uint32_t SimSetNodes(uint32_t mask);

/* ---- scripts --------------------------------------------------------------------------------- */
/* A script applies to the next `count` uses that match it (SIM_ALWAYS: to all). If several scripts
 * match, the oldest one applies. A device_address of zeros matches any device. */

/* How the end of a link becomes visible. Times count from the end. */
enum {
    SIM_INTERFACE_GONE,         /* the interface is removed */
    SIM_INTERFACE_DOWN,         /* it stays, operationally down and without media */
    SIM_INTERFACE_DISCONNECTED, /* it stays, operationally up but without media */
};
typedef struct SimLinkEnd {
    uint32_t interface_effect;
    uint32_t interface_ms; /* 0: until interface_effect; SIM_NEVER: the interface stays up */
    uint32_t node_ms;      /* 0: until IsConnected is false; SIM_NEVER: it stays true */
} SimLinkEnd;

typedef struct SimOpenScript {
    uint8_t device_address[6];
    /* 1: WFDStartOpenSession returns only after the callback has returned. */
    uint8_t callback_first;
    /* 1: a cancel has no effect, and the open completes as if there were none. */
    uint8_t cancel_loses;
    uint32_t count;
    /* 0. Otherwise WFDStartOpenSession (WFDOpenLegacySession) returns it and does nothing else. */
    uint32_t code;
    /* dwError, or the result of a legacy open. SIM_DEFAULT: it follows from the state of the
     * device. 0 also opens a device that is out of range, but never one that is not paired or is of
     * the other kind (legacy or not). */
    uint32_t error;
    uint32_t reason_code;        /* dwReasonCode, unless error is SIM_DEFAULT */
    uint32_t delay_ms;           /* SIM_NEVER: does not complete unless cancelled or released */
    uint32_t cancel_error;       /* dwError of a cancelled open; SIM_DEFAULT: ERROR_CANCELLED */
    uint32_t cancel_reason_code; /* SIM_DEFAULT: WLAN_REASON_CODE_USER_CANCELLED */
    uint32_t cancel_ms;          /* from the cancel to the callback */
    /* 0: from the completion until the interface is up. Before that, it exists but is down. */
    uint32_t interface_ms;
    uint32_t node_ms; /* 0: from the completion until IsConnected is true */
    uint32_t drop_ms; /* SIM_NEVER: from the completion until the link drops by itself */
} SimOpenScript;
SIM_EXPORT uint32_t SimScriptOpen(const SimOpenScript *script);

typedef struct SimCloseScript {
    uint8_t device_address[6];
    uint8_t reserved[2];
    uint32_t count;
    /* 0. Otherwise WFDCloseSession returns it and the link stays. The handle becomes invalid all
     * the same. */
    uint32_t code;
    uint32_t delay_ms; /* SIM_NEVER: the queued close never happens */
    SimLinkEnd end;
} SimCloseScript;
SIM_EXPORT uint32_t SimScriptClose(const SimCloseScript *script);

typedef struct SimVisibilityScript {
    uint8_t device_address[6];
    uint8_t reserved[2];
    uint32_t count;
    uint32_t code;     /* 0. Otherwise it is returned after the delay; IsVisible stays unchanged */
    uint32_t delay_ms; /* how long the call blocks; SIM_NEVER: until released */
    uint32_t visible;  /* IsVisible afterwards, as in SimDevice; SIM_DEFAULT: is_in_range */
} SimVisibilityScript;
SIM_EXPORT uint32_t SimScriptVisibility(const SimVisibilityScript *script);

/* Functions by number, for SimScriptCall, SimReleaseCalls and misuse records. */
enum {
    SIM_FUNCTION_ANY,
    SIM_FUNCTION_WFD_OPEN_HANDLE,
    SIM_FUNCTION_WFD_CLOSE_HANDLE,
    SIM_FUNCTION_WFD_START_OPEN_SESSION,
    SIM_FUNCTION_WFD_CANCEL_OPEN_SESSION,
    SIM_FUNCTION_WFD_OPEN_LEGACY_SESSION,
    SIM_FUNCTION_WFD_CLOSE_SESSION,
    SIM_FUNCTION_WFD_UPDATE_DEVICE_VISIBILITY,
    SIM_FUNCTION_CONVERT_INTERFACE_GUID_TO_LUID,
    SIM_FUNCTION_GET_IF_ENTRY2,
    SIM_FUNCTION_NOTIFY_IP_INTERFACE_CHANGE,
    SIM_FUNCTION_NOTIFY_UNICAST_IP_ADDRESS_CHANGE,
    SIM_FUNCTION_CANCEL_MIB_CHANGE_NOTIFY2,
    SIM_FUNCTION_GET_UNICAST_IP_ADDRESS_TABLE,
    SIM_FUNCTION_GET_IP_NET_TABLE2,
    SIM_FUNCTION_FREE_MIB_TABLE,
    SIM_FUNCTION_DEV_CREATE_OBJECT_QUERY,
    SIM_FUNCTION_DEV_CLOSE_OBJECT_QUERY,
    SIM_FUNCTION_DEV_GET_OBJECTS,
    SIM_FUNCTION_DEV_FREE_OBJECTS,
    SIM_FUNCTION_DEV_GET_OBJECT_PROPERTIES,
    SIM_FUNCTION_DEV_FREE_OBJECT_PROPERTIES,
    SIM_FUNCTION_DEV_FIND_PROPERTY,
    SIM_FUNCTION_COUNT
};

/* Blocks a function, or makes it fail without an effect. NULL parameters are refused first.
 * ERROR_INVALID_PARAMETER for functions that only free memory, and for DevFindProperty: they
 * cannot be scripted. */
typedef struct SimCallScript {
    uint32_t function;
    uint32_t count;
    uint32_t block_ms; /* 0; SIM_NEVER: until SimReleaseCalls */
    /* 0: the call then proceeds as usual. Otherwise it is returned: an HRESULT for Dev*, and
     * without meaning for a void function. */
    uint32_t code;
} SimCallScript;
SIM_EXPORT uint32_t SimScriptCall(const SimCallScript *script);

/* Releases every call that is blocked now in this function (SIM_FUNCTION_ANY: in any), as if its
 * time were over. A WFDCloseHandle that waits for opens returns too, and those opens never call
 * back. Returns how many calls were released. */
SIM_EXPORT uint32_t SimReleaseCalls(uint32_t function);

/* Removes all scripts. */
SIM_EXPORT void SimClearScripts(void);

/* ---- events ---------------------------------------------------------------------------------- */

/* Ends every link to the device, as if the peer had left. ERROR_NOT_FOUND if there is none. */
SIM_EXPORT uint32_t SimDropLink(const uint8_t device_address[6], const SimLinkEnd *end);

typedef struct SimServiceStop {
    /* What new calls return: ERROR_SERVICE_NOT_ACTIVE or RPC_S_SERVER_UNAVAILABLE. */
    uint32_t call_code;
    /* What calls return that are in the service when it stops: RPC_S_CALL_FAILED. */
    uint32_t blocked_call_code;
    /* dwError with which pending opens call back: RPC_S_CALL_FAILED. 0: they never call back. */
    uint32_t open_error;
    /* What WFDCloseHandle returns when it frees a client handle from before the stop:
     * RPC_S_SERVER_UNAVAILABLE. */
    uint32_t close_handle_code;
    /* What an open on such a handle returns once the service runs again: ERROR_INVALID_HANDLE. */
    uint32_t stale_client_code;
} SimServiceStop;

/* Stops the WLAN service: session handles become invalid, links end, and their interfaces are
 * removed. */
SIM_EXPORT uint32_t SimStopService(const SimServiceStop *stop);

/* Starts the WLAN service again. Client handles from before the stop remain invalid, but each can
 * still be closed once. */
SIM_EXPORT void SimStartService(void);

/* Ends every device query with DevQueryStateAborted. Returns how many. */
SIM_EXPORT uint32_t SimAbortDeviceQueries(void);

/* Sets which changes cause notifications; all, at load. A caller that reads the state still sees
 * the other changes. */
enum { SIM_NOTIFY_INTERFACES = 1, SIM_NOTIFY_ADDRESSES = 2, SIM_NOTIFY_DEVICES = 4 };
SIM_EXPORT uint32_t SimSetNotifications(uint32_t mask);

/* ---- what happened --------------------------------------------------------------------------- */

/* The ways to misuse the Windows libraries. */
enum {
    /* WFDCloseSession before the open's callback began. */
    SIM_MISUSE_CLOSE_WHILE_PENDING = 1,
    /* A session, query or notification closed a second time. */
    SIM_MISUSE_CLOSE_TWICE,
    /* WFDCloseSession after an open that failed. */
    SIM_MISUSE_CLOSE_OF_FAILED_OPEN,
    /* WFDCancelOpenSession later than race_grace_ms after the callback had returned. */
    SIM_MISUSE_CANCEL_AFTER_COMPLETION,
    /* A session handle used after WFDCloseSession. */
    SIM_MISUSE_USE_AFTER_CLOSE,
    /* A client handle, or one of its sessions, used after WFDCloseHandle. */
    SIM_MISUSE_USE_AFTER_CLOSE_HANDLE,
    /* A session handle used later than race_grace_ms after the service stopped. */
    SIM_MISUSE_USE_AFTER_SERVICE_STOP,
    /* A value that was never issued as a handle, or a handle of another kind. */
    SIM_MISUSE_UNKNOWN_HANDLE,
    /* A query, notification or client handle closed on the thread that runs its callback. On
     * Windows this is a deadlock; the simulator counts it and does not wait. */
    SIM_MISUSE_CLOSE_IN_CALLBACK,
    /* Memory freed a second time. */
    SIM_MISUSE_DOUBLE_FREE,
    /* Memory that was never lent, or that was freed by the wrong function or with a wrong count. */
    SIM_MISUSE_WRONG_FREE,
    /* Freed memory passed to a function or written to. */
    SIM_MISUSE_USE_OF_FREED_DATA,
    /* Open or pending at SimCheckLeaks, or open when its client handle was closed. */
    SIM_MISUSE_LEAKED_SESSION,
    /* These are counted by SimCheckLeaks. */
    SIM_MISUSE_LEAKED_CLIENT_HANDLE,
    SIM_MISUSE_LEAKED_QUERY,
    SIM_MISUSE_LEAKED_NOTIFICATION,
    SIM_MISUSE_LEAKED_DATA,
    SIM_MISUSE_KINDS
};
SIM_EXPORT uint64_t SimGetMisuse(uint32_t kind); /* 0: of all kinds together */

typedef struct SimMisuseRecord {
    uint64_t time_ms;
    uint64_t value; /* the handle or address */
    uint32_t kind;
    uint32_t function;
} SimMisuseRecord;
/* Only the first 64 misuses since SimReset are recorded. Copies up to capacity of the records, and
 * returns how many there are. */
SIM_EXPORT uint32_t SimGetMisuseRecords(SimMisuseRecord *records, uint32_t capacity);

/* Names for people: "CLOSE_TWICE", "WFDCloseSession". NULL if the number has no name. */
SIM_EXPORT const char *SimGetMisuseName(uint32_t kind);
SIM_EXPORT const char *SimGetFunctionName(uint32_t function);

/* Counts everything that a caller still holds as a LEAKED_* misuse, but each thing only once, even
 * if the function is called again. Returns how many misuses it added. */
SIM_EXPORT uint32_t SimCheckLeaks(void);

typedef struct SimCounts {
    uint32_t clients;                /* client handles not closed */
    uint32_t sessions;               /* session handles, open or with a pending open */
    uint32_t opens_pending;          /* those of the sessions whose callback has not returned */
    uint32_t closes_queued;          /* closes that have not happened yet */
    uint32_t queries, notifications; /* not closed, not cancelled */
    uint32_t data_blocks;            /* results not freed */
    uint32_t calls_blocked;          /* calls that block inside a function */
    uint32_t callbacks_pending;      /* callbacks that are queued or running; 0: idle */
    uint32_t events_scheduled;       /* events on the clock of the world */
    uint64_t opens, closes;          /* opens accepted and closes queued since SimReset */
    uint64_t lost_races;             /* since SimReset; see race_grace_ms */
} SimCounts;
SIM_EXPORT void SimGetCounts(SimCounts *counts);

/* Waits at most real_ms, in real time, until no callback is pending. Returns 1 if none is. Do not
 * call it on the thread that callbacks need: from JavaScript, call it asynchronously. */
SIM_EXPORT uint32_t SimWaitIdle(uint32_t real_ms);

#endif
