/*
 * Device nodes as objects with properties. The Wi-Fi Direct properties are on DevObjectTypeDevice only, where the SDK
 * header documents them; DevObjectTypeDeviceInterface has the interface's own.
 */
#include "query.h"

#include <stdio.h>
#include <string.h>

#define FMTID_WIFI_DIRECT {0x1506935D, 0xE3E7, 0x450F, {0x86, 0x37, 0x82, 0x23, 0x3E, 0xBE, 0x5F, 0x6E}}
#define FMTID_NAME {0xB725F130, 0x47EF, 0x101A, {0xA5, 0xF1, 0x02, 0x60, 0x8C, 0x9E, 0xEB, 0xAC}}
#define FMTID_DEVICE {0x78C34FC8, 0x104A, 0x4ACA, {0x9E, 0xA4, 0x52, 0x4D, 0x52, 0x99, 0x6E, 0x57}}
#define FMTID_INTERFACE {0x026E516E, 0xB814, 0x414B, {0x83, 0xCD, 0x85, 0x6D, 0x6F, 0xEF, 0x48, 0x22}}

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
    SOURCE_ENABLED,
    SOURCE_CLASS
};

static const struct known {
    DEVPROPKEY key;
    enum source source;
    bool of_device, of_interface;
} known_properties[] = {
    {{FMTID_WIFI_DIRECT, 1}, SOURCE_ADDRESS, true, false},
    {{FMTID_WIFI_DIRECT, 2}, SOURCE_INTERFACE_ADDRESS, true, false},
    {{FMTID_WIFI_DIRECT, 3}, SOURCE_INTERFACE_GUID, true, false},
    {{FMTID_WIFI_DIRECT, 4}, SOURCE_GROUP_ID, true, false},
    {{FMTID_WIFI_DIRECT, 5}, SOURCE_CONNECTED, true, false},
    {{FMTID_WIFI_DIRECT, 6}, SOURCE_VISIBLE, true, false},
    {{FMTID_WIFI_DIRECT, 7}, SOURCE_LEGACY, true, false},
    {{FMTID_WIFI_DIRECT, 0x0D}, SOURCE_ADDRESS, true, false}, /* DeviceAddressCopy */
    {{FMTID_WIFI_DIRECT, 0x1B}, SOURCE_TRANSIENT, true, false},
    {{FMTID_WIFI_DIRECT, 0x1C}, SOURCE_QUALITY, true, false},
    {{FMTID_NAME, 10}, SOURCE_NAME, true, true},
    {{FMTID_DEVICE, 256}, SOURCE_INSTANCE_ID, true, true},
    {{FMTID_INTERFACE, 3}, SOURCE_ENABLED, false, true},
    {{FMTID_INTERFACE, 4}, SOURCE_CLASS, false, true},
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

/* A flag of SimDevice: 0 false, 1 true, 2 empty. */
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

static void read_source(DEVPROPERTY *property, enum source source, const struct device *device,
                        struct object_values *values)
{
    const SimDevice *state = &device->state;
    bool is_linked = state->is_connected == 1 && device->interface != NO_SLOT;
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
        set_flag(property, &values->is_connected, state->is_connected);
        break;
    case SOURCE_VISIBLE:
        set_flag(property, &values->is_visible, state->is_visible);
        break;
    case SOURCE_LEGACY:
        set_flag(property, &values->is_legacy, state->is_legacy);
        break;
    case SOURCE_TRANSIENT:
        set_flag(property, &values->is_transient, 0);
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
        set_string(property, values->instance_id);
        break;
    case SOURCE_ENABLED:
        set_flag(property, &values->is_enabled, 1);
        break;
    case SOURCE_CLASS:
        values->class_guid = class_wifi_direct;
        set(property, DEVPROP_TYPE_GUID, &values->class_guid, sizeof(GUID));
        break;
    }
}

/* The property that the object has by this key; EMPTY if it has none. */
static void read_property(DEVPROPERTY *property, const DEVPROPCOMPKEY *key, uint32_t object_type,
                          const struct device *device, struct object_values *values)
{
    *property = (DEVPROPERTY){.CompKey = {.Key = key->Key, .Store = key->Store}};
    for (size_t i = 0; i < SIM_ARRAY_LENGTH(known_properties); i++) {
        const struct known *known = &known_properties[i];
        bool has = object_type == DevObjectTypeDevice ? known->of_device : known->of_interface;
        if (has && key->Store == 0 && property_key_equals(&known->key, &key->Key))
            read_source(property, known->source, device, values);
    }
}

static bool satisfies(const DEVPROP_FILTER_EXPRESSION *filter, const DEVPROPERTY *property)
{
    const DEVPROPERTY *wanted = &filter->Property;
    bool is_true = property->Type != DEVPROP_TYPE_EMPTY;
    if ((filter->Operator & ~(uint32_t)DEVPROP_OPERATOR_MODIFIER_NOT) == DEVPROP_OPERATOR_EQUALS)
        is_true = is_true && property->Type == wanted->Type && property->BufferSize == wanted->BufferSize &&
                  memcmp(property->Buffer, wanted->Buffer, wanted->BufferSize) == 0;
    return is_true != ((filter->Operator & DEVPROP_OPERATOR_MODIFIER_NOT) != 0);
}

static void set_ids(const struct request *request, const struct device *device, struct object_values *values)
{
    const uint8_t *address = device->state.device_address;
    char mac[18], text[OBJECT_ID_MAX];
    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", address[0], address[1], address[2], address[3],
             address[4], address[5]);
    snprintf(text, sizeof text, "SWD\\WiFiDirect\\%s", mac);
    text_from_utf8(values->instance_id, OBJECT_ID_MAX, text);
    if (request->object_type == DevObjectTypeDeviceInterface)
        snprintf(text, sizeof text, "\\\\?\\SWD#WiFiDirect#%s#{439b20af-8955-405b-99f0-a62af0c68d43}", mac);
    text_from_utf8(values->id, OBJECT_ID_MAX, text);
}

uint32_t property_count(const struct request *request)
{
    return request->flags & DevQueryFlagAllProperties ? (uint32_t)SIM_ARRAY_LENGTH(known_properties)
                                                      : request->key_count;
}

bool property_object(const struct request *request, uint32_t slot, DEV_OBJECT *object, DEVPROPERTY *properties,
                     struct object_values *values)
{
    const struct device *device = device_at(slot);
    uint32_t type = request->object_type, count = 0;
    set_ids(request, device, values);
    if (!device->is_paired || (type != DevObjectTypeDevice && type != DevObjectTypeDeviceInterface))
        return false;
    for (uint32_t i = 0; i < request->filter_count; i++) {
        DEVPROPERTY property;
        read_property(&property, &request->filters[i].Property.CompKey, type, device, values);
        if (!satisfies(&request->filters[i], &property))
            return false;
    }
    if (request->flags & DevQueryFlagAllProperties) {
        for (size_t i = 0; i < SIM_ARRAY_LENGTH(known_properties); i++) {
            read_property(&properties[count], &(DEVPROPCOMPKEY){.Key = known_properties[i].key}, type, device, values);
            count += properties[count].Type != DEVPROP_TYPE_EMPTY;
        }
    } else {
        for (; count < request->key_count; count++)
            read_property(&properties[count], &request->keys[count], type, device, values);
    }
    *object = (DEV_OBJECT){type, values->id, count, count > 0 ? properties : NULL};
    return true;
}
