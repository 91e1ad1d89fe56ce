/*
 * What the simulator needs from the operating system: one lock, its conditions, threads and a
 * clock.
 *
 * Invariant: only platform.c includes headers of POSIX and Win32.
 */
#ifndef WFDSIM_PLATFORM_H
#define WFDSIM_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

/* What a thread waits for. Waking the waiters of one condition does not wake the others. */
enum platform_condition {
    CONDITION_TIMELINE, /* the timer thread, for an earlier event or another clock */
    CONDITION_OPENS,    /* the threads that run open callbacks */
    CONDITION_CHANGES,  /* the thread that runs address and interface callbacks */
    CONDITION_QUERIES,  /* the thread that runs device query callbacks */
    CONDITION_CALLS,    /* callers that block inside an exported function */
    CONDITION_COUNT
};

#define PLATFORM_FOREVER UINT64_MAX

void platform_lock(void);
void platform_unlock(void);

/* Releases the lock, sleeps until the condition is woken or platform_now_us() reaches until_us, and
 * takes the lock. It can return early. */
void platform_wait(enum platform_condition condition, uint64_t until_us);
void platform_wake_one(enum platform_condition condition);
void platform_wake_all(enum platform_condition condition);

/* Starts a detached thread. False if the system cannot start one. */
bool platform_start_thread(void (*run)(void));

/* Identifies the calling thread among those that run now. Never 0. */
uint64_t platform_thread_id(void);

/* Monotonic microseconds since an arbitrary moment. */
uint64_t platform_now_us(void);

#endif
