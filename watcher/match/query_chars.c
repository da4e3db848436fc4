#include "watcher/match/query_chars.h"

#include <strings.h>

enum { NUMBER_MOST = 1000 * 1000 };

bool query_is_space(UChar32 c)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    return c == 0xFEFF || c == 0x200B || u_isUWhiteSpace(c);
}

bool query_is_quote(UChar32 c)
{
    return c == '"' || (c >= 0x201C && c <= 0x201F) || c == 0xAB || c == 0xBB;
}

static bool is_apostrophe(UChar32 c)
{
    return c == '\'' || c == 0x2018 || c == 0x2019 || c == 0x201B;
}

static bool is_letter(UChar32 c) // letters, marks, digits, and what joins or hides in words
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    return c == 0xAD || c == 0x200C || c == 0x200D || u_isalnum(c) ||
           (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_N_MASK)) != 0;
}

bool query_is_word_char(UChar32 c)
{
    return c == '*' || c == '?' || c == '\\' || (c > 0 && is_letter(c));
}

static bool is_currency(UChar32 c)
{
    if (c < 0x80)
        return c == '$';
    return u_charType(c) == U_CURRENCY_SYMBOL;
}

bool query_starts_word(tc_str text, size_t at)
{
    size_t next;
    UChar32 c = query_char_at(text, at, &next), after = query_peek(text, next);
    if (c == '\\')
        return next < text.len;
    if (c == '.' || c == '#')
        return after > 0 && is_letter(after);
    if (is_currency(c))
        return query_is_digit(after);
    return query_is_word_char(c);
}

// Signs at the end of a word that belong to it: C++, C#, 5%.
static bool is_word_tail(tc_str text, UChar32 before, size_t at)
{
    UChar32 c = query_peek(text, at);
    if (c == '%')
        return query_is_digit(before);
    if (c != '+' && c != '#')
        return false;
    while ((c = query_peek(text, at)) == '+' || c == '#')
        at++;
    return before == '+' || before == '#' || (u_isalpha(before) && !query_is_word_char(c));
}

// Whether the sign `c` between `before` and `after` stays inside a word.
static bool is_inner(UChar32 before, UChar32 c, UChar32 after)
{
    if (c == '.' || is_apostrophe(c))
        return before != '.' || query_is_word_char(after);
    if (c == '-' || c == '&')
        return query_is_word_char(after);
    return (c == ',' || c == ':') && query_is_digit(before) && query_is_digit(after);
}

size_t query_word_end(tc_str text, size_t at)
{
    UChar32 before = 0;
    size_t next;
    if (!query_starts_word(text, at))
        return at;
    if (query_peek(text, at) != '\\')
        before = query_char_at(text, at, &at);
    for (;;) {
        UChar32 c = query_char_at(text, at, &next);
        if (c == '\\' && next < text.len)
            c = query_char_at(text, next, &next);
        else if (c == 0 || c == '\\')
            return at;
        else if (!query_is_word_char(c) && !is_inner(before, c, query_peek(text, next)) &&
                 !is_word_tail(text, before, at))
            return at;
        before = c;
        at = next;
    }
}

bool query_number_at(tc_str text, size_t at, uint32_t *out, size_t *end)
{
    uint32_t number = 0;
    size_t i = at;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
        if (number < NUMBER_MOST)
            number = number * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    *out = number;
    *end = i;
    return i > at;
}

bool query_same_letters(tc_str word, const char *lower)
{
    return word.len && (word.ptr[0] | 0x20) == (lower[0] | 0x20) && strlen(lower) == word.len &&
           strncasecmp(word.ptr, lower, word.len) == 0;
}
