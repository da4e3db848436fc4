#include "client/pull.h"
#include "client/parse.h"
#include "common/clock.h"

#include <jansson.h>
#include <stdio.h>

enum {
    MAX_N = 500, // the protocol's most
    MAX_BYTES = 1024 * 1024,
    WAIT_MS =
        20000, // with the time limit added, a broker that hangs is noticed within half a minute
    PAUSE_MS = 1000, // after a refusal
};

static bool is_name(const char *text)
{
    size_t len = strlen(text);
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return len > 0 && len < PULL_NAME_BYTES && strspn(text, allowed) == len;
}

static int set_consumer(struct pull *pull, const char *consumer, struct tc_err *err)
{
    if (!consumer)
        return TC_OK;
    if (!is_name(consumer))
        return tc_fail(err, TC_EINVAL,
                       "'%s' is no consumer name: 1 to 63 of a-z A-Z 0-9 '.' '_' '-'", consumer);
    if (pull->start == TOCSIN_FROM_AFTER)
        return tc_fail(err, TC_EINVAL, "a consumer begins at its cursor, not at a number");
    memcpy(pull->consumer, consumer, strlen(consumer) + 1);
    return TC_OK;
}

int pull_read_since(const char *text, char out[PULL_TIME_BYTES], struct tc_err *err)
{
    int64_t since = 0;
    if (!text || !tc_time_read(tc_str_of(text), &since))
        return tc_fail(err, TC_EINVAL, "'%s' is no time (RFC 3339, 2025-03-01T05:00:00Z)",
                       text ? text : "");
    tc_time_text(since, out);
    return TC_OK;
}

static int set_start(struct pull *pull, const struct tocsin_stream *wanted, struct tc_err *err)
{
    pull->start = wanted->start;
    pull->after = wanted->after;
    if (wanted->start > TOCSIN_FROM_SINCE)
        return tc_fail(err, TC_EINVAL, "%d is no enum tocsin_start", (int)wanted->start);
    return wanted->start == TOCSIN_FROM_SINCE ? pull_read_since(wanted->since, pull->since, err)
                                              : TC_OK;
}

int pull_init(struct pull *pull, void *context, const char *endpoint,
              const struct tocsin_stream *wanted, const char *consumer, struct tc_err *err)
{
    static const struct tocsin_stream everything = {0};
    struct pull made = {0};
    if (!wanted)
        wanted = &everything;
    int code = set_start(&made, wanted, err);
    if (code == TC_OK)
        code = set_consumer(&made, consumer, err);
    if (code == TC_OK)
        code = filter_init(&made.filter, wanted->filters, wanted->filter_count, err);
    if (code != TC_OK)
        return code;
    peer_init(&made.peer, context, endpoint, "broker");
    *pull = made;
    return TC_OK;
}

void pull_done(struct pull *pull)
{
    peer_done(&pull->peer);
    filter_done(&pull->filter);
    event_done(&pull->event);
}

void pull_write_place(const char *key, enum tocsin_start start, uint64_t after, const char *since,
                      struct tc_json *json)
{
    static const char *const words[] = {
        [TOCSIN_FROM_EARLIEST] = "earliest",
        [TOCSIN_FROM_NOW] = "latest",
    };
    if (start == TOCSIN_FROM_SINCE)
        tc_json_put_str(json, "since", tc_str_of(since));
    else if (start == TOCSIN_FROM_AFTER)
        tc_json_put_u64(json, key, after);
    else
        tc_json_put_str(json, key, tc_str_of(words[start]));
}

void pull_acknowledged(struct pull *pull, uint64_t seq)
{
    if (seq > pull->acknowledged)
        pull->acknowledged = seq;
}

void pull_sought(struct pull *pull, uint64_t seq)
{
    pull->after = pull->given = pull->acknowledged = seq;
    pull->stale = pull->holding = false;
    pull->asked_on = 0; // an answer that is still to come is an older question's
    pull->not_before = 0;
}

static void write_attach(const struct pull *pull, struct tc_json *json)
{
    tc_json_put_str(json, "consumer", tc_str_of(pull->consumer));
    pull_write_place("start", pull->start, 0, pull->since, json);
    filter_write(&pull->filter, json);
    if (pull->filter.count == 0) { // the name may have kept some
        tc_json_key(json, "filters");
        tc_json_open(json, '[');
        tc_json_close(json, ']');
    }
}

static void write_lease(const struct pull *pull, struct tc_json *json)
{
    tc_json_put_str(json, "consumer", tc_str_of(pull->consumer));
    tc_json_put_str(json, "lease", tc_str_of(pull->lease));
}

// Once pinned the FETCH begins at a number of a known history; before that where the caller said.
static void write_fetch(const struct pull *pull, int64_t wait_ms, struct tc_json *json)
{
    if (pull->pinned) {
        tc_json_put_u64(json, "after", pull->after);
        tc_json_put_str(json, "epoch", tc_str_of(pull->epoch));
    } else {
        pull_write_place("after", pull->start, pull->after, pull->since, json);
    }
    if (pull->consumer[0]) {
        write_lease(pull, json);
        if (pull->given <= pull->acknowledged)
            tc_json_put_u64(json, "ack", pull->after);
    } else {
        filter_write(&pull->filter, json);
    }
    tc_json_put_u64(json, "max_n", MAX_N);
    tc_json_put_u64(json, "max_bytes", MAX_BYTES);
    tc_json_put_u64(json, "wait_ms", (uint64_t)wait_ms);
}

static int ask(struct pull *pull, struct tc_err *err)
{
    bool waits = pull->pinned && !pull->once && pull->state == PULL_UP;
    int64_t wait_ms = waits ? WAIT_MS : 0;
    struct tc_json *json = peer_question(&pull->peer);
    const char *command = "FETCH";
    if (pull->consumer[0] && !pull->lease[0]) {
        command = "ATTACH";
        write_attach(pull, json);
    } else if (pull->stale) {
        command = "SEEK";
        write_lease(pull, json);
        tc_json_put_u64(json, "after", pull->after);
        tc_json_put_str(json, "epoch", tc_str_of(pull->epoch));
    } else {
        write_fetch(pull, wait_ms, json);
    }
    int code = peer_send(&pull->peer, command, (tc_str){0}, err);
    if (code == TC_OK) {
        pull->asked_on = pull->peer.wire.times_up;
        pull->answer_by = tc_mono_ns() + (wait_ms + pull->timeout_ms) * TC_MS;
    }
    return code;
}

static int tell_epoch(const struct pull *pull, struct tocsin_event *out)
{
    *out = event_notice(TOCSIN_EPOCH);
    out->epoch = pull->epoch;
    return TC_OK;
}

// The history is another one. A consumer attaches anew, which says where its cursor stands; any other
// stream begins at its oldest alert.
static int other_epoch(struct pull *pull, struct tocsin_event *out)
{
    pull->pinned = pull->end_known = false;
    pull->given = pull->acknowledged = 0;
    pull->lease[0] = '\0';
    if (pull->consumer[0])
        return TC_ENOENT;
    snprintf(pull->epoch, sizeof pull->epoch, "%s", parse_text(pull->peer.answer, "epoch"));
    pull->start = TOCSIN_FROM_EARLIEST;
    return tell_epoch(pull, out);
}

// ATTACH was answered: the name is ours.
static int take_lease(struct pull *pull, struct tocsin_event *out, struct tc_err *err)
{
    const json_t *header = pull->peer.answer;
    const char *token = parse_text(header, "token"), *epoch = parse_text(header, "epoch");
    uint64_t cursor = 0, head = 0;
    if (strlen(token) != PULL_EPOCH_BYTES - 1 || strlen(epoch) != PULL_EPOCH_BYTES - 1 ||
        !tc_json_get_u64(header, "cursor", &cursor) || !tc_json_get_u64(header, "head", &head))
        return tc_fail(err, TC_EPROTO,
                       "the broker answered ATTACH without token, epoch, cursor, head");
    pull->stale = strcmp(parse_text(header, "cursor_epoch"), epoch) != 0;
    bool other = pull->stale || (pull->epoch[0] && strcmp(pull->epoch, epoch) != 0);
    memcpy(pull->lease, token, PULL_EPOCH_BYTES);
    memcpy(pull->epoch, epoch, PULL_EPOCH_BYTES);
    cursor = cursor < head ? cursor : head;
    pull->after = pull->given = pull->acknowledged = cursor;
    pull->pinned = true;
    return other ? tell_epoch(pull, out) : TC_ENOENT;
}

static int take_seek(struct pull *pull, struct tc_err *err)
{
    uint64_t cursor = 0;
    if (!tc_json_get_u64(pull->peer.answer, "cursor", &cursor))
        return tc_fail(err, TC_EPROTO, "the broker answered SEEK without a cursor");
    pull_sought(pull, cursor);
    return TC_ENOENT;
}

static int give_fenced(struct pull *pull, struct tocsin_event *out)
{
    pull->ended = pull->fenced = true;
    pull->holding = false;
    *out = event_notice(TOCSIN_FENCED);
    out->epoch = pull->epoch;
    return TC_OK;
}

// A BATCH came: remembers what is to be given out of it.
static int hold(struct pull *pull, struct tocsin_event *out, struct tc_err *err)
{
    const json_t *header = pull->peer.answer;
    const char *epoch = parse_text(header, "epoch");
    uint64_t next_after = 0, head = 0;
    if (strlen(epoch) != PULL_EPOCH_BYTES - 1 ||
        !tc_json_get_u64(header, "next_after", &next_after) ||
        !tc_json_get_u64(header, "head", &head))
        return tc_fail(err, TC_EPROTO, "the broker answered FETCH without epoch, head, next_after");
    if (pull->pinned && strcmp(epoch, pull->epoch) != 0)
        return other_epoch(pull, out);
    if (!pull->pinned && pull->start != TOCSIN_FROM_AFTER)
        pull->after = 0;
    memcpy(pull->epoch, epoch, PULL_EPOCH_BYTES);
    pull->pinned = true;
    if (!pull->end_known)
        pull->end = head;
    pull->end_known = true;
    pull->head = head;
    pull->next_after = next_after;
    pull->holding = true;
    pull->tell_connected = pull->state != PULL_UP;
    pull->tell_gap = json_is_object(json_object_get(header, "gap"));
    pull->damaged_told = pull->events_told = 0;
    pull->state = PULL_UP;
    return TC_ENOENT;
}

// An answer is there: TC_OK when it is an event itself, TC_ENOENT when it is now held or dropped.
static int take_answer(struct pull *pull, struct tocsin_event *out, struct tc_err *err)
{
    const struct peer *peer = &pull->peer;
    pull->asked_on = 0;
    if (tc_str_eq(peer->command, TC_STR("BATCH")))
        return hold(pull, out, err);
    if (tc_str_eq(peer->command, TC_STR("LEASE")))
        return take_lease(pull, out, err);
    if (tc_str_eq(peer->command, TC_STR("OK")))
        return take_seek(pull, err);
    const char *code = parse_text(peer->answer, "code");
    if (!strcmp(code, "superseded"))
        return TC_ENOENT;
    if (!strcmp(code, "epoch"))
        return other_epoch(pull, out);
    if (!strcmp(code, "fenced") && pull->consumer[0])
        return give_fenced(pull, out);
    pull->not_before = tc_mono_ns() + PAUSE_MS * TC_MS;
    return peer_refused(peer, err);
}

// The next event of the held answer. TC_ENOENT: skipped one that was given before.
static int give_event(struct pull *pull, struct tocsin_event *out, struct tc_err *err)
{
    const struct tc_frames *frames = pull->peer.frames;
    tc_str json = tc_frames_at(frames, pull->peer.payload + pull->events_told);
    int code = event_read(&pull->event, json, out, err);
    if (code == TC_ENOMEM)
        return code;
    pull->events_told++;
    if (code != TC_OK)
        return TC_EPROTO;
    if (out->seq <= pull->after)
        return TC_ENOENT;
    pull->after = pull->given = out->seq;
    return TC_OK;
}

static int give_gap(struct pull *pull, struct tocsin_event *out)
{
    const json_t *gap = json_object_get(pull->peer.answer, "gap");
    *out = event_notice(TOCSIN_GAP);
    tc_json_get_u64(gap, "from", &out->from);
    tc_json_get_u64(gap, "to", &out->to);
    tc_json_get_u64(gap, "count", &out->count);
    out->epoch = pull->epoch;
    pull->tell_gap = false;
    if (out->to > pull->after) // the caller knows of it when he asks for the next
        pull->after = out->to;
    return TC_OK;
}

static int give_damaged(struct pull *pull, const json_t *damaged, struct tocsin_event *out)
{
    const json_t *number = json_array_get(damaged, pull->damaged_told++);
    *out = event_notice(TOCSIN_DAMAGED);
    out->seq = (uint64_t)json_integer_value(number);
    out->epoch = pull->epoch;
    return TC_OK;
}

// Everything of the held answer was given. TC_OK when that was the end of a query.
static int let_go(struct pull *pull, struct tocsin_event *out)
{
    bool gap = json_is_object(json_object_get(pull->peer.answer, "gap"));
    bool stuck = !gap && pull->events_told == 0 && pull->next_after <= pull->after;
    if (pull->next_after > pull->after)
        pull->after = pull->next_after;
    pull->holding = false;
    if (!pull->once || (pull->after < pull->end && !stuck))
        return TC_ENOENT;
    pull->ended = true;
    *out = event_notice(TOCSIN_END);
    out->epoch = pull->epoch;
    return TC_OK;
}

// The next thing in hand. TC_ENOENT: nothing this time.
static int give(struct pull *pull, struct tocsin_event *out, struct tc_err *err)
{
    const json_t *damaged = json_object_get(pull->peer.answer, "damaged");
    if (pull->tell_connected) {
        pull->tell_connected = false;
        *out = event_notice(TOCSIN_CONNECTED);
        out->seq = pull->head;
        out->epoch = pull->epoch;
        return TC_OK;
    }
    if (pull->tell_gap)
        return give_gap(pull, out);
    if (pull->damaged_told < json_array_size(damaged))
        return give_damaged(pull, damaged, out);
    if (pull->peer.payload + pull->events_told < tc_frames_count(pull->peer.frames))
        return give_event(pull, out, err);
    return let_go(pull, out);
}

// Looks at the clock and the connection. TC_OK when an outage is to be told.
static int notice_outage(struct pull *pull, int64_t now, struct tocsin_event *out,
                         struct tc_err *err)
{
    bool lost = pull->state == PULL_UP && pull->peer.wire.socket && !pull->peer.wire.up;
    bool silent = pull->asked_on && now >= pull->answer_by;
    bool never = pull->state == PULL_BEGINNING && now >= pull->down_by;
    if (silent)
        peer_reset(&pull->peer);
    if (silent || pull->asked_on != pull->peer.wire.times_up || !pull->peer.wire.up)
        pull->asked_on = 0; // an answer to it cannot come any more
    if (!lost && !never && !(silent && pull->state == PULL_UP))
        return TC_ENOENT;
    pull->state = PULL_DOWN;
    *out = event_notice(TOCSIN_DISCONNECTED);
    out->epoch = pull->epoch;
    return wire_refused(&pull->peer.wire, pull->peer.endpoint, pull->peer.name, true, err);
}

// When to look again, at the latest.
static int64_t look_again(const struct pull *pull, int64_t until, int64_t now)
{
    if (pull->asked_on && pull->answer_by < until)
        until = pull->answer_by;
    if (pull->not_before > now && pull->not_before < until)
        until = pull->not_before;
    if (pull->state == PULL_BEGINNING && pull->down_by < until)
        until = pull->down_by;
    return until;
}

// An answer came and could not be taken in: the same is asked again, after nonsense not at once.
static void drop_answer(struct pull *pull, int code)
{
    pull->asked_on = 0;
    if (code != TC_ENOMEM)
        pull->not_before = tc_mono_ns() + PAUSE_MS * TC_MS;
}

// Asks if it is time to, waits, and takes in what came. TC_ENOENT: nothing to give out yet.
static int turn(struct pull *pull, int64_t until, struct tocsin_event *out, struct tc_err *err)
{
    int64_t now = tc_mono_ns();
    int code = notice_outage(pull, now, out, err);
    bool due = !pull->asked_on && now >= pull->not_before;
    if (code == TC_ENOENT && due && pull->peer.wire.up) {
        code = ask(pull, err);
        code = code == TC_OK || code == TC_EBUSY ? TC_ENOENT : code;
    }
    if (code != TC_ENOENT)
        return code;
    code = peer_wait(&pull->peer, look_again(pull, until, now), due && !pull->asked_on, err);
    if (code != TC_OK)
        return code;
    code = peer_receive(&pull->peer, err);
    if (code == TC_OK)
        return take_answer(pull, out, err);
    if (code != TC_ENOENT)
        drop_answer(pull, code);
    return code;
}

int pull_next(struct pull *pull, int64_t until, struct tocsin_event *out, struct tc_err *err)
{
    if (pull->ended)
        return tc_fail(err, TC_EINVAL,
                       pull->fenced ? "another process consumes under this name now"
                                    : "the query has ended");
    if (pull->fenced)
        return give_fenced(pull, out);
    if (!pull->down_by)
        pull->down_by = tc_mono_ns() + pull->timeout_ms * TC_MS;
    for (;;) {
        int code = pull->holding ? give(pull, out, err) : turn(pull, until, out, err);
        if (code != TC_ENOENT)
            return code;
        if (!pull->holding && tc_mono_ns() >= until)
            return TC_ETIMEOUT;
    }
}
