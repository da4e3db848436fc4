#include "broker/lease.h"

#include "broker/filter.h"
#include "common/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIST_MOST = 100 }; // consumers in one answer

// --- shared with FETCH ---

int lease_check_epoch(const struct lease_room *room, const json_t *header, struct tc_err *err)
{
    struct tc_id epoch;
    if (!json_object_get(header, "epoch"))
        return TC_OK;
    int code = request_id(header, "epoch", &epoch, err);
    if (code == TC_OK && !tc_id_eq(epoch, store_marks(room->store)->epoch))
        code = tc_fail(err, TC_EVERSION, "the history is another one: its numbers begin anew");
    return code;
}

int lease_check_cursor(const struct lease_room *room, const struct consumer *consumer,
                       struct tc_err *err)
{
    return tc_id_eq(consumer->epoch, store_marks(room->store)->epoch)
               ? TC_OK
               : tc_fail(err, TC_EVERSION,
                         "the cursor of \"%s\" counts in another history: SEEK says where to go on",
                         consumer->name);
}

int lease_place(const struct lease_room *room, const json_t *header, const char *key, uint64_t *out,
                struct tc_err *err)
{
    const struct store_marks *marks = store_committed(room->store);
    tc_str word = tc_json_get_str(header, key);
    tc_str since = tc_json_get_str(header, "since");
    int64_t wall_ns = 0;
    uint64_t seq = 0;
    if (word.len && json_object_get(header, "since"))
        return tc_fail(err, TC_EPARSE, "\"%s\" and \"since\" exclude each other", key);
    if (tc_str_eq(word, TC_STR("latest"))) {
        *out = marks->head;
    } else if (tc_str_eq(word, TC_STR("earliest"))) {
        *out = marks->first - 1;
    } else if (json_object_get(header, key)) {
        return tc_fail(err, TC_EPARSE, "\"%s\" is not \"earliest\" or \"latest\"", key);
    } else if (json_object_get(header, "since")) {
        if (!tc_time_read(since, &wall_ns))
            return tc_fail(err, TC_EPARSE, "\"since\" is no RFC 3339 time");
        int code = store_since(room->store, wall_ns, &seq, err);
        if (code != TC_OK)
            return code;
        // An alert that is not committed yet may still be taken back, and its number given again.
        *out = seq - 1 < marks->head ? seq - 1 : marks->head;
    } else {
        *out = marks->first - 1;
    }
    return TC_OK;
}

int lease_enter(const struct lease_room *room, const json_t *header, tc_str *name,
                const struct consumer **out, struct tc_err *err)
{
    struct tc_id lease;
    bool shown = json_object_get(header, "lease") != NULL;
    int code = request_name(header, "consumer", name, err);
    if (code == TC_OK && shown)
        code = request_id(header, "lease", &lease, err);
    if (code == TC_OK)
        code = consumers_enter(room->consumers, *name, room->peer, shown ? &lease : NULL, out, err);
    return code;
}

int lease_make(const struct lease_room *room, tc_str name, const json_t *header,
               struct consumer *out, struct tc_err *err)
{
    uint64_t start = 0;
    int code = lease_place(room, header, "start", &start, err);
    if (code != TC_OK)
        return code;
    *out = (struct consumer){
        .filters = "",
        .epoch = store_marks(room->store)->epoch,
        .cursor = start,
        .start = start,
        .seen_wall_ns = room->now_wall_ns,
    };
    snprintf(out->name, sizeof out->name, "%.*s", TC_ARG(name));
    snprintf(out->owner, sizeof out->owner, "%.*s", TC_ARG(consumers_owner(room->peer)));
    return TC_OK;
}

static int read_seq(const struct lease_room *room, const json_t *header, const char *key,
                    uint64_t *seq, struct tc_err *err)
{
    uint64_t head = store_committed(room->store)->head;
    int code = request_u64(header, key, seq, err);
    if (code == TC_OK && *seq > head)
        code = tc_fail(err, TC_EPARSE, "\"%s\" is %llu, but the last alert is %llu", key,
                       (unsigned long long)*seq, (unsigned long long)head);
    return code;
}

int lease_move(const struct lease_room *room, const json_t *header, const char *key, tc_str name,
               struct tc_err *err)
{
    uint64_t seq = 0;
    int code = lease_check_cursor(room, consumers_find(room->consumers, name), err);
    if (code == TC_OK)
        code = read_seq(room, header, key, &seq, err);
    if (code == TC_OK)
        consumers_move(room->consumers, name, seq, room->now_wall_ns, room->now_mono_ns);
    return code;
}

// --- ATTACH ---

// The filters that a consumer keeps, as text. `kept` is its memory.
static int read_filters(const json_t *header, struct consumer *row, char **kept, struct tc_err *err)
{
    const json_t *list = json_object_get(header, "filters");
    struct filter *filter = filter_new();
    int code = list ? filter_add_list(filter, list, err) : TC_OK;
    filter_free(filter);
    if (code != TC_OK || !list)
        return code;
    *kept = json_array_size(list) ? json_dumps(list, JSON_COMPACT) : NULL;
    row->filters = *kept ? *kept : "";
    if (strlen(row->filters) >= CONSUMER_FILTERS_BYTES)
        return tc_fail(err, TC_ENOMEM, "the filters of a consumer are at most %d bytes together",
                       CONSUMER_FILTERS_BYTES);
    return TC_OK;
}

static void answer_lease(const struct lease_room *room, const struct consumer *row,
                         struct answer *answer)
{
    const struct store_marks *marks = store_committed(room->store);
    struct tc_json json = answer_begin(answer, "LEASE");
    answer_put_id(&json, "token", row->lease);
    tc_json_put_u64(&json, "cursor", row->cursor);
    answer_put_id(&json, "cursor_epoch", row->epoch);
    answer_put_id(&json, "epoch", marks->epoch);
    tc_json_put_u64(&json, "head", marks->head);
    tc_json_put_u64(&json, "first", marks->first);
    tc_json_close(&json, '}');
}

// Attaching needs no lease: it takes the one there is away.
static int find_or_make(const struct lease_room *room, const json_t *header, struct consumer *row,
                        struct tc_err *err)
{
    const struct consumer *known = NULL;
    tc_str name = {0};
    int code = request_name(header, "consumer", &name, err);
    if (code != TC_OK)
        return code;
    known = consumers_find(room->consumers, name);
    if (!known)
        return lease_make(room, name, header, row, err);
    code = consumers_enter(room->consumers, name, room->peer, known->leased ? &known->lease : NULL,
                           &known, err);
    if (code != TC_OK)
        return code;
    *row = *known;
    row->seen_wall_ns = room->now_wall_ns;
    if (!row->owner[0] && room->peer)
        snprintf(row->owner, sizeof row->owner, "%.*s", TC_ARG(consumers_owner(room->peer)));
    return TC_OK;
}

int lease_attach(const struct request *request, const struct lease_room *room,
                 struct answer *answer, struct tc_err *err)
{
    static const char *const known[] = {"consumer", "filters", "start", "since", "epoch", NULL};
    struct consumer row;
    json_t *header = NULL;
    char *kept = NULL;
    int code = request_header(request, known, answer, &header, err);
    if (code == TC_OK)
        code = lease_check_epoch(room, header, err);
    if (code == TC_OK)
        code = find_or_make(room, header, &row, err);
    if (code == TC_OK)
        code = read_filters(header, &row, &kept, err);
    if (code == TC_OK) {
        row.leased = true;
        row.lease = tc_id_random();
        code = consumers_put(room->consumers, &row, err);
    }
    if (code == TC_OK)
        answer_lease(room, &row, answer);
    free(kept);
    json_decref(header);
    return code;
}

// --- DETACH, ACK, SEEK ---

static void answer_cursor(const struct lease_room *room, tc_str name, struct answer *answer)
{
    struct tc_json json = answer_begin(answer, "OK");
    tc_json_put_u64(&json, "cursor", consumers_find(room->consumers, name)->cursor);
    answer_put_id(&json, "epoch", store_marks(room->store)->epoch);
    tc_json_close(&json, '}');
}

static int unknown_is_a_mistake(int code)
{
    return code == TC_ENOENT ? TC_EPARSE : code;
}

int lease_detach(const struct request *request, const struct lease_room *room,
                 struct answer *answer, struct tc_err *err)
{
    static const char *const known[] = {"consumer", "lease", NULL};
    const struct consumer *row = NULL;
    json_t *header = NULL;
    tc_str name = {0};
    int code = request_header(request, known, answer, &header, err);
    if (code == TC_OK)
        code = unknown_is_a_mistake(lease_enter(room, header, &name, &row, err));
    if (code == TC_OK) {
        struct consumer free_again = *row;
        free_again.leased = false;
        free_again.lease = (struct tc_id){{0}};
        code = consumers_put(room->consumers, &free_again, err);
    }
    if (code == TC_OK)
        answer_cursor(room, name, answer);
    json_decref(header);
    return code;
}

// An ACK of a name that is not known makes it one that begins there.
static int make_at(const struct lease_room *room, const json_t *header, tc_str name,
                   struct tc_err *err)
{
    struct consumer row;
    uint64_t seq = 0;
    int code = read_seq(room, header, "seq", &seq, err);
    if (code == TC_OK)
        code = lease_make(room, name, header, &row, err);
    if (code != TC_OK)
        return code;
    row.cursor = row.start = seq;
    return consumers_put(room->consumers, &row, err);
}

static int acknowledge(const struct lease_room *room, const json_t *header, tc_str *name,
                       struct tc_err *err)
{
    const struct consumer *row = NULL;
    const json_t *sync = json_object_get(header, "sync");
    if (sync && !json_is_boolean(sync))
        return tc_fail(err, TC_EPARSE, "\"sync\" is not true or false");
    int code = lease_check_epoch(room, header, err);
    if (code == TC_OK)
        code = lease_enter(room, header, name, &row, err);
    if (code == TC_ENOENT)
        return make_at(room, header, *name, err);
    if (code == TC_OK)
        code = lease_move(room, header, "seq", *name, err);
    if (code == TC_OK && json_is_true(sync))
        code = consumers_put(room->consumers, consumers_find(room->consumers, *name), err);
    return code;
}

int lease_ack(const struct request *request, const struct lease_room *room, struct answer *answer,
              struct tc_err *err)
{
    static const char *const known[] = {"consumer", "lease", "seq", "epoch", "sync", NULL};
    json_t *header = NULL;
    tc_str name = {0};
    int code = request_header(request, known, answer, &header, err);
    if (code == TC_OK)
        code = acknowledge(room, header, &name, err);
    if (code == TC_OK)
        answer_cursor(room, name, answer);
    json_decref(header);
    return code;
}

// A number, "earliest", "latest", or the place of a time. Without any it is a mistake: a SEEK that
// forgot where to must not begin everything anew.
static int read_target(const struct lease_room *room, const json_t *header, uint64_t *out,
                       struct tc_err *err)
{
    const json_t *place = json_object_get(header, "after");
    if (!place && !json_object_get(header, "since"))
        return tc_fail(err, TC_EPARSE, "SEEK wants \"after\" or \"since\"");
    if (json_is_integer(place) && !json_object_get(header, "since"))
        return read_seq(room, header, "after", out, err);
    return lease_place(room, header, "after", out, err);
}

int lease_seek(const struct request *request, const struct lease_room *room, struct answer *answer,
               struct tc_err *err)
{
    static const char *const known[] = {"consumer", "lease", "after", "since", "epoch", NULL};
    const struct consumer *row = NULL;
    json_t *header = NULL;
    tc_str name = {0};
    uint64_t target = 0;
    int code = request_header(request, known, answer, &header, err);
    if (code == TC_OK)
        code = lease_check_epoch(room, header, err);
    if (code == TC_OK)
        code = unknown_is_a_mistake(lease_enter(room, header, &name, &row, err));
    if (code == TC_OK)
        code = read_target(room, header, &target, err);
    if (code == TC_OK) {
        struct consumer there = *row;
        there.cursor = there.start = target;
        there.epoch = store_marks(room->store)->epoch;
        there.seen_wall_ns = room->now_wall_ns;
        code = consumers_put(room->consumers, &there, err);
    }
    if (code == TC_OK)
        answer_cursor(room, name, answer);
    json_decref(header);
    return code;
}

// --- CONSUMERS ---

static void put_consumer(const struct lease_room *room, const struct consumer *row,
                         struct tc_buf *line)
{
    const struct store_marks *marks = store_committed(room->store);
    bool here = tc_id_eq(row->epoch, marks->epoch);
    struct tc_json json = tc_json_on(line);
    tc_buf_clear(line);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "name", tc_str_of(row->name));
    tc_json_put_u64(&json, "cursor", row->cursor);
    answer_put_id(&json, "cursor_epoch", row->epoch);
    tc_json_put_u64(&json, "lag",
                    here && marks->head > row->cursor ? marks->head - row->cursor : 0);
    tc_json_put_u64(&json, "start", row->start);
    answer_put_time(&json, "seen", row->seen_wall_ns);
    tc_json_put_str(&json, "owner", tc_str_of(row->owner));
    tc_json_put_bool(&json, "leased", row->leased);
    tc_json_key(&json, "filters");
    tc_json_raw(&json, row->filters[0] ? tc_str_of(row->filters) : TC_STR("[]"));
    tc_json_close(&json, '}');
}

static void list(const struct lease_room *room, tc_str behind, struct answer *answer)
{
    struct tc_buf line = {0};
    size_t all = consumers_count(room->consumers);
    size_t at = behind.len ? consumers_behind(room->consumers, behind) : 0, count = 0;
    answer_begin(answer, "CONSUMERS");
    for (; at < all && count < LIST_MOST; at++, count++) {
        put_consumer(room, consumers_at(room->consumers, at), &line);
        answer_frame(answer, tc_buf_view(&line));
    }
    tc_buf_done(&line);
    struct tc_json json = answer_header(answer, "CONSUMERS");
    answer_put_id(&json, "epoch", store_marks(room->store)->epoch);
    tc_json_put_u64(&json, "count", all);
    tc_json_put_u64(&json, "n", count);
    if (at < all)
        tc_json_put_str(&json, "next", tc_str_of(consumers_at(room->consumers, at - 1)->name));
    tc_json_close(&json, '}');
}

static int drop(const struct lease_room *room, tc_str name, struct answer *answer,
                struct tc_err *err)
{
    int code = consumers_drop(room->consumers, name, err);
    if (code != TC_OK)
        return code;
    struct tc_json json = answer_begin(answer, "OK");
    tc_json_close(&json, '}');
    return TC_OK;
}

static int release(const struct lease_room *room, tc_str name, struct answer *answer,
                   struct tc_err *err)
{
    struct consumer row = *consumers_find(room->consumers, name);
    row.owner[0] = '\0';
    row.leased = false;
    row.lease = (struct tc_id){{0}};
    int code = consumers_put(room->consumers, &row, err);
    if (code == TC_OK)
        answer_cursor(room, name, answer);
    return code;
}

static int order(const struct lease_room *room, const json_t *header, struct answer *answer,
                 struct tc_err *err)
{
    tc_str word = tc_json_get_str(header, "do"), name = {0}, behind = {0};
    if (!json_object_get(header, "do")) {
        if (json_object_get(header, "consumer"))
            return tc_fail(err, TC_EPARSE, "\"consumer\" wants \"do\"");
        if (json_object_get(header, "after") &&
            request_name(header, "after", &behind, err) != TC_OK)
            return TC_EPARSE;
        list(room, behind, answer);
        return TC_OK;
    }
    int code = request_name(header, "consumer", &name, err);
    if (code == TC_OK && !consumers_find(room->consumers, name))
        code = tc_fail(err, TC_EPARSE, "there is no consumer \"%.*s\"", TC_ARG(name));
    if (code != TC_OK)
        return code;
    if (tc_str_eq(word, TC_STR("drop")))
        return drop(room, name, answer, err);
    if (tc_str_eq(word, TC_STR("release")))
        return release(room, name, answer, err);
    return tc_fail(err, TC_EPARSE, "\"do\" is not \"drop\" or \"release\"");
}

int lease_consumers(const struct request *request, const struct lease_room *room,
                    struct answer *answer, struct tc_err *err)
{
    static const char *const known[] = {"do", "consumer", "after", NULL};
    json_t *header = NULL;
    int code = request_header(request, known, answer, &header, err);
    if (code == TC_OK)
        code = order(room, header, answer, err);
    json_decref(header);
    return code;
}
