// tocsin history - alerts that came.
//
// The broker narrows by topic, label and beginning; story, text and end are looked at here. Lines
// of JSON go out as they come; the table needs all of them first.
#include "client/cli/online.h"
#include "client/cli/show.h"
#include "common/clock.h"
#include "common/mem.h"

#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDE = 110 }; // columns of a terminal that has room for every column of the table

enum {
    KEY_SINCE = 's',
    KEY_UNTIL = 'u',
    KEY_WATCH = 'w',
    KEY_LABEL = 'l',
    KEY_GREP = 'g',
    KEY_COUNT = 'n',
    KEY_JSON = 'j',
    KEY_LONG = 'L',
    KEY_TOPIC = 0x200,
    KEY_STORY,
    KEY_AFTER,
};

// What is kept of an alert for its line.
struct row {
    char *text; // JSON, or lines for people, or NULL
    char *cells[6];
};

struct history {
    struct online online;
    struct online_filters filters;
    int64_t since_ns, until_ns;
    uint64_t after, last; // number to begin behind; only the last so many (0: all)
    const char *story, *pattern;
    regex_t grep;
    bool json, lines;
    struct show show;
    struct row *rows; // a ring of `last` when that is set
    size_t count, capacity;
    uint64_t found;
};

static const char doc[] = "Shows alerts that are stored, oldest first.\v"
                          "tocsin history --since 1d --watch china-ai/travel-advice\n"
                          "tocsin history --grep 'travel|visa' -n 20 --long\n\n"
                          "Exit status: 0 there were some, 1 none, 2 no broker answers.";

static const struct argp_option options[] = {
    {"watch", KEY_WATCH, "NAMESPACE/NAME", 0, "alerts of this watch; may be repeated", 0},
    {"topic", KEY_TOPIC, "TOPIC", 0, "alerts under this topic; may be repeated", 0},
    {"label", KEY_LABEL, "KEY=VALUE", 0, "only alerts with this label; may be repeated", 0},
    {"since", KEY_SINCE, "TIME", 0, "from here: 2h, 3d ago, or 2025-03-01T05:00Z", 0},
    {"until", KEY_UNTIL, "TIME", 0, "up to here", 0},
    {"after", KEY_AFTER, "NUMBER", 0, "only alerts with a greater number", 0},
    {"story", KEY_STORY, "ID", 0, "alerts of one story", 0},
    {"grep", KEY_GREP, "PATTERN", 0,
     "title, excerpt or source match this extended regular expression, in either case", 0},
    {"count", KEY_COUNT, "N", 0, "only the last N", 0},
    {"long", KEY_LONG, NULL, 0, "with source and excerpt, as tail shows them", 0},
    {"json", KEY_JSON, NULL, 0, "one CloudEvents object a line", 0},
    {0},
};

static void set_pattern(struct history *history, const char *pattern, struct argp_state *state)
{
    char why[128];
    int wrong = regcomp(&history->grep, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB);
    if (wrong) {
        regerror(wrong, &history->grep, why, sizeof why);
        argp_error(state, "'%s' is no regular expression: %s", pattern, why);
    }
    history->pattern = pattern;
}

static uint64_t number(const char *text, struct argp_state *state)
{
    uint64_t value = 0;
    if (!tc_str_u64(tc_str_of(text), &value))
        argp_error(state, "'%s' is no number", text);
    return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct history *history = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &history->online; break;
    case KEY_WATCH:
    case KEY_TOPIC: online_add_topic(&history->filters, arg, state); break;
    case KEY_LABEL: online_add_label(&history->filters, arg, state); break;
    case KEY_SINCE: history->since_ns = online_moment(arg, state); break;
    case KEY_UNTIL: history->until_ns = online_moment(arg, state); break;
    case KEY_AFTER: history->after = number(arg, state); break;
    case KEY_STORY: history->story = arg; break;
    case KEY_GREP: set_pattern(history, arg, state); break;
    case KEY_COUNT: history->last = online_count(arg, state); break;
    case KEY_LONG: history->lines = true; break;
    case KEY_JSON: history->json = true; break;
    case ARGP_KEY_ARG: argp_error(state, "'%s' is not expected here", arg); break;
    case ARGP_KEY_END:
        if (history->after && history->since_ns)
            argp_error(state, "--after and --since cannot both be had");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int begin(struct history *history)
{
    char since[TC_TIME_BYTES];
    struct tocsin_stream stream = {
        .filters = (const char *const *)history->filters.texts,
        .filter_count = history->filters.count,
        .start = history->after      ? TOCSIN_FROM_AFTER
                 : history->since_ns ? TOCSIN_FROM_SINCE
                                     : TOCSIN_FROM_EARLIEST,
        .after = history->after,
        .since = since,
    };
    tc_time_text(history->since_ns, since);
    return tocsin_query(history->online.tocsin, &stream);
}

// --- rows ---

static void empty(struct row *row)
{
    free(row->text);
    for (size_t i = 0; i < sizeof row->cells / sizeof *row->cells; i++)
        free(row->cells[i]);
    *row = (struct row){0};
}

// The place for the next row: the oldest one's when only the last are wanted.
static struct row *place(struct history *history)
{
    if (history->last && history->count == history->last) {
        struct row *oldest = &history->rows[history->found % history->last];
        empty(oldest);
        return oldest;
    }
    history->rows =
        tc_room(history->rows, history->count, &history->capacity, sizeof *history->rows);
    history->rows[history->count] = (struct row){0};
    return &history->rows[history->count++];
}

static char *cell(const char *text, void (*write)(const char *text, struct tc_buf *out))
{
    struct tc_buf out = {0};
    write(text, &out);
    return out.ptr ? out.ptr : tc_dup("", 0);
}

static char *text_of(const struct history *history, const struct tocsin_event *alert)
{
    struct tc_buf out = {0};
    if (history->json)
        tc_buf_addf(&out, "%s\n", alert->json);
    else
        show_alert(&history->show, alert, &out);
    return out.ptr;
}

static void keep(struct history *history, const struct tocsin_event *alert)
{
    struct row *row = place(history);
    struct tc_buf seq = {0};
    history->found++;
    if (history->json || history->lines) {
        row->text = text_of(history, alert);
        return;
    }
    tc_buf_addf(&seq, "%" PRIu64, alert->seq);
    row->cells[0] = seq.ptr;
    row->cells[1] = cell(alert->time, show_time);
    row->cells[2] = cell(alert->severity, show_plain);
    row->cells[3] = cell(alert->watch, show_plain);
    row->cells[4] = cell(alert->source, show_plain);
    row->cells[5] = cell(alert->title, show_plain);
}

// Rows in order: a full ring begins at its oldest.
static struct row *row_at(const struct history *history, size_t index)
{
    size_t first = history->last && history->found > history->last
                       ? (size_t)(history->found % history->last)
                       : 0;
    return &history->rows[(first + index) % history->count];
}

// On a narrow terminal severity and source make room for the title; the colour still tells the one,
// --long and --json the other.
static void print_table(const struct history *history)
{
    static const struct {
        const char *name;
        int flags;
        bool wide_only;
    } columns[] = {{"#", SCOLS_FL_RIGHT, false}, {"TIME", 0, false},
                   {"SEVERITY", 0, true},        {"WATCH", 0, false},
                   {"SOURCE", 0, true},          {"TITLE", SCOLS_FL_TRUNC, false}};
    bool narrow = isatty(STDOUT_FILENO) == 1 && cli_width(stdout) < WIDE;
    struct libscols_table *table = scols_new_table();
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        scols_table_new_column(table, columns[i].name, 0,
                               columns[i].flags |
                                   (narrow && columns[i].wide_only ? SCOLS_FL_HIDDEN : 0));
    scols_table_enable_colors(table, history->show.colour);
    for (size_t i = 0; i < history->count; i++) {
        const struct row *row = row_at(history, i);
        struct libscols_line *line = scols_table_new_line(table, NULL);
        for (size_t j = 0; j < sizeof row->cells / sizeof *row->cells; j++)
            scols_line_set_data(line, j, row->cells[j]);
        scols_cell_set_color(scols_line_get_cell(line, narrow ? 3 : 2),
                             show_severity(row->cells[2]));
    }
    scols_print_table(table);
    scols_unref_table(table);
}

static void print_rows(const struct history *history)
{
    if (!history->json && !history->lines && history->count > 0)
        print_table(history);
    for (size_t i = 0; i < history->count && (history->json || history->lines); i++)
        fputs(row_at(history, i)->text, stdout);
}

// --- choosing ---

static bool matches(const struct history *history, const char *text)
{
    return regexec(&history->grep, text, 0, NULL, 0) == 0;
}

static bool wanted(const struct history *history, const struct tocsin_event *alert)
{
    if (history->story && strcmp(history->story, alert->story) != 0)
        return false;
    return !history->pattern || matches(history, alert->title) ||
           matches(history, alert->excerpt) || matches(history, alert->source);
}

// Numbers and times rise together, so the first alert behind the end is the end.
static bool behind_the_end(const struct history *history, const struct tocsin_event *alert)
{
    int64_t wall_ns = 0;
    return history->until_ns && tc_time_read(tc_str_of(alert->time), &wall_ns) &&
           wall_ns > history->until_ns;
}

static void take(struct history *history, const struct tocsin_event *alert)
{
    if (!wanted(history, alert))
        return;
    if (!history->json || history->last) {
        keep(history, alert);
        return;
    }
    history->found++;
    fputs(alert->json, stdout);
    putchar('\n');
}

static int run(struct history *history)
{
    struct tocsin_event event;
    bool answered = false;
    for (;;) {
        int code = tocsin_next(history->online.tocsin, -1, &event);
        if (code == TOCSIN_EINTR)
            continue;
        if (code != TOCSIN_OK)
            return online_fail(&history->online);
        if (event.kind == TOCSIN_END || behind_the_end(history, &event))
            break;
        if (event.kind == TOCSIN_ALERT)
            take(history, &event);
        else if (!online_notice(&event, tocsin_fetch_endpoint(history->online.tocsin), answered))
            return CLI_CANNOT;
        answered = true;
    }
    print_rows(history);
    return history->found ? CLI_OK : CLI_FINDINGS;
}

int cli_history(int argc, char **argv)
{
    static const struct argp_child children[] = {{&online_argp, 0, NULL, 90}, {0}};
    static const struct argp argp = {
        .options = options, .parser = parse, .doc = doc, .children = children};
    struct history history = {.show = show_for_stdout()};
    cli_parse(&argp, argc, argv, &history);
    int status = CLI_CANNOT;
    if (online_open(&history.online))
        status = begin(&history) == TOCSIN_OK ? run(&history) : online_fail(&history.online);
    online_close(&history.online);
    online_filters_done(&history.filters);
    for (size_t i = 0; i < history.count; i++)
        empty(&history.rows[i]);
    free(history.rows);
    if (history.pattern)
        regfree(&history.grep);
    return status;
}
