#include "client/cli/online.h"
#include "common/clock.h"
#include "common/mem.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char label_prefix[] = "label.";

enum { WAIT_MOST_MS = 250 };

enum { KEY_FETCH = 0x100, KEY_LIVE, KEY_INTAKE, KEY_KEYS, KEY_PATIENCE };

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Where the daemons are:", 90},
    {"fetch", KEY_FETCH, "ENDPOINT", 0, "the broker's requests ($TOCSIN_FETCH)", 0},
    {"live", KEY_LIVE, "ENDPOINT", 0, "the broker's live feed ($TOCSIN_LIVE)", 0},
    {"intake", KEY_INTAKE, "ENDPOINT", 0, "the watcher's intake ($TOCSIN_INTAKE)", 0},
    {"keys", KEY_KEYS, "FOLDER", 0, "the keys for tcp endpoints ($TOCSIN_KEYS)", 0},
    {"patience", KEY_PATIENCE, "DURATION", 0, "how long an answer may take (5s)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct online *online = state->input;
    switch (key) {
    case KEY_FETCH: online->options.fetch = arg; break;
    case KEY_LIVE: online->options.live = arg; break;
    case KEY_INTAKE: online->options.intake = arg; break;
    case KEY_KEYS: online->options.keys = arg; break;
    case KEY_PATIENCE: online->options.timeout_ms = online_milliseconds(arg, state); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const struct argp online_argp = {.options = options, .parser = parse};

bool online_open(struct online *online)
{
    int code = tocsin_open(&online->options, &online->tocsin);
    if (code == TOCSIN_OK)
        return true;
    cli_say(code == TOCSIN_ENOMEM ? "no memory"
                                  : "an endpoint is empty, or the runtime folder in the temporary "
                                    "folder is not this user's alone; set TOCSIN_RUNTIME_DIR");
    return false;
}

void online_close(struct online *online)
{
    tocsin_close(online->tocsin);
    online->tocsin = NULL;
}

int online_fail(const struct online *online)
{
    cli_say("%s", tocsin_error(online->tocsin));
    return CLI_CANNOT;
}

static void add(struct online_filters *filters, const char *before, const char *text,
                const char *behind, struct argp_state *state)
{
    if (filters->count == TOCSIN_FILTERS_MOST) {
        argp_error(state, "at most %d topics and labels can be given", TOCSIN_FILTERS_MOST);
        return;
    }
    size_t bytes = strlen(before) + strlen(text) + strlen(behind) + 1;
    char *made = tc_new(bytes);
    snprintf(made, bytes, "%s%s%s", before, text, behind);
    filters->texts[filters->count++] = made;
}

void online_add_topic(struct online_filters *filters, const char *topic, struct argp_state *state)
{
    add(filters, "", topic, tc_str_ends(tc_str_of(topic), TC_STR("/")) ? "" : "/", state);
}

void online_add_label(struct online_filters *filters, const char *label, struct argp_state *state)
{
    if (label[0] == '=' || !strchr(label, '='))
        argp_error(state, "'%s' is no label: write KEY=VALUE", label);
    add(filters, label_prefix, label, "", state);
}

void online_filters_done(struct online_filters *filters)
{
    for (size_t i = 0; i < filters->count; i++)
        free(filters->texts[i]);
    filters->count = 0;
}

int64_t online_moment(const char *text, struct argp_state *state)
{
    int64_t ns = 0;
    if (tc_duration_read(tc_str_of(text), &ns))
        return tc_wall_ns() - ns;
    if (!tc_time_read(tc_str_of(text), &ns))
        argp_error(state,
                   "'%s' is neither a duration (30s 5m 2h 3d 1w) nor a time "
                   "(2025-03-01T05:00:00Z)",
                   text);
    return ns;
}

uint64_t online_count(const char *text, struct argp_state *state)
{
    uint64_t count = 0;
    if (!tc_str_u64(tc_str_of(text), &count) || count == 0)
        argp_error(state, "'%s' is no number from 1", text);
    return count;
}

int online_milliseconds(const char *text, struct argp_state *state)
{
    int64_t ns = 0;
    if (!tc_duration_read(tc_str_of(text), &ns) || ns < TC_MS || ns / TC_MS > INT_MAX)
        argp_error(state, "'%s' is no duration (250ms 30s 5m 2h)", text);
    return (int)(ns / TC_MS);
}

static volatile sig_atomic_t stopped; // set by the handler, which can reach nothing else

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

void online_catch_signals(void)
{
    // Without SA_RESTART: waiting ends with EINTR.
    const struct sigaction action = {.sa_handler = stop};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool online_stopped(void)
{
    return stopped != 0;
}

// A signal between the look at `stopped` and the wait would be slept over: so no wait is long.
int online_next(struct tocsin *tocsin, int timeout_ms, struct tocsin_event *event)
{
    bool longer = timeout_ms < 0 || timeout_ms > WAIT_MOST_MS;
    int code = tocsin_next(tocsin, longer ? WAIT_MOST_MS : timeout_ms, event);
    return code == TOCSIN_EINTR ? TOCSIN_NOTHING : code;
}

bool online_notice(const struct tocsin_event *event, const char *endpoint, bool answered)
{
    switch (event->kind) {
    case TOCSIN_DISCONNECTED:
        if (!answered) {
            cli_say("no broker answers at %s; is tocsin-broker running?", endpoint);
            return false;
        }
        cli_say("the connection is lost; waiting for the broker to come back");
        break;
    case TOCSIN_CONNECTED:
        if (answered)
            cli_say("the connection is back");
        break;
    case TOCSIN_GAP:
        cli_say("%" PRIu64 " alerts, #%" PRIu64 " to #%" PRIu64 ", were removed by retention",
                event->count, event->from, event->to);
        break;
    case TOCSIN_LOST:
        cli_say("#%" PRIu64 " to #%" PRIu64 " did not arrive on the live feed", event->from,
                event->to);
        break;
    case TOCSIN_DAMAGED:
        cli_say("alert #%" PRIu64 " is damaged in the broker's store", event->seq);
        break;
    case TOCSIN_EPOCH:
        cli_say("the history was replaced by another one; its numbers begin anew");
        break;
    case TOCSIN_FENCED:
        cli_say("another process consumes under this name now; ending");
        return false;
    default: break;
    }
    return true;
}
