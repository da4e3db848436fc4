// tocsin - the command that a person types.
//
// One table of commands; each lies in a file of its own name beside this one.
#include "client/cli/cli.h"
#include "common/diag.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static int help(int argc, char **argv);

// In the order of `tocsin help`.
static const struct command commands[] = {
    {"check", cli_check, "watch files: mistakes, advice, and the tests inside"},
    {"fmt", cli_fmt, "watch files in their canonical form, as text or as trees"},
    {"diff", cli_diff, "hits that a change of watches gains and loses on a corpus"},
    {"match", cli_match, "articles against watches, or against one query"},
    {"why", cli_why, "one watch on one article, clause by clause"},
    {"import", cli_import, "queries of other languages, rewritten"},
    {"publish", cli_publish, "hand articles to a watcher"},
    {"tail", cli_tail, "alerts as they come"},
    {"consume", cli_consume, "alerts durably: resumes where it acknowledged"},
    {"history", cli_history, "alerts that are stored"},
    {"status", cli_status, "how broker and watcher are"},
    {"consumers", cli_consumers, "who consumes durably, and how far; drop and release names"},
    {"backup", cli_backup, "a copy of the history, while the broker serves"},
    {"verify", cli_verify, "a broker's history or a backup, read to its end"},
    {"keygen", cli_keygen, "a pair of keys for tcp endpoints"},
    {"help", help, "this list, or the help of one command"},
};

enum { COMMANDS = sizeof commands / sizeof *commands, NAME_BYTES = 64 };

static bool is_one_of(const char *word, const char *a, const char *b)
{
    return !strcmp(word, a) || !strcmp(word, b);
}

static const struct command *command_named(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static int usage(FILE *out)
{
    fputs("tocsin watches news articles for what you asked, and tells you.\n\n"
          "usage: tocsin COMMAND [OPTION...] [ARGUMENT...]\n\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`tocsin COMMAND --help` explains one of them. Exit status: 0 fine, 1 something was\n"
          "found wrong or nothing matched, 2 could not run.\n",
          out);
    return CLI_OK;
}

static int unknown(const char *name)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *near = tc_nearest(tc_str_of(name), names, COMMANDS);
    if (near)
        cli_say("there is no command '%s'; did you mean '%s'?", name, near);
    else
        cli_say("there is no command '%s'; `tocsin help` lists them", name);
    return CLI_CANNOT;
}

// Runs a command with argv[0] "tocsin NAME", which is how argp calls it in messages.
static int run(const struct command *command, int argc, char **argv)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "tocsin %s", command->name);
    argv[0] = name;
    return cli_finish(command->run(argc, argv));
}

// `tocsin help` and `tocsin help COMMAND`.
static int help(int argc, char **argv)
{
    char ask[] = "--help";
    char *asked[] = {argv[0], ask, NULL};
    if (argc < 2 || is_one_of(argv[1], "help", "--help"))
        return usage(stdout);
    const struct command *command = command_named(argv[1]);
    return command ? run(command, 2, asked) : unknown(argv[1]);
}

// Text is UTF-8 here whatever the environment says; the locale is for the width of characters on
// a terminal. Numbers stay as in C.
static void set_locale(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

int main(int argc, char **argv)
{
    set_locale();
    if (argc < 2) {
        usage(stderr);
        return CLI_CANNOT;
    }
    if (is_one_of(argv[1], "--version", "-V")) {
        puts("tocsin " TOCSIN_VERSION);
        return cli_finish(CLI_OK);
    }
    if (is_one_of(argv[1], "--help", "-h"))
        return cli_finish(usage(stdout));
    if (argv[1][0] == '-') {
        cli_say("'%s' is no option of tocsin itself; options follow the command", argv[1]);
        return CLI_CANNOT;
    }
    const struct command *command = command_named(argv[1]);
    return command ? run(command, argc - 1, argv + 1) : unknown(argv[1]);
}
