#include "broker/consumers.h"

#include "common/clock.h"
#include "common/mem.h"

#include <stdlib.h>

struct row {
    struct consumer consumer;
    char *filters; // consumer.filters points here
};

struct consumers {
    struct store *store; // borrowed
    struct row *rows;    // by name
    size_t count, capacity;
    size_t moved;        // rows whose cursor is not written
    size_t next;         // where writing them goes on
    int64_t due_mono_ns; // when they must be
    uint64_t turns;
};

// The row with this name, or where it would stand.
static size_t place_of(const struct consumers *consumers, tc_str name, bool *found)
{
    size_t low = 0, high = consumers->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = tc_str_cmp(tc_str_of(consumers->rows[middle].consumer.name), name);
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

static struct row *row_of(const struct consumers *consumers, tc_str name)
{
    bool found = false;
    size_t place = place_of(consumers, name, &found);
    return found ? &consumers->rows[place] : NULL;
}

// Takes a copy of `from` into a row whose old filters, if any, are freed.
static void assign(struct row *row, const struct consumer *from)
{
    char *filters = from->filters[0] ? tc_dup(from->filters, strlen(from->filters)) : NULL;
    free(row->filters);
    row->filters = filters;
    row->consumer = *from;
    row->consumer.filters = filters ? filters : "";
}

static struct row *insert(struct consumers *consumers, size_t place, const struct consumer *from)
{
    consumers->rows =
        tc_room(consumers->rows, consumers->count, &consumers->capacity, sizeof *consumers->rows);
    struct row *row = &consumers->rows[place];
    memmove(row + 1, row, (consumers->count - place) * sizeof *row);
    row->filters = NULL;
    assign(row, from);
    consumers->count++;
    return row;
}

static void copy_name(char *out, tc_str name)
{
    name = tc_str_cut(name, 0, CONSUMER_NAME_BYTES - 1);
    memcpy(out, name.ptr, name.len);
    out[name.len] = '\0';
}

static int load_one(void *context, const struct store_consumer *stored, struct tc_err *err)
{
    struct consumers *consumers = context;
    char *filters = tc_dup(stored->filters.ptr, stored->filters.len);
    struct consumer row = {
        .filters = filters,
        .leased = stored->lease.len == TC_ID_BYTES,
        .epoch = stored->epoch,
        .cursor = stored->cursor,
        .start = stored->start,
        .seen_wall_ns = stored->seen_wall_ns,
    };
    bool found = false;
    size_t place = place_of(consumers, stored->name, &found);
    (void)err;
    copy_name(row.name, stored->name);
    copy_name(row.owner, stored->owner);
    if (row.leased)
        memcpy(row.lease.bytes, stored->lease.ptr, TC_ID_BYTES);
    if (!found && consumers->count < CONSUMERS_MOST)
        insert(consumers, place, &row);
    free(filters);
    return TC_OK;
}

static void free_rows(struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(rows[i].filters);
    free(rows);
}

int consumers_open(struct store *store, struct consumers **out, struct tc_err *err)
{
    struct consumers *consumers = tc_new(sizeof *consumers);
    consumers->store = store;
    consumers->due_mono_ns = INT64_MAX;
    int code = store_each_consumer(store, load_one, consumers, err);
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
    free_rows(consumers->rows, consumers->count);
    free(consumers);
}

// An acknowledgement that was answered holds, though the transaction that would have written it is lost.
static void keep_moves(struct consumers *consumers, const struct row *before, size_t count)
{
    consumers->moved = 0;
    for (size_t i = 0; i < count; i++) {
        const struct consumer *old = &before[i].consumer;
        struct row *row = old->moved ? row_of(consumers, tc_str_of(old->name)) : NULL;
        if (!row || !tc_id_eq(row->consumer.epoch, old->epoch) ||
            old->cursor <= row->consumer.cursor)
            continue;
        row->consumer.cursor = old->cursor;
        row->consumer.seen_wall_ns = old->seen_wall_ns;
        row->consumer.moved = true;
        consumers->moved++;
    }
    if (!consumers->moved)
        consumers->due_mono_ns = INT64_MAX;
}

int consumers_reload(struct consumers *consumers, struct tc_err *err)
{
    struct row *before = consumers->rows;
    size_t count = consumers->count;
    consumers->rows = NULL;
    consumers->count = consumers->capacity = 0;
    int code = store_each_consumer(consumers->store, load_one, consumers, err);
    if (code == TC_OK)
        keep_moves(consumers, before, count);
    consumers->turns++;
    free_rows(before, count);
    return code;
}

const struct consumer *consumers_find(const struct consumers *consumers, tc_str name)
{
    const struct row *row = row_of(consumers, name);
    return row ? &row->consumer : NULL;
}

tc_str consumers_owner(const struct tc_peer *peer)
{
    return peer ? peer->name : TC_STR(CONSUMER_LOCAL);
}

static bool may_use(const struct consumer *row, const struct tc_peer *peer)
{
    return !peer || !row->owner[0] || (peer->roles & TC_ROLE_ADMIN) ||
           tc_str_eq(tc_str_of(row->owner), peer->name);
}

int consumers_enter(const struct consumers *consumers, tc_str name, const struct tc_peer *peer,
                    const struct tc_id *lease, const struct consumer **out, struct tc_err *err)
{
    const struct consumer *row = consumers_find(consumers, name);
    if (!row && lease)
        return tc_fail(err, TC_EBUSY, "consumer \"%.*s\" was dropped", TC_ARG(name));
    if (!row)
        return tc_fail(err, TC_ENOENT, "there is no consumer \"%.*s\"", TC_ARG(name));
    if (!may_use(row, peer))
        return tc_fail(err, TC_EPROTO,
                       "consumer \"%.*s\" belongs to %s%s%s: use another name, or have an admin "
                       "release it",
                       TC_ARG(name), row->owner[0] == '~' ? "the broker's own machine" : "\"",
                       row->owner[0] == '~' ? "" : row->owner, row->owner[0] == '~' ? "" : "\"");
    if (row->leased && !lease)
        return tc_fail(err, TC_EBUSY,
                       "consumer \"%.*s\" is attached: show its lease, or take it over with ATTACH",
                       TC_ARG(name));
    if (lease && !(row->leased && tc_id_eq(*lease, row->lease)))
        return tc_fail(err, TC_EBUSY, "another process has taken consumer \"%.*s\" over",
                       TC_ARG(name));
    *out = row;
    return TC_OK;
}

// --- writing ---

static int store_row(struct consumers *consumers, const struct consumer *row, struct tc_err *err)
{
    struct store_consumer stored = {
        .name = tc_str_of(row->name),
        .owner = tc_str_of(row->owner),
        .filters = tc_str_of(row->filters),
        .lease = {(const char *)row->lease.bytes, row->leased ? TC_ID_BYTES : 0},
        .epoch = row->epoch,
        .cursor = row->cursor,
        .start = row->start,
        .seen_wall_ns = row->seen_wall_ns,
    };
    return store_put_consumer(consumers->store, &stored, err);
}

int consumers_put(struct consumers *consumers, const struct consumer *row, struct tc_err *err)
{
    bool found = false;
    size_t place = place_of(consumers, tc_str_of(row->name), &found);
    if (!found && consumers->count == CONSUMERS_MOST)
        return tc_fail(err, TC_ENOMEM,
                       "%d consumers are known, no more are taken: an admin can drop old ones",
                       CONSUMERS_MOST);
    int code = store_row(consumers, row, err);
    if (code != TC_OK)
        return code;
    struct row *kept = found ? &consumers->rows[place] : insert(consumers, place, row);
    bool turned = kept->consumer.leased != row->leased ||
                  !tc_id_eq(kept->consumer.lease, row->lease) || !found;
    assign(kept, row);
    kept->consumer.written = true;
    consumers->turns += turned;
    return TC_OK;
}

int consumers_drop(struct consumers *consumers, tc_str name, struct tc_err *err)
{
    struct row *row = row_of(consumers, name);
    int code = store_drop_consumer(consumers->store, name, err);
    if (code != TC_OK)
        return code;
    consumers->moved -= row->consumer.moved;
    free(row->filters);
    size_t behind = consumers->count - (size_t)(row - consumers->rows) - 1;
    memmove(row, row + 1, behind * sizeof *row);
    consumers->count--;
    consumers->turns++;
    return TC_OK;
}

uint64_t consumers_move(struct consumers *consumers, tc_str name, uint64_t seq, int64_t now_wall_ns,
                        int64_t now_mono_ns)
{
    struct consumer *row = &row_of(consumers, name)->consumer;
    row->seen_wall_ns = now_wall_ns;
    if (seq <= row->cursor)
        return row->cursor;
    row->cursor = seq;
    row->written = false;
    consumers->moved += !row->moved;
    row->moved = true;
    if (consumers->due_mono_ns == INT64_MAX)
        consumers->due_mono_ns = now_mono_ns + CONSUMERS_FLUSH_MS * TC_MS;
    return seq;
}

int consumers_flush(struct consumers *consumers, int64_t now_mono_ns, struct tc_err *err)
{
    size_t rows = 0, looked = consumers->moved ? consumers->count : 0;
    int code = TC_OK;
    for (; looked && rows < CONSUMERS_FLUSH_ROWS && code == TC_OK; looked--) {
        consumers->next = consumers->next < consumers->count ? consumers->next : 0;
        struct consumer *row = &consumers->rows[consumers->next++].consumer;
        if (!row->moved || row->written)
            continue;
        code = store_row(consumers, row, err);
        row->written = code == TC_OK;
        rows++;
    }
    // When the disk refuses, or more have moved than one turn may write, the rest is for later.
    if (consumers->moved)
        consumers->due_mono_ns =
            now_mono_ns + (rows < CONSUMERS_FLUSH_ROWS ? CONSUMERS_FLUSH_MS * TC_MS : 0);
    return code;
}

int64_t consumers_due_mono_ns(const struct consumers *consumers)
{
    return consumers->due_mono_ns;
}

void consumers_committed(struct consumers *consumers)
{
    if (!consumers->moved)
        return;
    for (size_t i = 0; i < consumers->count; i++) {
        struct consumer *row = &consumers->rows[i].consumer;
        if (row->moved && row->written) {
            row->moved = false;
            consumers->moved--;
        }
        row->written = false;
    }
    if (!consumers->moved)
        consumers->due_mono_ns = INT64_MAX;
}

uint64_t consumers_turns(const struct consumers *consumers)
{
    return consumers->turns;
}

uint64_t consumers_lowest(const struct consumers *consumers)
{
    uint64_t lowest = UINT64_MAX;
    for (size_t i = 0; i < consumers->count; i++)
        lowest = consumers->rows[i].consumer.cursor < lowest ? consumers->rows[i].consumer.cursor
                                                             : lowest;
    return lowest;
}

size_t consumers_count(const struct consumers *consumers)
{
    return consumers->count;
}

const struct consumer *consumers_at(const struct consumers *consumers, size_t index)
{
    return &consumers->rows[index].consumer;
}

size_t consumers_behind(const struct consumers *consumers, tc_str name)
{
    bool found = false;
    return place_of(consumers, name, &found) + (found ? 1 : 0);
}
