#include "watcher/match/lucene/lucene.h"

#include "common/buf.h"
#include "common/utf8.h"
#include "watcher/match/query_lex.h"
#include "watcher/match/word_test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// The tree is printed in tocsin's own syntax, with the parentheses that it asks for. A part without a
// counterpart ends the attempt: the watch is better kept in its dialect than changed in silence. At the
// end the result is read back, so that what is printed is a query.

enum { ONE_EDIT_LETTERS = 4, TWO_EDIT_LETTERS = 8 }; // as docs/watch-language.md has it

struct rewriter {
    struct tc_buf *out, *notes;
    bool impossible;
};

static void print(struct rewriter *rewriter, const struct query_node *node);

static void note(struct rewriter *rewriter, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(struct rewriter *rewriter, const char *format, ...)
{
    char line[300];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    tc_str all = tc_buf_view(rewriter->notes);
    if (all.len && memmem(all.ptr, all.len, line, strlen(line)))
        return; // said already
    tc_buf_addf(rewriter->notes, "%s\n", line);
}

static void impossible(struct rewriter *rewriter, const struct query_node *node, const char *why)
{
    note(rewriter, "%.*s: %s", TC_ARG(tc_utf8_cut(node->text, 100)), why);
    rewriter->impossible = true;
}

// ---- words ---------------------------------------------------------------------------------

// One word, or words with blanks between, in quotes where they would be read as something else.
static void put_words(struct rewriter *rewriter, const struct query_node *leaf, bool quoted)
{
    struct tc_buf text = {0};
    for (size_t i = 0; i < leaf->word_count; i++) {
        tc_str word = leaf->words[i].surface;
        if (i)
            tc_buf_byte(&text, ' ');
        for (size_t k = 0; k < word.len; k++) {
            bool escape = strchr("\"\\", word.ptr[k]) || (strchr("*?", word.ptr[k]) && quoted);
            if (escape && !leaf->words[i].wild)
                tc_buf_byte(&text, '\\');
            tc_buf_byte(&text, word.ptr[k]);
        }
    }
    quoted = quoted || !query_is_plain_word(tc_buf_view(&text));
    if (quoted)
        tc_buf_byte(rewriter->out, '"');
    tc_buf_str(rewriter->out, tc_buf_view(&text));
    if (quoted)
        tc_buf_byte(rewriter->out, '"');
    tc_buf_done(&text);
}

static void put_fuzzy(struct rewriter *rewriter, const struct query_node *leaf)
{
    size_t letters = tc_utf8_count(leaf->words[0].folded);
    unsigned edits = leaf->words[0].edits;
    if (edits == 2 && letters < TWO_EDIT_LETTERS)
        edits = 1;
    if (letters < ONE_EDIT_LETTERS)
        edits = 0;
    put_words(rewriter, leaf, false);
    if (edits)
        tc_buf_addf(rewriter->out, "~%u", edits);
    if (edits < leaf->words[0].edits)
        note(rewriter, "%.*s: finds fewer spellings here, because the word is short",
             TC_ARG(leaf->text));
}

static void put_test(struct rewriter *rewriter, const struct query_node *leaf)
{
    const struct query_word *word = &leaf->words[0];
    if (!word->test->regexp) {
        impossible(rewriter, leaf, "a range of words has no operator in tocsin's own language");
        return;
    }
    impossible(rewriter, leaf,
               "a regular expression is asked of one word in Lucene, of running "
               "text in tocsin");
}

static void put_leaf(struct rewriter *rewriter, const struct query_node *leaf)
{
    if (leaf->word_count == 1 && leaf->words[0].test)
        put_test(rewriter, leaf);
    else if (leaf->word_count == 1 && leaf->words[0].edits)
        put_fuzzy(rewriter, leaf);
    else
        put_words(rewriter, leaf, leaf->word_count > 1);
    if (leaf->slop < 0)
        return;
    tc_buf_addf(rewriter->out, "~%d", leaf->slop);
    note(rewriter, "%.*s: also finds the words in another order with up to %d others between",
         TC_ARG(leaf->text), leaf->slop);
}

static void put_field(struct rewriter *rewriter, const struct query_node *node)
{
    const struct query_node *leaf = node->children[0];
    const char *name = query_field_name(node->field);
    bool plain = leaf->slop < 0;
    for (size_t i = 0; i < leaf->word_count; i++)
        plain = plain && !leaf->words[i].test && !leaf->words[i].edits && !leaf->words[i].wild;
    if (node->field == QUERY_FIELD_PUBLISHED) {
        impossible(rewriter, leaf,
                   "the day of publication is no field in tocsin's own language "
                   "(where: {max_age: 3d} is)");
        return;
    }
    if (!plain) {
        note(rewriter, "in %s:", name);
        impossible(rewriter, leaf, "only plain words can be asked of this field");
        return;
    }
    tc_buf_addf(rewriter->out, "%s:", name);
    put_words(rewriter, leaf, true);
    if (node->field == QUERY_FIELD_SOURCE)
        note(rewriter, "source: also finds hosts below the one named, in any case");
    if (node->field == QUERY_FIELD_LANG)
        note(rewriter, "lang: is the language of the text where the article states none");
}

// ---- operators -----------------------------------------------------------------------------

static void put_group(struct rewriter *rewriter, const struct query_node *node)
{
    bool group = node->op == QUERY_AND || node->op == QUERY_OR || node->op == QUERY_NOT;
    if (group)
        tc_buf_byte(rewriter->out, '(');
    print(rewriter, node);
    if (group)
        tc_buf_byte(rewriter->out, ')');
}

static void put_joined(struct rewriter *rewriter, const struct query_node *node,
                       const char *between)
{
    for (size_t i = 0; i < node->child_count; i++) {
        const struct query_node *child = node->children[i];
        if (i)
            tc_buf_puts(rewriter->out, between);
        if (child->op != QUERY_NOT) {
            put_group(rewriter, child);
            continue;
        }
        tc_buf_puts(rewriter->out, "NOT ");
        put_group(rewriter, child->children[0]);
    }
}

static void print(struct rewriter *rewriter, const struct query_node *node)
{
    switch (node->op) {
    case QUERY_WORDS: put_leaf(rewriter, node); break;
    case QUERY_FIELD: put_field(rewriter, node); break;
    case QUERY_AND: put_joined(rewriter, node, " AND "); break;
    case QUERY_OR: put_joined(rewriter, node, " OR "); break;
    case QUERY_TITLE:
    case QUERY_BODY:
        tc_buf_puts(rewriter->out, query_op_name(node->op));
        put_group(rewriter, node->children[0]);
        break;
    case QUERY_ALWAYS:
        note(rewriter, "*:* means every article: a watch needs a term that must be present");
        rewriter->impossible = true;
        break;
    case QUERY_NEVER:
        note(rewriter,
             "it never matches in Lucene: negatives only, or a field that no article has");
        rewriter->impossible = true;
        break;
    default: break; // no other node comes from this dialect
    }
}

// Whether tocsin reads what was written; if not, its first mistake is the reason.
static bool reads_back(struct rewriter *rewriter, const struct text_settings *settings)
{
    struct tc_arena *arena = tc_arena_new();
    struct tc_diags *diags = tc_diags_new();
    tc_str text = tc_buf_view(rewriter->out);
    struct query_text_place where = {TC_STR("query"), text};
    struct query_place place = {query_wrong_in_text, diags, &where};
    bool fine = query_read(text, settings, NULL, arena, &place) != NULL;
    for (size_t i = 0; i < tc_diags_count(diags) && !fine; i++) {
        const struct tc_diag *diag = tc_diags_at(diags, i);
        if (diag->severity != TC_DIAG_ERROR)
            continue;
        note(rewriter, "tocsin refuses it: %.*s", TC_ARG(diag->message));
        break;
    }
    tc_diags_free(diags);
    tc_arena_free(arena);
    return fine;
}

bool lucene_rewrite(const struct query_node *root, const struct text_settings *settings,
                    struct tc_buf *out, struct tc_buf *notes)
{
    struct rewriter rewriter = {.out = out, .notes = notes};
    print(&rewriter, root->op == QUERY_LUCENE ? root->children[0] : root);
    return !rewriter.impossible && reads_back(&rewriter, settings);
}
