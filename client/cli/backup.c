// tocsin backup - a verified copy of the broker's history, made while it serves.
#include "client/cli/online.h"
#include "common/arena.h"
#include "common/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

struct backup {
    struct online online;
    const char *file;
};

enum { LOOK_MS = 200 };

static const char doc[] =
    "Lets the broker copy its history into FILE, on the broker's machine, as the account that it "
    "runs under; FILE must not be there. It goes on serving meanwhile. The copy is read to its end "
    "and brought to disk before it gets its name. Wants the role admin.\v"
    "To restore: stop the broker, put the file in the place of its store, remove the -wal and -shm "
    "files there, start. Numbers then begin a new epoch, of which clients are told.\n\n"
    "Exit status: 0 done, 1 it failed, 2 it could not begin. When the command is stopped the "
    "broker "
    "goes on.";

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct backup *backup = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &backup->online; break;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "one FILE at a time");
        backup->file = arg;
        break;
    case ARGP_KEY_NO_ARGS: argp_error(state, "which FILE?"); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// The broker has another working folder.
static tc_str absolute(struct tc_arena *arena, const char *file)
{
    char here[PATH_MAX];
    if (file[0] == '/' || !getcwd(here, sizeof here))
        return tc_arena_printf(arena, "%s", file);
    return tc_arena_printf(arena, "%s/%s", here, file);
}

static void wait_a_moment(void)
{
    struct timespec moment = {0, LOOK_MS * 1000000L};
    nanosleep(&moment, NULL);
}

// True while it is still being made.
static bool look(const json_t *answer)
{
    tc_str state = tc_json_get_str(answer, "state");
    uint64_t done = 0, pages = 0;
    tc_json_get_u64(answer, "pages_done", &done);
    tc_json_get_u64(answer, "pages", &pages);
    if (tc_str_eq(state, TC_STR("copying")))
        cli_progress("copying: %" PRIu64 "%%", pages ? done * 100 / pages : 0);
    else if (tc_str_eq(state, TC_STR("checking")))
        cli_progress("reading the copy to its end");
    else
        return false;
    return true;
}

static int finish(const json_t *answer, tc_str file)
{
    uint64_t bytes = 0;
    cli_progress(NULL);
    if (!tc_str_eq(tc_json_get_str(answer, "state"), TC_STR("done")) ||
        !tc_str_eq(tc_json_get_str(answer, "file"), file)) {
        tc_str reason = tc_json_get_str(answer, "reason");
        cli_say("the backup failed: %.*s",
                TC_ARG(reason.len ? reason : TC_STR("the broker was started anew meanwhile")));
        return CLI_FINDINGS;
    }
    tc_json_get_u64(answer, "bytes", &bytes);
    printf("%.*s: %" PRIu64 " bytes, verified\n", TC_ARG(file), bytes);
    return CLI_OK;
}

static int run(struct backup *backup, tc_str file)
{
    const char *text = NULL;
    json_t *answer = NULL;
    bool going = true;
    int status = CLI_CANNOT;
    for (bool first = true; going; first = false) {
        if (!first)
            wait_a_moment();
        if (tocsin_backup(backup->online.tocsin, first ? file.ptr : NULL, &text) != TOCSIN_OK)
            return online_fail(&backup->online);
        if (tc_json_read(tc_str_of(text), &answer, NULL) != TC_OK)
            return CLI_CANNOT;
        going = look(answer);
        if (!going)
            status = finish(answer, file);
        json_decref(answer);
    }
    return status;
}

int cli_backup(int argc, char **argv)
{
    static const struct argp_child children[] = {{&online_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {NULL, parse, "FILE", doc, children, NULL, NULL};
    struct backup backup = {0};
    int status = CLI_CANNOT;
    cli_parse(&argp, argc, argv, &backup);
    struct tc_arena *arena = tc_arena_new();
    if (online_open(&backup.online))
        status = run(&backup, absolute(arena, backup.file));
    online_close(&backup.online);
    tc_arena_free(arena);
    return status;
}
