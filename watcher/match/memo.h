// memo - what a thread remembers of the words of texts.
//
// Texts repeat their words, so what a watch set says of a word is worked out once: its term and the terms
// whose patterns it matches. A short word (LEXICON_SHORT bytes) has a slot in a table where a newer word
// takes the place of an older one: half a cache line that answers everything, asked for as soon as the
// hash is known, and compared whole, so that a slot is right or not this word's. What is not there is
// looked up in the lexicon and the patterns; a watched word's patterns are remembered by its term and a
// long word's in a dict, so that these are tried once even when a slot is lost.
//
//   memory   slots: 1 MiB; 4 bytes a term; the answers, which begin anew at MEMO_ANSWERS_MOST
//   threads  one
#ifndef MEMO_H
#define MEMO_H

#include "watcher/match/lexicon.h"
#include "watcher/match/pattern.h"

enum {
    MEMO_SLOTS = 32 * 1024,         // a power of two
    MEMO_LONGS_MOST = 32 * 1024,    // long words remembered
    MEMO_ANSWERS_MOST = 512 * 1024, // numbers
    MEMO_NOTHING = 1,               // the answer of no terms stands there; 0 is no answer
};

struct memo_slot {
    _Alignas(32) struct lexicon_key key;
    uint32_t term, answer;
};

struct memo { // memo_init, memo_done; memo_use before the first word
    const struct lexicon *lexicon;
    const struct lexicon_words *words;
    const struct pattern_set *patterns;
    struct memo_slot *slots;
    uint32_t *by_term; // where the answer begins
    size_t term_room;
    struct dict longs;              // the same
    struct pattern_answers answers; // a count, then the terms
};

void memo_init(struct memo *memo);
void memo_done(struct memo *memo);

// Forgets all. From now on words are looked up in these, which are borrowed until the next memo_use;
// `terms` is more than any term.
void memo_use(struct memo *memo, const struct lexicon *lexicon, const struct lexicon_words *words,
              const struct pattern_set *patterns, size_t terms);

struct memo_word {
    tc_str bytes;
    struct lexicon_key key;
    uint64_t hash; // of the lexicon
};

static inline const struct memo_slot *memo_slot(const struct memo *memo, uint64_t hash)
{
    return &memo->slots[hash & (MEMO_SLOTS - 1)];
}

// Whether a slot is that of a word. Never of a long one.
static inline bool memo_is(const struct memo_slot *slot, struct lexicon_key key)
{
    return !((slot->key.low ^ key.low) | (slot->key.high ^ key.high));
}

// The term of a word, and the `count` terms whose patterns it matches; these view the memo until the
// next call.
uint32_t memo_ask(struct memo *memo, const struct memo_word *word, const uint32_t **terms,
                  size_t *count);

#endif
