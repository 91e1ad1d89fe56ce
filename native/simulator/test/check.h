/*
 * A small harness for the simulator's own tests. Every test begins with SimReset and a manual
 * clock. It ends with the check that nothing leaked, and that only the expected misuses occurred.
 */
#ifndef WFDSIM_CHECK_H
#define WFDSIM_CHECK_H

#include "../world.h"

#include <stdatomic.h>

struct test {
    const char *name;
    void (*run)(void);
};
/* The last entry has no name. */
extern const struct test session_tests[], cancel_tests[], client_tests[], misuse_tests[], service_tests[],
    interface_tests[], address_tests[], query_tests[], object_tests[], device_tests[], clock_tests[],
    collections_tests[], stress_tests[];

/* Ends the process if the condition is false. */
#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)
void check(bool condition, const char *text, const char *file, int line);

/* States how many misuses of this kind the test makes on purpose. */
void expect_misuse(uint32_t kind, uint64_t count);

/* Waits until another thread has made it true. Fails after ten seconds. */
void wait_for(bool (*is_true)(void));
void wait_until_blocked(uint32_t calls);
/* Runs the function on a new thread; finish() waits until it has returned. */
void start(void (*run)(void));
void finish(void);
/* Moves the clock, and waits until all callbacks have returned. */
void advance(uint32_t ms);

extern DOT11_MAC_ADDRESS display, scanner, printer, robot, forklift_1, forklift_2, stranger;

/* What the open callbacks have received. */
struct outcome {
    uint32_t count;
    HANDLE session;
    GUID guid;
    DWORD error, reason;
};
void WINAPI on_open(HANDLE session, PVOID outcome, GUID guid, DWORD error, DWORD reason);

HANDLE open_client(void);
HANDLE start_open(HANDLE client, DOT11_MAC_ADDRESS *address, struct outcome *outcome);
/* Opens a session, and waits until it is open. */
HANDLE open_session(HANDLE client, DOT11_MAC_ADDRESS *address, struct outcome *outcome);
/* A script for one open of any device that changes nothing. */
SimOpenScript default_open_script(void);
SimServiceStop default_stop(void);
SimCounts counts(void);
SimDevice device(DOT11_MAC_ADDRESS *address);

#endif
