// tocsin keygen - a pair of keys, and the line of access.yaml that lets its owner in.
#include "common/keygen.h"
#include "client/cli/cli.h"
#include "common/daemon.h"
#include "common/event.h"

struct keygen {
    const char *folder, *name;
};

static const char doc[] =
    "Makes a pair of keys: NAME.secret, which only its owner may read and which never leaves the "
    "machine, and NAME.public. Nothing is overwritten.\v"
    "The names that the programs look for: server (of a broker or watcher that opens tcp ports) "
    "and "
    "client (of whoever connects to one).\n\n"
    "tocsin keygen --folder /etc/tocsin/keys server\n"
    "tocsin keygen --folder ~/.config/tocsin/keys client\n\n"
    "What it prints is an entry for access.yaml in the folder of keys of the server; choose its "
    "name, its roles and, by read: or write:, its topics.";

static const struct argp_option options[] = {
    {"folder", 'f', "FOLDER", 0, "where to, made when absent (default: here)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct keygen *keygen = state->input;
    switch (key) {
    case 'f': keygen->folder = arg; break;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0)
            argp_error(state, "one NAME at a time");
        keygen->name = arg;
        break;
    case ARGP_KEY_NO_ARGS: argp_error(state, "which NAME? server or client"); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

int cli_keygen(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "NAME", doc, NULL, NULL, NULL};
    struct keygen keygen = {.folder = "."};
    struct tc_key key;
    struct tc_err err;
    cli_parse(&argp, argc, argv, &keygen);
    if (!tc_event_name_ok(tc_str_of(keygen.name))) {
        cli_say("'%s' is no name for a key: 1 to 63 of a-z, 0-9 and -", keygen.name);
        return CLI_CANNOT;
    }
    if (tc_make_dirs(tc_str_of(keygen.folder), &err) != TC_OK ||
        tc_key_make(keygen.folder, keygen.name, &key, &err) != TC_OK)
        return cli_fail(&err);
    printf("- {name: %s, key: '%s', roles: [subscriber]}\n", keygen.name, key.text);
    return CLI_OK;
}
