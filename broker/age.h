// age - a clock by which retention counts, and which a jump of the wall clock does not move.
//
// Within one boot of the machine it runs by CLOCK_BOOTTIME, which counts sleep and cannot be set. Over a
// boot nothing but the wall clock knows how long the machine was off; it is believed up to a limit. What
// the wall clock is ahead of this one is for a person to judge.
//
//   threads  none: plain data; the clocks are arguments
#ifndef AGE_H
#define AGE_H

#include "common/err.h"
#include "common/hash.h"

struct age_reading {
    int64_t wall_ns, boot_ns; // boot_ns: since the machine started
    struct tc_id boot;        // which start that was
};

struct age {
    int64_t clock_ns;        // ns since 1970, as far as it is to be trusted
    struct age_reading last; // when it was moved on
};

// Reads the clocks of the machine. A machine that does not tell its boots counts as started anew.
void age_read(struct age_reading *out);
void age_read_again(struct age_reading *reading); // the clocks only: within one boot

// Takes the wall clock for the truth: of a new store, or because a person said so.
void age_begin(struct age *age, const struct age_reading *now);

// Moves on to `now`; over a boot by at most `off_most_ns` besides the time since that boot.
void age_go(struct age *age, const struct age_reading *now, int64_t off_most_ns);

// How far the wall clock is ahead; negative when it is behind.
int64_t age_ahead_ns(const struct age *age);

#endif
