// tocsin verify - a broker's history, or a backup of it, read to its end.
#include "broker/verify.h"
#include "client/cli/cli.h"
#include "common/arena.h"
#include "common/daemon.h"
#include "common/json.h"

#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct verify {
    const char *file;
    bool json, quick;
};

static const char doc[] =
    "Reads every row of a store and says what is not as it must be: checksums, ids, numbers "
    "without "
    "a hole, what refers to what; and SQLite's own check of pages and indexes, unless a broker has "
    "the file open. Changes nothing.\v"
    "Without FILE it is the broker's store in the state folder.\n\nExit status: 0 nothing is "
    "wrong, "
    "1 something is, 2 the file cannot be read.";

static const struct argp_option options[] = {
    {"json", 'j', NULL, 0, "one object with what was counted, and the faults", 0},
    {"quick", 'q', NULL, 0, "leave out the check of pages and indexes", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct verify *verify = state->input;
    switch (key) {
    case 'j': verify->json = true; break;
    case 'q': verify->quick = true; break;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "one FILE at a time");
        verify->file = arg;
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// Whether a broker has the store open: it holds the lock beside it.
static bool in_use(struct tc_arena *arena, const char *file)
{
    tc_str name = tc_arena_printf(arena, "%s.lock", file);
    FILE *lock = fopen(name.ptr, "re");
    bool held = lock && flock(fileno(lock), LOCK_SH | LOCK_NB) != 0;
    if (lock)
        fclose(lock);
    return held;
}

static void print_fault(void *context, const char *sentence)
{
    (void)context;
    puts(sentence);
}

static void list_fault(void *context, const char *sentence)
{
    tc_json_str(context, tc_str_of(sentence));
}

static void print_report(const struct verify_report *report)
{
    printf("%" PRIu64 " alerts (%" PRIu64 " to %" PRIu64 "), %" PRIu64 " hits, %" PRIu64
           " articles, %" PRIu64 " definitions of watches, %" PRIu64 " consumers, %" PRIu64
           " ids of removed hits%s\n",
           report->alerts, report->marks.first, report->marks.head, report->hits, report->articles,
           report->watches, report->consumers, report->ids,
           report->pages ? ", pages and indexes" : "; pages and indexes were not checked");
    if (report->faults > VERIFY_SENTENCES_MOST)
        printf("... and %" PRIu64 " more\n", report->faults - VERIFY_SENTENCES_MOST);
    if (report->faults)
        printf("%" PRIu64 " faults\n", report->faults);
    else
        puts("nothing is wrong");
}

static void end_json(struct tc_json *json, const struct verify_report *report)
{
    tc_json_close(json, ']');
    tc_json_put_u64(json, "fault_count", report->faults);
    tc_json_put_u64(json, "first", report->marks.first);
    tc_json_put_u64(json, "head", report->marks.head);
    tc_json_put_u64(json, "alerts", report->alerts);
    tc_json_put_u64(json, "hits", report->hits);
    tc_json_put_u64(json, "articles", report->articles);
    tc_json_put_u64(json, "watches", report->watches);
    tc_json_put_u64(json, "consumers", report->consumers);
    tc_json_put_u64(json, "ids", report->ids);
    tc_json_put_bool(json, "pages", report->pages);
    tc_json_close(json, '}');
}

int cli_verify(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "[FILE]", doc, NULL, NULL, NULL};
    struct verify verify = {0};
    struct verify_report report;
    struct tc_buf text = {0};
    struct tc_json json = tc_json_on(&text);
    struct tc_arena *arena = tc_arena_new();
    struct tc_err err;
    tc_str state;
    int code = TC_OK;
    cli_parse(&argp, argc, argv, &verify);
    if (!verify.file) {
        code = tc_state_dir(arena, &state, &err);
        verify.file =
            code == TC_OK ? tc_arena_printf(arena, "%.*s/broker.db", TC_ARG(state)).ptr : NULL;
    }
    struct verify_to to = {&json, verify.json ? list_fault : print_fault, NULL};
    if (verify.json) {
        tc_json_open(&json, '{');
        tc_json_key(&json, "faults");
        tc_json_open(&json, '[');
    }
    if (code == TC_OK)
        code = verify_store(verify.file, !verify.quick && !in_use(arena, verify.file), &to, &report,
                            &err);
    if (code == TC_OK && verify.json) {
        end_json(&json, &report);
        printf("%.*s\n", TC_ARG(tc_buf_view(&text)));
    } else if (code == TC_OK) {
        print_report(&report);
    }
    tc_buf_done(&text);
    tc_arena_free(arena);
    if (code != TC_OK)
        return cli_fail(&err);
    return report.faults ? CLI_FINDINGS : CLI_OK;
}
