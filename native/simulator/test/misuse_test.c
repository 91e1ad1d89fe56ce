#include "check.h"

static void closing_while_pending_is_misuse_and_does_nothing(void)
{
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = start_open(client, &display, &outcome);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    expect_misuse(SIM_MISUSE_CLOSE_WHILE_PENDING, 1);
    advance(400);
    CHECK(outcome.count == 1 && outcome.error == ERROR_SUCCESS);
    advance(1000);
    CHECK(device(&display).is_connected == 1);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
}

static atomic_uint inside;
static atomic_bool may_leave;

static void WINAPI stay_inside(HANDLE session, PVOID context, GUID guid, DWORD error, DWORD reason)
{
    on_open(session, context, guid, error, reason);
    atomic_fetch_add(&inside, 1);
    while (!atomic_load(&may_leave))
        CHECK(SimGetClock() > 0);
}

static bool are_all_threads_inside(void)
{
    return atomic_load(&inside) == 4;
}

static void an_open_is_pending_until_its_callback_begins(void)
{
    struct outcome outcomes[5] = {0};
    HANDLE client = open_client(), sessions[5];
    for (int i = 0; i < 5; i++)
        CHECK(WFDStartOpenSession(client, &display, &outcomes[i], stay_inside, &sessions[i]) == ERROR_SUCCESS);
    CHECK(SimAdvanceClock(400) == ERROR_SUCCESS);
    wait_for(are_all_threads_inside);
    CHECK(WFDCloseSession(sessions[4]) == ERROR_SUCCESS && WFDCloseSession(sessions[0]) == ERROR_SUCCESS);
    expect_misuse(SIM_MISUSE_CLOSE_WHILE_PENDING, 1);
    atomic_store(&may_leave, true);
    CHECK(SimWaitIdle(10000) == 1 && outcomes[4].count == 1);
    for (int i = 1; i < 5; i++)
        CHECK(WFDCloseSession(sessions[i]) == ERROR_SUCCESS);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void closing_twice_is_misuse_even_while_the_first_is_queued(void)
{
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = open_session(client, &display, &outcome);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    CHECK(WFDCloseSession(session) == ERROR_INVALID_HANDLE);
    advance(1000);
    CHECK(WFDCloseSession(session) == ERROR_INVALID_HANDLE);
    CHECK(WFDCancelOpenSession(session) == ERROR_INVALID_HANDLE);
    expect_misuse(SIM_MISUSE_CLOSE_TWICE, 2);
    expect_misuse(SIM_MISUSE_USE_AFTER_CLOSE, 1);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void closing_a_failed_open_is_misuse(void)
{
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = start_open(client, &robot, &outcome);
    advance(400);
    CHECK(WFDCloseSession(session) == ERROR_INVALID_HANDLE);
    expect_misuse(SIM_MISUSE_CLOSE_OF_FAILED_OPEN, 1);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void using_a_client_handle_after_its_close_is_misuse(void)
{
    HANDLE client = open_client(), session = NULL;
    GUID guid;
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
    CHECK(WFDStartOpenSession(client, &display, NULL, on_open, &session) == ERROR_INVALID_HANDLE);
    CHECK(WFDOpenLegacySession(client, &printer, &session, &guid) == ERROR_INVALID_HANDLE);
    CHECK(WFDCloseHandle(client) == ERROR_INVALID_HANDLE);
    expect_misuse(SIM_MISUSE_USE_AFTER_CLOSE_HANDLE, 3);
}

static void handles_of_another_kind_or_never_issued_are_unknown(void)
{
    HANDLE client = open_client();
    CHECK(WFDCloseSession(client) == ERROR_INVALID_HANDLE);
    CHECK(WFDCancelOpenSession((HANDLE)(uintptr_t)0x1234) == ERROR_INVALID_HANDLE);
    CHECK(WFDCloseHandle((HANDLE)((uintptr_t)client & 0xFFFFFFFF)) == ERROR_INVALID_HANDLE);
    CHECK(WFDCloseHandle((HANDLE)((uintptr_t)client + 4)) == ERROR_INVALID_HANDLE);
    CHECK(CancelMibChangeNotify2(client) == ERROR_INVALID_PARAMETER);
    DevCloseObjectQuery(client);
    expect_misuse(SIM_MISUSE_UNKNOWN_HANDLE, 6);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void handles_are_never_used_again(void)
{
    HANDLE seen[32];
    for (size_t i = 0; i < SIM_ARRAY_LENGTH(seen); i++) {
        seen[i] = open_client();
        for (size_t j = 0; j < i; j++)
            CHECK(seen[i] != seen[j]);
        CHECK(WFDCloseHandle(seen[i]) == ERROR_SUCCESS);
    }
}

static void WINAPI close_client_inside(HANDLE session, PVOID context, GUID guid, DWORD error, DWORD reason)
{
    (void)session, (void)guid, (void)error, (void)reason;
    CHECK(WFDCloseHandle(*(HANDLE *)context) == ERROR_SUCCESS);
}

static void closing_the_client_handle_inside_one_of_its_callbacks_is_misuse(void)
{
    HANDLE client = open_client(), session;
    CHECK(WFDStartOpenSession(client, &robot, &client, close_client_inside, &session) == ERROR_SUCCESS);
    advance(400);
    expect_misuse(SIM_MISUSE_CLOSE_IN_CALLBACK, 1);
}

static void WINAPI close_session_inside(HANDLE session, PVOID context, GUID guid, DWORD error, DWORD reason)
{
    (void)context, (void)guid, (void)reason;
    CHECK(error == ERROR_SUCCESS && WFDCloseSession(session) == ERROR_SUCCESS);
}

static void closing_a_session_inside_its_callback_is_no_misuse(void)
{
    HANDLE client = open_client(), session;
    CHECK(WFDStartOpenSession(client, &display, NULL, close_session_inside, &session) == ERROR_SUCCESS);
    advance(1000);
    CHECK(counts().sessions == 0 && WFDCloseHandle(client) == ERROR_SUCCESS);
    CHECK(device(&display).is_connected == 1);
    advance(150);
    CHECK(device(&display).is_connected == 0);
}

static void everything_held_at_the_end_is_a_leak_and_counted_once(void)
{
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = open_session(client, &display, &outcome);
    MIB_UNICASTIPADDRESS_TABLE *table;
    CHECK(GetUnicastIpAddressTable(AF_UNSPEC, &table) == ERROR_SUCCESS);
    CHECK(SimCheckLeaks() == 3 && SimCheckLeaks() == 0);
    expect_misuse(SIM_MISUSE_LEAKED_CLIENT_HANDLE, 1);
    expect_misuse(SIM_MISUSE_LEAKED_SESSION, 1);
    expect_misuse(SIM_MISUSE_LEAKED_DATA, 1);
    FreeMibTable(table);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void misuses_are_recorded(void)
{
    SimMisuseRecord records[2];
    CHECK(WFDCloseSession((HANDLE)(uintptr_t)0x40) == ERROR_INVALID_HANDLE);
    CHECK(SimGetMisuseRecords(records, 2) == 1 && SimGetMisuse(0) == 1);
    CHECK(records[0].kind == SIM_MISUSE_UNKNOWN_HANDLE && records[0].value == 0x40);
    CHECK(records[0].function == SIM_FUNCTION_WFD_CLOSE_SESSION);
    for (uint32_t kind = 1; kind < SIM_MISUSE_KINDS; kind++)
        CHECK(SimGetMisuseName(kind) != NULL);
    for (uint32_t function = 1; function < SIM_FUNCTION_COUNT; function++)
        CHECK(SimGetFunctionName(function) != NULL);
    expect_misuse(SIM_MISUSE_UNKNOWN_HANDLE, 1);
}

const struct test misuse_tests[] = {
    {"closing while pending is misuse, and does nothing", closing_while_pending_is_misuse_and_does_nothing},
    {"an open is pending until its callback begins", an_open_is_pending_until_its_callback_begins},
    {"closing twice is misuse, even while the first is queued", closing_twice_is_misuse_even_while_the_first_is_queued},
    {"closing a failed open is misuse", closing_a_failed_open_is_misuse},
    {"using a client handle after its close is misuse", using_a_client_handle_after_its_close_is_misuse},
    {"handles of another kind or never issued are unknown", handles_of_another_kind_or_never_issued_are_unknown},
    {"handles are never used again", handles_are_never_used_again},
    {"closing the client handle inside one of its callbacks is misuse",
     closing_the_client_handle_inside_one_of_its_callbacks_is_misuse},
    {"closing a session inside its callback is no misuse", closing_a_session_inside_its_callback_is_no_misuse},
    {"everything held at the end is a leak, and counted once", everything_held_at_the_end_is_a_leak_and_counted_once},
    {"misuses are recorded", misuses_are_recorded},
    {0},
};
