#include "common/err.h"

#include <stdio.h>
#include <string.h>

static void describe(struct tc_err *err, int code, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

static void describe(struct tc_err *err, int code, const char *format, va_list args)
{
    err->code = code;
    err->file[0] = '\0';
    err->line = err->column = 0;
    vsnprintf(err->text, sizeof err->text, format, args);
}

int tc_fail(struct tc_err *err, int code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        describe(err, code, format, args);
        va_end(args);
    }
    return code;
}

int tc_fail_at(struct tc_err *err, int code, const char *file, int line, int column,
               const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        describe(err, code, format, args);
        va_end(args);
        snprintf(err->file, sizeof err->file, "%s", file);
        err->line = line;
        err->column = column;
    }
    return code;
}

int tc_err_prefix(struct tc_err *err, const char *format, ...)
{
    if (!err)
        return TC_EIO;
    char tail[TC_ERR_TEXT_BYTES];
    memcpy(tail, err->text, sizeof tail);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof err->text)
        snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s", tail);
    return err->code;
}
