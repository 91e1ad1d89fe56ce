/* Memory lent to callers, and the misuse of it. */
#include "world.h"

#include <stdlib.h>
#include <string.h>

#define POISON 0xDD
/* How much freed data is kept to detect its use: the newest blocks, up to this many bytes. */
#define FREED_BLOCKS_MAX 64
#define FREED_BYTES_MAX (1024 * 1024)

struct block {
    struct chain_item item; /* of live or freed */
    enum data_kind kind;
    bool leak_counted, use_counted;
    uint32_t count;
    size_t size;
    max_align_t bytes[];
};

static struct chain live, freed; /* oldest first */
/* The live blocks by address. A pointer from a caller is only looked up here, never followed,
 * because it may be wrong. */
static struct map live_by_address;
static uint32_t results_count; /* live blocks, except those lent to callbacks */
static size_t freed_bytes;

void *data_allocate(enum data_kind kind, size_t size, uint32_t count)
{
    struct block *block =
        world.limits.memory_exhausted && kind != DATA_CALLBACK ? NULL : calloc(1, sizeof *block + size);
    if (block == NULL || !map_set(&live_by_address, (uintptr_t)block->bytes, block)) {
        free(block);
        return NULL;
    }
    block->kind = kind;
    block->count = count;
    block->size = size;
    chain_append(&live, &block->item);
    results_count += kind != DATA_CALLBACK;
    return block->bytes;
}

void data_set_count(void *pointer, uint32_t count)
{
    struct block *block = map_get(&live_by_address, (uintptr_t)pointer);
    if (block != NULL)
        block->count = count;
}

static void check_poison(struct block *block)
{
    const uint8_t *bytes = (const uint8_t *)block->bytes;
    if (block->use_counted || block->size == 0)
        return;
    if (bytes[0] == POISON && memcmp(bytes, bytes + 1, block->size - 1) == 0)
        return;
    while (*bytes == POISON)
        bytes++;
    block->use_counted = true;
    misuse_count(SIM_MISUSE_USE_OF_FREED_DATA, SIM_FUNCTION_ANY, bytes);
}

/* Whether the pointer leads into a freed block that is still kept. */
static bool is_in_freed(const void *pointer)
{
    for (const struct chain_item *item = freed.first; item != NULL; item = item->next) {
        const struct block *block = (const struct block *)item;
        uintptr_t start = (uintptr_t)block->bytes;
        if ((uintptr_t)pointer >= start && (uintptr_t)pointer - start < (block->size > 0 ? block->size : 1))
            return true;
    }
    return false;
}

static void drop_oldest_freed(void)
{
    struct block *oldest = (struct block *)freed.first;
    chain_remove(&freed, &oldest->item);
    check_poison(oldest);
    freed_bytes -= oldest->size;
    free(oldest);
}

void data_free(const void *pointer, enum data_kind kind, uint32_t count, uint32_t function)
{
    struct block *block = map_get(&live_by_address, (uintptr_t)pointer);
    if (block == NULL || block->kind != kind || block->count != count) {
        bool is_again = block == NULL && is_in_freed(pointer);
        misuse_count(is_again ? SIM_MISUSE_DOUBLE_FREE : SIM_MISUSE_WRONG_FREE, function, pointer);
        return;
    }
    map_remove(&live_by_address, (uintptr_t)pointer);
    chain_remove(&live, &block->item);
    results_count -= kind != DATA_CALLBACK;
    memset(block->bytes, POISON, block->size);
    chain_append(&freed, &block->item);
    freed_bytes += block->size;
    while (freed.count > FREED_BLOCKS_MAX || (freed_bytes > FREED_BYTES_MAX && freed.count > 1))
        drop_oldest_freed();
}

bool data_is_freed(const void *pointer, uint32_t function)
{
    if (pointer == NULL || !is_in_freed(pointer))
        return false;
    misuse_count(SIM_MISUSE_USE_OF_FREED_DATA, function, pointer);
    return true;
}

uint32_t data_live(void)
{
    return results_count;
}

uint32_t data_count_leaks(void)
{
    uint32_t found = 0;
    for (struct chain_item *item = freed.first; item != NULL; item = item->next)
        check_poison((struct block *)item);
    for (struct chain_item *item = live.first; item != NULL; item = item->next) {
        struct block *block = (struct block *)item;
        if (block->leak_counted || block->kind == DATA_CALLBACK)
            continue;
        block->leak_counted = true;
        misuse_count(SIM_MISUSE_LEAKED_DATA, SIM_FUNCTION_ANY, block->bytes);
        found++;
    }
    return found;
}
