// tocsin consume - alerts durably, under a name.
//
// An alert is acknowledged when it is dealt with: its line is written and flushed, or the command it
// was handed to ended with 0. Printed alerts are acknowledged once for all that came together.
#include "client/cli/online.h"
#include "client/cli/show.h"
#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    KEY_SINCE = 's',
    KEY_LABEL = 'l',
    KEY_JSON = 'j',
    KEY_COUNT = 'n',
    KEY_EXEC = 'e',
    KEY_NEW = 0x200,
};

// A command that failed is tried again after 1, 2, 4, ... seconds.
enum { RETRY_MS = 1000, RETRY_MOST_MS = 60000, NAP_MS = 250 };

struct consume {
    struct online online;
    struct online_filters filters;
    const char *name, *command;
    int64_t since_ns;
    bool json, from_now;
    uint64_t wanted; // alerts; 0: no end
    struct show show;
    struct tc_buf text;
    uint64_t dealt_with, acknowledged; // numbers
};

static const char doc[] =
    "Receives every alert once, in order, under a NAME that the broker remembers: what came while "
    "nobody "
    "consumed comes first. An alert that was not acknowledged comes again.\v"
    "tocsin consume desk --exec 'mail -s alert desk@example.org'\n"
    "tocsin consume archive --json >>alerts.jsonl\n\n"
    "With --exec each alert is acknowledged when the command ends with 0, and tried again, later "
    "and "
    "later, when not. A new NAME begins with the oldest alert unless --new or --since says "
    "otherwise. "
    "One process at a time should use a NAME.\n\n"
    "Exit status: 0 stopped, or -n alerts were dealt with; 2 no broker answers, or it refused.";

static const struct argp_option options[] = {
    {"exec", KEY_EXEC, "COMMAND", 0, "run by sh for each alert, its JSON on standard input", 0},
    {"json", KEY_JSON, NULL, 0, "one CloudEvents object a line", 0},
    {"count", KEY_COUNT, "N", 0, "end after N alerts", 0},
    {"label", KEY_LABEL, "KEY=VALUE", 0, "only alerts with this label; may be repeated", 0},
    {"new", KEY_NEW, NULL, 0, "a new NAME begins with the next alert", 0},
    {"since", KEY_SINCE, "TIME", 0, "a new NAME begins here: 2h, 3d ago, or 2025-03-01T05:00Z", 0},
    {0},
};

static void take_argument(struct consume *consume, const char *arg, struct argp_state *state)
{
    if (state->arg_num == 0)
        consume->name = arg;
    else
        online_add_topic(&consume->filters, arg, state);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct consume *consume = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &consume->online; break;
    case KEY_EXEC: consume->command = arg; break;
    case KEY_JSON: consume->json = true; break;
    case KEY_COUNT: consume->wanted = online_count(arg, state); break;
    case KEY_LABEL: online_add_label(&consume->filters, arg, state); break;
    case KEY_NEW: consume->from_now = true; break;
    case KEY_SINCE: consume->since_ns = online_moment(arg, state); break;
    case ARGP_KEY_ARG: take_argument(consume, arg, state); break;
    case ARGP_KEY_END:
        if (!consume->name)
            argp_error(state, "say under which NAME");
        if (consume->from_now && consume->since_ns)
            argp_error(state, "--new and --since cannot both be had");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int begin(struct consume *consume)
{
    char since[TC_TIME_BYTES];
    struct tocsin_stream stream = {
        .filters = (const char *const *)consume->filters.texts,
        .filter_count = consume->filters.count,
        .start = consume->from_now   ? TOCSIN_FROM_NOW
                 : consume->since_ns ? TOCSIN_FROM_SINCE
                                     : TOCSIN_FROM_EARLIEST,
        .since = since,
    };
    tc_time_text(consume->since_ns, since);
    return tocsin_consume(consume->online.tocsin, consume->name, &stream);
}

static bool print(struct consume *consume, const struct tocsin_event *alert)
{
    tc_buf_clear(&consume->text);
    if (consume->json)
        tc_buf_addf(&consume->text, "%s\n", alert->json);
    else
        show_alert(&consume->show, alert, &consume->text);
    fwrite(consume->text.ptr, 1, consume->text.len, stdout);
    return fflush(stdout) == 0;
}

// A file in memory that holds the alert: a command that does not read it all hangs nobody, as a
// pipe would. Returns a descriptor, -1 on failure.
static int alert_file(const struct tocsin_event *alert)
{
    int fd = memfd_create("alert.json", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (write(fd, alert->json, alert->json_bytes) != (ssize_t)alert->json_bytes ||
        write(fd, "\n", 1) != 1 || lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static pid_t start(const char *command, int input)
{
    extern char **environ;
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, strdup(command), NULL};
    posix_spawn_file_actions_t actions;
    pid_t child = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (!argv[2] || posix_spawn(&child, "/bin/sh", &actions, NULL, argv, environ) != 0)
        child = -1;
    posix_spawn_file_actions_destroy(&actions);
    free(argv[2]);
    return child;
}

// Runs the command once. True when it ended with 0.
static bool run_command(const struct consume *consume, const struct tocsin_event *alert)
{
    int how = 0;
    int input = alert_file(alert);
    pid_t child = input >= 0 ? start(consume->command, input) : -1;
    if (input >= 0)
        close(input);
    if (child < 0) {
        cli_say("cannot run the command: %s", strerror(errno));
        return false;
    }
    while (waitpid(child, &how, 0) < 0 && errno == EINTR)
        // The command is let finish, so that its alert is dealt with or not.
        cli_say("stopping as soon as the command for alert #%" PRIu64 " has ended", alert->seq);
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        return true;
    if (WIFEXITED(how))
        cli_say("alert #%" PRIu64 ": the command ended with %d", alert->seq, WEXITSTATUS(how));
    else
        cli_say("alert #%" PRIu64 ": the command died of signal %d", alert->seq, WTERMSIG(how));
    return false;
}

// Waits in short naps: a signal just before one would be slept over.
static void pause_for(int64_t ms)
{
    for (; ms > 0 && !online_stopped(); ms -= NAP_MS)
        nanosleep(&(struct timespec){0, (ms < NAP_MS ? ms : NAP_MS) * TC_MS}, NULL);
}

// Hands the alert to the command until it is taken. False when stopped before.
static bool hand_over(const struct consume *consume, const struct tocsin_event *alert)
{
    int64_t pause_ms = RETRY_MS;
    while (!run_command(consume, alert)) {
        if (online_stopped())
            return false;
        pause_for(pause_ms);
        if (online_stopped())
            return false;
        pause_ms = pause_ms * 2 > RETRY_MOST_MS ? RETRY_MOST_MS : pause_ms * 2;
    }
    return true;
}

static int acknowledge(struct consume *consume)
{
    if (consume->acknowledged == consume->dealt_with)
        return TOCSIN_OK;
    int code = tocsin_acknowledge(consume->online.tocsin, consume->dealt_with);
    if (code == TOCSIN_OK)
        consume->acknowledged = consume->dealt_with;
    else
        cli_say("acknowledging #%" PRIu64 ": %s", consume->dealt_with,
                tocsin_error(consume->online.tocsin));
    // Without an answer nothing is wrong yet: a later acknowledgement covers this one.
    return code == TOCSIN_ETIMEOUT ? TOCSIN_OK : code;
}

// The next event. Before waiting for it, everything printed so far is acknowledged.
static int next(struct consume *consume, struct tocsin_event *event)
{
    int code = online_next(consume->online.tocsin, 0, event);
    if (code != TOCSIN_NOTHING)
        return code;
    code = acknowledge(consume);
    return code == TOCSIN_OK ? online_next(consume->online.tocsin, -1, event) : code;
}

// True when the alert is dealt with.
static bool deal_with(struct consume *consume, const struct tocsin_event *alert)
{
    if (!(consume->command ? hand_over(consume, alert) : print(consume, alert)))
        return false;
    consume->dealt_with = alert->seq;
    return true;
}

static int run(struct consume *consume)
{
    struct tocsin_event event;
    uint64_t count = 0;
    bool answered = false;
    while (!online_stopped()) {
        int code = next(consume, &event);
        if (code == TOCSIN_NOTHING)
            continue;
        if (code != TOCSIN_OK)
            return online_fail(&consume->online);
        if (event.kind == TOCSIN_ALERT) {
            if (!deal_with(consume, &event))
                break;
            if (consume->command && acknowledge(consume) != TOCSIN_OK)
                return CLI_CANNOT;
            if (++count == consume->wanted)
                break;
            continue;
        }
        if (event.kind == TOCSIN_EPOCH) // numbers of the other history cannot be acknowledged here
            consume->dealt_with = consume->acknowledged = 0;
        if (!online_notice(&event, tocsin_fetch_endpoint(consume->online.tocsin), answered))
            return CLI_CANNOT;
        answered = true;
    }
    return acknowledge(consume) == TOCSIN_OK ? CLI_OK : CLI_CANNOT;
}

int cli_consume(int argc, char **argv)
{
    static const struct argp_child children[] = {{&online_argp, 0, NULL, 90}, {0}};
    static const struct argp argp = {.options = options,
                                     .parser = parse,
                                     .args_doc = "NAME [TOPIC...]",
                                     .doc = doc,
                                     .children = children};
    struct consume consume = {.show = show_for_stdout()};
    cli_parse(&argp, argc, argv, &consume);
    online_catch_signals();
    int status = CLI_CANNOT;
    if (online_open(&consume.online))
        status = begin(&consume) == TOCSIN_OK ? run(&consume) : online_fail(&consume.online);
    online_close(&consume.online);
    online_filters_done(&consume.filters);
    tc_buf_done(&consume.text);
    return status;
}
