#include "world.h"

#include <stdlib.h>
#include <string.h>

#define POISON 0xDD
/* How much freed data is kept to detect its use: the newest blocks, up to this many bytes. */
#define FREED_BLOCKS_MAX 64
#define FREED_BYTES_MAX (1024 * 1024)

struct block {
    struct block *next;
    enum data_kind kind;
    bool leak_counted, use_counted;
    uint32_t count;
    size_t size;
    max_align_t bytes[];
};

static struct block *live, *freed; /* newest first */
static uint32_t live_count, freed_count;
static size_t freed_bytes;

void *data_allocate(enum data_kind kind, size_t size, uint32_t count)
{
    struct block *block =
        world.limits.memory_exhausted && kind != DATA_CALLBACK ? NULL : calloc(1, sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->kind = kind;
    block->count = count;
    block->size = size;
    block->next = live;
    live = block;
    live_count += kind != DATA_CALLBACK;
    return block->bytes;
}

void data_set_count(void *pointer, uint32_t count)
{
    for (struct block *block = live; block != NULL; block = block->next) {
        if ((void *)block->bytes == pointer)
            block->count = count;
    }
}

static void check_poison(struct block *block)
{
    const uint8_t *bytes = (const uint8_t *)block->bytes;
    for (size_t i = 0; i < block->size && !block->use_counted; i++) {
        if (bytes[i] != POISON) {
            block->use_counted = true;
            misuse_count(SIM_MISUSE_USE_OF_FREED_DATA, SIM_FUNCTION_ANY, bytes);
        }
    }
}

static struct block *block_around(struct block *first, const void *pointer)
{
    for (; first != NULL; first = first->next) {
        uintptr_t start = (uintptr_t)first->bytes;
        if ((uintptr_t)pointer >= start && (uintptr_t)pointer - start < (first->size > 0 ? first->size : 1))
            return first;
    }
    return NULL;
}

static void drop_oldest_freed(void)
{
    struct block **last = &freed;
    while ((*last)->next != NULL)
        last = &(*last)->next;
    struct block *oldest = *last;
    *last = NULL;
    check_poison(oldest);
    freed_count--;
    freed_bytes -= oldest->size;
    free(oldest);
}

void data_free(const void *pointer, enum data_kind kind, uint32_t count, uint32_t function)
{
    struct block **at = &live;
    while (*at != NULL && (const void *)(*at)->bytes != pointer)
        at = &(*at)->next;
    struct block *block = *at;
    if (block == NULL || block->kind != kind || block->count != count) {
        bool again = block == NULL && block_around(freed, pointer) != NULL;
        misuse_count(again ? SIM_MISUSE_DOUBLE_FREE : SIM_MISUSE_WRONG_FREE, function, pointer);
        return;
    }
    *at = block->next;
    live_count -= kind != DATA_CALLBACK;
    memset(block->bytes, POISON, block->size);
    block->next = freed;
    freed = block;
    freed_count++;
    freed_bytes += block->size;
    while (freed_count > FREED_BLOCKS_MAX || (freed_bytes > FREED_BYTES_MAX && freed_count > 1))
        drop_oldest_freed();
}

bool data_is_freed(const void *pointer, uint32_t function)
{
    if (pointer == NULL || block_around(freed, pointer) == NULL)
        return false;
    misuse_count(SIM_MISUSE_USE_OF_FREED_DATA, function, pointer);
    return true;
}

uint32_t data_live(void)
{
    return live_count;
}

uint32_t data_count_leaks(void)
{
    uint32_t found = 0;
    for (struct block *block = freed; block != NULL; block = block->next)
        check_poison(block);
    for (struct block *block = live; block != NULL; block = block->next) {
        if (block->leak_counted || block->kind == DATA_CALLBACK)
            continue;
        block->leak_counted = true;
        misuse_count(SIM_MISUSE_LEAKED_DATA, SIM_FUNCTION_ANY, block->bytes);
        found++;
    }
    return found;
}
