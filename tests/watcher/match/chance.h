// chance - what random tests draw from: numbers and words. The seed is printed; TEST_SEED repeats a run.
#ifndef CHANCE_H
#define CHANCE_H

#include "tests/watcher/match/try.h"

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static const char *const vocabulary[] = {"kalo", "kami", "lomi", "lonu", "nupe", "peka",
                                         "mire", "sato", "kam",  "lom",  "vatu", "wero"};
enum { VOCABULARY = sizeof vocabulary / sizeof *vocabulary };

static uint64_t chance;

static int below(int limit)
{
    chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((chance >> 33) % (uint64_t)limit);
}

static const char *any_word(void)
{
    return vocabulary[below(VOCABULARY)];
}

static void begin(void)
{
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
    chance = seed;
}

#endif
