// word_form - what a word is compared by when a watch has switches under `text:`.
//
// A form takes differences away: umlauts are spelled out, the ending goes, marks go, in this order. Two
// words are equal under a form when what is left of both is. The words of all watches are filed by form, so
// that a word of a text is brought into each form once and looked up, however many words are watched;
// wildcards are tried one by one against what is left. (Of a wildcard only the literal letters change.)
//
//   memory   files: the words; reader: the stemmers of one thread and a few terms
//   threads  files: shared once built; reader: one thread
#ifndef WORD_FORM_H
#define WORD_FORM_H

#include "watcher/match/dict.h"

enum { WORD_FORM_NO_STEM = -1 };

struct word_form {
    bool marks_folded, umlauts_expanded;
    int stem; // a language of stem.h, or WORD_FORM_NO_STEM
};

bool word_form_eq(struct word_form a, struct word_form b);

// A text that tells it from other forms: "m-", "-ude".
struct tc_buf;
void word_form_name(struct word_form form, struct tc_buf *out);

struct word_form_reader;

struct word_form_reader *word_form_reader_new(void);
void word_form_reader_free(struct word_form_reader *reader);

// What is left of a folded word. Views the reader until its next call.
tc_str word_form_of(struct word_form_reader *reader, struct word_form form, tc_str folded);

struct word_forms;

struct word_forms *word_forms_new(uint64_t key);
void word_forms_free(struct word_forms *forms);

// Files a folded word, or a wildcard, under a term. Copies it.
void word_forms_add(struct word_forms *forms, struct word_form form, tc_str folded, bool wild,
                    uint32_t term);

// The terms whose words are equal to `folded` under their forms. Views the reader until its next call.
size_t word_forms_find(const struct word_forms *forms, struct word_form_reader *reader,
                       tc_str folded, const uint32_t **terms);

// Puts map[term] in the place of every term.
void word_forms_renumber(struct word_forms *forms, const uint32_t *map);

size_t word_forms_count(const struct word_forms *forms);
size_t word_forms_bytes(const struct word_forms *forms);

#endif
