#include "check.h"

static void a_manual_clock_stands_still(void)
{
    uint64_t now_ms = SimGetClock();
    CHECK(SimAdvanceClock(0) == ERROR_SUCCESS && SimGetClock() == now_ms);
    CHECK(SimAdvanceClock(1234) == ERROR_SUCCESS && SimGetClock() == now_ms + 1234);
}

static void a_real_clock_cannot_be_advanced_but_runs(void)
{
    struct outcome outcome = {0};
    SimDefaults fast = {.open_ms = 5, .close_ms = 5};
    CHECK(SimSetClock(0) == ERROR_SUCCESS && SimAdvanceClock(1) == ERROR_INVALID_PARAMETER);
    CHECK(SimSetDefaults(&fast) == ERROR_SUCCESS);
    HANDLE client = open_client();
    start_open(client, &robot, &outcome);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS); /* waits for the open */
    CHECK(outcome.count == 1 && outcome.error == ERROR_TIMEOUT);
}

static uint32_t order[64], order_count;

static void note(const struct event *event)
{
    order[order_count++] = (uint32_t)event->subject;
}

static void events_run_in_the_order_of_their_times_and_then_of_their_scheduling(void)
{
    static const uint32_t delays[] = {50, 10, 30, 10, 0, 50, 20, 10, 40, 30, 20, 60};
    order_count = 0;
    world_enter();
    for (uint32_t i = 0; i < SIM_ARRAY_LENGTH(delays); i++)
        timeline_schedule(delays[i], (struct event){.run = note, .subject = delays[i] * 100 + i});
    timeline_schedule(SIM_NEVER, (struct event){.run = note});
    world_leave();
    CHECK(order_count == 1);
    advance(100);
    CHECK(order_count == SIM_ARRAY_LENGTH(delays));
    for (uint32_t i = 1; i < order_count; i++)
        CHECK(order[i - 1] < order[i]);
}

static void operations_with_a_default_of_zero_take_no_time(void)
{
    SimDefaults at_once = {0};
    struct outcome outcome = {0};
    CHECK(SimSetDefaults(&at_once) == ERROR_SUCCESS);
    HANDLE client = open_client(), session = start_open(client, &display, &outcome);
    CHECK(SimWaitIdle(10000) == 1 && outcome.count == 1 && outcome.error == ERROR_SUCCESS);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && device(&display).is_connected == 0);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

const struct test clock_tests[] = {
    {"a manual clock stands still", a_manual_clock_stands_still},
    {"a real clock cannot be advanced, but runs", a_real_clock_cannot_be_advanced_but_runs},
    {"events run in the order of their times, and then of their scheduling",
     events_run_in_the_order_of_their_times_and_then_of_their_scheduling},
    {"operations with a default of zero take no time", operations_with_a_default_of_zero_take_no_time},
    {0},
};
