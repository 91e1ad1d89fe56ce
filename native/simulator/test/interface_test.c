#include "check.h"

#include <string.h>

static HANDLE client, session;
static struct outcome outcome;
static NET_LUID luid;

static void open_display(void)
{
    memset(&outcome, 0, sizeof outcome);
    client = open_client();
    session = open_session(client, &display, &outcome);
    CHECK(ConvertInterfaceGuidToLuid(&outcome.guid, &luid) == ERROR_SUCCESS);
}

static DWORD read_row(MIB_IF_ROW2 *row)
{
    memset(row, 0, sizeof *row);
    row->InterfaceLuid = luid;
    return GetIfEntry2(row);
}

static void an_open_session_has_an_interface_which_disappears_with_it(void)
{
    MIB_IF_ROW2 row;
    open_display();
    CHECK(read_row(&row) == ERROR_SUCCESS && memcmp(&row.InterfaceGuid, &outcome.guid, sizeof(GUID)) == 0);
    CHECK(row.OperStatus == IfOperStatusUp && row.MediaConnectState == MediaConnectStateConnected);
    CHECK(row.Type == IF_TYPE_IEEE80211 && row.Alias[0] == 'L' &&
          row.InterfaceIndex == device(&display).interface_index);
    MIB_IF_ROW2 by_index = {.InterfaceIndex = row.InterfaceIndex};
    CHECK(GetIfEntry2(&by_index) == ERROR_SUCCESS && by_index.InterfaceLuid.Value == luid.Value);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    advance(149);
    CHECK(read_row(&row) == ERROR_SUCCESS);
    advance(1);
    CHECK(read_row(&row) == ERROR_FILE_NOT_FOUND);
    CHECK(ConvertInterfaceGuidToLuid(&outcome.guid, &luid) == ERROR_INVALID_PARAMETER);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void an_interface_keeps_its_guid_and_luid_but_not_its_index(void)
{
    open_display();
    GUID guid = outcome.guid;
    NET_LUID first = luid;
    uint32_t index = device(&display).interface_index;
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    advance(150);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
    open_display();
    CHECK(memcmp(&guid, &outcome.guid, sizeof guid) == 0 && first.Value == luid.Value);
    CHECK(device(&display).interface_index != index);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void close_with(SimLinkEnd end)
{
    SimCloseScript script = {.count = 1, .delay_ms = 100, .end = end};
    CHECK(SimScriptClose(&script) == ERROR_SUCCESS);
    open_display();
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    advance(100);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void a_closed_session_leaves_its_interface_as_scripted(void)
{
    MIB_IF_ROW2 row;
    close_with((SimLinkEnd){.interface_effect = SIM_INTERFACE_DOWN});
    CHECK(read_row(&row) == ERROR_SUCCESS && row.OperStatus == IfOperStatusDown);
    CHECK(row.InterfaceAndOperStatusFlags & IF_FLAG_NOT_MEDIA_CONNECTED);
    close_with((SimLinkEnd){.interface_effect = SIM_INTERFACE_DISCONNECTED});
    CHECK(read_row(&row) == ERROR_SUCCESS && row.OperStatus == IfOperStatusUp);
    CHECK(row.MediaConnectState == MediaConnectStateDisconnected);
    close_with((SimLinkEnd){.interface_ms = SIM_NEVER, .node_ms = 200});
    CHECK(device(&display).is_connected == 1);
    advance(200);
    CHECK(device(&display).is_connected == 0);
    CHECK(read_row(&row) == ERROR_SUCCESS && row.MediaConnectState == MediaConnectStateConnected);
    close_with((SimLinkEnd){.interface_ms = 300, .node_ms = SIM_NEVER});
    advance(300);
    CHECK(read_row(&row) == ERROR_FILE_NOT_FOUND && device(&display).is_connected == 1);
}

static void a_device_that_leaves_its_group_has_an_interface_of_its_own(void)
{
    struct outcome grouped = {0}, alone = {0}, again = {0};
    SimDevice forklift = device(&forklift_1);
    client = open_client();
    CHECK(WFDCloseSession(open_session(client, &forklift_1, &grouped)) == ERROR_SUCCESS);
    advance(150);
    memset(forklift.interface_group, 0, sizeof forklift.interface_group);
    CHECK(SimUpdateDevice(&forklift) == ERROR_SUCCESS);
    CHECK(WFDCloseSession(open_session(client, &forklift_1, &alone)) == ERROR_SUCCESS);
    advance(150);
    CHECK(memcmp(&grouped.guid, &alone.guid, sizeof(GUID)) != 0);
    memcpy(forklift.interface_group, "forklifts", 9);
    CHECK(SimUpdateDevice(&forklift) == ERROR_SUCCESS);
    CHECK(WFDCloseSession(open_session(client, &forklift_1, &again)) == ERROR_SUCCESS);
    CHECK(memcmp(&grouped.guid, &again.guid, sizeof(GUID)) == 0);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void an_interface_can_come_up_after_the_callback(void)
{
    SimOpenScript script = default_open_script();
    MIB_IF_ROW2 row;
    script.interface_ms = 250;
    script.node_ms = 500;
    CHECK(SimScriptOpen(&script) == ERROR_SUCCESS);
    open_display();
    CHECK(read_row(&row) == ERROR_SUCCESS && row.OperStatus == IfOperStatusDown && device(&display).is_connected != 1);
    advance(250);
    CHECK(read_row(&row) == ERROR_SUCCESS && row.OperStatus == IfOperStatusUp && device(&display).is_connected != 1);
    advance(250);
    CHECK(device(&display).is_connected == 1);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void devices_of_a_group_share_an_interface_until_the_last_link_ends(void)
{
    struct outcome first = {0}, second = {0};
    MIB_IF_ROW2 row;
    client = open_client();
    HANDLE one = open_session(client, &forklift_1, &first), other = open_session(client, &forklift_2, &second);
    CHECK(memcmp(&first.guid, &second.guid, sizeof(GUID)) == 0);
    CHECK(ConvertInterfaceGuidToLuid(&first.guid, &luid) == ERROR_SUCCESS);
    CHECK(WFDCloseSession(one) == ERROR_SUCCESS);
    advance(150);
    CHECK(device(&forklift_1).is_connected == 0 && device(&forklift_2).is_connected == 1);
    CHECK(read_row(&row) == ERROR_SUCCESS && row.OperStatus == IfOperStatusUp);
    CHECK(WFDCloseSession(other) == ERROR_SUCCESS);
    advance(150);
    CHECK(read_row(&row) == ERROR_FILE_NOT_FOUND);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void a_link_can_be_dropped_by_a_script_or_by_the_peer(void)
{
    SimOpenScript script = default_open_script();
    SimLinkEnd down = {.interface_effect = SIM_INTERFACE_DOWN};
    MIB_IF_ROW2 row;
    script.drop_ms = 60000;
    CHECK(SimScriptOpen(&script) == ERROR_SUCCESS);
    open_display();
    advance(60000);
    CHECK(device(&display).is_connected == 0 && read_row(&row) == ERROR_FILE_NOT_FOUND);
    CHECK(SimDropLink(display, &down) == ERROR_NOT_FOUND);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
    open_display();
    CHECK(SimDropLink(display, &down) == ERROR_SUCCESS);
    CHECK(read_row(&row) == ERROR_SUCCESS && row.OperStatus == IfOperStatusDown);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void closing_a_session_whose_link_dropped_leaves_a_later_link_alone(void)
{
    SimLinkEnd end = {0};
    struct outcome later = {0};
    open_display();
    CHECK(SimDropLink(display, &end) == ERROR_SUCCESS);
    HANDLE other = open_session(client, &display, &later);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    advance(1000);
    CHECK(device(&display).is_connected == 1);
    CHECK(WFDCloseSession(other) == ERROR_SUCCESS);
    advance(150);
    CHECK(device(&display).is_connected == 0 && WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void interface_parameters_are_checked(void)
{
    MIB_IF_ROW2 nothing = {0}, unknown = {.InterfaceIndex = 4711};
    GUID zero = {0};
    CHECK(GetIfEntry2(NULL) == ERROR_INVALID_PARAMETER && GetIfEntry2(&nothing) == ERROR_INVALID_PARAMETER);
    CHECK(GetIfEntry2(&unknown) == ERROR_FILE_NOT_FOUND);
    CHECK(ConvertInterfaceGuidToLuid(NULL, &luid) == ERROR_INVALID_PARAMETER);
    CHECK(ConvertInterfaceGuidToLuid(&zero, NULL) == ERROR_INVALID_PARAMETER);
    CHECK(ConvertInterfaceGuidToLuid(&zero, &luid) == ERROR_INVALID_PARAMETER);
}

const struct test interface_tests[] = {
    {"an open session has an interface, which disappears with it",
     an_open_session_has_an_interface_which_disappears_with_it},
    {"an interface keeps its GUID and LUID, but not its index", an_interface_keeps_its_guid_and_luid_but_not_its_index},
    {"a closed session leaves its interface as scripted", a_closed_session_leaves_its_interface_as_scripted},
    {"a device that leaves its group has an interface of its own",
     a_device_that_leaves_its_group_has_an_interface_of_its_own},
    {"an interface can come up after the callback", an_interface_can_come_up_after_the_callback},
    {"devices of a group share an interface until the last link ends",
     devices_of_a_group_share_an_interface_until_the_last_link_ends},
    {"a link can be dropped by a script or by the peer", a_link_can_be_dropped_by_a_script_or_by_the_peer},
    {"closing a session whose link dropped leaves a later link alone",
     closing_a_session_whose_link_dropped_leaves_a_later_link_alone},
    {"interface parameters are checked", interface_parameters_are_checked},
    {0},
};
