// timing - how long articles took to read and match, as counts by duration.
//
//   cost     two atomic additions an article, which takes a thousand times as long
//   threads  any
#ifndef TIMING_H
#define TIMING_H

#include "common/json.h"

#include <stdatomic.h>

enum { TIMING_BOUNDS = 12 };

struct timing { // zeroed is empty
    atomic_uint_fast64_t counts[TIMING_BOUNDS + 1], sum_us;
};

void timing_add(struct timing *timing, int64_t ns);

// "matching":{"us":[bound ...],"count":[... and one above all bounds],"sum_us":N}
void timing_put(struct timing *timing, struct tc_json *json);

#endif
