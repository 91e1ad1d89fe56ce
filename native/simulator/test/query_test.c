#include "check.h"

#include <string.h>

static DEVPROPCOMPKEY keys[] = {
    {.Key = {{0x1506935D, 0xE3E7, 0x450F, {0x86, 0x37, 0x82, 0x23, 0x3E, 0xBE, 0x5F, 0x6E}}, 1}},
    {.Key = {{0x1506935D, 0xE3E7, 0x450F, {0x86, 0x37, 0x82, 0x23, 0x3E, 0xBE, 0x5F, 0x6E}}, 5}},
};

static struct received {
    uint32_t added, updated, removed, running;
    uint32_t enumerated, aborted, closed;
    bool is_connected;
    WCHAR id[64];
    const DEV_QUERY_RESULT_ACTION_DATA *data;
    HDEVQUERY query;
} received;

static void note_object(const DEV_OBJECT *object)
{
    for (size_t i = 0; i + 1 < SIM_ARRAY_LENGTH(received.id) && object->pszObjectId[i] != 0; i++)
        received.id[i] = object->pszObjectId[i];
    if (object->cPropertyCount == 2)
        received.is_connected = object->pProperties[1].Type == DEVPROP_TYPE_BOOLEAN &&
                                *(DEVPROP_BOOLEAN *)object->pProperties[1].Buffer == DEVPROP_TRUE;
}

static void WINAPI on_result(HDEVQUERY query, PVOID context, const DEV_QUERY_RESULT_ACTION_DATA *data)
{
    CHECK(context == &received && received.running++ == 0);
    received.query = query;
    received.data = data;
    received.added += data->Action == DevQueryResultAdd;
    received.updated += data->Action == DevQueryResultUpdate;
    received.removed += data->Action == DevQueryResultRemove;
    if (data->Action != DevQueryResultStateChange)
        note_object(&data->Data.DeviceObject);
    received.enumerated += data->Action == DevQueryResultStateChange && data->Data.State == DevQueryStateEnumCompleted;
    received.aborted += data->Action == DevQueryResultStateChange && data->Data.State == DevQueryStateAborted;
    received.closed += data->Action == DevQueryResultStateChange && data->Data.State == DevQueryStateClosed;
    received.running--;
}

static HDEVQUERY create(ULONG flags)
{
    HDEVQUERY query = NULL;
    memset(&received, 0, sizeof received);
    CHECK(DevCreateObjectQuery(DevObjectTypeDevice, flags, 2, keys, 0, NULL, on_result, &received, &query) == S_OK);
    CHECK(SimWaitIdle(10000) == 1);
    CHECK(received.enumerated == 1 && received.query == query);
    return query;
}

static void a_query_enumerates_and_then_reports_changes(void)
{
    HDEVQUERY query = create(DevQueryFlagUpdateResults);
    CHECK(received.added == 6 && received.updated == 0);
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = open_session(client, &display, &outcome);
    CHECK(received.updated == 1 && received.is_connected && received.id[15] == '0' && received.id[31] == '1');
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
    advance(150);
    CHECK(received.updated == 2 && !received.is_connected);
    SimDevice quality = device(&display);
    quality.link_quality = 1; /* not requested */
    CHECK(SimUpdateDevice(&quality) == ERROR_SUCCESS);
    advance(0);
    CHECK(received.updated == 2);
    CHECK(SimRemoveDevice(scanner) == ERROR_SUCCESS);
    advance(0);
    CHECK(received.removed == 1 && received.id[31] == '2');
    SimDevice added = {.device_address = {2, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE}, .name = "Added", .is_in_range = 1};
    CHECK(SimAddDevice(&added) == ERROR_SUCCESS);
    advance(0);
    CHECK(received.added == 7 && received.id[31] == 'e' && received.enumerated == 1);
    DevCloseObjectQuery(query);
    CHECK(SimRemoveDevice(printer) == ERROR_SUCCESS);
    advance(0);
    CHECK(received.removed == 1);
}

static void a_query_without_updates_ends_with_its_enumeration(void)
{
    HDEVQUERY query = create(0);
    CHECK(SimRemoveDevice(scanner) == ERROR_SUCCESS);
    advance(0);
    CHECK(received.added == 6 && received.removed == 0);
    DevCloseObjectQuery(query);
}

static void a_filter_moves_devices_in_and_out_of_the_result_set(void)
{
    DEVPROP_BOOLEAN is_true = DEVPROP_TRUE;
    DEVPROP_FILTER_EXPRESSION connected = {DEVPROP_OPERATOR_EQUALS, {keys[1], DEVPROP_TYPE_BOOLEAN, 1, &is_true}};
    HDEVQUERY query;
    memset(&received, 0, sizeof received);
    CHECK(DevCreateObjectQuery(DevObjectTypeDevice, DevQueryFlagUpdateResults, 2, keys, 1, &connected, on_result,
                               &received, &query) == S_OK);
    is_true = DEVPROP_FALSE; /* the query has its own copy */
    advance(0);
    CHECK(received.added == 0 && received.enumerated == 1);
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = open_session(client, &display, &outcome);
    CHECK(received.added == 1 && received.is_connected);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
    advance(150);
    CHECK(received.removed == 1);
    DevCloseObjectQuery(query);
}

static void an_aborted_query_is_silent_and_a_new_one_works(void)
{
    HDEVQUERY query = create(DevQueryFlagUpdateResults);
    CHECK(SimAbortDeviceQueries() == 1);
    advance(0);
    CHECK(received.aborted == 1);
    CHECK(SimRemoveDevice(scanner) == ERROR_SUCCESS && SimAbortDeviceQueries() == 0);
    advance(0);
    CHECK(received.removed == 0 && received.aborted == 1);
    DevCloseObjectQuery(query);
    query = create(DevQueryFlagUpdateResults);
    CHECK(received.added == 5);
    DevCloseObjectQuery(query);
}

static void WINAPI close_inside(HDEVQUERY query, PVOID context, const DEV_QUERY_RESULT_ACTION_DATA *data)
{
    on_result(query, context, data);
    if (received.enumerated == 1 && received.closed == 0)
        DevCloseObjectQuery(query);
}

static void an_asynchronous_close_can_be_called_inside_the_callback_and_is_reported(void)
{
    HDEVQUERY query;
    memset(&received, 0, sizeof received);
    CHECK(DevCreateObjectQuery(DevObjectTypeDevice, DevQueryFlagUpdateResults | DevQueryFlagAsyncClose, 2, keys, 0,
                               NULL, close_inside, &received, &query) == S_OK);
    advance(0);
    CHECK(received.closed == 1 && counts().queries == 0);
}

static void any_other_close_inside_the_callback_is_misuse(void)
{
    HDEVQUERY query;
    memset(&received, 0, sizeof received);
    CHECK(DevCreateObjectQuery(DevObjectTypeDevice, 0, 2, keys, 0, NULL, close_inside, &received, &query) == S_OK);
    advance(0);
    CHECK(received.closed == 0 && counts().queries == 0);
    DevCloseObjectQuery(query);
    expect_misuse(SIM_MISUSE_CLOSE_IN_CALLBACK, 1);
    expect_misuse(SIM_MISUSE_CLOSE_TWICE, 1);
}

static void the_data_of_a_callback_is_gone_when_the_callback_has_returned(void)
{
    HDEVQUERY query = create(0);
    CHECK(received.data->Action == 0xDDDDDDDD);
    DevCloseObjectQuery(query);
}

static atomic_bool is_inside, may_leave;
static HDEVQUERY held;

static void WINAPI stay_inside(HDEVQUERY query, PVOID context, const DEV_QUERY_RESULT_ACTION_DATA *data)
{
    (void)query, (void)context, (void)data;
    atomic_store(&is_inside, true);
    while (!atomic_load(&may_leave))
        CHECK(SimGetClock() > 0);
}

static bool has_entered(void)
{
    return atomic_load(&is_inside);
}
static void close_held(void)
{
    DevCloseObjectQuery(held);
}

static void a_close_waits_for_a_running_callback_and_no_other_follows(void)
{
    CHECK(DevCreateObjectQuery(DevObjectTypeDevice, 0, 0, NULL, 0, NULL, stay_inside, NULL, &held) == S_OK);
    wait_for(has_entered);
    start(close_held);
    wait_until_blocked(1);
    atomic_store(&may_leave, true);
    finish();
    CHECK(counts().queries == 0 && SimWaitIdle(10000) == 1);
}

static struct {
    uint32_t count;
    char actions[8];
} order;

static void WINAPI note_order(HDEVQUERY query, PVOID context, const DEV_QUERY_RESULT_ACTION_DATA *data)
{
    (void)query, (void)context;
    if (atomic_load(&is_inside) && order.count + 1 < SIM_ARRAY_LENGTH(order.actions))
        order.actions[order.count++] = data->Action == DevQueryResultAdd      ? '+'
                                       : data->Action == DevQueryResultRemove ? '-'
                                                                              : '=';
    atomic_store(&is_inside, true);
    while (!atomic_load(&may_leave))
        CHECK(SimGetClock() > 0);
}

/* A device whose new node appears before its old one disappears must not seem gone in between. */
static void changes_of_nodes_are_reported_in_the_order_in_which_they_were_made(void)
{
    SimNode other = {.suffix = "#2", .is_connected = SIM_AS_DEVICE, .is_visible = SIM_AS_DEVICE};
    memcpy(other.device_address, forklift_1, sizeof forklift_1);
    atomic_store(&is_inside, false);
    atomic_store(&may_leave, true);
    memset(&order, 0, sizeof order);
    CHECK(DevCreateObjectQuery(DevObjectTypeDevice, DevQueryFlagUpdateResults, 2, keys, 0, NULL, note_order, NULL,
                               &held) == S_OK);
    CHECK(SimWaitIdle(10000) == 1);
    memset(&order, 0, sizeof order);
    atomic_store(&is_inside, false);
    atomic_store(&may_leave, false);
    /* While this change is reported, the others wait. */
    SimNode first = other;
    memcpy(first.device_address, forklift_2, sizeof forklift_2);
    CHECK(SimSetNode(&first) == ERROR_SUCCESS);
    wait_for(has_entered);
    CHECK(SimSetNode(&other) == ERROR_SUCCESS && SimRemoveNode(forklift_1, "") == ERROR_SUCCESS);
    atomic_store(&may_leave, true);
    CHECK(SimWaitIdle(10000) == 1);
    CHECK(strcmp(order.actions, "+-") == 0);
    DevCloseObjectQuery(held);
}

/* The last letter of the suffix of the node that was added last, and of the one removed last. */
static WCHAR added_letter, removed_letter;

static void WINAPI note_letters(HDEVQUERY query, PVOID context, const DEV_QUERY_RESULT_ACTION_DATA *data)
{
    if (data->Action == DevQueryResultAdd)
        added_letter = data->Data.DeviceObject.pszObjectId[33];
    if (data->Action == DevQueryResultRemove)
        removed_letter = data->Data.DeviceObject.pszObjectId[33];
    note_order(query, context, data);
}

/* The query thread is inside a callback while one node replaces another, so that both use one
 * place. */
static void a_node_that_replaces_another_is_reported_after_its_removal(void)
{
    static const char *const suffixes[] = {"#a", "#b", "#c", "#d"};
    SimNode node = {.is_connected = SIM_AS_DEVICE, .is_visible = SIM_AS_DEVICE};
    memcpy(node.device_address, forklift_1, sizeof forklift_1);
    for (int i = 0; i < 3; i++) {
        memcpy(node.suffix, suffixes[i], 3);
        CHECK(SimSetNode(&node) == ERROR_SUCCESS);
    }
    atomic_store(&may_leave, true);
    CHECK(DevCreateObjectQuery(DevObjectTypeDevice, DevQueryFlagUpdateResults, 2, keys, 0, NULL, note_letters, NULL,
                               &held) == S_OK);
    CHECK(SimWaitIdle(10000) == 1);
    memset(&order, 0, sizeof order);
    atomic_store(&is_inside, false);
    atomic_store(&may_leave, false);
    CHECK(SimRemoveDevice(forklift_2) == ERROR_SUCCESS);
    wait_for(has_entered);
    CHECK(SimRemoveNode(forklift_1, "#b") == ERROR_SUCCESS);
    memcpy(node.suffix, suffixes[3], 3);
    CHECK(SimSetNode(&node) == ERROR_SUCCESS);
    atomic_store(&may_leave, true);
    CHECK(SimWaitIdle(10000) == 1);
    CHECK(strcmp(order.actions, "-+") == 0 && removed_letter == 'b' && added_letter == 'd');
    DevCloseObjectQuery(held);
}

static void a_query_not_closed_is_a_leak(void)
{
    HDEVQUERY query = create(DevQueryFlagUpdateResults);
    CHECK(SimCheckLeaks() == 1);
    expect_misuse(SIM_MISUSE_LEAKED_QUERY, 1);
    DevCloseObjectQuery(query);
}

const struct test query_tests[] = {
    {"a query enumerates, and then reports changes", a_query_enumerates_and_then_reports_changes},
    {"a query without updates ends with its enumeration", a_query_without_updates_ends_with_its_enumeration},
    {"a filter moves devices in and out of the result set", a_filter_moves_devices_in_and_out_of_the_result_set},
    {"an aborted query is silent, and a new one works", an_aborted_query_is_silent_and_a_new_one_works},
    {"an asynchronous close can be called inside the callback, and is reported",
     an_asynchronous_close_can_be_called_inside_the_callback_and_is_reported},
    {"any other close inside the callback is misuse", any_other_close_inside_the_callback_is_misuse},
    {"the data of a callback is gone when the callback has returned",
     the_data_of_a_callback_is_gone_when_the_callback_has_returned},
    {"a close waits for a running callback, and no other follows",
     a_close_waits_for_a_running_callback_and_no_other_follows},
    {"changes of nodes are reported in the order in which they were made",
     changes_of_nodes_are_reported_in_the_order_in_which_they_were_made},
    {"a node that replaces another is reported after its removal",
     a_node_that_replaces_another_is_reported_after_its_removal},
    {"a query not closed is a leak", a_query_not_closed_is_a_leak},
    {0},
};
