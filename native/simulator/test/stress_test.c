/* Many operations at once, from several threads, in real time. Most of what these tests find, the
 * sanitizers find. */
#include "check.h"

#define WORKERS 4
#define ROUNDS 60

static HANDLE client;
static atomic_uint workers_left, seed;

/* The outcome of one open, set by its callback. */
struct opening {
    atomic_bool is_done;
    DWORD error;
};

static void WINAPI on_done(HANDLE session, PVOID context, GUID guid, DWORD error, DWORD reason)
{
    (void)session, (void)guid, (void)reason;
    struct opening *opening = context;
    opening->error = error;
    atomic_store(&opening->is_done, true);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static void open_and_close(uint32_t *random)
{
    DOT11_MAC_ADDRESS *const devices[] = {&display, &scanner, &forklift_1, &forklift_2, &robot, &stranger};
    struct opening opening = {.error = 0};
    HANDLE session;
    CHECK(WFDStartOpenSession(client, devices[next_random(random) % 6], &opening, on_done, &session) == ERROR_SUCCESS);
    if (next_random(random) % 3 == 0)
        WFDCancelOpenSession(session);
    while (!atomic_load(&opening.is_done))
        CHECK(SimWaitIdle(1) <= 1);
    if (opening.error == ERROR_SUCCESS)
        CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
}

static void read_everything(uint32_t *random)
{
    MIB_UNICASTIPADDRESS_TABLE *addresses;
    MIB_IPNET_TABLE2 *neighbors;
    const DEV_OBJECT *objects;
    ULONG count;
    SimLinkEnd end = {.interface_effect = next_random(random) % 3};
    CHECK(GetUnicastIpAddressTable(AF_UNSPEC, &addresses) == ERROR_SUCCESS);
    CHECK(GetIpNetTable2(AF_UNSPEC, &neighbors) == ERROR_SUCCESS);
    CHECK(DevGetObjects(DevObjectTypeDevice, DevQueryFlagAllProperties, 0, NULL, 0, NULL, &count, &objects) == S_OK);
    SimDropLink(display, &end);
    FreeMibTable(addresses);
    FreeMibTable(neighbors);
    DevFreeObjects(count, objects);
}

static void work(void)
{
    uint32_t random = atomic_fetch_add(&seed, 1);
    for (int i = 0; i < ROUNDS; i++) {
        open_and_close(&random);
        if (i % 4 == 0)
            read_everything(&random);
    }
    atomic_fetch_sub(&workers_left, 1);
}

static void WINAPI ignore_interface(PVOID context, MIB_IPINTERFACE_ROW *row, uint32_t type)
{
    (void)context, (void)row, (void)type;
}

static void WINAPI ignore_result(HDEVQUERY query, PVOID context, const DEV_QUERY_RESULT_ACTION_DATA *data)
{
    (void)query, (void)context, (void)data;
}

static bool are_workers_done(void)
{
    return atomic_load(&workers_left) == 0;
}

static void everything_happens_at_once(void)
{
    SimDefaults quick = {.open_ms = 1, .cancel_ms = 1, .close_ms = 1, .address_ms = 1, .race_grace_ms = 60000};
    HDEVQUERY query;
    HANDLE notification;
    CHECK(SimSetClock(0) == ERROR_SUCCESS && SimSetDefaults(&quick) == ERROR_SUCCESS);
    client = open_client();
    atomic_store(&workers_left, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        CHECK(platform_start_thread(work));
    while (!are_workers_done()) {
        CHECK(NotifyIpInterfaceChange(AF_UNSPEC, ignore_interface, NULL, 1, &notification) == ERROR_SUCCESS);
        CHECK(DevCreateObjectQuery(DevObjectTypeDevice, DevQueryFlagUpdateResults | DevQueryFlagAllProperties, 0, NULL,
                                   0, NULL, ignore_result, NULL, &query) == S_OK);
        SimWaitIdle(5);
        DevCloseObjectQuery(query);
        CHECK(CancelMibChangeNotify2(notification) == ERROR_SUCCESS);
    }
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
    CHECK(counts().sessions == 0 && counts().opens == WORKERS * ROUNDS);
}

static void WINAPI count_change(PVOID context, MIB_IPINTERFACE_ROW *row, uint32_t type)
{
    CHECK(row->InterfaceIndex == 7 && type == MibParameterNotification);
    atomic_fetch_add((atomic_uint *)context, 1);
}

static void thousands_of_notifications_wait_and_are_delivered(void)
{
    static atomic_uint received;
    HANDLE notification;
    CHECK(NotifyIpInterfaceChange(AF_INET, count_change, &received, 0, &notification) == ERROR_SUCCESS);
    world_enter();
    for (int i = 0; i < 20000; i++)
        change_notify_interface(interface_at(0), MibParameterNotification);
    world_leave();
    CHECK(SimWaitIdle(10000) == 1 && atomic_load(&received) == 20000);
    CHECK(CancelMibChangeNotify2(notification) == ERROR_SUCCESS);
}

static void thousands_of_sessions_come_and_go(void)
{
    SimDefaults at_once = {0};
    struct outcome outcome;
    CHECK(SimSetDefaults(&at_once) == ERROR_SUCCESS);
    client = open_client();
    for (int i = 0; i < 3000; i++) {
        outcome.count = 0;
        HANDLE session = start_open(client, &display, &outcome);
        CHECK(SimWaitIdle(10000) == 1 && outcome.count == 1 && WFDCloseSession(session) == ERROR_SUCCESS);
    }
    CHECK(counts().closes == 3000 && counts().closes_queued == 0);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

const struct test stress_tests[] = {
    {"everything happens at once", everything_happens_at_once},
    {"thousands of notifications wait, and are delivered", thousands_of_notifications_wait_and_are_delivered},
    {"thousands of sessions come and go", thousands_of_sessions_come_and_go},
    {0},
};
