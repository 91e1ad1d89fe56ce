/*
 * The threads that run callbacks. Several opens can call back at the same time. Interface and
 * address changes call back one after another, and so do device queries. A thread holds the lock
 * before and after a callback, but not while the callback runs.
 */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#define OPEN_THREADS 4

struct open_job {
    struct open_job *next;
    HANDLE session, client;
    uint64_t call; /* the WFDStartOpenSession that waits for this callback; 0: none */
};

struct change_job {
    struct change_job *next;
    HANDLE notification;
    uint32_t type;
    void *row; /* lent to the callback, which must not keep it */
};

static struct open_job *open_first, **open_last = &open_first;
static struct change_job *change_first, **change_last = &change_first;
/* Jobs of both kinds that are queued or inside their callback. */
static uint32_t pending;
/* For each thread that calls back opens: the callback that it runs now. */
static struct {
    uint64_t thread;
    HANDLE client;
} inside[OPEN_THREADS];
static uint32_t open_threads;

static void on_callback_return(void)
{
    if (--pending == 0)
        platform_wake_all(CONDITION_CALLS);
}

static void run_open(const struct open_job *job, uint32_t thread)
{
    struct session *session = session_on_callback_begin(job->session);
    if (session == NULL)
        return;
    WFD_OPEN_SESSION_COMPLETE_CALLBACK callback = session->callback;
    PVOID context = session->context;
    DWORD error = session->error, reason = session->reason;
    GUID guid = session->guid;
    /* Only a successful open has an interface. A caller that reads the GUID of a failed one should
     * notice. */
    if (error != ERROR_SUCCESS)
        memset(&guid, 0xDD, sizeof guid);
    inside[thread].thread = platform_thread_id();
    inside[thread].client = job->client;
    world_leave();
    callback(job->session, context, guid, error, reason);
    world_enter();
    inside[thread].thread = 0;
    session_on_callback_return(job->session, job->client);
}

static void open_main(void)
{
    world_enter();
    uint32_t thread = open_threads++;
    for (;;) {
        while (open_first == NULL)
            platform_wait(CONDITION_OPENS, PLATFORM_FOREVER);
        struct open_job *job = open_first;
        open_first = job->next;
        if (open_first == NULL)
            open_last = &open_first;
        run_open(job, thread);
        call_finish(job->call, ERROR_SUCCESS);
        free(job);
        on_callback_return();
    }
}

void notify_open(const struct session *session)
{
    static bool is_started;
    struct open_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return;
    *job = (struct open_job){.session = session->object.handle, .client = session->client, .call = session->call};
    *open_last = job;
    open_last = &job->next;
    pending++;
    for (int i = 0; i < OPEN_THREADS && !is_started; i++)
        platform_start_thread(open_main);
    is_started = true;
    platform_wake_one(CONDITION_OPENS);
}

bool notify_is_inside_open_callback(HANDLE client)
{
    for (uint32_t i = 0; i < OPEN_THREADS; i++) {
        if (inside[i].thread == platform_thread_id() && inside[i].client == client)
            return true;
    }
    return false;
}

static void run_change(struct change_job *job)
{
    struct notification *notification = handle_object(job->notification, HANDLE_NOTIFICATION);
    if (notification == NULL)
        return;
    notification->running_thread = platform_thread_id();
    world_leave();
    if (notification->of_addresses)
        notification->on_address(notification->context, job->row, job->type);
    else
        notification->on_interface(notification->context, job->row, job->type);
    world_enter();
    change_on_callback_return(notification);
}

static void change_main(void)
{
    world_enter();
    for (;;) {
        while (change_first == NULL)
            platform_wait(CONDITION_CHANGES, PLATFORM_FOREVER);
        struct change_job *job = change_first;
        change_first = job->next;
        if (change_first == NULL)
            change_last = &change_first;
        run_change(job);
        if (job->row != NULL)
            data_free(job->row, DATA_CALLBACK, 0, SIM_FUNCTION_ANY);
        free(job);
        on_callback_return();
    }
}

void notify_change(HANDLE notification, const void *row, size_t row_size, uint32_t type)
{
    static bool is_started;
    struct change_job *job = calloc(1, sizeof *job);
    void *copy = row != NULL ? data_allocate(DATA_CALLBACK, row_size, 0) : NULL;
    if (job == NULL || (copy == NULL && row != NULL)) {
        free(job);
        return;
    }
    if (copy != NULL)
        memcpy(copy, row, row_size);
    job->notification = notification;
    job->type = type;
    job->row = copy;
    *change_last = job;
    change_last = &job->next;
    pending++;
    is_started = is_started || platform_start_thread(change_main);
    platform_wake_one(CONDITION_CHANGES);
}

static void query_main(void)
{
    world_enter();
    for (;;) {
        while (query_run_one())
            platform_wake_all(CONDITION_CALLS);
        platform_wait(CONDITION_QUERIES, PLATFORM_FOREVER);
    }
}

void notify_queries(void)
{
    static bool is_started;
    is_started = is_started || platform_start_thread(query_main);
    platform_wake_one(CONDITION_QUERIES);
}

uint32_t notify_pending(void)
{
    return pending + query_pending();
}
