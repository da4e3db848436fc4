// pattern - predicates on one word: wildcards and near spellings.
//
// A set of patterns is tried against a word at once. A wildcard is filed under its longest run of
// letters (at the start, at the end, or anywhere in the word), so that a word meets only the patterns
// whose run it holds; a near spelling (fuzzy) is filtered by length and by which letters occur.
// What a word matched is remembered (pattern_memo): texts repeat their words, so that a pattern costs
// almost nothing per article whatever it is.
//
// An edit is one letter more, less or other, or two neighbours swapped (optimal string alignment), by
// code points.
//
//   memory   set: about 40 bytes a pattern; memo: PATTERN_MEMO_WORDS words, then it begins anew
//   threads  set: shared once built; memo: one thread
#ifndef PATTERN_H
#define PATTERN_H

#include "watcher/match/dict.h"
#include "watcher/match/word_test.h"

enum {
    PATTERN_MEMO_WORDS = 64 * 1024,
    PATTERN_FUZZY_LETTERS = 128, // longer words have no near spellings
};

struct pattern_set;

struct pattern_set *pattern_set_new(uint64_t key);
void pattern_set_free(struct pattern_set *set);

// Files a wildcard (edits 0) or a word with near spellings under `term`. Copies it.
void pattern_set_add(struct pattern_set *set, tc_str pattern, uint8_t edits, uint32_t term);

// Files a test of dialect lucene, which is borrowed until pattern_set_free. It is tried on every
// distinct word.
void pattern_set_add_test(struct pattern_set *set, const struct word_test *test, uint32_t term);

size_t pattern_set_count(const struct pattern_set *set);
size_t pattern_set_bytes(const struct pattern_set *set);

struct pattern_memo;

struct pattern_memo *pattern_memo_new(void);
void pattern_memo_free(struct pattern_memo *memo);
void pattern_memo_clear(struct pattern_memo *memo); // before another set is asked

// The terms whose patterns the word matches. Views the memo until its next call.
size_t pattern_find(const struct pattern_set *set, struct pattern_memo *memo, tc_str word,
                    const uint32_t **terms);

// Whether `word` is within `edits` edits of `pattern`.
bool pattern_near_spelling(tc_str pattern, tc_str word, unsigned edits);

#endif
