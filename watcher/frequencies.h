// frequencies - how many articles hold each word, counted in samples as articles go by.
//
// The matcher files a watch under the rarest of its words (counts.h). At a cold start it guesses by their length;
// with what was counted it is compiled anew in the background. Each scan thread has a sampler, which counts for
// itself and hands over what it has from time to time; the main thread adds that up, forgets slowly what is long
// ago, and says when compiling again is worth it.
//
//   memory   about 40 bytes a distinct word, at most COUNTS_WORDS of them, and as much in each sampler
//   disk     FILE: a line for each word that was met twice, read at the start
//   cost     counting a text costs about as much as reading it; one in SAMPLER_ONE_IN is counted
//   threads  a sampler: one; frequencies: the main thread
#ifndef FREQUENCIES_H
#define FREQUENCIES_H

#include "common/err.h"
#include "common/queue.h"
#include "watcher/match/counts.h"

enum {
    SAMPLER_ALL = 512,   // so many texts are all counted, then
    SAMPLER_ONE_IN = 16, // one in so many
    SAMPLER_FIRST = 64,  // texts that are handed over at first; twice as many each time, up to
    SAMPLER_MOST = 512,
    FREQUENCIES_QUEUE = 64,  // handed over and not added yet
    FREQUENCIES_FIRST = 256, // texts that are worth compiling for, measured: docs/PERFORMANCE.md
    FREQUENCIES_SURE = 4096, // up to here four times as many are worth it again
    FREQUENCIES_FORGET = 64 * 1024, // texts, then all counts are halved
};

struct sampler;

// `out` is borrowed: a queue of struct counts *, each the receiver's (frequencies_add).
struct sampler *sampler_new(struct tc_queue *out);
void sampler_free(struct sampler *sampler); // NULL is fine
void sampler_note(struct sampler *sampler, const struct text *text);

struct frequencies;

struct frequencies *frequencies_new(void);
void frequencies_free(struct frequencies *frequencies);                       // NULL is fine
void frequencies_add(struct frequencies *frequencies, struct counts *counts); // takes them

// What was counted; NULL while that is too little. Views the frequencies until the next call.
const struct counts *frequencies_counts(const struct frequencies *frequencies);
uint64_t frequencies_texts(const struct frequencies *frequencies);

// Whether the watches should be compiled with what is counted now: for the first time, with much more than
// the last time, or because the words of articles have changed since.
bool frequencies_worth(const struct frequencies *frequencies);
void frequencies_used(struct frequencies *frequencies); // they are compiled with it

// Writes FILE in one step; reads it, when it is there, over what is counted.
//   TC_ENOENT  there is none
//   TC_EIO     cannot be read or written
//   TC_EPARSE  not such a file: nothing is taken from it
int frequencies_save(const struct frequencies *frequencies, const char *file, struct tc_err *err);
int frequencies_load(struct frequencies *frequencies, const char *file, struct tc_err *err);

#endif
