/* A map and a list for the rest of the simulator. */
#include "world.h"

#include <stdlib.h>

/* Open addressing with linear probing, at most half full. A value of NULL marks a free place. */
struct map_place {
    uint64_t key;
    void *value;
};

/* Spreads keys that differ only in a few bits, such as addresses, over the whole table. */
static size_t home_of(const struct map *map, uint64_t key)
{
    return (size_t)((key * 0x9E3779B97F4A7C15u) >> 32) & (map->capacity - 1);
}

/* The place of the key, or the free place where it belongs. */
static size_t find(const struct map *map, uint64_t key)
{
    size_t at = home_of(map, key);
    while (map->places[at].value != NULL && map->places[at].key != key)
        at = (at + 1) & (map->capacity - 1);
    return at;
}

static bool grow(struct map *map)
{
    struct map grown = {.capacity = map->capacity == 0 ? 64 : map->capacity * 2, .count = map->count};
    grown.places = calloc(grown.capacity, sizeof *grown.places);
    if (grown.places == NULL)
        return false;
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->places[i].value != NULL)
            grown.places[find(&grown, map->places[i].key)] = map->places[i];
    }
    free(map->places);
    *map = grown;
    return true;
}

bool map_set(struct map *map, uint64_t key, void *value)
{
    if (map->count >= map->capacity / 2 && !grow(map))
        return false;
    struct map_place *place = &map->places[find(map, key)];
    map->count += place->value == NULL;
    *place = (struct map_place){key, value};
    return true;
}

void *map_get(const struct map *map, uint64_t key)
{
    return map->capacity == 0 ? NULL : map->places[find(map, key)].value;
}

void map_remove(struct map *map, uint64_t key)
{
    if (map_get(map, key) == NULL)
        return;
    size_t mask = map->capacity - 1, hole = find(map, key);
    map->places[hole].value = NULL;
    map->count--;
    /* Moves back each later key that could no longer be found beyond the hole. */
    for (size_t at = (hole + 1) & mask; map->places[at].value != NULL; at = (at + 1) & mask) {
        size_t distance = (at - home_of(map, map->places[at].key)) & mask;
        if (distance < ((at - hole) & mask))
            continue;
        map->places[hole] = map->places[at];
        map->places[at].value = NULL;
        hole = at;
    }
}

void map_clear(struct map *map)
{
    free(map->places);
    *map = (struct map){0};
}

void chain_append(struct chain *chain, struct chain_item *item)
{
    item->previous = chain->last;
    item->next = NULL;
    if (chain->last != NULL)
        chain->last->next = item;
    else
        chain->first = item;
    chain->last = item;
    chain->count++;
}

void chain_remove(struct chain *chain, struct chain_item *item)
{
    if (item->previous != NULL)
        item->previous->next = item->next;
    else
        chain->first = item->next;
    if (item->next != NULL)
        item->next->previous = item->previous;
    else
        chain->last = item->previous;
    chain->count--;
}
