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
void counts_add(struct counts *counts, const struct text *text);

// The share of texts that hold a folded word: more than 0 also for one never met.
float counts_share(const struct counts *counts, tc_str folded);

#endif
