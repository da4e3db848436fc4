#include "watcher/source/socket.h"

#include <jansson.h>
#include <stdlib.h>
#include <zmq.h>

#include "common/fault.h"
#include "common/frame.h"
#include "common/mem.h"
#include "common/sock.h"
#include "common/utf8.h"

enum {
    ENVELOPE_MOST = 8,     // frames before "T1", as tc_frames_request allows
    MESSAGES_A_TURN = 256, // then outcomes and the stop signal have their turn
};

struct request { // on the way
    bool used;
    size_t envelope; // number of frames
    size_t envelope_len[ENVELOPE_MOST];
    struct tc_buf envelope_bytes; // one behind the other
    bool has_rid;
    uint64_t rid;
    struct tc_buf id; // the article's
};

struct intake {
    const struct source_host *host;
    void *socket;
    bool answers;
    char *name;
    struct tc_queue *outcomes;
    struct tc_frames *frames; // the message in hand
    struct request requests[SOURCE_OPEN_MOST];
    size_t waiting;
    struct tc_buf reply;
};

int intake_open(void *context, tc_str endpoint, bool answers, tc_str name,
                const struct source_host *host, struct intake **out, struct tc_err *err)
{
    struct intake *intake = tc_new(sizeof *intake);
    intake->host = host;
    intake->answers = answers;
    intake->name = tc_dup(name.ptr, name.len);
    intake->outcomes = tc_queue_new(SOURCE_OPEN_MOST);
    intake->frames = tc_frames_new();
    int code = intake->frames ? TC_OK : tc_fail(err, TC_ENOMEM, "no memory for the intake");
    if (code == TC_OK)
        code = tc_sock_open_guarded(context, answers ? TC_SOCK_ROUTER : TC_SOCK_PULL, host->curve,
                                    endpoint, true, &intake->socket, err);
    if (code == TC_OK)
        *out = intake;
    else
        intake_close(intake);
    return code;
}

void intake_close(struct intake *intake)
{
    if (!intake)
        return;
    for (size_t i = 0; i < SOURCE_OPEN_MOST; i++) {
        tc_buf_done(&intake->requests[i].envelope_bytes);
        tc_buf_done(&intake->requests[i].id);
    }
    tc_sock_close(intake->socket);
    tc_frames_free(intake->frames);
    tc_queue_free(intake->outcomes);
    tc_buf_done(&intake->reply);
    free(intake->name);
    free(intake);
}

void *intake_socket(const struct intake *intake)
{
    return intake->socket;
}

// ---- answers ------------------------------------------------------------------------------

// Begins the header of an answer; the request's number comes first.
static struct tc_json header_begin(struct intake *intake, const struct request *request)
{
    tc_buf_clear(&intake->reply);
    struct tc_json json = tc_json_on(&intake->reply);
    tc_json_open(&json, '{');
    if (request->has_rid)
        tc_json_put_u64(&json, "rid", request->rid);
    return json;
}

// Closes the header and sends the answer behind the request's envelope. A client that has gone
// loses its answer; it will ask again.
static void send_reply(struct intake *intake, const struct request *request, tc_str reply,
                       struct tc_json *json)
{
    tc_json_close(json, '}');
    if (!intake->answers)
        return;
    const char *at = request->envelope_bytes.ptr;
    int code = TC_OK;
    for (size_t i = 0; i < request->envelope && code == TC_OK; i++) {
        code = tc_frame_send(intake->socket, (tc_str){at, request->envelope_len[i]}, true, NULL);
        at += request->envelope_len[i];
    }
    if (code == TC_OK)
        code = tc_frame_send(intake->socket, TC_STR("T1"), true, NULL);
    if (code == TC_OK)
        code = tc_frame_send(intake->socket, reply, true, NULL);
    if (code == TC_OK)
        tc_frame_send(intake->socket, tc_buf_view(&intake->reply), false, NULL);
}

// Without answers a refusal can only be told to the log.
static void tell(struct intake *intake, const char *reason)
{
    struct tc_err err;
    if (intake->answers)
        return;
    tc_fail(&err, TC_EPARSE, "%s", reason);
    intake->host->trouble(intake->host->context, "source.rejected", &err);
}

// A sentence may quote bytes that came in; what is sent must be UTF-8.
static void put_reason(struct tc_json *json, const char *reason)
{
    tc_str text = tc_str_of(reason);
    tc_json_put_str(json, "reason", tc_str_cut(text, 0, tc_utf8_valid(text)));
}

static void reply_error(struct intake *intake, const struct request *request, const char *code,
                        const char *reason)
{
    struct tc_json json = header_begin(intake, request);
    tc_json_put_str(&json, "code", tc_str_of(code));
    put_reason(&json, reason);
    send_reply(intake, request, TC_STR("ERR"), &json);
    tell(intake, reason);
}

static void reply_rejected(struct intake *intake, const struct request *request, const char *reason)
{
    struct tc_json json = header_begin(intake, request);
    put_reason(&json, reason);
    send_reply(intake, request, TC_STR("REJECTED"), &json);
    tell(intake, reason);
}

static void reply_busy(struct intake *intake, const struct request *request)
{
    struct tc_json json = header_begin(intake, request);
    tc_json_put_u64(&json, "retry_ms", SOCKET_BUSY_MS);
    send_reply(intake, request, TC_STR("BUSY"), &json);
}

static void reply_done(struct intake *intake, const struct request *request, bool duplicate,
                       uint64_t hits)
{
    struct tc_json json = header_begin(intake, request);
    tc_json_put_str(&json, "id", tc_buf_view(&request->id));
    if (!duplicate)
        tc_json_put_u64(&json, "hits", hits);
    send_reply(intake, request, duplicate ? TC_STR("DUPLICATE") : TC_STR("ACCEPTED"), &json);
}

static void reply_stats(struct intake *intake, const struct request *request)
{
    struct tc_json json = header_begin(intake, request);
    intake->host->stats(intake->host->context, &json);
    send_reply(intake, request, TC_STR("STATS"), &json);
}

// ---- outcomes -----------------------------------------------------------------------------

static void settle_one(struct intake *intake, const struct source_outcome *outcome)
{
    struct request *request = &intake->requests[outcome->ticket];
    switch (outcome->fate) {
    case SOURCE_ACCEPTED: reply_done(intake, request, false, outcome->hits); break;
    case SOURCE_DUPLICATE: reply_done(intake, request, true, 0); break;
    case SOURCE_REJECTED: reply_rejected(intake, request, outcome->reason); break;
    case SOURCE_UNDONE: reply_busy(intake, request); break;
    }
    request->used = false;
    intake->waiting--;
}

static void settle(struct intake *intake, int timeout_ms)
{
    while (intake->waiting) {
        struct source_outcome *outcome = tc_queue_pop(intake->outcomes, timeout_ms);
        if (!outcome)
            return;
        settle_one(intake, outcome);
        free(outcome);
    }
}

// ---- requests -----------------------------------------------------------------------------

static struct request *free_request(struct intake *intake)
{
    for (size_t i = 0; i < SOURCE_OPEN_MOST; i++) {
        if (!intake->requests[i].used)
            return &intake->requests[i];
    }
    return NULL;
}

static void keep_envelope(const struct intake *intake, size_t count, struct request *request)
{
    tc_buf_clear(&request->envelope_bytes);
    tc_buf_clear(&request->id);
    request->has_rid = false;
    request->envelope = count;
    for (size_t i = 0; i < count; i++) {
        tc_str frame = tc_frames_at(intake->frames, i);
        request->envelope_len[i] = frame.len;
        tc_buf_str(&request->envelope_bytes, frame);
    }
}

// Reads the header of a request; ERR has been sent when this gives NULL.
static json_t *read_header(struct intake *intake, tc_str header, const char *const *keys,
                           struct request *request)
{
    json_t *object = NULL;
    struct tc_err err;
    int code = tc_json_read(header, &object, &err);
    if (code == TC_OK && !json_is_object(object))
        code = tc_fail(&err, TC_EPARSE, "the header is no JSON object");
    if (code == TC_OK) {
        request->has_rid = tc_json_get_u64(object, "rid", &request->rid);
        code = tc_json_only(object, keys, &err);
    }
    if (code == TC_OK && json_object_get(object, "rid") && !request->has_rid)
        code = tc_fail(&err, TC_EPARSE, "\"rid\" is no whole number from 0");
    if (code == TC_OK)
        return object;
    reply_error(intake, request, "header", err.text);
    json_decref(object);
    return NULL;
}

// The article of a request: its record from the header, its text from the body frame if there is
// one.
static int read_article(struct intake *intake, const json_t *header, size_t payload,
                        struct article **out, struct tc_err *err)
{
    const json_t *record = json_object_get(header, "article");
    tc_str source = tc_str_of(intake->name);
    size_t limit = intake->host->max_article_bytes;
    char *text = json_dumps(record, JSON_COMPACT);
    if (!text)
        return tc_fail(err, TC_ENOMEM, "no memory for the article");
    tc_str json = tc_str_of(text);
    int code = payload < tc_frames_count(intake->frames)
                   ? article_from_parts(json, tc_frames_at(intake->frames, payload), source, limit,
                                        out, err)
                   : article_from_json(json, source, limit, out, err);
    free(text);
    return code;
}

// Hands the article to the host; the request stays open until its outcome.
static void hand_on(struct intake *intake, struct request *request, struct article *article)
{
    const struct source_host *host = intake->host;
    article->from = intake->outcomes;
    article->ticket = (uint64_t)(request - intake->requests);
    tc_buf_str(&request->id, article->id);
    tc_fault("source.read");
    bool taken =
        intake->answers ? host->offer(host->context, article) : host->give(host->context, article);
    if (taken) {
        request->used = true;
        intake->waiting++;
        return;
    }
    article_free(article);
    reply_busy(intake, request);
}

static void refuse_article(struct intake *intake, const struct request *request, const char *why)
{
    reply_rejected(intake, request, why);
    intake->host->refused(intake->host->context);
}

static void take_article(struct intake *intake, const struct tc_request *parts,
                         struct request *request)
{
    static const char *const keys[] = {"rid", "article", NULL};
    json_t *header = read_header(intake, parts->header, keys, request);
    struct article *article = NULL;
    struct tc_err err;
    if (!header)
        return;
    if (!json_is_object(json_object_get(header, "article")))
        reply_error(intake, request, "header", "\"article\" is missing or no object");
    else if (tc_frames_count(intake->frames) > parts->payload + 1)
        reply_error(intake, request, "payload", "more than one body frame");
    else if (read_article(intake, header, parts->payload, &article, &err) != TC_OK)
        refuse_article(intake, request, err.text);
    else
        hand_on(intake, request, article);
    json_decref(header);
}

static void take_stats(struct intake *intake, const struct tc_request *parts,
                       struct request *request)
{
    static const char *const keys[] = {"rid", NULL};
    json_t *header = read_header(intake, parts->header, keys, request);
    if (!header)
        return;
    if (tc_frames_count(intake->frames) > parts->payload)
        reply_error(intake, request, "payload", "STATS has no payload");
    else
        reply_stats(intake, request);
    json_decref(header);
}

// Answers a message that is no request: to the routing id, and the empty frame of a REQ socket.
static void refuse_message(struct intake *intake, struct request *request, const char *reason)
{
    bool delimiter =
        tc_frames_count(intake->frames) > 1 && tc_frames_at(intake->frames, 1).len == 0;
    keep_envelope(intake, intake->answers ? 1 + (size_t)delimiter : 0, request);
    reply_error(intake, request, "header", reason);
}

static void take_message(struct intake *intake, struct request *request)
{
    struct tc_request parts;
    struct tc_err err;
    if (tc_frames_request(intake->frames, &parts, &err) != TC_OK) {
        refuse_message(intake, request, err.text);
        return;
    }
    keep_envelope(intake, parts.envelope, request);
    if (tc_str_eq(parts.command, TC_STR("ARTICLE")))
        take_article(intake, &parts, request);
    else if (tc_str_eq(parts.command, TC_STR("STATS")))
        take_stats(intake, &parts, request);
    else
        reply_error(intake, request, "unsupported", "this socket knows ARTICLE and STATS");
}

// Takes what has arrived, as long as there are free places; the rest waits in its senders.
static void receive(struct intake *intake)
{
    for (int i = 0; i < MESSAGES_A_TURN; i++) {
        struct request *request = free_request(intake);
        struct tc_err err;
        if (!request)
            return;
        int code = tc_frames_receive(intake->frames, intake->socket, &err);
        if (code == TC_ENOENT)
            return;
        if (code == TC_OK)
            take_message(intake, request);
        else
            intake->host->trouble(intake->host->context, "source.message", &err);
        if (code == TC_EPROTO)
            return;
    }
}

// Waits for a message, an outcome or the end; false at the end.
static bool wait_for_work(struct intake *intake)
{
    bool room = intake->waiting < SOURCE_OPEN_MOST;
    zmq_pollitem_t items[] = {
        {.fd = intake->host->stop_fd, .events = ZMQ_POLLIN},
        {.fd = tc_queue_fd(intake->outcomes), .events = ZMQ_POLLIN},
        {.socket = intake->socket, .events = ZMQ_POLLIN},
    };
    zmq_poll(items, room ? 3 : 2, -1);
    if (items[1].revents)
        tc_queue_calm(intake->outcomes);
    return !items[0].revents;
}

void intake_run(struct intake *intake)
{
    while (wait_for_work(intake)) {
        settle(intake, 0);
        receive(intake);
    }
    settle(intake, -1);
}
