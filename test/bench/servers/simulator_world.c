/*
 * Measures what one operation of the simulator costs in worlds of the sizes that the command line
 * names: so many devices, sessions, results or pending notifications. A cost should not depend on
 * the size, except where the operation itself returns the whole world.
 *
 * Prints a line for each operation: its name, then the nanoseconds for each size, separated by
 * tabs. The clock of the world is manual, and all delays are 0.
 */
#include "world.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEATS 200u

static uint32_t size; /* the number of devices, and of sessions if they are held */
static HANDLE client, *sessions;
static atomic_bool may_leave;

#define REQUIRE(condition) require((condition), #condition, __LINE__)
static void require(bool condition, const char *text, int line)
{
    if (condition)
        return;
    fprintf(stderr, "simulator_world.c:%d: %s\n", line, text);
    exit(1);
}

static void address_of(uint32_t device, DOT11_MAC_ADDRESS *address)
{
    const uint8_t bytes[6] = {0x02, 0xBE, 0, (uint8_t)(device >> 16), (uint8_t)(device >> 8), (uint8_t)device};
    memcpy(*address, bytes, 6);
}

static void WINAPI on_open(HANDLE session, PVOID context, GUID guid, DWORD error, DWORD reason)
{
    (void)session, (void)guid, (void)reason;
    REQUIRE(error == ERROR_SUCCESS);
    atomic_fetch_add((atomic_uint *)context, 1);
}

static void wait_idle(void)
{
    REQUIRE(SimWaitIdle(600000) == 1);
}

static HANDLE open_session(uint32_t device)
{
    static atomic_uint opened;
    DOT11_MAC_ADDRESS address;
    HANDLE session;
    address_of(device, &address);
    REQUIRE(WFDStartOpenSession(client, &address, &opened, on_open, &session) == ERROR_SUCCESS);
    return session;
}

static void WINAPI wait_inside(PVOID context, MIB_IPINTERFACE_ROW *row, uint32_t type)
{
    (void)context, (void)row, (void)type;
    while (!atomic_load(&may_leave))
        REQUIRE(SimGetClock() > 0);
}

/* ---- the operations: each returns how often it was done -------------------------------------- */

static uint32_t pair_devices(void)
{
    for (uint32_t i = 0; i < size; i++) {
        SimDevice device = {.is_in_range = 1, .is_visible = 1, .address_ms = SIM_DEFAULT};
        address_of(i, &device.device_address);
        REQUIRE(SimAddDevice(&device) == ERROR_SUCCESS);
    }
    return size;
}

static uint32_t open_each_device(void)
{
    for (uint32_t i = 0; i < size; i++) {
        sessions[i] = open_session(i);
        wait_idle();
    }
    return size;
}

static uint32_t open_and_close(void)
{
    for (uint32_t i = 0; i < REPEATS; i++) {
        REQUIRE(WFDCloseSession(sessions[0]) == ERROR_SUCCESS);
        sessions[0] = open_session(0);
        wait_idle();
    }
    return REPEATS;
}

static uint32_t probe_service(void)
{
    for (uint32_t i = 0; i < REPEATS; i++) {
        HANDLE handle;
        DWORD version;
        REQUIRE(WFDOpenHandle(WFD_API_VERSION, &version, &handle) == ERROR_SUCCESS);
        REQUIRE(WFDCloseHandle(handle) == ERROR_SUCCESS);
    }
    return REPEATS;
}

static uint32_t read_counts(void)
{
    SimCounts counts;
    for (uint32_t i = 0; i < REPEATS; i++)
        SimGetCounts(&counts);
    REQUIRE(counts.sessions == size);
    return REPEATS;
}

static uint32_t read_interface(bool by_index)
{
    static MIB_IF_ROW2 row;
    DOT11_MAC_ADDRESS address;
    address_of(size - 1, &address);
    for (uint32_t i = 0; i < REPEATS; i++) {
        const struct interface *interface = interface_at(device_at(device_find(address))->interface);
        memset(&row, 0, sizeof row);
        if (by_index)
            row.InterfaceIndex = interface->index;
        else
            row.InterfaceLuid.Value = interface->luid;
        REQUIRE(GetIfEntry2(&row) == ERROR_SUCCESS);
    }
    return REPEATS;
}

static uint32_t read_interface_by_luid(void)
{
    return read_interface(false);
}

static uint32_t read_interface_by_index(void)
{
    return read_interface(true);
}

static const DEVPROPKEY address_key = {{0x1506935D, 0xE3E7, 0x450F, {0x86, 0x37, 0x82, 0x23, 0x3E, 0xBE, 0x5F, 0x6E}},
                                       1};

static const DEV_OBJECT *find_object(ULONG *count)
{
    DOT11_MAC_ADDRESS address;
    DEVPROPCOMPKEY key = {.Key = address_key};
    DEVPROP_FILTER_EXPRESSION filter = {DEVPROP_OPERATOR_EQUALS, {key, DEVPROP_TYPE_BINARY, 6, address}};
    const DEV_OBJECT *objects;
    address_of(size - 1, &address);
    REQUIRE(DevGetObjects(DevObjectTypeDevice, 0, 1, &key, 1, &filter, count, &objects) == S_OK && *count == 1);
    return objects;
}

static uint32_t read_object_by_address(void)
{
    ULONG count;
    for (uint32_t i = 0; i < REPEATS; i++) {
        const DEV_OBJECT *objects = find_object(&count);
        DevFreeObjects(count, objects);
    }
    return REPEATS;
}

static uint32_t read_object_by_id(void)
{
    DEVPROPCOMPKEY key = {.Key = address_key};
    const DEVPROPERTY *properties;
    ULONG count, property_count;
    const DEV_OBJECT *object = find_object(&count);
    for (uint32_t i = 0; i < REPEATS; i++) {
        REQUIRE(DevGetObjectProperties(DevObjectTypeDevice, object->pszObjectId, 0, 1, &key, &property_count,
                                       &properties) == S_OK);
        DevFreeObjectProperties(property_count, properties);
    }
    DevFreeObjects(count, object);
    return REPEATS;
}

static uint32_t read_tables(void)
{
    MIB_UNICASTIPADDRESS_TABLE *addresses;
    MIB_IPNET_TABLE2 *neighbors;
    for (uint32_t i = 0; i < REPEATS; i++) {
        REQUIRE(GetUnicastIpAddressTable(AF_UNSPEC, &addresses) == ERROR_SUCCESS);
        REQUIRE(GetIpNetTable2(AF_UNSPEC, &neighbors) == ERROR_SUCCESS);
        FreeMibTable(addresses);
        FreeMibTable(neighbors);
    }
    return REPEATS;
}

static uint32_t free_oldest_result_first(void)
{
    void **results = calloc(size, sizeof *results);
    world_enter();
    for (uint32_t i = 0; i < size; i++)
        REQUIRE((results[i] = data_allocate(DATA_MIB_TABLE, 80, 0)) != NULL);
    world_leave();
    for (uint32_t i = 0; i < size; i++)
        FreeMibTable(results[i]);
    free(results);
    return size;
}

static uint32_t script_one_of_many(void)
{
    static MIB_IF_ROW2 row;
    SimCallScript script = {.function = SIM_FUNCTION_WFD_UPDATE_DEVICE_VISIBILITY, .count = 1};
    for (uint32_t i = 0; i < size; i++)
        REQUIRE(SimScriptCall(&script) == ERROR_SUCCESS);
    for (uint32_t i = 0; i < size; i++) {
        row.InterfaceLuid.Value = interface_at(0)->luid;
        REQUIRE(GetIfEntry2(&row) == ERROR_SUCCESS);
    }
    SimClearScripts();
    return size;
}

static uint32_t open_as_scripted_for_the_device(void)
{
    SimOpenScript script = {.count = 1, .code = 5};
    HANDLE session;
    for (uint32_t i = 0; i < size; i++) {
        address_of(i, &script.device_address);
        REQUIRE(SimScriptOpen(&script) == ERROR_SUCCESS);
    }
    for (uint32_t i = size; i-- > 0;) {
        DOT11_MAC_ADDRESS address;
        address_of(i, &address);
        REQUIRE(WFDStartOpenSession(client, &address, NULL, on_open, &session) == 5);
    }
    return size;
}

static HANDLE notification;

static uint32_t deliver_pending_notifications(void)
{
    atomic_store(&may_leave, true);
    wait_idle();
    return size;
}

/* ---- the measurements ------------------------------------------------------------------------ */

static void hold_back_notifications(void)
{
    atomic_store(&may_leave, false);
    REQUIRE(NotifyIpInterfaceChange(AF_INET, wait_inside, NULL, 1, &notification) == ERROR_SUCCESS);
    for (uint32_t i = 0; i < size; i++) {
        world_enter();
        change_notify_interface(interface_at(0), MibParameterNotification);
        world_leave();
    }
}

static void stop_notifications(void)
{
    REQUIRE(CancelMibChangeNotify2(notification) == ERROR_SUCCESS);
}

static void close_all(void)
{
    for (uint32_t i = 0; i < size; i++)
        REQUIRE(WFDCloseSession(sessions[i]) == ERROR_SUCCESS);
    wait_idle();
    /* The simulator keeps freed results for a while. This replaces the large ones by small ones. */
    read_tables();
}

static const struct step {
    const char *name;
    uint32_t (*run)(void);
    void (*before)(void), (*after)(void);
} steps[] = {
    {"pair a device", pair_devices, NULL, NULL},
    {"first open of a device", open_each_device, NULL, NULL},
    {"close and open, all others held", open_and_close, NULL, NULL},
    {"probe the service, all held", probe_service, NULL, NULL},
    {"SimGetCounts, all held", read_counts, NULL, NULL},
    {"GetIfEntry2 by LUID", read_interface_by_luid, NULL, NULL},
    {"GetIfEntry2 by index", read_interface_by_index, NULL, NULL},
    {"DevGetObjects of one address", read_object_by_address, NULL, NULL},
    {"DevGetObjectProperties of one id", read_object_by_id, NULL, NULL},
    {"free the oldest of the results held", free_oldest_result_first, NULL, NULL},
    {"a call while others are scripted", script_one_of_many, NULL, NULL},
    {"script an open of each device, newest first", open_as_scripted_for_the_device, NULL, NULL},
    {"deliver a pending notification", deliver_pending_notifications, hold_back_notifications, stop_notifications},
    {"both address tables, all held (the whole world)", read_tables, NULL, close_all},
    {"both address tables, all closed", read_tables, NULL, NULL},
};

#define STEPS SIM_ARRAY_LENGTH(steps)

static void start_world(uint32_t devices)
{
    SimDefaults at_once = {.race_grace_ms = 1000};
    DWORD version;
    SimReset();
    REQUIRE(SimSetClock(1) == ERROR_SUCCESS && SimSetDefaults(&at_once) == ERROR_SUCCESS);
    REQUIRE(WFDOpenHandle(WFD_API_VERSION, &version, &client) == ERROR_SUCCESS);
    size = devices;
    sessions = calloc(devices, sizeof *sessions);
}

static void end_world(void)
{
    free(sessions);
    REQUIRE(WFDCloseHandle(client) == ERROR_SUCCESS);
    SimCheckLeaks();
    REQUIRE(SimGetMisuse(0) == 0);
}

static void measure(uint32_t devices, double figures[STEPS])
{
    start_world(devices);
    for (size_t i = 0; i < STEPS; i++) {
        if (steps[i].before != NULL)
            steps[i].before();
        uint64_t begin_us = platform_now_us();
        uint32_t operations = steps[i].run();
        figures[i] = (double)(platform_now_us() - begin_us) * 1000 / operations;
        if (steps[i].after != NULL)
            steps[i].after();
    }
    end_world();
}

int main(int count, char **sizes)
{
    static double figures[8][STEPS];
    REQUIRE(count > 1 && count <= (int)SIM_ARRAY_LENGTH(figures));
    /* This run does not count: threads start and memory is mapped during it. */
    measure(100, figures[0]);
    for (int i = 1; i < count; i++)
        measure((uint32_t)strtoul(sizes[i], NULL, 10), figures[i]);
    for (size_t i = 0; i < STEPS; i++) {
        fputs(steps[i].name, stdout);
        for (int j = 1; j < count; j++)
            printf("\t%.0f", figures[j][i]);
        putchar('\n');
    }
    return 0;
}
