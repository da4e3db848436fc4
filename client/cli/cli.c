#include "client/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_DEFAULT = 80, WIDTH_LEAST = 20, WIDTH_MOST = 1000 };

void cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    argp_err_exit_status = CLI_CANNOT;
    error_t wrong = argp_parse(argp, argc, argv, 0, NULL, input);
    if (wrong) { // only when memory ran out: argp ends the process by itself on wrong arguments
        cli_say("cannot read the arguments: %s", strerror(wrong));
        exit(CLI_CANNOT);
    }
}

void cli_say(const char *format, ...)
{
    va_list args;
    cli_progress(NULL);
    flockfile(stderr);
    fputs("tocsin: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    putc('\n', stderr);
    funlockfile(stderr);
}

int cli_fail(const struct tc_err *err)
{
    if (err->file[0] && err->line > 0 && err->column > 0)
        cli_say("%s:%d:%d: %s", err->file, err->line, err->column, err->text);
    else if (err->file[0] && err->line > 0)
        cli_say("%s:%d: %s", err->file, err->line, err->text);
    else if (err->file[0])
        cli_say("%s: %s", err->file, err->text);
    else
        cli_say("%s", err->text);
    return CLI_CANNOT;
}

int cli_finish(int status)
{
    bool wrong = fflush(stdout) != 0;
    if (!wrong && !ferror(stdout))
        return status;
    cli_say("cannot write the results: %s", wrong ? strerror(errno) : "the output failed");
    return CLI_CANNOT;
}

bool cli_colour(FILE *stream)
{
    const char *none = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (none && none[0])
        return false;
    if (!term || !strcmp(term, "dumb"))
        return false;
    return isatty(fileno(stream)) == 1;
}

int cli_width(FILE *stream)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    long width = 0;
    if (isatty(fileno(stream)) == 1 && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (width <= 0 && columns)
        width = strtol(columns, NULL, 10);
    return width >= WIDTH_LEAST && width <= WIDTH_MOST ? (int)width : WIDTH_DEFAULT;
}

void cli_progress(const char *format, ...)
{
    static bool shown; // the terminal has one line, and so do we
    va_list args;
    if (isatty(STDERR_FILENO) != 1 || (!format && !shown))
        return;
    fputs("\r\033[K", stderr);
    shown = format != NULL;
    if (format) {
        va_start(args, format);
        vfprintf(stderr, format, args);
        va_end(args);
        fflush(stderr);
    }
}
