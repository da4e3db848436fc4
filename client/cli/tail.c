// tocsin tail - alerts as they come.
#include "client/cli/online.h"
#include "client/cli/show.h"
#include "common/clock.h"

#include <inttypes.h>

enum {
    KEY_SINCE = 's',
    KEY_LABEL = 'l',
    KEY_JSON = 'j',
    KEY_COUNT = 'n',
    KEY_TIMEOUT = 't',
    KEY_FEED = 0x200
};

struct tail {
    struct online online;
    struct online_filters filters;
    int64_t since_ns; // 0: from now on
    bool json, feed;
    uint64_t wanted; // alerts; 0: no end
    int timeout_ms;  // 0: no end
    struct show show;
    struct tc_buf text;
};

static const char doc[] =
    "Shows alerts as they come, all of them or those of some TOPICs "
    "(china-ai, china-ai/travel-advice, china-ai/travel-advice/high). What was stored while the "
    "connection "
    "was away is shown as soon as it is back; nothing is shown twice.\v"
    "tocsin tail --since 2h china-ai\n"
    "tocsin tail --label desk=asia --json | jq .data.article.title\n\n"
    "Ends with Ctrl-C. Exit status: 0 stopped, or -n alerts came; 1 the time was over before; "
    "2 no broker answers.";

static const struct argp_option options[] = {
    {"since", KEY_SINCE, "TIME", 0, "replay first: 30m, 2h, 3d ago, or 2025-03-01T05:00Z", 0},
    {"label", KEY_LABEL, "KEY=VALUE", 0, "only alerts with this label; may be repeated", 0},
    {"json", KEY_JSON, NULL, 0, "one CloudEvents object a line", 0},
    {"count", KEY_COUNT, "N", 0, "end after N alerts", 0},
    {"timeout", KEY_TIMEOUT, "DURATION", 0, "end after this time", 0},
    {"feed", KEY_FEED, NULL, 0,
     "listen to the live feed (or a watcher's tap, with --live) instead of reading the history: "
     "needs "
     "no other endpoint, and may lose",
     0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct tail *tail = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &tail->online; break;
    case KEY_SINCE: tail->since_ns = online_moment(arg, state); break;
    case KEY_LABEL: online_add_label(&tail->filters, arg, state); break;
    case KEY_JSON: tail->json = true; break;
    case KEY_COUNT: tail->wanted = online_count(arg, state); break;
    case KEY_TIMEOUT: tail->timeout_ms = online_milliseconds(arg, state); break;
    case KEY_FEED: tail->feed = true; break;
    case ARGP_KEY_ARG: online_add_topic(&tail->filters, arg, state); break;
    case ARGP_KEY_END:
        if (tail->feed && tail->since_ns)
            argp_error(state, "--feed has no past: it cannot be had with --since");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int begin(struct tail *tail)
{
    char since[TC_TIME_BYTES];
    struct tocsin_stream stream = {
        .filters = (const char *const *)tail->filters.texts,
        .filter_count = tail->filters.count,
        .start = tail->since_ns ? TOCSIN_FROM_SINCE : TOCSIN_FROM_NOW,
        .since = since,
    };
    tc_time_text(tail->since_ns, since);
    return tail->feed ? tocsin_subscribe(tail->online.tocsin, &stream)
                      : tocsin_follow(tail->online.tocsin, &stream);
}

static bool print(struct tail *tail, const struct tocsin_event *alert)
{
    tc_buf_clear(&tail->text);
    if (tail->json)
        tc_buf_addf(&tail->text, "%s\n", alert->json);
    else
        show_alert(&tail->show, alert, &tail->text);
    fwrite(tail->text.ptr, 1, tail->text.len, stdout);
    return fflush(stdout) == 0;
}

// Says where it stands, so that a person (or a script) knows that it listens.
static void begun(const struct tail *tail, const struct tocsin_event *event)
{
    if (tail->feed)
        cli_say("listening to %s", tocsin_live_endpoint(tail->online.tocsin));
    else
        cli_say("following the alerts; the newest is #%" PRIu64, event->seq);
}

// How long to wait for the next event. False when the time is over.
static bool time_left(const struct tail *tail, int64_t end_ns, int *left_ms)
{
    int64_t left = (end_ns - tc_mono_ns()) / TC_MS;
    *left_ms = tail->timeout_ms ? (int)(left > 0 ? left : 0) : -1;
    return !tail->timeout_ms || left > 0;
}

static const char *endpoint(const struct tail *tail)
{
    return tail->feed ? tocsin_live_endpoint(tail->online.tocsin)
                      : tocsin_fetch_endpoint(tail->online.tocsin);
}

static int run(struct tail *tail)
{
    struct tocsin_event event;
    struct tocsin *tocsin = tail->online.tocsin;
    int64_t end_ns = tc_mono_ns() + tail->timeout_ms * TC_MS;
    uint64_t shown = 0;
    bool answered = false;
    int left_ms = 0;
    while (!online_stopped()) {
        if (!time_left(tail, end_ns, &left_ms))
            return tail->wanted ? CLI_FINDINGS : CLI_OK;
        int code = online_next(tocsin, left_ms, &event);
        if (code == TOCSIN_NOTHING)
            continue;
        if (code != TOCSIN_OK)
            return online_fail(&tail->online);
        if (event.kind == TOCSIN_ALERT) {
            if (!print(tail, &event) || ++shown == tail->wanted)
                return CLI_OK; // main() says what could not be written
            continue;
        }
        if (!online_notice(&event, endpoint(tail), answered))
            return CLI_CANNOT;
        if (event.kind == TOCSIN_CONNECTED && !answered)
            begun(tail, &event);
        answered = true;
    }
    return CLI_OK;
}

int cli_tail(int argc, char **argv)
{
    static const struct argp_child children[] = {{&online_argp, 0, NULL, 90}, {0}};
    static const struct argp argp = {.options = options,
                                     .parser = parse,
                                     .args_doc = "[TOPIC...]",
                                     .doc = doc,
                                     .children = children};
    struct tail tail = {.show = show_for_stdout()};
    cli_parse(&argp, argc, argv, &tail);
    online_catch_signals();
    int status = CLI_CANNOT;
    if (online_open(&tail.online))
        status = begin(&tail) == TOCSIN_OK ? run(&tail) : online_fail(&tail.online);
    online_close(&tail.online);
    online_filters_done(&tail.filters);
    tc_buf_done(&tail.text);
    return status;
}
