// counts - how many texts hold each word, counted as texts go by.
//
// The matcher files a watch under the rarest of its words; without counts it guesses by their length.
// One scan counts at a time; a matcher is then compiled anew with what it counted.
//
//   memory   about 40 bytes a distinct word, at most COUNTS_WORDS words
//   threads  adding: one; reading: any number, when nobody adds
#ifndef COUNTS_H
#define COUNTS_H

#include "watcher/match/dict.h"
#include "watcher/text/text.h"

enum { COUNTS_WORDS = 1 << 20 }; // no new words beyond

struct counted {
    uint32_t texts, last; // how many held the word, and which was the last
};

struct counts {
    struct dict words; // to counted[]
    struct counted *counted;
    size_t count, room;
    uint32_t texts;
};

void counts_init(struct counts *counts);
void counts_done(struct counts *counts);
struct counts *counts_new(void);         // on the heap
void counts_free(struct counts *counts); // NULL is fine
void counts_add(struct counts *counts, const struct text *text);

// Adds what was counted elsewhere. counts_halve() halves all counts and drops the words that have none left.
void counts_merge(struct counts *counts, const struct counts *more);
void counts_halve(struct counts *counts);

// Word number `index` of counted[]; views the counts. counts_put() adds a word with its number of texts.
tc_str counts_word(const struct counts *counts, uint32_t index);
void counts_put(struct counts *counts, tc_str word, uint32_t texts);

// The share of texts that hold a folded word: more than 0 also for one never met.
float counts_share(const struct counts *counts, tc_str folded);

#endif
