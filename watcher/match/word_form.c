#include "watcher/match/word_form.h"

#include "common/buf.h"
#include "common/mem.h"
#include "watcher/text/stem.h"
#include "watcher/text/text.h"
#include "watcher/text/unmark.h"

#include <stdlib.h>

struct filed { // a term; others of the same key follow by number
    uint32_t term, next;
    char *wildcard; // NULL for a word
    size_t len;
};

struct group { // of one form
    struct word_form form;
    struct dict words;  // keys to the first that was filed
    uint32_t wildcards; // the first of them, DICT_NONE when there is none
};

struct word_forms {
    uint64_t key;
    struct group *groups;
    size_t group_count, group_capacity;
    struct filed *filed;
    size_t count, capacity;
    struct word_form_reader *reader; // while they are filed
};

struct word_form_reader {
    struct stemmers *stemmers;
    struct tc_buf expanded, plain;
    uint32_t *terms;
    size_t count, capacity;
};

// ---- forms ---------------------------------------------------------------------------------

bool word_form_eq(struct word_form a, struct word_form b)
{
    return a.marks_folded == b.marks_folded && a.umlauts_expanded == b.umlauts_expanded &&
           a.stem == b.stem;
}

void word_form_name(struct word_form form, struct tc_buf *out)
{
    tc_buf_byte(out, form.marks_folded ? 'm' : '-');
    tc_buf_byte(out, form.umlauts_expanded ? 'u' : '-');
    if (form.stem != WORD_FORM_NO_STEM)
        tc_buf_puts(out, stem_code(form.stem));
}

struct word_form_reader *word_form_reader_new(void)
{
    struct word_form_reader *reader = tc_new(sizeof *reader);
    reader->stemmers = stemmers_new();
    return reader;
}

void word_form_reader_free(struct word_form_reader *reader)
{
    if (!reader)
        return;
    stemmers_free(reader->stemmers);
    tc_buf_done(&reader->expanded);
    tc_buf_done(&reader->plain);
    free(reader->terms);
    free(reader);
}

static tc_str through(size_t (*change)(tc_str, char *, size_t), tc_str word, struct tc_buf *out)
{
    tc_buf_clear(out);
    char *room = tc_buf_reserve(out, UNMARK_ROOM(word.len));
    return (tc_str){room, change(word, room, UNMARK_ROOM(word.len))};
}

tc_str word_form_of(struct word_form_reader *reader, struct word_form form, tc_str folded)
{
    tc_str word = folded;
    if (form.umlauts_expanded)
        word = through(unmark_german, word, &reader->expanded);
    if (form.stem != WORD_FORM_NO_STEM)
        word = stem_of(reader->stemmers, form.stem, word);
    if (form.marks_folded)
        word = through(unmark, word, &reader->plain);
    return word;
}

// ---- filing --------------------------------------------------------------------------------

struct word_forms *word_forms_new(uint64_t key)
{
    struct word_forms *forms = tc_new(sizeof *forms);
    forms->key = key;
    forms->reader = word_form_reader_new();
    return forms;
}

void word_forms_free(struct word_forms *forms)
{
    if (!forms)
        return;
    for (size_t i = 0; i < forms->group_count; i++)
        dict_done(&forms->groups[i].words);
    for (size_t i = 0; i < forms->count; i++)
        free(forms->filed[i].wildcard);
    word_form_reader_free(forms->reader);
    free(forms->groups);
    free(forms->filed);
    free(forms);
}

static struct group *group_of(struct word_forms *forms, struct word_form form)
{
    for (size_t i = 0; i < forms->group_count; i++) {
        if (word_form_eq(forms->groups[i].form, form))
            return &forms->groups[i];
    }
    forms->groups =
        tc_room(forms->groups, forms->group_count, &forms->group_capacity, sizeof *forms->groups);
    struct group *group = &forms->groups[forms->group_count++];
    *group = (struct group){.form = form, .wildcards = DICT_NONE};
    dict_init(&group->words, forms->key);
    return group;
}

void word_forms_add(struct word_forms *forms, struct word_form form, tc_str folded, bool wild,
                    uint32_t term)
{
    struct group *group = group_of(forms, form);
    tc_str key = word_form_of(forms->reader, form, folded);
    uint32_t *first = wild ? &group->wildcards : dict_add(&group->words, key);
    struct filed filed = {.term = term, .next = *first};
    if (wild) {
        filed.wildcard = tc_dup(key.ptr, key.len);
        filed.len = key.len;
    }
    *first = (uint32_t)forms->count;
    forms->filed = tc_room(forms->filed, forms->count, &forms->capacity, sizeof *forms->filed);
    forms->filed[forms->count++] = filed;
}

void word_forms_renumber(struct word_forms *forms, const uint32_t *map)
{
    for (size_t i = 0; i < forms->count; i++)
        forms->filed[i].term = map[forms->filed[i].term];
}

size_t word_forms_count(const struct word_forms *forms)
{
    return forms->count;
}

size_t word_forms_bytes(const struct word_forms *forms)
{
    size_t bytes = sizeof *forms + forms->capacity * sizeof *forms->filed +
                   forms->group_capacity * sizeof *forms->groups;
    for (size_t i = 0; i < forms->group_count; i++)
        bytes += dict_bytes(&forms->groups[i].words);
    return bytes;
}

// ---- finding -------------------------------------------------------------------------------

static void found(struct word_form_reader *reader, uint32_t term)
{
    reader->terms = tc_room(reader->terms, reader->count, &reader->capacity, sizeof *reader->terms);
    reader->terms[reader->count++] = term;
}

size_t word_forms_find(const struct word_forms *forms, struct word_form_reader *reader,
                       tc_str folded, const uint32_t **terms)
{
    reader->count = 0;
    for (size_t i = 0; i < forms->group_count; i++) {
        const struct group *group = &forms->groups[i];
        tc_str word = word_form_of(reader, group->form, folded);
        for (uint32_t at = dict_find(&group->words, word); at != DICT_NONE;
             at = forms->filed[at].next)
            found(reader, forms->filed[at].term);
        for (uint32_t at = group->wildcards; at != DICT_NONE; at = forms->filed[at].next) {
            const struct filed *filed = &forms->filed[at];
            if (text_wild_match((tc_str){filed->wildcard, filed->len}, word))
                found(reader, filed->term);
        }
    }
    *terms = reader->terms;
    return reader->count;
}
