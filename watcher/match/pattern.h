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
//   memory   set: about 40 bytes a pattern; memo: 1.5 MiB, 4 bytes a term and its answers
//   threads  set: shared once built; memo: one thread
#ifndef PATTERN_H
#define PATTERN_H

#include "watcher/match/dict.h"
#include "watcher/match/lexicon.h"
#include "watcher/match/word_test.h"

enum {
    PATTERN_SLOTS = 64 * 1024,         // a power of two
    PATTERN_LONGS_MOST = 32 * 1024,    // long words remembered
    PATTERN_ANSWERS_MOST = 512 * 1024, // then the memo begins anew
    PATTERN_FUZZY_LETTERS = 128,       // longer words have no near spellings
};

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

// What a thread remembers. A watched word remembers by its term, another short one in a table where a
// newer word takes the place of an older one, a long one in a dict. When the answers fill their room it
// begins anew.
struct pattern_slot {
    struct lexicon_key key;
    uint32_t answer;
};

struct pattern_memo {
    uint32_t *by_term; // where the answer begins; 0: not asked yet
    size_t term_room;
    struct pattern_slot *slots;
    struct dict longs;
    uint32_t *answers; // a count, then the terms
    size_t used, capacity;
    struct word_form_reader *forms; // NULL until a set has tests by form
};

enum { PATTERN_NOTHING = 1 }; // the answer of no terms stands there

void pattern_memo_init(struct pattern_memo *memo);
void pattern_memo_done(struct pattern_memo *memo);

// Before another set is asked, of which terms are below `terms`.
void pattern_memo_clear(struct pattern_memo *memo, size_t terms);

struct pattern_word {
    tc_str bytes;
    uint32_t term; // 0: not watched
    struct lexicon_key key;
    uint64_t hash;
};

// Whether it is remembered that a word matches no pattern, without a branch.
static inline bool pattern_known_nothing(const struct pattern_memo *memo, uint32_t term,
                                         struct lexicon_key key, uint64_t hash)
{
    const struct pattern_slot *slot =
        &memo->slots[term ? 0
                          : hash & (PATTERN_SLOTS - 1)]; // of watched words: always the same line
    bool same = (slot->key.low == key.low) & (slot->key.high == key.high);
    bool by_term = (term != 0) & (memo->by_term[term] == PATTERN_NOTHING);
    return by_term | ((term == 0) & same & (slot->answer == PATTERN_NOTHING));
}

// The terms whose patterns the word matches. Views the memo until its next call.
size_t pattern_find(const struct pattern_set *set, struct pattern_memo *memo,
                    const struct pattern_word *word, const uint32_t **terms);

// Whether `word` is within `edits` edits of `pattern`.
bool pattern_near_spelling(tc_str pattern, tc_str word, unsigned edits);

#endif
