#include "broker/fetch.h"

#include "broker/filter.h"
#include "common/clock.h"
#include "common/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { DAMAGED_MOST = 100 }; // named in one answer; a run ends when there are more

struct fetch {
    uint64_t after;
    uint64_t looked_to; // head when it last ran
    bool ran;
    uint64_t max_n, max_bytes;
    int64_t deadline_mono_ns;
    struct filter *filter;
    bool allow_gap;
    char consumer[CONSUMER_NAME_BYTES]; // that it speaks for, under this lease; "" none
    bool leased;
    struct tc_id lease;
};

// What one run has found so far.
struct run {
    uint64_t next_after, scanned;
    uint64_t damaged[DAMAGED_MOST];
    size_t damaged_count;
    bool at_end; // nothing is left to read
};

void fetch_free(struct fetch *fetch)
{
    if (!fetch)
        return;
    filter_free(fetch->filter);
    free(fetch);
}

int64_t fetch_deadline(const struct fetch *fetch)
{
    return fetch->deadline_mono_ns;
}

bool fetch_due(const struct fetch *fetch, const struct store *store)
{
    return !fetch->ran || store_marks(store)->head > fetch->looked_to;
}

// --- reading the request ---

static int read_limit(const json_t *header, const char *key, uint64_t least, uint64_t most,
                      uint64_t *out, struct tc_err *err)
{
    uint64_t value = 0;
    if (!json_object_get(header, key))
        return TC_OK;
    int code = request_u64(header, key, &value, err);
    if (code == TC_OK && (value < least || value > most))
        code = tc_fail(err, TC_EPARSE, "\"%s\" is not between %llu and %llu", key,
                       (unsigned long long)least, (unsigned long long)most);
    if (code == TC_OK)
        *out = value;
    return code;
}

// A consumer that this FETCH makes known.
static int add_consumer(const json_t *header, const struct lease_room *room, tc_str name,
                        struct tc_err *err)
{
    struct consumer made;
    int code = lease_make(room, name, header, &made, err);
    return code == TC_OK ? consumers_put(room->consumers, &made, err) : code;
}

// Nobody's yet: it is the peer's from now on.
static int claim(const struct consumer *known, const struct lease_room *room, struct tc_err *err)
{
    struct consumer mine = *known;
    if (known->owner[0] || !room->peer)
        return TC_OK;
    snprintf(mine.owner, sizeof mine.owner, "%.*s", TC_ARG(consumers_owner(room->peer)));
    return consumers_put(room->consumers, &mine, err);
}

// The consumer that the request speaks for, if any; it is then known.
static int enter(struct fetch *fetch, const json_t *header, const struct lease_room *room,
                 const struct consumer **out, struct tc_err *err)
{
    tc_str name = {0};
    int code = TC_OK;
    if (!json_object_get(header, "consumer"))
        return json_object_get(header, "start") || json_object_get(header, "lease") ||
                       json_object_get(header, "ack") ||
                       tc_str_eq(tc_json_get_str(header, "after"), TC_STR("cursor"))
                   ? tc_fail(err, TC_EPARSE,
                             "\"cursor\", \"start\", \"lease\" and \"ack\" want a \"consumer\"")
                   : TC_OK;
    code = lease_enter(room, header, &name, out, err);
    if (code == TC_ENOENT)
        code = add_consumer(header, room, name, err);
    else if (code == TC_OK)
        code = claim(*out, room, err);
    if (code == TC_OK && json_object_get(header, "ack"))
        code = lease_move(room, header, "ack", name, err);
    if (code != TC_OK)
        return code;
    const struct consumer *known = consumers_find(room->consumers, name);
    snprintf(fetch->consumer, sizeof fetch->consumer, "%s", known->name);
    fetch->leased = known->leased;
    fetch->lease = known->lease;
    *out = known;
    return TC_OK;
}

// Where to begin. A consumer begins at its cursor unless the request names another place.
static int read_after(const json_t *header, const struct lease_room *room,
                      const struct consumer *consumer, uint64_t *after, struct tc_err *err)
{
    const json_t *place = json_object_get(header, "after");
    bool cursor = tc_str_eq(tc_json_get_str(header, "after"), TC_STR("cursor"));
    if (consumer && (cursor || !place)) {
        *after = consumer->cursor;
        return lease_check_cursor(room, consumer, err);
    }
    if (json_is_integer(place) && !json_object_get(header, "since"))
        return request_u64(header, "after", after, err);
    if (place && !json_is_string(place))
        return tc_fail(err, TC_EPARSE,
                       "\"after\" is no number, \"earliest\", \"latest\" or \"cursor\", or there "
                       "is \"since\" too");
    return lease_place(room, header, "after", after, err);
}

// What the request names, else what the consumer keeps.
static int read_filters(const json_t *header, const struct consumer *consumer,
                        struct filter *filter, struct tc_err *err)
{
    const json_t *list = json_object_get(header, "filters");
    json_t *kept = NULL;
    if (list || !consumer || !consumer->filters[0])
        return list ? filter_add_list(filter, list, err) : TC_OK;
    int code = tc_json_read(tc_str_of(consumer->filters), &kept, err);
    if (code == TC_OK)
        code = filter_add_list(filter, kept, err);
    json_decref(kept);
    return code;
}

static int read_all(struct fetch *fetch, const json_t *header, const struct lease_room *room,
                    struct tc_err *err)
{
    uint64_t wait_ms = 0;
    const struct consumer *consumer = NULL;
    const json_t *allow = json_object_get(header, "allow_gap");
    int code = read_limit(header, "max_n", 1, FETCH_EVENTS_MOST, &fetch->max_n, err);
    if (code == TC_OK)
        code = read_limit(header, "max_bytes", 1, FETCH_BYTES_MOST, &fetch->max_bytes, err);
    if (code == TC_OK)
        code = read_limit(header, "wait_ms", 0, FETCH_WAIT_MOST_MS, &wait_ms, err);
    if (code == TC_OK && allow && !json_is_boolean(allow))
        code = tc_fail(err, TC_EPARSE, "\"allow_gap\" is not true or false");
    if (code == TC_OK)
        code = lease_check_epoch(room, header, err);
    if (code == TC_OK && !json_object_get(header, "consumer"))
        code = read_filters(header, NULL, fetch->filter, err);
    if (code == TC_OK)
        code = enter(fetch, header, room, &consumer, err);
    if (code == TC_OK && consumer)
        code = read_filters(header, consumer, fetch->filter, err);
    if (code == TC_OK)
        code = read_after(header, room, consumer, &fetch->after, err);
    fetch->allow_gap = json_is_true(allow);
    fetch->deadline_mono_ns = room->now_mono_ns + (int64_t)wait_ms * TC_MS;
    return code;
}

int fetch_open(const struct request *request, const struct lease_room *room, struct answer *answer,
               struct fetch **out, struct tc_err *err)
{
    static const char *const known[] = {"after",   "since",     "consumer", "start", "lease",
                                        "ack",     "epoch",     "filters",  "max_n", "max_bytes",
                                        "wait_ms", "allow_gap", NULL};
    json_t *header = NULL;
    int code = request_header(request, known, answer, &header, err);
    if (code != TC_OK)
        return code;
    struct fetch *fetch = tc_new(sizeof *fetch);
    fetch->max_n = FETCH_EVENTS_DEFAULT;
    fetch->max_bytes = FETCH_BYTES_MOST;
    fetch->filter = filter_new();
    if (request->peer && request->peer->read_count)
        filter_restrict(fetch->filter, request->peer->read, request->peer->read_count);
    code = read_all(fetch, header, room, err);
    if (code == TC_OK) {
        *out = fetch;
        fetch = NULL; // the caller's now
    }
    fetch_free(fetch);
    json_decref(header);
    return code;
}

bool fetch_fenced(const struct fetch *fetch, const struct consumers *consumers,
                  struct answer *answer)
{
    if (!fetch->consumer[0])
        return false;
    const struct consumer *row = consumers_find(consumers, tc_str_of(fetch->consumer));
    if (row && row->leased == fetch->leased && tc_id_eq(row->lease, fetch->lease))
        return false;
    answer_refuse(answer, "fenced",
                  row ? "another process has taken this consumer over"
                      : "this consumer was dropped");
    return true;
}

// --- running ---

// Takes one row into the answer. False when the run is to end before it.
static bool take(const struct fetch *fetch, const struct store_alert *alert, bool whole,
                 struct run *run, struct answer *answer)
{
    if (!whole) {
        if (run->damaged_count == DAMAGED_MOST)
            return false;
        run->damaged[run->damaged_count++] = alert->seq;
    } else if (filter_passes(fetch->filter, alert->topic, alert->labels)) {
        // The first event goes out whatever its size: a limit must not stop the stream.
        if (answer->count && answer->frames.len + alert->body.len > fetch->max_bytes)
            return false;
        answer_frame(answer, alert->body);
    }
    run->next_after = alert->seq;
    run->scanned++;
    return true;
}

static bool late(const struct fetch_budget *budget, const struct run *run)
{
    return run->scanned && run->scanned % FETCH_LOOK_ROWS == 0 &&
           tc_mono_ns() >= budget->end_mono_ns;
}

static int scan(const struct fetch *fetch, struct store *store, const struct fetch_budget *budget,
                struct run *run, struct answer *answer, struct tc_err *err)
{
    struct store_alert alert;
    int code = store_walk(store, fetch->after, filter_one_topic(fetch->filter), err);
    while (code == TC_OK && answer->count < fetch->max_n && run->scanned < FETCH_ROWS &&
           !late(budget, run)) {
        code = store_walk_next(store, &alert, err);
        if (code != TC_OK && code != TC_ECORRUPT)
            break;
        if (!take(fetch, &alert, code == TC_OK, run, answer))
            code = TC_ESTOP;
        else
            code = TC_OK;
    }
    store_walk_end(store);
    run->at_end = code == TC_ENOENT;
    return code == TC_ENOENT || code == TC_ESTOP ? TC_OK : code;
}

static void put_gap(struct tc_json *json, uint64_t after, uint64_t first)
{
    tc_json_key(json, "gap");
    tc_json_open(json, '{');
    tc_json_put_u64(json, "from", after + 1);
    tc_json_put_u64(json, "to", first - 1);
    tc_json_put_u64(json, "count", first - 1 - after);
    tc_json_close(json, '}');
}

static void put_damaged(struct tc_json *json, const struct run *run)
{
    tc_json_key(json, "damaged");
    tc_json_open(json, '[');
    for (size_t i = 0; i < run->damaged_count; i++)
        tc_json_u64(json, run->damaged[i]);
    tc_json_close(json, ']');
}

// The events are in the answer already; this is the header before them.
static void put_batch(const struct fetch *fetch, const struct store *store, const struct run *run,
                      struct answer *answer)
{
    const struct store_marks *marks = store_marks(store);
    size_t count = answer->count;
    struct tc_json json = answer_header(answer, "BATCH");
    answer_put_id(&json, "epoch", marks->epoch);
    tc_json_put_u64(&json, "head", marks->head);
    tc_json_put_u64(&json, "first", marks->first);
    tc_json_put_u64(&json, "n", count);
    tc_json_put_u64(&json, "next_after", run->next_after);
    tc_json_put_u64(&json, "scanned", run->scanned);
    if (fetch->after + 1 < marks->first)
        put_gap(&json, fetch->after, marks->first);
    if (run->damaged_count)
        put_damaged(&json, run);
    tc_json_close(&json, '}');
}

// What a run has cost, in rows: an event is copied and sent besides.
static void spend(struct fetch_budget *budget, const struct run *run, size_t events)
{
    size_t cost = (size_t)run->scanned + events + FETCH_RUN_ROWS;
    bool over = tc_mono_ns() >= budget->end_mono_ns;
    budget->rows = budget->rows > cost && !over ? budget->rows - cost : 0;
    budget->damaged += run->damaged_count;
}

bool fetch_run(struct fetch *fetch, struct store *store, int64_t now_mono_ns, struct answer *answer,
               struct fetch_budget *budget)
{
    if (budget->rows == 0)
        return false;
    const struct store_marks *marks = store_marks(store);
    struct run run = {.next_after = fetch->after};
    struct tc_err err;
    bool gap = fetch->after + 1 < marks->first;
    answer_begin(answer, "BATCH");
    // Behind a gap the client must say that it knows of it: only that is told.
    int code = TC_OK;
    if (!gap || fetch->allow_gap)
        code = scan(fetch, store, budget, &run, answer, &err);
    spend(budget, &run, answer->count);
    fetch->ran = true;
    if (code != TC_OK) {
        answer_refuse(answer, "disk", err.text);
        return true;
    }
    if (run.at_end && run.next_after < marks->head)
        run.next_after = marks->head;
    fetch->looked_to = marks->head;
    bool something = answer->count || run.damaged_count || gap;
    if (!something && run.at_end && now_mono_ns < fetch->deadline_mono_ns) {
        fetch->after = run.next_after;
        return false;
    }
    put_batch(fetch, store, &run, answer);
    return true;
}
