#include "broker/consumers.h"

#include "common/mem.h"

#include <stdlib.h>

struct consumers {
    struct store *store;   // borrowed
    struct consumer *rows; // by name
    size_t count, capacity;
};

// The row with this name, or where it would stand.
static size_t place_of(const struct consumers *consumers, tc_str name, bool *found)
{
    size_t low = 0, high = consumers->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = tc_str_cmp(tc_str_of(consumers->rows[middle].name), name);
        *found = order == 0;
        if (*found)
            low = middle;
        else if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert(struct consumers *consumers, size_t place, const struct store_consumer *from)
{
    consumers->rows =
        tc_room(consumers->rows, consumers->count, &consumers->capacity, sizeof *consumers->rows);
    struct consumer *row = &consumers->rows[place];
    memmove(row + 1, row, (consumers->count - place) * sizeof *row);
    *row = (struct consumer){
        .cursor = from->cursor, .start = from->start, .seen_wall_ns = from->seen_wall_ns};
    tc_str name = tc_str_cut(from->name, 0, sizeof row->name - 1);
    memcpy(row->name, name.ptr, name.len);
    consumers->count++;
}

static int load_one(void *context, const struct store_consumer *row, struct tc_err *err)
{
    struct consumers *consumers = context;
    bool found = false;
    size_t place = place_of(consumers, row->name, &found);
    (void)err;
    if (!found && consumers->count < CONSUMERS_MOST)
        insert(consumers, place, row);
    return TC_OK;
}

int consumers_reload(struct consumers *consumers, struct tc_err *err)
{
    consumers->count = 0;
    return store_each_consumer(consumers->store, load_one, consumers, err);
}

int consumers_open(struct store *store, struct consumers **out, struct tc_err *err)
{
    struct consumers *consumers = tc_new(sizeof *consumers);
    consumers->store = store;
    int code = consumers_reload(consumers, err);
    if (code != TC_OK) {
        consumers_close(consumers);
        return code;
    }
    *out = consumers;
    return TC_OK;
}

void consumers_close(struct consumers *consumers)
{
    if (!consumers)
        return;
    free(consumers->rows);
    free(consumers);
}

const struct consumer *consumers_find(const struct consumers *consumers, tc_str name)
{
    bool found = false;
    size_t place = place_of(consumers, name, &found);
    return found ? &consumers->rows[place] : NULL;
}

int consumers_add(struct consumers *consumers, tc_str name, uint64_t start, int64_t now_wall_ns,
                  struct tc_err *err)
{
    bool found = false;
    size_t place = place_of(consumers, name, &found);
    if (found)
        return tc_fail(err, TC_EEXIST, "consumer \"%.*s\" is known", TC_ARG(name));
    if (consumers->count == CONSUMERS_MOST)
        return tc_fail(err, TC_ENOMEM, "%d consumers are known, no more are taken", CONSUMERS_MOST);
    struct store_consumer row = {
        .name = name, .cursor = start, .start = start, .seen_wall_ns = now_wall_ns};
    int code = store_put_consumer(consumers->store, &row, err);
    if (code == TC_OK)
        insert(consumers, place, &row);
    return code;
}

int consumers_move(struct consumers *consumers, tc_str name, uint64_t seq, int64_t now_wall_ns,
                   uint64_t *cursor, struct tc_err *err)
{
    bool found = false;
    size_t place = place_of(consumers, name, &found);
    if (!found) {
        *cursor = seq;
        return consumers_add(consumers, name, seq, now_wall_ns, err);
    }
    struct consumer *row = &consumers->rows[place];
    row->seen_wall_ns = now_wall_ns;
    if (seq > row->cursor) {
        struct store_consumer moved = {
            .name = name, .cursor = seq, .start = row->start, .seen_wall_ns = now_wall_ns};
        int code = store_put_consumer(consumers->store, &moved, err);
        if (code != TC_OK)
            return code;
        row->cursor = seq;
    }
    *cursor = row->cursor;
    return TC_OK;
}

uint64_t consumers_lowest(const struct consumers *consumers)
{
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < consumers->count; i++)
        lowest = consumers->rows[i].cursor < lowest ? consumers->rows[i].cursor : lowest;
    return lowest;
}

size_t consumers_count(const struct consumers *consumers)
{
    return consumers->count;
}

const struct consumer *consumers_at(const struct consumers *consumers, size_t index)
{
    return &consumers->rows[index];
}
