/*
 * The world behind the exports: handles, sessions, links, interfaces, device nodes, time, and the
 * running calls and callbacks. The caller of every function here holds the lock, from world_enter
 * to world_leave.
 *
 * Invariant: only call_wait and the threads of notify.c wait, and no callback runs while the lock
 * is held. Code that has waited looks up every object again by its handle, because it may be gone.
 *
 *   WFDStartOpenSession -> PENDING -(time, cancel)-> completed -> callback
 *     -> OPEN, or handle retired (the open failed)
 *   OPEN -> WFDCloseSession: handle retired, close queued -(time)-> link ends
 *     -> interface, node and addresses change
 */
#ifndef WFDSIM_WORLD_H
#define WFDSIM_WORLD_H

#include "control.h"
#include "platform.h"

#define SIM_ARRAY_LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* ---- collections (collections.c): their operations cost the same however much they hold ------ */

/* From a number to a pointer that is not NULL. All zero is empty. */
struct map {
    struct map_place *places;
    size_t capacity, count;
};
/* Replaces the value of a key that is present. False if memory is exhausted. */
bool map_set(struct map *map, uint64_t key, void *value);
void *map_get(const struct map *map, uint64_t key);
void map_remove(struct map *map, uint64_t key);
/* Removes everything and frees the memory. */
void map_clear(struct map *map);

/* A list of structs that begin with an item. All zero is empty. */
struct chain_item {
    struct chain_item *previous, *next;
};
struct chain {
    struct chain_item *first, *last;
    uint32_t count;
};
void chain_append(struct chain *chain, struct chain_item *item);
void chain_remove(struct chain *chain, struct chain_item *item);

/* ---- handles (handle.c): never reused; a retired one keeps the reason of its end ------------- */

enum handle_kind { HANDLE_CLIENT, HANDLE_SESSION, HANDLE_NOTIFICATION, HANDLE_QUERY, HANDLE_KINDS };
enum handle_end { END_LIVE, END_CLOSED, END_FAILED_OPEN, END_CLIENT_CLOSED, END_SERVICE_STOPPED };

/* The head of every object that has a handle. */
struct object {
    HANDLE handle;
    enum handle_kind kind;
    bool leak_counted;
    struct object *previous, *next; /* in the list of live objects of its kind */
};

/* Gives the object a handle. False if memory is exhausted. */
bool handle_issue(struct object *object, enum handle_kind kind);
/* Makes the handle invalid for good. The caller still owns the object. */
void handle_retire(struct object *object, enum handle_end end);
/* The live object. NULL if there is none. */
void *handle_object(HANDLE handle, enum handle_kind kind);
/* The live object. If there is none, counts the misuse and returns NULL. */
void *handle_use(HANDLE handle, enum handle_kind kind, uint32_t function, bool closes);
/* Whether a call that comes too late may have been in flight already at since_us
 * (SimDefaults.race_grace_ms). If so, counts a lost race. */
bool handle_is_lost_race(uint64_t since_us);

/* ---- misuse (misuse.c) and memory lent to callers (data.c) ----------------------------------- */

void misuse_count(uint32_t kind, uint32_t function, const void *value);
void misuse_reset(void);

enum data_kind { DATA_MIB_TABLE, DATA_OBJECTS, DATA_PROPERTIES, DATA_CALLBACK };
/* Returns zeroed memory to lend to the caller of an export, or to a callback (DATA_CALLBACK).
 * count: the number of elements that the caller has to state when it frees them. NULL if memory is
 * exhausted. */
void *data_allocate(enum data_kind kind, size_t size, uint32_t count);
/* Corrects the number of elements. */
void data_set_count(void *pointer, uint32_t count);
/* Poisons the memory and keeps it for a while, so that a second free or a later use is noticed.
 * Counts a misuse if the pointer was not lent, or not as this kind and with this count. */
void data_free(const void *pointer, enum data_kind kind, uint32_t count, uint32_t function);
/* Whether the pointer leads into freed data. If so, counts a misuse. */
bool data_is_freed(const void *pointer, uint32_t function);
uint32_t data_live(void);
uint32_t data_count_leaks(void);

/* ---- time (timeline.c) ----------------------------------------------------------------------- */

struct event {
    uint64_t due_us, sequence;
    void (*run)(const struct event *event);
    uint64_t subject;    /* a handle, slot or call; run() looks it up */
    uint64_t generation; /* run() ignores the event if that of the subject is another */
    uint32_t argument;
};
/* Runs the event after the delay; never, if that is SIM_NEVER. The event is lost if memory is
 * exhausted. */
void timeline_schedule(uint32_t delay_ms, struct event event);
/* Runs all events that are due. */
void timeline_run(void);
void timeline_set_manual(bool is_manual);
uint32_t timeline_length(void);
/* The sum of two times. SIM_NEVER if one of them is. */
uint32_t time_sum(uint32_t a_ms, uint32_t b_ms);

/* ---- calls that block inside an export (call.c) ---------------------------------------------- */

struct call {
    uint64_t id;
    uint32_t function;
    bool in_service; /* inside the WLAN service, so its stop ends the call */
    bool done;
    bool released; /* by SimReleaseCalls */
    uint32_t code; /* the result of call_wait */
    struct call *next;
};
void call_begin(struct call *call, uint32_t function, bool in_service);
/* Releases the lock, waits until the call is finished, takes the lock. Returns its code: if it is
 * not 0, the caller returns it at once. */
uint32_t call_wait(struct call *call);
/* Blocks for this long, unless something finishes the call earlier. Returns the code. */
uint32_t call_sleep(uint32_t function, bool in_service, uint32_t delay_ms);
/* Finishes the call with this id, if it is still blocked. */
void call_finish(uint64_t id, uint32_t code);
bool call_is_blocked(uint64_t id);
void call_finish_in_service(uint32_t code);
uint32_t call_release(uint32_t function, uint32_t code);
uint32_t calls_blocked_count(void);

/* ---- scripts (script.c) ---------------------------------------------------------------------- */

/* Each of these uses the oldest script that matches once. Without one, it returns the usual
 * behavior. */
SimOpenScript script_open(const uint8_t address[6], uint32_t delay_ms);
SimCloseScript script_close(const uint8_t address[6]);
SimVisibilityScript script_visibility(const uint8_t address[6]);
/* Blocks as scripted. If the result is not 0, the function returns it at once. */
uint32_t script_call(uint32_t function);
void script_reset(void);

/* ---- clients and sessions (session.c) -------------------------------------------------------- */

struct client {
    struct object object;
    uint32_t opens_pending; /* accepted opens whose callback has not returned */
    bool is_stale;          /* it was opened before the service stopped */
    bool is_closing;        /* WFDCloseHandle has begun */
    uint32_t sessions;      /* its live session handles */
    uint64_t close_call;    /* the WFDCloseHandle that waits until opens_pending is 0 */
};

struct session {
    struct object object;
    HANDLE client;
    uint8_t address[6];
    bool is_legacy, is_cancelled, is_completed;
    bool is_outcome_known; /* the callback has begun, or WFDOpenLegacySession has returned */
    bool has_returned;     /* the callback has returned, at returned_us */
    uint64_t returned_us;
    WFD_OPEN_SESSION_COMPLETE_CALLBACK callback;
    PVOID context;
    SimOpenScript script;
    uint64_t attempt;    /* the generation of its completion event */
    uint64_t call;       /* WFDOpenLegacySession, or WFDStartOpenSession with callback_first */
    DWORD error, reason; /* valid if is_completed */
    GUID guid;           /* valid if is_completed without an error */
    uint64_t link;       /* the link that it uses; 0: none */
};

/* Begins an open that completes after script.delay_ms. NULL if memory is exhausted. */
struct session *session_start(HANDLE client, const uint8_t address[6], bool is_legacy, const SimOpenScript *script);
void session_complete(struct session *session);
void session_cancel(struct session *session);
void session_queue_close(const struct session *session, const SimCloseScript *script);
/* From now on the caller knows the outcome of the open. */
void session_set_returned(struct session *session);
/* Retires the handle. The caller still has to free the session. */
void session_retire(struct session *session, enum handle_end end);
/* Retires the handle and frees the session. */
void session_destroy(struct session *session, enum handle_end end);
/* Called before and after the callback of the open. The first returns NULL if the callback must
 * not run any more. */
struct session *session_on_callback_begin(HANDLE handle);
void session_on_callback_return(HANDLE handle, HANDLE client);
/* Ends all sessions of a client whose handle is closed. is_leak: open ones count as leaked. */
void sessions_abandon(struct client *client, bool is_leak);
void sessions_on_service_stop(void);
/* Completes every pending open as cancelled. */
void sessions_cancel_all(void);

/* ---- devices, links and interfaces (device.c, link.c, interface.c) --------------------------- */

#define NO_SLOT UINT32_MAX

struct node {
    bool exists;
    uint8_t is_connected, is_visible; /* as in SimNode */
    char suffix[16];
};

struct device {
    struct chain_item item; /* in devices_known(), if is_peer_known */
    SimDevice state;        /* with derived values filled in */
    uint32_t slot;
    bool is_paired;     /* false: removed. It keeps its slot, in case it is paired again */
    bool is_peer_known; /* the addresses of its link have appeared */
    uint32_t links;     /* sessions that use the link */
    uint64_t link;      /* identifies the link; 0: none */
    uint64_t node_generation, address_generation;
    uint32_t own_interface; /* slot of the interface that only it uses; NO_SLOT: none yet */
    uint32_t interface;     /* slot of the interface of its current or last link; NO_SLOT: none */
    struct node nodes[SIM_NODES_MAX];
};

struct interface {
    struct chain_item item; /* in interfaces_present(), if is_present */
    GUID guid;
    uint64_t luid;
    uint32_t index;
    uint8_t mac[6];
    uint32_t type;
    bool is_present, is_up, has_media;
    bool has_local; /* it has the IPv4 address `local` */
    uint8_t local[4];
    uint32_t links; /* devices that are linked through it */
    uint64_t generation;
};

struct device *device_at(uint32_t slot);
uint32_t device_count(void);
/* The slot of a paired device. NO_SLOT if there is none. */
uint32_t device_find(const uint8_t address[6]);
/* Pairs a device. It gets the slot back that its address had before, if any. NO_SLOT if memory is
 * exhausted. */
uint32_t device_pair(const SimDevice *state);
/* Changes a paired device. Values that are zero are derived. */
void device_set(uint32_t slot, const SimDevice *state);
void device_unpair(uint32_t slot);
/* Called when the device node shows the end of the link. Unpairs the device if its pairing is not
 * persistent. */
void device_on_disconnect(uint32_t slot);
void device_set_peer_known(uint32_t slot, bool is_known);
const struct chain *devices_known(void);
void device_reset(void);

void link_begin(struct session *session, uint32_t slot);
void link_end(uint32_t slot, const SimLinkEnd *end);
/* Called when one session of the link is closed. The link ends with its last session. */
void link_release(const uint8_t address[6], uint64_t link, const SimLinkEnd *end);
/* Removes the addresses of a live link; they appear again after address_ms. */
void link_renew_addresses(uint32_t slot);

struct interface *interface_at(uint32_t slot);
const struct chain *interfaces_present(void);
/* These find present interfaces only. NULL if there is none. */
const struct interface *interface_by_guid(const GUID *guid);
const struct interface *interface_by_luid(uint64_t luid);
const struct interface *interface_by_index(uint32_t index);
/* The slot of the interface that links of this device use. Creates the interface if needed. */
uint32_t interface_for_device(uint32_t device_slot);
void interface_attach(uint32_t slot, uint32_t up_ms);
void interface_detach(uint32_t slot, uint32_t effect, uint32_t effect_ms);
void interface_set_local(uint32_t slot, const uint8_t local[4]); /* NULL: it has none */
void interface_link_local(const uint8_t mac[6], uint8_t address[16]);
void interface_reset(void);

/* ---- callbacks (notify.c) and their subscribers (change.c; query.c, see also query.h) -------- */

/* Queues the callback of a completed open. */
void notify_open(const struct session *session);
/* Whether this thread is inside an open callback of this client. */
bool notify_is_inside_open_callback(HANDLE client);
/* Queues a callback. row: a MIB_IPINTERFACE_ROW or MIB_UNICASTIPADDRESS_ROW, which is copied; NULL
 * for MibInitialNotification. */
void notify_change(HANDLE notification, const void *row, size_t row_size, uint32_t type);
/* Wakes the thread that calls back for device queries. */
void notify_queries(void);
/* How many callbacks are queued or running. */
uint32_t notify_pending(void);

struct notification {
    struct object object;
    bool of_addresses;
    ADDRESS_FAMILY family;
    PIPINTERFACE_CHANGE_CALLBACK on_interface;
    PUNICAST_IPADDRESS_CHANGE_CALLBACK on_address;
    PVOID context;
    uint64_t running_thread; /* the thread inside the callback; 0: none */
    bool is_orphan;          /* cancelled while its callback runs on; freed when that returns */
    uint64_t cancel_call;    /* the CancelMibChangeNotify2 that waits for the callback */
};
void change_cancel(struct notification *notification);
void change_on_callback_return(struct notification *notification);
void change_notify_interface(const struct interface *interface, uint32_t type);
/* address: 4 or 16 bytes, by family. */
void change_notify_address(const struct interface *interface, ADDRESS_FAMILY family, const uint8_t *address,
                           uint32_t type);

/* Called when any node of a device may have changed. Each query finds out whether that concerns
 * it. */
void query_on_device_change(uint32_t slot);
/* Called when only this node of the device has changed. */
void query_on_node_change(uint32_t slot, uint32_t node);
/* Runs one callback of one query, and releases the lock while it runs. False if no callback is
 * pending. */
bool query_run_one(void);
/* How many queries have pending callbacks, or are inside one. */
uint32_t query_pending(void);
uint32_t query_abort_all(void);

/* Converts to UTF-16, ends it with 0, and truncates it to fit. */
void text_from_utf8(WCHAR *text, size_t capacity, const char *utf8);

/* ---- the state of the world (world.c) -------------------------------------------------------- */

struct world {
    uint64_t now_us;
    bool is_manual;
    SimDefaults defaults;
    SimLimits limits;
    SimServiceStop stop;
    bool is_stopped;
    uint32_t notifications;
    uint32_t nodes_on; /* SIM_NODES_ON_... */
    struct object *objects[HANDLE_KINDS];
    uint32_t object_counts[HANDLE_KINDS];
    uint32_t opens_pending; /* sessions of which has_returned is false */
    uint64_t epoch;         /* the number of resets; the counts below are since the last one */
    uint32_t closes_queued;
    uint64_t opens, closes, lost_races;
    uint64_t generations;
};
extern struct world world;

/* Takes the lock, and runs all events that are due. */
void world_enter(void);
/* Runs all events that are due, and releases the lock. */
void world_leave(void);
/* Returns a new number each time, never 0. */
uint64_t world_generation(void);
void world_reset(void);

#endif
