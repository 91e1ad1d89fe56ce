/* The exports of iphlpapi.dll. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_family(ADDRESS_FAMILY family)
{
    return family == AF_UNSPEC || family == AF_INET || family == AF_INET6;
}

DWORD WINAPI ConvertInterfaceGuidToLuid(const GUID *InterfaceGuid, NET_LUID *InterfaceLuid)
{
    if (InterfaceGuid == NULL || InterfaceLuid == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    DWORD code = script_call(SIM_FUNCTION_CONVERT_INTERFACE_GUID_TO_LUID);
    if (code == ERROR_SUCCESS) {
        const struct interface *interface = interface_by_guid(InterfaceGuid);
        if (interface != NULL)
            InterfaceLuid->Value = interface->luid;
        else
            code = ERROR_INVALID_PARAMETER;
    }
    world_leave();
    return code;
}

static void fill_row(MIB_IF_ROW2 *row, const struct interface *interface)
{
    char alias[48], description[48];
    bool is_virtual = interface->type == IF_TYPE_IEEE80211;
    uint32_t number = interface->guid.Data1 & 0xFFFF;
    snprintf(alias, sizeof alias, is_virtual ? "Local Area Connection* %u" : "Ethernet", (unsigned)number);
    snprintf(description, sizeof description,
             is_virtual ? "Microsoft Wi-Fi Direct Virtual Adapter #%u" : "Simulated Ethernet Adapter",
             (unsigned)number);
    *row = (MIB_IF_ROW2){
        .InterfaceLuid.Value = interface->luid,
        .InterfaceIndex = interface->index,
        .InterfaceGuid = interface->guid,
        .PhysicalAddressLength = 6,
        .Mtu = 1500,
        .Type = interface->type,
        .PhysicalMediumType = is_virtual ? NdisPhysicalMediumNative802_11 : 0,
        .InterfaceAndOperStatusFlags = interface->has_media ? 0 : IF_FLAG_NOT_MEDIA_CONNECTED,
        .OperStatus = interface->is_up ? IfOperStatusUp : IfOperStatusDown,
        .AdminStatus = NET_IF_ADMIN_STATUS_UP,
        .MediaConnectState = interface->has_media ? MediaConnectStateConnected : MediaConnectStateDisconnected,
        .TransmitLinkSpeed = interface->has_media ? 866700000 : 0,
        .ReceiveLinkSpeed = interface->has_media ? 866700000 : 0,
    };
    memcpy(row->PhysicalAddress, interface->mac, 6);
    memcpy(row->PermanentPhysicalAddress, interface->mac, 6);
    text_from_utf8(row->Alias, SIM_ARRAY_LENGTH(row->Alias), alias);
    text_from_utf8(row->Description, SIM_ARRAY_LENGTH(row->Description), description);
}

DWORD WINAPI GetIfEntry2(MIB_IF_ROW2 *Row)
{
    if (Row == NULL || (Row->InterfaceLuid.Value == 0 && Row->InterfaceIndex == 0))
        return ERROR_INVALID_PARAMETER;
    world_enter();
    DWORD code = script_call(SIM_FUNCTION_GET_IF_ENTRY2);
    if (code == ERROR_SUCCESS) {
        const struct interface *interface = Row->InterfaceLuid.Value != 0 ? interface_by_luid(Row->InterfaceLuid.Value)
                                                                          : interface_by_index(Row->InterfaceIndex);
        if (interface != NULL)
            fill_row(Row, interface);
        else
            code = ERROR_FILE_NOT_FOUND;
    }
    world_leave();
    return code;
}

static DWORD notify(uint32_t function, const struct notification *wanted, bool initial, HANDLE *handle)
{
    *handle = NULL;
    DWORD code = script_call(function);
    if (code != ERROR_SUCCESS)
        return code;
    struct notification *notification = world.limits.memory_exhausted ? NULL : malloc(sizeof *notification);
    if (notification == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    *notification = *wanted;
    if (!handle_issue(&notification->object, HANDLE_NOTIFICATION)) {
        free(notification);
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    *handle = notification->object.handle;
    if (initial)
        notify_change(*handle, NULL, 0, MibInitialNotification);
    return ERROR_SUCCESS;
}

DWORD WINAPI NotifyIpInterfaceChange(ADDRESS_FAMILY Family, PIPINTERFACE_CHANGE_CALLBACK Callback, PVOID CallerContext,
                                     BOOLEAN InitialNotification, HANDLE *NotificationHandle)
{
    if (!is_family(Family) || Callback == NULL || NotificationHandle == NULL)
        return ERROR_INVALID_PARAMETER;
    struct notification wanted = {.family = Family, .on_interface = Callback, .context = CallerContext};
    world_enter();
    DWORD code = notify(SIM_FUNCTION_NOTIFY_IP_INTERFACE_CHANGE, &wanted, InitialNotification, NotificationHandle);
    world_leave();
    return code;
}

DWORD WINAPI NotifyUnicastIpAddressChange(ADDRESS_FAMILY Family, PUNICAST_IPADDRESS_CHANGE_CALLBACK Callback,
                                          PVOID CallerContext, BOOLEAN InitialNotification, HANDLE *NotificationHandle)
{
    if (!is_family(Family) || Callback == NULL || NotificationHandle == NULL)
        return ERROR_INVALID_PARAMETER;
    struct notification wanted = {
        .of_addresses = true, .family = Family, .on_address = Callback, .context = CallerContext};
    world_enter();
    DWORD code =
        notify(SIM_FUNCTION_NOTIFY_UNICAST_IP_ADDRESS_CHANGE, &wanted, InitialNotification, NotificationHandle);
    world_leave();
    return code;
}

DWORD WINAPI CancelMibChangeNotify2(HANDLE NotificationHandle)
{
    if (NotificationHandle == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    DWORD code = script_call(SIM_FUNCTION_CANCEL_MIB_CHANGE_NOTIFY2);
    if (code == ERROR_SUCCESS) {
        struct notification *notification =
            handle_use(NotificationHandle, HANDLE_NOTIFICATION, SIM_FUNCTION_CANCEL_MIB_CHANGE_NOTIFY2, true);
        if (notification != NULL)
            change_cancel(notification);
        else
            code = ERROR_INVALID_PARAMETER;
    }
    world_leave();
    return code;
}

static void add_unicast(MIB_UNICASTIPADDRESS_TABLE *table, const struct interface *interface, ADDRESS_FAMILY family)
{
    MIB_UNICASTIPADDRESS_ROW *row = &table->Table[table->NumEntries++];
    row->Address.si_family = family;
    row->InterfaceLuid.Value = interface->luid;
    row->InterfaceIndex = interface->index;
    row->DadState = IpDadStatePreferred;
    if (family == AF_INET) {
        memcpy(row->Address.Ipv4, interface->local, 4);
        row->PrefixOrigin = IpPrefixOriginDhcp;
        row->SuffixOrigin = IpSuffixOriginDhcp;
        row->ValidLifetime = row->PreferredLifetime = 7200;
        row->OnLinkPrefixLength = 24;
    } else {
        interface_link_local(interface->mac, row->Address.Ipv6.address);
        row->Address.Ipv6.scope_id = interface->index;
        row->PrefixOrigin = IpPrefixOriginWellKnown;
        row->SuffixOrigin = IpSuffixOriginLinkLayerAddress;
        row->ValidLifetime = row->PreferredLifetime = UINT32_MAX;
        row->OnLinkPrefixLength = 64;
    }
}

static DWORD return_table(void *table, uint32_t entries, void **result)
{
    *result = entries > 0 ? table : NULL;
    if (entries == 0)
        data_free(table, DATA_MIB_TABLE, 0, SIM_FUNCTION_ANY);
    return entries > 0 ? ERROR_SUCCESS : ERROR_NOT_FOUND;
}

static DWORD unicast_table(ADDRESS_FAMILY family, MIB_UNICASTIPADDRESS_TABLE **result)
{
    uint32_t rows_max = interfaces_present()->count * 2;
    size_t size = offsetof(MIB_UNICASTIPADDRESS_TABLE, Table) + rows_max * sizeof(MIB_UNICASTIPADDRESS_ROW);
    MIB_UNICASTIPADDRESS_TABLE *table = data_allocate(DATA_MIB_TABLE, size, 0);
    if (table == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    for (const struct chain_item *item = interfaces_present()->first; item != NULL; item = item->next) {
        const struct interface *interface = (const struct interface *)item;
        if (interface->has_local && family != AF_INET6)
            add_unicast(table, interface, AF_INET);
        if (interface->has_media && family != AF_INET)
            add_unicast(table, interface, AF_INET6);
    }
    return return_table(table, table->NumEntries, (void **)result);
}

DWORD WINAPI GetUnicastIpAddressTable(ADDRESS_FAMILY Family, MIB_UNICASTIPADDRESS_TABLE **Table)
{
    if (!is_family(Family) || Table == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    DWORD code = script_call(SIM_FUNCTION_GET_UNICAST_IP_ADDRESS_TABLE);
    if (code == ERROR_SUCCESS)
        code = unicast_table(Family, Table);
    world_leave();
    return code;
}

static MIB_IPNET_ROW2 *add_neighbor(MIB_IPNET_TABLE2 *table, const struct interface *interface, const uint8_t mac[6],
                                    ADDRESS_FAMILY family, uint32_t state)
{
    MIB_IPNET_ROW2 *row = &table->Table[table->NumEntries++];
    row->Address.si_family = family;
    row->InterfaceIndex = interface->index;
    row->InterfaceLuid.Value = interface->luid;
    row->PhysicalAddressLength = 6;
    row->State = state;
    memcpy(row->PhysicalAddress, mac, 6);
    return row;
}

/* Windows lists multicast groups as neighbors of every interface. A caller must not take them for
 * peers. */
static void add_multicast(MIB_IPNET_TABLE2 *table, ADDRESS_FAMILY family)
{
    static const uint8_t group_mac[6] = {0x01, 0x00, 0x5E, 0x00, 0x00, 0x16}, group[4] = {224, 0, 0, 22};
    if (family == AF_INET6)
        return;
    for (const struct chain_item *item = interfaces_present()->first; item != NULL; item = item->next)
        memcpy(add_neighbor(table, (const struct interface *)item, group_mac, AF_INET, NlnsPermanent)->Address.Ipv4,
               group, 4);
}

static DWORD neighbor_table(ADDRESS_FAMILY family, MIB_IPNET_TABLE2 **result)
{
    uint32_t rows_max = interfaces_present()->count + devices_known()->count * 2;
    size_t size = offsetof(MIB_IPNET_TABLE2, Table) + rows_max * sizeof(MIB_IPNET_ROW2);
    MIB_IPNET_TABLE2 *table = data_allocate(DATA_MIB_TABLE, size, 0);
    if (table == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    add_multicast(table, family);
    for (const struct chain_item *item = devices_known()->first; item != NULL; item = item->next) {
        const struct device *device = (const struct device *)item;
        const struct interface *interface = interface_at(device->interface);
        const uint8_t *mac = device->state.interface_address;
        if (family != AF_INET6)
            memcpy(add_neighbor(table, interface, mac, AF_INET, NlnsReachable)->Address.Ipv4,
                   device->state.peer_address, 4);
        if (family != AF_INET)
            interface_link_local(mac,
                                 add_neighbor(table, interface, mac, AF_INET6, NlnsReachable)->Address.Ipv6.address);
    }
    return return_table(table, table->NumEntries, (void **)result);
}

DWORD WINAPI GetIpNetTable2(ADDRESS_FAMILY Family, MIB_IPNET_TABLE2 **Table)
{
    if (!is_family(Family) || Table == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    DWORD code = script_call(SIM_FUNCTION_GET_IP_NET_TABLE2);
    if (code == ERROR_SUCCESS)
        code = neighbor_table(Family, Table);
    world_leave();
    return code;
}

void WINAPI FreeMibTable(PVOID Memory)
{
    if (Memory == NULL)
        return;
    world_enter();
    data_free(Memory, DATA_MIB_TABLE, 0, SIM_FUNCTION_FREE_MIB_TABLE);
    world_leave();
}
