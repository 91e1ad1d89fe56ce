/*
 * Everything that the simulator needs from the operating system: one lock, its conditions, threads
 * and a clock.
 *
 * Invariant: only this file's implementation includes headers of POSIX and Win32.
 */
#ifndef WFDSIM_PLATFORM_H
#define WFDSIM_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

/* Who waits for what; waking one kind of waiter leaves the others asleep. */
enum platform_condition {
    CONDITION_TIMELINE, /* the timer thread: an earlier event, or another clock */
    CONDITION_OPENS,    /* threads that call open callbacks */
    CONDITION_CHANGES,  /* the thread that calls address and interface callbacks */
    CONDITION_QUERIES,  /* the thread that calls device query callbacks */
    CONDITION_CALLS,    /* callers that the simulator holds inside an exported function */
    CONDITION_COUNT
};

#define PLATFORM_FOREVER UINT64_MAX

void platform_lock(void);
void platform_unlock(void);

/* Releases the lock, sleeps until woken or until platform_now_us() reaches until_us, takes the
 * lock. May wake early. */
void platform_wait(enum platform_condition condition, uint64_t until_us);
void platform_wake_one(enum platform_condition condition);
void platform_wake_all(enum platform_condition condition);

/* Starts a detached thread; false where the system has none left. */
bool platform_start_thread(void (*run)(void));

/* Identifies the calling thread among the living ones. */
uint64_t platform_thread_id(void);

/* Monotonic microseconds since some fixed moment. */
uint64_t platform_now_us(void);

#endif
