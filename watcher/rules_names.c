// Which names are taken: a hash table of entry numbers, open addressing, more than half of it free.
#include <stdlib.h>

#include "common/mem.h"
#include "watcher/rules_parts.h"

enum { SLOTS_LEAST = 64 }; // a power of two, as all sizes of the table

// FNV-1a. Names come from files of the operator, not from outside.
static uint64_t hash_name(tc_str name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * UINT64_C(0x100000001b3);
    return hash;
}

// The slot that holds `name`, or the free one where it would go.
static size_t slot_of(const struct rules_names *names, const struct rules_entry *entries,
                      tc_str name)
{
    size_t slot = hash_name(name) & (names->slot_count - 1);
    while (names->slots[slot] && !tc_str_eq(entries[names->slots[slot] - 1].watch.name, name))
        slot = (slot + 1) & (names->slot_count - 1);
    return slot;
}

const struct rules_entry *rules_names_find(const struct rules_names *names,
                                           const struct rules_entry *entries, tc_str name)
{
    uint32_t number = names->slot_count ? names->slots[slot_of(names, entries, name)] : 0;
    return number ? &entries[number - 1] : NULL;
}

static void grow(struct rules_names *names, const struct rules_entry *entries)
{
    struct rules_names larger = {.count = names->count};
    larger.slot_count = names->slot_count ? names->slot_count * 2 : SLOTS_LEAST;
    larger.slots = tc_new(larger.slot_count * sizeof *larger.slots);
    for (size_t i = 0; i < names->slot_count; i++) {
        uint32_t number = names->slots[i];
        if (number)
            larger.slots[slot_of(&larger, entries, entries[number - 1].watch.name)] = number;
    }
    free(names->slots);
    *names = larger;
}

void rules_names_add(struct rules_names *names, const struct rules_entry *entries, size_t index)
{
    if ((names->count + 1) * 2 > names->slot_count)
        grow(names, entries);
    size_t slot = slot_of(names, entries, entries[index].watch.name);
    if (names->slots[slot])
        return;
    names->slots[slot] = (uint32_t)index + 1;
    names->count++;
}

void rules_names_done(struct rules_names *names)
{
    free(names->slots);
    *names = (struct rules_names){0};
}
