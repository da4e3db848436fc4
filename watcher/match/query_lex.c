#include "watcher/match/query_lex.h"

#include <stdio.h>
#include <unicode/uchar.h>

#include "common/utf8.h"
#include "watcher/match/query_chars.h"
#include "watcher/match/query_operators.h"

// ---- fields and names ----------------------------------------------------------------------

static bool is_ident(tc_str word)
{
    if (word.len == 0 || word.ptr[0] < 'a' || word.ptr[0] > 'z')
        return false;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return true;
}

static void lex_clause(struct query_lexer *lexer, tc_str word, struct query_token *token)
{
    token->kind = TOKEN_CLAUSE;
    token->text = word;
    token->to += 2;
    if (!is_ident(word))
        query_wrong(lexer, token->from, token->to, "E0101", NULL,
                    "a clause name is made of a-z, 0-9, \"-\" and \"_\", and begins with a letter");
    else if (word.len > QUERY_NAME_BYTES)
        query_wrong(lexer, token->from, token->to, "E0117", NULL,
                    "a clause name has at most %d letters", QUERY_NAME_BYTES);
}

static bool is_address(tc_str field)
{
    return query_same_letters(field, "http") || query_same_letters(field, "https");
}

// Where a value ends that runs to white space or ")".
static size_t value_end(tc_str text, size_t at)
{
    size_t next;
    UChar32 c;
    while ((c = query_char_at(text, at, &next)) != 0 && c != ')' && !query_is_space(c))
        at = next;
    return at;
}

static void lex_unknown_field(struct query_lexer *lexer, tc_str word, struct query_token *token)
{
    static const char *const fields[] = {"title",  "lead",    "body", "source", "lang",
                                         "author", "section", "tag",  "url"};
    const char *near = tc_nearest(word, fields, sizeof fields / sizeof *fields);
    char help[120];
    if (is_address(word))
        snprintf(help, sizeof help, "write url: before an address, without %.*s://", TC_ARG(word));
    else if (near)
        snprintf(help, sizeof help, "did you mean %s:?", near);
    else
        snprintf(help, sizeof help,
                 "fields are title lead body source lang author section tag "
                 "url; a colon in a word is written \\:");
    query_wrong(lexer, token->from, token->to, "E0112", help, "unknown field \"%.*s\"",
                TC_ARG(word));
    token->kind = TOKEN_PART;
    token->op = QUERY_BODY;
    if (is_address(word)) { // all of it is one mistake
        token->kind = TOKEN_BAD;
        token->to = value_end(lexer->text, token->to);
    }
}

// A word with a colon behind it is a field, with two a clause's name. False when it has none.
static bool lex_prefix(struct query_lexer *lexer, tc_str word, struct query_token *token)
{
    static const struct {
        const char *name;
        enum query_op op;
    } parts[] = {{"title", QUERY_TITLE}, {"lead", QUERY_LEAD}, {"body", QUERY_BODY}};
    if (query_peek(lexer->text, token->to) != ':')
        return false;
    if (query_peek(lexer->text, token->to + 1) == ':') {
        lex_clause(lexer, word, token);
        return true;
    }
    token->text = word;
    token->to++;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (tc_str_eq(word, tc_str_of(parts[i].name))) {
            token->kind = TOKEN_PART;
            token->op = parts[i].op;
            return true;
        }
    }
    if (query_meta_read(word, &token->meta) && token->meta != QUERY_META_COUNTRY)
        token->kind = TOKEN_META;
    else
        lex_unknown_field(lexer, word, token);
    return true;
}

static void lex_list(struct query_lexer *lexer, struct query_token *token)
{
    size_t end = token->from + 1;
    while (end < lexer->text.len &&
           is_ident((tc_str){lexer->text.ptr + token->from + 1, end - token->from}))
        end++;
    token->to = end;
    token->text = tc_str_cut(lexer->text, token->from + 1, end);
    token->kind = TOKEN_LIST;
    if (token->text.len > 0 &&
        query_is_word_char(query_peek(lexer->text, end))) { // @us*: more than is meant
        token->kind = TOKEN_BAD;
        token->to = query_word_end(lexer->text, end);
        query_wrong(lexer, token->from, token->to, "E0111", "write each: @one OR @other",
                    "a list is named whole, with a-z, 0-9, \"-\" and \"_\", never by a wildcard");
        return;
    }
    if (token->text.len > 0)
        return;
    token->kind = TOKEN_BAD;
    query_wrong(lexer, token->from, token->to, "E0101",
                "a handle or address is written \"\\@name\"",
                "\"@\" needs the name of a list behind it");
}

// ---- words, phrases, regular expressions ---------------------------------------------------

// ~n behind a word or a phrase.
static void lex_tilde(struct query_lexer *lexer, struct query_token *token)
{
    uint32_t number = 0;
    size_t end = 0;
    token->tilde = QUERY_NO_TILDE;
    if (query_peek(lexer->text, token->to) != '~')
        return;
    if (query_number_at(lexer->text, token->to + 1, &number, &end)) {
        token->tilde = (int)number;
        token->to = end;
        return;
    }
    token->to++;
    query_wrong(lexer, token->to - 1, token->to, "E0101",
                "Hormus~1 (letters that may differ) or \"export chip\"~4 (words between)",
                "\"~\" needs a number behind it");
}

static void lex_phrase(struct query_lexer *lexer, struct query_token *token)
{
    size_t at = token->to, next = at;
    UChar32 c;
    while ((c = query_char_at(lexer->text, at, &next)) != 0 && !query_is_quote(c)) {
        if (c == '\\' && next < lexer->text.len)
            query_char_at(lexer->text, next, &next);
        at = next;
    }
    token->kind = TOKEN_PHRASE;
    token->text = tc_str_cut(lexer->text, token->to, at);
    if (c == 0) {
        query_wrong(lexer, token->from, token->to, "E0101", NULL, "this quote is never closed");
        token->kind = TOKEN_BAD;
    }
    token->to = next;
    lex_tilde(lexer, token);
}

static void lex_regex(struct query_lexer *lexer, struct query_token *token)
{
    size_t at = token->to, end;
    const char *text = lexer->text.ptr;
    while (at < lexer->text.len && text[at] != '/' && text[at] != '\n')
        at += text[at] == '\\' && at + 1 < lexer->text.len ? 2 : 1;
    if (at >= lexer->text.len || text[at] != '/') {
        query_wrong(lexer, token->from, token->to, "E0101",
                    "quote a word with a slash in it: \"AC/DC\"", "unexpected character \"/\"");
        token->kind = TOKEN_BAD;
        return;
    }
    token->kind = TOKEN_REGEX;
    token->text = tc_str_cut(lexer->text, token->to, at);
    end = at + 1;
    token->fold_case = query_peek(lexer->text, end) == 'i';
    token->to = end + token->fold_case;
}

static void lex_word(struct query_lexer *lexer, struct query_token *token)
{
    token->to = query_word_end(lexer->text, token->from);
    tc_str word = tc_str_cut(lexer->text, token->from, token->to);
    if (query_lex_keyword(lexer, word, token) || lex_prefix(lexer, word, token) ||
        query_lex_lower_case(lexer, word, token) || query_lex_foreign(lexer, word, token))
        return;
    token->kind = TOKEN_WORD;
    token->text = word;
    lex_tilde(lexer, token);
}

// ---- signs ---------------------------------------------------------------------------------

static void lex_bad(struct query_lexer *lexer, struct query_token *token, UChar32 c)
{
    token->kind = TOKEN_BAD;
    if (c < 0x20 || u_charType(c) == U_CONTROL_CHAR)
        query_wrong(lexer, token->from, token->to, "E0101", NULL,
                    "unexpected control character U+%04X", (unsigned)c);
    else
        query_wrong(lexer, token->from, token->to, "E0101",
                    c == '-' ? "to exclude a term, write NOT before it" : NULL,
                    "unexpected character \"%.*s\"", (int)(token->to - token->from),
                    lexer->text.ptr + token->from);
}

// & && | || and ! are refused with what to write.
static bool lex_foreign_sign(struct query_lexer *lexer, struct query_token *token, UChar32 c)
{
    UChar32 after = query_peek(lexer->text, token->to);
    if (c == '&' || c == '|') {
        token->to += after == c;
        token->kind = c == '&' ? TOKEN_AND : TOKEN_OR;
        query_wrong(lexer, token->from, token->to, "E0106", c == '&' ? "write AND" : "write OR",
                    "\"%.*s\" is not an operator here", (int)(token->to - token->from),
                    lexer->text.ptr + token->from);
        return true;
    }
    if (c == '!' && after > 0 && !query_is_space(after)) {
        token->kind = TOKEN_NOT;
        query_wrong(lexer, token->from, token->to, "E0106", "write NOT",
                    "\"!\" is not an operator here");
        return true;
    }
    return false;
}

static bool lex_minus(struct query_lexer *lexer, struct query_token *token, UChar32 c)
{
    UChar32 after = query_peek(lexer->text, token->to);
    bool apart = token->from == 0 || strchr("(, \t\r\n", lexer->text.ptr[token->from - 1]);
    if (c != '-' || !apart || after == 0 || query_is_space(after) || after == '-')
        return false;
    token->kind = TOKEN_NOT;
    return true;
}

static void lex_boost(struct query_lexer *lexer, struct query_token *token)
{
    bool number = query_number_at(lexer->text, token->to, &token->number, &token->to);
    size_t end = query_word_end(lexer->text, token->to); // letters where a number should stand
    token->kind = TOKEN_BOOST;
    if (number && end == token->to && token->number <= QUERY_COUNT_MOST)
        return;
    token->to = end;
    query_wrong(lexer, token->from, end, "E0117", NULL,
                "\"^\" needs a whole number behind it, at most %d", QUERY_COUNT_MOST);
}

static void lex_sign(struct query_lexer *lexer, struct query_token *token, UChar32 c)
{
    static const struct {
        char sign;
        enum query_token_kind kind;
    } signs[] = {{'(', TOKEN_OPEN}, {')', TOKEN_CLOSE}, {',', TOKEN_COMMA}, {'=', TOKEN_EQUALS}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (c == signs[i].sign) {
            token->kind = signs[i].kind;
            return;
        }
    }
    if (query_is_quote(c))
        lex_phrase(lexer, token);
    else if (c == '@')
        lex_list(lexer, token);
    else if (c == '^')
        lex_boost(lexer, token);
    else if (c == '/')
        lex_regex(lexer, token);
    else if (!lex_minus(lexer, token, c) && !lex_foreign_sign(lexer, token, c))
        lex_bad(lexer, token, c);
}

// White space and comments; then "+" before a term, which is reported and skipped.
static void skip(struct query_lexer *lexer)
{
    bool blank_before = true;
    for (;;) {
        size_t next;
        UChar32 c = query_char_at(lexer->text, lexer->at, &next),
                after = query_peek(lexer->text, next);
        if (c == '#' && blank_before && (after == 0 || query_is_space(after))) {
            while (lexer->at < lexer->text.len && lexer->text.ptr[lexer->at] != '\n')
                lexer->at++;
            continue;
        }
        if (c == '+' && after > 0 && !query_is_space(after)) {
            query_wrong(lexer, lexer->at, next, "E0106", "join terms with AND: a AND b",
                        "\"+\" is not an operator here");
        } else if (c == 0 || !query_is_space(c)) {
            return;
        }
        blank_before = c != '+';
        lexer->at = next;
    }
}

// The value of source: or url: as it stands, to white space or ")".
static bool lex_value(struct query_lexer *lexer, struct query_token *token)
{
    UChar32 c = query_peek(lexer->text, lexer->at);
    if (query_is_quote(c) || c == '(')
        return false;
    size_t at = value_end(lexer->text, lexer->at);
    if (at == lexer->at)
        return false;
    *token = (struct query_token){
        .kind = TOKEN_WORD, .from = lexer->at, .to = at, .tilde = QUERY_NO_TILDE};
    token->text = tc_str_cut(lexer->text, token->from, token->to);
    lexer->at = at;
    return true;
}

struct query_token query_lex(struct query_lexer *lexer, bool value)
{
    struct query_token token = {.kind = TOKEN_END, .tilde = QUERY_NO_TILDE};
    if (value && lex_value(lexer, &token))
        return token;
    skip(lexer);
    token.from = lexer->at;
    UChar32 c = query_char_at(lexer->text, lexer->at, &token.to);
    if (lexer->at >= lexer->text.len)
        return token;
    if (c > 0 && query_starts_word(lexer->text, lexer->at))
        lex_word(lexer, &token);
    else
        lex_sign(lexer, &token, c);
    lexer->at = token.to;
    return token;
}

// ---- questions of the printer --------------------------------------------------------------

static void say_nothing(const struct query_place *place, size_t from, size_t to,
                        enum tc_severity severity, const char *code, tc_str help, tc_str message)
{
    (void)place, (void)from, (void)to, (void)severity, (void)code, (void)help, (void)message;
}

static struct query_token only_token(tc_str text, bool *alone)
{
    static const struct query_place nowhere = {.wrong = say_nothing};
    struct query_lexer lexer = {.text = text, .place = &nowhere};
    struct query_token token = query_lex(&lexer, false);
    *alone = token.from == 0 && token.to == text.len && lexer.errors == 0;
    return token;
}

bool query_is_plain_word(tc_str text)
{
    bool alone;
    if (query_is_common_word(text))
        return true;
    struct query_token token = only_token(text, &alone);
    return alone && token.kind == TOKEN_WORD && token.tilde == QUERY_NO_TILDE &&
           query_word_end(text, 0) == text.len && !query_is_keyword(text);
}

bool query_is_operator(tc_str text)
{
    bool alone;
    if (query_is_common_word(text))
        return false;
    struct query_token token = only_token(text, &alone);
    return alone && token.kind >= TOKEN_AND && token.kind <= TOKEN_PARAGRAPH && text.ptr[0] != '-';
}
