// Where mistakes of a query string are told.
#include <stdarg.h>
#include <stdio.h>

#include "common/utf8.h"
#include "watcher/match/query_lex.h"

enum { MESSAGE_BYTES = 600 };

void query_wrong(struct query_lexer *lexer, size_t from, size_t to, const char *code,
                 const char *help, const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    lexer->errors++;
    lexer->place->wrong(lexer->place, from, to, TC_DIAG_ERROR, code, tc_str_of(help),
                        tc_str_of(message));
}

bool query_is_text(struct query_lexer *lexer, const char *what)
{
    tc_str text = lexer->text;
    if (text.len > QUERY_BYTES) {
        query_wrong(lexer, 0, 0, "E0117", "lists keep long queries short",
                    "%s has at most %d bytes", what, QUERY_BYTES);
        return false;
    }
    const char *zero = text.len > 0 ? memchr(text.ptr, 0, text.len) : NULL;
    size_t valid = zero ? (size_t)(zero - text.ptr) : tc_utf8_valid(text);
    if (valid < text.len)
        query_wrong(lexer, valid, valid + 1, "E0101", NULL,
                    zero ? "a zero byte" : "bytes that are not UTF-8");
    return valid == text.len;
}

void query_wrong_in_text(const struct query_place *place, size_t from, size_t to,
                         enum tc_severity severity, const char *code, tc_str help, tc_str message)
{
    const struct query_text_place *where = place->context;
    struct tc_diag diag = {.severity = severity,
                           .code = code,
                           .file = where->name,
                           .line = 1,
                           .column = 1,
                           .message = message,
                           .help = help};
    for (size_t i = 0; i < from && i < where->text.len; i++) {
        unsigned char c = (unsigned char)where->text.ptr[i];
        diag.column += (c & 0xC0) != 0x80;
        if (c == '\n') {
            diag.line++;
            diag.column = 1;
        }
    }
    for (size_t i = from; i < to && i < where->text.len && where->text.ptr[i] != '\n'; i++)
        diag.width += ((unsigned char)where->text.ptr[i] & 0xC0) != 0x80;
    if (diag.width < 1)
        diag.width = 1;
    diag.source = tc_line_at(where->text, diag.line);
    tc_diags_add(place->diags, &diag);
}
