/*
 * A library with some of the Windows functions. Every byte of their answers is known, so that a
 * test can check that koffi reads and writes them correctly. Callbacks run on another thread,
 * before the function that requested them returns. Memory that was lent is overwritten when its
 * borrower must not read it any more. Windows functions that are not here are missing exports.
 */
#include "native/simulator/wfdsim.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const GUID echo_guid = {0x01020304, 0x0506, 0x0708, {9, 10, 11, 12, 13, 14, 15, 16}};
static uint32_t live_allocations;

static void *give(size_t size)
{
    live_allocations++;
    return calloc(1, size);
}

static void take_back(void *memory, size_t size)
{
    live_allocations--;
    memset(memory, 0xEE, size);
    free(memory);
}

SIM_EXPORT uint32_t EchoLiveAllocations(void)
{
    return live_allocations;
}

/* The callback that a thread runs, and its context. */
struct call {
    void (*function)(void);
    PVOID context;
};

static DWORD call_from_a_thread(void *(*body)(void *), struct call call)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, &call) != 0)
        return ERROR_NOT_ENOUGH_MEMORY;
    pthread_join(thread, NULL);
    return ERROR_SUCCESS;
}

static void *complete_open(void *argument)
{
    const struct call *call = argument;
    ((WFD_OPEN_SESSION_COMPLETE_CALLBACK)call->function)((HANDLE)0x7FFF0000FFFF0001, call->context, echo_guid, 0x80070005,
                                                         0xDEADBEEF);
    return NULL;
}

DWORD WINAPI WFDStartOpenSession(HANDLE hClientHandle, DOT11_MAC_ADDRESS *pDeviceAddress, PVOID pvContext,
                                 WFD_OPEN_SESSION_COMPLETE_CALLBACK pfnCallback, HANDLE *phSessionHandle)
{
    static const DOT11_MAC_ADDRESS expected = {0x02, 0x11, 0x22, 0x33, 0x44, 0xFF};
    if (hClientHandle != (HANDLE)0x11 || memcmp(pDeviceAddress, expected, sizeof expected) != 0)
        return ERROR_INVALID_PARAMETER;
    DWORD code = call_from_a_thread(complete_open, (struct call){(void (*)(void))pfnCallback, pvContext});
    *phSessionHandle = (HANDLE)0x7FFF0000FFFF0001;
    return code;
}

DWORD WINAPI WFDOpenLegacySession(HANDLE hClientHandle, DOT11_MAC_ADDRESS *pLegacyMacAddress, HANDLE *phSessionHandle,
                                  GUID *pGuidSessionInterface)
{
    *phSessionHandle = hClientHandle;
    *pGuidSessionInterface = echo_guid;
    return (*pLegacyMacAddress)[5];
}

/* The LUID is the last eight bytes of the GUID. */
DWORD WINAPI ConvertInterfaceGuidToLuid(const GUID *InterfaceGuid, NET_LUID *InterfaceLuid)
{
    memcpy(InterfaceLuid, InterfaceGuid->Data4, sizeof *InterfaceLuid);
    return InterfaceGuid->Data1 == echo_guid.Data1 ? ERROR_SUCCESS : ERROR_INVALID_PARAMETER;
}

DWORD WINAPI GetIfEntry2(MIB_IF_ROW2 *Row)
{
    if (Row->InterfaceLuid.Value != 0xFEDCBA9876543210 || Row->InterfaceIndex != 0)
        return ERROR_FILE_NOT_FOUND;
    Row->InterfaceIndex = 7;
    Row->InterfaceGuid = echo_guid;
    memcpy(Row->Alias, u"Wi\u2011Fi 2", sizeof u"Wi\u2011Fi 2");
    memcpy(Row->Description, u"Virtual", sizeof u"Virtual");
    Row->PhysicalAddressLength = 6;
    memcpy(Row->PhysicalAddress, "\x02\x11\x22\x33\x44\xFF", 6);
    Row->Type = 71;
    Row->PhysicalMediumType = 9;
    Row->InterfaceAndOperStatusFlags = 0x10;
    Row->OperStatus = 2;
    Row->AdminStatus = 1;
    Row->MediaConnectState = 2;
    return ERROR_SUCCESS;
}

static void *change_interface(void *argument)
{
    const struct call *call = argument;
    PIPINTERFACE_CHANGE_CALLBACK callback = (PIPINTERFACE_CHANGE_CALLBACK)call->function;
    MIB_IPINTERFACE_ROW row = {.Family = AF_INET6, .InterfaceLuid = {0xFEDCBA9876543210}, .InterfaceIndex = 7};
    callback(call->context, NULL, MibInitialNotification);
    callback(call->context, &row, MibDeleteInstance);
    memset(&row, 0xEE, sizeof row);
    return NULL;
}

DWORD WINAPI NotifyIpInterfaceChange(ADDRESS_FAMILY Family, PIPINTERFACE_CHANGE_CALLBACK Callback, PVOID CallerContext,
                                     BOOLEAN InitialNotification, HANDLE *NotificationHandle)
{
    if (Family != AF_INET6 || InitialNotification != 1)
        return ERROR_INVALID_PARAMETER;
    *NotificationHandle = (HANDLE)0x22;
    return call_from_a_thread(change_interface, (struct call){(void (*)(void))Callback, CallerContext});
}

static void *change_address(void *argument)
{
    const struct call *call = argument;
    MIB_UNICASTIPADDRESS_ROW row = {.Address = {.si_family = AF_INET}, .InterfaceLuid = {5}, .InterfaceIndex = 8};
    ((PUNICAST_IPADDRESS_CHANGE_CALLBACK)call->function)(call->context, &row, MibAddInstance);
    memset(&row, 0xEE, sizeof row);
    return NULL;
}

DWORD WINAPI NotifyUnicastIpAddressChange(ADDRESS_FAMILY Family, PUNICAST_IPADDRESS_CHANGE_CALLBACK Callback,
                                          PVOID CallerContext, BOOLEAN InitialNotification, HANDLE *NotificationHandle)
{
    if (Family != AF_UNSPEC || InitialNotification != 0)
        return ERROR_INVALID_PARAMETER;
    *NotificationHandle = (HANDLE)0x33;
    return call_from_a_thread(change_address, (struct call){(void (*)(void))Callback, CallerContext});
}

DWORD WINAPI GetUnicastIpAddressTable(ADDRESS_FAMILY Family, MIB_UNICASTIPADDRESS_TABLE **Table)
{
    static const MIB_UNICASTIPADDRESS_ROW rows[] = {
        {.Address = {.si_family = AF_INET, .Ipv4 = {192, 168, 137, 1}},
         .InterfaceLuid = {5},
         .InterfaceIndex = 8,
         .OnLinkPrefixLength = 24,
         .DadState = IpDadStatePreferred},
        {.Address = {.si_family = AF_INET6, .Ipv6 = {.address = {0xFE, 0x80, [15] = 1}, .scope_id = 12}},
         .InterfaceLuid = {0xFEDCBA9876543210},
         .InterfaceIndex = 7,
         .OnLinkPrefixLength = 64},
    };
    if (Family != AF_UNSPEC)
        return ERROR_NOT_FOUND;
    *Table = give(offsetof(MIB_UNICASTIPADDRESS_TABLE, Table) + sizeof rows);
    (*Table)->NumEntries = 2;
    memcpy((*Table)->Table, rows, sizeof rows);
    return ERROR_SUCCESS;
}

DWORD WINAPI GetIpNetTable2(ADDRESS_FAMILY Family, MIB_IPNET_TABLE2 **Table)
{
    if (Family != AF_INET)
        return ERROR_NOT_FOUND;
    *Table = give(sizeof **Table);
    (*Table)->NumEntries = 1;
    (*Table)->Table[0] = (MIB_IPNET_ROW2){.Address = {.si_family = AF_INET, .Ipv4 = {192, 168, 137, 77}},
                                          .InterfaceIndex = 8,
                                          .InterfaceLuid = {5},
                                          .PhysicalAddress = {0x02, 0x11, 0x22, 0x33, 0x44, 0xFF},
                                          .PhysicalAddressLength = 6,
                                          .State = NlnsReachable};
    return ERROR_SUCCESS;
}

void WINAPI FreeMibTable(PVOID Memory)
{
    take_back(Memory, sizeof(ULONG));
}

/* Returns one object that has the properties of the filter. */
HRESULT WINAPI DevGetObjects(uint32_t ObjectType, ULONG QueryFlags, ULONG cRequestedProperties,
                             const DEVPROPCOMPKEY *pRequestedProperties, ULONG cFilterExpressionCount,
                             const DEVPROP_FILTER_EXPRESSION *pFilter, ULONG *pcObjectCount, const DEV_OBJECT **ppObjects)
{
    static const WCHAR id[] = u"echo";
    if ((cRequestedProperties == 0) != (pRequestedProperties == NULL) || QueryFlags != cRequestedProperties)
        return E_INVALIDARG;
    DEVPROPERTY *properties = give(cFilterExpressionCount * sizeof *properties);
    for (ULONG i = 0; i < cFilterExpressionCount; i++) {
        properties[i] = pFilter[i].Property;
        properties[i].Buffer = memcpy(give(properties[i].BufferSize), pFilter[i].Property.Buffer, properties[i].BufferSize);
    }
    DEV_OBJECT *object = give(sizeof *object);
    *object = (DEV_OBJECT){ObjectType, id, cFilterExpressionCount, properties};
    *pcObjectCount = 1;
    *ppObjects = object;
    return S_OK;
}

void WINAPI DevFreeObjects(ULONG cObjectCount, const DEV_OBJECT *pObjects)
{
    for (ULONG i = 0; i < pObjects->cPropertyCount; i++)
        take_back(pObjects->pProperties[i].Buffer, pObjects->pProperties[i].BufferSize);
    take_back((void *)pObjects->pProperties, pObjects->cPropertyCount * sizeof *pObjects->pProperties);
    take_back((void *)pObjects, cObjectCount * sizeof *pObjects);
}

static void *add_object(void *argument)
{
    const struct call *call = argument;
    PDEV_QUERY_RESULT_CALLBACK callback = (PDEV_QUERY_RESULT_CALLBACK)call->function;
    WCHAR id[] = u"query";
    DEVPROP_BOOLEAN connected = DEVPROP_TRUE;
    DEVPROPERTY property = {{{echo_guid, 5}, 0, NULL}, DEVPROP_TYPE_BOOLEAN, sizeof connected, &connected};
    DEV_QUERY_RESULT_ACTION_DATA data = {DevQueryResultAdd, {.DeviceObject = {DevObjectTypeDevice, id, 1, &property}}};
    callback((HDEVQUERY)0x44, call->context, &data);
    memset(&property, 0xEE, sizeof property);
    memset(id, 0xEE, sizeof id);
    data = (DEV_QUERY_RESULT_ACTION_DATA){DevQueryResultStateChange, {.State = DevQueryStateAborted}};
    callback((HDEVQUERY)0x44, call->context, &data);
    memset(&data, 0xEE, sizeof data);
    return NULL;
}

HRESULT WINAPI DevCreateObjectQuery(uint32_t ObjectType, ULONG QueryFlags, ULONG cRequestedProperties,
                                    const DEVPROPCOMPKEY *pRequestedProperties, ULONG cFilterExpressionCount,
                                    const DEVPROP_FILTER_EXPRESSION *pFilter, PDEV_QUERY_RESULT_CALLBACK pCallback,
                                    PVOID pContext, HDEVQUERY *phDevQuery)
{
    if (ObjectType != DevObjectTypeDevice || QueryFlags != DevQueryFlagUpdateResults || cRequestedProperties != 2 ||
        pRequestedProperties[1].Key.pid != 6 || memcmp(&pRequestedProperties[1].Key.fmtid, &echo_guid, 16) != 0 ||
        cFilterExpressionCount != 0 || pFilter != NULL)
        return E_INVALIDARG;
    *phDevQuery = (HDEVQUERY)0x44;
    return (HRESULT)call_from_a_thread(add_object, (struct call){(void (*)(void))pCallback, pContext});
}
