// query_chars - what the characters of a query string are: white space, quotes, parts of words, digits.
//
// Used by the lexer and by the table of operators.
#ifndef QUERY_CHARS_H
#define QUERY_CHARS_H

#include "common/utf8.h"

#include <stdbool.h>
#include <unicode/uchar.h>

// The character at byte `at`, 0 at the end, and in *next where the one after it starts.
static inline UChar32 query_char_at(tc_str text, size_t at, size_t *next)
{
    *next = at;
    return at < text.len ? (UChar32)tc_utf8_next(text, next) : 0;
}

static inline UChar32 query_peek(tc_str text, size_t at)
{
    size_t next;
    return query_char_at(text, at, &next);
}

static inline bool query_is_digit(UChar32 c)
{
    return c >= '0' && c <= '9';
}

bool query_is_space(UChar32 c);
bool query_is_quote(UChar32 c); // typographic quotes are read as straight ones
bool query_is_word_char(UChar32 c);

// Whether a word starts there. It may also begin with a sign: .NET, #hashtag, $1bn.
bool query_starts_word(tc_str text, size_t at);

// Where the word that starts at `at` ends; `at` itself when none starts there.
size_t query_word_end(tc_str text, size_t at);

// The digits at `at`, capped so that a limit can be named later. False when there is none.
bool query_number_at(tc_str text, size_t at, uint32_t *out, size_t *end);

// Whether a word is `lower` in letters of whatever case.
bool query_same_letters(tc_str word, const char *lower);

#endif
