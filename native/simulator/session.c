/* Sessions: from the start of an open to its callback, and from a close to the end of the link. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static void on_open_due(const struct event *event)
{
    struct session *session = handle_object((HANDLE)(uintptr_t)event->subject, HANDLE_SESSION);
    /* A reset can have completed it earlier. */
    if (session != NULL && session->attempt == event->generation && !session->is_completed)
        session_complete(session);
}

static void complete_after(struct session *session, uint32_t delay_ms)
{
    session->attempt = world_generation();
    timeline_schedule(delay_ms, (struct event){.run = on_open_due,
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

/* Sets error and reason: from the script, or otherwise from the state of the device. */
static void decide_outcome(struct session *session, uint32_t slot)
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

static void report_outcome(struct session *session)
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
    decide_outcome(session, slot);
    if (session->error == ERROR_SUCCESS)
        link_begin(session, slot);
    report_outcome(session);
}

struct closing {
    uint8_t address[6];
    uint64_t link;
    uint64_t epoch; /* world.epoch when the close was queued */
    SimLinkEnd end;
};

static void on_close_due(const struct event *event)
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
                          (struct event){.run = on_close_due, .subject = (uint64_t)(uintptr_t)closing});
    }
}

void session_set_returned(struct session *session)
{
    session->has_returned = true;
    session->returned_us = world.now_us;
    world.opens_pending--;
}

void session_retire(struct session *session, enum handle_end end)
{
    ((struct client *)handle_object(session->client, HANDLE_CLIENT))->sessions--;
    world.opens_pending -= !session->has_returned;
    handle_retire(&session->object, end);
}

void session_destroy(struct session *session, enum handle_end end)
{
    session_retire(session, end);
    free(session);
}

struct session *session_on_callback_begin(HANDLE handle)
{
    struct session *session = handle_object(handle, HANDLE_SESSION);
    if (session != NULL)
        session->is_outcome_known = true;
    return session;
}

void session_on_callback_return(HANDLE handle, HANDLE client_handle)
{
    struct client *client = handle_object(client_handle, HANDLE_CLIENT);
    if (client != NULL && --client->opens_pending == 0)
        call_finish(client->close_call, ERROR_SUCCESS);
    struct session *session = handle_object(handle, HANDLE_SESSION);
    if (session == NULL)
        return;
    session_set_returned(session);
    if (session->error != ERROR_SUCCESS)
        session_destroy(session, END_FAILED_OPEN);
}

void sessions_abandon(struct client *client, bool is_leak)
{
    for (struct object *object = world.objects[HANDLE_SESSION], *next; client->sessions > 0; object = next) {
        struct session *session = (struct session *)object;
        next = object->next;
        if (session->client != client->object.handle)
            continue;
        if (is_leak && session->is_outcome_known && session->error == ERROR_SUCCESS && !object->leak_counted)
            misuse_count(SIM_MISUSE_LEAKED_SESSION, SIM_FUNCTION_WFD_CLOSE_HANDLE, object->handle);
        call_finish(session->call, ERROR_INVALID_HANDLE);
        session_destroy(session, END_CLIENT_CLOSED);
    }
}

/* Makes a pending open fail, because the service has stopped. It calls back with the error, unless
 * the stop is scripted so that it never does. */
static void fail_pending_open(struct session *session)
{
    bool was_completed = session->is_completed;
    session->attempt = 0;
    if (world.stop.open_error == 0 && !was_completed) {
        session->script.cancel_loses = 1; /* a cancel after a restart must not complete it either */
        return;
    }
    if (session->error == ERROR_SUCCESS) {
        session->error = world.stop.open_error != 0 ? world.stop.open_error : RPC_S_CALL_FAILED;
        session->reason = WLAN_REASON_CODE_UNKNOWN;
    }
    if (!was_completed)
        report_outcome(session);
}

void sessions_on_service_stop(void)
{
    for (struct object *object = world.objects[HANDLE_SESSION], *next; object != NULL; object = next) {
        struct session *session = (struct session *)object;
        next = object->next;
        if (session->is_outcome_known && session->error == ERROR_SUCCESS)
            session_destroy(session, END_SERVICE_STOPPED);
        else if (!session->is_legacy)
            fail_pending_open(session);
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
