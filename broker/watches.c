#include "broker/watches.h"

#include "common/mem.h"

#include <stdlib.h>

enum { SLOTS_FIRST = 256 }; // a power of two, as every later size

// Open addressing with linear probing; never more than half full. The hash is uniform already.
struct watches {
    struct store *store; // borrowed
    struct tc_event_watch **slots;
    size_t capacity, held;
    uint64_t stored;
};

struct watches *watches_new(struct store *store)
{
    struct watches *watches = tc_new(sizeof *watches);
    watches->store = store;
    watches->capacity = SLOTS_FIRST;
    watches->slots = tc_new(watches->capacity * sizeof *watches->slots);
    watches->stored = store_watch_count(store);
    return watches;
}

void watches_forget(struct watches *watches)
{
    for (size_t i = 0; i < watches->capacity; i++) {
        tc_event_watch_free(watches->slots[i]);
        watches->slots[i] = NULL;
    }
    watches->held = 0;
    watches->stored = store_watch_count(watches->store);
}

void watches_free(struct watches *watches)
{
    if (!watches)
        return;
    for (size_t i = 0; i < watches->capacity; i++)
        tc_event_watch_free(watches->slots[i]);
    free(watches->slots);
    free(watches);
}

void watches_trim(struct watches *watches)
{
    if (watches->held > WATCHES_HELD)
        watches_forget(watches);
}

uint64_t watches_count(const struct watches *watches)
{
    return watches->stored;
}

// Where the watch is, or where it would go.
static struct tc_event_watch **slot_of(const struct watches *watches, struct tc_id hash)
{
    uint64_t start;
    memcpy(&start, hash.bytes, sizeof start);
    size_t mask = watches->capacity - 1;
    for (size_t i = (size_t)start & mask;; i = (i + 1) & mask) {
        struct tc_event_watch *watch = watches->slots[i];
        if (!watch || tc_id_eq(tc_event_watch_hash(watch), hash))
            return &watches->slots[i];
    }
}

static void grow(struct watches *watches)
{
    struct tc_event_watch **old = watches->slots;
    size_t count = watches->capacity;
    watches->capacity *= 2;
    watches->slots = tc_new(watches->capacity * sizeof *watches->slots);
    for (size_t i = 0; i < count; i++) {
        if (old[i])
            *slot_of(watches, tc_event_watch_hash(old[i])) = old[i];
    }
    free(old);
}

// Takes an opened watch that is not held yet.
static void hold(struct watches *watches, struct tc_event_watch *watch)
{
    if (2 * (watches->held + 1) > watches->capacity)
        grow(watches);
    *slot_of(watches, tc_event_watch_hash(watch)) = watch;
    watches->held++;
}

int watches_find(struct watches *watches, struct tc_id hash, const struct tc_event_watch **out,
                 struct tc_err *err)
{
    struct tc_event_watch *watch = *slot_of(watches, hash);
    if (!watch) {
        struct tc_buf definition = {0};
        int code = store_watch(watches->store, hash, &definition, err);
        if (code == TC_OK)
            code = tc_event_watch_open(tc_buf_view(&definition), &watch, err);
        tc_buf_done(&definition);
        if (code != TC_OK)
            return code;
        if (!tc_id_eq(tc_event_watch_hash(watch), hash)) { // a damaged row
            tc_event_watch_free(watch);
            return tc_fail(err, TC_ENOENT, "the stored definition is damaged");
        }
        hold(watches, watch);
    }
    *out = watch;
    return TC_OK;
}

int watches_add(struct watches *watches, tc_str definition, int64_t now_wall_ns, struct tc_err *err)
{
    const struct tc_event_watch *known = NULL;
    struct tc_event_watch *watch = NULL;
    int code = watches_find(watches, tc_id_of_bytes(definition), &known, err);
    if (code != TC_ENOENT && code != TC_EPARSE)
        return code;
    code = tc_event_watch_open(definition, &watch, err);
    if (code != TC_OK)
        return code;
    code = store_put_watch(watches->store, tc_event_watch_hash(watch), tc_event_watch_name(watch),
                           definition, now_wall_ns, err);
    if (code != TC_OK) {
        tc_event_watch_free(watch);
        return code;
    }
    hold(watches, watch);
    watches->stored++;
    return TC_OK;
}
