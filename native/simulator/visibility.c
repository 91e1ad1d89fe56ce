/* WFDUpdateDeviceVisibility of wlanapi.dll. */
#include "world.h"

#define VISIBLE_UNCHANGED 3u

static void set_visible(uint32_t slot, uint32_t visible)
{
    struct device *device = device_at(slot);
    if (visible == VISIBLE_UNCHANGED || !device->is_paired)
        return;
    device->state.is_visible = visible == SIM_DEFAULT ? device->state.is_in_range : (uint8_t)visible;
    query_on_device_change(slot);
}

static void on_discovery_end(const struct event *event)
{
    if (!call_is_blocked(event->generation))
        return;
    set_visible((uint32_t)event->subject, event->argument);
    call_finish(event->generation, ERROR_SUCCESS);
}

static DWORD update_visibility(const uint8_t *address)
{
    DWORD code = script_call(SIM_FUNCTION_WFD_UPDATE_DEVICE_VISIBILITY);
    if (code == ERROR_SUCCESS && world.is_stopped)
        code = world.stop.call_code;
    if (code != ERROR_SUCCESS)
        return code;
    if (world.limits.memory_exhausted)
        return ERROR_NOT_ENOUGH_MEMORY;
    uint32_t slot = device_find(address);
    if (slot == NO_SLOT)
        return ERROR_NOT_FOUND;
    SimVisibilityScript script = script_visibility(address);
    uint32_t visible = script.code == ERROR_SUCCESS ? script.visible : VISIBLE_UNCHANGED;
    struct call call;
    call_begin(&call, SIM_FUNCTION_WFD_UPDATE_DEVICE_VISIBILITY, true);
    timeline_schedule(
        script.delay_ms,
        (struct event){.run = on_discovery_end, .subject = slot, .generation = call.id, .argument = visible});
    code = call_wait(&call);
    if (code != ERROR_SUCCESS)
        return code;
    if (call.released)
        set_visible(slot, visible);
    return script.code;
}

DWORD WINAPI WFDUpdateDeviceVisibility(DOT11_MAC_ADDRESS *pDeviceAddress)
{
    if (pDeviceAddress == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    DWORD code = update_visibility(*pDeviceAddress);
    world_leave();
    return code;
}
