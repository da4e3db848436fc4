#include "client/live.h"
#include "client/parse.h"
#include "common/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { SILENCE_MS = 5000, TOPIC_BYTES = 64 };

struct live_kept {
    struct live_kept *next;
    size_t len;
    char json[];
};

int live_init(struct live *live, void *context, const char *endpoint,
              const struct tocsin_stream *wanted, struct tc_err *err)
{
    struct filter filter = {0};
    int code = filter_init(&filter, wanted ? wanted->filters : NULL,
                           wanted ? wanted->filter_count : 0, err);
    if (code == TC_OK)
        *live = (struct live){.context = context, .endpoint = endpoint, .filter = filter};
    return code;
}

void live_done(struct live *live)
{
    for (struct live_kept *next, *kept = live->kept; kept; kept = next) {
        next = kept->next;
        free(kept);
    }
    wire_close(&live->wire);
    tc_frames_free(live->frames);
    filter_done(&live->filter);
    event_done(&live->event);
}

static int subscribe(struct live *live, struct tc_err *err)
{
    void *socket = live->wire.socket;
    int code = tc_sock_subscribe(socket, TC_STR("~/hb/"), err);
    if (code == TC_OK && live->filter.topics == 0)
        code = tc_sock_subscribe(socket, TC_STR(""), err);
    for (size_t i = 0; code == TC_OK && i < live->filter.count; i++) {
        tc_str topic = filter_topic(&live->filter, i);
        if (topic.ptr)
            code = tc_sock_subscribe(socket, topic, err);
    }
    return code;
}

// Connects if need be.
static int open_live(struct live *live, struct tc_err *err)
{
    if (live->wire.socket)
        return TC_OK;
    if (!live->frames && !(live->frames = tc_frames_new()))
        return tc_fail(err, TC_ENOMEM, "no memory for a message");
    int code = wire_open(&live->wire, live->context, TC_SOCK_SUB, live->curve, err);
    if (code == TC_OK)
        code = subscribe(live, err);
    if (code == TC_OK)
        code = wire_connect(&live->wire, live->endpoint, err);
    if (code != TC_OK)
        wire_close(&live->wire);
    live->heartbeats = false;
    live->down_by = tc_mono_ns() + live->timeout_ms * TC_MS;
    return code;
}

static int tell(struct live *live, enum tocsin_kind kind, struct tocsin_event *out)
{
    *out = event_notice(kind);
    out->epoch = live->epoch;
    return TC_OK;
}

static int tell_lost(struct live *live, uint64_t to, struct tocsin_event *out)
{
    tell(live, TOCSIN_LOST, out);
    out->from = live->last + 1;
    out->to = to;
    out->count = to - live->last;
    live->last = to;
    return TC_OK;
}

// TC_OK when the history is another one than before: its numbers begin anew.
static int notice_epoch(struct live *live, const char *epoch, struct tocsin_event *out)
{
    bool first = !live->epoch[0];
    if (strlen(epoch) != LIVE_EPOCH_BYTES - 1 || !strcmp(epoch, live->epoch))
        return TC_ENOENT;
    memcpy(live->epoch, epoch, LIVE_EPOCH_BYTES);
    live->counting = false;
    live->promised = 0;
    return first ? TC_ENOENT : tell(live, TOCSIN_EPOCH, out);
}

static int take_heartbeat(struct live *live, tc_str json, struct tocsin_event *out,
                          struct tc_err *err)
{
    json_t *beat = NULL;
    uint64_t head = 0;
    int code = parse_object(json, &beat, err);
    if (code == TC_EPARSE)
        tc_err_prefix(err, "a heartbeat was skipped");
    if (code != TC_OK)
        return code == TC_EPARSE ? TC_EPROTO : code;
    live->heartbeats = true;
    live->down_by = tc_mono_ns() + SILENCE_MS * TC_MS;
    tc_json_get_u64(beat, "head", &head);
    code = notice_epoch(live, parse_text(beat, "epoch"), out);
    json_decref(beat);
    if (!live->counting) {
        live->counting = true;
        live->last = head;
    } else if (code == TC_ENOENT && live->filter.topics == 0 && live->promised > live->last) {
        code = tell_lost(live, live->promised, out);
    }
    live->promised = head;
    return code;
}

static int take_event(struct live *live, tc_str json, struct tocsin_event *out, struct tc_err *err)
{
    int code = event_read(&live->event, json, &live->held, err);
    if (code != TC_OK)
        return code == TC_EPARSE ? TC_EPROTO : code;
    const uint64_t seq = live->held.seq;
    code = notice_epoch(live, live->held.epoch, out);
    if (code == TC_ENOENT && live->counting && live->filter.topics == 0 && seq > live->last + 1)
        code = tell_lost(live, seq - 1, out);
    if (seq > 0 && (!live->counting || seq > live->last)) {
        live->counting = true;
        live->last = seq;
    }
    live->holding = filter_labels_pass(&live->filter, &live->event);
    return code;
}

// The echo's topic is ~/echo/NONCE/.
static bool is_echo(const struct live *live, tc_str topic)
{
    char wanted[TOPIC_BYTES];
    int len = snprintf(wanted, sizeof wanted, "~/echo/%s/", live->nonce);
    return live->nonce[0] && tc_str_eq(topic, (tc_str){wanted, (size_t)len});
}

// TC_OK when *out is filled; TC_ENOENT when there is nothing to tell, or something is held.
static int take_message(struct live *live, struct tocsin_event *out, struct tc_err *err)
{
    tc_str topic = tc_frames_at(live->frames, 0);
    if (tc_frames_count(live->frames) < 2)
        return tc_fail(err, TC_EPROTO, "a live message of one frame was skipped");
    tc_str json = tc_frames_at(live->frames, 1);
    if (tc_str_eq(topic, TC_STR("~/hb/")))
        return take_heartbeat(live, json, out, err);
    if (tc_str_starts(topic, TC_STR("~/")))
        return TC_ENOENT;
    return take_event(live, json, out, err);
}

// A message that was kept while settling. TC_ENOENT when nothing is told before it.
static int take_kept(struct live *live, struct tocsin_event *out, struct tc_err *err)
{
    struct live_kept *kept = live->kept;
    int code = take_event(live, (tc_str){kept->json, kept->len}, out, err);
    if (code == TC_ENOMEM)
        return code;
    live->kept = kept->next;
    live->kept_count--;
    free(kept);
    return code;
}

// Tells a connection made or lost. TC_ENOENT when there is nothing new.
static int notice_connection(struct live *live, struct tocsin_event *out)
{
    bool late = tc_mono_ns() >= live->down_by && (!live->wire.up || live->heartbeats);
    if (live->wire.up && !live->up) {
        live->up = true;
        live->told_down = false;
        return tell(live, TOCSIN_CONNECTED, out);
    }
    if (live->up ? live->wire.up && !late : live->told_down || !late)
        return TC_ENOENT;
    if (live->up && late)
        wire_close(&live->wire);
    live->up = false;
    live->told_down = true;
    return tell(live, TOCSIN_DISCONNECTED, out);
}

// When an outage may have to be told, at the latest.
static int64_t look_again(const struct live *live, int64_t until)
{
    bool may_be_late = live->wire.up ? live->heartbeats : !live->told_down;
    return may_be_late && live->down_by < until ? live->down_by : until;
}

// One step: what waits is taken before silence is judged, for the caller may have been away for
// longer than that. TC_ENOENT: nothing to tell yet.
static int turn(struct live *live, int64_t until, struct tocsin_event *out, struct tc_err *err)
{
    if (live->kept)
        return take_kept(live, out, err);
    int code = open_live(live, err);
    if (code != TC_OK)
        return code;
    code = live->up ? tc_frames_receive(live->frames, live->wire.socket, err) : TC_ENOENT;
    if (code == TC_OK)
        return take_message(live, out, err);
    if (code == TC_ENOENT)
        code = notice_connection(live, out);
    if (code == TC_OK && out->kind == TOCSIN_DISCONNECTED)
        return wire_refused(&live->wire, live->endpoint, "broker", true, err);
    if (code != TC_ENOENT)
        return code;
    code = wire_wait(&live->wire, look_again(live, until), false, err);
    if (code == TC_OK)
        code = wire_refused(&live->wire, live->endpoint, "broker", false, err);
    if (code == TC_EPROTO)
        wire_close(&live->wire); // this socket would never try again
    return code == TC_OK ? TC_ENOENT : code;
}

int live_next(struct live *live, int64_t until, struct tocsin_event *out, struct tc_err *err)
{
    while (!live->holding) {
        int code = turn(live, until, out, err);
        if (code != TC_ENOENT)
            return code;
        if (!live->holding && !live->kept && tc_mono_ns() >= until)
            return TC_ETIMEOUT;
    }
    live->holding = false;
    *out = live->held;
    return TC_OK;
}

int live_await_echo(struct live *live, const char *nonce, struct tc_err *err)
{
    char topic[TOPIC_BYTES];
    int code = open_live(live, err);
    if (code != TC_OK)
        return code;
    snprintf(live->nonce, sizeof live->nonce, "%s", nonce);
    live->echoed = false;
    snprintf(topic, sizeof topic, "~/echo/%s/", nonce);
    return tc_sock_subscribe(live->wire.socket, tc_str_of(topic), err);
}

// Keeps an event for live_next(). Beyond the limit it is as lost as on the wire, and seen so.
static int keep(struct live *live, struct tc_err *err)
{
    tc_str json = tc_frames_at(live->frames, 1);
    struct live_kept **end = &live->kept;
    if (live->kept_count == LIVE_KEPT_MOST)
        return TC_OK;
    struct live_kept *kept = malloc(sizeof *kept + json.len);
    if (!kept)
        return tc_fail(err, TC_ENOMEM, "no memory for an event of %zu bytes", json.len);
    kept->next = NULL;
    kept->len = json.len;
    memcpy(kept->json, json.ptr, json.len);
    if (live->kept_count++ > 0)
        end = live->kept_end;
    *end = kept;
    live->kept_end = &kept->next;
    return TC_OK;
}

int live_look_for_echo(struct live *live, int64_t until, struct tc_err *err)
{
    int code = TC_OK;
    while (code == TC_OK && !live->echoed) {
        code = tc_frames_receive(live->frames, live->wire.socket, err);
        if (code == TC_ENOENT && tc_mono_ns() >= until)
            return TC_OK;
        if (code == TC_ENOENT)
            code = wire_wait(&live->wire, until, false, err);
        else if (code == TC_OK && is_echo(live, tc_frames_at(live->frames, 0)))
            live->echoed = true;
        else if (code == TC_OK && !tc_str_starts(tc_frames_at(live->frames, 0), TC_STR("~/")) &&
                 tc_frames_count(live->frames) == 2)
            code = keep(live, err);
    }
    return code;
}
