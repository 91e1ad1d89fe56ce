/* The exports of wlanapi.dll that concern clients and sessions. */
#include "world.h"

#include <stdlib.h>

/* What a call returns because the service does not run; 0 if it runs. */
static DWORD service_code(void)
{
    return world.is_stopped ? world.stop.call_code : ERROR_SUCCESS;
}

static DWORD open_handle(HANDLE *handle)
{
    DWORD code = script_call(SIM_FUNCTION_WFD_OPEN_HANDLE);
    if (code == ERROR_SUCCESS)
        code = service_code();
    if (code != ERROR_SUCCESS)
        return code;
    if (world.object_counts[HANDLE_CLIENT] >= world.limits.clients_max)
        return ERROR_REMOTE_SESSION_LIMIT_EXCEEDED;
    struct client *client = world.limits.memory_exhausted ? NULL : calloc(1, sizeof *client);
    if (client == NULL || !handle_issue(&client->object, HANDLE_CLIENT)) {
        free(client);
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    *handle = client->object.handle;
    return ERROR_SUCCESS;
}

DWORD WINAPI WFDOpenHandle(DWORD dwClientVersion, DWORD *pdwNegotiatedVersion, HANDLE *phClientHandle)
{
    if (pdwNegotiatedVersion == NULL || phClientHandle == NULL || dwClientVersion != WFD_API_VERSION)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    DWORD code = open_handle(phClientHandle);
    if (code == ERROR_SUCCESS)
        *pdwNegotiatedVersion = WFD_API_VERSION;
    world_leave();
    return code;
}

static DWORD wait_for_opens(struct client *client)
{
    struct call call;
    if (client->is_stale || client->opens_pending == 0)
        return ERROR_SUCCESS;
    if (notify_is_inside_open_callback(client->object.handle)) {
        misuse_count(SIM_MISUSE_CLOSE_IN_CALLBACK, SIM_FUNCTION_WFD_CLOSE_HANDLE, client->object.handle);
        return ERROR_SUCCESS;
    }
    /* A stop of the service does not end this call directly: it makes the opens call back, and that
     * ends the wait. */
    call_begin(&call, SIM_FUNCTION_WFD_CLOSE_HANDLE, false);
    client->close_call = call.id;
    DWORD code = call_wait(&call);
    return client->is_stale ? world.stop.blocked_call_code : code;
}

/* The client, if its handle can be used. Otherwise counts the misuse and returns NULL. */
static struct client *client_of(HANDLE handle, uint32_t function)
{
    struct client *client = handle_use(handle, HANDLE_CLIENT, function, function == SIM_FUNCTION_WFD_CLOSE_HANDLE);
    if (client == NULL || !client->is_closing)
        return client;
    misuse_count(SIM_MISUSE_USE_AFTER_CLOSE_HANDLE, function, handle);
    return NULL;
}

static DWORD close_handle(HANDLE handle)
{
    struct client *client = client_of(handle, SIM_FUNCTION_WFD_CLOSE_HANDLE);
    if (client == NULL)
        return ERROR_INVALID_HANDLE;
    client->is_closing = true;
    DWORD code = script_call(SIM_FUNCTION_WFD_CLOSE_HANDLE);
    if (code == ERROR_SUCCESS)
        code = wait_for_opens(client);
    if (code == ERROR_SUCCESS && client->is_stale)
        code = world.stop.close_handle_code;
    sessions_abandon(client, !client->is_stale);
    handle_retire(&client->object, END_CLOSED);
    free(client);
    return code;
}

DWORD WINAPI WFDCloseHandle(HANDLE hClientHandle)
{
    if (hClientHandle == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    DWORD code = close_handle(hClientHandle);
    world_leave();
    return code;
}

/* The checks that both ways to open a session begin with. */
static DWORD admit(HANDLE client_handle, uint32_t function, struct client **client)
{
    DWORD code = script_call(function);
    *client = client_of(client_handle, function);
    if (code == ERROR_SUCCESS)
        code = service_code();
    if (code != ERROR_SUCCESS)
        return code;
    if (*client == NULL)
        return ERROR_INVALID_HANDLE;
    if ((*client)->is_stale)
        return world.stop.stale_client_code;
    return world.object_counts[HANDLE_SESSION] < world.limits.sessions_max ? ERROR_SUCCESS
                                                                           : ERROR_REMOTE_SESSION_LIMIT_EXCEEDED;
}

static DWORD start_open(HANDLE client_handle, const uint8_t *address, PVOID context,
                        WFD_OPEN_SESSION_COMPLETE_CALLBACK callback, HANDLE *session_handle)
{
    struct client *client;
    DWORD code = admit(client_handle, SIM_FUNCTION_WFD_START_OPEN_SESSION, &client);
    if (code != ERROR_SUCCESS)
        return code;
    SimOpenScript script = script_open(address, world.defaults.open_ms);
    if (script.code != ERROR_SUCCESS)
        return script.code;
    struct session *session = session_start(client_handle, address, false, &script);
    if (session == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    HANDLE handle = session->object.handle;
    session->callback = callback;
    session->context = context;
    client->opens_pending++;
    if (script.callback_first) {
        struct call call;
        call_begin(&call, SIM_FUNCTION_WFD_START_OPEN_SESSION, false);
        session->call = call.id;
        call_wait(&call);
    }
    *session_handle = handle;
    return ERROR_SUCCESS;
}

DWORD WINAPI WFDStartOpenSession(HANDLE hClientHandle, DOT11_MAC_ADDRESS *pDeviceAddress, PVOID pvContext,
                                 WFD_OPEN_SESSION_COMPLETE_CALLBACK pfnCallback, HANDLE *phSessionHandle)
{
    if (hClientHandle == NULL || pDeviceAddress == NULL || pfnCallback == NULL || phSessionHandle == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    DWORD code = start_open(hClientHandle, *pDeviceAddress, pvContext, pfnCallback, phSessionHandle);
    world_leave();
    return code;
}

static DWORD cancel_open(HANDLE handle)
{
    DWORD code = script_call(SIM_FUNCTION_WFD_CANCEL_OPEN_SESSION);
    struct session *session = handle_use(handle, HANDLE_SESSION, SIM_FUNCTION_WFD_CANCEL_OPEN_SESSION, false);
    if (code == ERROR_SUCCESS)
        code = service_code();
    if (code != ERROR_SUCCESS)
        return code;
    if (session == NULL)
        return ERROR_INVALID_HANDLE;
    if (!session->has_returned) {
        session_cancel(session);
        return ERROR_SUCCESS;
    }
    if (!handle_is_lost_race(session->returned_us))
        misuse_count(SIM_MISUSE_CANCEL_AFTER_COMPLETION, SIM_FUNCTION_WFD_CANCEL_OPEN_SESSION, handle);
    return ERROR_INVALID_HANDLE;
}

DWORD WINAPI WFDCancelOpenSession(HANDLE hSessionHandle)
{
    if (hSessionHandle == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    DWORD code = cancel_open(hSessionHandle);
    world_leave();
    return code;
}

static DWORD open_legacy(HANDLE client_handle, const uint8_t *address, HANDLE *session_handle, GUID *guid)
{
    struct client *client;
    struct call call;
    DWORD code = admit(client_handle, SIM_FUNCTION_WFD_OPEN_LEGACY_SESSION, &client);
    if (code != ERROR_SUCCESS)
        return code;
    SimOpenScript script = script_open(address, world.defaults.legacy_open_ms);
    if (script.code != ERROR_SUCCESS)
        return script.code;
    struct session *session = session_start(client_handle, address, true, &script);
    if (session == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    HANDLE handle = session->object.handle;
    call_begin(&call, SIM_FUNCTION_WFD_OPEN_LEGACY_SESSION, true);
    session->call = call.id;
    code = call_wait(&call);
    session = handle_object(handle, HANDLE_SESSION);
    if (session == NULL) /* its client handle has been closed */
        return ERROR_INVALID_HANDLE;
    if (code == ERROR_SUCCESS && !session->is_completed)
        session_complete(session); /* SimReleaseCalls came first */
    if (code == ERROR_SUCCESS)
        code = session->error;
    if (code != ERROR_SUCCESS) {
        session_destroy(session, END_FAILED_OPEN);
        return code;
    }
    session->is_outcome_known = true;
    session_set_returned(session);
    *session_handle = handle;
    *guid = session->guid;
    return ERROR_SUCCESS;
}

DWORD WINAPI WFDOpenLegacySession(HANDLE hClientHandle, DOT11_MAC_ADDRESS *pLegacyMacAddress, HANDLE *phSessionHandle,
                                  GUID *pGuidSessionInterface)
{
    if (hClientHandle == NULL || pLegacyMacAddress == NULL || phSessionHandle == NULL || pGuidSessionInterface == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    DWORD code = open_legacy(hClientHandle, *pLegacyMacAddress, phSessionHandle, pGuidSessionInterface);
    world_leave();
    return code;
}

static DWORD close_session(HANDLE handle)
{
    struct session *session = handle_use(handle, HANDLE_SESSION, SIM_FUNCTION_WFD_CLOSE_SESSION, true);
    if (session == NULL)
        return world.is_stopped ? world.stop.call_code : ERROR_INVALID_HANDLE;
    if (!session->is_outcome_known) {
        misuse_count(SIM_MISUSE_CLOSE_WHILE_PENDING, SIM_FUNCTION_WFD_CLOSE_SESSION, handle);
        return service_code(); /* "will not close the session" */
    }
    if (session->error != ERROR_SUCCESS) {
        misuse_count(SIM_MISUSE_CLOSE_OF_FAILED_OPEN, SIM_FUNCTION_WFD_CLOSE_SESSION, handle);
        return ERROR_INVALID_HANDLE;
    }
    /* The handle is retired even if the close fails: one that "has become invalid" must not be
     * closed again. */
    session_retire(session, END_CLOSED);
    DWORD code = script_call(SIM_FUNCTION_WFD_CLOSE_SESSION);
    if (code == ERROR_SUCCESS)
        code = service_code();
    if (code == ERROR_SUCCESS) {
        SimCloseScript script = script_close(session->address);
        code = script.code;
        if (code == ERROR_SUCCESS)
            session_queue_close(session, &script);
    }
    free(session);
    return code;
}

DWORD WINAPI WFDCloseSession(HANDLE hSessionHandle)
{
    if (hSessionHandle == NULL)
        return ERROR_INVALID_PARAMETER;
    world_enter();
    DWORD code = close_session(hSessionHandle);
    world_leave();
    return code;
}
