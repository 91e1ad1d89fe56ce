#include "world.h"

#include <stdlib.h>
#include <string.h>

#define POISON 0xDD
/* How much freed data is kept to detect its use: the newest blocks, up to this many bytes. */
#define FREED_BLOCKS_MAX 64
#define FREED_BYTES_MAX (1024 * 1024)
#define BUCKETS_MIN 256

struct block {
    struct block *next; /* in its bucket, or in the list of freed blocks */
    enum data_kind kind;
    bool leak_counted, use_counted;
    uint32_t count;
    size_t size;
    max_align_t bytes[];
};

/* The live blocks, hashed by address: a lookup must not cost more the more blocks there are. */
static struct block **buckets;
static size_t bucket_count, block_count; /* bucket_count is a power of two */
static struct block *freed; /* newest first */
static uint32_t live_count, freed_count;
static size_t freed_bytes;

static struct block **bucket_of(struct block **all, size_t count, const void *pointer)
{
    /* Fibonacci hashing: the low bits of an address are always the same. */
    uint64_t hash = (uint64_t)(uintptr_t)pointer * UINT64_C(0x9E3779B97F4A7C15);
    return &all[(hash >> 32) & (count - 1)];
}

static bool grow_buckets(void)
{
    size_t count = bucket_count == 0 ? BUCKETS_MIN : bucket_count * 2;
    struct block **grown = calloc(count, sizeof *grown);
    if (grown == NULL)
        return bucket_count > 0;
    for (size_t i = 0; i < bucket_count; i++) {
        for (struct block *block = buckets[i], *next; block != NULL; block = next) {
            struct block **bucket = bucket_of(grown, count, block->bytes);
            next = block->next;
            block->next = *bucket;
            *bucket = block;
        }
    }
    free(buckets);
    buckets = grown;
    bucket_count = count;
    return true;
}

/* Where the live block with this address is linked; NULL if there is none. */
static struct block **find_live(const void *pointer)
{
    if (bucket_count == 0)
        return NULL;
    struct block **at = bucket_of(buckets, bucket_count, pointer);
    while (*at != NULL && (const void *)(*at)->bytes != pointer)
        at = &(*at)->next;
    return *at == NULL ? NULL : at;
}

void *data_allocate(enum data_kind kind, size_t size, uint32_t count)
{
    if (block_count >= bucket_count && !grow_buckets())
        return NULL;
    struct block *block =
        world.limits.memory_exhausted && kind != DATA_CALLBACK ? NULL : calloc(1, sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->kind = kind;
    block->count = count;
    block->size = size;
    struct block **bucket = bucket_of(buckets, bucket_count, block->bytes);
    block->next = *bucket;
    *bucket = block;
    block_count++;
    live_count += kind != DATA_CALLBACK;
    return block->bytes;
}

void data_set_count(void *pointer, uint32_t count)
{
    struct block **at = find_live(pointer);
    if (at != NULL)
        (*at)->count = count;
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
    struct block **at = find_live(pointer);
    struct block *block = at == NULL ? NULL : *at;
    if (block == NULL || block->kind != kind || block->count != count) {
        bool again = block == NULL && block_around(freed, pointer) != NULL;
        misuse_count(again ? SIM_MISUSE_DOUBLE_FREE : SIM_MISUSE_WRONG_FREE, function, pointer);
        return;
    }
    *at = block->next;
    block_count--;
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
    for (size_t i = 0; i < bucket_count; i++) {
        for (struct block *block = buckets[i]; block != NULL; block = block->next) {
            if (block->leak_counted || block->kind == DATA_CALLBACK)
                continue;
            block->leak_counted = true;
            misuse_count(SIM_MISUSE_LEAKED_DATA, SIM_FUNCTION_ANY, block->bytes);
            found++;
        }
    }
    return found;
}
