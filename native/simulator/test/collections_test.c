#include "check.h"

#define KEYS 300u

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* Few keys and many removals, so that keys collide and fill the places of removed ones. */
static void a_map_holds_what_was_set_and_not_removed(void)
{
    static char values[KEYS];
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct map map = {0};
        void *expected[KEYS] = {0};
        size_t count = 0;
        uint32_t random = seed;
        CHECK(map_get(&map, 1) == NULL);
        map_remove(&map, 1);
        for (int step = 0; step < 3000; step++) {
            uint32_t i = next_random(&random) % KEYS;
            uint64_t key = (uint64_t)i << seed;
            if (next_random(&random) % 2 == 0) {
                count += expected[i] == NULL;
                expected[i] = &values[next_random(&random) % KEYS];
                CHECK(map_set(&map, key, expected[i]));
            } else {
                count -= expected[i] != NULL;
                expected[i] = NULL;
                map_remove(&map, key);
            }
            CHECK(map.count == count);
            for (uint32_t j = 0; step % 50 == 0 && j < KEYS; j++)
                CHECK(map_get(&map, (uint64_t)j << seed) == expected[j]);
        }
        map_clear(&map);
        CHECK(map.count == 0 && map_get(&map, 1) == NULL);
    }
}

static void a_chain_keeps_the_order_of_what_remains(void)
{
    struct chain chain = {0};
    struct chain_item items[4];
    for (int i = 0; i < 4; i++)
        chain_append(&chain, &items[i]);
    chain_remove(&chain, &items[1]);
    CHECK(chain.count == 3 && chain.first == &items[0] && items[0].next == &items[2] && chain.last == &items[3]);
    chain_remove(&chain, &items[0]);
    chain_remove(&chain, &items[3]);
    CHECK(chain.count == 1 && chain.first == &items[2] && chain.last == &items[2]);
    chain_remove(&chain, &items[2]);
    CHECK(chain.count == 0 && chain.first == NULL && chain.last == NULL);
}

const struct test collections_tests[] = {
    {"a map holds what was set and not removed", a_map_holds_what_was_set_and_not_removed},
    {"a chain keeps the order of what remains", a_chain_keeps_the_order_of_what_remains},
    {0},
};
