#include "watcher/match/query_lex.h"

#include <stdio.h>
#include <strings.h>
#include <unicode/uchar.h>

#include "common/utf8.h"

enum { NUMBER_MOST = 1000 * 1000 };

// ---- characters ----------------------------------------------------------------------------

// The character at byte `at`, 0 at the end, and in *next where the one after it starts.
static UChar32 char_at(tc_str text, size_t at, size_t *next)
{
    *next = at;
    return at < text.len ? (UChar32)tc_utf8_next(text, next) : 0;
}

static UChar32 peek(tc_str text, size_t at)
{
    size_t next;
    return char_at(text, at, &next);
}

static bool is_space(UChar32 c)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    return c == 0xFEFF || c == 0x200B || u_isUWhiteSpace(c);
}

static bool is_quote(UChar32 c) // typographic quotes are read as straight ones
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

static bool is_digit(UChar32 c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_char(UChar32 c)
{
    return c == '*' || c == '?' || c == '\\' || (c > 0 && is_letter(c));
}

static bool is_currency(UChar32 c)
{
    if (c < 0x80)
        return c == '$';
    return u_charType(c) == U_CURRENCY_SYMBOL;
}

// A word may also begin with a sign: .NET, #hashtag, $1bn.
static bool starts_word(tc_str text, size_t at)
{
    size_t next;
    UChar32 c = char_at(text, at, &next), after = peek(text, next);
    if (c == '\\')
        return next < text.len;
    if (c == '.' || c == '#')
        return after > 0 && is_letter(after);
    if (is_currency(c))
        return is_digit(after);
    return is_word_char(c);
}

// Signs at the end of a word that belong to it: C++, C#, 5%.
static bool is_word_tail(tc_str text, UChar32 before, size_t at)
{
    UChar32 c = peek(text, at);
    if (c == '%')
        return is_digit(before);
    if (c != '+' && c != '#')
        return false;
    while ((c = peek(text, at)) == '+' || c == '#')
        at++;
    return before == '+' || before == '#' || (u_isalpha(before) && !is_word_char(c));
}

// Whether the sign `c` between `before` and `after` stays inside a word.
static bool is_inner(UChar32 before, UChar32 c, UChar32 after)
{
    if (c == '.' || is_apostrophe(c))
        return before != '.' || is_word_char(after);
    if (c == '-' || c == '&')
        return is_word_char(after);
    return (c == ',' || c == ':') && is_digit(before) && is_digit(after);
}

// Where the word that starts at `at` ends; `at` itself when none starts there.
static size_t word_end(tc_str text, size_t at)
{
    UChar32 before = 0;
    size_t next;
    if (!starts_word(text, at))
        return at;
    if (peek(text, at) != '\\')
        before = char_at(text, at, &at);
    for (;;) {
        UChar32 c = char_at(text, at, &next);
        if (c == '\\' && next < text.len)
            c = char_at(text, next, &next);
        else if (c == 0 || c == '\\')
            return at;
        else if (!is_word_char(c) && !is_inner(before, c, peek(text, next)) &&
                 !is_word_tail(text, before, at))
            return at;
        before = c;
        at = next;
    }
}

// ---- operators -----------------------------------------------------------------------------

static const struct keyword {
    const char *word;
    enum query_token_kind kind;
    enum query_op op;
    bool number; // must be followed by /n
    bool call;   // is an operator only before "(" (and with its number)
} keywords[] = {
    {"AND", TOKEN_AND, QUERY_AND, false, false},
    {"OR", TOKEN_OR, QUERY_OR, false, false},
    {"NOT", TOKEN_NOT, QUERY_NOT, false, false},
    {"EXCEPT", TOKEN_EXCEPT, QUERY_EXCEPT, false, false},
    {"SENTENCE", TOKEN_SENTENCE, QUERY_SENTENCE, false, false},
    {"PARAGRAPH", TOKEN_PARAGRAPH, QUERY_PARAGRAPH, false, false},
    {"NEAR", TOKEN_NEAR, QUERY_NEAR, true, false},
    {"ONEAR", TOKEN_ONEAR, QUERY_ONEAR, true, false},
    {"NOTNEAR", TOKEN_NOTNEAR, QUERY_NOTNEAR, true, false},
    {"ATLEAST", TOKEN_ATLEAST, QUERY_ATLEAST, true, true},
    {"FIRST", TOKEN_FIRST, QUERY_FIRST, true, true},
    {"ANY", TOKEN_ANY, QUERY_ANY, true, true},
    {"TITLE", TOKEN_PART, QUERY_TITLE, false, true},
    {"LEAD", TOKEN_PART, QUERY_LEAD, false, true},
    {"PAGE", TOKEN_PART, QUERY_PAGE, false, true},
};
enum { KEYWORDS = sizeof keywords / sizeof *keywords };

// Operators of other products that are words, and what they are here. `counts_more`: their n counts
// the second word too.
static const struct foreign {
    const char *word;
    enum query_token_kind kind;
    const char *ours;
    bool slash, counts_more;
} foreigns[] = {
    {"w", TOKEN_NEAR, "NEAR", true, false},
    {"pre", TOKEN_ONEAR, "ONEAR", true, false},
    {"near", TOKEN_NEAR, "NEAR", true, false},
    {"onear", TOKEN_ONEAR, "ONEAR", true, false},
    {"notnear", TOKEN_NOTNEAR, "NOTNEAR", true, false},
    {"near", TOKEN_NEAR, "NEAR", false, true},
    {"adj", TOKEN_ONEAR, "ONEAR", false, true},
    {"atleast", TOKEN_ATLEAST, "ATLEAST", false, false},
};
enum { FOREIGNS = sizeof foreigns / sizeof *foreigns };

static const struct keyword *keyword_of(tc_str word)
{
    if (!word.len || word.ptr[0] < 'A' || word.ptr[0] > 'Z')
        return NULL;
    for (size_t i = 0; i < KEYWORDS; i++) {
        if (tc_str_eq(word, tc_str_of(keywords[i].word)))
            return &keywords[i];
    }
    return NULL;
}

static bool same_letters(tc_str word, const char *lower)
{
    return word.len && (word.ptr[0] | 0x20) == (lower[0] | 0x20) && strlen(lower) == word.len &&
           strncasecmp(word.ptr, lower, word.len) == 0;
}

// The digits at `at`, capped so that a limit can be named later. False when there is none.
static bool number_at(tc_str text, size_t at, uint32_t *out, size_t *end)
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

// Where "/x" behind an operator ends, which is no number, or one where none belongs.
static size_t slash_end(tc_str text, size_t slash)
{
    size_t at = slash + 1, next;
    UChar32 c;
    while ((c = char_at(text, at, &next)) == '-' || is_word_char(c))
        at = next;
    return at;
}

// NEAR/5, ATLEAST/3( and the plain operators. False when the word is not an operator here.
static bool lex_keyword(struct query_lexer *lexer, tc_str word, struct query_token *token)
{
    const struct keyword *key = keyword_of(word);
    size_t end = token->to;
    if (!key)
        return false;
    bool slash = peek(lexer->text, end) == '/';
    bool numbered = key->number && slash && number_at(lexer->text, end + 1, &token->number, &end);
    if (key->call && key->number && !numbered && peek(lexer->text, token->to) != '(')
        return false;
    if (key->call && !key->number && peek(lexer->text, end) != '(')
        return false;
    token->kind = key->kind;
    token->op = key->op;
    token->to = slash && !numbered ? slash_end(lexer->text, token->to) : end;
    if (key->number && !numbered) {
        query_wrong(lexer, token->from, token->to, "E0106", NULL, "%s needs its number: %s/%d",
                    key->word, key->word, key->call ? 2 : 4);
        token->number = 1;
    } else if (!key->number && slash) {
        query_wrong(lexer, token->from, token->to, "E0106", NULL, "%s has no number", key->word);
    }
    return true;
}

// Whether a keyword in small letters was meant as one: and, or, not are; the names of groups are
// directly before "(". *number and *end are those of its /n then.
static bool is_meant(tc_str text, const struct keyword *key, uint32_t *number, size_t *end)
{
    if (key->kind == TOKEN_AND || key->kind == TOKEN_OR || key->kind == TOKEN_NOT)
        return true;
    if (!key->call && key->kind != TOKEN_SENTENCE && key->kind != TOKEN_PARAGRAPH)
        return false;
    if (key->number && (peek(text, *end) != '/' || !number_at(text, *end + 1, number, end)))
        return false;
    return peek(text, *end) == '(';
}

// and, or, not, sentence(...), atleast/3(...)
static bool lex_lower_case(struct query_lexer *lexer, tc_str word, struct query_token *token)
{
    char help[40];
    for (size_t i = 0; i < KEYWORDS; i++) {
        const struct keyword *key = &keywords[i];
        size_t end = token->to;
        if (!same_letters(word, key->word) || !is_meant(lexer->text, key, &token->number, &end))
            continue;
        token->kind = key->kind;
        token->op = key->op;
        token->to = end;
        snprintf(help, sizeof help, "did you mean %s?", key->word);
        query_wrong(lexer, token->from, end, "E0106", help, "operators are upper case");
        return true;
    }
    return false;
}

// W/s and W/p are sentences and paragraphs in one product.
static bool lex_unit(struct query_lexer *lexer, tc_str word, struct query_token *token)
{
    size_t at = token->to + 1, next;
    UChar32 unit = char_at(lexer->text, at, &next);
    if (!same_letters(word, "w") || peek(lexer->text, token->to) != '/' ||
        (unit != 's' && unit != 'S' && unit != 'p' && unit != 'P') ||
        is_word_char(peek(lexer->text, next)))
        return false;
    bool sentence = unit == 's' || unit == 'S';
    token->to = next;
    token->kind = sentence ? TOKEN_SENTENCE : TOKEN_PARAGRAPH;
    query_wrong(lexer, token->from, token->to, "E0106",
                sentence ? "write SENTENCE" : "write PARAGRAPH",
                "\"%.*s\" is an operator of another product", (int)(token->to - token->from),
                lexer->text.ptr + token->from);
    return true;
}

// W/5, PRE/5, near5, adj5, near/5, ATLEAST5(...): refused with the spelling of tocsin.
static bool lex_foreign(struct query_lexer *lexer, tc_str word, struct query_token *token)
{
    for (size_t i = 0; i < FOREIGNS; i++) {
        const struct foreign *f = &foreigns[i];
        size_t letters = strlen(f->word), end = 0, digits = token->from + letters;
        if (f->slash ? word.len != letters || peek(lexer->text, digits) != '/'
                     : word.len <= letters)
            continue;
        if (strncasecmp(word.ptr, f->word, letters) != 0 ||
            !number_at(lexer->text, digits + f->slash, &token->number, &end) ||
            (!f->slash && end != token->to) || is_word_char(peek(lexer->text, end)))
            continue;
        if (f->kind == TOKEN_ATLEAST && peek(lexer->text, end) != '(')
            continue;
        if (f->counts_more && token->number > 0)
            token->number--;
        char help[80];
        snprintf(help, sizeof help, "write %s/%u", f->ours, token->number);
        token->to = end;
        token->kind = f->kind;
        query_wrong(lexer, token->from, end, "E0106", help,
                    "\"%.*s\" is an operator of another product", (int)(end - token->from),
                    lexer->text.ptr + token->from);
        return true;
    }
    return lex_unit(lexer, word, token);
}

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
    return same_letters(field, "http") || same_letters(field, "https");
}

// Where a value ends that runs to white space or ")".
static size_t value_end(tc_str text, size_t at)
{
    size_t next;
    UChar32 c;
    while ((c = char_at(text, at, &next)) != 0 && c != ')' && !is_space(c))
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
    if (peek(lexer->text, token->to) != ':')
        return false;
    if (peek(lexer->text, token->to + 1) == ':') {
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
    if (token->text.len > 0 && is_word_char(peek(lexer->text, end))) { // @us*: more than is meant
        token->kind = TOKEN_BAD;
        token->to = word_end(lexer->text, end);
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
    if (peek(lexer->text, token->to) != '~')
        return;
    if (number_at(lexer->text, token->to + 1, &number, &end)) {
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
    while ((c = char_at(lexer->text, at, &next)) != 0 && !is_quote(c)) {
        if (c == '\\' && next < lexer->text.len)
            char_at(lexer->text, next, &next);
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
    token->fold_case = peek(lexer->text, end) == 'i';
    token->to = end + token->fold_case;
}

static void lex_word(struct query_lexer *lexer, struct query_token *token)
{
    token->to = word_end(lexer->text, token->from);
    tc_str word = tc_str_cut(lexer->text, token->from, token->to);
    if (lex_keyword(lexer, word, token) || lex_prefix(lexer, word, token) ||
        lex_lower_case(lexer, word, token) || lex_foreign(lexer, word, token))
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
    UChar32 after = peek(lexer->text, token->to);
    if (c == '&' || c == '|') {
        token->to += after == c;
        token->kind = c == '&' ? TOKEN_AND : TOKEN_OR;
        query_wrong(lexer, token->from, token->to, "E0106", c == '&' ? "write AND" : "write OR",
                    "\"%.*s\" is not an operator here", (int)(token->to - token->from),
                    lexer->text.ptr + token->from);
        return true;
    }
    if (c == '!' && after > 0 && !is_space(after)) {
        token->kind = TOKEN_NOT;
        query_wrong(lexer, token->from, token->to, "E0106", "write NOT",
                    "\"!\" is not an operator here");
        return true;
    }
    return false;
}

static bool lex_minus(struct query_lexer *lexer, struct query_token *token, UChar32 c)
{
    UChar32 after = peek(lexer->text, token->to);
    bool apart = token->from == 0 || strchr("(, \t\r\n", lexer->text.ptr[token->from - 1]);
    if (c != '-' || !apart || after == 0 || is_space(after) || after == '-')
        return false;
    token->kind = TOKEN_NOT;
    return true;
}

static void lex_boost(struct query_lexer *lexer, struct query_token *token)
{
    bool number = number_at(lexer->text, token->to, &token->number, &token->to);
    size_t end = word_end(lexer->text, token->to); // letters where a number should stand
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
    if (is_quote(c))
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
        UChar32 c = char_at(lexer->text, lexer->at, &next), after = peek(lexer->text, next);
        if (c == '#' && blank_before && (after == 0 || is_space(after))) {
            while (lexer->at < lexer->text.len && lexer->text.ptr[lexer->at] != '\n')
                lexer->at++;
            continue;
        }
        if (c == '+' && after > 0 && !is_space(after)) {
            query_wrong(lexer, lexer->at, next, "E0106", "join terms with AND: a AND b",
                        "\"+\" is not an operator here");
        } else if (c == 0 || !is_space(c)) {
            return;
        }
        blank_before = c != '+';
        lexer->at = next;
    }
}

// The value of source: or url: as it stands, to white space or ")".
static bool lex_value(struct query_lexer *lexer, struct query_token *token)
{
    UChar32 c = peek(lexer->text, lexer->at);
    if (is_quote(c) || c == '(')
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
    UChar32 c = char_at(lexer->text, lexer->at, &token.to);
    if (lexer->at >= lexer->text.len)
        return token;
    if (c > 0 && starts_word(lexer->text, lexer->at))
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

// Whether it is small letters of ASCII alone and no operator of anybody: most words are, and need no lexer.
static bool is_common_word(tc_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 'a' || text.ptr[i] > 'z')
            return false;
    }
    for (size_t i = 0; i < KEYWORDS; i++) {
        if (same_letters(text, keywords[i].word))
            return false;
    }
    for (size_t i = 0; i < FOREIGNS; i++) {
        if (same_letters(text, foreigns[i].word))
            return false;
    }
    return text.len > 0;
}

bool query_is_plain_word(tc_str text)
{
    bool alone;
    if (is_common_word(text))
        return true;
    struct query_token token = only_token(text, &alone);
    return alone && token.kind == TOKEN_WORD && token.tilde == QUERY_NO_TILDE &&
           word_end(text, 0) == text.len && !keyword_of(text);
}

bool query_is_operator(tc_str text)
{
    bool alone;
    if (is_common_word(text))
        return false;
    struct query_token token = only_token(text, &alone);
    return alone && token.kind >= TOKEN_AND && token.kind <= TOKEN_PARAGRAPH && text.ptr[0] != '-';
}
