#include "check.h"

static void a_cancelled_open_still_calls_back(void)
{
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = start_open(client, &display, &outcome);
    CHECK(WFDCancelOpenSession(session) == ERROR_SUCCESS);
    CHECK(outcome.count == 0);
    advance(50);
    CHECK(outcome.count == 1 && outcome.error == ERROR_CANCELLED && outcome.session == session);
    CHECK(outcome.reason == WLAN_REASON_CODE_USER_CANCELLED && counts().sessions == 0);
    advance(1000);
    CHECK(outcome.count == 1);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void a_cancel_can_lose_to_success(void)
{
    SimOpenScript script = default_open_script();
    script.cancel_loses = 1;
    CHECK(SimScriptOpen(&script) == ERROR_SUCCESS);
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = start_open(client, &display, &outcome);
    CHECK(WFDCancelOpenSession(session) == ERROR_SUCCESS);
    advance(399);
    CHECK(outcome.count == 0);
    advance(1);
    CHECK(outcome.count == 1 && outcome.error == ERROR_SUCCESS);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void a_cancel_can_report_any_error_and_ends_an_open_that_would_never_complete(void)
{
    SimOpenScript script = default_open_script();
    script.delay_ms = SIM_NEVER;
    script.cancel_error = 995;
    script.cancel_reason_code = 0x38010;
    script.cancel_ms = 5000;
    CHECK(SimScriptOpen(&script) == ERROR_SUCCESS);
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = start_open(client, &display, &outcome);
    advance(1000000);
    CHECK(WFDCancelOpenSession(session) == ERROR_SUCCESS);
    CHECK(WFDCancelOpenSession(session) == ERROR_SUCCESS);
    advance(4999);
    CHECK(outcome.count == 0);
    advance(1);
    CHECK(outcome.count == 1 && outcome.error == 995 && outcome.reason == 0x38010);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void a_cancelled_open_can_be_scripted_to_succeed_but_not_without_a_device(void)
{
    SimOpenScript script = default_open_script();
    script.count = 2;
    script.cancel_error = ERROR_SUCCESS;
    CHECK(SimScriptOpen(&script) == ERROR_SUCCESS);
    struct outcome paired = {0}, unpaired = {0};
    HANDLE client = open_client(), session = start_open(client, &display, &paired);
    CHECK(WFDCancelOpenSession(session) == ERROR_SUCCESS);
    CHECK(WFDCancelOpenSession(start_open(client, &stranger, &unpaired)) == ERROR_SUCCESS);
    advance(50);
    CHECK(paired.count == 1 && paired.error == ERROR_SUCCESS && device(&display).is_connected == 1);
    CHECK(unpaired.count == 1 && unpaired.error == ERROR_NOT_FOUND);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void a_cancel_just_after_the_callback_lost_a_race_and_a_later_one_is_misuse(void)
{
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = open_session(client, &display, &outcome);
    CHECK(WFDCancelOpenSession(session) == ERROR_INVALID_HANDLE);
    advance(1000);
    CHECK(WFDCancelOpenSession(session) == ERROR_INVALID_HANDLE);
    CHECK(counts().lost_races == 2 && SimGetMisuse(0) == 0);
    advance(1);
    CHECK(WFDCancelOpenSession(session) == ERROR_INVALID_HANDLE);
    expect_misuse(SIM_MISUSE_CANCEL_AFTER_COMPLETION, 1);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void a_cancel_of_a_failed_open_is_misuse_once_it_is_no_race(void)
{
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = start_open(client, &robot, &outcome);
    advance(400);
    CHECK(WFDCancelOpenSession(session) == ERROR_INVALID_HANDLE && SimGetMisuse(0) == 0);
    advance(1001);
    CHECK(WFDCancelOpenSession(session) == ERROR_INVALID_HANDLE);
    expect_misuse(SIM_MISUSE_CANCEL_AFTER_COMPLETION, 1);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

const struct test cancel_tests[] = {
    {"a cancelled open still calls back", a_cancelled_open_still_calls_back},
    {"a cancel can lose to success", a_cancel_can_lose_to_success},
    {"a cancel can report any error, and ends an open that would never complete",
     a_cancel_can_report_any_error_and_ends_an_open_that_would_never_complete},
    {"a cancelled open can be scripted to succeed, but not without a device",
     a_cancelled_open_can_be_scripted_to_succeed_but_not_without_a_device},
    {"a cancel just after the callback lost a race, and a later one is misuse",
     a_cancel_just_after_the_callback_lost_a_race_and_a_later_one_is_misuse},
    {"a cancel of a failed open is misuse once it is no race", a_cancel_of_a_failed_open_is_misuse_once_it_is_no_race},
    {0},
};
