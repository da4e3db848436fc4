#include "common/log.h"

#include <stdio.h>
#include <unistd.h>

enum { LINE_BYTES = 2048 };

static enum tc_level lowest_level = TC_INFO; // set before threads start

static const char *const names[] = {"debug", "info", "warn", "error"};

void tc_log_level(enum tc_level lowest)
{
    lowest_level = lowest;
}

bool tc_log_level_read(tc_str name, enum tc_level *out)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (tc_str_eq(name, tc_str_of(names[i]))) {
            *out = (enum tc_level)i;
            return true;
        }
    }
    return false;
}

const char *tc_log_text(tc_str value, char *out)
{
    size_t to = 0;
    out[to++] = '"';
    for (size_t i = 0; i < value.len && to < TC_LOG_TEXT_BYTES - 4; i++) {
        unsigned char byte = (unsigned char)value.ptr[i];
        if (byte == '"' || byte == '\\')
            out[to++] = '\\';
        out[to++] = byte < 0x20 || byte == 0x7f ? ' ' : (char)byte;
    }
    out[to++] = '"';
    out[to] = '\0';
    return out;
}

// One write, so that lines of several threads do not mix.
static void emit(char *line, size_t used)
{
    if (used > LINE_BYTES - 2)
        used = LINE_BYTES - 2;
    line[used++] = '\n';
    size_t done = 0;
    while (done < used) {
        ssize_t wrote = write(STDERR_FILENO, line + done, used - done);
        if (wrote <= 0)
            return; // nobody to tell
        done += (size_t)wrote;
    }
}

static size_t added(size_t used, int more)
{
    return more < 0 ? used : used + (size_t)more;
}

void tc_log(enum tc_level level, const char *event, const char *format, ...)
{
    if (level < lowest_level)
        return;
    char line[LINE_BYTES];
    size_t used = added(0, snprintf(line, sizeof line, "level=%s event=%s", names[level], event));
    if (format && used < sizeof line) {
        va_list args;
        line[used++] = ' ';
        va_start(args, format);
        used = added(used, vsnprintf(line + used, sizeof line - used, format, args));
        va_end(args);
    }
    emit(line, used);
}

void tc_log_err(enum tc_level level, const char *event, const struct tc_err *err)
{
    char reason[TC_LOG_TEXT_BYTES];
    tc_log_text(tc_str_of(err->text), reason);
    if (err->file[0])
        tc_log(level, event, "at=%s:%d:%d reason=%s", err->file, err->line, err->column, reason);
    else
        tc_log(level, event, "reason=%s", reason);
}
