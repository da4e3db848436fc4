#include "watcher/match/lucene/lex.h"

#include "common/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum state { STATE_QUERY, STATE_BOOST, STATE_RANGE };

struct lexer {
    tc_str text;
    size_t at;
    const struct query_place *place;
};

void lucene_wrong(const struct query_place *place, size_t from, size_t to, const char *code,
                  const char *help, const char *format, ...)
{
    char message[300];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    place->wrong(place, from, to > from ? to : from + 1, TC_DIAG_ERROR, code, tc_str_of(help),
                 tc_str_of(message));
}

// ---- letters -------------------------------------------------------------------------------

static tc_str rest_of(const struct lexer *lexer, size_t at)
{
    return tc_str_cut(lexer->text, at, lexer->text.len);
}

// Bytes of the white space at `at`; 0 when there is none.
static size_t space_at(const struct lexer *lexer, size_t at)
{
    tc_str rest = rest_of(lexer, at);
    if (rest.len && strchr(" \t\n\r", rest.ptr[0]) && rest.ptr[0])
        return 1;
    return tc_str_starts(rest, TC_STR("\u3000")) ? 3 : 0;
}

// Bytes of the letter of a term at `at`: one character, or a backslash and one. 0 when none is there.
static size_t letter_at(const struct lexer *lexer, size_t at, bool first)
{
    size_t end = at;
    if (at >= lexer->text.len || space_at(lexer, at))
        return 0;
    char c = lexer->text.ptr[at];
    if (c == '\\') {
        end++;
        if (end == lexer->text.len)
            return 0;
    } else if (strchr("!():^[]\"{}~*?/", c) || (first && (c == '+' || c == '-'))) {
        return 0;
    }
    tc_utf8_next(lexer->text, &end);
    return end - at;
}

static bool is_digit(const struct lexer *lexer, size_t at)
{
    return at < lexer->text.len && lexer->text.ptr[at] >= '0' && lexer->text.ptr[at] <= '9';
}

// Behind "~" and whatever letters follow: what they mean is decided where they are used.
static size_t behind_fuzzy(const struct lexer *lexer)
{
    size_t at = lexer->at + 1, len;
    while ((len = letter_at(lexer, at, false)) > 0)
        at += len;
    return at;
}

// Behind the number at `at`: digits, or digits with a point between; `at` when there is none.
static size_t behind_number(const struct lexer *lexer, size_t at)
{
    while (is_digit(lexer, at))
        at++;
    if (at < lexer->text.len && lexer->text.ptr[at] == '.' && at > 0 && is_digit(lexer, at - 1) &&
        is_digit(lexer, at + 1)) {
        for (at++; is_digit(lexer, at);)
            at++;
    }
    return at;
}

// ---- tokens --------------------------------------------------------------------------------

static struct lucene_token token(struct lexer *lexer, enum lucene_kind kind, size_t end)
{
    struct lucene_token made = {kind, lexer->at, end, tc_str_cut(lexer->text, lexer->at, end)};
    lexer->at = end;
    return made;
}

// A term, or an operator that is written like one.
static struct lucene_token lex_term(struct lexer *lexer)
{
    size_t at = lexer->at, wilds = 0;
    bool wild_last = false;
    for (;;) {
        char c = at < lexer->text.len ? lexer->text.ptr[at] : '\0';
        size_t len = letter_at(lexer, at, at == lexer->at);
        wild_last = !len && (c == '*' || c == '?');
        if (!len && !wild_last)
            break;
        wilds += wild_last;
        at += wild_last ? 1 : len;
    }
    tc_str text = tc_str_cut(lexer->text, lexer->at, at);
    bool star_last = wilds == 1 && text.len && text.ptr[text.len - 1] == '*' &&
                     !(text.len > 1 && letter_at(lexer, at - 2, false) == 2);
    if (tc_str_eq(text, TC_STR("AND")) || tc_str_eq(text, TC_STR("&&")))
        return token(lexer, LUCENE_AND, at);
    if (tc_str_eq(text, TC_STR("OR")) || tc_str_eq(text, TC_STR("||")))
        return token(lexer, LUCENE_OR, at);
    if (tc_str_eq(text, TC_STR("NOT")))
        return token(lexer, LUCENE_NOT, at);
    if (tc_str_eq(text, TC_STR("*")))
        return token(lexer, LUCENE_STAR, at);
    return token(lexer, star_last ? LUCENE_PREFIX : wilds ? LUCENE_WILD : LUCENE_TERM, at);
}

// "..." or /.../; in quotes a backslash takes any letter along, between slashes only a slash.
static bool lex_enclosed(struct lexer *lexer, char sign, struct lucene_token *out)
{
    size_t end = lexer->at + 1;
    while (end < lexer->text.len && lexer->text.ptr[end] != sign) {
        bool escape = lexer->text.ptr[end] == '\\' && end + 1 < lexer->text.len &&
                      (sign == '"' || lexer->text.ptr[end + 1] == sign);
        end += escape ? 2 : 1;
    }
    if (end >= lexer->text.len) {
        lucene_wrong(lexer->place, lexer->at, lexer->at + 1, "E0101",
                     sign == '"' ? "a literal one is written \\\"" : "a literal one is written \\/",
                     "%c is never closed", sign);
        return false;
    }
    *out = token(lexer, sign == '"' ? LUCENE_QUOTED : LUCENE_REGEXP, end + 1);
    return true;
}

static bool unexpected(struct lexer *lexer)
{
    size_t end = lexer->at;
    tc_utf8_next(lexer->text, &end);
    lucene_wrong(lexer->place, lexer->at, end, "E0101", "a literal one needs \\ before it",
                 "unexpected character");
    return false;
}

static enum lucene_kind kind_of_sign(char sign)
{
    switch (sign) {
    case '(': return LUCENE_OPEN;
    case ')': return LUCENE_CLOSE;
    case ':': return LUCENE_COLON;
    case '^': return LUCENE_CARAT;
    case '+': return LUCENE_PLUS;
    case '-': return LUCENE_MINUS;
    case '!': return LUCENE_NOT;
    case '[':
    case '{': return LUCENE_RANGE_OPEN;
    default: return LUCENE_END;
    }
}

static bool lex_query(struct lexer *lexer, struct lucene_token *out)
{
    char c = lexer->text.ptr[lexer->at];
    enum lucene_kind kind = kind_of_sign(c);
    if (c == '"' || c == '/')
        return lex_enclosed(lexer, c, out);
    if (strchr("+-!", c) && space_at(lexer, lexer->at + 1)) {
        *out = token(lexer, LUCENE_BARE, lexer->at + 1);
    } else if (kind != LUCENE_END) {
        *out = token(lexer, kind, lexer->at + 1);
    } else if (c == '~') {
        *out = token(lexer, LUCENE_FUZZY, behind_fuzzy(lexer));
    } else if (c == '*' || c == '?' || letter_at(lexer, lexer->at, true)) {
        *out = lex_term(lexer);
    } else {
        return unexpected(lexer);
    }
    return true;
}

static bool lex_boost(struct lexer *lexer, struct lucene_token *out)
{
    size_t end = behind_number(lexer, lexer->at);
    if (end == lexer->at) {
        lucene_wrong(lexer->place, lexer->at, lexer->at + 1, "E0101", "china^2",
                     "a number is missing behind ^");
        return false;
    }
    *out = token(lexer, LUCENE_NUMBER, end);
    return true;
}

static bool lex_range(struct lexer *lexer, struct lucene_token *out)
{
    size_t end = lexer->at, quoted = 0;
    while (end < lexer->text.len && !strchr(" ]}", lexer->text.ptr[end]))
        end++;
    if (end == lexer->at) {
        *out = token(lexer, LUCENE_RANGE_CLOSE, end + 1);
        return true;
    }
    if (lexer->text.ptr[lexer->at] == '"') {
        for (quoted = lexer->at + 1;
             quoted < lexer->text.len &&
             (lexer->text.ptr[quoted] != '"' || lexer->text.ptr[quoted - 1] == '\\');)
            quoted++;
        quoted += quoted < lexer->text.len;
        if (lexer->text.ptr[quoted - 1] != '"' || quoted < lexer->at + 3)
            quoted = 0;
    }
    bool to = end - lexer->at == 2 && !memcmp(lexer->text.ptr + lexer->at, "TO", 2);
    *out = quoted >= end ? token(lexer, LUCENE_RANGE_QUOTED, quoted)
                         : token(lexer, to ? LUCENE_RANGE_TO : LUCENE_RANGE_END, end);
    return true;
}

static enum state state_behind(const struct lucene_token *token, enum state state)
{
    switch (token->kind) {
    case LUCENE_CARAT: return STATE_BOOST;
    case LUCENE_RANGE_OPEN: return STATE_RANGE;
    case LUCENE_NUMBER:
    case LUCENE_RANGE_CLOSE: return STATE_QUERY;
    default: return state;
    }
}

bool lucene_lex(tc_str text, struct tc_arena *arena, const struct query_place *place,
                struct lucene_tokens *out)
{
    struct lexer lexer = {.text = text, .place = place};
    // every token has a byte of its own
    struct lucene_token *tokens = tc_arena_take(arena, (text.len + 1) * sizeof *tokens);
    enum state state = STATE_QUERY;
    size_t count = 0, space;
    for (;;) {
        while (state != STATE_BOOST && (space = space_at(&lexer, lexer.at)) > 0)
            lexer.at += space;
        if (lexer.at >= text.len && state != STATE_BOOST)
            break;
        bool fine = state == STATE_QUERY   ? lex_query(&lexer, &tokens[count])
                    : state == STATE_BOOST ? lex_boost(&lexer, &tokens[count])
                                           : lex_range(&lexer, &tokens[count]);
        if (!fine)
            return false;
        state = state_behind(&tokens[count++], state);
    }
    tokens[count] = (struct lucene_token){LUCENE_END, text.len, text.len, {NULL, 0}};
    *out = (struct lucene_tokens){tokens, count};
    return true;
}
