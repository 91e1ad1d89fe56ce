/* Links: what begins and ends with them, and when it becomes visible. */
#include "world.h"

#include <string.h>

static void on_node_change(const struct event *event)
{
    struct device *device = device_at((uint32_t)event->subject);
    if (device->node_generation != event->generation)
        return;
    device->state.is_connected = (uint8_t)event->argument;
    query_on_device_change((uint32_t)event->subject);
    if (event->argument == 0)
        device_on_disconnect((uint32_t)event->subject);
}

static void set_node(uint32_t slot, bool is_connected, uint32_t delay_ms)
{
    uint64_t generation = device_at(slot)->node_generation = world_generation();
    timeline_schedule(
        delay_ms,
        (struct event){.run = on_node_change, .subject = slot, .generation = generation, .argument = is_connected});
}

static void on_addresses_known(const struct event *event)
{
    struct device *device = device_at((uint32_t)event->subject);
    if (device->address_generation != event->generation)
        return;
    device_set_peer_known((uint32_t)event->subject, true);
    interface_set_local(device->interface, device->state.local_address);
}

static void set_addresses(uint32_t slot, uint32_t delay_ms)
{
    struct device *device = device_at(slot);
    uint32_t own_ms = device->state.address_ms;
    device_set_peer_known(slot, false);
    device->address_generation = world_generation();
    timeline_schedule(
        time_sum(delay_ms, own_ms == SIM_DEFAULT ? world.defaults.address_ms : own_ms),
        (struct event){.run = on_addresses_known, .subject = slot, .generation = device->address_generation});
}

static void on_link_drop(const struct event *event)
{
    static const SimLinkEnd at_once = {.interface_effect = SIM_INTERFACE_GONE};
    if (device_at((uint32_t)event->subject)->link == event->generation)
        link_end((uint32_t)event->subject, &at_once);
}

void link_begin(struct session *session, uint32_t slot)
{
    struct device *device = device_at(slot);
    if (device->links++ == 0) {
        device->link = world_generation();
        device->interface = interface_for_device(slot);
        interface_attach(device->interface, session->script.interface_ms);
        set_node(slot, true, session->script.node_ms);
        set_addresses(slot, session->script.interface_ms);
        timeline_schedule(session->script.drop_ms,
                          (struct event){.run = on_link_drop, .subject = slot, .generation = device->link});
    }
    session->link = device->link;
    session->guid = interface_at(device->interface)->guid;
}

void link_end(uint32_t slot, const SimLinkEnd *end)
{
    struct device *device = device_at(slot);
    if (device->link == 0)
        return;
    device->link = 0;
    device->links = 0;
    device_set_peer_known(slot, false);
    device->address_generation = 0;
    interface_detach(device->interface, end->interface_effect, end->interface_ms);
    set_node(slot, false, end->node_ms);
}

void link_release(const uint8_t address[6], uint64_t link, const SimLinkEnd *end)
{
    uint32_t slot = device_find(address);
    if (slot == NO_SLOT || device_at(slot)->link != link)
        return;
    if (device_at(slot)->links > 1)
        device_at(slot)->links--;
    else
        link_end(slot, end);
}

void link_renew_addresses(uint32_t slot)
{
    if (device_at(slot)->link == 0)
        return;
    interface_set_local(device_at(slot)->interface, NULL);
    set_addresses(slot, 0);
}

SIM_EXPORT uint32_t SimDropLink(const uint8_t device_address[6], const SimLinkEnd *end)
{
    if (device_address == NULL || end == NULL || end->interface_effect > SIM_INTERFACE_DISCONNECTED)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    uint32_t slot = device_find(device_address);
    bool is_linked = slot != NO_SLOT && device_at(slot)->link != 0;
    if (is_linked)
        link_end(slot, end);
    world_leave();
    return is_linked ? ERROR_SUCCESS : ERROR_NOT_FOUND;
}
