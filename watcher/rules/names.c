// Which names are taken: a hash table of slot numbers, open addressing, more than half of it free.
#include <stdlib.h>

#include "common/mem.h"
#include "watcher/rules/parts.h"

enum { SLOTS_LEAST = 64 }; // a power of two, as all sizes of the table

// FNV-1a. Names come from files of the operator, not from outside.
static uint32_t hash_name(tc_str name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(hash ^ hash >> 32);
}

// The slot that holds `name`, or the free one where it would go.
static struct rules_name_slot *slot_of(const struct rules_names *names,
                                       const struct rules_slot *slots, tc_str name, uint32_t hash)
{
    size_t at = hash & (names->slot_count - 1);
    for (;; at = (at + 1) & (names->slot_count - 1)) {
        struct rules_name_slot *slot = &names->slots[at];
        if (!slot->number ||
            (slot->hash == hash && tc_str_eq(slots[slot->number - 1].entry->watch.name, name)))
            return slot;
    }
}

const struct rules_slot *rules_names_find(const struct rules_names *names,
                                          const struct rules_slot *slots, tc_str name)
{
    if (!names->slot_count)
        return NULL;
    uint32_t number = slot_of(names, slots, name, hash_name(name))->number;
    return number ? &slots[number - 1] : NULL;
}

static void grow(struct rules_names *names)
{
    struct rules_names larger = {.count = names->count};
    larger.slot_count = names->slot_count ? names->slot_count * 2 : SLOTS_LEAST;
    larger.slots = tc_new(larger.slot_count * sizeof *larger.slots);
    for (size_t i = 0; i < names->slot_count; i++) {
        struct rules_name_slot slot = names->slots[i];
        size_t at = slot.hash & (larger.slot_count - 1);
        while (slot.number && larger.slots[at].number)
            at = (at + 1) & (larger.slot_count - 1);
        if (slot.number)
            larger.slots[at] = slot;
    }
    tc_free(names->slots);
    *names = larger;
}

void rules_names_add(struct rules_names *names, const struct rules_slot *slots, size_t index)
{
    if ((names->count + 1) * 2 > names->slot_count)
        grow(names);
    tc_str name = slots[index].entry->watch.name;
    uint32_t hash = hash_name(name);
    struct rules_name_slot *slot = slot_of(names, slots, name, hash);
    if (slot->number)
        return;
    *slot = (struct rules_name_slot){(uint32_t)index + 1, hash};
    names->count++;
}

void rules_names_done(struct rules_names *names)
{
    tc_free(names->slots);
    *names = (struct rules_names){0};
}
