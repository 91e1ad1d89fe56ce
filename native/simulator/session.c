#include "world.h"

#include <stdlib.h>
#include <string.h>

static void open_completes(const struct event *event)
{
    struct session *session = handle_object((HANDLE)(uintptr_t)event->subject, HANDLE_SESSION);
    /* A reset may have completed it before its time. */
    if (session != NULL && session->attempt == event->generation && !session->is_completed)
        session_complete(session);
}

static void complete_after(struct session *session, uint32_t delay_ms)
{
    session->attempt = world_generation();
    timeline_schedule(delay_ms, (struct event){.happen = open_completes,
                                               .subject = (uint64_t)(uintptr_t)session->object.handle,
                                               .generation = session->attempt});
}

struct session *session_start(HANDLE client, const uint8_t address[6], bool is_legacy, const SimOpenScript *script)
{
    struct session *session = world.limits.memory_exhausted ? NULL : calloc(1, sizeof *session);
    if (session == NULL || !handle_issue(&session->object, HANDLE_SESSION)) {
        free(session);
        return NULL;
    }
    session->client = client;
    memcpy(session->address, address, 6);
    session->is_legacy = is_legacy;
    session->script = *script;
    ((struct client *)handle_object(client, HANDLE_CLIENT))->sessions++;
    world.opens++;
    world.opens_pending++;
    complete_after(session, script->delay_ms);
    return session;
}

void session_cancel(struct session *session)
{
    if (session->is_completed || session->is_cancelled || session->script.cancel_loses)
        return;
    session->is_cancelled = true;
    complete_after(session, session->script.cancel_ms);
}

/* Sets error and reason from the script, otherwise from the state of the device. */
static void decide(struct session *session, uint32_t slot)
{
    const SimOpenScript *script = &session->script;
    bool has_profile = slot != NO_SLOT && device_at(slot)->state.is_legacy == session->is_legacy;
    session->error = session->is_cancelled ? script->cancel_error : script->error;
    session->reason = session->is_cancelled ? script->cancel_reason_code : script->reason_code;
    bool is_usual = session->error == SIM_DEFAULT;
    if (!has_profile && (is_usual || session->error == ERROR_SUCCESS)) {
        session->error = ERROR_NOT_FOUND;
        session->reason = WLAN_REASON_CODE_UNKNOWN;
    } else if (is_usual && !device_at(slot)->state.is_in_range) {
        session->error = ERROR_TIMEOUT;
        session->reason = WLAN_REASON_CODE_NETWORK_NOT_AVAILABLE;
    } else if (is_usual) {
        session->error = ERROR_SUCCESS;
        session->reason = 0;
    }
}

static void tell(struct session *session)
{
    session->is_completed = true;
    if (session->is_legacy)
        call_finish(session->call, ERROR_SUCCESS);
    else
        notify_open(session);
}

void session_complete(struct session *session)
{
    uint32_t slot = device_find(session->address);
    decide(session, slot);
    if (session->error == ERROR_SUCCESS)
        link_begin(session, slot);
    tell(session);
}

struct closing {
    uint8_t address[6];
    uint64_t link;
    uint64_t epoch; /* of world.closes_queued */
    SimLinkEnd end;
};

static void close_happens(const struct event *event)
{
    struct closing *closing = (struct closing *)(uintptr_t)event->subject;
    link_release(closing->address, closing->link, &closing->end);
    world.closes_queued -= closing->epoch == world.epoch;
    free(closing);
}

void session_queue_close(const struct session *session, const SimCloseScript *script)
{
    struct closing *closing = script->delay_ms == SIM_NEVER ? NULL : malloc(sizeof *closing);
    world.closes++;
    world.closes_queued++;
    if (closing != NULL) {
        *closing = (struct closing){.link = session->link, .epoch = world.epoch, .end = script->end};
        memcpy(closing->address, session->address, 6);
        timeline_schedule(script->delay_ms,
                          (struct event){.happen = close_happens, .subject = (uint64_t)(uintptr_t)closing});
    }
}

void session_set_returned(struct session *session)
{
    session->is_returned = true;
    session->returned_us = world.now_us;
    world.opens_pending--;
}

void session_retire(struct session *session, enum handle_end end)
{
    ((struct client *)handle_object(session->client, HANDLE_CLIENT))->sessions--;
    world.opens_pending -= !session->is_returned;
    handle_retire(&session->object, end);
}

void session_forget(struct session *session, enum handle_end end)
{
    session_retire(session, end);
    free(session);
}

struct session *session_callback_begins(HANDLE handle)
{
    struct session *session = handle_object(handle, HANDLE_SESSION);
    if (session != NULL)
        session->is_told = true;
    return session;
}

void session_callback_returned(HANDLE handle, HANDLE client_handle)
{
    struct client *client = handle_object(client_handle, HANDLE_CLIENT);
    if (client != NULL && --client->opens_pending == 0)
        call_finish(client->close_call, ERROR_SUCCESS);
    struct session *session = handle_object(handle, HANDLE_SESSION);
    if (session == NULL)
        return;
    session_set_returned(session);
    if (session->error != ERROR_SUCCESS)
        session_forget(session, END_FAILED_OPEN);
}

void sessions_abandon(struct client *client, bool is_leak)
{
    for (struct object *object = world.objects[HANDLE_SESSION], *next; client->sessions > 0; object = next) {
        struct session *session = (struct session *)object;
        next = object->next;
        if (session->client != client->object.handle)
            continue;
        if (is_leak && session->is_told && session->error == ERROR_SUCCESS && !object->leak_counted)
            misuse_count(SIM_MISUSE_LEAKED_SESSION, SIM_FUNCTION_WFD_CLOSE_HANDLE, object->handle);
        call_finish(session->call, ERROR_INVALID_HANDLE);
        session_forget(session, END_CLIENT_CLOSED);
    }
}

/* Has a pending open fail with the service; one that has not called back yet does so with the
 * error. */
static void fail_with_service(struct session *session)
{
    bool was_completed = session->is_completed;
    session->attempt = 0;
    if (world.stop.open_error == 0 && !was_completed) {
        session->script.cancel_loses = 1; /* never, whatever becomes of the service */
        return;
    }
    if (session->error == ERROR_SUCCESS) {
        session->error = world.stop.open_error != 0 ? world.stop.open_error : RPC_S_CALL_FAILED;
        session->reason = WLAN_REASON_CODE_UNKNOWN;
    }
    if (!was_completed)
        tell(session);
}

void sessions_lose_service(void)
{
    for (struct object *object = world.objects[HANDLE_SESSION], *next; object != NULL; object = next) {
        struct session *session = (struct session *)object;
        next = object->next;
        if (session->is_told && session->error == ERROR_SUCCESS)
            session_forget(session, END_SERVICE_STOPPED);
        else if (!session->is_legacy)
            fail_with_service(session);
    }
}

void sessions_cancel_all(void)
{
    for (struct object *object = world.objects[HANDLE_SESSION], *next; object != NULL; object = next) {
        struct session *session = (struct session *)object;
        next = object->next;
        if (session->is_completed || session->is_legacy)
            continue;
        session->is_cancelled = true;
        session_complete(session);
    }
}
