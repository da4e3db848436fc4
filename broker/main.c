// tocsin-broker: hits in, alerts out, history.
#include "broker/broker.h"
#include "common/buf.h"
#include "common/daemon.h"
#include "common/fault.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Seen by argp only when it is exported: the tree is built with hidden symbols.
__attribute__((visibility("default"))) const char *argp_program_version =
    "tocsin-broker " TOCSIN_VERSION;

struct flags {
    const char *config;
    bool check, trust_clock, accept_data_loss;
};

enum { KEY_TRUST_CLOCK = 256, KEY_ACCEPT_DATA_LOSS };

static error_t read_flag(int key, char *argument, struct argp_state *state)
{
    struct flags *flags = state->input;
    switch (key) {
    case 'c': flags->config = argument; return 0;
    case 'k': flags->check = true; return 0;
    case KEY_ACCEPT_DATA_LOSS: flags->accept_data_loss = true; return 0;
    case KEY_TRUST_CLOCK: flags->trust_clock = true; return 0;
    case ARGP_KEY_ARG: argp_error(state, "unexpected argument \"%s\"", argument); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"config", 'c', "FILE", 0, "read settings from FILE", 0},
    {"check", 'k', NULL, 0, "read the settings, report mistakes and end", 0},
    {"accept-data-loss", KEY_ACCEPT_DATA_LOSS, NULL, 0,
     "if the store is damaged, make a new one of what can be read; else change nothing", 0},
    {"trust-clock", KEY_TRUST_CLOCK, NULL, 0,
     "the machine's clock is right: retention goes by it again after a jump", 0},
    {0},
};

static const struct argp arguments = {
    .options = options,
    .parser = read_flag,
    .doc = "Takes hits from watchers, makes alerts of them, keeps them and gives them out.\v"
           "Without --config the file broker.yaml is looked for in $XDG_CONFIG_HOME/tocsin and "
           "/etc/tocsin; without one the defaults hold.\n\n"
           "Exit status: 0 stopped by a signal, 64 wrong flags, 74 the disk failed, 75 the store "
           "or an endpoint is in use, 78 the settings or the store's version are refused.",
};

static void print_mistakes(const struct tc_diags *diags)
{
    struct tc_buf text = {0};
    tc_diags_print(diags, isatty(STDERR_FILENO), &text);
    fwrite(tc_buf_view(&text).ptr, 1, text.len, stderr);
    tc_buf_done(&text);
}

// Gives an exit status.
static int read_settings(const struct flags *flags, struct tc_arena *arena,
                         struct settings *settings, struct tc_server_keys **keys)
{
    struct tc_err err;
    tc_str found = tc_config_file(arena, "broker.yaml");
    const char *path = flags->config ? flags->config : found.len ? found.ptr : NULL;
    int code = settings_default(arena, settings, &err);
    if (code != TC_OK) {
        tc_log_err(TC_ERROR, "broker.settings_refused", &err);
        return TC_EXIT_CONFIG;
    }
    if (!path)
        return TC_EXIT_OK;
    struct tc_diags *diags = tc_diags_new();
    code = settings_read(path, arena, diags, settings);
    if (code == TC_OK && settings->keys.len)
        code = tc_server_keys_read(settings->keys.ptr, diags, keys);
    print_mistakes(diags);
    tc_diags_free(diags);
    return code == TC_OK ? TC_EXIT_OK : TC_EXIT_CONFIG;
}

static int serve(const struct settings *settings, const struct tc_server_keys *keys)
{
    struct broker *broker = NULL;
    struct tc_err err;
    int signals = -1;
    tc_files_raise();
    int code = tc_signals_block(&signals, &err);
    if (code == TC_OK)
        code = broker_open(settings, keys, signals, &broker, &err);
    if (code != TC_OK) {
        tc_log_err(TC_ERROR, "broker.refused", &err);
    } else {
        code = broker_run(broker, &err);
        if (code != TC_OK)
            tc_log_err(TC_ERROR, "broker.failed", &err);
    }
    broker_close(broker);
    if (signals >= 0)
        close(signals);
    if (code == TC_OK)
        tc_log(TC_INFO, "broker.stopped", NULL);
    return tc_exit_of(code);
}

int main(int argc, char **argv)
{
    struct flags flags = {0};
    struct settings settings;
    struct tc_server_keys *keys = NULL;
    argp_err_exit_status = TC_EXIT_USAGE;
    argp_parse(&arguments, argc, argv, 0, NULL, &flags);
    tc_fault_init();
    struct tc_arena *arena = tc_arena_new();
    int status = read_settings(&flags, arena, &settings, &keys);
    if (status == TC_EXIT_OK && flags.check) {
        puts("settings are fine");
    } else if (status == TC_EXIT_OK) {
        tc_log_level(settings.log);
        settings.accept_data_loss = flags.accept_data_loss;
        settings.retain.trust_clock = flags.trust_clock;
        status = serve(&settings, keys);
    }
    tc_server_keys_free(keys);
    tc_arena_free(arena);
    return status;
}
