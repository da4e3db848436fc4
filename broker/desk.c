#include "broker/desk.h"

#include "broker/fetch.h"
#include "broker/hello.h"
#include "broker/intake.h"
#include "broker/parking.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/mem.h"

#include <jansson.h>
#include <stdlib.h>

// An answer of this turn, kept until the commit.
struct pending {
    struct answer answer;
    bool writes;         // it promises something: a full disk turns it into a refusal
    bool put;            // then it is refused by NAK
    struct fetch *fetch; // or it is a FETCH, which runs after the commit
};

struct desk {
    struct store *store; // borrowed
    struct desk_out out;
    struct watches *watches;
    struct consumers *consumers;
    uint64_t turns; // consumers_turns when parked FETCHes were last held against it
    struct intake intake;
    struct parking *parking;
    struct pending *turn;
    size_t count, capacity, items;
    int failed; // the store's failure in this turn, TC_OK else
    struct tc_err failure;
    uint64_t damaged;
    bool stopping;
    bool disk_full; // when something was to be written last
    int64_t started_wall_ns;
};

typedef int handler(struct desk *desk, const struct request *request, struct pending *pending,
                    int64_t now_wall_ns, int64_t now_mono_ns, struct tc_err *err);

int desk_open(struct store *store, const struct desk_out *out_to, int64_t now_wall_ns,
              struct desk **out, struct tc_err *err)
{
    struct desk *desk = tc_new(sizeof *desk);
    desk->store = store;
    desk->out = *out_to;
    desk->started_wall_ns = now_wall_ns;
    int code = consumers_open(store, &desk->consumers, err);
    if (code != TC_OK) {
        free(desk);
        return code;
    }
    desk->watches = watches_new(store);
    desk->parking = parking_new();
    intake_init(&desk->intake, store, desk->watches);
    *out = desk;
    return TC_OK;
}

static void clear_turn(struct desk *desk)
{
    for (size_t i = 0; i < desk->count; i++) {
        fetch_free(desk->turn[i].fetch);
        answer_done(&desk->turn[i].answer);
    }
    desk->count = desk->items = 0;
    desk->failed = TC_OK;
}

void desk_close(struct desk *desk)
{
    if (!desk)
        return;
    clear_turn(desk);
    free(desk->turn);
    parking_free(desk->parking);
    intake_done(&desk->intake);
    watches_free(desk->watches);
    consumers_close(desk->consumers);
    free(desk);
}

size_t desk_taken(const struct desk *desk)
{
    return desk->items;
}

// --- one handler a command ---

static int take_hello(struct desk *desk, const struct request *request, struct pending *pending,
                      int64_t now_wall_ns, int64_t now_mono_ns, struct tc_err *err)
{
    struct hello_news news = {0};
    int code = hello_take(&desk->intake.sessions, desk->store, request, now_wall_ns, now_mono_ns,
                          &pending->answer, &news, err);
    if (news.event)
        desk->out.tell(desk->out.context, news.event, news.words.text);
    return code;
}

static int take_heartbeat(struct desk *desk, const struct request *request, struct pending *pending,
                          int64_t now_wall_ns, int64_t now_mono_ns, struct tc_err *err)
{
    return hello_beat(&desk->intake.sessions, desk->store, request, now_wall_ns, now_mono_ns,
                      &pending->answer, err);
}

static int take_put(struct desk *desk, const struct request *request, struct pending *pending,
                    int64_t now_wall_ns, int64_t now_mono_ns, struct tc_err *err)
{
    (void)now_mono_ns;
    desk->items += request->payload_count / 2;
    return intake_put(&desk->intake, request, now_wall_ns, &pending->answer, err);
}

static int take_watch(struct desk *desk, const struct request *request, struct pending *pending,
                      int64_t now_wall_ns, int64_t now_mono_ns, struct tc_err *err)
{
    (void)now_mono_ns;
    desk->items += request->payload_count;
    return intake_watch(&desk->intake, request, now_wall_ns, &pending->answer, err);
}

static void refuse_epoch(const struct desk *desk, struct answer *answer, const struct tc_err *err)
{
    const struct store_marks *marks = store_committed(desk->store);
    struct tc_json json = answer_begin(answer, "ERR");
    tc_json_put_str(&json, "code", TC_STR("epoch"));
    tc_json_put_str(&json, "reason", tc_str_of(err->text));
    answer_put_id(&json, "epoch", marks->epoch);
    tc_json_put_u64(&json, "head", marks->head);
    tc_json_put_u64(&json, "first", marks->first);
    tc_json_close(&json, '}');
}

// What a person or a program did wrong is answered; what is left is the store's failure.
static int refuse_mistake(const struct desk *desk, int code, struct answer *answer,
                          const struct tc_err *err)
{
    switch (code) {
    case TC_EPARSE: answer_refuse(answer, "header", err->text); return TC_OK;
    case TC_ENOMEM: answer_refuse(answer, "limit", err->text); return TC_OK;
    case TC_EVERSION: refuse_epoch(desk, answer, err); return TC_OK;
    case TC_EBUSY: answer_refuse(answer, "fenced", err->text); return TC_OK;
    case TC_EPROTO: answer_refuse(answer, "denied", err->text); return TC_OK;
    default: return code;
    }
}

static struct lease_room room_of(const struct desk *desk, const struct request *request,
                                 int64_t now_wall_ns, int64_t now_mono_ns)
{
    return (struct lease_room){desk->store, desk->consumers, request->peer, now_wall_ns,
                               now_mono_ns};
}

static int take_fetch(struct desk *desk, const struct request *request, struct pending *pending,
                      int64_t now_wall_ns, int64_t now_mono_ns, struct tc_err *err)
{
    struct lease_room room = room_of(desk, request, now_wall_ns, now_mono_ns);
    int code = fetch_open(request, &room, &pending->answer, &pending->fetch, err);
    return refuse_mistake(desk, code, &pending->answer, err);
}

#define TAKE_LEASE(what)                                                                           \
    static int take_##what(struct desk *desk, const struct request *request,                       \
                           struct pending *pending, int64_t now_wall_ns, int64_t now_mono_ns,      \
                           struct tc_err *err)                                                     \
    {                                                                                              \
        struct lease_room room = room_of(desk, request, now_wall_ns, now_mono_ns);                 \
        int code = lease_##what(request, &room, &pending->answer, err);                            \
        return refuse_mistake(desk, code, &pending->answer, err);                                  \
    }
TAKE_LEASE(attach)
TAKE_LEASE(detach)
TAKE_LEASE(ack)
TAKE_LEASE(seek)
TAKE_LEASE(consumers)

static int read_nonce(const struct request *request, struct answer *answer, struct tc_buf *topic,
                      struct tc_err *err)
{
    static const char *const known[] = {"nonce", NULL};
    json_t *header = NULL;
    int code = request_header(request, known, answer, &header, err);
    tc_str nonce = code == TC_OK ? tc_json_get_str(header, "nonce") : (tc_str){0};
    bool good = nonce.len >= 1 && nonce.len <= 32;
    for (size_t i = 0; i < nonce.len && good; i++)
        good = (nonce.ptr[i] >= 'a' && nonce.ptr[i] <= 'z') ||
               (nonce.ptr[i] >= '0' && nonce.ptr[i] <= '9');
    if (code == TC_OK && !good)
        code = tc_fail(err, TC_EPARSE, "\"nonce\" is missing or not [a-z0-9]{1,32}");
    if (code == TC_OK)
        tc_buf_addf(topic, "~/echo/%.*s/", TC_ARG(nonce));
    json_decref(header);
    return code;
}

static int take_echo(struct desk *desk, const struct request *request, struct pending *pending,
                     int64_t now_wall_ns, int64_t now_mono_ns, struct tc_err *err)
{
    struct tc_buf topic = {0};
    (void)now_wall_ns;
    (void)now_mono_ns;
    int code = read_nonce(request, &pending->answer, &topic, err);
    if (code == TC_OK) {
        struct tc_json json = answer_begin(&pending->answer, "OK");
        tc_json_close(&json, '}');
        desk->out.publish(desk->out.context, tc_buf_view(&topic), TC_STR("{}"));
    }
    tc_buf_done(&topic);
    return refuse_mistake(desk, code, &pending->answer, err);
}

static int take_stats(struct desk *desk, const struct request *request, struct pending *pending,
                      int64_t now_wall_ns, int64_t now_mono_ns, struct tc_err *err)
{
    (void)now_mono_ns;
    struct stats stats = {
        .store = desk->store,
        .watches = desk->watches,
        .consumers = desk->consumers,
        .intake = &desk->intake,
        .started_wall_ns = desk->started_wall_ns,
        .now_wall_ns = now_wall_ns,
        .live_sent = desk->out.published(desk->out.context),
        .parked = parking_count(desk->parking),
        .damaged = desk->damaged,
        .stopping = desk->stopping,
        .disk_full = desk->disk_full,
        .gauges = desk->out.gauges,
    };
    int code = stats_answer(&stats, request, &pending->answer, err);
    return refuse_mistake(desk, code, &pending->answer, err);
}

static void put_backup(const struct backup_status *status, struct answer *answer)
{
    static const char *const states[] = {"none", "copying", "checking", "done", "failed"};
    struct tc_json json = answer_begin(answer, "BACKUP");
    tc_json_put_str(&json, "state", tc_str_of(states[status->state]));
    tc_json_put_str(&json, "file", tc_str_of(status->file));
    tc_json_put_u64(&json, "pages_done", status->pages_done);
    tc_json_put_u64(&json, "pages", status->pages);
    if (status->state == BACKUP_DONE)
        tc_json_put_u64(&json, "bytes", status->bytes);
    if (status->state == BACKUP_FAILED)
        tc_json_put_str(&json, "reason", tc_str_of(status->err.text));
    tc_json_close(&json, '}');
}

static int take_backup(struct desk *desk, const struct request *request, struct pending *pending,
                       int64_t now_wall_ns, int64_t now_mono_ns, struct tc_err *err)
{
    static const char *const known[] = {"file", NULL};
    json_t *header = NULL;
    (void)now_wall_ns;
    (void)now_mono_ns;
    if (!desk->out.backup) {
        answer_refuse(&pending->answer, "unsupported", "no backup here");
        return TC_OK;
    }
    int code = request_header(request, known, &pending->answer, &header, err);
    if (code == TC_OK && json_object_get(header, "file"))
        code = backup_begin(desk->out.backup, tc_json_get_str(header, "file"), err);
    json_decref(header);
    if (code == TC_OK)
        put_backup(backup_status(desk->out.backup), &pending->answer);
    else
        answer_refuse(&pending->answer,
                      code == TC_EPARSE || code == TC_EINVAL ? "header"
                      : code == TC_EBUSY                     ? "limit"
                                                             : "disk",
                      err->text);
    return TC_OK;
}

static const struct command {
    const char *name;
    handler *take;
    bool writes, payload; // it may have frames behind its header
    enum tc_role role;    // that a key needs
} commands[] = {
    {"PUT", take_put, true, true, TC_ROLE_WATCHER},
    {"FETCH", take_fetch, false, false, TC_ROLE_SUBSCRIBER},
    {"ACK", take_ack, true, false, TC_ROLE_SUBSCRIBER},
    {"ATTACH", take_attach, true, false, TC_ROLE_SUBSCRIBER},
    {"SEEK", take_seek, true, false, TC_ROLE_SUBSCRIBER},
    {"DETACH", take_detach, true, false, TC_ROLE_SUBSCRIBER},
    {"CONSUMERS", take_consumers, true, false, TC_ROLE_ADMIN},
    {"HB", take_heartbeat, false, false, TC_ROLE_WATCHER},
    {"HELLO", take_hello, false, false, TC_ROLE_WATCHER},
    {"WATCH", take_watch, true, true, TC_ROLE_WATCHER},
    {"ECHO", take_echo, false, false, TC_ROLE_SUBSCRIBER},
    {"STATS", take_stats, false, false, TC_ROLE_ADMIN},
    {"BACKUP", take_backup, false, false, TC_ROLE_ADMIN},
};

static const struct command *command_named(tc_str name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (tc_str_eq(name, tc_str_of(commands[i].name)))
            return &commands[i];
    }
    return NULL;
}

// --- a turn ---

static struct pending *pend(struct desk *desk, const struct request *request)
{
    desk->turn = tc_room(desk->turn, desk->count, &desk->capacity, sizeof *desk->turn);
    struct pending *pending = &desk->turn[desk->count++];
    *pending = (struct pending){0};
    answer_to(&pending->answer, request);
    desk->items++;
    return pending;
}

// What a refusal must name, of a request that is not looked at any further.
static void note_numbers(const struct request *request, struct answer *answer)
{
    json_t *header = NULL;
    if (tc_json_read(request->header, &header, NULL) != TC_OK)
        return;
    answer->has_rid = tc_json_get_u64(header, "rid", &answer->rid);
    tc_json_get_u64(header, "batch", &answer->batch);
    json_decref(header);
}

void desk_refuse(struct desk *desk, const struct request *request, const char *code,
                 const char *reason)
{
    struct answer *answer = &pend(desk, request)->answer;
    note_numbers(request, answer);
    answer_refuse(answer, code, reason);
}

// A FETCH writes when it brings a new consumer, which is known only inside; so it opens a
// transaction when it names one. An empty transaction costs no fsync.
static bool wants_transaction(const struct command *command, const struct request *request)
{
    return command->writes ||
           (command->take == take_fetch &&
            memmem(request->header.ptr, request->header.len, "consumer", strlen("consumer")));
}

static int take(struct desk *desk, const struct command *command, const struct request *request,
                struct pending *pending, int64_t now_wall_ns, int64_t now_mono_ns,
                struct tc_err *err)
{
    int code = TC_OK;
    if (pending->writes && !store_writing(desk->store))
        code = store_begin(desk->store, err);
    return code == TC_OK ? command->take(desk, request, pending, now_wall_ns, now_mono_ns, err)
                         : code;
}

static void refuse_writer(struct pending *pending, const char *reason)
{
    fetch_free(pending->fetch);
    pending->fetch = NULL;
    if (!pending->put) {
        answer_refuse(&pending->answer, "disk", reason);
        return;
    }
    uint64_t batch = pending->answer.batch;
    struct tc_json json = answer_begin(&pending->answer, "NAK");
    tc_json_put_u64(&json, "batch", batch);
    tc_json_put_str(&json, "reason", TC_STR("disk"));
    tc_json_put_u64(&json, "retry_ms", INTAKE_RETRY_MS);
    tc_json_close(&json, '}');
}

void desk_take(struct desk *desk, const struct request *request, int64_t now_wall_ns,
               int64_t now_mono_ns)
{
    const struct command *command = command_named(request->command);
    if (!command) {
        struct tc_err err;
        tc_fail(&err, TC_EPROTO, "no command \"%.*s\"",
                (int)(request->command.len < 32 ? request->command.len : 32), request->command.ptr);
        desk_refuse(desk, request, "unsupported", err.text);
        return;
    }
    if (!tc_peer_is(request->peer, command->role)) {
        struct tc_err err;
        tc_fail(&err, TC_EPROTO, "%s needs the role %s, which the key of \"%.*s\" has not",
                command->name, tc_role_name(command->role), TC_ARG(request->peer->name));
        desk_refuse(desk, request, "denied", err.text);
        return;
    }
    if (request->inside && (wants_transaction(command, request) ||
                            command->role == TC_ROLE_WATCHER || command->take == take_backup)) {
        desk_refuse(desk, request, "denied", "who asks from inside may only read");
        return;
    }
    if (request->payload_count && !command->payload) {
        desk_refuse(desk, request, "payload", "no frames belong behind the header of this command");
        return;
    }
    struct pending *pending = pend(desk, request);
    pending->writes = wants_transaction(command, request);
    pending->put = command->take == take_put;
    if (desk->out.gauges->read_only && command->writes && command->role == TC_ROLE_WATCHER) {
        pending->writes = false; // refused already
        note_numbers(request, &pending->answer);
        refuse_writer(pending, "there is too little room on the disk");
        return;
    }
    if (pending->writes && desk->failed != TC_OK) { // the transaction is lost: refused at the end
        note_numbers(request, &pending->answer);
        return;
    }
    struct tc_err err = {0};
    int code = take(desk, command, request, pending, now_wall_ns, now_mono_ns, &err);
    if (code != TC_OK) {
        note_numbers(request, &pending->answer);
        desk->failed = code;
        desk->failure = err;
    }
}

// The disk was full: what promised something is refused, as if it had never been stored.
static void refuse_writers(struct desk *desk)
{
    for (size_t i = 0; i < desk->count; i++) {
        if (desk->turn[i].writes)
            refuse_writer(&desk->turn[i], desk->failure.text);
    }
}

// Cursors go along with what is written anyway; when they have waited long enough, by themselves.
static void write_cursors(struct desk *desk, int64_t now_mono_ns)
{
    bool due = now_mono_ns >= consumers_due_mono_ns(desk->consumers);
    if (desk->failed != TC_OK)
        return;
    if (due && !store_writing(desk->store))
        desk->failed = store_begin(desk->store, &desk->failure);
    if (desk->failed == TC_OK && store_writing(desk->store) && (due || store_changed(desk->store)))
        desk->failed = consumers_flush(desk->consumers, now_mono_ns, &desk->failure);
}

static int commit(struct desk *desk, int64_t now_mono_ns, struct tc_err *err)
{
    write_cursors(desk, now_mono_ns);
    bool wrote = store_writing(desk->store) && store_changed(desk->store);
    if (desk->failed == TC_OK && store_writing(desk->store))
        desk->failed = store_commit(desk->store, &desk->failure);
    if (desk->failed == TC_OK) {
        intake_committed(&desk->intake);
        consumers_committed(desk->consumers);
        if (wrote) // an empty transaction goes through on a full disk, too
            desk->disk_full = false;
        return TC_OK;
    }
    store_rollback(desk->store);
    intake_rolled_back(&desk->intake);
    if (desk->failed != TC_EFULL) {
        *err = desk->failure;
        return desk->failed;
    }
    desk->disk_full = true;
    desk->out.tell(desk->out.context, "store.full", desk->failure.text);
    refuse_writers(desk);
    return consumers_reload(desk->consumers, err);
}

static void run_fetch(struct desk *desk, struct pending *pending, int64_t now_mono_ns,
                      struct fetch_budget *budget)
{
    parking_replace(desk->parking, &pending->answer, desk->out.answer, desk->out.context);
    if (!fetch_fenced(pending->fetch, desk->consumers, &pending->answer) &&
        !fetch_run(pending->fetch, desk->store, now_mono_ns, &pending->answer, budget)) {
        if (parking_put(desk->parking, &pending->answer, pending->fetch)) {
            pending->answer = (struct answer){0}; // the parking's now
            pending->fetch = NULL;
            return;
        }
        answer_refuse(&pending->answer, "limit", "too many FETCHes wait already");
    }
    desk->out.answer(desk->out.context, &pending->answer);
}

// What promised something is answered first. Then FETCHes, those that wait before the newcomers, who
// could keep them waiting for ever.
static void answer_turn(struct desk *desk, int64_t now_mono_ns)
{
    struct fetch_budget budget = {.rows = FETCH_ROWS,
                                  .end_mono_ns = tc_mono_ns() + desk->out.fetch_ns};
    for (size_t i = 0; i < desk->count; i++) {
        if (!desk->turn[i].fetch)
            desk->out.answer(desk->out.context, &desk->turn[i].answer);
    }
    if (consumers_turns(desk->consumers) != desk->turns)
        parking_fence(desk->parking, desk->consumers, desk->out.answer, desk->out.context);
    desk->turns = consumers_turns(desk->consumers);
    parking_run(desk->parking, desk->store, now_mono_ns, desk->out.answer, desk->out.context,
                &budget);
    for (size_t i = 0; i < desk->count; i++) {
        if (desk->turn[i].fetch)
            run_fetch(desk, &desk->turn[i], now_mono_ns, &budget);
    }
    if (desk->count)
        tc_fault("intake.answered");
    clear_turn(desk);
    desk->damaged += budget.damaged;
    if (budget.damaged)
        desk->out.tell(desk->out.context, "store.damaged",
                       "alerts that were asked for fail their checksum and were left out");
}

int desk_finish(struct desk *desk, int64_t now_mono_ns, struct tc_err *err)
{
    int code = commit(desk, now_mono_ns, err);
    if (code == TC_OK)
        answer_turn(desk, now_mono_ns);
    else
        clear_turn(desk);
    return code;
}

void desk_access_changed(struct desk *desk)
{
    parking_clear(desk->parking, desk->out.answer, desk->out.context);
}

void desk_stopping(struct desk *desk)
{
    desk->stopping = true;
}

int desk_settle(struct desk *desk, int64_t now_mono_ns, struct tc_err *err)
{
    int code = TC_OK;
    while (code == TC_OK && consumers_due_mono_ns(desk->consumers) != INT64_MAX) {
        code = store_begin(desk->store, err);
        if (code == TC_OK)
            code = consumers_flush(desk->consumers, now_mono_ns, err);
        if (code == TC_OK)
            code = store_commit(desk->store, err);
        if (code == TC_OK)
            consumers_committed(desk->consumers);
    }
    store_rollback(desk->store);
    return code;
}

uint64_t desk_lowest_cursor(const struct desk *desk)
{
    return consumers_lowest(desk->consumers);
}

int64_t desk_next_mono_ns(const struct desk *desk)
{
    int64_t fetch = parking_next_mono_ns(desk->parking, desk->store);
    int64_t cursors = consumers_due_mono_ns(desk->consumers);
    return fetch < cursors ? fetch : cursors;
}
