// match_soak - the matcher against the plain reading for as long as one likes: ./run soak match [PAIRS].
//
// Prints the seed first, the pairs checked now and then and at the end. Ends after PAIRS pairs of a watch and a
// segment, or after MINUTES, and at the first difference.
//
//   match_soak [PAIRS [MINUTES [SEED]]]

#include "tests/watcher/match/contest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PAIRS = 50 * 1000 * 1000, MINUTES = 20, REPORT_SECONDS = 60 };

static uint64_t number(const char *text, uint64_t otherwise)
{
    char *end = NULL;
    uint64_t value = text ? strtoull(text, &end, 10) : otherwise;
    if (text && (end == text || *end)) {
        fprintf(stderr, "match_soak: \"%s\" is no number\n", text);
        exit(2);
    }
    return value;
}

static void report(const struct contest *contest, time_t began)
{
    printf("%" PRIu64 " pairs, %" PRIu64 " matches, %ld s, no difference\n", contest->pairs,
           contest->hits, (long)(time(NULL) - began));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct contest contest;
    time_t began = time(NULL), told = began;
    uint64_t pairs = number(argc > 1 ? argv[1] : NULL, PAIRS);
    uint64_t minutes = number(argc > 2 ? argv[2] : NULL, MINUTES);
    uint64_t seed = number(argc > 3 ? argv[3] : NULL, (uint64_t)began);
    int wrong = 0;
    printf("seed %" PRIu64 ", at most %" PRIu64 " pairs and %" PRIu64 " minutes\n", seed, pairs,
           minutes);
    contest_open(&contest, seed);
    while (!wrong && contest.pairs < pairs && (uint64_t)(time(NULL) - began) < 60 * minutes) {
        bool shapes = contest.seed & 1; // so that a seed alone repeats its round
        wrong = contest_round(&contest, shapes);
        if (time(NULL) - told >= REPORT_SECONDS) {
            told = time(NULL);
            report(&contest, began);
        }
    }
    if (!wrong)
        report(&contest, began);
    contest_done(&contest);
    return wrong ? 1 : 0;
}
