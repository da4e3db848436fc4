// tocsin consumers - the durable consumers that the broker knows.
#include "client/cli/online.h"
#include "client/cli/show.h"
#include "common/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <libsmartcols/libsmartcols.h>

struct consumers {
    struct online online;
    const char *drop, *release;
    bool json;
    struct show show;
};

enum { KEY_DROP = 0x200, KEY_RELEASE, COLUMNS = 6 };

static const char doc[] =
    "Lists the durable consumers: how far each is, how many alerts lie behind that, whose it is "
    "(\"~\" "
    "the broker's own machine), and whether a process is attached. Wants the role admin.\v"
    "A consumer that is not run any more keeps its name until it is dropped.\n\n"
    "Exit status: 0 done, 2 no broker answers, or it refused.";

static const struct argp_option options[] = {
    {"json", 'j', NULL, 0, "one object a line, with filters and start", 0},
    {"drop", KEY_DROP, "NAME", 0, "forget this consumer", 0},
    {"release", KEY_RELEASE, "NAME", 0,
     "end its lease and make it nobody's: it is the next key's that uses it", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct consumers *consumers = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &consumers->online; break;
    case 'j': consumers->json = true; break;
    case KEY_DROP: consumers->drop = arg; break;
    case KEY_RELEASE: consumers->release = arg; break;
    case ARGP_KEY_ARG: argp_error(state, "'%s' is not expected here", arg); break;
    case ARGP_KEY_END:
        if (consumers->drop && consumers->release)
            argp_error(state, "--drop and --release cannot both be had");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static void add_line(struct libscols_table *table, const json_t *row)
{
    struct tc_buf cells[COLUMNS] = {0};
    struct libscols_line *line = scols_table_new_line(table, NULL);
    uint64_t cursor = 0, lag = 0;
    tc_json_get_u64(row, "cursor", &cursor);
    tc_json_get_u64(row, "lag", &lag);
    show_plain(tc_json_get_str(row, "name").ptr, &cells[0]);
    tc_buf_addf(&cells[1], "%" PRIu64, cursor);
    tc_buf_addf(&cells[2], "%" PRIu64, lag);
    show_time(tc_json_get_str(row, "seen").ptr, &cells[3]);
    tc_buf_puts(&cells[4], json_is_true(json_object_get(row, "leased")) ? "yes" : "no");
    show_plain(tc_json_get_str(row, "owner").ptr, &cells[5]);
    for (size_t i = 0; i < COLUMNS; i++) {
        scols_line_set_data(line, i, cells[i].ptr ? cells[i].ptr : "");
        tc_buf_done(&cells[i]);
    }
}

static void print_table(const json_t *list)
{
    static const char *const names[COLUMNS] = {"CONSUMER",  "CURSOR",   "BEHIND",
                                               "LAST SEEN", "ATTACHED", "OWNER"};
    struct libscols_table *table = scols_new_table();
    for (size_t i = 0; i < COLUMNS; i++)
        scols_table_new_column(table, names[i], 0, i == 1 || i == 2 ? SCOLS_FL_RIGHT : 0);
    for (size_t i = 0; i < json_array_size(list); i++)
        add_line(table, json_array_get(list, i));
    scols_print_table(table);
    scols_unref_table(table);
}

static void print_lines(const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_dumpf(json_array_get(list, i), stdout, JSON_COMPACT);
        putchar('\n');
    }
}

static int list_all(struct consumers *consumers)
{
    const char *text = NULL;
    json_t *list = NULL;
    struct tc_err err;
    if (tocsin_consumers(consumers->online.tocsin, &text) != TOCSIN_OK)
        return online_fail(&consumers->online);
    if (tc_json_read(tc_str_of(text), &list, &err) != TC_OK)
        return cli_fail(&err);
    if (consumers->json)
        print_lines(list);
    else if (json_array_size(list) == 0)
        puts("nobody has consumed yet");
    else
        print_table(list);
    json_decref(list);
    return CLI_OK;
}

static int run(struct consumers *consumers)
{
    struct tocsin *tocsin = consumers->online.tocsin;
    int code = consumers->drop      ? tocsin_drop(tocsin, consumers->drop)
               : consumers->release ? tocsin_release(tocsin, consumers->release)
                                    : TOCSIN_NOTHING;
    if (code == TOCSIN_NOTHING)
        return list_all(consumers);
    return code == TOCSIN_OK ? CLI_OK : online_fail(&consumers->online);
}

int cli_consumers(int argc, char **argv)
{
    static const struct argp_child children[] = {{&online_argp, 0, NULL, 90}, {0}};
    static const struct argp argp = {
        .options = options, .parser = parse, .doc = doc, .children = children};
    struct consumers consumers = {.show = show_for_stdout()};
    cli_parse(&argp, argc, argv, &consumers);
    int status = online_open(&consumers.online) ? run(&consumers) : CLI_CANNOT;
    online_close(&consumers.online);
    return status;
}
