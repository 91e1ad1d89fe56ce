#include "check.h"

#include <string.h>

static DWORD code;
static void update_display(void)
{
    code = WFDUpdateDeviceVisibility(&display);
}
static void update_robot(void)
{
    code = WFDUpdateDeviceVisibility(&robot);
}

static void a_visibility_update_blocks_and_sets_the_property(void)
{
    SimDevice hidden = device(&display);
    hidden.is_visible = 2;
    CHECK(SimUpdateDevice(&hidden) == ERROR_SUCCESS);
    start(update_display);
    wait_until_blocked(1);
    CHECK(SimAdvanceClock(299) == ERROR_SUCCESS && device(&display).is_visible == 2);
    CHECK(SimAdvanceClock(1) == ERROR_SUCCESS && device(&display).is_visible == 1);
    finish();
    CHECK(code == ERROR_SUCCESS);
}

static void a_visibility_update_follows_its_script(void)
{
    SimVisibilityScript fails = {.count = 1, .code = 1722}, hides = {.count = 1, .visible = 2, .delay_ms = SIM_NEVER};
    CHECK(SimScriptVisibility(&fails) == ERROR_SUCCESS && SimScriptVisibility(&hides) == ERROR_SUCCESS);
    CHECK(WFDUpdateDeviceVisibility(&display) == 1722 && device(&display).is_visible == 1);
    start(update_display);
    wait_until_blocked(1);
    CHECK(SimReleaseCalls(SIM_FUNCTION_WFD_UPDATE_DEVICE_VISIBILITY) == 1);
    finish();
    CHECK(code == ERROR_SUCCESS && device(&display).is_visible == 2);
    CHECK(WFDUpdateDeviceVisibility(&stranger) == ERROR_NOT_FOUND);
}

static void a_device_comes_into_range(void)
{
    SimDevice found = device(&robot);
    found.is_in_range = 1;
    CHECK(SimUpdateDevice(&found) == ERROR_SUCCESS && device(&robot).is_visible == 0);
    start(update_robot);
    wait_until_blocked(1);
    CHECK(SimAdvanceClock(300) == ERROR_SUCCESS);
    finish();
    CHECK(code == ERROR_SUCCESS && device(&robot).is_visible == 1);
    struct outcome outcome = {0};
    HANDLE client = open_client();
    CHECK(WFDCloseSession(open_session(client, &robot, &outcome)) == ERROR_SUCCESS);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void devices_are_added_and_removed(void)
{
    SimDevice added = {.device_address = {2, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE}, .name = "Gate", .is_in_range = 1};
    CHECK(SimAddDevice(&added) == ERROR_SUCCESS && SimAddDevice(&added) == ERROR_ALREADY_EXISTS);
    CHECK(strcmp(device(&stranger).name, "Gate") == 0 && SimListDevices(NULL, 0) == 7);
    CHECK(device(&stranger).interface_address[5] == (0xEE ^ 0x80) && device(&stranger).local_address[0] == 192);
    struct outcome outcome = {0};
    HANDLE client = open_client(), session = open_session(client, &stranger, &outcome);
    CHECK(SimRemoveDevice(stranger) == ERROR_SUCCESS && SimRemoveDevice(stranger) == ERROR_NOT_FOUND);
    CHECK(SimUpdateDevice(&added) == ERROR_NOT_FOUND && SimListDevices(NULL, 0) == 6);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
    CHECK(SimAddDevice(&added) == ERROR_SUCCESS && device(&stranger).is_connected == 2);
}

static void thousands_of_devices_can_be_paired(void)
{
    for (uint32_t i = 0; i < 5000; i++) {
        SimDevice added = {.device_address = {6, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}};
        CHECK(SimAddDevice(&added) == ERROR_SUCCESS);
    }
    CHECK(SimListDevices(NULL, 0) == 5006);
    for (uint32_t i = 0; i < 5000; i++) {
        SimDevice found;
        uint8_t address[6] = {6, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i};
        CHECK(SimGetDevice(address, &found) == ERROR_SUCCESS && memcmp(found.device_address, address, 6) == 0);
    }
    uint8_t last[6] = {6, 0, 0, 0, 4999 >> 8, (uint8_t)4999};
    SimDevice removed;
    CHECK(SimRemoveDevice(last) == ERROR_SUCCESS && SimListDevices(NULL, 0) == 5005);
    CHECK(SimGetDevice(last, &removed) == ERROR_NOT_FOUND);
}

static void invalid_values_are_refused(void)
{
    SimDevice wrong[5] = {device(&display), device(&display), device(&display), device(&display), device(&display)};
    wrong[0].is_legacy = 2;
    wrong[1].is_visible = 3;
    wrong[2].link_quality = 101;
    memset(wrong[3].name, 'x', sizeof wrong[3].name);
    memset(wrong[4].interface_group, 'x', sizeof wrong[4].interface_group);
    for (size_t i = 0; i < SIM_ARRAY_LENGTH(wrong); i++)
        CHECK(SimUpdateDevice(&wrong[i]) == ERROR_INVALID_PARAMETER &&
              SimAddDevice(&wrong[i]) == ERROR_INVALID_PARAMETER);
    SimOpenScript open = {.count = 0};
    SimCloseScript close = {.count = 1, .end.interface_effect = 9};
    SimVisibilityScript visibility = {.count = 1, .visible = 7};
    SimCallScript call = {.function = SIM_FUNCTION_FREE_MIB_TABLE, .count = 1};
    CHECK(SimScriptOpen(&open) == ERROR_INVALID_PARAMETER && SimScriptOpen(NULL) == ERROR_INVALID_PARAMETER);
    CHECK(SimScriptClose(&close) == ERROR_INVALID_PARAMETER);
    CHECK(SimScriptVisibility(&visibility) == ERROR_INVALID_PARAMETER);
    CHECK(SimScriptCall(&call) == ERROR_INVALID_PARAMETER);
    CHECK(SimGetDevice(NULL, &wrong[0]) == ERROR_INVALID_PARAMETER);
    CHECK(SimGetDevice(display, NULL) == ERROR_INVALID_PARAMETER);
    CHECK(SimSetNotifications(8) == ERROR_INVALID_PARAMETER && SimSetClock(2) == ERROR_INVALID_PARAMETER);
}

static void the_text_of_a_reason_code_is_truncated_to_fit(void)
{
    WCHAR text[64] = {0};
    CHECK(WlanReasonCodeToString(0x2800B, 64, text, NULL) == ERROR_SUCCESS && text[0] == 'T' && text[28] == '.');
    CHECK(WlanReasonCodeToString(0x2800B, 4, text, NULL) == ERROR_SUCCESS && text[2] == 'e' && text[3] == 0);
    CHECK(WlanReasonCodeToString(0xDEAD, 64, text, NULL) == ERROR_SUCCESS && text[0] == 'U');
    CHECK(WlanReasonCodeToString(0, 0, text, NULL) == ERROR_INVALID_PARAMETER);
    CHECK(WlanReasonCodeToString(0, 64, NULL, NULL) == ERROR_INVALID_PARAMETER);
    CHECK(WlanReasonCodeToString(0, 64, text, text) == ERROR_INVALID_PARAMETER);
}

static void names_are_converted_to_utf16(void)
{
    WCHAR text[8];
    /* The letter a, u umlaut, the euro sign, an antenna. */
    text_from_utf8(text, 8, "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x93\xA1");
    CHECK(text[0] == 'a' && text[1] == 0xFC && text[2] == 0x20AC && text[3] == 0xD83D && text[4] == 0xDCE1 &&
          text[5] == 0);
    text_from_utf8(text, 5, "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x93\xA1");
    CHECK(text[2] == 0x20AC && text[3] == 0);
}

const struct test device_tests[] = {
    {"a visibility update blocks, and sets the property", a_visibility_update_blocks_and_sets_the_property},
    {"a visibility update follows its script", a_visibility_update_follows_its_script},
    {"a device comes into range", a_device_comes_into_range},
    {"devices are added and removed", devices_are_added_and_removed},
    {"thousands of devices can be paired", thousands_of_devices_can_be_paired},
    {"invalid values are refused", invalid_values_are_refused},
    {"the text of a reason code is truncated to fit", the_text_of_a_reason_code_is_truncated_to_fit},
    {"names are converted to UTF-16", names_are_converted_to_utf16},
    {0},
};
