/* The count of misuses, and their records. */
#include "world.h"

#include <string.h>

static uint64_t counts[SIM_MISUSE_KINDS];
static SimMisuseRecord records[64];
static uint32_t record_count;

static const char *const misuse_names[SIM_MISUSE_KINDS] = {
    [SIM_MISUSE_CLOSE_WHILE_PENDING] = "CLOSE_WHILE_PENDING",
    [SIM_MISUSE_CLOSE_TWICE] = "CLOSE_TWICE",
    [SIM_MISUSE_CLOSE_OF_FAILED_OPEN] = "CLOSE_OF_FAILED_OPEN",
    [SIM_MISUSE_CANCEL_AFTER_COMPLETION] = "CANCEL_AFTER_COMPLETION",
    [SIM_MISUSE_USE_AFTER_CLOSE] = "USE_AFTER_CLOSE",
    [SIM_MISUSE_USE_AFTER_CLOSE_HANDLE] = "USE_AFTER_CLOSE_HANDLE",
    [SIM_MISUSE_USE_AFTER_SERVICE_STOP] = "USE_AFTER_SERVICE_STOP",
    [SIM_MISUSE_UNKNOWN_HANDLE] = "UNKNOWN_HANDLE",
    [SIM_MISUSE_CLOSE_IN_CALLBACK] = "CLOSE_IN_CALLBACK",
    [SIM_MISUSE_DOUBLE_FREE] = "DOUBLE_FREE",
    [SIM_MISUSE_WRONG_FREE] = "WRONG_FREE",
    [SIM_MISUSE_USE_OF_FREED_DATA] = "USE_OF_FREED_DATA",
    [SIM_MISUSE_LEAKED_SESSION] = "LEAKED_SESSION",
    [SIM_MISUSE_LEAKED_CLIENT_HANDLE] = "LEAKED_CLIENT_HANDLE",
    [SIM_MISUSE_LEAKED_QUERY] = "LEAKED_QUERY",
    [SIM_MISUSE_LEAKED_NOTIFICATION] = "LEAKED_NOTIFICATION",
    [SIM_MISUSE_LEAKED_DATA] = "LEAKED_DATA",
};

static const char *const function_names[SIM_FUNCTION_COUNT] = {
    [SIM_FUNCTION_WFD_OPEN_HANDLE] = "WFDOpenHandle",
    [SIM_FUNCTION_WFD_CLOSE_HANDLE] = "WFDCloseHandle",
    [SIM_FUNCTION_WFD_START_OPEN_SESSION] = "WFDStartOpenSession",
    [SIM_FUNCTION_WFD_CANCEL_OPEN_SESSION] = "WFDCancelOpenSession",
    [SIM_FUNCTION_WFD_OPEN_LEGACY_SESSION] = "WFDOpenLegacySession",
    [SIM_FUNCTION_WFD_CLOSE_SESSION] = "WFDCloseSession",
    [SIM_FUNCTION_WFD_UPDATE_DEVICE_VISIBILITY] = "WFDUpdateDeviceVisibility",
    [SIM_FUNCTION_CONVERT_INTERFACE_GUID_TO_LUID] = "ConvertInterfaceGuidToLuid",
    [SIM_FUNCTION_GET_IF_ENTRY2] = "GetIfEntry2",
    [SIM_FUNCTION_NOTIFY_IP_INTERFACE_CHANGE] = "NotifyIpInterfaceChange",
    [SIM_FUNCTION_NOTIFY_UNICAST_IP_ADDRESS_CHANGE] = "NotifyUnicastIpAddressChange",
    [SIM_FUNCTION_CANCEL_MIB_CHANGE_NOTIFY2] = "CancelMibChangeNotify2",
    [SIM_FUNCTION_GET_UNICAST_IP_ADDRESS_TABLE] = "GetUnicastIpAddressTable",
    [SIM_FUNCTION_GET_IP_NET_TABLE2] = "GetIpNetTable2",
    [SIM_FUNCTION_FREE_MIB_TABLE] = "FreeMibTable",
    [SIM_FUNCTION_DEV_CREATE_OBJECT_QUERY] = "DevCreateObjectQuery",
    [SIM_FUNCTION_DEV_CLOSE_OBJECT_QUERY] = "DevCloseObjectQuery",
    [SIM_FUNCTION_DEV_GET_OBJECTS] = "DevGetObjects",
    [SIM_FUNCTION_DEV_FREE_OBJECTS] = "DevFreeObjects",
    [SIM_FUNCTION_DEV_GET_OBJECT_PROPERTIES] = "DevGetObjectProperties",
    [SIM_FUNCTION_DEV_FREE_OBJECT_PROPERTIES] = "DevFreeObjectProperties",
    [SIM_FUNCTION_DEV_FIND_PROPERTY] = "DevFindProperty",
};

void misuse_count(uint32_t kind, uint32_t function, const void *value)
{
    counts[kind]++;
    if (record_count < SIM_ARRAY_LENGTH(records))
        records[record_count++] = (SimMisuseRecord){
            .time_ms = world.now_us / 1000, .value = (uint64_t)(uintptr_t)value, .kind = kind, .function = function};
}

void misuse_reset(void)
{
    memset(counts, 0, sizeof counts);
    record_count = 0;
}

SIM_EXPORT uint64_t SimGetMisuse(uint32_t kind)
{
    uint64_t count = 0;
    world_enter();
    for (uint32_t i = 1; i < SIM_MISUSE_KINDS; i++)
        count += kind == 0 || kind == i ? counts[i] : 0;
    world_leave();
    return count;
}

SIM_EXPORT uint32_t SimGetMisuseRecords(SimMisuseRecord *copies, uint32_t capacity)
{
    world_enter();
    uint32_t count = record_count;
    if (copies != NULL && capacity > 0)
        memcpy(copies, records, (count < capacity ? count : capacity) * sizeof *copies);
    world_leave();
    return count;
}

SIM_EXPORT const char *SimGetMisuseName(uint32_t kind)
{
    return kind < SIM_MISUSE_KINDS ? misuse_names[kind] : NULL;
}

SIM_EXPORT const char *SimGetFunctionName(uint32_t function)
{
    return function < SIM_FUNCTION_COUNT ? function_names[function] : NULL;
}

SIM_EXPORT uint32_t SimCheckLeaks(void)
{
    static const uint32_t kinds[HANDLE_KINDS] = {
        [HANDLE_CLIENT] = SIM_MISUSE_LEAKED_CLIENT_HANDLE,
        [HANDLE_SESSION] = SIM_MISUSE_LEAKED_SESSION,
        [HANDLE_NOTIFICATION] = SIM_MISUSE_LEAKED_NOTIFICATION,
        [HANDLE_QUERY] = SIM_MISUSE_LEAKED_QUERY,
    };
    uint32_t found = 0;
    world_enter();
    for (uint32_t kind = 0; kind < HANDLE_KINDS; kind++) {
        for (struct object *object = world.objects[kind]; object != NULL; object = object->next) {
            if (object->leak_counted)
                continue;
            object->leak_counted = true;
            misuse_count(kinds[kind], SIM_FUNCTION_ANY, object->handle);
            found++;
        }
    }
    found += data_count_leaks();
    world_leave();
    return found;
}
