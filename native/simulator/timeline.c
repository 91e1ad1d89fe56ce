/* The clock of the world, and the events scheduled on it. */
#include "world.h"

#include <stdlib.h>

/* A binary heap. The earliest event is the first; events of the same time keep the order in which
 * they were scheduled. */
static struct event *heap;
static uint32_t heap_count, heap_capacity;
static uint64_t sequence;
/* The time of the world is the platform's time plus this, unless the clock is manual. */
static uint64_t real_offset_us;
static bool has_timer;
static uint64_t timer_due_us; /* until when the timer thread sleeps, in the time of the platform */

static bool precedes(const struct event *a, const struct event *b)
{
    return a->due_us < b->due_us || (a->due_us == b->due_us && a->sequence < b->sequence);
}

static void swap(uint32_t a, uint32_t b)
{
    struct event event = heap[a];
    heap[a] = heap[b];
    heap[b] = event;
}

static struct event pop(void)
{
    struct event first = heap[0];
    heap[0] = heap[--heap_count];
    for (uint32_t at = 0;;) {
        uint32_t least = at, left = 2 * at + 1, right = left + 1;
        if (left < heap_count && precedes(&heap[left], &heap[least]))
            least = left;
        if (right < heap_count && precedes(&heap[right], &heap[least]))
            least = right;
        if (least == at)
            return first;
        swap(at, least);
        at = least;
    }
}

void timeline_schedule(uint32_t delay_ms, struct event event)
{
    if (delay_ms == SIM_NEVER)
        return;
    if (heap_count == heap_capacity) {
        uint32_t capacity = heap_capacity == 0 ? 64 : heap_capacity * 2;
        struct event *grown = realloc(heap, capacity * sizeof *grown);
        if (grown == NULL)
            return;
        heap = grown;
        heap_capacity = capacity;
    }
    event.due_us = world.now_us + delay_ms * (uint64_t)1000;
    event.sequence = sequence++;
    uint32_t at = heap_count++;
    heap[at] = event;
    for (uint32_t parent; at > 0 && precedes(&heap[at], &heap[parent = (at - 1) / 2]); at = parent)
        swap(at, parent);
}

static void run_until(uint64_t until_us)
{
    while (heap_count > 0 && heap[0].due_us <= until_us) {
        struct event event = pop();
        /* Events that this one schedules count from the time when it was due, not from the time
         * when a thread ran it. */
        world.now_us = event.due_us;
        event.run(&event);
    }
    world.now_us = until_us;
}

static void timer_main(void)
{
    world_enter();
    for (;;) {
        timeline_run();
        timer_due_us = world.is_manual || heap_count == 0 ? PLATFORM_FOREVER : heap[0].due_us - real_offset_us;
        platform_wait(CONDITION_TIMELINE, timer_due_us);
    }
}

void timeline_run(void)
{
    run_until(world.is_manual ? world.now_us : platform_now_us() + real_offset_us);
    if (world.is_manual || heap_count == 0 || (has_timer && heap[0].due_us - real_offset_us >= timer_due_us))
        return;
    if (has_timer)
        platform_wake_one(CONDITION_TIMELINE);
    else
        has_timer = platform_start_thread(timer_main);
}

uint32_t timeline_length(void)
{
    return heap_count;
}

uint32_t time_sum(uint32_t a_ms, uint32_t b_ms)
{
    uint64_t sum = (uint64_t)a_ms + b_ms;
    return a_ms == SIM_NEVER || b_ms == SIM_NEVER || sum >= SIM_DEFAULT ? SIM_NEVER : (uint32_t)sum;
}

void timeline_set_manual(bool is_manual)
{
    timeline_run();
    world.is_manual = is_manual;
    real_offset_us = world.now_us - platform_now_us();
}

SIM_EXPORT uint32_t SimSetClock(uint32_t manual)
{
    if (manual > 1)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    timeline_set_manual(manual == 1);
    world_leave();
    return ERROR_SUCCESS;
}

SIM_EXPORT uint32_t SimAdvanceClock(uint32_t ms)
{
    world_enter();
    bool is_manual = world.is_manual;
    if (is_manual)
        run_until(world.now_us + ms * (uint64_t)1000);
    world_leave();
    return is_manual ? ERROR_SUCCESS : ERROR_INVALID_PARAMETER;
}

SIM_EXPORT uint64_t SimGetClock(void)
{
    world_enter();
    uint64_t now_ms = world.now_us / 1000;
    world_leave();
    return now_ms;
}
