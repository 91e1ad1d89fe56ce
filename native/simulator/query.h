/*
 * Device nodes as objects with properties, and the queries on them.
 *
 * Invariant: a query keeps copies of its parameters, and a callback reports the device as it is at
 * that moment.
 */
#ifndef WFDSIM_QUERY_H
#define WFDSIM_QUERY_H

#include "world.h"

/* What a device query asks for: of which objects, which properties. */
struct request {
    uint32_t object_type, flags, key_count, filter_count;
    const DEVPROPCOMPKEY *keys;
    const DEVPROP_FILTER_EXPRESSION *filters;
};
#define OBJECT_ID_MAX 96
/* What the properties of one object point to. */
struct object_values {
    WCHAR id[OBJECT_ID_MAX], instance_id[OBJECT_ID_MAX], name[64];
    uint8_t device_address[6], interface_address[6];
    GUID interface_guid, group_id, class_guid;
    DEVPROP_BOOLEAN is_connected, is_visible, is_legacy, is_enabled, is_transient, is_present;
    uint32_t link_quality;
};
/* Room for the properties that the request yields. */
uint32_t property_count(const struct request *request);
/* Objects are numbered: that of a device's node is at the slot of the device times
 * SIM_NODES_MAX, plus the node. */
uint32_t object_count(void);
/* The objects that can match the request are from *first up to, but not including, *end. */
void property_range(const struct request *request, uint32_t *first, uint32_t *end);
/* The objects that can have this id, likewise. */
void property_range_of_id(const WCHAR *id, uint32_t *first, uint32_t *end);
/* Sets values->id, also if the object is gone. */
void property_set_id(uint32_t object_type, uint32_t object_slot, struct object_values *values);
/* Fills in the object. False if there is none, or the request does not match it. */
bool property_object(const struct request *request, uint32_t object_slot, DEV_OBJECT *object, DEVPROPERTY *properties,
                     struct object_values *values);
bool property_key_equals(const DEVPROPKEY *a, const DEVPROPKEY *b);

/* Takes a copy of the request; NULL where memory is exhausted. */
struct query *query_create(const struct request *request, PDEV_QUERY_RESULT_CALLBACK callback, PVOID context,
                           HDEVQUERY *handle);
void query_close(struct query *query);

#endif
