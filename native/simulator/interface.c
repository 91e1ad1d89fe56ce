/* The network interfaces: their state, their addresses, and when they change. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

/* GUIDs and LUIDs contain the slot plus these. */
#define GUID_BASE 0x5F1D0000u
#define LUID_BASE 0x8000u

/* By slot: first that of the host itself, then one for each device or group that ever had a link.
 * They are never removed, so that each keeps its GUID and LUID. */
static struct interface **interfaces;
static uint32_t count, capacity;
static struct chain present;
static struct map present_by_index;
/* An interface gets a new index whenever it appears: an index "should not be considered
 * persistent". */
static uint32_t next_index = 12;

struct interface *interface_at(uint32_t slot)
{
    return interfaces[slot];
}

const struct chain *interfaces_present(void)
{
    return &present;
}

static void set_present(struct interface *interface, bool is_present)
{
    if (interface->is_present == is_present)
        return;
    interface->is_present = is_present;
    if (!is_present) {
        chain_remove(&present, &interface->item);
        map_remove(&present_by_index, interface->index);
        return;
    }
    chain_append(&present, &interface->item);
    if (!map_set(&present_by_index, interface->index, interface))
        abort(); /* as in add() */
}

const struct interface *interface_by_guid(const GUID *guid)
{
    uint32_t slot = guid->Data1 - GUID_BASE;
    bool is_known = slot < count && memcmp(&interfaces[slot]->guid, guid, sizeof *guid) == 0;
    return is_known && interfaces[slot]->is_present ? interfaces[slot] : NULL;
}

const struct interface *interface_by_luid(uint64_t luid)
{
    uint32_t slot = (uint32_t)(luid >> 24 & 0xFFFFFF) - LUID_BASE;
    bool is_known = slot < count && interfaces[slot]->luid == luid;
    return is_known && interfaces[slot]->is_present ? interfaces[slot] : NULL;
}

const struct interface *interface_by_index(uint32_t index)
{
    return map_get(&present_by_index, index);
}

/* Returns the slot. */
static uint32_t add(uint32_t type)
{
    if (count == capacity) {
        capacity = capacity == 0 ? 32 : capacity * 2;
        interfaces = realloc(interfaces, capacity * sizeof *interfaces);
    }
    struct interface *interface = calloc(1, sizeof *interface);
    if (interfaces == NULL || interface == NULL)
        abort(); /* without these few hundred bytes, nothing else would work either */
    interfaces[count] = interface;
    interface->guid = (GUID){GUID_BASE + count, 0x77D1, 0x4C52, {0x9B, 0x1E, 0x02, 0x00, 0x4C, 0x4F, 0x4F, 0x50}};
    interface->luid = (uint64_t)type << 48 | (uint64_t)(LUID_BASE + count) << 24;
    interface->type = type;
    memcpy(interface->mac, (const uint8_t[6]){0x06, 0x57, 0x46, 0x44, (uint8_t)(count >> 8), (uint8_t)count}, 6);
    return count++;
}

/* The interface that the devices of one group share. */
struct group {
    struct group *next; /* with the same hash */
    char name[sizeof(((SimDevice *)NULL)->interface_group)];
    uint32_t interface;
};
static struct map groups; /* by the hash of their name */

static uint64_t hash_of(const char *name)
{
    uint64_t hash = 14695981039346656037u;
    for (; *name != 0; name++)
        hash = (hash ^ (uint8_t)*name) * 1099511628211u;
    return hash;
}

static uint32_t interface_for_group(const char *name)
{
    struct group *first = map_get(&groups, hash_of(name));
    for (struct group *group = first; group != NULL; group = group->next) {
        if (strcmp(group->name, name) == 0)
            return group->interface;
    }
    struct group *group = calloc(1, sizeof *group);
    if (group == NULL || !map_set(&groups, hash_of(name), group))
        abort(); /* as in add() */
    memcpy(group->name, name, strlen(name));
    group->interface = add(IF_TYPE_IEEE80211);
    group->next = first;
    return group->interface;
}

uint32_t interface_for_device(uint32_t device_slot)
{
    struct device *device = device_at(device_slot);
    const char *group = device->state.interface_group;
    if (group[0] != 0)
        return interface_for_group(group);
    if (device->own_interface == NO_SLOT)
        device->own_interface = add(IF_TYPE_IEEE80211);
    return device->own_interface;
}

void interface_link_local(const uint8_t mac[6], uint8_t address[16])
{
    const uint8_t derived[16] = {0xFE,       0x80,   0,      0,    0,    0,      0,      0,
                                 mac[0] ^ 2, mac[1], mac[2], 0xFF, 0xFE, mac[3], mac[4], mac[5]};
    memcpy(address, derived, 16);
}

static void change_link_local(const struct interface *interface, uint32_t type)
{
    uint8_t address[16];
    interface_link_local(interface->mac, address);
    change_notify_address(interface, AF_INET6, address, type);
}

static void on_interface_up(const struct event *event)
{
    struct interface *interface = interfaces[event->subject];
    if (interface->generation != event->generation)
        return;
    interface->is_up = true;
    interface->has_media = true;
    change_notify_interface(interface, MibParameterNotification);
    change_link_local(interface, MibAddInstance);
}

void interface_attach(uint32_t slot, uint32_t up_ms)
{
    struct interface *interface = interfaces[slot];
    if (interface->links++ > 0)
        return;
    interface->generation = world_generation();
    if (!interface->is_present) {
        interface->index = next_index++;
        set_present(interface, true);
        change_notify_interface(interface, MibAddInstance);
    }
    if (!interface->is_up || !interface->has_media)
        timeline_schedule(up_ms,
                          (struct event){.run = on_interface_up, .subject = slot, .generation = interface->generation});
}

static void on_interface_down(const struct event *event)
{
    struct interface *interface = interfaces[event->subject];
    if (interface->generation != event->generation)
        return;
    if (interface->has_media)
        change_link_local(interface, MibDeleteInstance);
    interface_set_local((uint32_t)event->subject, NULL);
    interface->has_media = false;
    interface->is_up = event->argument == SIM_INTERFACE_DISCONNECTED;
    set_present(interface, event->argument != SIM_INTERFACE_GONE);
    change_notify_interface(interface, interface->is_present ? MibParameterNotification : MibDeleteInstance);
}

void interface_detach(uint32_t slot, uint32_t effect, uint32_t effect_ms)
{
    struct interface *interface = interfaces[slot];
    if (--interface->links > 0)
        return;
    interface->generation = world_generation();
    timeline_schedule(effect_ms, (struct event){.run = on_interface_down,
                                                .subject = slot,
                                                .generation = interface->generation,
                                                .argument = effect});
}

void interface_set_local(uint32_t slot, const uint8_t local[4])
{
    struct interface *interface = interfaces[slot];
    if (interface->has_local && local != NULL && memcmp(interface->local, local, 4) == 0)
        return;
    if (interface->has_local)
        change_notify_address(interface, AF_INET, interface->local, MibDeleteInstance);
    interface->has_local = local != NULL;
    if (local == NULL)
        return;
    memcpy(interface->local, local, 4);
    change_notify_address(interface, AF_INET, local, MibAddInstance);
}

void interface_reset(void)
{
    static const uint8_t ethernet_local[4] = {192, 168, 1, 23};
    if (count == 0) {
        add(IF_TYPE_ETHERNET_CSMACD);
        struct interface *ethernet = interfaces[0];
        ethernet->index = 7;
        ethernet->is_up = ethernet->has_media = true;
        set_present(ethernet, true);
        interface_set_local(0, ethernet_local);
    }
    for (uint32_t slot = 1; slot < count; slot++) {
        struct interface *interface = interfaces[slot];
        if (interface->is_present && interface->links == 0) {
            interface->generation = world_generation();
            on_interface_down(
                &(struct event){.subject = slot, .generation = interface->generation, .argument = SIM_INTERFACE_GONE});
        }
    }
}
