#include "check.h"

#include <string.h>

static void a_session_opens_and_closes(void)
{
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = start_open(client, &display, &outcome);
    advance(399);
    CHECK(outcome.count == 0 && counts().opens_pending == 1);
    advance(1);
    CHECK(outcome.count == 1 && outcome.error == ERROR_SUCCESS && outcome.reason == 0 && outcome.session == session);
    CHECK(device(&display).is_connected == 1);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    CHECK(device(&display).is_connected == 1 && counts().closes_queued == 1);
    advance(150);
    CHECK(device(&display).is_connected == 0 && counts().closes_queued == 0);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void parameters_are_checked_in_the_documented_way(void)
{
    DWORD version;
    HANDLE handle, client;
    GUID guid;
    CHECK(WFDOpenHandle(1, NULL, &handle) == ERROR_INVALID_PARAMETER);
    CHECK(WFDOpenHandle(1, &version, NULL) == ERROR_INVALID_PARAMETER);
    CHECK(WFDOpenHandle(2, &version, &handle) == ERROR_INVALID_PARAMETER);
    CHECK(WFDCloseHandle(NULL) == ERROR_INVALID_PARAMETER);
    client = open_client();
    CHECK(WFDStartOpenSession(NULL, &display, NULL, on_open, &handle) == ERROR_INVALID_PARAMETER);
    CHECK(WFDStartOpenSession(client, NULL, NULL, on_open, &handle) == ERROR_INVALID_PARAMETER);
    CHECK(WFDStartOpenSession(client, &display, NULL, NULL, &handle) == ERROR_INVALID_PARAMETER);
    CHECK(WFDStartOpenSession(client, &display, NULL, on_open, NULL) == ERROR_INVALID_PARAMETER);
    CHECK(WFDOpenLegacySession(NULL, &printer, &handle, &guid) == ERROR_INVALID_PARAMETER);
    CHECK(WFDOpenLegacySession(client, NULL, &handle, &guid) == ERROR_INVALID_PARAMETER);
    CHECK(WFDOpenLegacySession(client, &printer, NULL, &guid) == ERROR_INVALID_PARAMETER);
    CHECK(WFDOpenLegacySession(client, &printer, &handle, NULL) == ERROR_INVALID_PARAMETER);
    CHECK(WFDCancelOpenSession(NULL) == ERROR_INVALID_PARAMETER);
    CHECK(WFDCloseSession(NULL) == ERROR_INVALID_PARAMETER);
    CHECK(WFDUpdateDeviceVisibility(NULL) == ERROR_INVALID_PARAMETER);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void check_failing_open(DOT11_MAC_ADDRESS *address, DWORD error, DWORD reason)
{
    struct outcome outcome = {0};
    HANDLE client = open_client();
    start_open(client, address, &outcome);
    advance(400);
    CHECK(outcome.count == 1 && outcome.error == error && outcome.reason == reason);
    /* "only returned if the dwError parameter is ERROR_SUCCESS" */
    CHECK(outcome.guid.Data1 == 0xDDDDDDDD);
    CHECK(counts().sessions == 0);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void an_open_fails_according_to_the_state_of_the_device(void)
{
    check_failing_open(&robot, ERROR_TIMEOUT, WLAN_REASON_CODE_NETWORK_NOT_AVAILABLE);
    check_failing_open(&stranger, ERROR_NOT_FOUND, WLAN_REASON_CODE_UNKNOWN);
    check_failing_open(&printer, ERROR_NOT_FOUND, WLAN_REASON_CODE_UNKNOWN);
}

static void an_open_fails_as_scripted_once_and_for_that_device_only(void)
{
    SimOpenScript script = default_open_script();
    memcpy(script.device_address, display, 6);
    script.error = 1225;
    script.reason_code = 0x48014;
    CHECK(SimScriptOpen(&script) == ERROR_SUCCESS);
    struct outcome first = {0}, other = {0}, second = {0};
    HANDLE client = open_client();
    HANDLE session = open_session(client, &scanner, &other);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    start_open(client, &display, &first);
    advance(400);
    CHECK(first.count == 1 && first.error == 1225 && first.reason == 0x48014);
    CHECK(WFDCloseSession(open_session(client, &display, &second)) == ERROR_SUCCESS);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void the_oldest_script_applies_whether_for_one_device_or_for_any(void)
{
    static const DWORD codes[] = {11, 12, 13, 14, 15};
    HANDLE client = open_client(), session;
    for (size_t i = 0; i < SIM_ARRAY_LENGTH(codes); i++) {
        SimOpenScript script = default_open_script();
        script.code = codes[i];
        if (i % 2 == 0)
            memcpy(script.device_address, display, 6);
        CHECK(SimScriptOpen(&script) == ERROR_SUCCESS);
    }
    CHECK(WFDStartOpenSession(client, &scanner, NULL, on_open, &session) == 12);
    CHECK(WFDStartOpenSession(client, &display, NULL, on_open, &session) == 11);
    CHECK(WFDStartOpenSession(client, &display, NULL, on_open, &session) == 13);
    CHECK(WFDStartOpenSession(client, &display, NULL, on_open, &session) == 14);
    struct outcome outcome = {0};
    CHECK(WFDCloseSession(open_session(client, &scanner, &outcome)) == ERROR_SUCCESS);
    CHECK(WFDStartOpenSession(client, &display, NULL, on_open, &session) == 15);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void a_start_can_return_any_code_and_no_callback_follows(void)
{
    static const DWORD codes[] = {5, 8, 1062, 1220, 5023};
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = NULL;
    for (size_t i = 0; i < SIM_ARRAY_LENGTH(codes); i++) {
        SimOpenScript script = default_open_script();
        script.code = codes[i];
        CHECK(SimScriptOpen(&script) == ERROR_SUCCESS);
        CHECK(WFDStartOpenSession(client, &display, &outcome, on_open, &session) == codes[i]);
        advance(1000);
        CHECK(outcome.count == 0 && session == NULL);
    }
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static atomic_bool is_called, has_returned;

static void WINAPI on_open_early(HANDLE session, PVOID context, GUID guid, DWORD error, DWORD reason)
{
    CHECK(!atomic_load(&has_returned));
    on_open(session, context, guid, error, reason);
    atomic_store(&is_called, true);
}

static void the_callback_can_come_before_the_start_returns(void)
{
    SimOpenScript script = default_open_script();
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = NULL;
    script.callback_first = 1;
    script.delay_ms = 0;
    CHECK(SimScriptOpen(&script) == ERROR_SUCCESS);
    CHECK(WFDStartOpenSession(client, &display, &outcome, on_open_early, &session) == ERROR_SUCCESS);
    atomic_store(&has_returned, true);
    CHECK(atomic_load(&is_called) && outcome.session == session && outcome.error == ERROR_SUCCESS);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static DWORD legacy_code;
static HANDLE legacy_client, legacy_session;
static GUID legacy_guid;

static void open_legacy(void)
{
    legacy_code = WFDOpenLegacySession(legacy_client, &printer, &legacy_session, &legacy_guid);
}

static void a_legacy_open_blocks_until_it_is_open(void)
{
    legacy_client = open_client();
    start(open_legacy);
    wait_until_blocked(1);
    CHECK(device(&printer).is_connected == 2);
    CHECK(SimAdvanceClock(200) == ERROR_SUCCESS);
    finish();
    CHECK(legacy_code == ERROR_SUCCESS && legacy_guid.Data1 != 0 && device(&printer).is_connected == 1);
    CHECK(WFDCloseSession(legacy_session) == ERROR_SUCCESS);
    CHECK(WFDCloseHandle(legacy_client) == ERROR_SUCCESS);
}

static void a_legacy_open_of_another_kind_of_device_finds_no_profile(void)
{
    HANDLE client = open_client(), session = NULL;
    GUID guid;
    SimDefaults at_once = {0};
    CHECK(SimSetDefaults(&at_once) == ERROR_SUCCESS);
    CHECK(WFDOpenLegacySession(client, &display, &session, &guid) == ERROR_NOT_FOUND);
    CHECK(WFDOpenLegacySession(client, &stranger, &session, &guid) == ERROR_NOT_FOUND);
    CHECK(session == NULL && counts().sessions == 0);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void a_close_follows_its_script(void)
{
    struct outcome first = {0}, second = {0};
    HANDLE client = open_client(), session = open_session(client, &display, &first);
    SimCloseScript never = {.count = 1, .delay_ms = SIM_NEVER}, fails = {.count = 1, .code = 1722};
    CHECK(SimScriptClose(&never) == ERROR_SUCCESS);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    advance(1000000);
    CHECK(device(&display).is_connected == 1 && counts().closes_queued == 1);
    session = open_session(client, &scanner, &second);
    CHECK(SimScriptClose(&fails) == ERROR_SUCCESS);
    CHECK(WFDCloseSession(session) == 1722);
    advance(1000000);
    CHECK(device(&scanner).is_connected == 1 && counts().sessions == 0);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void two_sessions_to_one_device_share_its_link(void)
{
    struct outcome first = {0}, second = {0};
    HANDLE client = open_client();
    HANDLE one = open_session(client, &display, &first), other = open_session(client, &display, &second);
    CHECK(one != other && memcmp(&first.guid, &second.guid, sizeof(GUID)) == 0);
    CHECK(WFDCloseSession(one) == ERROR_SUCCESS);
    advance(1000);
    CHECK(device(&display).is_connected == 1);
    CHECK(WFDCloseSession(other) == ERROR_SUCCESS);
    advance(1000);
    CHECK(device(&display).is_connected == 0);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

const struct test session_tests[] = {
    {"a session opens and closes", a_session_opens_and_closes},
    {"parameters are checked in the documented way", parameters_are_checked_in_the_documented_way},
    {"an open fails according to the state of the device", an_open_fails_according_to_the_state_of_the_device},
    {"an open fails as scripted, once and for that device only",
     an_open_fails_as_scripted_once_and_for_that_device_only},
    {"the oldest script applies, whether for one device or for any",
     the_oldest_script_applies_whether_for_one_device_or_for_any},
    {"a start can return any code, and no callback follows", a_start_can_return_any_code_and_no_callback_follows},
    {"the callback can come before the start returns", the_callback_can_come_before_the_start_returns},
    {"a legacy open blocks until it is open", a_legacy_open_blocks_until_it_is_open},
    {"a legacy open of another kind of device finds no profile",
     a_legacy_open_of_another_kind_of_device_finds_no_profile},
    {"a close follows its script", a_close_follows_its_script},
    {"two sessions to one device share its link", two_sessions_to_one_device_share_its_link},
    {0},
};
