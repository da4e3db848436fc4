// chance - random numbers that a seed repeats, for choosing cases in tests (Knuth's MMIX generator).
#ifndef CHANCE_H
#define CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

// Seeds that lie close together begin far apart.
static inline struct chance chance_of(uint64_t seed)
{
    return (struct chance){(seed + 1) * UINT64_C(0x9E3779B97F4A7C15)};
}

// From 0 to limit - 1.
static inline int chance_below(struct chance *chance, int limit)
{
    chance->state = chance->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((chance->state >> 33) % (uint64_t)limit);
}

static inline bool chance_one_in(struct chance *chance, int odds)
{
    return chance_below(chance, odds) == 0;
}

#endif
