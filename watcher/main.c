// tocsin-watcher: articles in, hits out.
#include <argp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/daemon.h"
#include "common/fault.h"
#include "watcher/pipeline.h"

const char *argp_program_version = "tocsin-watcher " TOCSIN_VERSION;

enum { ONCE_TELL_MS = 10 * 1000, GUARD_TURN_MS = 1000 };

struct flags {
    const char *config;
    bool check, once;
};

static error_t read_flag(int key, char *argument, struct argp_state *state)
{
    struct flags *flags = state->input;
    switch (key) {
    case 'c': flags->config = argument; return 0;
    case 'k': flags->check = true; return 0;
    case 'o': flags->once = true; return 0;
    case ARGP_KEY_ARG: argp_error(state, "unexpected argument \"%s\"", argument); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"config", 'c', "FILE", 0, "read settings from FILE", 0},
    {"check", 'k', NULL, 0, "read the settings and the watch files, report mistakes and end", 0},
    {"once", 'o', NULL, 0,
     "read the lines and folder sources to their end, wait until the broker has confirmed all hits "
     "(without one: until they are written), then end; opens no sockets for others",
     0},
    {0},
};

static const struct argp arguments = {
    .options = options,
    .parser = read_flag,
    .doc = "Takes articles in, matches each against all watches and hands the hits on.\v"
           "Without --config the file watcher.yaml is looked for in $XDG_CONFIG_HOME/tocsin and "
           "/etc/tocsin; without one the defaults hold: the intake is on, there are no watches.\n\n"
           "SIGHUP reads the watch files again; one that is broken keeps its last good version in "
           "force.\n\n"
           "Exit status: 0 stopped by a signal or done, 64 wrong flags, 74 the disk failed, 75 the "
           "outbox or an endpoint is in use, 78 settings, watch files or the outbox's version are "
           "refused.",
};

static void print_mistakes(struct tc_diags *diags)
{
    struct tc_buf text = {0};
    tc_diags_sort(diags);
    tc_diags_print(diags, isatty(STDERR_FILENO), &text);
    fwrite(tc_buf_view(&text).ptr, 1, text.len, stderr);
    tc_buf_done(&text);
}

// A watcher needs a key of its own for a broker by tcp, and a server's for its own tcp ports.
static int read_keys(const struct settings *settings, struct tc_diags *diags,
                     struct watcher_keys *keys)
{
    bool ports = tc_sock_is_tcp(settings->tap);
    struct tc_err err;
    int code = TC_OK;
    for (size_t i = 0; i < settings->source_count; i++)
        ports = ports || tc_sock_is_tcp(settings->sources[i].endpoint);
    if (settings->keys.len && ports)
        code = tc_server_keys_read(settings->keys.ptr, diags, &keys->server);
    if (settings->keys.len && tc_sock_is_tcp(settings->broker)) {
        keys->has_broker = true;
        if (tc_keys_client(settings->keys.ptr, "broker.public", &keys->broker, &err) != TC_OK)
            code = tc_guard_mistake(settings->keys, diags, &err);
    }
    return code;
}

static int read_settings(const struct flags *flags, struct tc_arena *arena,
                         struct settings **settings, struct watcher_keys *keys)
{
    struct tc_diags *diags = tc_diags_new();
    struct tc_err err;
    tc_str path = flags->config ? tc_str_of(flags->config) : tc_config_file(arena, "watcher.yaml");
    int code = settings_read(path, arena, diags, settings, &err);
    if (code == TC_OK)
        code = read_keys(*settings, diags, keys);
    print_mistakes(diags);
    if (code != TC_OK && !tc_diags_errors(diags))
        tc_log_err(TC_ERROR, "watcher.settings_refused", &err);
    tc_diags_free(diags);
    return code;
}

// Reads the watch files; `before` is what is in force, NULL at the start. `kept` is where last good
// versions are remembered, empty when they do not count.
static int read_watches(const struct settings *settings, const struct watchset *before, tc_str kept,
                        struct watchset **out)
{
    const struct text_settings text = {TEXT_WORDS_TOCSIN};
    struct tc_diags *diags = tc_diags_new();
    struct tc_err err;
    int code = watchset_load(settings->watches, settings->watch_count, &text, before, kept, diags,
                             out, &err);
    size_t errors = tc_diags_errors(diags);
    print_mistakes(diags);
    tc_diags_free(diags);
    if (code != TC_OK && (!errors || before))
        tc_log_err(TC_ERROR, "watches.refused", &err);
    return code;
}

static void tell_stale(const struct watchset_file *file)
{
    char path[TC_LOG_TEXT_BYTES], why[TC_LOG_TEXT_BYTES], since[TC_TIME_BYTES] = "none";
    if (file->since_wall_ns)
        tc_time_text(file->since_wall_ns, since);
    tc_log(TC_ERROR, "watches.stale", "file=%s running=%s reason=%s", tc_log_text(file->path, path),
           since, tc_log_text(tc_str_of(file->why), why));
}

static void tell_loaded(const struct watchset *watches)
{
    size_t stale = watchset_stale(watches);
    for (size_t i = 0; i < watchset_count(watches); i++) {
        struct watchset_file file = watchset_file(watches, i);
        if (file.stale)
            tell_stale(&file);
    }
    tc_log(stale ? TC_ERROR : TC_INFO, "watches.loaded", "watches=%zu files=%zu stale=%zu",
           watchset_watches(watches), watchset_count(watches), stale);
}

// Writes down one file of the watches in force, so that signals are heard between two. False when there
// is none left behind `*next`.
static bool remember(const struct settings *settings, const struct watchset *watches, size_t *next)
{
    struct tc_err err;
    if (*next == watchset_count(watches))
        return false;
    if (watchset_remember(watches, (*next)++, settings->kept, &err) != TC_OK)
        tc_log_err(TC_WARN, "watches.not_remembered", &err);
    return true;
}

static void reload(const struct settings *settings, struct pipeline *pipeline, size_t *remembered)
{
    struct watchset *watches = NULL;
    if (read_watches(settings, pipeline_watches(pipeline), settings->kept, &watches) != TC_OK)
        return;
    pipeline_swap(pipeline, watches);
    tell_loaded(watches); // from now on they are in force
    *remembered = 0;
}

static void reload_access(const struct settings *settings, struct pipeline *pipeline)
{
    struct tc_server_keys *keys = NULL;
    if (!pipeline_guarded(pipeline) || tc_server_keys_log(settings->keys.ptr, &keys) != TC_OK)
        return;
    pipeline_guard_reload(pipeline, keys);
    tc_log(TC_INFO, "keys.loaded", "peers=%zu", tc_access_count(keys->access));
    tc_server_keys_free(keys);
}

// Handles all signals that wait. True when one of them asks to stop.
static bool take_signals(int fd, const struct settings *settings, struct pipeline *pipeline,
                         size_t *remembered)
{
    bool stop = false;
    int signal = 0;
    while ((signal = tc_signal_next(fd)) != 0) {
        if (signal != SIGHUP) {
            stop = true;
            continue;
        }
        reload_access(settings, pipeline);
        reload(settings, pipeline, remembered);
    }
    return stop;
}

// With --once somebody sits and waits: says what for. There is no time-out: the hits are safe.
static void tell_waiting(const struct settings *settings, const struct pipeline *pipeline)
{
    uint64_t waiting = 0;
    if (pipeline_awaits_broker(pipeline, &waiting))
        tc_log(TC_WARN, "watcher.waiting", "for=%.*s outbox_waiting=%llu", TC_ARG(settings->broker),
               (unsigned long long)waiting);
}

// Waits for signals, for the outbox to fail and, with --once, for the end of the work.
static int watch_over(const struct settings *settings, bool once, int signals,
                      struct pipeline *pipeline)
{
    struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
                           {.fd = pipeline_progress_fd(pipeline), .events = POLLIN}};
    int64_t tell_at = tc_mono_ns() + ONCE_TELL_MS * TC_MS;
    size_t remembered = 0; // files of the watches in force
    struct tc_err err;
    for (;;) {
        eventfd_t count;
        bool more = remember(settings, pipeline_watches(pipeline), &remembered);
        enum pipeline_state state = pipeline_state(pipeline);
        if (state == PIPELINE_FAILED)
            return TC_EIO;
        if (pipeline_guard_turn(pipeline, &err) != TC_OK) {
            tc_log_err(TC_ERROR, "watcher.failed", &err);
            return err.code;
        }
        if (state == PIPELINE_DONE && once && !more)
            return TC_OK;
        int rest = pipeline_guarded(pipeline) ? GUARD_TURN_MS : -1;
        if (once)
            rest = (int)((tell_at - tc_mono_ns()) / TC_MS);
        if (once && rest <= 0) {
            tell_waiting(settings, pipeline);
            tell_at = tc_mono_ns() + ONCE_TELL_MS * TC_MS;
            continue;
        }
        poll(fds, 2, more ? 0 : rest);
        (void)!eventfd_read(fds[1].fd, &count);
        if (take_signals(signals, settings, pipeline, &remembered))
            return TC_OK;
    }
}

static int serve(const struct settings *settings, const struct watcher_keys *keys, bool once,
                 struct watchset *watches)
{
    struct pipeline *pipeline = NULL;
    struct tc_err err;
    int signals = -1;
    int code = tc_signals_block(&signals, &err);
    if (code == TC_OK)
        code = pipeline_open(settings, keys, once, watches, &pipeline, &err);
    if (code != TC_OK)
        watchset_free(watches);
    if (code == TC_OK)
        code = pipeline_start(pipeline, &err);
    if (code != TC_OK) {
        tc_log_err(TC_ERROR, "watcher.refused", &err);
    } else {
        tc_log(TC_INFO, "watcher.ready", "name=%.*s", TC_ARG(settings->name));
        tc_notify("READY=1");
        code = watch_over(settings, once, signals, pipeline);
        tc_notify("STOPPING=1");
    }
    pipeline_close(pipeline);
    if (signals >= 0)
        close(signals);
    if (code == TC_OK)
        tc_log(TC_INFO, "watcher.stopped", NULL);
    return tc_exit_of(code);
}

int main(int argc, char **argv)
{
    struct flags flags = {0};
    struct settings *settings = NULL;
    struct watcher_keys keys = {0};
    struct watchset *watches = NULL;
    argp_err_exit_status = TC_EXIT_USAGE;
    argp_parse(&arguments, argc, argv, 0, NULL, &flags);
    tc_fault_init();
    struct tc_arena *arena = tc_arena_new();
    int status =
        read_settings(&flags, arena, &settings, &keys) == TC_OK ? TC_EXIT_OK : TC_EXIT_CONFIG;
    if (status == TC_EXIT_OK) {
        tc_log_level(settings->log);
        status = tc_exit_of(
            read_watches(settings, NULL, flags.check ? TC_STR("") : settings->kept, &watches));
    }
    if (status == TC_EXIT_OK && flags.check) {
        watchset_free(watches);
        puts("settings and watches are fine");
    } else if (status == TC_EXIT_OK) {
        tell_loaded(watches);
        status = serve(settings, &keys, flags.once, watches);
    }
    tc_server_keys_free(keys.server);
    tc_keys_wipe(&keys.broker);
    tc_arena_free(arena);
    return status;
}
