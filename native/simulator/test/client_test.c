#include "check.h"

static HANDLE client;
static DWORD code;

static void close_client(void)
{
    code = WFDCloseHandle(client);
}

static void closing_the_client_handle_waits_for_pending_opens(void)
{
    struct outcome outcome = {0};
    client = open_client();
    HANDLE session = start_open(client, &display, &outcome);
    CHECK(WFDCancelOpenSession(session) == ERROR_SUCCESS);
    start(close_client);
    wait_until_blocked(1);
    advance(50);
    finish();
    CHECK(code == ERROR_SUCCESS && outcome.count == 1 && counts().clients == 0);
}

static void a_released_close_leaves_opens_that_never_call_back(void)
{
    SimOpenScript script = default_open_script();
    script.delay_ms = SIM_NEVER;
    CHECK(SimScriptOpen(&script) == ERROR_SUCCESS);
    struct outcome outcome = {0};
    client = open_client();
    HANDLE session = start_open(client, &display, &outcome);
    start(close_client);
    wait_until_blocked(1);
    CHECK(SimReleaseCalls(SIM_FUNCTION_WFD_CLOSE_HANDLE) == 1);
    finish();
    CHECK(code == ERROR_SUCCESS && counts().sessions == 0);
    CHECK(WFDCancelOpenSession(session) == ERROR_INVALID_HANDLE);
    expect_misuse(SIM_MISUSE_USE_AFTER_CLOSE_HANDLE, 1);
    advance(1000000);
    CHECK(outcome.count == 0);
}

static void closing_the_client_handle_with_an_open_session_leaks_it(void)
{
    struct outcome outcome = {0};
    client = open_client();
    HANDLE session = open_session(client, &display, &outcome);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
    CHECK(device(&display).is_connected == 1);
    CHECK(WFDCloseSession(session) == ERROR_INVALID_HANDLE);
    expect_misuse(SIM_MISUSE_LEAKED_SESSION, 1);
    expect_misuse(SIM_MISUSE_USE_AFTER_CLOSE_HANDLE, 1);
}

static void closing_one_client_handle_leaves_the_sessions_of_another(void)
{
    struct outcome first = {0}, second = {0};
    client = open_client();
    HANDLE other = open_client(), left = open_session(other, &scanner, &second);
    HANDLE kept = open_session(client, &display, &first);
    CHECK(WFDCloseHandle(open_client()) == ERROR_SUCCESS && counts().sessions == 2);
    CHECK(WFDCloseHandle(other) == ERROR_SUCCESS && counts().sessions == 1);
    CHECK(WFDCloseSession(left) == ERROR_INVALID_HANDLE);
    expect_misuse(SIM_MISUSE_LEAKED_SESSION, 1);
    expect_misuse(SIM_MISUSE_USE_AFTER_CLOSE_HANDLE, 1);
    CHECK(WFDCloseSession(kept) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void handles_sessions_and_memory_have_limits(void)
{
    SimLimits limits = {.clients_max = 1, .sessions_max = 1};
    DWORD version;
    HANDLE other = NULL, session = NULL;
    struct outcome outcome = {0};
    CHECK(SimSetLimits(&limits) == ERROR_SUCCESS);
    client = open_client();
    CHECK(WFDOpenHandle(1, &version, &other) == ERROR_REMOTE_SESSION_LIMIT_EXCEEDED);
    HANDLE first = open_session(client, &display, &outcome);
    CHECK(WFDStartOpenSession(client, &scanner, &outcome, on_open, &session) == ERROR_REMOTE_SESSION_LIMIT_EXCEEDED);
    CHECK(WFDCloseSession(first) == ERROR_SUCCESS);
    limits.memory_exhausted = 1;
    CHECK(SimSetLimits(&limits) == ERROR_SUCCESS);
    CHECK(WFDStartOpenSession(client, &scanner, &outcome, on_open, &session) == ERROR_NOT_ENOUGH_MEMORY);
    CHECK(WFDUpdateDeviceVisibility(&display) == ERROR_NOT_ENOUGH_MEMORY);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
    CHECK(WFDOpenHandle(1, &version, &other) == ERROR_NOT_ENOUGH_MEMORY);
}

static void a_function_blocks_until_its_time_or_its_release(void)
{
    SimCallScript for_a_while = {.function = SIM_FUNCTION_WFD_CLOSE_HANDLE, .count = 1, .block_ms = 300, .code = 1723};
    SimCallScript for_ever = {.function = SIM_FUNCTION_WFD_CLOSE_HANDLE, .count = 1, .block_ms = SIM_NEVER};
    CHECK(SimScriptCall(&for_a_while) == ERROR_SUCCESS && SimScriptCall(&for_ever) == ERROR_SUCCESS);
    client = open_client();
    start(close_client);
    wait_until_blocked(1);
    CHECK(SimAdvanceClock(300) == ERROR_SUCCESS);
    finish();
    CHECK(code == 1723 && counts().clients == 0);
    client = open_client();
    start(close_client);
    wait_until_blocked(1);
    CHECK(SimAdvanceClock(1000000) == ERROR_SUCCESS && counts().calls_blocked == 1);
    CHECK(SimReleaseCalls(SIM_FUNCTION_WFD_START_OPEN_SESSION) == 0);
    CHECK(SimReleaseCalls(SIM_FUNCTION_ANY) == 1);
    finish();
    CHECK(code == ERROR_SUCCESS && counts().clients == 0);
}

static void a_reset_ends_everything_except_what_callers_hold(void)
{
    SimOpenScript script = default_open_script();
    script.delay_ms = SIM_NEVER;
    CHECK(SimScriptOpen(&script) == ERROR_SUCCESS);
    struct outcome never = {0}, open = {0};
    client = open_client();
    start_open(client, &scanner, &never);
    HANDLE session = open_session(client, &display, &open);
    CHECK(SimRemoveDevice(printer) == ERROR_SUCCESS);
    SimReset();
    CHECK(SimWaitIdle(10000) == 1);
    CHECK(never.count == 1 && never.error == ERROR_CANCELLED);
    CHECK(device(&display).is_connected == 2 && device(&printer).is_legacy == 1);
    CHECK(counts().clients == 1 && counts().sessions == 1);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
}

static atomic_uint open_callbacks;
static atomic_bool may_return;

static void WINAPI stay_inside_open(HANDLE session, PVOID context, GUID guid, DWORD error, DWORD reason)
{
    (void)session, (void)context, (void)guid, (void)error, (void)reason;
    atomic_fetch_add(&open_callbacks, 1);
    while (!atomic_load(&may_return))
        CHECK(SimGetClock() > 0);
}

static bool has_called_back(void)
{
    return atomic_load(&open_callbacks) > 0;
}

/* After a second callback, closing the client handle would wait forever. */
static void an_open_that_a_reset_ends_calls_back_once(void)
{
    HANDLE session;
    atomic_store(&open_callbacks, 0);
    atomic_store(&may_return, false);
    client = open_client();
    CHECK(WFDStartOpenSession(client, &display, NULL, stay_inside_open, &session) == ERROR_SUCCESS);
    SimReset();
    wait_for(has_called_back);
    CHECK(SimSetClock(1) == ERROR_SUCCESS && SimAdvanceClock(1000) == ERROR_SUCCESS);
    atomic_store(&may_return, true);
    CHECK(SimWaitIdle(10000) == 1 && atomic_load(&open_callbacks) == 1);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

const struct test client_tests[] = {
    {"closing the client handle waits for pending opens", closing_the_client_handle_waits_for_pending_opens},
    {"a released close leaves opens that never call back", a_released_close_leaves_opens_that_never_call_back},
    {"closing the client handle with an open session leaks it",
     closing_the_client_handle_with_an_open_session_leaks_it},
    {"closing one client handle leaves the sessions of another",
     closing_one_client_handle_leaves_the_sessions_of_another},
    {"handles, sessions and memory have limits", handles_sessions_and_memory_have_limits},
    {"a function blocks until its time or its release", a_function_blocks_until_its_time_or_its_release},
    {"an open that a reset ends calls back once", an_open_that_a_reset_ends_calls_back_once},
    {"a reset ends everything except what callers hold", a_reset_ends_everything_except_what_callers_hold},
    {0},
};
