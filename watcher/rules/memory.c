// What watches view: one arena for each reading, and behind it those of older readings that it took watches
// from. Whoever runs a watch holds the newest of them; the set that was read is not needed for that.
#include <stdlib.h>

#include "common/mem.h"
#include "watcher/rules/parts.h"

struct rules_memory *rules_memory_new(void)
{
    struct rules_memory *memory = tc_new(sizeof *memory);
    atomic_init(&memory->held, 1);
    memory->arena = tc_arena_new();
    return memory;
}

struct rules_memory *rules_memory_hold(struct rules_memory *memory)
{
    atomic_fetch_add(&memory->held, 1);
    return memory;
}

void rules_memory_drop(void *pointer)
{
    struct rules_memory *memory = pointer;
    while (memory && atomic_fetch_sub(&memory->held, 1) == 1) {
        struct rules_memory *older = memory->older;
        tc_arena_free(memory->arena);
        free(memory);
        memory = older;
    }
}
