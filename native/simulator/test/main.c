#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

DOT11_MAC_ADDRESS display = {0x02, 0x11, 0x22, 0x33, 0x44, 0x01}, scanner = {0x02, 0x11, 0x22, 0x33, 0x44, 0x02},
                  printer = {0x02, 0x11, 0x22, 0x33, 0x44, 0x03}, robot = {0x02, 0x11, 0x22, 0x33, 0x44, 0x04},
                  forklift_1 = {0x02, 0x11, 0x22, 0x33, 0x44, 0x05}, forklift_2 = {0x02, 0x11, 0x22, 0x33, 0x44, 0x06},
                  stranger = {0x02, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE};

static const char *current = "";
static uint64_t expected[SIM_MISUSE_KINDS];
static void (*started)(void);
static atomic_bool is_finished;

void check(bool condition, const char *text, const char *file, int line)
{
    if (condition)
        return;
    fprintf(stderr, "not ok - %s\n%s:%d: %s\n", current, file, line, text);
    exit(1);
}

void expect_misuse(uint32_t kind, uint64_t count)
{
    expected[kind] = count;
}

void wait_for(bool (*is_true)(void))
{
    uint64_t until_us = platform_now_us() + 10000000;
    while (!is_true()) {
        CHECK(platform_now_us() < until_us);
        platform_lock();
        platform_wait(CONDITION_CALLS, platform_now_us() + 1000);
        platform_unlock();
    }
}

static uint32_t awaited_calls;

static bool are_calls_blocked(void)
{
    return counts().calls_blocked == awaited_calls;
}

void wait_until_blocked(uint32_t calls)
{
    awaited_calls = calls;
    wait_for(are_calls_blocked);
}

static void run_started(void)
{
    started();
    atomic_store(&is_finished, true);
}

static bool has_finished(void)
{
    return atomic_load(&is_finished);
}

void start(void (*run)(void))
{
    started = run;
    atomic_store(&is_finished, false);
    CHECK(platform_start_thread(run_started));
}

void finish(void)
{
    wait_for(has_finished);
}

void advance(uint32_t ms)
{
    CHECK(SimAdvanceClock(ms) == ERROR_SUCCESS);
    CHECK(SimWaitIdle(10000) == 1);
}

void WINAPI on_open(HANDLE session, PVOID context, GUID guid, DWORD error, DWORD reason)
{
    struct outcome *outcome = context;
    outcome->count++;
    outcome->session = session;
    outcome->guid = guid;
    outcome->error = error;
    outcome->reason = reason;
}

HANDLE open_client(void)
{
    DWORD version = 0;
    HANDLE client = NULL;
    CHECK(WFDOpenHandle(WFD_API_VERSION, &version, &client) == ERROR_SUCCESS);
    CHECK(version == WFD_API_VERSION && client != NULL);
    return client;
}

HANDLE start_open(HANDLE client, DOT11_MAC_ADDRESS *address, struct outcome *outcome)
{
    HANDLE session = NULL;
    CHECK(WFDStartOpenSession(client, address, outcome, on_open, &session) == ERROR_SUCCESS);
    CHECK(session != NULL);
    return session;
}

HANDLE open_session(HANDLE client, DOT11_MAC_ADDRESS *address, struct outcome *outcome)
{
    HANDLE session = start_open(client, address, outcome);
    advance(400);
    CHECK(outcome->count == 1 && outcome->error == ERROR_SUCCESS && outcome->session == session);
    return session;
}

SimOpenScript default_open_script(void)
{
    return (SimOpenScript){.count = 1,
                           .error = SIM_DEFAULT,
                           .delay_ms = SIM_DEFAULT,
                           .cancel_error = SIM_DEFAULT,
                           .cancel_reason_code = SIM_DEFAULT,
                           .cancel_ms = SIM_DEFAULT,
                           .drop_ms = SIM_NEVER};
}

SimServiceStop default_stop(void)
{
    return (SimServiceStop){.call_code = ERROR_SERVICE_NOT_ACTIVE,
                            .blocked_call_code = RPC_S_CALL_FAILED,
                            .open_error = RPC_S_CALL_FAILED,
                            .close_handle_code = RPC_S_SERVER_UNAVAILABLE,
                            .stale_client_code = ERROR_INVALID_HANDLE};
}

SimCounts counts(void)
{
    SimCounts counts;
    SimGetCounts(&counts);
    return counts;
}

SimDevice device(DOT11_MAC_ADDRESS *address)
{
    SimDevice devices[16];
    uint32_t count = SimListDevices(devices, 16);
    for (uint32_t i = 0; i < count && i < 16; i++) {
        if (memcmp(devices[i].device_address, *address, 6) == 0)
            return devices[i];
    }
    CHECK(!"paired");
    abort();
}

static void report_misuse(void)
{
    SimMisuseRecord records[64];
    uint32_t count = SimGetMisuseRecords(records, 64);
    for (uint32_t i = 0; i < count; i++)
        fprintf(stderr, "misuse %s in %s\n", SimGetMisuseName(records[i].kind),
                records[i].function != 0 ? SimGetFunctionName(records[i].function) : "-");
}

static void run(const struct test *test)
{
    current = test->name;
    memset(expected, 0, sizeof expected);
    SimReset();
    CHECK(SimSetClock(1) == ERROR_SUCCESS);
    test->run();
    CHECK(SimWaitIdle(10000) == 1);
    SimCheckLeaks();
    for (uint32_t kind = 1; kind < SIM_MISUSE_KINDS; kind++) {
        if (SimGetMisuse(kind) != expected[kind])
            report_misuse();
        CHECK(SimGetMisuse(kind) == expected[kind]);
    }
    CHECK(counts().calls_blocked == 0 && counts().opens_pending <= counts().sessions);
    printf("ok - %s\n", current);
    fflush(stdout);
}

int main(void)
{
    static const struct test *const suites[] = {
        session_tests, cancel_tests, client_tests, misuse_tests, service_tests,     interface_tests, address_tests,
        query_tests,   object_tests, device_tests, clock_tests,  collections_tests, stress_tests};
    for (size_t i = 0; i < SIM_ARRAY_LENGTH(suites); i++) {
        for (const struct test *test = suites[i]; test->name != NULL; test++)
            run(test);
    }
    puts("done");
    return 0;
}
