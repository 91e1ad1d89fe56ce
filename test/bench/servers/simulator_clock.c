/*
 * The simulator without delays, with more devices, and with a record of when its callbacks begin.
 * It is loaded in place of libwfdsim.so, and links to it.
 *
 * An open takes WFD_BENCH_OPEN_MS; everything else takes no time. WFD_BENCH_DEVICES devices are
 * paired and in range, with the addresses 02:be:00:00:00:00, 02:be:00:00:00:01 and so on. The time
 * of each open-complete callback is read just before the gateway's function is called. When that
 * has returned, the time is appended to the file that WFD_BENCH_CALLBACKS names: 8 bytes,
 * nanoseconds of CLOCK_MONOTONIC in native byte order.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "control.h"

typedef DWORD(WINAPI *StartOpenSession)(HANDLE, DOT11_MAC_ADDRESS *, PVOID, WFD_OPEN_SESSION_COMPLETE_CALLBACK,
                                        HANDLE *);

static StartOpenSession start_open_session;
static _Atomic(WFD_OPEN_SESSION_COMPLETE_CALLBACK) gateway_callback;
static atomic_ulong callbacks;
static int file = -1;

static uint32_t number(const char *name)
{
    const char *text = getenv(name);
    return text == NULL ? 0 : (uint32_t)strtoul(text, NULL, 10);
}

static void add_devices(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        SimDevice device = {.device_address = {0x02, 0xbe, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i},
                            .is_in_range = 1,
                            .is_visible = 1,
                            .link_quality = 80,
                            .address_ms = SIM_DEFAULT,
                            .name = "Bench"};
        if (SimAddDevice(&device) != ERROR_SUCCESS)
            abort();
    }
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("WFD_BENCH_CALLBACKS");
    SimDefaults defaults;
    SimGetDefaults(&defaults);
    defaults.open_ms = number("WFD_BENCH_OPEN_MS");
    defaults.legacy_open_ms = defaults.cancel_ms = defaults.close_ms = 0;
    defaults.visibility_ms = defaults.address_ms = 0;
    SimSetDefaults(&defaults);
    start_open_session = (StartOpenSession)dlsym(RTLD_NEXT, "WFDStartOpenSession");
    add_devices(number("WFD_BENCH_DEVICES"));
    if (path != NULL)
        file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

static void WINAPI timed_callback(HANDLE session, PVOID context, GUID interface, DWORD error, DWORD reason_code)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t nanoseconds = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    off_t at = (off_t)(atomic_fetch_add(&callbacks, 1) * sizeof nanoseconds);
    atomic_load(&gateway_callback)(session, context, interface, error, reason_code);
    if (file >= 0 && pwrite(file, &nanoseconds, sizeof nanoseconds, at) < 0)
        abort();
}

/* The gateway uses the same callback as long as it runs. */
SIM_EXPORT DWORD WINAPI WFDStartOpenSession(HANDLE hClientHandle, DOT11_MAC_ADDRESS *pDeviceAddress, PVOID pvContext,
                                            WFD_OPEN_SESSION_COMPLETE_CALLBACK pfnCallback, HANDLE *phSessionHandle)
{
    atomic_store(&gateway_callback, pfnCallback);
    return start_open_session(hClientHandle, pDeviceAddress, pvContext, pfnCallback == NULL ? NULL : timed_callback,
                              phSessionHandle);
}
