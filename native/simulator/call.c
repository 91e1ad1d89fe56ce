/* Calls that block inside an exported function until time, a script or a stop ends them. */
#include "world.h"

static struct call *blocked;
static uint32_t blocked_count;

void call_begin(struct call *call, uint32_t function, bool in_service)
{
    *call = (struct call){.id = world_generation(), .function = function, .in_service = in_service, .next = blocked};
    blocked = call;
    blocked_count++;
}

uint32_t call_wait(struct call *call)
{
    for (timeline_run(); !call->done; timeline_run())
        platform_wait(CONDITION_CALLS, PLATFORM_FOREVER);
    struct call **at = &blocked;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    blocked_count--;
    return call->code;
}

static void finish(struct call *call, uint32_t code)
{
    call->done = true;
    call->code = code;
    platform_wake_all(CONDITION_CALLS);
}

static void on_sleep_end(const struct event *event)
{
    call_finish(event->subject, ERROR_SUCCESS);
}

uint32_t call_sleep(uint32_t function, bool in_service, uint32_t delay_ms)
{
    struct call call;
    if (delay_ms == 0)
        return ERROR_SUCCESS;
    call_begin(&call, function, in_service);
    timeline_schedule(delay_ms, (struct event){.run = on_sleep_end, .subject = call.id});
    return call_wait(&call);
}

static struct call *find(uint64_t id)
{
    struct call *call = blocked;
    while (call != NULL && (call->id != id || call->done))
        call = call->next;
    return call;
}

bool call_is_blocked(uint64_t id)
{
    return find(id) != NULL;
}

void call_finish(uint64_t id, uint32_t code)
{
    struct call *call = find(id);
    if (call != NULL)
        finish(call, code);
}

void call_finish_in_service(uint32_t code)
{
    for (struct call *call = blocked; call != NULL; call = call->next) {
        if (call->in_service && !call->done)
            finish(call, code);
    }
}

uint32_t call_release(uint32_t function, uint32_t code)
{
    uint32_t count = 0;
    for (struct call *call = blocked; call != NULL; call = call->next) {
        if (call->done || (function != SIM_FUNCTION_ANY && call->function != function))
            continue;
        call->released = true;
        finish(call, code);
        count++;
    }
    return count;
}

uint32_t calls_blocked_count(void)
{
    return blocked_count;
}

SIM_EXPORT uint32_t SimReleaseCalls(uint32_t function)
{
    world_enter();
    uint32_t count = call_release(function, ERROR_SUCCESS);
    world_leave();
    return count;
}
