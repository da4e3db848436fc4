// tocsin status - broker and watcher on one screen. What does not answer is said, and counts.
#include "client/cli/online.h"
#include "client/cli/show.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"

#include <inttypes.h>
#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>

struct status {
    struct online online;
    bool json;
    struct show show;
    struct tc_buf out;
};

// A person looks at this when something is down: two daemons that do not answer take twice as long.
enum { PATIENCE_MS = 2000 };

static const char doc[] = "Asks the broker and the watcher how they are.\v"
                          "An answer may take 2s here.\n\nExit status: 0 both answer, 1 one of "
                          "them does not, or a watch file of the watcher is broken, "
                          "2 neither answers.";

static const struct argp_option options[] = {
    {"json", 'j', NULL, 0, "one object: broker and watcher, null where nobody answers", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct status *status = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &status->online; break;
    case 'j': status->json = true; break;
    case ARGP_KEY_ARG: argp_error(state, "'%s' is not expected here", arg); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// --- words ---

static uint64_t number(const json_t *object, const char *key)
{
    uint64_t value = 0;
    tc_json_get_u64(object, key, &value);
    return value;
}

static void heading(struct status *status, const char *name, bool up, const char *words)
{
    struct tc_buf *out = &status->out;
    if (status->show.colour)
        tc_buf_puts(out, CLI_BOLD);
    tc_buf_addf(out, "%-8s", name);
    if (status->show.colour)
        tc_buf_puts(out, up ? CLI_PLAIN CLI_GREEN : CLI_PLAIN CLI_BOLD CLI_RED);
    tc_buf_puts(out, up ? " up    " : " DOWN  ");
    if (status->show.colour)
        tc_buf_puts(out, CLI_PLAIN);
    show_plain(words, out);
    tc_buf_byte(out, '\n');
}

static void line(struct status *status, const char *label)
{
    tc_buf_addf(&status->out, "  %-10s", label);
}

// A size with the unit that leaves one to three digits before the point.
static void add_bytes(struct tc_buf *out, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    double size = (double)bytes;
    for (; size >= 1000 && unit + 1 < sizeof units / sizeof *units; unit++)
        size /= 1024;
    tc_buf_addf(out, unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

// "3 h 20 min", "12 s": how long ago a moment of the daemon's clock was.
static void add_age(struct tc_buf *out, const json_t *stats)
{
    int64_t now = 0, then = 0;
    if (!tc_time_read(tc_json_get_str(stats, "started"), &then) ||
        !tc_time_read(tc_json_get_str(stats, "time"), &now) || now < then)
        return;
    int64_t seconds = (now - then) / TC_SECOND, minutes = seconds / 60;
    if (minutes >= 48 * 60)
        tc_buf_addf(out, ", up %" PRId64 " days", minutes / 60 / 24);
    else if (minutes >= 60)
        tc_buf_addf(out, ", up %" PRId64 " h %" PRId64 " min", minutes / 60, minutes % 60);
    else if (minutes > 0)
        tc_buf_addf(out, ", up %" PRId64 " min", minutes);
    else
        tc_buf_addf(out, ", up %" PRId64 " s", seconds);
}

// --- the broker ---

static void add_row(struct libscols_table *table, const char *const *cells, size_t count)
{
    struct libscols_line *row = scols_table_new_line(table, NULL);
    for (size_t i = 0; i < count; i++)
        scols_line_set_data(row, i, cells[i]);
}

static struct libscols_table *new_table(const char *const *names, size_t count)
{
    struct libscols_table *table = scols_new_table();
    for (size_t i = 0; i < count; i++)
        scols_table_new_column(table, names[i], 0, i == 0 ? 0 : SCOLS_FL_RIGHT);
    return table;
}

// Prints a table behind two blanks, like all below a heading, and ends it.
static void finish_table(struct status *status, struct libscols_table *table)
{
    char *text = NULL;
    tc_str rest = {0}, row;
    if (scols_print_table_to_string(table, &text) == 0)
        rest = tc_str_of(text);
    while (tc_str_next(&rest, '\n', &row))
        tc_buf_addf(&status->out, "    %.*s\n", TC_ARG(row));
    free(text);
    scols_unref_table(table);
}

static void consumers(struct status *status, const json_t *stats)
{
    static const char *const names[] = {"CONSUMER", "ACKNOWLEDGED", "BEHIND", "LAST SEEN"};
    const json_t *list = json_object_get(stats, "consumers");
    struct libscols_table *table;
    if (json_array_size(list) == 0)
        return;
    table = new_table(names, 4);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *consumer = json_array_get(list, i);
        char cursor[24], lag[24];
        struct tc_buf name = {0}, seen = {0};
        snprintf(cursor, sizeof cursor, "%" PRIu64, number(consumer, "cursor"));
        snprintf(lag, sizeof lag, "%" PRIu64, number(consumer, "lag"));
        show_plain(tc_json_get_str(consumer, "name").ptr, &name);
        show_time(tc_json_get_str(consumer, "seen").ptr, &seen);
        add_row(table, (const char *[]){name.ptr, cursor, lag, seen.ptr}, 4);
        tc_buf_done(&name);
        tc_buf_done(&seen);
    }
    finish_table(status, table);
}

static void watchers(struct status *status, const json_t *stats)
{
    static const char *const names[] = {"WATCHER", "BATCHES", "LAST SEEN"};
    const json_t *list = json_object_get(stats, "watchers");
    struct libscols_table *table;
    if (json_array_size(list) == 0) {
        line(status, "watchers");
        tc_buf_puts(&status->out, "none has said hello yet\n");
        return;
    }
    table = new_table(names, 3);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *watcher = json_array_get(list, i);
        char batch[24];
        struct tc_buf name = {0}, seen = {0};
        snprintf(batch, sizeof batch, "%" PRIu64, number(watcher, "batch"));
        show_plain(tc_json_get_str(watcher, "name").ptr, &name);
        show_time(tc_json_get_str(watcher, "seen").ptr, &seen);
        add_row(table, (const char *[]){name.ptr, batch, seen.ptr}, 3);
        tc_buf_done(&name);
        tc_buf_done(&seen);
    }
    finish_table(status, table);
}

static void show_broker(struct status *status, const json_t *stats)
{
    struct tc_buf words = {0};
    struct tc_buf *out = &status->out;
    tc_buf_addf(&words, "%s, version %s", tocsin_fetch_endpoint(status->online.tocsin),
                tc_json_get_str(stats, "version").ptr);
    add_age(&words, stats);
    heading(status, "broker", true, words.ptr);
    tc_buf_done(&words);
    line(status, "alerts");
    tc_buf_addf(out, "%" PRIu64 " stored, newest #%" PRIu64 ", oldest kept #%" PRIu64 "\n",
                number(stats, "alerts"), number(stats, "head"), number(stats, "first"));
    line(status, "hits");
    tc_buf_addf(out, "%" PRIu64 " stored, %" PRIu64 " sent again, %" PRIu64 " rejected\n",
                number(stats, "hits"), number(stats, "duplicates"), number(stats, "rejected"));
    line(status, "store");
    add_bytes(out, number(stats, "database_bytes"));
    tc_buf_addf(out, ", %" PRIu64 " watches known\n", number(stats, "watches"));
    line(status, "clients");
    tc_buf_addf(out, "%" PRIu64 " live messages sent, %" PRIu64 " requests waiting\n",
                number(stats, "live_sent"), number(stats, "parked"));
    watchers(status, stats);
    consumers(status, stats);
}

// --- the watcher ---

static void show_link(struct status *status, const json_t *stats)
{
    tc_str link = tc_json_get_str(stats, "link");
    bool down = tc_str_eq(link, TC_STR("down"));
    bool replaced = tc_str_eq(link, TC_STR("replaced"));
    line(status, "broker");
    if ((down || replaced) && status->show.colour)
        tc_buf_puts(&status->out, CLI_RED);
    if (tc_str_eq(link, TC_STR("none")))
        tc_buf_puts(&status->out, "none configured: hits go to the tap only");
    else if (replaced)
        tc_buf_puts(&status->out, "has another watcher of this name: hits wait in the outbox");
    else
        tc_buf_puts(&status->out, down ? "does not answer: hits wait in the outbox" : "connected");
    if ((down || replaced) && status->show.colour)
        tc_buf_puts(&status->out, CLI_PLAIN);
    tc_buf_byte(&status->out, '\n');
}

static bool any_file_broken(const json_t *stats)
{
    const json_t *list = json_object_get(stats, "files");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (tc_json_get_str(json_array_get(list, i), "error").len > 0)
            return true;
    return false;
}

// Which version of a broken file is in force.
static void show_running(struct status *status, tc_str since)
{
    if (since.len > 0)
        tc_buf_addf(&status->out, "; the version of %.*s runs", TC_ARG(since));
    else
        tc_buf_puts(&status->out, "; nothing of it runs");
}

static void show_files(struct status *status, const json_t *stats)
{
    const json_t *list = json_object_get(stats, "files");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *file = json_array_get(list, i);
        tc_str wrong = tc_json_get_str(file, "error");
        line(status, i == 0 ? "files" : "");
        show_plain(tc_json_get_str(file, "file").ptr, &status->out);
        uint64_t watches = number(file, "watches");
        tc_buf_addf(&status->out, ": %" PRIu64 " %s", watches, watches == 1 ? "watch" : "watches");
        if (wrong.len > 0) {
            tc_buf_puts(&status->out, status->show.colour ? "  " CLI_RED : "  ");
            show_plain(wrong.ptr, &status->out);
            tc_buf_puts(&status->out, status->show.colour ? CLI_PLAIN : "");
            show_running(status, tc_json_get_str(file, "since"));
        }
        tc_buf_byte(&status->out, '\n');
    }
}

// How the watches are compiled, and what the audit found when there is one.
static void show_matching(struct status *status, const json_t *stats)
{
    struct tc_buf *out = &status->out;
    uint64_t top = number(stats, "watches_on_top"), audited = number(stats, "audited_total");
    line(status, "matching");
    if (tc_str_eq(tc_json_get_str(stats, "frequencies"), TC_STR("counted")))
        tc_buf_addf(out, "frequencies of words counted in %" PRIu64 " articles",
                    number(stats, "frequencies_articles"));
    else
        tc_buf_puts(out, "frequencies of words guessed");
    if (top)
        tc_buf_addf(out, "; %" PRIu64 " changed watches wait for a merge", top);
    if (audited)
        tc_buf_addf(out, "; audit: %" PRIu64 " articles, %" PRIu64 " differences", audited,
                    number(stats, "audit_misses_total"));
    if (number(stats, "audit_misses_total"))
        tc_buf_addf(out, ", the last in watch %s", tc_json_get_str(stats, "audit_missed").ptr);
    tc_buf_byte(out, '\n');
}

static void show_watcher(struct status *status, const json_t *stats)
{
    struct tc_buf words = {0};
    struct tc_buf *out = &status->out;
    tc_buf_addf(&words, "%s, version %s, named %s", tocsin_intake_endpoint(status->online.tocsin),
                tc_json_get_str(stats, "version").ptr, tc_json_get_str(stats, "name").ptr);
    add_age(&words, stats);
    heading(status, "watcher", true, words.ptr);
    tc_buf_done(&words);
    line(status, "articles");
    tc_buf_addf(out, "%" PRIu64 " read, %" PRIu64 " had before, %" PRIu64 " rejected\n",
                number(stats, "articles"), number(stats, "duplicates"), number(stats, "rejected"));
    line(status, "hits");
    tc_buf_addf(out, "%" PRIu64 ", with %" PRIu64 " watches\n", number(stats, "hits"),
                number(stats, "watches"));
    line(status, "outbox");
    tc_buf_addf(out, "%" PRIu64 " waiting, %" PRIu64 " given up\n", number(stats, "outbox_waiting"),
                number(stats, "outbox_dead"));
    show_matching(status, stats);
    show_link(status, stats);
    show_files(status, stats);
}

// --- asking ---

// The answer of a daemon as it came; NULL, and err's sentence copied, when there is none.
static char *ask(struct status *status, enum tocsin_daemon daemon, struct tc_err *err)
{
    const char *json = NULL;
    if (tocsin_status(status->online.tocsin, daemon, &json) == TOCSIN_OK)
        return tc_dup(json, strlen(json));
    tc_fail(err, TC_ETIMEOUT, "%s", tocsin_error(status->online.tocsin));
    return NULL;
}

static json_t *tree_of(const char *text)
{
    json_t *tree = NULL;
    return text && tc_json_read(tc_str_of(text), &tree, NULL) == TC_OK ? tree : NULL;
}

static void print_json(struct status *status, const char *broker, const char *watcher)
{
    struct tc_json json = tc_json_on(&status->out);
    tc_json_open(&json, '{');
    tc_json_key(&json, "broker");
    tc_json_raw(&json, broker ? tc_str_of(broker) : TC_STR("null"));
    tc_json_key(&json, "watcher");
    tc_json_raw(&json, watcher ? tc_str_of(watcher) : TC_STR("null"));
    tc_json_close(&json, '}');
    tc_buf_byte(&status->out, '\n');
}

static int run(struct status *status)
{
    struct tc_err no_broker = {0}, no_watcher = {0};
    char *broker = ask(status, TOCSIN_BROKER, &no_broker);
    char *watcher = ask(status, TOCSIN_WATCHER, &no_watcher);
    json_t *of_broker = tree_of(broker), *of_watcher = tree_of(watcher);
    bool fine = of_broker && of_watcher && !any_file_broken(of_watcher);
    bool nobody = !of_broker && !of_watcher;
    if (status->json) {
        print_json(status, broker, watcher);
    } else {
        if (of_broker)
            show_broker(status, of_broker);
        else
            heading(status, "broker", false, no_broker.text);
        tc_buf_byte(&status->out, '\n');
        if (of_watcher)
            show_watcher(status, of_watcher);
        else
            heading(status, "watcher", false, no_watcher.text);
    }
    fwrite(status->out.ptr, 1, status->out.len, stdout);
    json_decref(of_broker);
    json_decref(of_watcher);
    free(broker);
    free(watcher);
    return nobody ? CLI_CANNOT : fine ? CLI_OK : CLI_FINDINGS;
}

int cli_status(int argc, char **argv)
{
    static const struct argp_child children[] = {{&online_argp, 0, NULL, 90}, {0}};
    static const struct argp argp = {
        .options = options, .parser = parse, .doc = doc, .children = children};
    struct status status = {.show = show_for_stdout(), .online.options.timeout_ms = PATIENCE_MS};
    cli_parse(&argp, argc, argv, &status);
    int result = online_open(&status.online) ? run(&status) : CLI_CANNOT;
    online_close(&status.online);
    tc_buf_done(&status.out);
    return result;
}
