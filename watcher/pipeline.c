#include "watcher/pipeline.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#include "common/clock.h"
#include "common/daemon.h"
#include "common/mem.h"
#include "watcher/keeper.h"
#include "watcher/scanner.h"
#include "watcher/source/folder.h"
#include "watcher/source/socket.h"
#include "watcher/source/stream.h"
#include "watcher/timing.h"
#include "watcher/web.h"

enum {
    TROUBLES_A_SECOND = 20, // lines of the log; more are counted
    LOCKS_MOST = 64,
};

struct source {
    struct pipeline *pipeline;
    const struct settings_source *settings;
    struct stream *stream; // one of these three
    struct folder *folder;
    struct intake *intake;
    pthread_t thread;
    bool started;
};

struct scanning {
    struct pipeline *pipeline;
    struct scanner *scanner;
    struct sampler *sampler;
    pthread_t thread;
    bool started;
};

struct pipeline {
    const struct settings *settings;
    bool once;
    int64_t started_wall_ns;
    void *zmq;
    struct tc_guard *guard; // NULL: no ports of ours that need one
    int locks[LOCKS_MOST];
    size_t lock_count;
    int stop_fd, progress_fd;
    struct source_host host;
    struct source *sources;
    atomic_size_t sources_running;
    atomic_uint_fast64_t refused; // articles that never came as far as the keeper
    struct scanning *scannings;
    struct tc_queue *door, *scan, *done;
    struct outbox *outbox;
    struct submit *submit;
    struct tap *tap;
    struct keeper *keeper;
    pthread_t keeper_thread;
    bool keeper_started;
    struct helper *helper;
    pthread_t helper_thread;
    bool helper_started;
    struct force *force;
    struct timing timing;
    struct tc_pulse pulse; // the keeper's
    struct web *web;       // NULL: no http
    pthread_t web_thread;
    bool web_started;
    pthread_mutex_t mutex; // guards the next three
    int64_t trouble_second;
    unsigned troubles, troubles_left_out;
};

// ---- what sources ask of us ---------------------------------------------------------------

static bool give(void *context, struct article *article)
{
    struct pipeline *pipeline = context;
    return tc_queue_push(pipeline->door, article);
}

static bool offer(void *context, struct article *article)
{
    struct pipeline *pipeline = context;
    return !keeper_stats(pipeline->keeper).blocked && tc_queue_try_push(pipeline->door, article);
}

// Whether there is room for one more line this second; `*left_out` is what was not told before.
static bool may_tell(struct pipeline *pipeline, unsigned *left_out)
{
    int64_t second = tc_mono_ns() / TC_SECOND;
    pthread_mutex_lock(&pipeline->mutex);
    *left_out = 0;
    if (second != pipeline->trouble_second) {
        *left_out = pipeline->troubles_left_out;
        pipeline->trouble_second = second;
        pipeline->troubles = pipeline->troubles_left_out = 0;
    }
    bool may = pipeline->troubles++ < TROUBLES_A_SECOND;
    pipeline->troubles_left_out += !may;
    pthread_mutex_unlock(&pipeline->mutex);
    return may;
}

static void trouble(void *context, const char *event, const struct tc_err *err)
{
    unsigned left_out = 0;
    if (!may_tell(context, &left_out))
        return;
    if (left_out)
        tc_log(TC_WARN, "source.troubles", "left_out=%u", left_out);
    tc_log_err(TC_WARN, event, err);
}

static void refused(void *context)
{
    struct pipeline *pipeline = context;
    atomic_fetch_add(&pipeline->refused, 1);
}

static void put_time(struct tc_json *json, const char *key, int64_t wall_ns)
{
    char text[TC_TIME_BYTES];
    tc_time_text(wall_ns, text);
    tc_json_put_str(json, key, tc_str_of(text));
}

static void stats(void *context, struct tc_json *json)
{
    struct pipeline *pipeline = context;
    struct keeper_stats now = keeper_stats(pipeline->keeper);
    const char *link = !pipeline->submit   ? "none"
                       : now.link_up       ? "up"
                       : now.link_replaced ? "replaced"
                                           : "down";
    tc_json_put_str(json, "name", pipeline->settings->name);
    tc_json_put_str(json, "version", TC_STR(TOCSIN_VERSION));
    tc_json_put_u64(json, "articles", now.articles);
    tc_json_put_u64(json, "hits", now.hits);
    tc_json_put_u64(json, "duplicates", now.duplicates);
    tc_json_put_u64(json, "rejected", now.rejected + pipeline->refused);
    tc_json_put_u64(json, "outbox_waiting", now.outbox_waiting);
    tc_json_put_u64(json, "outbox_oldest_seconds", (uint64_t)(now.outbox_oldest_ns / TC_SECOND));
    tc_json_put_u64(json, "resubmitted", now.resubmitted);
    tc_json_put_u64(json, "outbox_dead", now.outbox_dead);
    tc_json_put_u64(json, "outbox_dead_dropped", now.outbox_dead_dropped);
    tc_json_put_bool(json, "blocked", now.blocked);
    tc_json_put_str(json, "link", tc_str_of(link));
    put_time(json, "started", pipeline->started_wall_ns);
    put_time(json, "time", tc_wall_ns());
    timing_put(&pipeline->timing, json);
    force_put(pipeline->force, json);
}

// ---- opening ------------------------------------------------------------------------------

static int lock_endpoint(struct pipeline *pipeline, tc_str endpoint, struct tc_err *err)
{
    int fd = -1;
    if (pipeline->lock_count == LOCKS_MOST)
        return tc_fail(err, TC_EFULL, "more than %d sockets", LOCKS_MOST);
    int code = tc_lock_endpoint(endpoint, &fd, err);
    if (code == TC_OK && fd >= 0)
        pipeline->locks[pipeline->lock_count++] = fd;
    return code;
}

static int open_socket(struct pipeline *pipeline, struct source *source, struct tc_err *err)
{
    const struct settings_source *settings = source->settings;
    int code = lock_endpoint(pipeline, settings->endpoint, err);
    if (code != TC_OK)
        return code;
    bool answers = settings->kind == SETTINGS_SOCKET;
    code = intake_open(pipeline->zmq, settings->endpoint, answers, settings->name, &pipeline->host,
                       &source->intake, err);
    return code == TC_OK
               ? tc_guard_bound(pipeline->guard, intake_socket(source->intake),
                                answers ? TC_SOCK_ROUTER : TC_SOCK_PULL, settings->endpoint, err)
               : code;
}

static int open_source(struct pipeline *pipeline, struct source *source, struct tc_err *err)
{
    const struct settings_source *settings = source->settings;
    switch (settings->kind) {
    case SETTINGS_LINES:
        return stream_open(settings->paths, settings->path_count, settings->name, &pipeline->host,
                           &source->stream, err);
    case SETTINGS_FOLDER:
        return folder_open(settings->paths[0].ptr, settings->name, &pipeline->host, &source->folder,
                           err);
    case SETTINGS_SOCKET:
    case SETTINGS_PULL: break;
    }
    return pipeline->once ? TC_OK : open_socket(pipeline, source, err);
}

static int open_sources(struct pipeline *pipeline, struct tc_err *err)
{
    const struct settings *settings = pipeline->settings;
    int code = TC_OK;
    pipeline->sources = tc_new((settings->source_count + 1) * sizeof *pipeline->sources);
    for (size_t i = 0; i < settings->source_count && code == TC_OK; i++) {
        pipeline->sources[i].pipeline = pipeline;
        pipeline->sources[i].settings = &settings->sources[i];
        code = open_source(pipeline, &pipeline->sources[i], err);
    }
    return code;
}

static void tell_link(void *context, const char *event, const struct tc_err *err)
{
    if (err->code == TC_OK)
        tc_log_err(TC_INFO, event, err);
    else
        trouble(context, event, err);
}

static int open_tap(struct pipeline *pipeline, struct tc_err *err)
{
    tc_str endpoint = pipeline->settings->tap;
    int code = lock_endpoint(pipeline, endpoint, err);
    if (code == TC_OK)
        code = tap_open(pipeline->zmq, tc_guard_curve(pipeline->guard, TC_DOOR_LIVE), endpoint,
                        &pipeline->tap, err);
    return code == TC_OK ? tc_guard_bound(pipeline->guard, tap_socket(pipeline->tap), TC_SOCK_PUB,
                                          endpoint, err)
                         : code;
}

static int open_ways_out(struct pipeline *pipeline, const struct watcher_keys *keys,
                         struct tc_err *err)
{
    const struct settings *settings = pipeline->settings;
    char boot[TC_BOOT_BYTES];
    struct outbox_settings outbox = {
        .dir = settings->state,
        .horizon_ns = settings->keep_acknowledged_ns,
        .horizon_bytes = settings->keep_acknowledged_bytes,
        .boot = tc_boot_id(boot),
        .now_mono_ns = tc_mono_ns(),
    };
    int code = outbox_open(&outbox, &pipeline->outbox, err);
    if (code == TC_OK && settings->broker.len)
        code = submit_open(pipeline->zmq, keys->has_broker ? &keys->broker : NULL, settings->broker,
                           settings->name, pipeline->outbox, tell_link, pipeline, &pipeline->submit,
                           err);
    return code == TC_OK && settings->tap.len && !pipeline->once ? open_tap(pipeline, err) : code;
}

static int open_keeper(struct pipeline *pipeline, const struct watcher_keys *keys,
                       struct tc_err *err)
{
    int code = open_ways_out(pipeline, keys, err);
    if (code != TC_OK)
        return code;
    pipeline->keeper = keeper_new(&(struct keeper_settings){
        .outbox = pipeline->outbox,
        .submit = pipeline->submit,
        .tap = pipeline->tap,
        .door = pipeline->door,
        .scan = pipeline->scan,
        .done = pipeline->done,
        .max_outbox_articles = pipeline->settings->max_outbox_articles,
        .pulse = pipeline->pulse,
        .progress_fd = pipeline->progress_fd,
    });
    return TC_OK;
}

static int open_plumbing(struct pipeline *pipeline, struct tc_err *err)
{
    pipeline->door = tc_queue_new(KEEPER_DOOR);
    pipeline->scan = tc_queue_new(KEEPER_ON_THE_WAY);
    pipeline->done = tc_queue_new(KEEPER_ON_THE_WAY);
    pipeline->zmq = zmq_ctx_new();
    pipeline->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!pipeline->zmq || pipeline->stop_fd < 0)
        return tc_fail(err, TC_EFULL, "no descriptors or memory are left");
    pipeline->host = (struct source_host){
        .context = pipeline,
        .give = give,
        .offer = offer,
        .trouble = trouble,
        .refused = refused,
        .stats = stats,
        .stop_fd = pipeline->stop_fd,
        .max_article_bytes = pipeline->settings->max_article_bytes,
        .once = pipeline->once,
    };
    return TC_OK;
}

// With --once nobody asks.
static int open_web(struct pipeline *pipeline, struct tc_err *err)
{
    if (!pipeline->settings->http.address.len || pipeline->once)
        return TC_OK;
    int code = tc_pulse_open(&pipeline->pulse, err);
    return code == TC_OK ? web_open(pipeline->settings, &pipeline->pulse, stats, pipeline,
                                    &pipeline->web, err)
                         : code;
}

// The runtime folder is made only when something of ours is bound there.
static int make_runtime(const struct pipeline *pipeline, struct tc_err *err)
{
    struct tc_arena *arena = tc_arena_new();
    tc_str runtime = {"", 0};
    int code = pipeline->once ? TC_OK : tc_runtime_dir(arena, true, &runtime, err);
    tc_arena_free(arena);
    return code;
}

static int open_guard(struct pipeline *pipeline, const struct watcher_keys *keys,
                      struct tc_err *err)
{
    if (!keys->server || pipeline->once)
        return TC_OK;
    int code = tc_guard_open(pipeline->zmq, keys->server, &pipeline->guard, err);
    pipeline->host.curve = tc_guard_curve(pipeline->guard, TC_DOOR_INTAKE);
    return code;
}

int pipeline_open(const struct settings *settings, const struct watcher_keys *keys, bool once,
                  struct force *force, struct helper *helper, int progress_fd,
                  struct pipeline **out, struct tc_err *err)
{
    struct pipeline *pipeline = tc_new(sizeof *pipeline);
    pipeline->settings = settings;
    pipeline->once = once;
    pipeline->started_wall_ns = tc_wall_ns();
    pipeline->force = force;
    pipeline->helper = helper;
    pipeline->stop_fd = -1;
    pipeline->pulse = TC_PULSE_NONE;
    pipeline->progress_fd = progress_fd;
    pthread_mutex_init(&pipeline->mutex, NULL);
    int code = make_runtime(pipeline, err);
    if (code == TC_OK)
        code = open_plumbing(pipeline, err);
    if (code == TC_OK)
        code = open_guard(pipeline, keys, err);
    if (code == TC_OK)
        code = open_web(pipeline, err);
    if (code == TC_OK)
        code = open_keeper(pipeline, keys, err);
    if (code == TC_OK)
        code = open_sources(pipeline, err);
    if (code == TC_OK)
        code = tc_guard_prove(pipeline->guard, err);
    if (code != TC_OK) {
        pipeline_close(pipeline);
        return code;
    }
    *out = pipeline;
    return TC_OK;
}

// ---- threads ------------------------------------------------------------------------------

static void *run_source(void *context)
{
    struct source *source = context;
    struct pipeline *pipeline = source->pipeline;
    if (source->stream)
        stream_run(source->stream);
    else if (source->folder)
        folder_run(source->folder);
    else if (source->intake)
        intake_run(source->intake);
    atomic_fetch_sub(&pipeline->sources_running, 1);
    (void)!eventfd_write(pipeline->progress_fd, 1);
    return NULL;
}

static void *run_scanner(void *context)
{
    struct scanning *scanning = context;
    struct pipeline *pipeline = scanning->pipeline;
    struct job *job = NULL;
    while ((job = tc_queue_pop(pipeline->scan, -1))) {
        job->layers = force_layers(pipeline->force);
        int64_t begun_mono_ns = tc_mono_ns();
        scanner_run(scanning->scanner, job);
        timing_add(&pipeline->timing, tc_mono_ns() - begun_mono_ns);
        tc_queue_push(pipeline->done, job); // never waits, see keeper.h
    }
    return NULL;
}

static void audited(void *context, const struct article *article)
{
    (void)article;
    force_audited(((struct scanning *)context)->pipeline->force);
}

static void differed(void *context, const struct article *article, enum audit_fault fault,
                     const struct watch *watch)
{
    struct scanning *scanning = context;
    char id[TC_LOG_TEXT_BYTES];
    unsigned left_out = 0;
    force_missed(scanning->pipeline->force, watch->name);
    if (may_tell(scanning->pipeline, &left_out))
        tc_log(TC_ERROR, "audit.miss", "watch=%.*s article=%s what=%s", TC_ARG(watch->name),
               tc_log_text(article->id, id), fault == AUDIT_MISSED ? "not_found" : "false");
}

static void *run_helper(void *context)
{
    struct pipeline *pipeline = context;
    helper_run(pipeline->helper);
    return NULL;
}

static void *run_keeper(void *context)
{
    struct pipeline *pipeline = context;
    keeper_run(pipeline->keeper);
    return NULL;
}

static int start(pthread_t *thread, void *(*run)(void *), void *context, const char *name,
                 bool *started, struct tc_err *err)
{
    char short_name[16]; // what Linux keeps
    int reason = pthread_create(thread, NULL, run, context);
    if (reason)
        return tc_fail(err, TC_EFULL, "cannot start a thread: %s", strerror(reason));
    *started = true;
    snprintf(short_name, sizeof short_name, "%s", name);
    pthread_setname_np(*thread, short_name);
    return TC_OK;
}

static void *run_web(void *context)
{
    tc_pages_run(context);
    return NULL;
}

static int start_web(struct pipeline *pipeline, struct tc_err *err)
{
    if (!pipeline->web)
        return TC_OK;
    tc_log(TC_INFO, "http.listening", "address=%.*s",
           TC_ARG(tc_pages_listens(web_pages(pipeline->web))));
    return start(&pipeline->web_thread, run_web, web_pages(pipeline->web), "web",
                 &pipeline->web_started, err);
}

static int start_scanners(struct pipeline *pipeline, struct tc_err *err)
{
    unsigned count = pipeline->settings->threads;
    int code = TC_OK;
    pipeline->scannings = tc_new(count * sizeof *pipeline->scannings);
    for (unsigned i = 0; i < count && code == TC_OK; i++) {
        struct scanning *scanning = &pipeline->scannings[i];
        char name[32];
        snprintf(name, sizeof name, "scan-%u", i + 1);
        scanning->pipeline = pipeline;
        scanning->sampler = sampler_new(force_counted(pipeline->force));
        scanning->scanner = scanner_new(&(struct scanner_settings){
            .text = {TEXT_WORDS_TOCSIN},
            .audit = pipeline->settings->audit,
            .sampler = scanning->sampler,
            .audited = audited,
            .differed = differed,
            .context = scanning,
        });
        code = start(&scanning->thread, run_scanner, scanning, name, &scanning->started, err);
    }
    return code;
}

static int start_sources(struct pipeline *pipeline, struct tc_err *err)
{
    int code = TC_OK;
    for (size_t i = 0; i < pipeline->settings->source_count && code == TC_OK; i++) {
        struct source *source = &pipeline->sources[i];
        if (!source->stream && !source->folder && !source->intake)
            continue;
        atomic_fetch_add(&pipeline->sources_running, 1);
        code = start(&source->thread, run_source, source, source->settings->name.ptr,
                     &source->started, err);
        if (code != TC_OK)
            atomic_fetch_sub(&pipeline->sources_running, 1);
    }
    return code;
}

int pipeline_start(struct pipeline *pipeline, struct tc_err *err)
{
    int code = start_scanners(pipeline, err);
    if (code == TC_OK)
        code = start(&pipeline->keeper_thread, run_keeper, pipeline, "outbox",
                     &pipeline->keeper_started, err);
    if (code == TC_OK)
        code = start(&pipeline->helper_thread, run_helper, pipeline, "helper",
                     &pipeline->helper_started, err);
    if (code == TC_OK)
        code = start_sources(pipeline, err);
    if (code == TC_OK)
        code = start_web(pipeline, err);
    return code;
}

// ---- state --------------------------------------------------------------------------------

enum pipeline_state pipeline_state(const struct pipeline *pipeline)
{
    bool running = atomic_load(&pipeline->sources_running); // before what the last of them gave
    struct keeper_stats now = keeper_stats(pipeline->keeper);
    if (now.failed != TC_OK)
        return PIPELINE_FAILED;
    if (running || !now.settled)
        return PIPELINE_WORKING;
    return pipeline->submit && now.outbox_waiting ? PIPELINE_WORKING : PIPELINE_DONE;
}

bool pipeline_awaits_broker(const struct pipeline *pipeline, uint64_t *waiting)
{
    struct keeper_stats now = keeper_stats(pipeline->keeper);
    *waiting = now.outbox_waiting;
    return pipeline->submit && now.outbox_waiting && !now.link_up;
}

int pipeline_guard_turn(struct pipeline *pipeline, struct tc_err *err)
{
    return tc_guard_turn(pipeline->guard, tc_mono_ns(), err);
}

bool pipeline_guarded(const struct pipeline *pipeline)
{
    return pipeline->guard != NULL;
}

void pipeline_guard_reload(struct pipeline *pipeline, const struct tc_server_keys *keys)
{
    tc_guard_reload(pipeline->guard, keys);
}

// ---- the end ------------------------------------------------------------------------------

// The door closes first: sources cannot give any more, the keeper answers what was given, and with
// that the scanners and the sources have nothing left to wait for.
static void stop_threads(struct pipeline *pipeline)
{
    if (pipeline->web_started) {
        tc_pages_stop(web_pages(pipeline->web));
        pthread_join(pipeline->web_thread, NULL);
    }
    if (pipeline->stop_fd >= 0)
        (void)!eventfd_write(pipeline->stop_fd, 1);
    if (pipeline->door)
        tc_queue_close(pipeline->door);
    if (pipeline->keeper_started)
        pthread_join(pipeline->keeper_thread, NULL);
    if (pipeline->scan)
        tc_queue_close(pipeline->scan);
    for (unsigned i = 0; pipeline->scannings && i < pipeline->settings->threads; i++) {
        if (pipeline->scannings[i].started)
            pthread_join(pipeline->scannings[i].thread, NULL);
        scanner_free(pipeline->scannings[i].scanner);
        sampler_free(pipeline->scannings[i].sampler);
    }
    helper_end(pipeline->helper);
    if (pipeline->helper_started)
        pthread_join(pipeline->helper_thread, NULL);
    for (size_t i = 0; pipeline->sources && i < pipeline->settings->source_count; i++) {
        if (pipeline->sources[i].started)
            pthread_join(pipeline->sources[i].thread, NULL);
    }
}

static void close_sources(struct pipeline *pipeline)
{
    for (size_t i = 0; pipeline->sources && i < pipeline->settings->source_count; i++) {
        stream_close(pipeline->sources[i].stream);
        folder_close(pipeline->sources[i].folder);
        intake_close(pipeline->sources[i].intake);
    }
    free(pipeline->sources);
}

int pipeline_close(struct pipeline *pipeline)
{
    if (!pipeline)
        return TC_OK;
    stop_threads(pipeline);
    int failed = pipeline->keeper ? keeper_stats(pipeline->keeper).failed : TC_OK;
    web_close(pipeline->web);
    close_sources(pipeline);
    keeper_free(pipeline->keeper);
    tap_close(pipeline->tap);
    submit_close(pipeline->submit);
    outbox_close(pipeline->outbox);
    tc_guard_close(pipeline->guard);
    if (pipeline->zmq)
        zmq_ctx_term(pipeline->zmq);
    for (size_t i = 0; i < pipeline->lock_count; i++)
        close(pipeline->locks[i]);
    tc_queue_free(pipeline->door);
    tc_queue_free(pipeline->scan);
    tc_queue_free(pipeline->done);
    if (pipeline->stop_fd >= 0)
        close(pipeline->stop_fd);
    tc_pulse_close(&pipeline->pulse);
    pthread_mutex_destroy(&pipeline->mutex);
    free(pipeline->scannings);
    free(pipeline);
    return failed;
}
