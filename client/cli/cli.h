// cli - what the commands of `tocsin` share.
//
// A command is one file, client/cli/NAME.c, with one entry, cli_NAME(argc, argv), declared below. To
// add one: its line in the table of main.c, its file in CMakeLists.txt.
//
// Conventions, the same for every command:
//   arguments   argp (glibc). argv[0] is already "tocsin NAME", so that messages and --help read
//               well. Call cli_parse(); it answers --help, and ends with status 2 on a wrong option
//   results     standard output; `--json` prints one JSON object a line
//   messages    standard error, one sentence, lower case, through cli_say() or cli_fail()
//   exit        enum cli_exit
//   colours     only where cli_colour() allows it, from the names below
//   signals     SIGPIPE is left alone: `tocsin history | head` ends without a word
#ifndef CLI_H
#define CLI_H

#include "common/err.h"
#include "common/str.h"

#include <argp.h>
#include <stdio.h>

enum cli_exit {
    CLI_OK = 0,
    CLI_FINDINGS = 1, // it ran, and found mistakes, rejected something, or matched nothing
    CLI_CANNOT = 2,   // it could not run: wrong arguments, unreadable file, nobody answers
};

int cli_check(int argc, char **argv);     // watch files: errors, lint, the tests inside
int cli_fmt(int argc, char **argv);       // watch files in their canonical form
int cli_diff(int argc, char **argv);      // two watch files on a corpus
int cli_match(int argc, char **argv);     // articles against watches
int cli_why(int argc, char **argv);       // one watch, one article, clause by clause
int cli_import(int argc, char **argv);    // queries of other languages, rewritten
int cli_publish(int argc, char **argv);   // articles to a watcher
int cli_tail(int argc, char **argv);      // alerts as they come
int cli_consume(int argc, char **argv);   // alerts durably
int cli_history(int argc, char **argv);   // alerts that came
int cli_status(int argc, char **argv);    // how broker and watcher are
int cli_consumers(int argc, char **argv); // who consumes, and how far
int cli_backup(int argc, char **argv);    // a copy of the history
int cli_verify(int argc, char **argv);    // a store, read to its end
int cli_keygen(int argc, char **argv);    // a pair of keys

// Reads the arguments with `argp`; `input` reaches its parser as state->input. Does not return after
// --help (status 0) or a wrong option (status 2). Options and file names may be mixed.
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);

// Prints "tocsin: SENTENCE" on standard error.
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Prints an error, with its place when it has one ("watches/a.yaml:3:7: SENTENCE").
// Returns CLI_CANNOT, so that a command can end with `return cli_fail(&err)`.
int cli_fail(const struct tc_err *err);

// Flushes standard output. Returns `status`, or CLI_CANNOT after saying so when something could not
// be written (a full disk, say). main() calls it behind every command.
int cli_finish(int status);

// May `stream` have colours? Yes on a terminal, unless NO_COLOR is set to anything or TERM is "dumb".
bool cli_colour(FILE *stream);

// Colours by meaning; print nothing where cli_colour() says no.
#define CLI_BOLD "\033[1m"
#define CLI_DIM "\033[2m"
#define CLI_RED "\033[31m"
#define CLI_GREEN "\033[32m"
#define CLI_YELLOW "\033[33m"
#define CLI_CYAN "\033[36m"
#define CLI_PLAIN "\033[0m"

// Columns of the terminal behind `stream`; $COLUMNS, or 80, when it is none.
int cli_width(FILE *stream);

// A progress line on standard error, rewritten in place; nothing unless that is a terminal.
// cli_progress(NULL) takes it away.
void cli_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
