#include "check.h"

#include <string.h>

/* What the callback of one notification has received. */
struct received {
    uint32_t count, initial, added, removed, changed;
    ULONG64 luid;
    uint32_t running;
    const MIB_IPINTERFACE_ROW *row;
    HANDLE handle;
};

static void receive(struct received *received, const NET_LUID *luid, uint32_t type)
{
    CHECK(received->running++ == 0); /* "serialized" */
    received->count++;
    received->initial += type == MibInitialNotification;
    received->added += type == MibAddInstance;
    received->removed += type == MibDeleteInstance;
    received->changed += type == MibParameterNotification;
    CHECK((luid == NULL) == (type == MibInitialNotification));
    if (luid != NULL)
        received->luid = luid->Value;
    received->running--;
}

static void WINAPI on_interface(PVOID context, MIB_IPINTERFACE_ROW *row, uint32_t type)
{
    receive(context, row != NULL ? &row->InterfaceLuid : NULL, type);
    ((struct received *)context)->row = row;
}

static void WINAPI on_address(PVOID context, MIB_UNICASTIPADDRESS_ROW *row, uint32_t type)
{
    receive(context, row != NULL ? &row->InterfaceLuid : NULL, type);
}

static bool has_local(const char address[4], ULONG64 luid)
{
    MIB_UNICASTIPADDRESS_TABLE *table;
    bool has = false;
    CHECK(GetUnicastIpAddressTable(AF_INET, &table) == ERROR_SUCCESS);
    for (uint32_t i = 0; i < table->NumEntries; i++)
        has = has ||
              (table->Table[i].InterfaceLuid.Value == luid && memcmp(table->Table[i].Address.Ipv4, address, 4) == 0);
    FreeMibTable(table);
    return has;
}

static bool has_peer(const char address[4], const uint8_t mac[6])
{
    MIB_IPNET_TABLE2 *table;
    bool has = false;
    if (GetIpNetTable2(AF_INET, &table) != ERROR_SUCCESS)
        return false;
    for (uint32_t i = 0; i < table->NumEntries; i++)
        has = has || (memcmp(table->Table[i].PhysicalAddress, mac, 6) == 0 &&
                      memcmp(table->Table[i].Address.Ipv4, address, 4) == 0);
    FreeMibTable(table);
    return has;
}

static void each_subscriber_is_notified_of_changes(void)
{
    struct received interfaces = {0}, only_ipv6 = {0}, addresses = {0};
    struct outcome outcome = {0};
    NET_LUID luid;
    CHECK(NotifyIpInterfaceChange(AF_UNSPEC, on_interface, &interfaces, 1, &interfaces.handle) == ERROR_SUCCESS);
    CHECK(NotifyIpInterfaceChange(AF_INET6, on_interface, &only_ipv6, 0, &only_ipv6.handle) == ERROR_SUCCESS);
    CHECK(NotifyUnicastIpAddressChange(AF_INET, on_address, &addresses, 0, &addresses.handle) == ERROR_SUCCESS);
    HANDLE client = open_client(), session = open_session(client, &display, &outcome);
    CHECK(ConvertInterfaceGuidToLuid(&outcome.guid, &luid) == ERROR_SUCCESS);
    CHECK(interfaces.initial == 1 && interfaces.added == 2 && interfaces.changed == 2 && interfaces.luid == luid.Value);
    CHECK(interfaces.row->InterfaceIndex == 0xDDDDDDDD); /* freed when the callback returned */
    CHECK(only_ipv6.initial == 0 && only_ipv6.added == 1 && addresses.count == 0);
    advance(100);
    CHECK(addresses.added == 1 && addresses.luid == luid.Value);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    advance(150);
    CHECK(interfaces.removed == 2 && addresses.removed == 1);
    CHECK(CancelMibChangeNotify2(interfaces.handle) == ERROR_SUCCESS);
    CHECK(CancelMibChangeNotify2(only_ipv6.handle) == ERROR_SUCCESS);
    CHECK(CancelMibChangeNotify2(addresses.handle) == ERROR_SUCCESS);
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void notifications_can_be_off_while_the_state_changes(void)
{
    struct received received = {0};
    struct outcome outcome = {0};
    CHECK(NotifyIpInterfaceChange(AF_UNSPEC, on_interface, &received, 0, &received.handle) == ERROR_SUCCESS);
    CHECK(SimSetNotifications(SIM_NOTIFY_ADDRESSES | SIM_NOTIFY_DEVICES) == ERROR_SUCCESS);
    HANDLE client = open_client(), session = open_session(client, &display, &outcome);
    CHECK(received.count == 0 && device(&display).interface_index != 0);
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
    CHECK(CancelMibChangeNotify2(received.handle) == ERROR_SUCCESS);
}

static void addresses_appear_after_their_delay_and_disappear_with_the_link(void)
{
    struct outcome outcome = {0};
    NET_LUID luid;
    SimDevice peer = device(&display);
    HANDLE client = open_client(), session = open_session(client, &display, &outcome);
    CHECK(ConvertInterfaceGuidToLuid(&outcome.guid, &luid) == ERROR_SUCCESS);
    CHECK(!has_local((char *)peer.local_address, luid.Value) &&
          !has_peer((char *)peer.peer_address, peer.interface_address));
    advance(100);
    CHECK(has_local((char *)peer.local_address, luid.Value) &&
          has_peer((char *)peer.peer_address, peer.interface_address));
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS);
    advance(150);
    CHECK(!has_local((char *)peer.local_address, luid.Value) &&
          !has_peer((char *)peer.peer_address, peer.interface_address));
    CHECK(WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void addresses_can_appear_late_and_change(void)
{
    struct outcome outcome = {0};
    NET_LUID luid;
    SimDevice peer = device(&display);
    peer.address_ms = SIM_NEVER;
    CHECK(SimUpdateDevice(&peer) == ERROR_SUCCESS);
    HANDLE client = open_client(), session = open_session(client, &display, &outcome);
    CHECK(ConvertInterfaceGuidToLuid(&outcome.guid, &luid) == ERROR_SUCCESS);
    advance(1000000);
    CHECK(!has_local((char *)peer.local_address, luid.Value));
    memcpy(peer.local_address, "\x0A\x01\x02\x03", 4);
    memcpy(peer.peer_address, "\x0A\x01\x02\x04", 4);
    peer.address_ms = 7000;
    CHECK(SimUpdateDevice(&peer) == ERROR_SUCCESS);
    advance(6999);
    CHECK(!has_local("\x0A\x01\x02\x03", luid.Value));
    advance(1);
    CHECK(has_local("\x0A\x01\x02\x03", luid.Value) && has_peer("\x0A\x01\x02\x04", peer.interface_address));
    CHECK(WFDCloseSession(session) == ERROR_SUCCESS && WFDCloseHandle(client) == ERROR_SUCCESS);
}

static void a_table_is_freed_once_and_by_its_own_function(void)
{
    MIB_UNICASTIPADDRESS_TABLE *table;
    CHECK(GetUnicastIpAddressTable(AF_INET6, &table) == ERROR_SUCCESS && table->NumEntries == 1);
    DevFreeObjects(0, (const DEV_OBJECT *)(void *)table);
    FreeMibTable(table);
    CHECK(table->NumEntries == 0xDDDDDDDD);
    FreeMibTable(table);
    FreeMibTable(&table);
    FreeMibTable(NULL);
    expect_misuse(SIM_MISUSE_DOUBLE_FREE, 1);
    expect_misuse(SIM_MISUSE_WRONG_FREE, 2);
}

static void a_wrong_pointer_is_counted_and_never_followed(void)
{
    MIB_UNICASTIPADDRESS_TABLE *table;
    CHECK(GetUnicastIpAddressTable(AF_UNSPEC, &table) == ERROR_SUCCESS);
    FreeMibTable((PVOID)(uintptr_t)1);
    FreeMibTable((PVOID)UINTPTR_MAX);
    FreeMibTable((char *)table + 1);
    FreeMibTable((char *)table - 16);
    FreeMibTable(table->Table);
    DevFreeObjectProperties(0, (const DEVPROPERTY *)(uintptr_t)48);
    expect_misuse(SIM_MISUSE_WRONG_FREE, 6);
    CHECK(table->NumEntries == 2);
    FreeMibTable(table);
    FreeMibTable((char *)table + 1);
    expect_misuse(SIM_MISUSE_DOUBLE_FREE, 1);
}

static void a_write_to_freed_data_is_counted(void)
{
    MIB_IPNET_TABLE2 *table;
    CHECK(GetIpNetTable2(AF_UNSPEC, &table) == ERROR_SUCCESS && table->Table[0].State == NlnsPermanent);
    FreeMibTable(table);
    table->NumEntries = 0;
    SimCheckLeaks();
    expect_misuse(SIM_MISUSE_USE_OF_FREED_DATA, 1);
}

static void WINAPI cancel_inside(PVOID context, MIB_IPINTERFACE_ROW *row, uint32_t type)
{
    struct received *received = context;
    received->count++;
    CHECK(row == NULL && type == MibInitialNotification);
    CHECK(CancelMibChangeNotify2(received->handle) == ERROR_SUCCESS);
}

static void cancelling_inside_the_callback_or_twice_is_misuse(void)
{
    struct received received = {0};
    CHECK(NotifyIpInterfaceChange(AF_INET, cancel_inside, &received, 1, &received.handle) == ERROR_SUCCESS);
    CHECK(SimWaitIdle(10000) == 1 && received.count == 1);
    CHECK(CancelMibChangeNotify2(received.handle) == ERROR_INVALID_PARAMETER);
    CHECK(CancelMibChangeNotify2(NULL) == ERROR_INVALID_PARAMETER);
    expect_misuse(SIM_MISUSE_CLOSE_IN_CALLBACK, 1);
    expect_misuse(SIM_MISUSE_CLOSE_TWICE, 1);
}

static atomic_bool is_inside, may_leave;
static HANDLE held;

static void WINAPI stay_inside(PVOID context, MIB_IPINTERFACE_ROW *row, uint32_t type)
{
    (void)context, (void)row, (void)type;
    atomic_store(&is_inside, true);
    while (!atomic_load(&may_leave))
        CHECK(SimGetClock() > 0);
}

static bool has_entered(void)
{
    return atomic_load(&is_inside);
}
static void cancel_held(void)
{
    CHECK(CancelMibChangeNotify2(held) == ERROR_SUCCESS);
}

static void cancelling_waits_for_a_running_callback(void)
{
    CHECK(NotifyIpInterfaceChange(AF_INET, stay_inside, NULL, 1, &held) == ERROR_SUCCESS);
    wait_for(has_entered);
    start(cancel_held);
    wait_until_blocked(1);
    atomic_store(&may_leave, true);
    finish();
    CHECK(counts().notifications == 0);
}

const struct test address_tests[] = {
    {"each subscriber is notified of changes", each_subscriber_is_notified_of_changes},
    {"notifications can be off while the state changes", notifications_can_be_off_while_the_state_changes},
    {"addresses appear after their delay, and disappear with the link",
     addresses_appear_after_their_delay_and_disappear_with_the_link},
    {"addresses can appear late, and change", addresses_can_appear_late_and_change},
    {"a table is freed once, and by its own function", a_table_is_freed_once_and_by_its_own_function},
    {"a wrong pointer is counted, and never followed", a_wrong_pointer_is_counted_and_never_followed},
    {"a write to freed data is counted", a_write_to_freed_data_is_counted},
    {"cancelling inside the callback, or twice, is misuse", cancelling_inside_the_callback_or_twice_is_misuse},
    {"cancelling waits for a running callback", cancelling_waits_for_a_running_callback},
    {0},
};
