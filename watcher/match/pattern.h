// pattern - predicates on one word: wildcards and near spellings.
//
// A set of patterns is tried against a word at once. A wildcard is filed under its longest run of
// letters (at the start, at the end, or anywhere in the word), so that a word meets only the patterns
// whose run it holds; a near spelling (fuzzy) is filtered by length and by which letters occur.
// What a word matched is remembered (memo.h), so that a pattern costs almost nothing per article whatever
// it is.
//
// An edit is one letter more, less or other, or two neighbours swapped (optimal string alignment), by
// code points.
//
//   memory   about 40 bytes a pattern
//   threads  a set: shared once built; answers: one
#ifndef PATTERN_H
#define PATTERN_H

#include "watcher/match/dict.h"
#include "watcher/match/word_test.h"

enum { PATTERN_FUZZY_LETTERS = 128 }; // longer words have no near spellings

struct pattern_set;

struct pattern_set *pattern_set_new(uint64_t key);
void pattern_set_free(struct pattern_set *set);

// Files a wildcard (edits 0) or a word with near spellings under `term`. Copies it.
void pattern_set_add(struct pattern_set *set, tc_str pattern, uint8_t edits, uint32_t term);

// Files a test, which is borrowed until pattern_set_free. One of dialect lucene is tried on every
// distinct word; one by form is looked up.
void pattern_set_add_test(struct pattern_set *set, const struct word_test *test, uint32_t term);

size_t pattern_set_count(const struct pattern_set *set);
size_t pattern_set_bytes(const struct pattern_set *set);

// Puts map[term] in the place of every term.
void pattern_set_renumber(struct pattern_set *set, const uint32_t *map);

// The terms of patterns that words matched, one after the other. Zero it.
struct pattern_answers {
    uint32_t *terms;
    size_t used, room;
    struct word_form_reader *forms; // NULL until a set has tests by form
};

void pattern_answer(struct pattern_answers *answers, uint32_t term); // appends
void pattern_answers_done(struct pattern_answers *answers);

// Appends the terms whose patterns the word matches, each once. Gives how many.
size_t pattern_match(const struct pattern_set *set, struct pattern_answers *answers, tc_str word);

// Whether `word` is within `edits` edits of `pattern`.
bool pattern_near_spelling(tc_str pattern, tc_str word, unsigned edits);

#endif
