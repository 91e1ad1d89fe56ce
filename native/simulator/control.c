/* The exports of control.h that belong to no other file. */
#include "world.h"

#include <string.h>

SIM_EXPORT void SimReset(void)
{
    world_enter();
    world_reset();
    world_leave();
}

SIM_EXPORT void SimGetDefaults(SimDefaults *defaults)
{
    world_enter();
    *defaults = world.defaults;
    world_leave();
}

SIM_EXPORT uint32_t SimSetDefaults(const SimDefaults *defaults)
{
    if (defaults == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    world.defaults = *defaults;
    world_leave();
    return ERROR_SUCCESS;
}

SIM_EXPORT void SimGetLimits(SimLimits *limits)
{
    world_enter();
    *limits = world.limits;
    world_leave();
}

SIM_EXPORT uint32_t SimSetLimits(const SimLimits *limits)
{
    if (limits == NULL || limits->memory_exhausted > 1)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    world.limits = *limits;
    world_leave();
    return ERROR_SUCCESS;
}

static bool is_text(const char *text, size_t size)
{
    return memchr(text, 0, size) != NULL;
}

static bool is_device(const SimDevice *device)
{
    return device != NULL && device->is_legacy <= 1 && device->is_in_range <= 1 && device->is_visible <= 2 &&
           device->is_transient <= 1 && device->is_absent <= 2 && device->link_quality <= 100 &&
           is_text(device->name, sizeof device->name) &&
           is_text(device->interface_group, sizeof device->interface_group);
}

SIM_EXPORT uint32_t SimAddDevice(const SimDevice *device)
{
    if (!is_device(device))
        return ERROR_INVALID_PARAMETER;
    world_enter();
    uint32_t code = ERROR_ALREADY_EXISTS;
    if (device_find(device->device_address) == NO_SLOT)
        code = device_pair(device) != NO_SLOT ? ERROR_SUCCESS : ERROR_NOT_ENOUGH_MEMORY;
    world_leave();
    return code;
}

static bool is_address_changed(const SimDevice *before, const SimDevice *after)
{
    return memcmp(before->local_address, after->local_address, 4) != 0 ||
           memcmp(before->peer_address, after->peer_address, 4) != 0 || before->address_ms != after->address_ms;
}

SIM_EXPORT uint32_t SimUpdateDevice(const SimDevice *device)
{
    if (!is_device(device))
        return ERROR_INVALID_PARAMETER;
    world_enter();
    uint32_t slot = device_find(device->device_address);
    if (slot != NO_SLOT) {
        SimDevice before = device_at(slot)->state;
        device_set(slot, device);
        if (is_address_changed(&before, &device_at(slot)->state))
            link_renew_addresses(slot);
        query_on_device_change(slot);
    }
    world_leave();
    return slot != NO_SLOT ? ERROR_SUCCESS : ERROR_NOT_FOUND;
}

SIM_EXPORT uint32_t SimRemoveDevice(const uint8_t device_address[6])
{
    if (device_address == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    uint32_t slot = device_find(device_address);
    if (slot != NO_SLOT)
        device_unpair(slot);
    world_leave();
    return slot != NO_SLOT ? ERROR_SUCCESS : ERROR_NOT_FOUND;
}

static void copy_device(SimDevice *copy, const struct device *device)
{
    const struct interface *interface = device->interface != NO_SLOT ? interface_at(device->interface) : NULL;
    *copy = device->state;
    copy->interface_index = interface != NULL && interface->is_present ? interface->index : 0;
}

SIM_EXPORT uint32_t SimGetDevice(const uint8_t device_address[6], SimDevice *device)
{
    if (device_address == NULL || device == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    uint32_t slot = device_find(device_address);
    if (slot != NO_SLOT)
        copy_device(device, device_at(slot));
    world_leave();
    return slot != NO_SLOT ? ERROR_SUCCESS : ERROR_NOT_FOUND;
}

SIM_EXPORT uint32_t SimListDevices(SimDevice *devices, uint32_t capacity)
{
    uint32_t count = 0;
    world_enter();
    for (uint32_t slot = 0; slot < device_count(); slot++) {
        const struct device *device = device_at(slot);
        if (!device->is_paired)
            continue;
        if (devices != NULL && count < capacity)
            copy_device(&devices[count], device);
        count++;
    }
    world_leave();
    return count;
}

SIM_EXPORT uint32_t SimStopService(const SimServiceStop *stop)
{
    static const SimLinkEnd at_once = {.interface_effect = SIM_INTERFACE_GONE};
    if (stop == NULL || stop->call_code == ERROR_SUCCESS || stop->blocked_call_code == ERROR_SUCCESS)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    world.stop = *stop;
    world.is_stopped = true;
    for (struct object *object = world.objects[HANDLE_CLIENT]; object != NULL; object = object->next) {
        struct client *client = (struct client *)object;
        client->is_stale = true;
        if (stop->open_error == ERROR_SUCCESS)
            call_finish(client->close_call, stop->blocked_call_code);
    }
    sessions_on_service_stop();
    call_finish_in_service(stop->blocked_call_code);
    for (uint32_t slot = 0; slot < device_count(); slot++)
        link_end(slot, &at_once);
    world_leave();
    return ERROR_SUCCESS;
}

SIM_EXPORT void SimStartService(void)
{
    world_enter();
    world.is_stopped = false;
    world_leave();
}

SIM_EXPORT uint32_t SimAbortDeviceQueries(void)
{
    world_enter();
    uint32_t count = query_abort_all();
    world_leave();
    return count;
}

SIM_EXPORT uint32_t SimSetNotifications(uint32_t mask)
{
    if (mask > (SIM_NOTIFY_INTERFACES | SIM_NOTIFY_ADDRESSES | SIM_NOTIFY_DEVICES))
        return ERROR_INVALID_PARAMETER;
    world_enter();
    world.notifications = mask;
    world_leave();
    return ERROR_SUCCESS;
}

SIM_EXPORT void SimGetCounts(SimCounts *counts)
{
    world_enter();
    *counts = (SimCounts){
        .clients = world.object_counts[HANDLE_CLIENT],
        .sessions = world.object_counts[HANDLE_SESSION],
        .opens_pending = world.opens_pending,
        .closes_queued = world.closes_queued,
        .queries = world.object_counts[HANDLE_QUERY],
        .notifications = world.object_counts[HANDLE_NOTIFICATION],
        .data_blocks = data_live(),
        .calls_blocked = calls_blocked_count(),
        .callbacks_pending = notify_pending(),
        .events_scheduled = timeline_length(),
        .opens = world.opens,
        .closes = world.closes,
        .lost_races = world.lost_races,
    };
    world_leave();
}

SIM_EXPORT uint32_t SimWaitIdle(uint32_t real_ms)
{
    world_enter();
    uint64_t until_us = platform_now_us() + real_ms * (uint64_t)1000;
    while (notify_pending() > 0 && platform_now_us() < until_us)
        platform_wait(CONDITION_CALLS, until_us);
    bool is_idle = notify_pending() == 0;
    world_leave();
    return is_idle;
}
