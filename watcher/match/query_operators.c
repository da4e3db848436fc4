#include "watcher/match/query_operators.h"

#include "watcher/match/query_chars.h"

#include <stdio.h>
#include <strings.h>

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

// Where "/x" behind an operator ends, which is no number, or one where none belongs.
static size_t slash_end(tc_str text, size_t slash)
{
    size_t at = slash + 1, next;
    UChar32 c;
    while ((c = query_char_at(text, at, &next)) == '-' || query_is_word_char(c))
        at = next;
    return at;
}

bool query_lex_keyword(struct query_lexer *lexer, tc_str word, struct query_token *token)
{
    const struct keyword *key = keyword_of(word);
    size_t end = token->to;
    if (!key)
        return false;
    bool slash = query_peek(lexer->text, end) == '/';
    bool numbered =
        key->number && slash && query_number_at(lexer->text, end + 1, &token->number, &end);
    if (key->call && key->number && !numbered && query_peek(lexer->text, token->to) != '(')
        return false;
    if (key->call && !key->number && query_peek(lexer->text, end) != '(')
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
    if (key->number &&
        (query_peek(text, *end) != '/' || !query_number_at(text, *end + 1, number, end)))
        return false;
    return query_peek(text, *end) == '(';
}

bool query_lex_lower_case(struct query_lexer *lexer, tc_str word, struct query_token *token)
{
    char help[40];
    for (size_t i = 0; i < KEYWORDS; i++) {
        const struct keyword *key = &keywords[i];
        size_t end = token->to;
        if (!query_same_letters(word, key->word) ||
            !is_meant(lexer->text, key, &token->number, &end))
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
    UChar32 unit = query_char_at(lexer->text, at, &next);
    if (!query_same_letters(word, "w") || query_peek(lexer->text, token->to) != '/' ||
        (unit != 's' && unit != 'S' && unit != 'p' && unit != 'P') ||
        query_is_word_char(query_peek(lexer->text, next)))
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

bool query_lex_foreign(struct query_lexer *lexer, tc_str word, struct query_token *token)
{
    for (size_t i = 0; i < FOREIGNS; i++) {
        const struct foreign *f = &foreigns[i];
        if ((word.ptr[0] | 0x20) != f->word[0])
            continue;
        size_t letters = strlen(f->word), end = 0, digits = token->from + letters;
        if (f->slash ? word.len != letters || query_peek(lexer->text, digits) != '/'
                     : word.len <= letters)
            continue;
        if (strncasecmp(word.ptr, f->word, letters) != 0 ||
            !query_number_at(lexer->text, digits + f->slash, &token->number, &end) ||
            (!f->slash && end != token->to) || query_is_word_char(query_peek(lexer->text, end)))
            continue;
        if (f->kind == TOKEN_ATLEAST && query_peek(lexer->text, end) != '(')
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

bool query_is_keyword(tc_str word)
{
    return keyword_of(word) != NULL;
}

bool query_is_common_word(tc_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 'a' || text.ptr[i] > 'z')
            return false;
    }
    for (size_t i = 0; i < KEYWORDS; i++) {
        if (query_same_letters(text, keywords[i].word))
            return false;
    }
    for (size_t i = 0; i < FOREIGNS; i++) {
        if (query_same_letters(text, foreigns[i].word))
            return false;
    }
    return text.len > 0;
}
