/* Scripts: how the next calls of a function proceed. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t any_address[6];

enum script_kind { SCRIPT_OPEN, SCRIPT_CLOSE, SCRIPT_VISIBILITY, SCRIPT_CALL };

struct script {
    struct chain_item item;
    uint64_t sequence; /* older scripts have lower numbers */
    enum script_kind kind;
    uint8_t address[6]; /* zeros: any device */
    uint32_t function;
    uint32_t count;
    union {
        SimOpenScript open;
        SimCloseScript close;
        SimVisibilityScript visibility;
        SimCallScript call;
    } what;
};

/* The scripts for one device or for any, of one kind and function; oldest first. Because of these
 * lists, a call does not have to look at the scripts of others. */
struct script_list {
    struct chain_item item;
    struct chain scripts;
};
static struct chain lists;
static struct map list_by_key;

static uint64_t key_of(enum script_kind kind, uint32_t function, const uint8_t address[6])
{
    uint64_t device = 0;
    memcpy(&device, address, 6);
    return (uint64_t)(kind + function) << 48 | device;
}

static struct script_list *find_or_create_list(uint64_t key)
{
    struct script_list *list = map_get(&list_by_key, key);
    if (list != NULL)
        return list;
    list = calloc(1, sizeof *list);
    if (list == NULL || !map_set(&list_by_key, key, list)) {
        free(list);
        return NULL;
    }
    chain_append(&lists, &list->item);
    return list;
}

static uint32_t add(const struct script *script)
{
    static uint64_t sequence;
    if (script->count == 0)
        return ERROR_INVALID_PARAMETER;
    struct script *copy = malloc(sizeof *copy);
    if (copy == NULL)
        return ERROR_NOT_ENOUGH_MEMORY;
    *copy = *script;
    world_enter();
    struct script_list *list = find_or_create_list(key_of(script->kind, script->function, script->address));
    if (list != NULL) {
        copy->sequence = sequence++;
        chain_append(&list->scripts, &copy->item);
    } else {
        free(copy);
    }
    world_leave();
    return list != NULL ? ERROR_SUCCESS : ERROR_NOT_ENOUGH_MEMORY;
}

/* Copies the script that applies, and uses it once. False if there is none. */
static bool take_script(enum script_kind kind, const uint8_t address[6], uint32_t function, struct script *taken)
{
    struct script_list *of_any = map_get(&list_by_key, key_of(kind, function, any_address));
    struct script_list *of_device = map_get(&list_by_key, key_of(kind, function, address));
    struct script *script = of_any != NULL ? (struct script *)of_any->scripts.first : NULL;
    struct script *other = of_device != NULL ? (struct script *)of_device->scripts.first : NULL;
    bool is_of_device = other != NULL && (script == NULL || other->sequence < script->sequence);
    if (is_of_device)
        script = other;
    if (script == NULL)
        return false;
    *taken = *script;
    if (script->count != SIM_ALWAYS && --script->count == 0) {
        chain_remove(is_of_device ? &of_device->scripts : &of_any->scripts, &script->item);
        free(script);
    }
    return true;
}

static void use_default(uint32_t *value, uint32_t otherwise)
{
    if (*value == SIM_DEFAULT)
        *value = otherwise;
}

SimOpenScript script_open(const uint8_t address[6], uint32_t delay_ms)
{
    struct script script;
    if (!take_script(SCRIPT_OPEN, address, 0, &script))
        script.what.open = (SimOpenScript){.error = SIM_DEFAULT,
                                           .delay_ms = SIM_DEFAULT,
                                           .cancel_error = SIM_DEFAULT,
                                           .cancel_reason_code = SIM_DEFAULT,
                                           .cancel_ms = SIM_DEFAULT,
                                           .drop_ms = SIM_NEVER};
    SimOpenScript *open = &script.what.open;
    use_default(&open->delay_ms, delay_ms);
    use_default(&open->cancel_error, ERROR_CANCELLED);
    use_default(&open->cancel_reason_code, WLAN_REASON_CODE_USER_CANCELLED);
    use_default(&open->cancel_ms, world.defaults.cancel_ms);
    return *open;
}

SimCloseScript script_close(const uint8_t address[6])
{
    struct script script;
    if (!take_script(SCRIPT_CLOSE, address, 0, &script))
        script.what.close = (SimCloseScript){.delay_ms = SIM_DEFAULT};
    use_default(&script.what.close.delay_ms, world.defaults.close_ms);
    return script.what.close;
}

SimVisibilityScript script_visibility(const uint8_t address[6])
{
    struct script script;
    if (!take_script(SCRIPT_VISIBILITY, address, 0, &script))
        script.what.visibility = (SimVisibilityScript){.delay_ms = SIM_DEFAULT, .visible = SIM_DEFAULT};
    use_default(&script.what.visibility.delay_ms, world.defaults.visibility_ms);
    return script.what.visibility;
}

uint32_t script_call(uint32_t function)
{
    struct script script;
    if (!take_script(SCRIPT_CALL, any_address, function, &script))
        return ERROR_SUCCESS;
    bool in_service = function <= SIM_FUNCTION_WFD_UPDATE_DEVICE_VISIBILITY;
    uint32_t aborted = call_sleep(function, in_service, script.what.call.block_ms);
    return aborted != ERROR_SUCCESS ? aborted : script.what.call.code;
}

void script_reset(void)
{
    for (struct chain_item *item; (item = lists.first) != NULL; free(item)) {
        struct chain *scripts = &((struct script_list *)item)->scripts;
        for (struct chain_item *script; (script = scripts->first) != NULL; free(script))
            chain_remove(scripts, script);
        chain_remove(&lists, item);
    }
    map_clear(&list_by_key);
}

static bool is_link_end(const SimLinkEnd *end)
{
    return end->interface_effect <= SIM_INTERFACE_DISCONNECTED;
}

SIM_EXPORT uint32_t SimScriptOpen(const SimOpenScript *open)
{
    if (open == NULL || open->callback_first > 1 || open->cancel_loses > 1)
        return ERROR_INVALID_PARAMETER;
    struct script script = {.kind = SCRIPT_OPEN, .count = open->count, .what.open = *open};
    memcpy(script.address, open->device_address, 6);
    return add(&script);
}

SIM_EXPORT uint32_t SimScriptClose(const SimCloseScript *close)
{
    if (close == NULL || !is_link_end(&close->end))
        return ERROR_INVALID_PARAMETER;
    struct script script = {.kind = SCRIPT_CLOSE, .count = close->count, .what.close = *close};
    memcpy(script.address, close->device_address, 6);
    return add(&script);
}

SIM_EXPORT uint32_t SimScriptVisibility(const SimVisibilityScript *visibility)
{
    if (visibility == NULL || (visibility->visible > 2 && visibility->visible != SIM_DEFAULT))
        return ERROR_INVALID_PARAMETER;
    struct script script = {.kind = SCRIPT_VISIBILITY, .count = visibility->count, .what.visibility = *visibility};
    memcpy(script.address, visibility->device_address, 6);
    return add(&script);
}

SIM_EXPORT uint32_t SimScriptCall(const SimCallScript *call)
{
    if (call == NULL || call->function == SIM_FUNCTION_ANY || call->function >= SIM_FUNCTION_COUNT ||
        call->function == SIM_FUNCTION_FREE_MIB_TABLE || call->function == SIM_FUNCTION_DEV_FREE_OBJECTS ||
        call->function >= SIM_FUNCTION_DEV_FREE_OBJECT_PROPERTIES)
        return ERROR_INVALID_PARAMETER;
    struct script script = {.kind = SCRIPT_CALL, .function = call->function, .count = call->count, .what.call = *call};
    return add(&script);
}

SIM_EXPORT void SimClearScripts(void)
{
    world_enter();
    script_reset();
    world_leave();
}
