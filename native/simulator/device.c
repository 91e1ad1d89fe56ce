/* The paired devices and their device nodes. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

/* By slot, in the order of their first pairing. A removed device keeps its slot, so that its
 * interface keeps its GUID. */
static struct device **devices;
static uint32_t count, capacity;
static struct map by_address;
static struct chain known; /* those whose addresses are known */

struct device *device_at(uint32_t slot)
{
    return devices[slot];
}

uint32_t device_count(void)
{
    return count;
}

static uint64_t key_of(const uint8_t address[6])
{
    uint64_t key = 0;
    memcpy(&key, address, 6);
    return key;
}

uint32_t device_find(const uint8_t address[6])
{
    const struct device *device = map_get(&by_address, key_of(address));
    return device != NULL && device->is_paired ? device->slot : NO_SLOT;
}

/* Returns the device with this address, or creates it. NULL if memory is exhausted. */
static struct device *find_or_create(const uint8_t address[6])
{
    struct device *device = map_get(&by_address, key_of(address));
    if (device != NULL)
        return device;
    if (count == capacity) {
        uint32_t more = capacity == 0 ? 32 : capacity * 2;
        struct device **grown = realloc(devices, more * sizeof *devices);
        if (grown == NULL)
            return NULL;
        devices = grown;
        capacity = more;
    }
    device = calloc(1, sizeof *device);
    if (device == NULL || !map_set(&by_address, key_of(address), device)) {
        free(device);
        return NULL;
    }
    device->slot = count;
    device->interface = device->own_interface = NO_SLOT;
    devices[count++] = device;
    return device;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    return size == 0;
}

void device_set(uint32_t slot, const SimDevice *state)
{
    struct device *device = devices[slot];
    uint8_t is_connected = device->state.is_connected;
    SimDevice *filled = &device->state;
    *filled = *state;
    filled->is_connected = is_connected;
    if (is_zero(filled->interface_address, 6)) {
        memcpy(filled->interface_address, filled->device_address, 6);
        filled->interface_address[5] ^= 0x80;
    }
    bool is_grouped = filled->interface_group[0] != 0;
    if (is_zero(filled->local_address, 4)) {
        const uint8_t grouped[4] = {192, 168, 137, 1}, alone[4] = {192, 168, (uint8_t)(100 + slot % 150), 2};
        memcpy(filled->local_address, is_grouped ? grouped : alone, 4);
    }
    if (is_zero(filled->peer_address, 4)) {
        const uint8_t grouped[4] = {192, 168, 137, (uint8_t)(2 + slot % 250)};
        const uint8_t alone[4] = {192, 168, (uint8_t)(100 + slot % 150), 1};
        memcpy(filled->peer_address, is_grouped ? grouped : alone, 4);
    }
}

uint32_t device_pair(const SimDevice *state)
{
    struct device *device = find_or_create(state->device_address);
    if (device == NULL)
        return NO_SLOT;
    device->is_paired = true;
    device->state.is_connected = 2;
    device->node_generation = 0;
    for (uint32_t i = 0; i < SIM_NODES_MAX; i++)
        device->nodes[i].exists = false;
    device->nodes[0] = (struct node){true, SIM_AS_DEVICE, SIM_AS_DEVICE, ""};
    device_set(device->slot, state);
    query_on_device_change(device->slot);
    return device->slot;
}

void device_unpair(uint32_t slot)
{
    static const SimLinkEnd at_once = {.interface_effect = SIM_INTERFACE_GONE};
    link_end(slot, &at_once);
    devices[slot]->is_paired = false;
    query_on_device_change(slot);
}

void device_set_peer_known(uint32_t slot, bool is_known)
{
    struct device *device = devices[slot];
    if (device->is_peer_known == is_known)
        return;
    device->is_peer_known = is_known;
    if (is_known)
        chain_append(&known, &device->item);
    else
        chain_remove(&known, &device->item);
}

const struct chain *devices_known(void)
{
    return &known;
}

void device_on_disconnect(uint32_t slot)
{
    if (devices[slot]->is_paired && devices[slot]->state.is_transient)
        device_unpair(slot);
}

static struct node *find_node(uint32_t slot, const char *suffix)
{
    for (uint32_t i = 0; i < SIM_NODES_MAX; i++) {
        struct node *node = &devices[slot]->nodes[i];
        if (node->exists && strcmp(node->suffix, suffix) == 0)
            return node;
    }
    return NULL;
}

/* A place for a new node: the one that a node with this suffix had before, or any other. */
static struct node *find_free_place(uint32_t slot, const char *suffix)
{
    struct node *free_place = NULL;
    for (uint32_t i = 0; i < SIM_NODES_MAX; i++) {
        struct node *node = &devices[slot]->nodes[i];
        if (!node->exists && (free_place == NULL || strcmp(node->suffix, suffix) == 0))
            free_place = node;
    }
    return free_place;
}

static uint32_t set_node(const SimNode *wanted)
{
    uint32_t slot = device_find(wanted->device_address);
    if (slot == NO_SLOT)
        return ERROR_NOT_FOUND;
    struct node *node = find_node(slot, wanted->suffix);
    if (node == NULL)
        node = find_free_place(slot, wanted->suffix);
    if (node == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    *node = (struct node){true, wanted->is_connected, wanted->is_visible, ""};
    memcpy(node->suffix, wanted->suffix, sizeof node->suffix);
    query_on_node_change(slot, (uint32_t)(node - devices[slot]->nodes));
    return ERROR_SUCCESS;
}

SIM_EXPORT uint32_t SimSetNode(const SimNode *node)
{
    if (node == NULL || node->is_connected > SIM_AS_DEVICE || node->is_visible > SIM_AS_DEVICE ||
        memchr(node->suffix, 0, sizeof node->suffix) == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    uint32_t code = set_node(node);
    world_leave();
    return code;
}

SIM_EXPORT uint32_t SimRemoveNode(const uint8_t device_address[6], const char *suffix)
{
    if (device_address == NULL || suffix == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    uint32_t slot = device_find(device_address);
    struct node *node = slot != NO_SLOT ? find_node(slot, suffix) : NULL;
    if (node != NULL) {
        node->exists = false;
        query_on_node_change(slot, (uint32_t)(node - devices[slot]->nodes));
    }
    world_leave();
    return node != NULL ? ERROR_SUCCESS : ERROR_NOT_FOUND;
}

SIM_EXPORT uint32_t SimSetNodes(uint32_t mask)
{
    if (mask > (SIM_NODES_ON_DEVICES | SIM_NODES_ON_INTERFACES))
        return ERROR_INVALID_PARAMETER;
    world_enter();
    world.nodes_on = mask;
    for (uint32_t slot = 0; slot < count; slot++)
        query_on_device_change(slot);
    world_leave();
    return ERROR_SUCCESS;
}

void device_reset(void)
{
    static const struct {
        const char *name, *group;
        uint8_t is_legacy, is_in_range, is_visible, link_quality;
    } defaults[] = {
        {"Meeting Room Display", "", 0, 1, 1, 92},
        {"Warehouse Scanner", "", 0, 1, 1, 74},
        {"Label Printer", "", 1, 1, 2, 61},
        {"Delivery Robot", "", 0, 0, 0, 0},
        {"Forklift Terminal 1", "forklifts", 0, 1, 1, 58},
        {"Forklift Terminal 2", "forklifts", 0, 1, 1, 47},
    };
    for (uint32_t slot = 0; slot < count; slot++) {
        if (devices[slot]->is_paired)
            device_unpair(slot);
    }
    for (uint8_t i = 0; i < SIM_ARRAY_LENGTH(defaults); i++) {
        SimDevice state = {.device_address = {0x02, 0x11, 0x22, 0x33, 0x44, (uint8_t)(i + 1)},
                           .is_legacy = defaults[i].is_legacy,
                           .is_in_range = defaults[i].is_in_range,
                           .is_visible = defaults[i].is_visible,
                           .link_quality = defaults[i].link_quality,
                           .address_ms = SIM_DEFAULT};
        memcpy(state.name, defaults[i].name, strlen(defaults[i].name));
        memcpy(state.interface_group, defaults[i].group, strlen(defaults[i].group));
        device_pair(&state);
    }
}
