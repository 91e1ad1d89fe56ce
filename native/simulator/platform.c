#define _POSIX_C_SOURCE 200809L

#include "platform.h"

#if defined(_WIN32)

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE conditions[CONDITION_COUNT]; /* all zero is CONDITION_VARIABLE_INIT */

void platform_lock(void)
{
    AcquireSRWLockExclusive(&lock);
}

void platform_unlock(void)
{
    ReleaseSRWLockExclusive(&lock);
}

void platform_wait(enum platform_condition condition, uint64_t until_us)
{
    DWORD timeout_ms = INFINITE;
    if (until_us != PLATFORM_FOREVER) {
        uint64_t now_us = platform_now_us();
        uint64_t left_ms = until_us > now_us ? (until_us - now_us + 999) / 1000 : 0;
        timeout_ms = left_ms < INFINITE ? (DWORD)left_ms : INFINITE - 1;
    }
    SleepConditionVariableSRW(&conditions[condition], &lock, timeout_ms, 0);
}

void platform_wake_one(enum platform_condition condition)
{
    WakeConditionVariable(&conditions[condition]);
}

void platform_wake_all(enum platform_condition condition)
{
    WakeAllConditionVariable(&conditions[condition]);
}

static DWORD WINAPI thread_main(LPVOID run)
{
    ((void (*)(void))run)();
    return 0;
}

bool platform_start_thread(void (*run)(void))
{
    HANDLE thread = CreateThread(NULL, 0, thread_main, (LPVOID)run, 0, NULL);
    return thread != NULL && CloseHandle(thread);
}

uint64_t platform_thread_id(void)
{
    return GetCurrentThreadId();
}

uint64_t platform_now_us(void)
{
    LARGE_INTEGER frequency, count;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&count);
    uint64_t ticks = (uint64_t)count.QuadPart, per_second = (uint64_t)frequency.QuadPart;
    return ticks / per_second * 1000000 + ticks % per_second * 1000000 / per_second;
}

#else

#include <pthread.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t conditions[CONDITION_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void prepare_conditions(void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    for (int i = 0; i < CONDITION_COUNT; i++)
        pthread_cond_init(&conditions[i], &attributes);
    pthread_condattr_destroy(&attributes);
}

void platform_lock(void)
{
    pthread_once(&once, prepare_conditions);
    pthread_mutex_lock(&lock);
}

void platform_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void platform_wait(enum platform_condition condition, uint64_t until_us)
{
    if (until_us == PLATFORM_FOREVER) {
        pthread_cond_wait(&conditions[condition], &lock);
    } else {
        struct timespec until = {.tv_sec = (time_t)(until_us / 1000000), .tv_nsec = (int)(until_us % 1000000) * 1000};
        pthread_cond_timedwait(&conditions[condition], &lock, &until);
    }
}

void platform_wake_one(enum platform_condition condition)
{
    pthread_cond_signal(&conditions[condition]);
}

void platform_wake_all(enum platform_condition condition)
{
    pthread_cond_broadcast(&conditions[condition]);
}

static void *thread_main(void *run)
{
    ((void (*)(void))run)();
    return NULL;
}

bool platform_start_thread(void (*run)(void))
{
    pthread_t thread;
    return pthread_create(&thread, NULL, thread_main, (void *)run) == 0 && pthread_detach(thread) == 0;
}

uint64_t platform_thread_id(void)
{
    return (uint64_t)pthread_self();
}

uint64_t platform_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

#endif
