// The static rules: what the grammar allows and a person did not mean.
//
// Errors   E0113 operands of proximity, E0114 something present must be asked for
// Warnings W0201 W0203 W0205 W0207 W0210
//
// Covered branches (W0203) are found by comparing each with each, so only among the first
// COMPARED_MOST alternatives; the rest is linear.
#include <stdio.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include "common/buf.h"
#include "common/utf8.h"
#include "watcher/match/query.h"

enum {
    COMPARED_MOST = 100,
    NEAR_FAR = 30,           // beyond it, a sentence or a paragraph is what is meant
    SHORT_CAPITALS_MOST = 3, // US, AI, WHO: longer ones are rarely other words
};

static void say(const struct query_place *place, size_t from, size_t to, enum tc_severity severity,
                const char *code, const char *help, const char *message)
{
    place->wrong(place, from, to, severity, code, tc_str_of(help), tc_str_of(message));
}

const char *query_op_name(enum query_op op)
{
    static const char *const names[] = {
        [QUERY_WORDS] = "words",
        [QUERY_REGEX] = "a regular expression",
        [QUERY_LIST] = "a list",
        [QUERY_AND] = "AND",
        [QUERY_OR] = "OR",
        [QUERY_NOT] = "NOT",
        [QUERY_NEAR] = "NEAR",
        [QUERY_ONEAR] = "ONEAR",
        [QUERY_NOTNEAR] = "NOTNEAR",
        [QUERY_EXCEPT] = "EXCEPT",
        [QUERY_SENTENCE] = "SENTENCE",
        [QUERY_PARAGRAPH] = "PARAGRAPH",
        [QUERY_ATLEAST] = "ATLEAST",
        [QUERY_ANY] = "ANY",
        [QUERY_FIRST] = "FIRST",
        [QUERY_TITLE] = "title:",
        [QUERY_LEAD] = "lead:",
        [QUERY_BODY] = "body:",
        [QUERY_PAGE] = "PAGE",
        [QUERY_NAMED] = "a named clause",
        [QUERY_META] = "a field of metadata",
        [QUERY_LUCENE] = "a query of dialect lucene",
        [QUERY_FIELD] = "a field of metadata",
        [QUERY_ALWAYS] = "*:*",
        [QUERY_NEVER] = "nothing",
    };
    return names[op];
}

const char *query_field_name(enum query_field field)
{
    static const char *const names[] = {
        [QUERY_FIELD_AUTHOR] = "author",
        [QUERY_FIELD_LANG] = "lang",
        [QUERY_FIELD_PUBLISHED] = "published",
        [QUERY_FIELD_SOURCE] = "source",
    };
    return names[field];
}

static const char *const meta_names[] = {
    [QUERY_META_SOURCE] = "source",   [QUERY_META_LANG] = "lang", [QUERY_META_AUTHOR] = "author",
    [QUERY_META_SECTION] = "section", [QUERY_META_TAG] = "tag",   [QUERY_META_URL] = "url",
    [QUERY_META_COUNTRY] = "country",
};

const char *query_meta_name(enum query_meta meta)
{
    return meta_names[meta];
}

bool query_meta_read(tc_str name, enum query_meta *out)
{
    for (size_t i = 0; i < sizeof meta_names / sizeof *meta_names; i++) {
        if (tc_str_eq(name, tc_str_of(meta_names[i]))) {
            *out = (enum query_meta)i;
            return true;
        }
    }
    return false;
}

bool query_is_language(tc_str value)
{
    size_t letters = 0;
    while (letters < value.len && (value.ptr[letters] | 0x20) >= 'a' &&
           (value.ptr[letters] | 0x20) <= 'z')
        letters++;
    return (letters == 2 || letters == 3) &&
           (letters == value.len || value.ptr[letters] == '-' || value.ptr[letters] == '_');
}

// ---- E0113 ---------------------------------------------------------------------------------

// The first node inside `node` that cannot stand in a proximity, NULL when it can.
static const struct query_node *bad_operand(const struct query_node *node)
{
    switch (node->op) {
    case QUERY_WORDS:
    case QUERY_REGEX:
    case QUERY_NEAR: // these have been checked themselves
    case QUERY_ONEAR:
    case QUERY_NOTNEAR:
    case QUERY_EXCEPT: return NULL;
    case QUERY_LIST:
        for (size_t i = 0; i < node->list->count; i++) {
            const struct query_node *bad = bad_operand(node->list->entries[i].node);
            if (bad)
                return bad;
        }
        return NULL;
    case QUERY_NAMED: return bad_operand(node->children[0]);
    case QUERY_OR:
        for (size_t i = 0; i < node->child_count; i++) {
            const struct query_node *bad = bad_operand(node->children[i]);
            if (bad)
                return bad;
        }
        return NULL;
    default: return node;
    }
}

static bool check_operands(const struct query_node *node, const struct query_place *place)
{
    size_t operands = node->op == QUERY_EXCEPT ? 1 : node->child_count;
    for (size_t i = 0; i < operands; i++) {
        const struct query_node *bad = bad_operand(node->children[i]);
        char message[160];
        if (!bad)
            continue;
        snprintf(message, sizeof message, "%s needs terms, phrases, lists or OR groups %s, not %s",
                 node->op == QUERY_EXCEPT ? "EXCEPT" : "proximity",
                 node->op == QUERY_EXCEPT ? "on its left side" : "on both sides",
                 query_op_name(bad->op));
        say(place, node->op_from, node->op_to, TC_DIAG_ERROR, "E0113", NULL, message);
        return false;
    }
    return true;
}

// ---- E0114 ---------------------------------------------------------------------------------

bool query_positive(const struct query_node *node)
{
    switch (node->op) {
    case QUERY_NOT: return false;
    case QUERY_LUCENE: return true; // it may ask for every text: *:*
    case QUERY_META: return node->meta != QUERY_META_LANG && node->meta != QUERY_META_SOURCE;
    case QUERY_AND:
        for (size_t i = 0; i < node->child_count; i++) {
            if (query_positive(node->children[i]))
                return true;
        }
        return false;
    case QUERY_OR:
    case QUERY_ANY:
        for (size_t i = 0; i < node->child_count; i++) {
            if (!query_positive(node->children[i]))
                return false;
        }
        return true;
    default: return node->child_count == 0 || query_positive(node->children[0]);
    }
}

// Metadata joined with OR is as good as one field: it needs a word beside it, not inside.
static bool only_metadata(const struct query_node *node)
{
    if (node->op == QUERY_OR || node->op == QUERY_AND) {
        for (size_t i = 0; i < node->child_count; i++) {
            if (!only_metadata(node->children[i]))
                return false;
        }
        return true;
    }
    return node->op == QUERY_META;
}

static bool not_positive(const struct query_node *node, const struct query_place *place)
{
    say(place, node->from, node->to, TC_DIAG_ERROR, "E0114",
        "add a term that must be present, joined with AND",
        "this query can match without any positive term");
    return false;
}

// ---- warnings ------------------------------------------------------------------------------

static bool is_short_capital(tc_str word)
{
    int letters = 0;
    for (size_t i = 0; i < word.len; letters++) {
        if (!u_isupper((UChar32)tc_utf8_next(word, &i)))
            return false;
    }
    return letters >= 2 && letters <= SHORT_CAPITALS_MOST;
}

bool query_is_short_capital(const struct query_node *leaf)
{
    return leaf->op == QUERY_WORDS && !leaf->exact && leaf->word_count == 1 &&
           is_short_capital(leaf->text);
}

static void warn_short_capital(const struct query_node *node, const struct query_place *place)
{
    char message[120], help[80];
    if (!query_is_short_capital(node))
        return;
    tc_str folded = node->words[0].folded;
    snprintf(message, sizeof message, "\"%.*s\" also matches \"%.*s\"", TC_ARG(node->text),
             TC_ARG(folded));
    snprintf(help, sizeof help, "=%.*s matches the capitals only", TC_ARG(node->text));
    say(place, node->from, node->to, TC_DIAG_WARNING, "W0201", help, message);
}

static bool same_words(const struct query_node *a, const struct query_node *b)
{
    if (a->word_count != b->word_count || a->exact != b->exact || a->slop != b->slop ||
        a->strict_joins != b->strict_joins)
        return false;
    for (size_t i = 0; i < a->word_count; i++) {
        tc_str left = a->exact ? a->words[i].surface : a->words[i].folded;
        tc_str right = a->exact ? b->words[i].surface : b->words[i].folded;
        if (!tc_str_eq(left, right) || a->words[i].wild != b->words[i].wild ||
            a->words[i].edits != b->words[i].edits)
            return false;
    }
    return a->word_count > 0;
}

// Whether `word`, one word that is not exact, is among the words that `node` asks for.
static bool is_part(const struct query_node *word, const struct query_node *node)
{
    if (word->word_count != 1 || word->exact || word->words[0].edits > 0)
        return false;
    const struct query_word *one = &word->words[0];
    for (size_t i = 0; i < node->word_count; i++) {
        const struct query_word *two = &node->words[i];
        if (two->wild || two->edits > 0)
            continue;
        if (one->wild ? text_wild_match(one->folded, two->folded)
                      : tc_str_eq(one->folded, two->folded))
            return true;
    }
    return false;
}

// Whether nothing holds of a node of this kind unless each of its children does.
static bool needs_all(enum query_op op)
{
    return op == QUERY_AND || op == QUERY_NEAR || op == QUERY_ONEAR || op == QUERY_SENTENCE ||
           op == QUERY_PARAGRAPH || op == QUERY_ATLEAST || op == QUERY_FIRST;
}

// Whether `other` holds wherever `node` does, as far as that is easily seen.
static bool covers(const struct query_node *other, const struct query_node *node)
{
    for (size_t i = 0; needs_all(node->op) && i < node->child_count; i++) {
        if (covers(other, node->children[i]))
            return true;
    }
    if (other->op == QUERY_LIST && node->op == QUERY_LIST)
        return other->list == node->list;
    if (other->op == QUERY_REGEX && node->op == QUERY_REGEX)
        return other->fold_case == node->fold_case && tc_str_eq(other->text, node->text);
    if (other->op != QUERY_WORDS || node->op != QUERY_WORDS)
        return false;
    return same_words(other, node) || is_part(other, node);
}

static void warn_covered(const struct query_node *node, const struct query_place *place)
{
    size_t count = node->child_count < COMPARED_MOST ? node->child_count : COMPARED_MOST;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            const struct query_node *a = node->children[i], *b = node->children[j];
            if (i == j || !covers(b, a) || (covers(a, b) && i < j))
                continue;
            char message[160];
            snprintf(message, sizeof message, "this branch can never add a hit: \"%.*s\" covers it",
                     (int)(b->text.len < 80 ? b->text.len : 80), b->text.ptr);
            say(place, a->from, a->to, TC_DIAG_WARNING, "W0203", NULL, message);
            break;
        }
    }
}

static bool without_spaces(const struct query_node *node)
{
    if (node->op == QUERY_WORDS && node->word_count > 0) {
        size_t at = 0;
        UErrorCode status = U_ZERO_ERROR;
        UScriptCode script =
            uscript_getScript((UChar32)tc_utf8_next(node->words[0].folded, &at), &status);
        return script == USCRIPT_HAN || script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA ||
               script == USCRIPT_THAI || script == USCRIPT_LAO || script == USCRIPT_KHMER ||
               script == USCRIPT_MYANMAR;
    }
    for (size_t i = 0; i < node->child_count; i++) {
        if (without_spaces(node->children[i]))
            return true;
    }
    return false;
}

static void warn_distance(const struct query_node *node, const struct query_place *place)
{
    if (node->number > NEAR_FAR)
        say(place, node->op_from, node->op_to, TC_DIAG_WARNING, "W0205",
            "SENTENCE or PARAGRAPH says it better", "a distance of more than 30 words");
    if (without_spaces(node))
        say(place, node->op_from, node->op_to, TC_DIAG_WARNING, "W0207",
            "NEAR/5 is about two words there",
            "in scripts without spaces the distance counts characters");
}

static bool phrase_holds(const struct query_node *phrase, const struct query_node *word)
{
    if (phrase->op != QUERY_WORDS || phrase->word_count < 2 || word->op != QUERY_WORDS ||
        word->word_count != 1)
        return false;
    for (size_t i = 0; i < phrase->word_count; i++) {
        if (tc_str_eq(phrase->words[i].folded, word->words[0].folded))
            return true;
    }
    return false;
}

// Whether what is excluded is a phrase with the word in it, or several such.
static bool phrases_hold(const struct query_node *excluded, const struct query_node *word)
{
    if (excluded->op != QUERY_OR)
        return phrase_holds(excluded, word);
    for (size_t i = 0; i < excluded->child_count; i++) {
        if (!phrase_holds(excluded->children[i], word))
            return false;
    }
    return excluded->child_count > 0;
}

static void suggest_except(const struct query_node *word, const struct query_node *excluded,
                           struct tc_buf *out)
{
    bool several = excluded->op == QUERY_OR;
    tc_buf_puts(out, "did you mean ");
    query_print(word, out);
    tc_buf_puts(out, several ? " EXCEPT (" : " EXCEPT ");
    query_print(excluded, out);
    tc_buf_puts(out, several ? ")?" : "?");
    tc_buf_byte(out, '\0');
}

// apple NOT "apple pie" throws away the article that mentions both.
static void warn_not_phrase(const struct query_node *node, const struct query_place *place)
{
    for (size_t i = 0; i < node->child_count; i++) {
        const struct query_node *not_node = node->children[i];
        for (size_t j = 0; not_node->op == QUERY_NOT && j < node->child_count; j++) {
            const struct query_node *word = node->children[j];
            struct tc_buf help = {0};
            if (!phrases_hold(not_node->children[0], word))
                continue;
            suggest_except(word, not_node->children[0], &help);
            say(place, not_node->from, not_node->to, TC_DIAG_WARNING, "W0210", help.ptr,
                "NOT also throws away texts that have the word elsewhere");
            tc_buf_done(&help);
            break;
        }
    }
}

// ---- the walk ------------------------------------------------------------------------------

bool query_check_node(const struct query_node *node, const struct query_place *place)
{
    bool fine = true;
    switch (node->op) {
    case QUERY_WORDS:
        warn_short_capital(node, place);
        if (node->slop >= 0 && without_spaces(node))
            say(place, node->from, node->to, TC_DIAG_WARNING, "W0207", NULL,
                "in scripts without spaces the distance counts characters");
        break;
    case QUERY_NEAR:
    case QUERY_ONEAR:
    case QUERY_NOTNEAR:
        fine = check_operands(node, place);
        warn_distance(node, place);
        break;
    case QUERY_EXCEPT: fine = check_operands(node, place); break;
    case QUERY_AND:
        warn_not_phrase(node, place);
        if (!query_positive(node) && !only_metadata(node))
            fine = not_positive(node, place);
        break;
    case QUERY_OR: warn_covered(node, place); __attribute__((fallthrough));
    case QUERY_ANY:
        if (!query_positive(node) && !only_metadata(node))
            fine = not_positive(node, place);
        break;
    default: break;
    }
    return fine;
}

// Children first: an error inside is the one worth telling.
static bool check_tree(const struct query_node *node, const struct query_place *place)
{
    bool fine = true;
    for (size_t i = 0; i < node->child_count; i++)
        fine = check_tree(node->children[i], place) && fine;
    return fine && query_check_node(node, place);
}

bool query_check(const struct query_node *root, const struct query_place *place)
{
    if (!check_tree(root, place))
        return false;
    return query_positive(root) || not_positive(root, place);
}
