/* Handles: how they are issued, looked up and retired, and the misuse of retired ones. */
#include "world.h"

#include <stdlib.h>

/* High bits are set, so that a handle that was truncated to 32 bits is detected. There are gaps
 * between the values, so that a slightly wrong one is detected too. */
#if UINTPTR_MAX == UINT64_MAX
#define HANDLE_BASE ((uintptr_t)0x57 << 40)
#else
#define HANDLE_BASE ((uintptr_t)0x57000000)
#endif
#define HANDLE_STEP 16u

struct record {
    union {
        struct object *object; /* if end is END_LIVE */
        uint64_t ended_us;     /* otherwise */
    };
    uint8_t kind, end;
};

/* One for every handle that was ever issued, so that no value is issued twice. */
static struct record *records;
static size_t record_count, record_capacity;

static struct record *record_of(HANDLE handle, enum handle_kind kind)
{
    uintptr_t offset = (uintptr_t)handle - HANDLE_BASE;
    if ((uintptr_t)handle < HANDLE_BASE || offset % HANDLE_STEP != 0 || offset / HANDLE_STEP >= record_count)
        return NULL;
    struct record *record = &records[offset / HANDLE_STEP];
    return record->kind == kind ? record : NULL;
}

bool handle_issue(struct object *object, enum handle_kind kind)
{
    if (record_count == record_capacity) {
        size_t capacity = record_capacity == 0 ? 256 : record_capacity * 2;
        struct record *grown = realloc(records, capacity * sizeof *grown);
        if (grown == NULL)
            return false;
        records = grown;
        record_capacity = capacity;
    }
    records[record_count] = (struct record){.object = object, .kind = (uint8_t)kind, .end = END_LIVE};
    object->handle = (HANDLE)(HANDLE_BASE + record_count * HANDLE_STEP);
    object->kind = kind;
    object->leak_counted = false;
    object->previous = NULL;
    object->next = world.objects[kind];
    if (object->next != NULL)
        object->next->previous = object;
    world.objects[kind] = object;
    world.object_counts[kind]++;
    record_count++;
    return true;
}

void handle_retire(struct object *object, enum handle_end end)
{
    struct record *record = record_of(object->handle, object->kind);
    record->ended_us = world.now_us;
    record->end = (uint8_t)end;
    if (object->previous != NULL)
        object->previous->next = object->next;
    else
        world.objects[object->kind] = object->next;
    if (object->next != NULL)
        object->next->previous = object->previous;
    world.object_counts[object->kind]--;
}

void *handle_object(HANDLE handle, enum handle_kind kind)
{
    const struct record *record = record_of(handle, kind);
    return record != NULL && record->end == END_LIVE ? record->object : NULL;
}

bool handle_is_lost_race(uint64_t since_us)
{
    if (world.now_us - since_us > world.defaults.race_grace_ms * (uint64_t)1000)
        return false;
    world.lost_races++;
    return true;
}

static uint32_t misuse_of(const struct record *record, bool closes)
{
    if (record == NULL)
        return SIM_MISUSE_UNKNOWN_HANDLE;
    switch (record->end) {
    case END_FAILED_OPEN:
        if (closes)
            return SIM_MISUSE_CLOSE_OF_FAILED_OPEN;
        return handle_is_lost_race(record->ended_us) ? 0 : SIM_MISUSE_CANCEL_AFTER_COMPLETION;
    case END_CLIENT_CLOSED:
        return SIM_MISUSE_USE_AFTER_CLOSE_HANDLE;
    case END_SERVICE_STOPPED:
        return handle_is_lost_race(record->ended_us) ? 0 : SIM_MISUSE_USE_AFTER_SERVICE_STOP;
    default:
        if (record->kind == HANDLE_CLIENT)
            return SIM_MISUSE_USE_AFTER_CLOSE_HANDLE;
        return closes ? SIM_MISUSE_CLOSE_TWICE : SIM_MISUSE_USE_AFTER_CLOSE;
    }
}

void *handle_use(HANDLE handle, enum handle_kind kind, uint32_t function, bool closes)
{
    const struct record *record = record_of(handle, kind);
    if (record != NULL && record->end == END_LIVE)
        return record->object;
    uint32_t misuse = misuse_of(record, closes);
    if (misuse != 0)
        misuse_count(misuse, function, handle);
    return NULL;
}
