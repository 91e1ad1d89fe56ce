/*
 * The world behind the exports: handles, sessions, links, interfaces, device nodes, time, and the
 * running calls and callbacks. Everything here is called with the lock held (world_enter to
 * world_leave).
 *
 * Invariant: only call_wait and the threads of notify.c wait, and no callback is called with the
 * lock held. After such a wait, every object is looked up again by its handle: it may be gone.
 *
 *   WFDStartOpenSession --> PENDING --(time, cancel)--> completed --> callback --> OPEN or handle retired (failed)
 *   OPEN --> WFDCloseSession: handle retired, close queued --(time)--> link ends --> interface, node, addresses change
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

/* ---- handles (handle.c): never reused; a retired one remembers how it ended ------------------ */

enum handle_kind { HANDLE_CLIENT, HANDLE_SESSION, HANDLE_NOTIFICATION, HANDLE_QUERY, HANDLE_KINDS };
enum handle_end { END_LIVE, END_CLOSED, END_FAILED_OPEN, END_CLIENT_CLOSED, END_SERVICE_STOPPED };

/* What every object with a handle begins with. */
struct object {
    HANDLE handle;
    enum handle_kind kind;
    bool leak_counted;
    struct object *previous, *next; /* the live ones of its kind */
};

/* Gives the object a handle; false where memory is exhausted. */
bool handle_issue(struct object *object, enum handle_kind kind);
/* The handle is used up; the object remains the caller's. */
void handle_retire(struct object *object, enum handle_end end);
/* The live object, or NULL. */
void *handle_object(HANDLE handle, enum handle_kind kind);
/* The live object; else NULL, and the misuse of using the handle is counted. */
void *handle_use(HANDLE handle, enum handle_kind kind, uint32_t function, bool closes);
/* Whether a call that comes too late may have been under way already
 * (SimDefaults.race_grace_ms); counted if so. */
bool handle_lost_race(uint64_t since_us);

/* ---- misuse (misuse.c) and memory given out (data.c) ----------------------------------------- */

void misuse_count(uint32_t kind, uint32_t function, const void *value);
void misuse_reset(void);

enum data_kind { DATA_MIB_TABLE, DATA_OBJECTS, DATA_PROPERTIES, DATA_CALLBACK };
/* Zeroed memory that the caller of an export, or a callback, will hold. NULL where memory is
 * exhausted. */
void *data_allocate(enum data_kind kind, size_t size, uint32_t count);
/* How many elements it turned out to have. */
void data_set_count(void *pointer, uint32_t count);
/* Poisons and keeps it a while, so that a second free or a later use is noticed. */
void data_free(const void *pointer, enum data_kind kind, uint32_t count, uint32_t function);
/* Counts a misuse where the pointer leads into freed data; true if it does. */
bool data_is_freed(const void *pointer, uint32_t function);
uint32_t data_live(void);
uint32_t data_count_leaks(void);

/* ---- time (timeline.c) ----------------------------------------------------------------------- */

struct event {
    uint64_t due_us, sequence;
    void (*happen)(const struct event *event);
    uint64_t subject;    /* a handle, slot or call; looked up when it happens */
    uint64_t generation; /* of the subject: an event of an earlier one is void */
    uint32_t argument;
};
/* What fails for lack of memory is lost; the world is small. */
void timeline_schedule(uint32_t delay_ms, struct event event);
/* Has everything that is due happen. */
void timeline_run(void);
void timeline_set_manual(bool is_manual);
uint32_t timeline_length(void);
/* The sum of two times, where one may be SIM_NEVER. */
uint32_t time_sum(uint32_t a_ms, uint32_t b_ms);

/* ---- calls held inside an export (call.c) ---------------------------------------------------- */

struct call {
    uint64_t id;
    uint32_t function;
    bool in_service; /* inside the WLAN service, so its stop ends the call */
    bool done;
    bool released; /* by SimReleaseCalls */
    uint32_t code; /* not 0: the call is to return it at once */
    struct call *next;
};
void call_begin(struct call *call, uint32_t function, bool in_service);
/* Waits, without the lock, until the call is finished; its code. */
uint32_t call_wait(struct call *call);
/* The two around a sleep of so long. */
uint32_t call_sleep(uint32_t function, bool in_service, uint32_t delay_ms);
/* Finishes the call of this id, if it is still held. */
void call_finish(uint64_t id, uint32_t code);
bool call_is_held(uint64_t id);
void call_finish_in_service(uint32_t code);
uint32_t call_release(uint32_t function, uint32_t code);
uint32_t calls_held(void);

/* ---- scripts (script.c) ---------------------------------------------------------------------- */

/* Each takes one use of the first script that matches; else what happens without one. */
SimOpenScript script_open(const uint8_t address[6], uint32_t delay_ms);
SimCloseScript script_close(const uint8_t address[6]);
SimVisibilityScript script_visibility(const uint8_t address[6]);
/* Blocks as scripted; not 0: the function is to return it at once. */
uint32_t script_call(uint32_t function);
void script_reset(void);

/* ---- clients and sessions (session.c) -------------------------------------------------------- */

struct client {
    struct object object;
    uint32_t opens_pending; /* accepted, callback not returned */
    bool is_stale;          /* from before the service stopped */
    bool is_closing;        /* WFDCloseHandle has begun */
    uint32_t sessions;      /* its session handles that are live */
    uint64_t close_call;    /* the WFDCloseHandle that waits for opens_pending to be 0 */
};

struct session {
    struct object object;
    HANDLE client;
    uint8_t address[6];
    bool is_legacy, is_cancelled, is_completed;
    bool is_told;     /* the callback has begun, or WFDOpenLegacySession returned: the caller may know the outcome */
    bool is_returned; /* the callback has returned, at returned_us: the caller knows it */
    uint64_t returned_us;
    WFD_OPEN_SESSION_COMPLETE_CALLBACK callback;
    PVOID context;
    SimOpenScript script;
    uint64_t attempt;    /* generation of its completion event */
    uint64_t call;       /* WFDOpenLegacySession, or WFDStartOpenSession with callback_first */
    DWORD error, reason; /* once completed */
    GUID guid;           /* once completed well */
    uint64_t link;       /* the link it holds; 0: none */
};

/* Begins an open, which completes after script.delay_ms; NULL where memory is exhausted. */
struct session *session_start(HANDLE client, const uint8_t address[6], bool is_legacy, const SimOpenScript *script);
void session_complete(struct session *session);
void session_cancel(struct session *session);
void session_queue_close(const struct session *session, const SimCloseScript *script);
/* The caller now knows the outcome of the open. */
void session_set_returned(struct session *session);
/* Retires the handle. The caller still has to free the session. */
void session_retire(struct session *session, enum handle_end end);
/* Retires the handle and frees the session. */
void session_forget(struct session *session, enum handle_end end);
/* Around its callback: NULL where that is not to come any more. */
struct session *session_callback_begins(HANDLE handle);
void session_callback_returned(HANDLE handle, HANDLE client);
/* The sessions of a client whose handle is closed. */
void sessions_abandon(struct client *client, bool is_leak);
void sessions_lose_service(void);
/* Completes every pending open as a cancelled one. */
void sessions_cancel_all(void);

/* ---- devices, links and interfaces (device.c, link.c, interface.c) --------------------------- */

#define NO_SLOT UINT32_MAX

struct node {
    bool is_there;
    uint8_t is_connected, is_visible; /* SIM_AS_DEVICE */
    char suffix[16];
};

struct device {
    struct chain_item item; /* of the devices whose addresses are known */
    SimDevice state;    /* with everything derived filled in */
    uint32_t slot;
    bool is_paired;     /* false: removed; the slot is kept, and found again by address */
    bool is_peer_known; /* its addresses have appeared */
    uint32_t links;     /* sessions on the link */
    uint64_t link;      /* identity of the link; 0: none */
    uint64_t node_generation, address_generation;
    uint32_t own_interface; /* slot of the interface that only it uses; NO_SLOT: none yet */
    uint32_t interface; /* slot of the present link's, or the last one's; NO_SLOT: none yet */
    struct node nodes[SIM_NODES_MAX];
};

struct interface {
    struct chain_item item; /* of the present interfaces */
    GUID guid;
    uint64_t luid;
    uint32_t index;
    uint8_t mac[6];
    uint32_t type;
    bool is_present, is_up, has_media;
    bool has_local; /* its IPv4 address is known */
    uint8_t local[4];
    uint32_t links;
    uint64_t generation;
};

struct device *device_at(uint32_t slot);
uint32_t device_count(void);
/* The slot of a paired device, or NO_SLOT. */
uint32_t device_find(const uint8_t address[6]);
/* Pairs it, in the slot that the address had before if it had one; NO_SLOT for lack of memory. */
uint32_t device_pair(const SimDevice *state);
/* Changes a paired device, deriving what is zero. */
void device_set(uint32_t slot, const SimDevice *state);
void device_unpair(uint32_t slot);
/* The link has ended, and the node says so: a pairing that is not persistent ends with it. */
void device_disconnected(uint32_t slot);
void device_set_peer_known(uint32_t slot, bool is_known);
const struct chain *devices_known(void);
void device_reset(void);

void link_begin(struct session *session, uint32_t slot);
void link_end(uint32_t slot, const SimLinkEnd *end);
/* One session of the link is closed; the last one ends it. */
void link_release(const uint8_t address[6], uint64_t link, const SimLinkEnd *end);
/* The addresses of a live link appear anew. */
void link_readdress(uint32_t slot);

struct interface *interface_at(uint32_t slot);
const struct chain *interfaces_present(void);
/* The present one of this name; else NULL. */
const struct interface *interface_by_guid(const GUID *guid);
const struct interface *interface_by_luid(uint64_t luid);
const struct interface *interface_by_index(uint32_t index);
/* The slot of the interface that the device's links have, made where there is none yet. */
uint32_t interface_for(uint32_t device_slot);
void interface_attach(uint32_t slot, uint32_t up_ms);
void interface_detach(uint32_t slot, uint32_t effect, uint32_t effect_ms);
void interface_set_local(uint32_t slot, const uint8_t local[4]); /* NULL: it has none */
void interface_link_local(const uint8_t mac[6], uint8_t address[16]);
void interface_reset(void);

/* ---- callbacks (notify.c) and who wants them (change.c, query.c: see also query.h) ----------- */

void notify_open(const struct session *session);
/* Whether this thread is inside an open callback of this client. */
bool notify_is_inside_open_callback(HANDLE client);
/* row: MIB_IPINTERFACE_ROW or MIB_UNICASTIPADDRESS_ROW, copied; NULL for MibInitialNotification. */
void notify_change(HANDLE notification, const void *row, size_t row_size, uint32_t type);
void notify_queries(void);
uint32_t notify_pending(void);

struct notification {
    struct object object;
    bool of_addresses;
    ADDRESS_FAMILY family;
    PIPINTERFACE_CHANGE_CALLBACK on_interface;
    PUNICAST_IPADDRESS_CHANGE_CALLBACK on_address;
    PVOID context;
    uint64_t running_thread; /* that is inside the callback; 0: none */
    bool is_orphan;          /* cancelled, but not waited for: freed when its callback returns */
    uint64_t cancel_call;
};
void change_cancel(struct notification *notification);
void change_returned(struct notification *notification);
void change_interface(const struct interface *interface, uint32_t type);
/* address: 4 or 16 bytes, by family. */
void change_address(const struct interface *interface, ADDRESS_FAMILY family, const uint8_t *address, uint32_t type);

/* The device's node has changed; queries will see what of it concerns them. */
void query_device_changed(uint32_t slot);
/* One node of it has changed. */
void query_node_changed(uint32_t slot, uint32_t node);
/* Runs one callback of one query, releasing the lock around it; false where there is none to
 * run. */
bool query_run_one(void);
/* How many queries have callbacks to run, or are inside one. */
uint32_t query_work(void);
uint32_t query_abort_all(void);

/* Ends the text by 0, and cuts it to fit. */
void text_from_utf8(WCHAR *text, size_t capacity, const char *utf8);

/* ---- the whole (world.c) --------------------------------------------------------------------- */

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
    uint32_t opens_pending; /* sessions whose open has not returned to the caller */
    uint64_t epoch; /* counts SimReset; the counts below are since then */
    uint32_t closes_queued;
    uint64_t opens, closes, lost_races;
    uint64_t generations;
};
extern struct world world;

void world_enter(void);
void world_leave(void);
/* A number never given before. */
uint64_t world_generation(void);
void world_reset(void);

#endif
