#include "broker/broker.h"

#include "broker/desk.h"
#include "broker/feed.h"
#include "broker/fetch.h"
#include "broker/recover.h"
#include "broker/retain.h"
#include "broker/space.h"
#include "broker/web.h"
#include "common/clock.h"
#include "common/daemon.h"
#include "common/frame.h"
#include "common/mem.h"
#include "common/sock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

enum {
    TAIL_ROWS = 1000,
    LEAST_ROOM_BYTES = 1024 * 1024, // below which SQLite may not even open
    LAST_WORDS_MS = 1000,
    BIND_LIVE_MS = 5000,
    BIND_AGAIN_MS = 10,
    LONGEST_MS = 60000, // what STATS says of the loop is of this long, or twice that
};

struct broker {
    const struct settings *settings; // borrowed
    int signals;                     // borrowed
    int store_lock, fetch_lock, live_lock;
    struct store *store;
    void *context, *router, *xpub;
    void *inside;    // where the web asks; NULL: there is none
    struct web *web; // likewise
    pthread_t web_thread;
    bool web_started;
    struct tc_guard *guard;    // NULL: no keys
    int64_t bind_live_mono_ns; // 0, or until when live must be bound again
    struct feed *feed;
    struct desk *desk;
    struct backup *backup;
    struct retain *retain;
    struct space *space;
    struct age_reading clocks;
    struct gauges gauges;
    int64_t longest_ns, longest_mono_ns; // of the loop in this window, and when that ends
    struct tc_frames *frames;
    tc_str *views; // of the frames of one message
    bool stopping;
    int64_t stop_mono_ns; // at the latest, once stopping
};

// --- where the desk's answers go ---

// A peer that has gone, or does not read, loses its answer: it asks again.
static void send_answer(void *context, const struct answer *answer)
{
    const struct broker *broker = context;
    void *socket = answer->inside ? broker->inside : broker->router;
    if (!answer->reply)
        return;
    for (size_t i = 0; i < answer->envelope_count; i++) {
        if (tc_frame_send(socket, answer_envelope_at(answer, i), true, NULL) != TC_OK)
            return;
    }
    tc_frame_send(socket, TC_STR("T1"), true, NULL);
    tc_frame_send(socket, tc_str_of(answer->reply), true, NULL);
    tc_frame_send(socket, tc_buf_view(&answer->header), answer->count > 0, NULL);
    for (size_t i = 0; i < answer->count; i++)
        tc_frame_send(socket, answer_frame_at(answer, i), i + 1 < answer->count, NULL);
}

static void send_live(void *context, tc_str topic, tc_str body)
{
    struct broker *broker = context;
    feed_listen(broker->feed);
    feed_send(broker->feed, topic, body);
}

static uint64_t live_count(void *context)
{
    const struct broker *broker = context;
    return feed_sent(broker->feed);
}

static void log_trouble(void *context, const char *event, const char *reason)
{
    struct broker *broker = context;
    char text[TC_LOG_TEXT_BYTES];
    if (!strcmp(event, "store.full"))
        space_met_full(broker->space);
    tc_log(TC_WARN, event, "reason=%s", tc_log_text(tc_str_of(reason), text));
}

// --- opening ---

// Reads the store to its end, and makes another one of it when something is damaged.
static int recover(const char *path, struct tc_err *err)
{
    struct recover_report report;
    char why[TC_ERR_TEXT_BYTES], text[TC_LOG_TEXT_BYTES], kept[TC_LOG_TEXT_BYTES];
    bool needed = false;
    int code = recover_needed(path, &needed, why, err);
    if (code != TC_OK)
        return code;
    if (!needed) {
        tc_log(TC_INFO, "store.whole", "reason=\"nothing is damaged, nothing was changed\"");
        return TC_OK;
    }
    tc_log(TC_WARN, "store.damaged", "reason=%s", tc_log_text(tc_str_of(why), text));
    code = recover_store(path, tc_wall_ns(), &report, err);
    if (code == TC_OK)
        tc_log(TC_WARN, "store.recovered",
               "alerts=%llu alerts_lost=%llu hits=%llu hits_lost=%llu old=%s",
               (unsigned long long)report.alerts, (unsigned long long)report.alerts_lost,
               (unsigned long long)report.hits, (unsigned long long)report.hits_lost,
               tc_log_text(tc_str_of(report.kept), kept));
    return code;
}

static int open_store(struct broker *broker, struct tc_arena *arena, struct tc_err *err)
{
    tc_str path = broker->settings->store;
    size_t slash = path.len;
    while (slash && path.ptr[slash - 1] != '/')
        slash--;
    int code = slash > 1 ? tc_make_dirs(tc_str_cut(path, 0, slash - 1), err) : TC_OK;
    if (code == TC_OK)
        code = tc_lock(tc_arena_printf(arena, "%.*s.lock", TC_ARG(path)), &broker->store_lock, err);
    if (code == TC_OK)
        code = space_open(path, broker->settings->disk_reserve, broker->settings->network_storage,
                          &broker->space, err);
    if (code == TC_OK && broker->settings->accept_data_loss)
        code = recover(tc_arena_printf(arena, "%.*s", TC_ARG(path)).ptr, err);
    if (code == TC_OK)
        code = store_open(path, &broker->store, err);
    if (code == TC_EIO && broker->space &&
        space_state(broker->space)->free_bytes < LEAST_ROOM_BYTES)
        tc_err_prefix(err, "the disk is full, make room");
    return code;
}

// The folder of an ipc endpoint is the runtime folder, or one that the settings name.
static int make_endpoint_folder(tc_str endpoint, struct tc_err *err)
{
    tc_str scheme = TC_STR("ipc://");
    size_t slash = endpoint.len;
    if (!tc_str_starts(endpoint, TC_STR("ipc:///")))
        return TC_OK;
    while (endpoint.ptr[slash - 1] != '/')
        slash--;
    tc_str folder = tc_str_cut(endpoint, scheme.len, slash - 1);
    return folder.len ? tc_make_dirs(folder, err) : TC_OK;
}

static int open_socket(struct broker *broker, enum tc_sock_kind kind, enum tc_door door,
                       tc_str endpoint, int *lock, void **socket, struct tc_err *err)
{
    int code = make_endpoint_folder(endpoint, err);
    if (code == TC_OK)
        code = tc_lock_endpoint(endpoint, lock, err);
    if (code == TC_OK)
        code = tc_sock_open_guarded(broker->context, kind, tc_guard_curve(broker->guard, door),
                                    endpoint, true, socket, err);
    return code == TC_OK ? tc_guard_bound(broker->guard, *socket, kind, endpoint, err) : code;
}

static int open_sockets(struct broker *broker, const struct tc_server_keys *keys,
                        struct tc_err *err)
{
    const struct settings *settings = broker->settings;
    broker->context = zmq_ctx_new();
    if (!broker->context)
        return tc_fail(err, TC_EPROTO, "cannot make a ZeroMQ context: %s", zmq_strerror(errno));
    int code = keys ? tc_guard_open(broker->context, keys, &broker->guard, err) : TC_OK;
    if (code == TC_OK)
        code = open_socket(broker, TC_SOCK_XPUB, TC_DOOR_LIVE, settings->live, &broker->live_lock,
                           &broker->xpub, err);
    if (code == TC_OK)
        code = open_socket(broker, TC_SOCK_ROUTER, TC_DOOR_FETCH, settings->fetch,
                           &broker->fetch_lock, &broker->router, err);
    return code == TC_OK ? tc_guard_prove(broker->guard, err) : code;
}

static int open_web(struct broker *broker, struct tc_err *err)
{
    const struct tc_http_settings *http = &broker->settings->http;
    if (!http->address.len)
        return TC_OK;
    int code = tc_sock_open(broker->context, TC_SOCK_ROUTER, TC_STR(WEB_INSIDE), true,
                            &broker->inside, err);
    return code == TC_OK ? web_open(broker->context, http, &broker->web, err) : code;
}

static int open_inside(struct broker *broker, const struct tc_server_keys *keys, struct tc_err *err)
{
    const struct retain_settings *keep = &broker->settings->retain;
    struct tc_arena *arena = tc_arena_new();
    tc_str runtime;
    int code = tc_runtime_dir(arena, true, &runtime, err);
    if (code == TC_OK)
        code = open_store(broker, arena, err);
    if (code == TC_OK)
        code = open_sockets(broker, keys, err);
    if (code == TC_OK)
        code = open_web(broker, err);
    if (code == TC_OK) {
        broker->backup = backup_new(broker->store);
        struct desk_out out = {broker,      send_answer,     send_live,      live_count,
                               log_trouble, &broker->gauges, broker->backup, FETCH_TURN_MS * TC_MS};
        code = desk_open(broker->store, &out, tc_wall_ns(), &broker->desk, err);
    }
    if (code == TC_OK)
        code = retain_open(broker->store, keep, &broker->clocks, &broker->retain, err);
    if (code == TC_OK)
        broker->feed = feed_new(broker->xpub, broker->store, broker->settings->live_except,
                                broker->settings->live_except_count, tc_mono_ns());
    tc_arena_free(arena);
    return code;
}

int broker_open(const struct settings *settings, const struct tc_server_keys *keys, int signals,
                struct broker **out, struct tc_err *err)
{
    struct broker *broker = tc_new(sizeof *broker);
    broker->settings = settings;
    broker->signals = signals;
    age_read(&broker->clocks);
    broker->store_lock = broker->fetch_lock = broker->live_lock = -1;
    broker->frames = tc_frames_new();
    broker->views = tc_new(TC_FRAMES_MOST * sizeof *broker->views);
    int code = open_inside(broker, keys, err);
    if (code != TC_OK) {
        broker_close(broker);
        return code;
    }
    *out = broker;
    return TC_OK;
}

static void unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}

static void close_web(struct broker *broker)
{
    if (broker->web_started) {
        tc_pages_stop(web_pages(broker->web));
        pthread_join(broker->web_thread, NULL);
    }
    web_close(broker->web);
    tc_sock_close(broker->inside);
}

void broker_close(struct broker *broker)
{
    if (!broker)
        return;
    close_web(broker);
    retain_close(broker->retain);
    backup_free(broker->backup);
    desk_close(broker->desk);
    feed_free(broker->feed);
    tc_sock_close(broker->router);
    tc_sock_close(broker->xpub);
    tc_guard_close(broker->guard);
    if (broker->context)
        zmq_ctx_term(broker->context);
    store_close(broker->store);
    space_close(broker->space);
    tc_frames_free(broker->frames);
    free(broker->views);
    unlock(broker->fetch_lock);
    unlock(broker->live_lock);
    unlock(broker->store_lock); // last: nobody opens the store before it is closed
    free(broker);
}

// --- a turn ---

// What is no request is answered too, as far as it says where to: the routing id, and the empty
// frame of a REQ socket.
static void take_message(struct broker *broker, bool inside, int64_t wall_ns, int64_t mono_ns)
{
    const struct tc_peer *peer = NULL;
    bool guarded = !inside && broker->guard && tc_sock_is_tcp(broker->settings->fetch);
    size_t count = tc_frames_count(broker->frames);
    struct tc_request parts;
    struct tc_err err;
    for (size_t i = 0; i < count; i++)
        broker->views[i] = tc_frames_at(broker->frames, i);
    struct request request = {.envelope = broker->views, .inside = inside};
    if (tc_frames_request(broker->frames, &parts, &err) != TC_OK) {
        request.envelope_count = count > 1 && broker->views[1].len == 0 ? 2 : 1;
        desk_refuse(broker->desk, &request, "payload", err.text);
        return;
    }
    if (guarded && !(peer = tc_guard_peer(broker->guard, tc_frames_user(broker->frames)))) {
        request.envelope_count = parts.envelope;
        request.header = parts.header;
        desk_refuse(broker->desk, &request, "denied",
                    "access.yaml does not name this key any more");
        return;
    }
    request.peer = peer;
    request.envelope_count = parts.envelope;
    request.command = parts.command;
    request.header = parts.header;
    request.payload = broker->views + parts.payload;
    request.payload_count = count - parts.payload;
    desk_take(broker->desk, &request, wall_ns, mono_ns);
}

// Drains what has arrived. A message with too many frames was thrown away: nobody to answer.
static int drain(struct broker *broker, void *socket, struct tc_err *err)
{
    size_t bytes = 0;
    int64_t now_mono_ns = tc_mono_ns(), end_mono_ns = now_mono_ns + BROKER_TURN_MS * TC_MS;
    int code = TC_OK;
    while (desk_taken(broker->desk) < BROKER_ITEMS && bytes < BROKER_BYTES &&
           now_mono_ns < end_mono_ns) {
        code = tc_frames_receive(broker->frames, socket, err);
        if (code == TC_EFULL) {
            tc_log_err(TC_WARN, "broker.message_refused", err);
            continue;
        }
        if (code != TC_OK)
            break;
        take_message(broker, socket == broker->inside, tc_wall_ns(), now_mono_ns);
        for (size_t i = 0; i < tc_frames_count(broker->frames); i++)
            bytes += broker->views[i].len;
        now_mono_ns = tc_mono_ns();
    }
    return code == TC_ENOENT ? TC_OK : code;
}

// What is old goes a little at a time, after all that somebody waits for. A damaged page ends that and
// nothing else: what can be read is still served.
static int remove_old(struct broker *broker, struct tc_err *err)
{
    struct gauges *gauges = &broker->gauges;
    bool doubted = gauges->clock_doubted;
    age_read_again(&broker->clocks);
    int code = retain_turn(broker->retain, &broker->clocks, desk_lowest_cursor(broker->desk), err);
    if (code != TC_OK)
        tc_log_err(TC_ERROR, "retain.failed", err);
    if (code == TC_EFULL)
        space_met_full(broker->space);
    gauges->clock_ahead_ns = retain_ahead_ns(broker->retain);
    gauges->clock_doubted = retain_doubts(broker->retain);
    if (gauges->clock_doubted && !doubted)
        tc_log(
            TC_WARN, "retain.clock",
            "off_seconds=%lld reason=\"the clock has jumped: nothing is removed for that; if it is "
            "right now, start once with --trust-clock\"",
            (long long)(gauges->clock_ahead_ns / TC_SECOND));
    return code == TC_EFULL || code == TC_ECORRUPT ? TC_OK : code;
}

static void look_for_room(struct broker *broker)
{
    const struct space_state *state = space_state(broker->space);
    space_turn(broker->space, broker->store, tc_mono_ns());
    if (state->low != broker->gauges.read_only)
        tc_log(state->low ? TC_ERROR : TC_INFO, state->low ? "store.read_only" : "store.serving",
               "free_bytes=%llu", (unsigned long long)state->free_bytes);
    broker->gauges.read_only = state->low;
    broker->gauges.disk_free_bytes = state->free_bytes;
}

static void copy_some(struct broker *broker)
{
    const struct backup_status *status = backup_status(broker->backup);
    enum backup_state before = status->state;
    char file[TC_LOG_TEXT_BYTES];
    backup_turn(broker->backup);
    if (before != status->state && status->state == BACKUP_DONE)
        tc_log(TC_INFO, "backup.done", "file=%s bytes=%llu",
               tc_log_text(tc_str_of(status->file), file), (unsigned long long)status->bytes);
    else if (before != status->state && status->state == BACKUP_FAILED)
        tc_log_err(TC_ERROR, "backup.failed", &status->err);
}

// The web first: it brings little, and a flood outside fills a turn.
static int turn(struct broker *broker, struct tc_err *err)
{
    feed_listen(broker->feed);
    int code = tc_guard_turn(broker->guard, tc_mono_ns(), err);
    if (code == TC_OK && broker->inside)
        code = drain(broker, broker->inside, err);
    if (code == TC_OK)
        code = drain(broker, broker->router, err);
    if (code == TC_OK)
        code = desk_finish(broker->desk, tc_mono_ns(), err);
    if (code == TC_OK)
        code = feed_publish(broker->feed, err);
    if (code == TC_OK)
        code = remove_old(broker, err);
    if (code == TC_OK)
        copy_some(broker);
    if (code == TC_OK)
        look_for_room(broker);
    feed_beat(broker->feed, tc_wall_ns(), tc_mono_ns());
    return code;
}

// --- the loop ---

// A subscriber cannot be put out alone: libzmq knows no such call. So all are, and those that may come
// back do so by themselves within a moment; what they missed they see by the numbers. libzmq closes
// the old port in a thread of its own, so the new socket is bound when that is done.
static int close_live(struct broker *broker, struct tc_err *err)
{
    if (!tc_sock_is_tcp(broker->settings->live))
        return TC_OK;
    tc_sock_close(broker->xpub);
    broker->xpub = NULL;
    int code =
        tc_sock_open(broker->context, TC_SOCK_XPUB, (tc_str){"", 0}, true, &broker->xpub, err);
    if (code == TC_OK)
        code = tc_keys_set(broker->xpub, tc_guard_curve(broker->guard, TC_DOOR_LIVE), err);
    if (code == TC_OK)
        feed_move(broker->feed, broker->xpub);
    broker->bind_live_mono_ns = tc_mono_ns() + BIND_LIVE_MS * TC_MS;
    return code;
}

static int bind_live(struct broker *broker, struct tc_err *err)
{
    if (!broker->bind_live_mono_ns)
        return TC_OK;
    int code = tc_sock_bind(broker->xpub, broker->settings->live, err);
    if (code == TC_EBUSY && tc_mono_ns() < broker->bind_live_mono_ns)
        return TC_OK;
    if (code == TC_OK)
        broker->bind_live_mono_ns = 0;
    return code;
}

// The settings are read at the start only, the list of keys at every SIGHUP. A list with a mistake
// changes nothing.
static int read_access(struct broker *broker, struct tc_err *err)
{
    struct tc_server_keys *keys = NULL;
    if (!broker->guard) {
        tc_log(TC_INFO, "broker.hangup", "reason=\"settings are read at the start only\"");
        return TC_OK;
    }
    if (tc_server_keys_log(broker->settings->keys.ptr, &keys) != TC_OK)
        return TC_OK;
    tc_guard_reload(broker->guard, keys);
    tc_log(TC_INFO, "keys.loaded", "peers=%zu", tc_access_count(keys->access));
    tc_server_keys_free(keys);
    desk_access_changed(broker->desk);
    return close_live(broker, err);
}

static int read_signals(struct broker *broker, struct tc_err *err)
{
    int signal, code = TC_OK;
    while (code == TC_OK && (signal = tc_signal_next(broker->signals))) {
        if (signal == SIGHUP) {
            code = read_access(broker, err);
            continue;
        }
        if (broker->stopping)
            continue;
        tc_log(TC_INFO, "broker.stopping", "signal=%d", signal);
        tc_notify("STOPPING=1");
        broker->stopping = true;
        desk_stopping(broker->desk);
        broker->stop_mono_ns = tc_mono_ns() + BROKER_DRAIN_MS * TC_MS;
    }
    return code;
}

// Milliseconds until something is to be done without a message, rounded up.
static long wait_ms(const struct broker *broker)
{
    int64_t next = desk_next_mono_ns(broker->desk), beat = feed_next_mono_ns(broker->feed);
    if (beat < next)
        next = beat;
    int64_t left = next - tc_mono_ns(), old = retain_wait_ns(broker->retain, &broker->clocks);
    left = left < old ? left : old;
    if (backup_copying(broker->backup))
        return 0;
    if (broker->bind_live_mono_ns && left > BIND_AGAIN_MS * TC_MS)
        left = BIND_AGAIN_MS * TC_MS;
    return left <= 0 ? 0 : (long)((left + TC_MS - 1) / TC_MS);
}

// A broker that stops takes what has arrived already and nothing that comes later.
static bool done(const struct broker *broker, const zmq_pollitem_t *items)
{
    return broker->stopping &&
           (!(items[0].revents & ZMQ_POLLIN) || tc_mono_ns() >= broker->stop_mono_ns);
}

// The end of the history is where a disk that lied has its damage. The rest is verified as it is
// read; all of it at every start would take minutes.
static void check_tail(struct broker *broker)
{
    uint64_t head = store_marks(broker->store)->head, damaged = 0;
    struct store_alert alert;
    struct tc_err err;
    int code =
        store_walk(broker->store, head > TAIL_ROWS ? head - TAIL_ROWS : 0, (tc_str){"", 0}, &err);
    while (code == TC_OK || code == TC_ECORRUPT) {
        code = store_walk_next(broker->store, &alert, &err);
        damaged += code == TC_ECORRUPT;
    }
    if (code != TC_ENOENT)
        tc_log_err(TC_ERROR, "store.damaged", &err);
    else if (damaged)
        tc_log(TC_ERROR, "store.damaged", "rows=%llu of=%d place=tail", (unsigned long long)damaged,
               TAIL_ROWS);
}

static void announce(const struct broker *broker)
{
    const struct store_marks *marks = store_marks(broker->store);
    const struct settings *settings = broker->settings;
    char epoch[TC_ID_TEXT_BYTES], store[TC_LOG_TEXT_BYTES];
    tc_id_text(marks->epoch, epoch);
    tc_log(TC_INFO, "broker.ready",
           "version=%s epoch=%s head=%llu hhead=%llu store=%s fetch=%.*s live=%.*s", TOCSIN_VERSION,
           epoch, (unsigned long long)marks->head, (unsigned long long)marks->hhead,
           tc_log_text(settings->store, store), TC_ARG(settings->fetch), TC_ARG(settings->live));
    if (store_was_copy(broker->store))
        tc_log(TC_WARN, "store.restored",
               "epoch=%s reason=\"this history is a backup that was put in place: numbers begin a "
               "new epoch, and watchers send again what they still have\"",
               epoch);
    tc_notify("READY=1");
}

static void *run_web(void *context)
{
    tc_pages_run(context);
    return NULL;
}

static int start_web(struct broker *broker, struct tc_err *err)
{
    if (!broker->web)
        return TC_OK;
    int reason = pthread_create(&broker->web_thread, NULL, run_web, web_pages(broker->web));
    if (reason)
        return tc_fail(err, TC_EFULL, "cannot start a thread: %s", strerror(reason));
    broker->web_started = true;
    pthread_setname_np(broker->web_thread, "web");
    tc_log(TC_INFO, "http.listening", "address=%.*s",
           TC_ARG(tc_pages_listens(web_pages(broker->web))));
    return TC_OK;
}

// A full disk is no failure here: what was acknowledged comes again.
static void settle(struct broker *broker)
{
    struct tc_err err;
    if (desk_settle(broker->desk, tc_mono_ns(), &err) != TC_OK)
        tc_log_err(TC_WARN, "broker.cursors_lost", &err);
}

// How long nobody else was heard.
static void measure(struct broker *broker, int64_t since_mono_ns)
{
    int64_t now_mono_ns = tc_mono_ns(), held_ns = now_mono_ns - since_mono_ns;
    if (now_mono_ns > broker->longest_mono_ns) {
        broker->gauges.loop_longest_ns = broker->longest_ns;
        broker->longest_ns = 0;
        broker->longest_mono_ns = now_mono_ns + LONGEST_MS * TC_MS;
    }
    if (held_ns > broker->longest_ns)
        broker->longest_ns = held_ns;
    if (broker->longest_ns > broker->gauges.loop_longest_ns)
        broker->gauges.loop_longest_ns = broker->longest_ns;
}

int broker_run(struct broker *broker, struct tc_err *err)
{
    zmq_pollitem_t items[] = {
        {broker->router, 0, ZMQ_POLLIN, 0},
        {broker->xpub, 0, ZMQ_POLLIN, 0},
        {NULL, broker->signals, ZMQ_POLLIN, 0},
        {broker->inside, -1, ZMQ_POLLIN, 0}, // NULL and -1: waits for nothing
    };
    int linger_ms = LAST_WORDS_MS;
    check_tail(broker);
    int code = start_web(broker, err);
    if (code == TC_OK)
        announce(broker);
    while (code == TC_OK) {
        int ready =
            zmq_poll(items, sizeof items / sizeof *items, broker->stopping ? 0 : wait_ms(broker));
        int64_t since_mono_ns = tc_mono_ns();
        if (ready < 0 && errno != EINTR)
            return tc_fail(err, TC_EPROTO, "cannot wait for messages: %s", zmq_strerror(errno));
        code = read_signals(broker, err);
        items[1].socket = broker->xpub; // another one behind a reload
        if (code == TC_OK)
            code = bind_live(broker, err);
        if (code == TC_OK)
            code = turn(broker, err);
        measure(broker, since_mono_ns);
        if (code == TC_OK && done(broker, items))
            break;
    }
    if (code == TC_OK)
        settle(broker);
    if (code == TC_OK) // the last answers are on their way: closing must not drop them
        zmq_setsockopt(broker->router, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    return code;
}
