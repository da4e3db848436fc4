#include "watcher/match/field.h"

#include "common/mem.h"
#include "watcher/match/sloppy.h"
#include "watcher/match/word_test.h"

#include <stdlib.h>
#include <time.h>

// ---- the words of a field ------------------------------------------------------------------

static void set_words(struct eval_field *field, const struct article *article,
                      const struct text_query_word *parts, size_t count)
{
    struct text_word *words = tc_arena_take(article->arena, (count + 1) * sizeof *words);
    for (size_t i = 0; i < count; i++) {
        words[i] = (struct text_word){.folded = parts[i].folded.ptr,
                                      .folded_len = (uint16_t)parts[i].folded.len,
                                      .position = (uint32_t)i};
    }
    field->words = words;
    field->count = count;
}

static tc_str published_day(const struct article *article)
{
    time_t seconds = (time_t)(article->published_wall_ns / 1000000000);
    struct tm day;
    if (!article->published_wall_ns || !gmtime_r(&seconds, &day))
        return (tc_str){NULL, 0};
    return tc_arena_printf(article->arena, "%04d%02d%02d", day.tm_year + 1900, day.tm_mon + 1,
                           day.tm_mday);
}

static void read_author(struct eval_field *field, const struct article *article,
                        const struct query_node *node)
{
    struct text_settings settings = {.words = (enum text_words)node->number};
    const struct text_query_word *parts = NULL;
    size_t count = 0;
    if (article->author.len)
        count = text_query_words(article->author, &settings, article->arena, &parts, NULL);
    set_words(field, article, parts, count);
}

static void read_whole(struct eval_field *field, const struct article *article, tc_str value)
{
    struct text_query_word word = {.folded = value, .surface = value};
    set_words(field, article, &word, value.len > 0);
}

static const struct eval_field *field_of(struct eval *eval, const struct query_node *node)
{
    const struct article *article = eval->view->text->article;
    struct eval_field *field = &eval->said.fields[node->field];
    if (field->ready)
        return field;
    switch (node->field) {
    case QUERY_FIELD_AUTHOR: read_author(field, article, node); break;
    case QUERY_FIELD_LANG: read_whole(field, article, article->lang); break;
    case QUERY_FIELD_PUBLISHED: read_whole(field, article, published_day(article)); break;
    case QUERY_FIELD_SOURCE: read_whole(field, article, article->source); break;
    }
    field->ready = true;
    return field;
}

// ---- leaves --------------------------------------------------------------------------------

static bool is_word(const struct query_word *wanted, const struct text_word *word)
{
    tc_str form = {word->folded, word->folded_len};
    if (wanted->test)
        return word_test_holds(wanted->test, form);
    if (wanted->wild)
        return text_wild_match(wanted->folded, form);
    if (wanted->edits)
        return pattern_near_spelling(wanted->folded, form, wanted->edits);
    return tc_str_eq(wanted->folded, form);
}

static bool phrase_at(const struct eval_field *field, size_t at, const struct query_node *leaf)
{
    if (leaf->word_count > field->count - at)
        return false;
    for (size_t i = 0; i < leaf->word_count; i++) {
        if (!is_word(&leaf->words[i], &field->words[at + i]))
            return false;
    }
    return true;
}

// Equal words of the phrase get the number of the first.
static uint32_t term_of(const struct query_node *leaf, size_t number)
{
    size_t i = 0;
    while (!tc_str_eq(leaf->words[i].folded, leaf->words[number].folded))
        i++;
    return (uint32_t)i;
}

static bool holds_sloppy(const struct eval_field *field, const struct query_node *leaf)
{
    struct sloppy_word *phrase = tc_new(leaf->word_count * sizeof *phrase);
    uint32_t *places = tc_new((leaf->word_count * field->count + 1) * sizeof *places);
    struct spans spans = {0};
    bool all = true;
    for (size_t i = 0; i < leaf->word_count; i++) {
        uint32_t *list = places + i * field->count;
        phrase[i] = (struct sloppy_word){.places = list, .term = term_of(leaf, i)};
        for (uint32_t k = 0; k < field->count; k++) {
            if (is_word(&leaf->words[i], &field->words[k]))
                list[phrase[i].count++] = k;
        }
        all = all && phrase[i].count > 0;
    }
    if (all)
        sloppy_find(phrase, leaf->word_count, leaf->slop, field->words, true, &spans);
    bool found = spans.count > 0;
    near_done(&spans);
    free(places);
    free(phrase);
    return found;
}

bool field_holds(struct eval *eval, const struct query_node *node)
{
    const struct eval_field *field = field_of(eval, node);
    const struct query_node *leaf = node->children[0];
    if (!field->count)
        return false;
    if (leaf->slop > 0)
        return holds_sloppy(field, leaf);
    for (size_t at = 0; at < field->count; at++) {
        if (phrase_at(field, at, leaf))
            return true;
    }
    return false;
}
