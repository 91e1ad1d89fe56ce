/*
 * Controls the world behind the simulated Windows libraries: devices, outcomes, time, faults, and
 * the count of misuse. Tests call these functions; the product never does.
 *
 * Units: *_ms is milliseconds on the clock of the world (SimSetClock). Two values of a time are
 * special: SIM_NEVER (it does not happen) and SIM_DEFAULT (the value of SimSetDefaults).
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
    uint32_t open_ms;        /* 400: WFDStartOpenSession to its completion */
    uint32_t legacy_open_ms; /* 200: WFDOpenLegacySession blocks */
    uint32_t cancel_ms;      /* 50: WFDCancelOpenSession to the completion of the cancelled open */
    uint32_t close_ms;       /* 150: WFDCloseSession to the end of the link */
    uint32_t visibility_ms;  /* 300: WFDUpdateDeviceVisibility blocks */
    uint32_t address_ms;     /* 100: link up to addresses known */
    /* 1000: a cancel after its callback has returned, or a close after the service has stopped,
     * counts as a lost race and not as misuse for this time, because the caller may not know
     * yet. */
    uint32_t race_grace_ms;
} SimDefaults;
SIM_EXPORT void SimGetDefaults(SimDefaults *defaults);
SIM_EXPORT uint32_t SimSetDefaults(const SimDefaults *defaults);

typedef struct SimLimits {
    uint32_t clients_max;      /* 64: WFDOpenHandle beyond it returns ERROR_REMOTE_SESSION_LIMIT_EXCEEDED */
    uint32_t sessions_max;     /* 65536: WFDStartOpenSession and WFDOpenLegacySession likewise */
    uint32_t memory_exhausted; /* 0; 1: every function that can return ERROR_NOT_ENOUGH_MEMORY (E_OUTOFMEMORY) does */
} SimLimits;
SIM_EXPORT void SimGetLimits(SimLimits *limits);
SIM_EXPORT uint32_t SimSetLimits(const SimLimits *limits);

/* ---- time ------------------------------------------------------------------------------------ */

/* manual 1: time moves only by SimAdvanceClock; 0: it runs on from where it is. */
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
    uint8_t device_address[6];    /* P2P device address, the key */
    uint8_t interface_address[6]; /* the peer's address on a link; derived: the device address, last octet xor 0x80 */
    uint8_t local_address[4];     /* IPv4 of this host on a link; derived: 192.168.N.2, with a group 192.168.137.1 */
    uint8_t peer_address[4];      /* IPv4 of the peer on a link; derived: 192.168.N.1, with a group 192.168.137.N */
    uint8_t is_legacy;            /* 1: a legacy WPS device */
    uint8_t is_in_range;          /* 1: opens succeed and discovery finds it */
    uint8_t is_visible;           /* property IsVisible: 0 false, 1 true, 2 empty */
    uint8_t is_connected;         /* out; property IsConnected: 0 false, 1 true, 2 empty (never connected so far) */
    uint8_t is_transient;         /* 1: the pairing is not persistent, and is forgotten when the device disconnects */
    uint8_t is_absent;            /* property Device_IsPresent: 0 true, 1 false, 2 empty */
    uint8_t reserved[2];
    uint32_t link_quality;    /* 0..100 */
    uint32_t address_ms;      /* link up to addresses known; SIM_NEVER, SIM_DEFAULT */
    uint32_t interface_index; /* out; 0 if there is no interface */
    char name[64];            /* UTF-8, ended by 0 */
    char interface_group[32]; /* devices of one non-empty group share an interface, up until the last link ends */
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
    uint8_t is_connected; /* property IsConnected: 0 false, 1 true, 2 empty, SIM_AS_DEVICE: as the device has it */
    uint8_t is_visible;   /* property IsVisible, likewise */
    char suffix[16];      /* appended to the object id of the node, ended by 0 */
} SimNode;

/* Adds the node of this suffix, or changes it. ERROR_NOT_FOUND. ERROR_NOT_ENOUGH_MEMORY if the
 * device had nodes with SIM_NODES_MAX suffixes already, including "" and those of removed nodes. */
SIM_EXPORT uint32_t SimSetNode(const SimNode *node);

/* Removes the node of this suffix. The device stays paired, even without nodes. ERROR_NOT_FOUND. */
SIM_EXPORT uint32_t SimRemoveNode(const uint8_t device_address[6], const char *suffix);

/* Sets which kinds of object have the Wi-Fi Direct properties; SIM_NODES_ON_DEVICES at load. The
 * SDK header documents them on device nodes. WinRT finds them on device interfaces, by the
 * canonical address (pid 13). */
enum { SIM_NODES_ON_DEVICES = 1, SIM_NODES_ON_INTERFACES = 2 };
SIM_EXPORT uint32_t SimSetNodes(uint32_t mask);

/* ---- scripts --------------------------------------------------------------------------------- */
/* A script applies to the next `count` uses that match (SIM_ALWAYS: to all). Earlier scripts
 * come first. A device_address of zeros matches any device. */

/* How the end of a link becomes visible. Times count from the end. */
enum {
    SIM_INTERFACE_GONE,         /* the interface is removed */
    SIM_INTERFACE_DOWN,         /* it stays, operationally down and without media */
    SIM_INTERFACE_DISCONNECTED, /* it stays, operationally up but without media */
};
typedef struct SimLinkEnd {
    uint32_t interface_effect;
    uint32_t interface_ms; /* 0; SIM_NEVER: the interface stays up */
    uint32_t node_ms;      /* 0: until IsConnected is false; SIM_NEVER: it stays true */
} SimLinkEnd;

typedef struct SimOpenScript {
    uint8_t device_address[6];
    uint8_t callback_first; /* 1: WFDStartOpenSession returns only after the callback has returned */
    uint8_t cancel_loses;   /* 1: a cancel has no effect, the open ends as if there were none */
    uint32_t count;
    uint32_t code;               /* 0; else WFDStartOpenSession (WFDOpenLegacySession) returns it and does no more */
    uint32_t error;              /* dwError (what a legacy open returns); SIM_DEFAULT: as the device's state has it.
                                    0 opens a device out of range too, but never one that is not paired */
    uint32_t reason_code;        /* dwReasonCode, where error is not SIM_DEFAULT */
    uint32_t delay_ms;           /* SIM_NEVER: never completes, unless cancelled or released */
    uint32_t cancel_error;       /* dwError of an open that was cancelled; SIM_DEFAULT: ERROR_CANCELLED */
    uint32_t cancel_reason_code; /* SIM_DEFAULT: WLAN_REASON_CODE_USER_CANCELLED */
    uint32_t cancel_ms;          /* from the cancel to the callback; SIM_NEVER */
    uint32_t interface_ms;       /* 0: completion to interface up; it is there, but down, until then */
    uint32_t node_ms;            /* 0: completion to IsConnected true */
    uint32_t drop_ms;            /* SIM_NEVER: completion to the link dropping by itself */
} SimOpenScript;
SIM_EXPORT uint32_t SimScriptOpen(const SimOpenScript *script);

typedef struct SimCloseScript {
    uint8_t device_address[6];
    uint8_t reserved[2];
    uint32_t count;
    uint32_t code;     /* 0; else WFDCloseSession returns it, and the link stays. The handle is used up all the same. */
    uint32_t delay_ms; /* SIM_NEVER: the queued close never happens */
    SimLinkEnd end;
} SimCloseScript;
SIM_EXPORT uint32_t SimScriptClose(const SimCloseScript *script);

typedef struct SimVisibilityScript {
    uint8_t device_address[6];
    uint8_t reserved[2];
    uint32_t count;
    uint32_t code;     /* 0; else returned, after the delay, and the property stays as it was */
    uint32_t delay_ms; /* how long the call blocks; SIM_NEVER: until released */
    uint32_t visible;  /* IsVisible afterwards: 0, 1, 2 (empty); SIM_DEFAULT: whether the device is in range */
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

/* Blocks a function, or makes it fail without an effect. NULL parameters are still refused
 * first. Functions that only free, and DevFindProperty, can't be scripted:
 * ERROR_INVALID_PARAMETER. */
typedef struct SimCallScript {
    uint32_t function;
    uint32_t count;
    uint32_t block_ms; /* 0; SIM_NEVER: until SimReleaseCalls */
    uint32_t code; /* 0: goes on as usual; else returned (an HRESULT for Dev*; without meaning for a void function) */
} SimCallScript;
SIM_EXPORT uint32_t SimScriptCall(const SimCallScript *script);

/* Releases every call that is blocked now in this function (SIM_FUNCTION_ANY: in any), as if its
 * time were over. A WFDCloseHandle that waits for opens returns too, and those opens never call
 * back. Returns how many calls were released. */
SIM_EXPORT uint32_t SimReleaseCalls(uint32_t function);

/* Forgets every script. */
SIM_EXPORT void SimClearScripts(void);

/* ---- events ---------------------------------------------------------------------------------- */

/* The peer leaves: every link to the device ends now. ERROR_NOT_FOUND if there is none. */
SIM_EXPORT uint32_t SimDropLink(const uint8_t device_address[6], const SimLinkEnd *end);

typedef struct SimServiceStop {
    uint32_t call_code;         /* what new calls return: ERROR_SERVICE_NOT_ACTIVE or RPC_S_SERVER_UNAVAILABLE */
    uint32_t blocked_call_code; /* what calls return that are in the service now: RPC_S_CALL_FAILED */
    uint32_t open_error;        /* dwError with which pending opens call back: RPC_S_CALL_FAILED; 0: they never do */
    uint32_t close_handle_code; /* what WFDCloseHandle returns for a client handle of before, freeing it: 1722 */
    uint32_t stale_client_code; /* what such a handle gives once the service runs again: ERROR_INVALID_HANDLE */
} SimServiceStop;

/* Stops the WLAN service: session handles become invalid, links end, their interfaces vanish. */
SIM_EXPORT uint32_t SimStopService(const SimServiceStop *stop);

/* Starts the WLAN service again. Earlier client handles stay invalid, but each can still be
 * closed once. */
SIM_EXPORT void SimStartService(void);

/* Ends every device query with DevQueryStateAborted. Returns how many. */
SIM_EXPORT uint32_t SimAbortDeviceQueries(void);

/* Sets which changes cause notifications. The other changes are still visible to callers.
 * Default: all. */
enum { SIM_NOTIFY_INTERFACES = 1, SIM_NOTIFY_ADDRESSES = 2, SIM_NOTIFY_DEVICES = 4 };
SIM_EXPORT uint32_t SimSetNotifications(uint32_t mask);

/* ---- what happened --------------------------------------------------------------------------- */

/* The kinds of misuse: what no caller of the Windows libraries may do. */
enum {
    SIM_MISUSE_CLOSE_WHILE_PENDING = 1, /* WFDCloseSession before the open's callback has begun */
    SIM_MISUSE_CLOSE_TWICE,             /* a session, query or notification, closed before */
    SIM_MISUSE_CLOSE_OF_FAILED_OPEN,    /* WFDCloseSession after an open that failed */
    SIM_MISUSE_CANCEL_AFTER_COMPLETION, /* WFDCancelOpenSession after the callback (see race_grace_ms) */
    SIM_MISUSE_USE_AFTER_CLOSE,         /* a session handle, used after WFDCloseSession */
    SIM_MISUSE_USE_AFTER_CLOSE_HANDLE,  /* a client handle, or a session of it, used after WFDCloseHandle */
    SIM_MISUSE_USE_AFTER_SERVICE_STOP,  /* a session handle, used after the service stopped (see race_grace_ms) */
    SIM_MISUSE_UNKNOWN_HANDLE,          /* a value never given out, or a handle of another kind */
    SIM_MISUSE_CLOSE_IN_CALLBACK,       /* a query, notification or client handle, closed on the thread that runs its
                                           callback: a deadlock on Windows; here it is counted, and does not wait */
    SIM_MISUSE_DOUBLE_FREE,             /* memory freed before */
    SIM_MISUSE_WRONG_FREE,              /* memory never given out, freed by the wrong function or a wrong count */
    SIM_MISUSE_USE_OF_FREED_DATA,       /* freed memory, passed to a function or written to */
    SIM_MISUSE_LEAKED_SESSION,          /* open or pending at SimCheckLeaks, or when its client handle was closed */
    SIM_MISUSE_LEAKED_CLIENT_HANDLE,    /* not closed at SimCheckLeaks; likewise the following */
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
/* Fills in up to capacity of the first 64 records since SimReset, and returns how many records
 * there are. */
SIM_EXPORT uint32_t SimGetMisuseRecords(SimMisuseRecord *records, uint32_t capacity);

/* Names for people: "CLOSE_TWICE", "WFDCloseSession". NULL if the number has no name. */
SIM_EXPORT const char *SimGetMisuseName(uint32_t kind);
SIM_EXPORT const char *SimGetFunctionName(uint32_t function);

/* Counts everything that is still held as LEAKED_* misuse, each thing once, even if it is called
 * again. Returns how many it added. */
SIM_EXPORT uint32_t SimCheckLeaks(void);

typedef struct SimCounts {
    uint32_t clients;       /* client handles not closed */
    uint32_t sessions;      /* session handles that may still be closed, or whose open is pending */
    uint32_t opens_pending; /* of these, those whose callback has not returned */
    uint32_t closes_queued;
    uint32_t queries, notifications;
    uint32_t data_blocks;       /* results not freed */
    uint32_t calls_blocked;     /* callers held inside a function */
    uint32_t callbacks_pending; /* handed to their threads, not returned: 0 means idle */
    uint32_t events_scheduled;  /* on the time line */
    uint64_t opens, closes;     /* opens accepted and closes queued since SimReset */
    uint64_t lost_races;        /* see race_grace_ms */
} SimCounts;
SIM_EXPORT void SimGetCounts(SimCounts *counts);

/* Waits at most real_ms, in real time, until no callback is pending; 1 if none is. It must not
 * be called on the thread that callbacks need: from JavaScript, only asynchronously. */
SIM_EXPORT uint32_t SimWaitIdle(uint32_t real_ms);

#endif
