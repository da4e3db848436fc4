// tocsin consume - alerts durably, under a name.
//
// An alert is acknowledged when it is dealt with: its line is written and flushed, the command it
// was handed to ended with 0, the URL it was posted to answered 2xx, or it lies in the file of dead
// letters, on disk. So a kill at any moment repeats alerts and never skips one. Printed alerts are
// acknowledged once for all that came together.
#include "client/cli/deadletter.h"
#include "client/cli/exec.h"
#include "client/cli/online.h"
#include "client/cli/post.h"
#include "client/cli/show.h"
#include "client/cli/small_file.h"
#include "common/clock.h"
#include "common/fault.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

enum {
    KEY_SINCE = 's',
    KEY_LABEL = 'l',
    KEY_JSON = 'j',
    KEY_COUNT = 'n',
    KEY_EXEC = 'e',
    KEY_POST = 'p',
    KEY_NEW = 0x200,
    KEY_HEADERS,
    KEY_TEMPLATE,
    KEY_TIMEOUT,
    KEY_ATTEMPTS,
    KEY_DEAD,
};

// What was not taken is tried again after 1, 2, 4, ... seconds. Ten attempts take about six minutes.
enum { RETRY_MS = 1000, RETRY_MOST_MS = 60000, NAP_MS = 250, ATTEMPTS = 10 };

struct consume {
    struct online online;
    struct online_filters filters;
    const char *name, *command, *dead_file;
    struct post_order order;
    struct post *post;
    int dead; // descriptor of the file of dead letters; -1 none
    int timeout_ms;
    uint64_t attempts;
    int64_t since_ns;
    bool json, from_now;
    uint64_t wanted; // alerts; 0: no end
    struct show show;
    struct tc_buf text;
    uint64_t dealt_with, acknowledged; // numbers
    bool connected;
};

static const char doc[] =
    "Receives every alert, in order, under a NAME that the broker remembers: what came while "
    "nobody "
    "consumed comes first. An alert that was not acknowledged comes again.\v"
    "tocsin consume desk --exec 'mail -s alert desk@example.org'\n"
    "tocsin consume chat --post @chat.url --template chat.json --dead chat.dead\n"
    "tocsin consume archive --json >>alerts.jsonl\n\n"
    "With --exec an alert is acknowledged when the command ends with 0, with --post when the "
    "server "
    "answers 2xx. When not, it is tried again after 1, 2, 4, ... 60 seconds, and nothing behind it "
    "is "
    "handed out; with --dead it is written into that file after --attempts, or at once when the "
    "server "
    "says that it will never take it, and the next one follows. A new NAME begins with the oldest "
    "alert "
    "unless --new or --since says otherwise. One process at a time has a NAME: the next to use it "
    "takes "
    "it over.\n\n"
    "Exit status: 0 stopped, or -n alerts were dealt with; 2 no broker answers, it refused, or "
    "another "
    "process took the NAME over.";

static const struct argp_option options[] = {
    {"exec", KEY_EXEC, "COMMAND", 0,
     "run by sh for each alert, its JSON on standard input, its fields in TOCSIN_ALERT_*", 0},
    {"post", KEY_POST, "URL|@FILE", 0, "post each alert there; @FILE holds the URL", 0},
    {"template", KEY_TEMPLATE, "FILE", 0, "the body that --post sends, with {{title}} and so on",
     0},
    {"header-file", KEY_HEADERS, "FILE", 0, "headers for --post, one a line", 0},
    {"timeout", KEY_TIMEOUT, "DURATION", 0,
     "how long one attempt may take (--post: 30s; --exec: for ever)", 0},
    {"dead", KEY_DEAD, "FILE", 0, "where alerts go that nobody takes, one JSON object a line", 0},
    {"attempts", KEY_ATTEMPTS, "N", 0, "so often before that (10)", 0},
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

static void check_together(const struct consume *consume, struct argp_state *state)
{
    const struct post_order *order = &consume->order;
    if (!consume->name)
        argp_error(state, "say under which NAME");
    if (consume->from_now && consume->since_ns)
        argp_error(state, "--new and --since cannot both be had");
    if (!!consume->command + !!order->url + consume->json > 1)
        argp_error(state, "--exec, --post and --json exclude each other");
    if (!order->url && (order->header_file || order->template_file))
        argp_error(state, "--header-file and --template are for --post");
    if (!order->url && !consume->command && (consume->dead_file || consume->timeout_ms))
        argp_error(state, "--dead and --timeout are for --exec and --post");
    if (consume->attempts && !consume->dead_file)
        argp_error(state, "--attempts wants --dead FILE, where the alert goes then");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct consume *consume = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &consume->online; break;
    case KEY_EXEC: consume->command = arg; break;
    case KEY_POST: consume->order.url = arg; break;
    case KEY_TEMPLATE: consume->order.template_file = arg; break;
    case KEY_HEADERS: consume->order.header_file = arg; break;
    case KEY_TIMEOUT: consume->timeout_ms = online_milliseconds(arg, state); break;
    case KEY_DEAD: consume->dead_file = arg; break;
    case KEY_ATTEMPTS: consume->attempts = online_count(arg, state); break;
    case KEY_JSON: consume->json = true; break;
    case KEY_COUNT: consume->wanted = online_count(arg, state); break;
    case KEY_LABEL: online_add_label(&consume->filters, arg, state); break;
    case KEY_NEW: consume->from_now = true; break;
    case KEY_SINCE: consume->since_ns = online_moment(arg, state); break;
    case ARGP_KEY_ARG: take_argument(consume, arg, state); break;
    case ARGP_KEY_END: check_together(consume, state); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// What could fail at the first alert fails now.
static bool prepare(struct consume *consume)
{
    struct tc_err err;
    int code = TC_OK;
    consume->order.timeout_ms = consume->timeout_ms;
    consume->attempts = consume->attempts ? consume->attempts : ATTEMPTS;
    if (consume->order.url)
        code = post_open(&consume->order, &consume->post, &err);
    if (code == TC_OK && consume->dead_file)
        code = deadletter_open(consume->dead_file, &consume->dead, &err);
    if (code != TC_OK)
        cli_fail(&err);
    if (consume->json)
        small_file_end_line(STDOUT_FILENO);
    return code == TC_OK;
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
    return !consume->text.failed && fflush(stdout) == 0;
}

// Waits in short naps: a signal just before one would be slept over.
static void pause_for(int64_t ms)
{
    for (; ms > 0 && !online_stopped(); ms -= NAP_MS)
        nanosleep(&(struct timespec){0, (ms < NAP_MS ? ms : NAP_MS) * TC_MS}, NULL);
}

// Who has lost the name while an alert was tried again and again must not go on trying. Without an
// answer that is not known, and trying does no harm.
static bool still_ours(struct consume *consume)
{
    int code = tocsin_acknowledge(consume->online.tocsin, consume->acknowledged);
    return code != TOCSIN_EPROTO && code != TOCSIN_EINVAL;
}

static void attempt(const struct consume *consume, const struct tocsin_event *alert,
                    uint64_t number, struct handover *out)
{
    const struct exec_order order = {consume->command, consume->name, number, consume->timeout_ms};
    if (consume->post)
        post_run(consume->post, alert, out);
    else
        exec_run(&order, alert, out);
    if (out->outcome != HANDOVER_TAKEN)
        cli_say("alert #%" PRIu64 ": %s", alert->seq, out->why);
}

// Nobody takes it: the file does. False when that cannot be written, and the alert must wait.
static bool bury(const struct consume *consume, const struct tocsin_event *alert, uint64_t attempts,
                 const char *why)
{
    struct tc_err err;
    if (deadletter_add(consume->dead, consume->name, attempts, why, alert, &err) != TC_OK) {
        cli_fail(&err);
        return false;
    }
    cli_say("alert #%" PRIu64 ": given up, written to %s", alert->seq, consume->dead_file);
    return true;
}

// Tries until the alert is taken or buried. False when stopped before, or when that cannot be.
static bool hand_over(struct consume *consume, const struct tocsin_event *alert)
{
    struct handover result;
    int64_t pause_ms = RETRY_MS;
    for (uint64_t number = 1;; number++) {
        attempt(consume, alert, number, &result);
        if (result.outcome == HANDOVER_TAKEN)
            return true;
        if (consume->dead >= 0 && (result.outcome == HANDOVER_NEVER || number >= consume->attempts))
            return bury(consume, alert, number, result.why);
        if (!online_stopped())
            pause_for(result.wait_ms > pause_ms ? result.wait_ms : pause_ms);
        if (online_stopped())
            return false;
        if (!still_ours(consume))
            return false;
        pause_ms = pause_ms * 2 > RETRY_MOST_MS ? RETRY_MOST_MS : pause_ms * 2;
    }
}

static int acknowledge(struct consume *consume)
{
    if (consume->acknowledged == consume->dealt_with)
        return TOCSIN_OK;
    if (consume->json) // a file must outlive a power cut, too; a pipe has nothing to be synced
        fdatasync(STDOUT_FILENO);
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
    bool hands = consume->command || consume->post;
    if (!(hands ? hand_over(consume, alert) : print(consume, alert)))
        return false;
    tc_fault("consume.dealt_with");
    consume->dealt_with = alert->seq;
    return true;
}

// Deals with an alert. False when that is the end; *status is then the command's.
static bool take_alert(struct consume *consume, const struct tocsin_event *alert, int *status)
{
    if (!deal_with(consume, alert)) {
        *status = online_stopped() ? CLI_OK : CLI_CANNOT;
        return false;
    }
    if ((consume->command || consume->post) && acknowledge(consume) != TOCSIN_OK) {
        *status = CLI_CANNOT;
        return false;
    }
    return consume->wanted == 0 || --consume->wanted > 0;
}

static int consume_all(struct consume *consume)
{
    struct tocsin_event event;
    bool answered = false;
    int status = CLI_OK;
    while (!online_stopped()) {
        int code = next(consume, &event);
        if (code == TOCSIN_NOTHING)
            continue;
        if (code != TOCSIN_OK)
            return online_fail(&consume->online);
        if (event.kind == TOCSIN_ALERT) {
            if (!take_alert(consume, &event, &status))
                return status;
            continue;
        }
        if (event.kind == TOCSIN_EPOCH) // numbers of the other history cannot be acknowledged here
            consume->dealt_with = consume->acknowledged = 0;
        consume->connected = event.kind != TOCSIN_DISCONNECTED && event.kind != TOCSIN_FENCED;
        if (!online_notice(&event, tocsin_fetch_endpoint(consume->online.tocsin), answered))
            return CLI_CANNOT;
        answered = true;
    }
    return CLI_OK;
}

// At a clean end what was acknowledged is put on disk, and the name given free.
static int run(struct consume *consume)
{
    int status = consume_all(consume);
    if (!consume->connected)
        return status;
    if (status == CLI_OK && acknowledge(consume) != TOCSIN_OK)
        return CLI_CANNOT;
    tocsin_detach(
        consume->online.tocsin); // refused or unanswered: the next to consume takes it over
    return status;
}

int cli_consume(int argc, char **argv)
{
    static const struct argp_child children[] = {{&online_argp, 0, NULL, 90}, {0}};
    static const struct argp argp = {.options = options,
                                     .parser = parse,
                                     .args_doc = "NAME [TOPIC...]",
                                     .doc = doc,
                                     .children = children};
    struct consume consume = {.show = show_for_stdout(), .dead = -1};
    int status = CLI_CANNOT;
    cli_parse(&argp, argc, argv, &consume);
    tc_fault_init();
    online_catch_signals();
    if (prepare(&consume) && online_open(&consume.online))
        status = begin(&consume) == TOCSIN_OK ? run(&consume) : online_fail(&consume.online);
    online_close(&consume.online);
    online_filters_done(&consume.filters);
    post_close(consume.post);
    if (consume.dead >= 0)
        close(consume.dead);
    tc_buf_done(&consume.text);
    return status;
}
