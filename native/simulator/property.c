/*
 * Device nodes as objects with properties. The Wi-Fi Direct properties are on DevObjectTypeDevice,
 * where the SDK header documents them, unless SimSetNodes moves them. DevObjectTypeDeviceInterface
 * also has the properties of the device interface.
 */
#include "query.h"

#include <stdio.h>
#include <string.h>

#define FMTID_WIFI_DIRECT                                                                                              \
    {                                                                                                                  \
        0x1506935D, 0xE3E7, 0x450F,                                                                                    \
        {                                                                                                              \
            0x86, 0x37, 0x82, 0x23, 0x3E, 0xBE, 0x5F, 0x6E                                                             \
        }                                                                                                              \
    }
#define FMTID_NAME                                                                                                     \
    {                                                                                                                  \
        0xB725F130, 0x47EF, 0x101A,                                                                                    \
        {                                                                                                              \
            0xA5, 0xF1, 0x02, 0x60, 0x8C, 0x9E, 0xEB, 0xAC                                                             \
        }                                                                                                              \
    }
#define FMTID_DEVICE                                                                                                   \
    {                                                                                                                  \
        0x78C34FC8, 0x104A, 0x4ACA,                                                                                    \
        {                                                                                                              \
            0x9E, 0xA4, 0x52, 0x4D, 0x52, 0x99, 0x6E, 0x57                                                             \
        }                                                                                                              \
    }
#define FMTID_PRESENCE                                                                                                 \
    {                                                                                                                  \
        0x540B947E, 0x8B40, 0x45BC,                                                                                    \
        {                                                                                                              \
            0xA8, 0xA2, 0x6A, 0x0B, 0x89, 0x4C, 0xBD, 0xA2                                                             \
        }                                                                                                              \
    }
#define FMTID_INTERFACE                                                                                                \
    {                                                                                                                  \
        0x026E516E, 0xB814, 0x414B,                                                                                    \
        {                                                                                                              \
            0x83, 0xCD, 0x85, 0x6D, 0x6F, 0xEF, 0x48, 0x22                                                             \
        }                                                                                                              \
    }

static const DEVPROPKEY key_address = {FMTID_WIFI_DIRECT, 1}, key_address_copy = {FMTID_WIFI_DIRECT, 0x0D};
static const GUID class_wifi_direct = {0x439B20AF, 0x8955, 0x405B, {0x99, 0xF0, 0xA6, 0x2A, 0xF0, 0xC6, 0x8D, 0x43}};

enum source {
    SOURCE_ADDRESS,
    SOURCE_INTERFACE_ADDRESS,
    SOURCE_INTERFACE_GUID,
    SOURCE_GROUP_ID,
    SOURCE_CONNECTED,
    SOURCE_VISIBLE,
    SOURCE_LEGACY,
    SOURCE_TRANSIENT,
    SOURCE_QUALITY,
    SOURCE_NAME,
    SOURCE_INSTANCE_ID,
    SOURCE_PRESENT,
    SOURCE_ENABLED,
    SOURCE_CLASS
};

static const struct known {
    DEVPROPKEY key;
    enum source source;
    bool of_device, of_interface;
    bool is_wifi_direct; /* moved by SimSetNodes */
} known_properties[] = {
    {{FMTID_WIFI_DIRECT, 1}, SOURCE_ADDRESS, true, false, true},
    {{FMTID_WIFI_DIRECT, 2}, SOURCE_INTERFACE_ADDRESS, true, true, true},
    {{FMTID_WIFI_DIRECT, 3}, SOURCE_INTERFACE_GUID, true, true, true},
    {{FMTID_WIFI_DIRECT, 4}, SOURCE_GROUP_ID, true, true, true},
    {{FMTID_WIFI_DIRECT, 5}, SOURCE_CONNECTED, true, true, true},
    {{FMTID_WIFI_DIRECT, 6}, SOURCE_VISIBLE, true, true, true},
    {{FMTID_WIFI_DIRECT, 7}, SOURCE_LEGACY, true, true, true},
    {{FMTID_WIFI_DIRECT, 0x0D}, SOURCE_ADDRESS, true, true, true}, /* DeviceAddressCopy */
    {{FMTID_WIFI_DIRECT, 0x1B}, SOURCE_TRANSIENT, true, true, true},
    {{FMTID_WIFI_DIRECT, 0x1C}, SOURCE_QUALITY, true, true, true},
    {{FMTID_NAME, 10}, SOURCE_NAME, true, true, false},
    {{FMTID_DEVICE, 256}, SOURCE_INSTANCE_ID, true, true, false},
    {{FMTID_PRESENCE, 5}, SOURCE_PRESENT, true, false, false},
    {{FMTID_INTERFACE, 3}, SOURCE_ENABLED, false, true, false},
    {{FMTID_INTERFACE, 4}, SOURCE_CLASS, false, true, false},
};

bool property_key_equals(const DEVPROPKEY *a, const DEVPROPKEY *b)
{
    return a->pid == b->pid && memcmp(&a->fmtid, &b->fmtid, sizeof a->fmtid) == 0;
}

static void set(DEVPROPERTY *property, DEVPROPTYPE type, void *buffer, size_t size)
{
    property->Type = type;
    property->Buffer = buffer;
    property->BufferSize = (ULONG)size;
}

/* flag: as in SimDevice, 0 false, 1 true, 2 empty. */
static void set_flag(DEVPROPERTY *property, DEVPROP_BOOLEAN *value, uint8_t flag)
{
    *value = flag == 1 ? DEVPROP_TRUE : DEVPROP_FALSE;
    if (flag != 2)
        set(property, DEVPROP_TYPE_BOOLEAN, value, sizeof *value);
}

static void set_string(DEVPROPERTY *property, WCHAR *text)
{
    size_t length = 0;
    while (text[length] != 0)
        length++;
    set(property, DEVPROP_TYPE_STRING, text, (length + 1) * sizeof *text);
}

static void set_id(uint32_t object_type, const struct device *device, const char *suffix, WCHAR id[OBJECT_ID_MAX])
{
    const uint8_t *address = device->state.device_address;
    char mac[18], text[OBJECT_ID_MAX];
    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", address[0], address[1], address[2], address[3],
             address[4], address[5]);
    if (object_type == DevObjectTypeDeviceInterface)
        snprintf(text, sizeof text, "\\\\?\\SWD#WiFiDirect#%s%s#{439b20af-8955-405b-99f0-a62af0c68d43}", mac, suffix);
    else
        snprintf(text, sizeof text, "SWD\\WiFiDirect\\%s%s", mac, suffix);
    text_from_utf8(id, OBJECT_ID_MAX, text);
}

static void read_source(DEVPROPERTY *property, enum source source, const struct device *device, const struct node *node,
                        struct object_values *values)
{
    const SimDevice *state = &device->state;
    uint8_t is_connected = node->is_connected == SIM_AS_DEVICE ? state->is_connected : node->is_connected;
    bool is_linked = is_connected == 1 && device->interface != NO_SLOT;
    switch (source) {
    case SOURCE_ADDRESS:
        memcpy(values->device_address, state->device_address, 6);
        set(property, DEVPROP_TYPE_BINARY, values->device_address, 6);
        break;
    case SOURCE_INTERFACE_ADDRESS:
        memcpy(values->interface_address, state->interface_address, 6);
        if (is_linked)
            set(property, DEVPROP_TYPE_BINARY, values->interface_address, 6);
        break;
    case SOURCE_INTERFACE_GUID:
        if (is_linked) {
            values->interface_guid = interface_at(device->interface)->guid;
            set(property, DEVPROP_TYPE_GUID, &values->interface_guid, sizeof(GUID));
        }
        break;
    case SOURCE_GROUP_ID:
        memcpy(values->group_id.Data4 + 2, state->device_address, 6);
        set(property, DEVPROP_TYPE_GUID, &values->group_id, sizeof(GUID));
        break;
    case SOURCE_CONNECTED:
        set_flag(property, &values->is_connected, is_connected);
        break;
    case SOURCE_VISIBLE:
        set_flag(property, &values->is_visible,
                 node->is_visible == SIM_AS_DEVICE ? state->is_visible : node->is_visible);
        break;
    case SOURCE_LEGACY:
        set_flag(property, &values->is_legacy, state->is_legacy);
        break;
    case SOURCE_TRANSIENT:
        set_flag(property, &values->is_transient, state->is_transient);
        break;
    case SOURCE_QUALITY:
        values->link_quality = state->link_quality;
        set(property, DEVPROP_TYPE_UINT32, &values->link_quality, sizeof values->link_quality);
        break;
    case SOURCE_NAME:
        text_from_utf8(values->name, SIM_ARRAY_LENGTH(values->name), state->name);
        set_string(property, values->name);
        break;
    case SOURCE_INSTANCE_ID:
        set_id(DevObjectTypeDevice, device, node->suffix, values->instance_id);
        set_string(property, values->instance_id);
        break;
    case SOURCE_PRESENT:
        set_flag(property, &values->is_present, state->is_absent == 2 ? 2 : !state->is_absent);
        break;
    case SOURCE_ENABLED:
        set_flag(property, &values->is_enabled, !state->is_absent);
        break;
    case SOURCE_CLASS:
        values->class_guid = class_wifi_direct;
        set(property, DEVPROP_TYPE_GUID, &values->class_guid, sizeof(GUID));
        break;
    }
}

/* Fills in the property with this key. It is EMPTY if the object does not have it. */
static void read_property(DEVPROPERTY *property, const DEVPROPCOMPKEY *key, uint32_t object_type,
                          const struct device *device, const struct node *node, struct object_values *values)
{
    *property = (DEVPROPERTY){.CompKey = {.Key = key->Key, .Store = key->Store}};
    for (size_t i = 0; i < SIM_ARRAY_LENGTH(known_properties); i++) {
        const struct known *known = &known_properties[i];
        bool is_device = object_type == DevObjectTypeDevice;
        uint32_t moved = is_device ? SIM_NODES_ON_DEVICES : SIM_NODES_ON_INTERFACES;
        bool has = (is_device ? known->of_device : known->of_interface) &&
                   (!known->is_wifi_direct || (world.nodes_on & moved) != 0);
        if (has && key->Store == 0 && property_key_equals(&known->key, &key->Key))
            read_source(property, known->source, device, node, values);
    }
}

static bool satisfies(const DEVPROP_FILTER_EXPRESSION *filter, const DEVPROPERTY *property)
{
    const DEVPROPERTY *wanted = &filter->Property;
    bool is_true = property->Type != DEVPROP_TYPE_EMPTY;
    if ((filter->Operator & ~(uint32_t)DEVPROP_OPERATOR_MODIFIER_NOT) == DEVPROP_OPERATOR_EQUALS)
        is_true = property->Type == wanted->Type && property->BufferSize == wanted->BufferSize &&
                  (wanted->BufferSize == 0 || memcmp(property->Buffer, wanted->Buffer, wanted->BufferSize) == 0);
    return is_true != ((filter->Operator & DEVPROP_OPERATOR_MODIFIER_NOT) != 0);
}

void property_set_id(uint32_t object_type, uint32_t object_slot, const char *suffix, struct object_values *values)
{
    set_id(object_type, device_at(object_slot / SIM_NODES_MAX), suffix, values->id);
}

const char *property_suffix(uint32_t object_slot)
{
    return device_at(object_slot / SIM_NODES_MAX)->nodes[object_slot % SIM_NODES_MAX].suffix;
}

static void range_of_address(const uint8_t address[6], uint32_t *first, uint32_t *end)
{
    uint32_t slot = device_find(address);
    *first = slot == NO_SLOT ? 0 : slot * SIM_NODES_MAX;
    *end = slot == NO_SLOT ? 0 : *first + SIM_NODES_MAX;
}

void property_range(const struct request *request, uint32_t *first, uint32_t *end)
{
    *first = 0;
    *end = object_count();
    for (uint32_t i = 0; i < request->filter_count; i++) {
        const DEVPROPERTY *property = &request->filters[i].Property;
        if (request->filters[i].Operator == DEVPROP_OPERATOR_EQUALS && property->BufferSize == 6 &&
            (property_key_equals(&property->CompKey.Key, &key_address) ||
             property_key_equals(&property->CompKey.Key, &key_address_copy)))
            range_of_address(property->Buffer, first, end);
    }
}

static int hex_digit(WCHAR unit)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = unit != 0 && unit < 0x80 ? strchr(digits, (char)unit) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

void property_range_of_id(const WCHAR *id, uint32_t *first, uint32_t *end)
{
    uint8_t address[6];
    *first = *end = 0;
    /* The address begins after the last \ or # before the first colon. */
    const WCHAR *at = id;
    for (const WCHAR *unit = id; *unit != 0 && *unit != ':'; unit++)
        at = *unit == '\\' || *unit == '#' ? unit + 1 : at;
    for (size_t i = 0; i < sizeof address; i++, at += 3) {
        int high = hex_digit(at[0]), low = high < 0 ? -1 : hex_digit(at[1]);
        if (low < 0 || (i + 1 < sizeof address && at[2] != ':'))
            return;
        address[i] = (uint8_t)(high << 4 | low);
    }
    range_of_address(address, first, end);
}

uint32_t object_count(void)
{
    return device_count() * SIM_NODES_MAX;
}

uint32_t property_count(const struct request *request)
{
    return request->flags & DevQueryFlagAllProperties ? (uint32_t)SIM_ARRAY_LENGTH(known_properties)
                                                      : request->key_count;
}

bool property_object(const struct request *request, uint32_t object_slot, DEV_OBJECT *object, DEVPROPERTY *properties,
                     struct object_values *values)
{
    const struct device *device = device_at(object_slot / SIM_NODES_MAX);
    const struct node *node = &device->nodes[object_slot % SIM_NODES_MAX];
    uint32_t type = request->object_type, count = 0;
    if (!device->is_paired || !node->exists || (type != DevObjectTypeDevice && type != DevObjectTypeDeviceInterface))
        return false;
    for (uint32_t i = 0; i < request->filter_count; i++) {
        DEVPROPERTY property;
        read_property(&property, &request->filters[i].Property.CompKey, type, device, node, values);
        if (!satisfies(&request->filters[i], &property))
            return false;
    }
    if (request->flags & DevQueryFlagAllProperties) {
        for (size_t i = 0; i < SIM_ARRAY_LENGTH(known_properties); i++) {
            read_property(&properties[count], &(DEVPROPCOMPKEY){.Key = known_properties[i].key}, type, device, node,
                          values);
            count += properties[count].Type != DEVPROP_TYPE_EMPTY;
        }
    } else {
        for (; count < request->key_count; count++)
            read_property(&properties[count], &request->keys[count], type, device, node, values);
    }
    set_id(type, device, node->suffix, values->id);
    *object = (DEV_OBJECT){type, values->id, count, count > 0 ? properties : NULL};
    return true;
}
