/*
 * Device queries. Each query keeps what it has reported about every object, and a queue of the
 * objects that may have changed since. A callback reports the object as it is at that moment.
 */
#include "query.h"

#include <stdlib.h>
#include <string.h>

struct report {
    bool is_in_set, is_queued;
    char suffix[sizeof(((struct node *)NULL)->suffix)]; /* of the node that was reported */
    uint64_t digest;                                    /* of its properties */
};

struct query {
    struct object object;
    struct query *next;
    struct request request;
    PDEV_QUERY_RESULT_CALLBACK callback;
    PVOID context;
    struct report *reports; /* by object slot */
    uint32_t report_count;
    uint32_t *queue; /* a ring of object slots, with room for report_count */
    uint32_t queue_first, queue_count;
    bool is_enumerated, is_closed;
    bool is_abort_due, is_aborted; /* will report the abort; has reported it */
    bool is_finished;              /* no callback follows */
    bool is_orphan;                /* closed while its callback runs; freed when that returns */
    uint64_t running_thread;       /* the thread inside the callback; 0: none */
    uint64_t close_call;           /* the DevCloseObjectQuery that waits for the callback */
};

/* The data of one callback, in one block. */
struct delivery {
    DEV_QUERY_RESULT_ACTION_DATA data;
    struct object_values values;
    DEVPROPERTY properties[];
};

static struct query *queries;

static void destroy(struct query *query)
{
    struct query **at = &queries;
    while (*at != query)
        at = &(*at)->next;
    *at = query->next;
    for (uint32_t i = 0; i < query->request.filter_count; i++)
        free(query->request.filters[i].Property.Buffer);
    free((void *)query->request.filters);
    free((void *)query->request.keys);
    free(query->reports);
    free(query->queue);
    free(query);
}

static bool copy_request(struct request *copy, const struct request *request)
{
    *copy = *request;
    DEVPROPCOMPKEY *keys = calloc(request->key_count + 1, sizeof *keys);
    DEVPROP_FILTER_EXPRESSION *filters = calloc(request->filter_count + 1, sizeof *filters);
    copy->keys = keys;
    copy->filters = filters;
    copy->filter_count = 0;
    if (keys == NULL || filters == NULL)
        return false;
    if (request->key_count > 0)
        memcpy(keys, request->keys, request->key_count * sizeof *keys);
    for (uint32_t i = 0; i < request->filter_count; i++) {
        filters[i] = request->filters[i];
        uint32_t size = filters[i].Property.BufferSize;
        filters[i].Property.Buffer = malloc(size + 1);
        copy->filter_count++;
        if (filters[i].Property.Buffer == NULL)
            return false;
        if (size > 0)
            memcpy(filters[i].Property.Buffer, request->filters[i].Property.Buffer, size);
    }
    return true;
}

/* Makes room for so many objects. */
static bool grow(struct query *query, uint32_t count)
{
    if (count <= query->report_count)
        return true;
    uint32_t capacity = count + count / 2 + 16;
    struct report *reports = calloc(capacity, sizeof *reports);
    uint32_t *queue = calloc(capacity, sizeof *queue);
    if (reports == NULL || queue == NULL) {
        free(reports);
        free(queue);
        return false;
    }
    if (query->report_count > 0)
        memcpy(reports, query->reports, query->report_count * sizeof *reports);
    for (uint32_t i = 0; i < query->queue_count; i++)
        queue[i] = query->queue[(query->queue_first + i) % query->report_count];
    free(query->reports);
    free(query->queue);
    query->reports = reports;
    query->queue = queue;
    query->report_count = capacity;
    query->queue_first = 0;
    return true;
}

static void enqueue(struct query *query, uint32_t slot)
{
    if (!grow(query, slot + 1) || query->reports[slot].is_queued)
        return;
    query->reports[slot].is_queued = true;
    query->queue[(query->queue_first + query->queue_count++) % query->report_count] = slot;
}

struct query *query_create(const struct request *request, PDEV_QUERY_RESULT_CALLBACK callback, PVOID context,
                           HDEVQUERY *handle)
{
    struct query *query = world.limits.memory_exhausted ? NULL : calloc(1, sizeof *query);
    if (query == NULL)
        return NULL;
    query->next = queries;
    queries = query;
    query->callback = callback;
    query->context = context;
    if (!copy_request(&query->request, request) || !handle_issue(&query->object, HANDLE_QUERY)) {
        destroy(query);
        return NULL;
    }
    for (uint32_t slot = 0; slot < object_count(); slot++)
        enqueue(query, slot);
    *handle = query->object.handle;
    notify_queries();
    return query;
}

void query_close(struct query *query)
{
    struct call call;
    query->is_closed = true;
    handle_retire(&query->object, END_CLOSED);
    if (query->request.flags & DevQueryFlagAsyncClose) {
        notify_queries();
        return;
    }
    query->is_finished = true;
    if (query->running_thread == platform_thread_id()) {
        misuse_count(SIM_MISUSE_CLOSE_IN_CALLBACK, SIM_FUNCTION_DEV_CLOSE_OBJECT_QUERY, query->object.handle);
    } else if (query->running_thread != 0) {
        call_begin(&call, SIM_FUNCTION_DEV_CLOSE_OBJECT_QUERY, false);
        query->close_call = call.id;
        call_wait(&call);
    }
    if (query->running_thread != 0)
        query->is_orphan = true;
    else
        destroy(query);
}

static void nodes_changed(uint32_t first, uint32_t count)
{
    bool is_any = false;
    if (!(world.notifications & SIM_NOTIFY_DEVICES))
        return;
    for (struct query *query = queries; query != NULL; query = query->next) {
        if (query->is_finished || query->is_aborted ||
            (query->is_enumerated && !(query->request.flags & DevQueryFlagUpdateResults)))
            continue;
        for (uint32_t i = 0; i < count; i++)
            enqueue(query, first + i);
        is_any = true;
    }
    if (is_any)
        notify_queries();
}

void query_on_device_change(uint32_t slot)
{
    nodes_changed(slot * SIM_NODES_MAX, SIM_NODES_MAX);
}

/* Queues only this node, so that queries report changes of several nodes in the order of the
 * changes. */
void query_on_node_change(uint32_t slot, uint32_t node)
{
    nodes_changed(slot * SIM_NODES_MAX + node, 1);
}

static bool has_work(const struct query *query)
{
    if (query->is_finished || query->running_thread != 0)
        return false;
    if (query->is_closed || query->is_abort_due)
        return true;
    return !query->is_aborted && (query->queue_count > 0 || !query->is_enumerated);
}

static uint64_t digest_of(const DEV_OBJECT *object)
{
    uint64_t digest = 14695981039346656037u;
    for (uint32_t i = 0; i < object->cPropertyCount; i++) {
        const DEVPROPERTY *property = &object->pProperties[i];
        const uint8_t *bytes = property->Buffer;
        digest = (digest ^ property->Type) * 1099511628211u;
        for (uint32_t j = 0; j < property->BufferSize; j++)
            digest = (digest ^ bytes[j]) * 1099511628211u;
    }
    return digest;
}

/* Fills in the removal of the node that was reported. */
static bool set_removal(const struct query *query, uint32_t slot, struct delivery *delivery)
{
    uint32_t type = query->request.object_type;
    property_set_id(type, slot, query->reports[slot].suffix, &delivery->values);
    delivery->data.Action = DevQueryResultRemove;
    delivery->data.Data.DeviceObject = (DEV_OBJECT){type, delivery->values.id, 0, NULL};
    return true;
}

/* Fills in the next change of the result set. False if all queued objects are still as they were
 * reported. */
static bool next_change(struct query *query, struct delivery *delivery)
{
    while (query->queue_count > 0) {
        uint32_t slot = query->queue[query->queue_first];
        struct report *report = &query->reports[slot], before = *report;
        DEV_OBJECT *object = &delivery->data.Data.DeviceObject;
        query->queue_first = (query->queue_first + 1) % query->report_count;
        query->queue_count--;
        report->is_queued = false;
        report->is_in_set = property_object(&query->request, slot, object, delivery->properties, &delivery->values);
        if (before.is_in_set && strcmp(before.suffix, property_suffix(slot)) != 0) {
            /* The place has another node by now, which is reported after the removal. */
            report->is_in_set = false;
            enqueue(query, slot);
            return set_removal(query, slot, delivery);
        }
        if (before.is_in_set && !report->is_in_set)
            return set_removal(query, slot, delivery);
        if (!report->is_in_set)
            continue;
        report->digest = digest_of(object);
        memcpy(report->suffix, property_suffix(slot), sizeof report->suffix);
        if (before.is_in_set && report->digest == before.digest)
            continue;
        delivery->data.Action = before.is_in_set ? DevQueryResultUpdate : DevQueryResultAdd;
        return true;
    }
    return false;
}

static bool set_state(struct delivery *delivery, uint32_t state)
{
    delivery->data.Action = DevQueryResultStateChange;
    delivery->data.Data.State = state;
    return true;
}

static bool next_delivery(struct query *query, struct delivery *delivery)
{
    if (query->is_closed) {
        query->is_finished = query->is_orphan = true;
        return set_state(delivery, DevQueryStateClosed);
    }
    if (query->is_abort_due) {
        query->is_abort_due = false;
        query->is_aborted = true;
        return set_state(delivery, DevQueryStateAborted);
    }
    if (next_change(query, delivery))
        return true;
    if (query->is_enumerated)
        return false;
    query->is_enumerated = true;
    return set_state(delivery, DevQueryStateEnumCompleted);
}

bool query_run_one(void)
{
    struct query *query = queries;
    while (query != NULL && !has_work(query))
        query = query->next;
    if (query == NULL)
        return false;
    struct delivery *delivery =
        data_allocate(DATA_CALLBACK, sizeof *delivery + property_count(&query->request) * sizeof(DEVPROPERTY), 0);
    if (delivery == NULL)
        return false;
    if (next_delivery(query, delivery)) {
        HDEVQUERY handle = query->object.handle;
        query->running_thread = platform_thread_id();
        world_leave();
        query->callback(handle, query->context, &delivery->data);
        world_enter();
        query->running_thread = 0;
        call_finish(query->close_call, ERROR_SUCCESS);
        if (query->is_orphan)
            destroy(query);
    }
    data_free(delivery, DATA_CALLBACK, 0, SIM_FUNCTION_ANY);
    return true;
}

uint32_t query_pending(void)
{
    uint32_t count = 0;
    for (const struct query *query = queries; query != NULL; query = query->next)
        count += query->running_thread != 0 || has_work(query);
    return count;
}

uint32_t query_abort_all(void)
{
    uint32_t count = 0;
    for (struct query *query = queries; query != NULL; query = query->next) {
        if (query->is_closed || query->is_aborted)
            continue;
        query->is_abort_due = true;
        count++;
    }
    if (count > 0)
        notify_queries();
    return count;
}
