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
#include "common/mem.h"
#include "watcher/pipeline.h"
#include "watcher/upkeep.h"

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
                         struct upkeep *upkeep)
{
    bool stop = false;
    int signal = 0;
    while ((signal = tc_signal_next(fd)) != 0) {
        if (signal != SIGHUP) {
            stop = true;
            continue;
        }
        reload_access(settings, pipeline);
        upkeep_reload(upkeep);
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

struct house { // what runs
    const struct settings *settings;
    const struct watcher_keys *keys;
    bool once;
    int signals, progress; // descriptors
    struct force *force;
    struct helper *helper;
    struct upkeep *upkeep;
    struct pipeline *pipeline;
};

static int shorter(int a, int b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void wait_for_work(const struct house *house, int wait_ms)
{
    int more[UPKEEP_FDS];
    eventfd_t count;
    upkeep_fds(house->upkeep, more);
    struct pollfd fds[] = {{.fd = house->signals, .events = POLLIN},
                           {.fd = house->progress, .events = POLLIN},
                           {.fd = more[0], .events = POLLIN},
                           {.fd = more[1], .events = POLLIN}};
    poll(fds, sizeof fds / sizeof *fds, wait_ms);
    (void)!eventfd_read(house->progress, &count);
}

// Waits for signals, for the outbox to fail and, with --once, for the end of the work.
static int watch_over(const struct house *house)
{
    int64_t tell_at = tc_mono_ns() + ONCE_TELL_MS * TC_MS;
    struct tc_err err;
    for (;;) {
        int wait = upkeep_turn(house->upkeep);
        enum pipeline_state state = pipeline_state(house->pipeline);
        if (state == PIPELINE_FAILED)
            return TC_EIO;
        if (pipeline_guard_turn(house->pipeline, &err) != TC_OK) {
            tc_log_err(TC_ERROR, "watcher.failed", &err);
            return err.code;
        }
        if (state == PIPELINE_DONE && house->once && upkeep_settled(house->upkeep))
            return TC_OK;
        int rest = house->once ? (int)((tell_at - tc_mono_ns()) / TC_MS) : -1;
        if (house->once && rest <= 0) {
            tell_waiting(house->settings, house->pipeline);
            tell_at = tc_mono_ns() + ONCE_TELL_MS * TC_MS;
            continue;
        }
        if (pipeline_guarded(house->pipeline))
            rest = shorter(rest, GUARD_TURN_MS);
        wait_for_work(house, shorter(wait, rest));
        if (take_signals(house->signals, house->settings, house->pipeline, house->upkeep))
            return TC_OK;
    }
}

static int open_house(struct house *house, struct tc_err *err)
{
    tc_files_raise();
    int code = tc_signals_block(&house->signals, err);
    if (code == TC_OK)
        code = pipeline_open(house->settings, house->keys, house->once, house->force, house->helper,
                             house->progress, &house->pipeline, err);
    if (code == TC_OK)
        code = pipeline_start(house->pipeline, err);
    return code;
}

static int serve(struct house *house, struct frequencies *frequencies)
{
    struct tc_err err;
    int code = open_house(house, &err);
    if (code != TC_OK) {
        tc_log_err(TC_ERROR, "watcher.refused", &err);
    } else {
        house->upkeep = upkeep_new(house->settings, house->force, house->helper, frequencies);
        tc_log(TC_INFO, "watcher.ready", "name=%.*s", TC_ARG(house->settings->name));
        tc_notify("READY=1");
        code = watch_over(house);
        tc_notify("STOPPING=1");
    }
    int failed =
        pipeline_close(house->pipeline); // also with the last words, or just as a signal came
    if (code == TC_OK)
        code = failed;
    upkeep_free(house->upkeep);
    if (house->signals >= 0)
        close(house->signals);
    if (code == TC_OK)
        tc_log(TC_INFO, "watcher.stopped", NULL);
    return tc_exit_of(code);
}

// What was counted before the last stop. Without it the frequencies of words are guessed.
static struct frequencies *read_frequencies(const struct settings *settings)
{
    struct frequencies *frequencies = frequencies_new();
    struct tc_err err;
    int code = frequencies_load(frequencies, settings->frequencies.ptr, &err);
    if (code != TC_OK && code != TC_ENOENT)
        tc_log_err(TC_WARN, "frequencies.guessed", &err);
    return frequencies;
}

static int read_and_serve(const struct settings *settings, const struct watcher_keys *keys,
                          bool once)
{
    struct frequencies *frequencies = read_frequencies(settings);
    const struct counts *counts = frequencies_counts(frequencies);
    struct watchset *watches = NULL;
    int status = tc_exit_of(upkeep_read(settings, NULL, settings->kept, counts, &watches));
    if (status == TC_EXIT_OK) {
        struct house house = {.settings = settings, .keys = keys, .once = once, .signals = -1};
        house.progress = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        house.force = force_new(watches, counts ? frequencies_texts(frequencies) : 0);
        house.helper = helper_new(house.progress);
        status = serve(&house, frequencies);
        helper_free(house.helper);
        force_free(house.force);
        close(house.progress);
    }
    frequencies_free(frequencies);
    return status;
}

static int check_watches(const struct settings *settings)
{
    struct watchset *watches = NULL;
    int code = upkeep_read(settings, NULL, TC_STR(""), NULL, &watches);
    watchset_free(watches);
    if (code == TC_OK)
        puts("settings and watches are fine");
    return tc_exit_of(code);
}

int main(int argc, char **argv)
{
    struct flags flags = {0};
    struct settings *settings = NULL;
    struct watcher_keys keys = {0};
    argp_err_exit_status = TC_EXIT_USAGE;
    argp_parse(&arguments, argc, argv, 0, NULL, &flags);
    tc_fault_init();
    tc_mem_keep();
    struct tc_arena *arena = tc_arena_new();
    int status =
        read_settings(&flags, arena, &settings, &keys) == TC_OK ? TC_EXIT_OK : TC_EXIT_CONFIG;
    if (status == TC_EXIT_OK) {
        tc_log_level(settings->log);
        status =
            flags.check ? check_watches(settings) : read_and_serve(settings, &keys, flags.once);
    }
    tc_server_keys_free(keys.server);
    tc_keys_wipe(&keys.broker);
    tc_arena_free(arena);
    return status;
}
