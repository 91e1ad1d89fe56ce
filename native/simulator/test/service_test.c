#include "check.h"

static void stop(void)
{
    SimServiceStop how = default_stop();
    CHECK(SimStopService(&how) == ERROR_SUCCESS);
    CHECK(SimWaitIdle(10000) == 1);
}

static void stopping_ends_sessions_links_and_pending_opens(void)
{
    struct outcome open = {0}, pending = {0};
    DWORD version;
    HANDLE client = open_client(), session = open_session(client, &display, &open), other = NULL;
    HANDLE opening = start_open(client, &scanner, &pending);
    stop();
    CHECK(pending.count == 1 && pending.error == RPC_S_CALL_FAILED && pending.session == opening);
    CHECK(device(&display).is_connected == 0 && device(&display).interface_index == 0);
    CHECK(counts().sessions == 0);
    CHECK(WFDOpenHandle(1, &version, &other) == ERROR_SERVICE_NOT_ACTIVE);
    CHECK(WFDStartOpenSession(client, &display, &open, on_open, &other) == ERROR_SERVICE_NOT_ACTIVE);
    CHECK(WFDUpdateDeviceVisibility(&display) == ERROR_SERVICE_NOT_ACTIVE);
    advance(1001);
    CHECK(WFDCloseSession(session) == ERROR_SERVICE_NOT_ACTIVE);
    expect_misuse(SIM_MISUSE_USE_AFTER_SERVICE_STOP, 1);
    CHECK(WFDCloseHandle(client) == RPC_S_SERVER_UNAVAILABLE && counts().clients == 0);
    CHECK(WFDCloseHandle(client) == ERROR_INVALID_HANDLE);
    expect_misuse(SIM_MISUSE_USE_AFTER_CLOSE_HANDLE, 1);
}

static void a_close_that_was_in_flight_when_the_service_stopped_is_no_misuse(void)
{
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = open_session(client, &display, &outcome);
    stop();
    CHECK(WFDCloseSession(session) == ERROR_SERVICE_NOT_ACTIVE && counts().lost_races == 1);
    CHECK(WFDCloseHandle(client) == RPC_S_SERVER_UNAVAILABLE);
}

static void after_a_restart_old_client_handles_stay_invalid_and_new_ones_work(void)
{
    struct outcome outcome = {0}, refused = {0};
    HANDLE old = open_client(), session = NULL;
    stop();
    SimStartService();
    CHECK(WFDStartOpenSession(old, &display, &refused, on_open, &session) == ERROR_INVALID_HANDLE);
    HANDLE client = open_client();
    CHECK(WFDCloseSession(open_session(client, &display, &outcome)) == ERROR_SUCCESS);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
    CHECK(WFDCloseHandle(old) == RPC_S_SERVER_UNAVAILABLE && counts().clients == 0);
}

static HANDLE client, session;
static DWORD code;
static GUID guid;

static void open_legacy(void)
{
    code = WFDOpenLegacySession(client, &printer, &session, &guid);
}
static void close_session(void)
{
    code = WFDCloseSession(session);
}
static void close_client(void)
{
    code = WFDCloseHandle(client);
}
static void update_visibility(void)
{
    code = WFDUpdateDeviceVisibility(&display);
}

static void calls_in_the_service_fail_when_it_stops(void)
{
    struct outcome outcome = {0}, pending = {0};
    SimCallScript blocked = {.function = SIM_FUNCTION_WFD_CLOSE_SESSION, .count = 1, .block_ms = SIM_NEVER};
    void (*const calls[])(void) = {open_legacy, close_session, update_visibility, close_client};
    for (size_t i = 0; i < SIM_ARRAY_LENGTH(calls); i++) {
        client = open_client();
        if (calls[i] == close_session) {
            CHECK(SimScriptCall(&blocked) == ERROR_SUCCESS);
            session = open_session(client, &display, &outcome);
        }
        if (calls[i] == close_client)
            start_open(client, &display, &pending);
        start(calls[i]);
        wait_until_blocked(1);
        stop();
        finish();
        CHECK(code == RPC_S_CALL_FAILED && counts().sessions == 0);
        if (calls[i] != close_client)
            CHECK(WFDCloseHandle(client) == RPC_S_SERVER_UNAVAILABLE);
        SimStartService();
    }
    CHECK(pending.count == 1 && pending.error == RPC_S_CALL_FAILED);
}

static void a_pending_open_can_be_scripted_never_to_complete_after_the_stop(void)
{
    SimServiceStop how = default_stop();
    struct outcome outcome = {0};
    how.open_error = 0;
    how.call_code = RPC_S_SERVER_UNAVAILABLE;
    client = open_client();
    session = start_open(client, &display, &outcome);
    CHECK(SimStopService(&how) == ERROR_SUCCESS);
    advance(1000000);
    CHECK(outcome.count == 0 && counts().opens_pending == 1);
    CHECK(WFDCancelOpenSession(session) == RPC_S_SERVER_UNAVAILABLE);
    SimStartService();
    CHECK(WFDCancelOpenSession(session) == ERROR_SUCCESS);
    advance(1000000);
    CHECK(outcome.count == 0 && counts().opens_pending == 1);
    CHECK(WFDCloseHandle(client) == RPC_S_SERVER_UNAVAILABLE && counts().opens_pending == 0);
}

const struct test service_tests[] = {
    {"stopping ends sessions, links and pending opens", stopping_ends_sessions_links_and_pending_opens},
    {"a close that was in flight when the service stopped is no misuse",
     a_close_that_was_in_flight_when_the_service_stopped_is_no_misuse},
    {"after a restart old client handles stay invalid, and new ones work",
     after_a_restart_old_client_handles_stay_invalid_and_new_ones_work},
    {"calls in the service fail when it stops", calls_in_the_service_fail_when_it_stops},
    {"a pending open can be scripted never to complete after the stop",
     a_pending_open_can_be_scripted_never_to_complete_after_the_stop},
    {0},
};
