// libtocsin: the handle, and the functions of include/tocsin/tocsin.h over the modules beside it.
#include <tocsin/tocsin.h>

#include "client/endpoint.h"
#include "client/live.h"
#include "client/parse.h"
#include "client/publish.h"
#include "client/pull.h"
#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

enum { TIMEOUT_MS = 5000, ECHO_AGAIN_MS = 50 };

_Static_assert((int)TOCSIN_EINVAL == TC_EINVAL && (int)TOCSIN_ENOMEM == TC_ENOMEM &&
                   (int)TOCSIN_EFULL == TC_EFULL && (int)TOCSIN_EBUSY == TC_EBUSY &&
                   (int)TOCSIN_EPARSE == TC_EPARSE && (int)TOCSIN_ETIMEOUT == TC_ETIMEOUT &&
                   (int)TOCSIN_EPROTO == TC_EPROTO && (int)TOCSIN_EINTR == TC_ESTOP,
               "our codes go out as they are");

enum mode { NO_STREAM, PULLING, LISTENING };

struct tocsin {
    void *context;
    char *fetch, *live, *intake; // endpoints
    int timeout_ms;
    struct tc_err err;
    struct tc_curve broker_keys, watcher_keys; // for tcp endpoints
    struct tc_err broker_wrong, watcher_wrong; // why they could not be read
    struct peer broker, watcher;               // for single questions
    struct publish publish;                    // articles on the way
    enum mode mode;
    struct pull pull;      // follow, query, consume
    struct live listening; // subscribe
};

// Ends a public function: an old sentence does not survive a success.
static int done(struct tocsin *tocsin, int code)
{
    if (code >= 0)
        tocsin->err.text[0] = '\0';
    return code;
}

static int64_t deadline(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : tc_mono_ns() + timeout_ms * TC_MS;
}

// Keys are for tcp. What is wrong with them is told by what needs them first, because without a handle
// nobody could read the sentence.
static void read_keys(const char *folder, const char *server, bool tcp, struct tc_curve *out,
                      struct tc_err *wrong)
{
    if (tcp && folder && *folder)
        tc_keys_client(folder, server, out, wrong);
}

static const struct tc_curve *keys_for(const char *endpoint, const struct tc_curve *keys)
{
    return keys->secret.text[0] && tc_sock_is_tcp(tc_str_of(endpoint)) ? keys : NULL;
}

static void set_keys(struct tocsin *tocsin, const char *folder)
{
    bool broker =
        tc_sock_is_tcp(tc_str_of(tocsin->fetch)) || tc_sock_is_tcp(tc_str_of(tocsin->live));
    folder = folder ? folder : getenv("TOCSIN_KEYS");
    read_keys(folder, "broker.public", broker, &tocsin->broker_keys, &tocsin->broker_wrong);
    read_keys(folder, "watcher.public", tc_sock_is_tcp(tc_str_of(tocsin->intake)),
              &tocsin->watcher_keys, &tocsin->watcher_wrong);
    tocsin->broker.curve = keys_for(tocsin->fetch, &tocsin->broker_keys);
    tocsin->watcher.curve = keys_for(tocsin->intake, &tocsin->watcher_keys);
    tocsin->publish.peer.curve = tocsin->watcher.curve;
}

static int check_keys(struct tocsin *tocsin, const struct tc_err *wrong)
{
    return wrong->code == TC_OK ? TC_OK : tc_fail(&tocsin->err, TC_EINVAL, "%s", wrong->text);
}

static int set_up(struct tocsin *tocsin, const struct tocsin_options *options)
{
    struct tc_err *err = &tocsin->err;
    tocsin->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    if (tocsin->timeout_ms < 0)
        return tc_fail(err, TC_EINVAL, "a negative time limit");
    int code = endpoint_of(options->fetch, "TOCSIN_FETCH", "fetch.sock", &tocsin->fetch, err);
    if (code == TC_OK)
        code = endpoint_of(options->live, "TOCSIN_LIVE", "live.sock", &tocsin->live, err);
    if (code == TC_OK)
        code = endpoint_of(options->intake, "TOCSIN_INTAKE", "intake.sock", &tocsin->intake, err);
    if (code != TC_OK)
        return code;
    tocsin->context = zmq_ctx_new();
    if (!tocsin->context)
        return tc_fail(err, TC_ENOMEM, "no memory for a ZeroMQ context");
    // Every socket has LINGER 0; this covers those of libzmq itself.
    zmq_ctx_set(tocsin->context, ZMQ_BLOCKY, 0);
    peer_init(&tocsin->broker, tocsin->context, tocsin->fetch, "broker");
    peer_init(&tocsin->watcher, tocsin->context, tocsin->intake, "watcher");
    publish_init(&tocsin->publish, tocsin->context, tocsin->intake);
    set_keys(tocsin, options->keys);
    return TC_OK;
}

int tocsin_open(const struct tocsin_options *options, struct tocsin **out)
{
    static const struct tocsin_options defaults = {0};
    struct tocsin *tocsin = calloc(1, sizeof *tocsin);
    if (!tocsin)
        return TOCSIN_ENOMEM;
    int code = set_up(tocsin, options ? options : &defaults);
    if (code != TC_OK) {
        tocsin_close(tocsin);
        return code;
    }
    *out = tocsin;
    return TOCSIN_OK;
}

static void end_stream(struct tocsin *tocsin)
{
    if (tocsin->mode == PULLING)
        pull_done(&tocsin->pull);
    if (tocsin->mode == LISTENING)
        live_done(&tocsin->listening);
    tocsin->mode = NO_STREAM;
}

void tocsin_close(struct tocsin *tocsin)
{
    if (!tocsin)
        return;
    end_stream(tocsin);
    peer_done(&tocsin->broker);
    peer_done(&tocsin->watcher);
    publish_done(&tocsin->publish);
    while (tocsin->context && zmq_ctx_term(tocsin->context) != 0 && zmq_errno() == EINTR)
        ;
    tc_keys_wipe(&tocsin->broker_keys);
    tc_keys_wipe(&tocsin->watcher_keys);
    free(tocsin->fetch);
    free(tocsin->live);
    free(tocsin->intake);
    free(tocsin);
}

const char *tocsin_error(const struct tocsin *tocsin)
{
    return tocsin->err.text;
}

const char *tocsin_fetch_endpoint(const struct tocsin *tocsin)
{
    return tocsin->fetch;
}

const char *tocsin_live_endpoint(const struct tocsin *tocsin)
{
    return tocsin->live;
}

const char *tocsin_intake_endpoint(const struct tocsin *tocsin)
{
    return tocsin->intake;
}

const char *tocsin_version(void)
{
    return TOCSIN_VERSION;
}

static int begin_pull(struct tocsin *tocsin, const struct tocsin_stream *stream,
                      const char *consumer, bool once)
{
    end_stream(tocsin);
    int code = check_keys(tocsin, &tocsin->broker_wrong);
    if (code == TC_OK)
        code = pull_init(&tocsin->pull, tocsin->context, tocsin->fetch, stream, consumer,
                         &tocsin->err);
    if (code != TC_OK)
        return code;
    tocsin->pull.peer.curve = tocsin->broker.curve;
    tocsin->pull.timeout_ms = tocsin->timeout_ms;
    tocsin->pull.once = once;
    tocsin->mode = PULLING;
    return done(tocsin, TOCSIN_OK);
}

int tocsin_follow(struct tocsin *tocsin, const struct tocsin_stream *stream)
{
    return begin_pull(tocsin, stream, NULL, false);
}

int tocsin_query(struct tocsin *tocsin, const struct tocsin_stream *stream)
{
    return begin_pull(tocsin, stream, NULL, true);
}

int tocsin_consume(struct tocsin *tocsin, const char *name, const struct tocsin_stream *stream)
{
    return begin_pull(tocsin, stream, name ? name : "", false);
}

int tocsin_subscribe(struct tocsin *tocsin, const struct tocsin_stream *stream)
{
    end_stream(tocsin);
    int code = check_keys(tocsin, &tocsin->broker_wrong);
    if (code == TC_OK)
        code = live_init(&tocsin->listening, tocsin->context, tocsin->live, stream, &tocsin->err);
    if (code != TC_OK)
        return code;
    tocsin->listening.curve = keys_for(tocsin->live, &tocsin->broker_keys);
    tocsin->listening.timeout_ms = tocsin->timeout_ms;
    tocsin->mode = LISTENING;
    return done(tocsin, TOCSIN_OK);
}

static int ask_echo(struct tocsin *tocsin, const char *nonce, int64_t until)
{
    tc_json_put_str(peer_question(&tocsin->broker), "nonce", tc_str_of(nonce));
    return peer_ask(&tocsin->broker, "ECHO", (tc_str){0}, until, &tocsin->err);
}

int tocsin_settle(struct tocsin *tocsin, int timeout_ms)
{
    char nonce[LIVE_NONCE_BYTES];
    struct live *live = &tocsin->listening;
    int64_t until = deadline(timeout_ms);
    if (tocsin->mode != LISTENING)
        return tc_fail(&tocsin->err, TC_EINVAL, "not subscribed to the live feed");
    snprintf(nonce, sizeof nonce, "%llx%x", (unsigned long long)tc_mono_ns(), (unsigned)getpid());
    int code = live_await_echo(live, nonce, &tocsin->err);
    while (code == TC_OK && !live->echoed) {
        if (tc_mono_ns() >= until)
            return tc_fail(&tocsin->err, TC_ETIMEOUT, "the live feed at %s does not answer",
                           tocsin->live);
        code = ask_echo(tocsin, nonce, until);
        if (code == TC_OK)
            code = live_look_for_echo(live, deadline(ECHO_AGAIN_MS), &tocsin->err);
    }
    return done(tocsin, code);
}

int tocsin_next(struct tocsin *tocsin, int timeout_ms, struct tocsin_event *event)
{
    int64_t until = deadline(timeout_ms);
    int code = TC_OK;
    if (tocsin->mode == PULLING)
        code = pull_next(&tocsin->pull, until, event, &tocsin->err);
    else if (tocsin->mode == LISTENING)
        code = live_next(&tocsin->listening, until, event, &tocsin->err);
    else
        code = tc_fail(&tocsin->err, TC_EINVAL, "no stream was begun");
    return done(tocsin, code == TC_ETIMEOUT ? TOCSIN_NOTHING : code);
}

// Begins a question about the consumer of the stream. NULL when there is none, or not yet.
static struct tc_json *consumer_question(struct tocsin *tocsin)
{
    const struct pull *pull = &tocsin->pull;
    if (tocsin->mode != PULLING || !pull->consumer[0]) {
        tc_fail(&tocsin->err, TC_EINVAL, "only a tocsin_consume() stream has a cursor");
        return NULL;
    }
    if (!pull->lease[0] || pull->fenced) {
        tc_fail(&tocsin->err, TC_EINVAL,
                pull->fenced ? "another process consumes under this name now"
                             : "the broker has not given the consumer out yet: call tocsin_next()");
        return NULL;
    }
    struct tc_json *json = peer_question(&tocsin->broker);
    tc_json_put_str(json, "consumer", tc_str_of(pull->consumer));
    tc_json_put_str(json, "lease", tc_str_of(pull->lease));
    return json;
}

static int ask_consumer(struct tocsin *tocsin, const char *command)
{
    struct peer *peer = &tocsin->broker;
    int code = peer_ask(peer, command, (tc_str){0}, deadline(tocsin->timeout_ms), &tocsin->err);
    if (code == TC_EPROTO && peer->answer &&
        tc_str_eq(tc_json_get_str(peer->answer, "code"), TC_STR("fenced")))
        tocsin->pull.fenced = true; // tocsin_next() tells it
    return code;
}

int tocsin_acknowledge(struct tocsin *tocsin, uint64_t seq)
{
    struct tc_json *json = consumer_question(tocsin);
    if (!json)
        return TOCSIN_EINVAL;
    tc_json_put_u64(json, "seq", seq);
    tc_json_put_str(json, "epoch", tc_str_of(tocsin->pull.epoch));
    int code = ask_consumer(tocsin, "ACK");
    if (code == TC_OK)
        pull_acknowledged(&tocsin->pull, seq);
    return done(tocsin, code);
}

int tocsin_seek(struct tocsin *tocsin, const struct tocsin_stream *where)
{
    static const struct tocsin_stream earliest = {0};
    char since[PULL_TIME_BYTES] = "";
    uint64_t cursor = 0;
    where = where ? where : &earliest;
    if (where->start > TOCSIN_FROM_SINCE)
        return tc_fail(&tocsin->err, TC_EINVAL, "%d is no enum tocsin_start", (int)where->start);
    if (where->start == TOCSIN_FROM_SINCE &&
        pull_read_since(where->since, since, &tocsin->err) != TC_OK)
        return TOCSIN_EINVAL;
    struct tc_json *json = consumer_question(tocsin);
    if (!json)
        return TOCSIN_EINVAL;
    pull_write_place("after", where->start, where->after, since, json);
    tc_json_put_str(json, "epoch", tc_str_of(tocsin->pull.epoch));
    int code = ask_consumer(tocsin, "SEEK");
    if (code == TC_OK && !tc_json_get_u64(tocsin->broker.answer, "cursor", &cursor))
        code = tc_fail(&tocsin->err, TC_EPROTO, "the broker answered SEEK without a cursor");
    if (code == TC_OK)
        pull_sought(&tocsin->pull, cursor);
    return done(tocsin, code);
}

int tocsin_detach(struct tocsin *tocsin)
{
    if (!consumer_question(tocsin))
        return TOCSIN_EINVAL;
    int code = ask_consumer(tocsin, "DETACH");
    if (code == TC_OK)
        end_stream(tocsin);
    return done(tocsin, code);
}

int tocsin_publish(struct tocsin *tocsin, const char *article, size_t article_bytes,
                   const void *body, size_t body_bytes, struct tocsin_receipt *receipt)
{
    struct publish *publish = &tocsin->publish;
    int64_t until = deadline(tocsin->timeout_ms);
    if (publish->count)
        return tc_fail(&tocsin->err, TC_EINVAL, "articles are on the way: collect them first");
    int code = check_keys(tocsin, &tocsin->watcher_wrong);
    if (code == TC_OK)
        code = publish_submit(publish, (tc_str){article, article_bytes}, (tc_str){body, body_bytes},
                              &tocsin->err);
    if (code == TC_OK)
        code = publish_collect(publish, until, receipt, &tocsin->err);
    publish_forget(publish);
    return done(tocsin, code);
}

int tocsin_submit(struct tocsin *tocsin, const char *article, size_t article_bytes,
                  const void *body, size_t body_bytes)
{
    int code = check_keys(tocsin, &tocsin->watcher_wrong);
    if (code == TC_OK)
        code = publish_submit(&tocsin->publish, (tc_str){article, article_bytes},
                              (tc_str){body, body_bytes}, &tocsin->err);
    return done(tocsin, code);
}

int tocsin_collect(struct tocsin *tocsin, struct tocsin_receipt *receipt)
{
    int code =
        publish_collect(&tocsin->publish, deadline(tocsin->timeout_ms), receipt, &tocsin->err);
    return done(tocsin, code == TC_ENOENT ? TOCSIN_NOTHING : code);
}

int tocsin_status(struct tocsin *tocsin, enum tocsin_daemon daemon, const char **json)
{
    struct peer *peer = daemon == TOCSIN_BROKER ? &tocsin->broker : &tocsin->watcher;
    peer_question(peer);
    int code = check_keys(tocsin,
                          daemon == TOCSIN_BROKER ? &tocsin->broker_wrong : &tocsin->watcher_wrong);
    if (code == TC_OK)
        code = peer_ask(peer, "STATS", (tc_str){0}, deadline(tocsin->timeout_ms), &tocsin->err);
    if (code == TC_OK)
        code = peer_keep_answer(peer, json, &tocsin->err);
    return done(tocsin, code);
}

// Asks for one page of consumers behind `after` and adds it to `list`. Gives the name that the next page
// lies behind, an empty one at the end; it views the answer.
static int ask_page(struct tocsin *tocsin, const char *after, struct tc_buf *list,
                    const char **next)
{
    struct peer *peer = &tocsin->broker;
    struct tc_json *question = peer_question(peer);
    if (*after)
        tc_json_put_str(question, "after", tc_str_of(after));
    int code = peer_ask(peer, "CONSUMERS", (tc_str){0}, deadline(tocsin->timeout_ms), &tocsin->err);
    if (code != TC_OK)
        return code;
    for (size_t i = peer->payload; i < tc_frames_count(peer->frames); i++) {
        if (list->len > 1)
            tc_buf_byte(list, ',');
        tc_buf_str(list, tc_frames_at(peer->frames, i));
    }
    *next = parse_text(peer->answer, "next");
    return TC_OK;
}

int tocsin_consumers(struct tocsin *tocsin, const char **json)
{
    struct tc_buf *list = &tocsin->broker.kept;
    char after[PULL_NAME_BYTES] = "";
    const char *next = "";
    int code = check_keys(tocsin, &tocsin->broker_wrong);
    tc_buf_clear(list);
    tc_buf_byte(list, '[');
    do {
        snprintf(after, sizeof after, "%s", next);
        code = code == TC_OK ? ask_page(tocsin, after, list, &next) : code;
    } while (code == TC_OK && strcmp(next, after) > 0);
    tc_buf_byte(list, ']');
    if (code == TC_OK && list->failed)
        code = tc_fail(&tocsin->err, TC_ENOMEM, "no memory for the list of consumers");
    if (code == TC_OK)
        *json = list->ptr;
    return done(tocsin, code);
}

static int order(struct tocsin *tocsin, const char *what, const char *name)
{
    struct peer *peer = &tocsin->broker;
    struct tc_json *question = peer_question(peer);
    if (!name || !*name)
        return tc_fail(&tocsin->err, TC_EINVAL, "which consumer?");
    tc_json_put_str(question, "do", tc_str_of(what));
    tc_json_put_str(question, "consumer", tc_str_of(name));
    int code = check_keys(tocsin, &tocsin->broker_wrong);
    if (code == TC_OK)
        code = peer_ask(peer, "CONSUMERS", (tc_str){0}, deadline(tocsin->timeout_ms), &tocsin->err);
    return done(tocsin, code);
}

int tocsin_drop(struct tocsin *tocsin, const char *name)
{
    return order(tocsin, "drop", name);
}

int tocsin_release(struct tocsin *tocsin, const char *name)
{
    return order(tocsin, "release", name);
}

int tocsin_backup(struct tocsin *tocsin, const char *file, const char **json)
{
    struct peer *peer = &tocsin->broker;
    struct tc_json *question = peer_question(peer);
    if (file)
        tc_json_put_str(question, "file", tc_str_of(file));
    int code = check_keys(tocsin, &tocsin->broker_wrong);
    if (code == TC_OK)
        code = peer_ask(peer, "BACKUP", (tc_str){0}, deadline(tocsin->timeout_ms), &tocsin->err);
    if (code == TC_OK)
        code = peer_keep_answer(peer, json, &tocsin->err);
    return done(tocsin, code);
}
