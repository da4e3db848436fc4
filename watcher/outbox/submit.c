#include "watcher/outbox/submit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/frame.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/monitor.h"
#include "common/sock.h"
#include "watcher/outbox/verdicts.h"

enum { MESSAGES_A_TURN = 64 };

struct submit {
    void *zmq;
    void *socket;
    struct tc_monitor monitor; // of the socket
    struct tc_curve curve;     // when it is guarded by keys
    bool guarded;
    enum tc_refusal told_refusal; // what was told last
    struct link *link;
    struct outbox *outbox;
    char *endpoint, *name;
    submit_tell *tell;
    void *told;
    bool was_up, was_replaced;
    char instance[TC_ID_TEXT_BYTES]; // of this process
    uint64_t life;                   // sessions that it has begun
    char session[TC_ID_TEXT_BYTES];
    char epoch[TC_ID_TEXT_BYTES]; // of the broker we are talking to
    struct tc_frames *frames;     // the answer in hand
    struct tc_buf header;         // the request in hand
    struct verdicts verdicts;
};

// ---- opening ------------------------------------------------------------------------------

int submit_open(void *zmq_context, const struct tc_curve *curve, tc_str endpoint, tc_str name,
                struct outbox *outbox, submit_tell *tell, void *told, struct submit **out,
                struct tc_err *err)
{
    struct tc_id seed = tc_id_random();
    uint64_t number = 0;
    void *socket = NULL;
    int code =
        tc_sock_open_guarded(zmq_context, TC_SOCK_DEALER, curve, endpoint, false, &socket, err);
    tc_sock_close(socket); // it only had to be possible
    if (code != TC_OK)
        return code;
    struct submit *submit = tc_new(sizeof *submit);
    memcpy(&number, seed.bytes, sizeof number);
    tc_id_text(tc_id_random(), submit->instance);
    submit->zmq = zmq_context;
    submit->guarded = curve && tc_sock_is_tcp(endpoint);
    if (submit->guarded)
        submit->curve = *curve;
    submit->outbox = outbox;
    submit->endpoint = tc_dup(endpoint.ptr, endpoint.len);
    submit->name = tc_dup(name.ptr, name.len);
    submit->tell = tell;
    submit->told = told;
    submit->link = link_new(number, tc_mono_ns());
    submit->frames = tc_frames_new();
    if (!submit->frames) {
        submit_close(submit);
        return tc_fail(err, TC_ENOMEM, "no memory for the link to the broker");
    }
    *out = submit;
    return TC_OK;
}

void submit_written(struct submit *submit)
{
    verdicts_clear(&submit->verdicts);
}

static void close_socket(struct submit *submit)
{
    tc_monitor_close(&submit->monitor, submit->socket);
    tc_sock_close(submit->socket);
    submit->socket = NULL;
}

void submit_close(struct submit *submit)
{
    if (!submit)
        return;
    close_socket(submit);
    tc_keys_wipe(&submit->curve);
    tc_frames_free(submit->frames);
    tc_buf_done(&submit->header);
    link_free(submit->link);
    verdicts_done(&submit->verdicts);
    free(submit->endpoint);
    free(submit->name);
    free(submit);
}

void *submit_socket(const struct submit *submit)
{
    return submit->socket;
}

void submit_wake(struct submit *submit)
{
    link_wake(submit->link);
}

bool submit_up(const struct submit *submit)
{
    return link_state(submit->link) == LINK_READY;
}

bool submit_replaced(const struct submit *submit)
{
    return link_replaced(submit->link);
}

// ---- verdicts -----------------------------------------------------------------------------

bool submit_any(const struct submit *submit)
{
    return submit->verdicts.count > 0;
}

bool submit_due(const struct submit *submit, int64_t now_mono_ns)
{
    const struct verdicts *verdicts = &submit->verdicts;
    return verdicts->count >= SUBMIT_VERDICTS_EARLY ||
           (verdicts->count &&
            now_mono_ns >= verdicts->first_mono_ns + SUBMIT_VERDICTS_AGE_MS * TC_MS);
}

int submit_write(struct submit *submit, int64_t now_wall_ns, struct tc_err *err)
{
    return verdicts_write(&submit->verdicts, submit->outbox, submit->epoch, now_wall_ns, err);
}

static bool crowded(const struct submit *submit)
{
    return submit->verdicts.count + LINK_WINDOW * LINK_BATCH_ITEMS > SUBMIT_VERDICTS_MOST;
}

int submit_wait_ms(const struct submit *submit, int64_t now_mono_ns)
{
    int wait = crowded(submit) ? LINK_HEARTBEAT_MS : link_wait_ms(submit->link, now_mono_ns);
    if (submit->verdicts.count && wait > SUBMIT_VERDICTS_AGE_MS)
        wait = SUBMIT_VERDICTS_AGE_MS;
    return wait;
}

// ---- saying -------------------------------------------------------------------------------

static struct tc_json header_begin(struct submit *submit, const struct link_order *order)
{
    tc_buf_clear(&submit->header);
    struct tc_json json = tc_json_on(&submit->header);
    tc_json_open(&json, '{');
    tc_json_put_u64(&json, "rid", order->rid);
    tc_json_put_str(&json, "session", tc_str_of(submit->session));
    return json;
}

// Sends the frames before the payload. Only the first can find the queue full: libzmq takes the rest
// of a message whose beginning it took.
static bool send_head(struct submit *submit, const char *command, struct tc_json *json,
                      bool payload)
{
    tc_json_close(json, '}');
    return tc_frame_send(submit->socket, TC_STR("T1"), true, NULL) == TC_OK &&
           tc_frame_send(submit->socket, tc_str_of(command), true, NULL) == TC_OK &&
           tc_frame_send(submit->socket, tc_buf_view(&submit->header), payload, NULL) == TC_OK;
}

// A fresh socket and session: what was on the way belongs to the old one.
static int open_socket(struct submit *submit, struct tc_err *err)
{
    tc_str endpoint = tc_str_of(submit->endpoint);
    close_socket(submit);
    tc_id_text(tc_id_random(), submit->session);
    submit->life++;
    link_opened(submit->link, tc_mono_ns());
    int code =
        tc_sock_open(submit->zmq, TC_SOCK_DEALER, (tc_str){"", 0}, false, &submit->socket, err);
    if (code == TC_OK && submit->guarded)
        code = tc_keys_set(submit->socket, &submit->curve, err);
    if (code == TC_OK)
        code = tc_monitor_open(&submit->monitor, submit->zmq, submit->socket, err);
    return code == TC_OK ? tc_sock_connect(submit->socket, endpoint, err) : code;
}

static int say_hello(struct submit *submit, const struct link_order *order, struct tc_err *err)
{
    struct outbox_place last;
    int code = outbox_last_acked(submit->outbox, &last, err);
    if (code != TC_OK && code != TC_ENOENT)
        return code;
    struct tc_json json = header_begin(submit, order);
    tc_json_put_str(&json, "role", TC_STR("watcher"));
    tc_json_put_str(&json, "name", tc_str_of(submit->name));
    tc_json_put_str(&json, "instance", tc_str_of(submit->instance));
    tc_json_put_u64(&json, "life", submit->life);
    if (order->yield)
        tc_json_put_bool(&json, "yield", true);
    if (code == TC_OK) {
        tc_json_key(&json, "last_acked");
        tc_json_open(&json, '{');
        tc_json_put_str(&json, "epoch", tc_str_of(last.epoch));
        tc_json_put_u64(&json, "hseq", last.hseq);
        if (last.run[0]) {
            tc_json_put_str(&json, "run", tc_str_of(last.run));
            tc_json_put_u64(&json, "commit", last.commits);
        }
        tc_json_close(&json, '}');
    }
    link_sent(submit->link, order, send_head(submit, "HELLO", &json, false), tc_mono_ns());
    return TC_OK;
}

static void beat(struct submit *submit, const struct link_order *order)
{
    struct tc_json json = header_begin(submit, order);
    link_sent(submit->link, order, send_head(submit, "HB", &json, false), tc_mono_ns());
}

// Collects the definitions that the broker asked for, as many as fit into a message; it asks again
// for the rest. One that is missing cannot be: it was written with its hits.
static int collect(struct submit *submit, const struct link_order *order, struct tc_buf *bodies,
                   size_t *ends, size_t *count, struct tc_err *err)
{
    int code = TC_OK;
    *count = 0;
    for (size_t i = 0; i < order->need_count && code == TC_OK; i++) {
        tc_str body = {"", 0};
        code = outbox_definition(submit->outbox, order->need[i], &body, err);
        if (code == TC_OK && *count && bodies->len + body.len > LINK_BATCH_BYTES)
            break;
        if (code == TC_OK) {
            tc_buf_str(bodies, body);
            ends[(*count)++] = bodies->len;
        }
    }
    return code;
}

static int define(struct submit *submit, const struct link_order *order, struct tc_err *err)
{
    struct tc_buf bodies = {0};
    size_t ends[LINK_NEED_MOST], count = 0, from = 0;
    int code = collect(submit, order, &bodies, ends, &count, err);
    bool taken = code == TC_OK;
    if (code == TC_ENOENT)
        submit->tell(submit->told, "link.definition", err);
    struct tc_json json = header_begin(submit, order);
    tc_json_put_u64(&json, "n", count);
    taken = taken && send_head(submit, "WATCH", &json, count > 0);
    for (size_t i = 0; i < count && taken; i++) {
        taken = tc_frame_send(submit->socket, tc_str_cut(tc_buf_view(&bodies), from, ends[i]),
                              i + 1 < count, NULL) == TC_OK;
        from = ends[i];
    }
    tc_buf_done(&bodies);
    if (code == TC_OK || code == TC_ENOENT)
        link_sent(submit->link, order, taken, tc_mono_ns());
    return code == TC_ENOENT ? TC_OK : code;
}

static bool send_put(struct submit *submit, const struct link_order *order, uint64_t number,
                     const struct outbox_item *items, size_t count)
{
    struct tc_json json = header_begin(submit, order);
    tc_json_put_u64(&json, "batch", number);
    tc_json_put_u64(&json, "n", count);
    if (items[0].recovered)
        tc_json_put_bool(&json, "recovered", true);
    bool taken = send_head(submit, "PUT", &json, true);
    for (size_t i = 0; i < count && taken; i++) {
        taken = tc_frame_send(submit->socket, items[i].header, true, NULL) == TC_OK &&
                tc_frame_send(submit->socket, items[i].hits, i + 1 < count, NULL) == TC_OK;
    }
    if (taken)
        tc_fault("submit.sent");
    return taken;
}

static int put_new(struct submit *submit, const struct link_order *order, struct tc_err *err)
{
    const struct outbox_item *items = NULL;
    size_t count = 0;
    uint64_t numbers[LINK_BATCH_ITEMS];
    int code = outbox_waiting(submit->outbox, order->after, order->most, LINK_BATCH_BYTES, &items,
                              &count, err);
    if (code != TC_OK)
        return code;
    if (count == 0) {
        link_empty(submit->link);
        return TC_OK;
    }
    if (!send_put(submit, order, order->number, items, count)) {
        link_sent(submit->link, order, false, tc_mono_ns());
        return TC_OK;
    }
    for (size_t i = 0; i < count; i++)
        numbers[i] = items[i].n;
    link_put(submit->link, order, numbers, count, tc_mono_ns());
    return TC_OK;
}

// The items of a batch still wait, unless their verdict came by an answer that we took for lost.
static bool same_items(const struct link_batch *batch, const struct outbox_item *items,
                       size_t count)
{
    for (size_t i = 0; i < count && i < batch->count; i++) {
        if (items[i].n != batch->items[i])
            return false;
    }
    return count == batch->count;
}

static int put_again(struct submit *submit, const struct link_order *order, struct tc_err *err)
{
    const struct link_batch *batch = order->batch;
    const struct outbox_item *items = NULL;
    size_t count = 0;
    int code = outbox_waiting(submit->outbox, batch->items[0] - 1, batch->count, SIZE_MAX, &items,
                              &count, err);
    if (code != TC_OK)
        return code;
    if (!same_items(batch, items, count))
        return open_socket(submit, err);
    link_sent(submit->link, order, send_put(submit, order, batch->number, items, count),
              tc_mono_ns());
    return TC_OK;
}

static int carry_out(struct submit *submit, const struct link_order *order, struct tc_err *err)
{
    switch (order->act) {
    case LINK_OPEN: return open_socket(submit, err);
    case LINK_SAY_HELLO: return say_hello(submit, order, err);
    case LINK_DEFINE: return define(submit, order, err);
    case LINK_AGAIN: return put_again(submit, order, err);
    case LINK_NEW: return put_new(submit, order, err);
    case LINK_BEAT: beat(submit, order); return TC_OK;
    case LINK_WAIT: break;
    }
    return TC_OK;
}

// ---- hearing ------------------------------------------------------------------------------

static uint64_t number_of(const json_t *header, const char *key)
{
    uint64_t value = 0;
    tc_json_get_u64(header, key, &value);
    return value;
}

// The history is shorter than what it confirmed: that is sent again, behind nothing and before all.
static int resubmit(struct submit *submit, uint64_t since, struct tc_err *err)
{
    uint64_t count = 0;
    struct tc_err told;
    int code = outbox_requeue(submit->outbox, since, &count, err);
    if (code != TC_OK) {
        link_refused(submit->link, tc_mono_ns());
        return code;
    }
    tc_fail(&told, TC_OK,
            "the broker's history %s lacks what it confirmed from commit %llu on; %llu items are "
            "sent again",
            submit->epoch, (unsigned long long)since, (unsigned long long)count);
    submit->tell(submit->told, "link.resubmit", &told);
    return TC_OK;
}

static int hear_welcome(struct submit *submit, const json_t *header, struct tc_err *err)
{
    tc_str epoch = tc_json_get_str(header, "epoch");
    size_t most = (size_t)number_of(json_object_get(header, "limits"), "batch_articles");
    const json_t *lost = json_object_get(header, "resubmit");
    if (!link_welcome(submit->link, number_of(header, "rid"), most, tc_mono_ns()))
        return TC_OK;
    if (lost || (submit->epoch[0] && !tc_str_eq(epoch, tc_str_of(submit->epoch))))
        submit_written(
            submit); // another history: what the last one confirmed is sent to this one again
    snprintf(submit->epoch, sizeof submit->epoch, "%.*s", TC_ARG(epoch));
    return lost ? resubmit(submit, number_of(lost, "since"), err) : TC_OK;
}

static void hear_ack(struct submit *submit, const json_t *header)
{
    const json_t *items = json_object_get(header, "items");
    struct link_batch batch;
    tc_fault("submit.acked");
    if (!link_ack(submit->link, number_of(header, "batch"), json_array_size(items), tc_mono_ns(),
                  &batch))
        return;
    struct verdict verdict = {.commits = number_of(header, "commit")};
    tc_unhex(tc_json_get_str(header, "run"), verdict.run.bytes, TC_ID_BYTES);
    for (size_t i = 0; i < batch.count; i++) {
        json_t *reason = json_object_get(json_array_get(items, i), "rejected");
        verdict.n = batch.items[i];
        verdict.hseq = number_of(json_array_get(items, i), "hseq");
        verdict.dead = json_string_value(reason);
        verdicts_add(&submit->verdicts, &verdict, tc_mono_ns());
    }
}

static enum link_refusal refusal_of(tc_str reason)
{
    static const struct {
        const char *name;
        enum link_refusal refusal;
    } table[] = {{"batch", LINK_GAP},
                 {"session", LINK_SESSION},
                 {"replaced", LINK_REPLACED},
                 {"disk", LINK_DISK},
                 {"watch", LINK_WATCH}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (tc_str_eq(reason, tc_str_of(table[i].name)))
            return table[i].refusal;
    }
    return LINK_OTHER;
}

static void refused(const struct submit *submit, const char *what, const json_t *header)
{
    struct tc_err err;
    tc_str code = tc_json_get_str(header, "code"), reason = tc_json_get_str(header, "reason");
    tc_fail(&err, TC_EPROTO, "the broker answers %s: %.*s%s%.*s", what, TC_ARG(code),
            code.len ? ": " : "", TC_ARG(reason));
    submit->tell(submit->told, "link.refused", &err);
}

static void hear_nak(struct submit *submit, const json_t *header)
{
    const json_t *need = json_object_get(header, "need");
    struct tc_id hashes[LINK_NEED_MOST];
    struct link_nak nak = {
        .rid = number_of(header, "rid"),
        .reason = refusal_of(tc_json_get_str(header, "reason")),
        .expected = number_of(header, "expected_batch"),
        .retry_ms = number_of(header, "retry_ms"),
        .need = hashes,
    };
    for (size_t i = 0; i < json_array_size(need) && nak.need_count < LINK_NEED_MOST; i++) {
        const json_t *hash = json_array_get(need, i);
        tc_str text = {json_string_value(hash), json_string_length(hash)};
        if (tc_unhex(text, hashes[nak.need_count].bytes, TC_ID_BYTES))
            nak.need_count++;
    }
    if (nak.reason == LINK_DISK || nak.reason == LINK_OTHER)
        refused(submit, "NAK", header);
    link_nak(submit->link, &nak, tc_mono_ns());
}

static void hear_error(struct submit *submit, const json_t *header)
{
    struct link_batch batch;
    char reason[TC_ERR_TEXT_BYTES];
    refused(submit, "ERR", header);
    if (tc_str_eq(tc_json_get_str(header, "code"), TC_STR("denied"))) {
        link_refused(submit->link, tc_mono_ns()); // our key's fault, not the items'
        return;
    }
    if (!link_error(submit->link, number_of(header, "rid"), tc_mono_ns(), &batch))
        return;
    snprintf(reason, sizeof reason, "the broker cannot read it: %.*s",
             TC_ARG(tc_json_get_str(header, "reason")));
    verdicts_add(&submit->verdicts, &(struct verdict){.n = batch.items[0], .dead = reason},
                 tc_mono_ns());
}

static int hear(struct submit *submit, const struct tc_request *answer, struct tc_err *err)
{
    json_t *header = NULL;
    int code = TC_OK;
    if (tc_json_read(answer->header, &header, NULL) != TC_OK)
        return TC_OK; // not a tocsin broker; without answers the session ends by itself
    tc_str reply = answer->command;
    if (tc_str_eq(reply, TC_STR("WELCOME")))
        code = hear_welcome(submit, header, err);
    else if (tc_str_eq(reply, TC_STR("ACK")))
        hear_ack(submit, header);
    else if (tc_str_eq(reply, TC_STR("NAK")))
        hear_nak(submit, header);
    else if (tc_str_eq(reply, TC_STR("ERR")))
        hear_error(submit, header);
    else if (tc_str_eq(reply, TC_STR("OK")))
        link_defined(submit->link, number_of(header, "rid"));
    json_decref(header);
    return code;
}

static int hear_all(struct submit *submit, struct tc_err *err)
{
    int code = TC_OK;
    for (int i = 0; i < MESSAGES_A_TURN && submit->socket && !crowded(submit) && code == TC_OK;
         i++) {
        struct tc_request answer;
        int got = tc_frames_receive(submit->frames, submit->socket, NULL);
        if (got == TC_ENOENT || got == TC_EPROTO)
            return TC_OK;
        if (got != TC_OK || tc_frames_request(submit->frames, &answer, NULL) != TC_OK)
            continue;
        link_heard(submit->link, tc_mono_ns());
        code = hear(submit, &answer, err);
    }
    return code;
}

// ---- the turn -----------------------------------------------------------------------------

// libzmq says nothing of a broker that refuses us, and does not try again: we do, and say it once, with the
// likely cause.
static void hear_refusal(struct submit *submit)
{
    struct tc_err err;
    tc_monitor_listen(&submit->monitor);
    enum tc_refusal refusal = submit->monitor.refusal;
    if (submit->monitor.up)
        submit->told_refusal = TC_NOT_REFUSED;
    if (refusal == TC_NOT_REFUSED || (refusal == TC_REFUSED_SILENTLY && !submit->guarded))
        return;
    if (refusal != TC_REFUSED_SILENTLY)
        link_refused(submit->link, tc_mono_ns());
    if (refusal == submit->told_refusal)
        return;
    submit->told_refusal = refusal;
    tc_fail(&err, TC_EPROTO, "the broker at %s %s", submit->endpoint, tc_refusal_text(refusal));
    submit->tell(submit->told, "link.refused", &err);
}

static void tell_replaced(struct submit *submit)
{
    struct tc_err err;
    bool replaced = submit_replaced(submit);
    if (replaced && !submit->was_replaced) {
        tc_fail(&err, TC_EBUSY,
                "another watcher says to %s that it is %s, too: give one of them another name. "
                "This one waits until the other is gone; its hits are kept",
                submit->endpoint, submit->name);
        submit->tell(submit->told, "link.replaced", &err);
    }
    submit->was_replaced = replaced;
}

static void tell_changes(struct submit *submit)
{
    struct tc_err err;
    bool up = submit_up(submit);
    tell_replaced(submit);
    if (up == submit->was_up)
        return;
    submit->was_up = up;
    tc_fail(&err, TC_OK, "%s %s", up ? "connected to" : "lost", submit->endpoint);
    submit->tell(submit->told, up ? "link.up" : "link.down", &err);
}

int submit_turn(struct submit *submit, struct tc_err *err)
{
    int code = hear_all(submit, err);
    hear_refusal(submit);
    while (code == TC_OK && !crowded(submit)) {
        struct link_order order = link_next(submit->link, tc_mono_ns());
        if (order.act == LINK_WAIT)
            break;
        code = carry_out(submit, &order, err);
    }
    tell_changes(submit);
    return code;
}
