/*
 * Device nodes as objects with properties, and the queries on them.
 *
 * Invariant: a query uses only its own copies of the caller's parameters.
 */
#ifndef WFDSIM_QUERY_H
#define WFDSIM_QUERY_H

#include "world.h"

/* The objects and properties that a caller requests. */
struct request {
    uint32_t object_type, flags, key_count, filter_count;
    const DEVPROPCOMPKEY *keys;
    const DEVPROP_FILTER_EXPRESSION *filters;
};
#define OBJECT_ID_MAX 96
/* The values to which the properties of one object point. */
struct object_values {
    WCHAR id[OBJECT_ID_MAX], instance_id[OBJECT_ID_MAX], name[64];
    uint8_t device_address[6], interface_address[6];
    GUID interface_guid, group_id, class_guid;
    DEVPROP_BOOLEAN is_connected, is_visible, is_legacy, is_enabled, is_transient, is_present;
    uint32_t link_quality;
};
/* The most properties that the request returns for one object. */
uint32_t property_count(const struct request *request);
/* Each node of a device is an object. Its object slot is the slot of the device times
 * SIM_NODES_MAX, plus the index of the node. */
uint32_t object_count(void);
/* Sets the range of object slots that can match the request: from *first to *end - 1. */
void property_range(const struct request *request, uint32_t *first, uint32_t *end);
/* Sets the range of object slots that can have this id. */
void property_range_of_id(const WCHAR *id, uint32_t *first, uint32_t *end);
/* Sets values->id for a node that has, or had, this suffix. */
void property_set_id(uint32_t object_type, uint32_t object_slot, const char *suffix, struct object_values *values);
/* The suffix of the node. It stays after the node is gone, until the place has another node. */
const char *property_suffix(uint32_t object_slot);
/* Fills in the object. False if there is none, or the request does not match it. */
bool property_object(const struct request *request, uint32_t object_slot, DEV_OBJECT *object, DEVPROPERTY *properties,
                     struct object_values *values);
bool property_key_equals(const DEVPROPKEY *a, const DEVPROPKEY *b);

/* Copies the request. NULL if memory is exhausted. */
struct query *query_create(const struct request *request, PDEV_QUERY_RESULT_CALLBACK callback, PVOID context,
                           HDEVQUERY *handle);
void query_close(struct query *query);

#endif
