#include "watcher/match/lucene/leaf.h"

#include "common/buf.h"
#include "common/utf8.h"
#include "watcher/match/word_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { EDITS_MOST = 2, SLOP_MOST = 1 << 24 };

// ---- fields --------------------------------------------------------------------------------

struct lucene_field lucene_field_of(tc_str name)
{
    static const struct {
        const char *name;
        struct lucene_field field;
    } fields[] = {
        {"body", {LUCENE_BODY, QUERY_FIELD_AUTHOR}},
        {"title", {LUCENE_TITLE, QUERY_FIELD_AUTHOR}},
        {"author", {LUCENE_META, QUERY_FIELD_AUTHOR}},
        {"lang", {LUCENE_META, QUERY_FIELD_LANG}},
        {"published", {LUCENE_META, QUERY_FIELD_PUBLISHED}},
        {"source", {LUCENE_META, QUERY_FIELD_SOURCE}},
        {"*", {LUCENE_ANY, QUERY_FIELD_AUTHOR}},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (tc_str_eq(name, tc_str_of(fields[i].name)))
            return fields[i].field;
    }
    return (struct lucene_field){LUCENE_UNKNOWN, QUERY_FIELD_AUTHOR};
}

// A field that is one word, in the case written.
static bool is_whole(struct lucene_field field)
{
    return field.kept == LUCENE_META && field.field != QUERY_FIELD_AUTHOR;
}

static tc_str fold(const struct lucene_leaves *leaves, struct lucene_field field, tc_str text)
{
    return is_whole(field) ? tc_arena_str(leaves->arena, text)
                           : text_query_fold(text, leaves->settings, leaves->arena);
}

// ---- backslashes ---------------------------------------------------------------------------

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

// The four digits behind \u at `at`; -1 when they are not there.
static int32_t read_hex(tc_str text, size_t at)
{
    int32_t unit = 0;
    for (size_t i = at; i < at + 4; i++) {
        int digit = i < text.len ? hex_digit(text.ptr[i]) : -1;
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

// The character of \uXXXX at the u, two of them where they are halves of one.
static bool read_escape(tc_str text, size_t *at, uint32_t *character)
{
    int32_t unit = read_hex(text, *at + 1);
    *at += 5;
    if (unit < 0)
        return false;
    *character = (uint32_t)unit;
    if (unit >= 0xD800 && unit < 0xDC00 && *at + 1 < text.len && text.ptr[*at] == '\\' &&
        text.ptr[*at + 1] == 'u') {
        int32_t low = read_hex(text, *at + 2);
        if (low >= 0xDC00 && low < 0xE000) {
            *character = 0x10000 + (((uint32_t)unit - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
            *at += 6;
        }
    }
    if (*character >= 0xD800 && *character < 0xE000)
        *character = 0xFFFD; // half a character is none
    return true;
}

bool lucene_unescape(const struct lucene_leaves *leaves, tc_str text, size_t from, tc_str *out)
{
    char *plain = tc_arena_bytes(leaves->arena, text.len + 1);
    size_t used = 0;
    for (size_t i = 0; i < text.len;) {
        uint32_t character = 0;
        size_t begin = i;
        if (text.ptr[i] != '\\') {
            plain[used++] = text.ptr[i++];
            continue;
        }
        if (++i == text.len) {
            lucene_wrong(leaves->place, from + begin, from + i, "E0101", "a literal one is \\\\",
                         "a backslash has nothing behind it");
            return false;
        }
        if (text.ptr[i] != 'u') {
            plain[used++] = text.ptr[i++];
            continue;
        }
        if (!read_escape(text, &i, &character) || character == 0) {
            lucene_wrong(leaves->place, from + begin, from + (i < text.len ? i : text.len), "E0101",
                         "\\u0041 is A", "\\u needs four hexadecimal digits behind it");
            return false;
        }
        used += tc_utf8_put(character, plain + used);
    }
    *out = (tc_str){plain, used};
    return true;
}

// With a backslash before what would be a wildcard.
static tc_str escape_wild(const struct lucene_leaves *leaves, tc_str text)
{
    char *out = tc_arena_bytes(leaves->arena, text.len * 2 + 1);
    size_t used = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("*?\\", text.ptr[i]))
            out[used++] = '\\';
        out[used++] = text.ptr[i];
    }
    return (tc_str){out, used};
}

// ---- words ---------------------------------------------------------------------------------

size_t lucene_words(const struct lucene_leaves *leaves, struct lucene_field field, tc_str text,
                    struct query_word **out)
{
    const struct text_query_word *parts = NULL;
    if (is_whole(field)) {
        tc_str value = tc_arena_str(leaves->arena, text);
        *out = tc_arena_take(leaves->arena, sizeof **out);
        **out = (struct query_word){.folded = value, .surface = value};
        return 1;
    }
    size_t count =
        text_query_words(escape_wild(leaves, text), leaves->settings, leaves->arena, &parts, NULL);
    *out = tc_arena_take(leaves->arena, (count + 1) * sizeof **out);
    for (size_t i = 0; i < count; i++)
        (*out)[i] = (struct query_word){.folded = parts[i].folded, .surface = parts[i].surface};
    return count;
}

struct query_node *lucene_leaf(const struct lucene_leaves *leaves, struct lucene_field field,
                               tc_str text, size_t from, const struct query_word *words,
                               size_t count, int slop)
{
    struct query_node *node = query_node_new(leaves->arena, QUERY_WORDS, 0);
    node->from = (uint32_t)from;
    node->to = (uint32_t)(from + text.len);
    node->text = tc_arena_str(leaves->arena, text);
    node->words = words;
    node->word_count = (uint32_t)count;
    node->lucene = true;
    node->slop = count > 1 && slop > 0 ? slop : -1;
    if (field.kept == LUCENE_META) {
        struct query_node *outer = query_node_new(leaves->arena, QUERY_FIELD, 1);
        outer->field = field.field;
        outer->number = leaves->settings->words;
        outer->from = node->from;
        outer->to = node->to;
        outer->children[0] = node;
        return outer;
    }
    if (field.kept != LUCENE_BODY && field.kept != LUCENE_TITLE)
        node->op = QUERY_NEVER;
    return node;
}

static struct query_node *one_word(const struct lucene_leaves *leaves, struct lucene_field field,
                                   const struct lucene_token *token, size_t to,
                                   struct query_word word)
{
    struct query_word *kept = tc_arena_take(leaves->arena, sizeof *kept);
    tc_str text = {token->text.ptr, to - token->from};
    *kept = word;
    kept->surface = kept->folded;
    return lucene_leaf(leaves, field, text, token->from, kept, 1, 0);
}

// ---- wildcards -----------------------------------------------------------------------------

// Lucene takes the backslashes of every term away first, to see that they are right.
static bool escapes_fit(const struct lucene_leaves *leaves, const struct lucene_token *token)
{
    tc_str plain;
    return lucene_unescape(leaves, token->text, token->from, &plain);
}

static bool wildcard_may_lead(const struct lucene_leaves *leaves, const struct lucene_token *token)
{
    char first = token->text.ptr[0];
    if ((first != '*' && first != '?') || leaves->options->leading_wildcard)
        return true;
    lucene_wrong(leaves->place, token->from, token->to, "E0110",
                 "--lucene-options=leadingwild allows it",
                 "a word does not begin with a wildcard in Lucene's syntax");
    return false;
}

// Folds what stands between wildcards and letters behind a backslash, which stay as they are.
static tc_str fold_between(const struct lucene_leaves *leaves, struct lucene_field field,
                           tc_str text)
{
    struct tc_buf out = {0};
    size_t at = 0;
    while (at < text.len) {
        size_t end = at;
        while (end < text.len && !strchr("*?\\", text.ptr[end]))
            end++;
        tc_buf_str(&out, fold(leaves, field, tc_str_cut(text, at, end)));
        at = end;
        if (end < text.len && text.ptr[end++] == '\\')
            tc_utf8_next(text, &end);
        tc_buf_str(&out, tc_str_cut(text, at, end));
        at = end;
    }
    tc_str kept = tc_arena_str(leaves->arena, tc_buf_view(&out));
    tc_buf_done(&out);
    return kept;
}

struct query_node *lucene_wild(const struct lucene_leaves *leaves, struct lucene_field field,
                               const struct lucene_token *token)
{
    if (!wildcard_may_lead(leaves, token) || !escapes_fit(leaves, token))
        return NULL;
    struct query_word word = {.folded = fold_between(leaves, field, token->text), .wild = true};
    return one_word(leaves, field, token, token->to, word);
}

struct query_node *lucene_prefix(const struct lucene_leaves *leaves, struct lucene_field field,
                                 const struct lucene_token *token)
{
    tc_str plain;
    if (!wildcard_may_lead(leaves, token) ||
        !lucene_unescape(leaves, tc_str_cut(token->text, 0, token->text.len - 1), token->from,
                         &plain))
        return NULL;
    tc_str letters = escape_wild(leaves, fold(leaves, field, plain));
    struct query_word word = {.wild = true};
    word.folded = tc_arena_printf(leaves->arena, "%.*s*", TC_ARG(letters));
    return one_word(leaves, field, token, token->to, word);
}

// ---- regular expressions, near spellings, ranges -------------------------------------------

struct query_node *lucene_regexp(const struct lucene_leaves *leaves, struct lucene_field field,
                                 const struct lucene_token *token)
{
    const char *wrong;
    size_t at;
    tc_str inside = tc_str_cut(token->text, 1, token->text.len - 1);
    struct word_test *test = tc_arena_take(leaves->arena, sizeof *test);
    if (!escapes_fit(leaves, token))
        return NULL;
    tc_str text = fold(leaves, field, inside);
    *test = (struct word_test){.regexp = regexp_read(text, leaves->arena, &wrong, &at)};
    if (!test->regexp) {
        size_t place = token->from + 1 + (at < inside.len ? at : inside.len);
        lucene_wrong(leaves->place, place, place + 1, "E0117", NULL, "in the expression: %s",
                     wrong);
        return NULL;
    }
    struct query_word word = {.test = test};
    word.folded = tc_arena_printf(leaves->arena, "/%.*s/", TC_ARG(text));
    return one_word(leaves, field, token, token->to, word);
}

// Lucene reads what stands behind ~ as Java reads a number, and takes its default where it is none.
static double number_behind_tilde(const struct lucene_token *token, double otherwise)
{
    char text[64], *end;
    tc_str number = tc_str_cut(token->text, 1, token->text.len);
    if (!number.len || number.len >= sizeof text || !strchr("+-.0123456789", number.ptr[0]))
        return otherwise;
    snprintf(text, sizeof text, "%.*s", TC_ARG(number));
    double value = strtod(text, &end);
    if (*end && strchr("fFdD", *end))
        end++;
    return *end || !isfinite(value) || strpbrk(text, "xX") ? otherwise : value;
}

bool lucene_slop(const struct lucene_leaves *leaves, const struct lucene_token *token, int *out)
{
    double slop = number_behind_tilde(token, 0);
    *out = slop < SLOP_MOST ? (int)slop : SLOP_MOST;
    if (slop > -1)
        return true;
    lucene_wrong(leaves->place, token->from, token->to, "E0117", "\"a b\"~4",
                 "words are moved 0 places or more");
    return false;
}

// A whole number counts edits; a share of 1 says how much of the word must stay.
static bool edits_of(const struct lucene_leaves *leaves, const struct lucene_token *token,
                     tc_str word, uint8_t *out)
{
    double number = number_behind_tilde(token, EDITS_MOST);
    double edits = number >= 1   ? number
                   : number == 0 ? 0
                                 : (1.0 - (double)(float)number) * (double)tc_utf8_count(word);
    if (number < 0) {
        lucene_wrong(leaves->place, token->from, token->to, "E0117", "~1 or ~2",
                     "a word differs in 0 letters or more");
        return false;
    }
    if (number >= 1 && number < SLOP_MOST && number != (int)number) {
        lucene_wrong(leaves->place, token->from, token->to, "E0117", "~1 or ~2",
                     "a word differs in whole letters");
        return false;
    }
    *out = (uint8_t)(edits < EDITS_MOST ? edits : EDITS_MOST);
    return true;
}

struct query_node *lucene_fuzzy(const struct lucene_leaves *leaves, struct lucene_field field,
                                const struct lucene_token *token, const struct lucene_token *edits)
{
    tc_str plain;
    struct query_word word = {.edits = 0};
    if (!lucene_unescape(leaves, token->text, token->from, &plain))
        return NULL;
    if (!edits_of(leaves, edits, plain, &word.edits))
        return NULL;
    word.folded = fold(leaves, field, plain);
    return one_word(leaves, field, token, edits->to, word);
}

// One end of a range as written; "*" leaves it open.
static bool range_end(const struct lucene_leaves *leaves, struct lucene_field field,
                      const struct lucene_token *token, tc_str *out, bool *open)
{
    tc_str text = token->text;
    size_t from = token->from;
    if (token->kind == LUCENE_RANGE_QUOTED) {
        text = tc_str_cut(text, 1, text.len - 1);
        from++;
    } else if (tc_str_eq(text, TC_STR("*"))) {
        *open = true;
        return true;
    }
    if (!lucene_unescape(leaves, text, from, out))
        return false;
    *out = fold(leaves, field, *out);
    return true;
}

struct query_node *lucene_range(const struct lucene_leaves *leaves, struct lucene_field field,
                                const struct lucene_token *open, const struct lucene_token *low,
                                const struct lucene_token *high, const struct lucene_token *close)
{
    struct word_test *test = tc_arena_take(leaves->arena, sizeof *test);
    *test = (struct word_test){.with_low = open->text.ptr[0] == '[',
                               .with_high = close->text.ptr[0] == ']'};
    if (!range_end(leaves, field, low, &test->low, &test->no_low) ||
        !range_end(leaves, field, high, &test->high, &test->no_high))
        return NULL;
    struct query_word word = {.test = test};
    // Ends that hold the signs of a range are told apart by their lengths.
    word.folded =
        tc_arena_printf(leaves->arena, "%.1s%zu:%.*s TO %.*s%.1s", open->text.ptr, test->low.len,
                        TC_ARG(test->no_low ? TC_STR("*") : test->low),
                        TC_ARG(test->no_high ? TC_STR("*") : test->high), close->text.ptr);
    return one_word(leaves, field, open, close->to, word);
}
