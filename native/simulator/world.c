/* The state of the world as a whole: its lock, and how it is restored. */
#include "world.h"

struct world world;

static const SimDefaults defaults = {
    .open_ms = 400,
    .legacy_open_ms = 200,
    .cancel_ms = 50,
    .close_ms = 150,
    .visibility_ms = 300,
    .address_ms = 100,
    .race_grace_ms = 1000,
};
static const SimLimits limits = {.clients_max = 64, .sessions_max = 65536};

/* Restores what a reset restores. Until a handle is issued, that is the whole state. */
static void restore(void)
{
    world.defaults = defaults;
    world.limits = limits;
    world.is_stopped = false;
    world.notifications = SIM_NOTIFY_INTERFACES | SIM_NOTIFY_ADDRESSES | SIM_NOTIFY_DEVICES;
    world.nodes_on = SIM_NODES_ON_DEVICES;
    world.epoch++;
    world.closes_queued = 0;
    world.opens = world.closes = world.lost_races = 0;
    timeline_set_manual(false);
    script_reset();
    device_reset();
    interface_reset();
    misuse_reset();
}

void world_enter(void)
{
    static bool is_loaded;
    platform_lock();
    if (!is_loaded) {
        is_loaded = true;
        restore();
    }
    timeline_run();
}

void world_leave(void)
{
    timeline_run();
    platform_unlock();
}

uint64_t world_generation(void)
{
    return ++world.generations;
}

void world_reset(void)
{
    sessions_cancel_all();
    call_release(SIM_FUNCTION_ANY, RPC_S_CALL_FAILED);
    restore();
}
