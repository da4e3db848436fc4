// contest - the matcher against the plain reading, on random watches and articles.
//
// Used by random_test (some thousand pairs with every commit) and by match_soak (millions, by hand). A
// difference is made as small as it can be, and printed with the seed that repeats it.
//
//   memory   what a round needs is freed after it
//   threads  one
#ifndef CONTEST_H
#define CONTEST_H

#include "tests/watcher/match/sample.h"
#include "watcher/match/scan.h"

enum { CONTEST_WATCHES = 24, CONTEST_ARTICLES = 8 };

struct contest {
    uint64_t seed;        // of the next round
    uint64_t pairs, hits; // watches x segments compared, and how many of them matched
    struct scan *scan;
    struct word_form_reader *forms;
    // Told of every match, NULL for nobody.
    void (*saw)(const struct matcher *matcher, uint32_t watch);
};

void contest_open(struct contest *contest, uint64_t seed);
void contest_done(struct contest *contest);

// One set of watches on some articles. `shapes`: queries as most watches have, else of every operator. Gives the
// number of differences, each told on standard error. A round is repeated by its seed alone.
int contest_round(struct contest *contest, bool shapes);

#endif
