// stats - STATS: where the broker stands, in one answer.
//
// The lists are cut (STATS_CONSUMERS, STATS_WATCHERS) so that the header stays below its 16 KiB.
#ifndef STATS_H
#define STATS_H

#include "broker/consumers.h"
#include "broker/intake.h"

enum { STATS_CONSUMERS = 64, STATS_WATCHERS = 16 };

// What only the loop knows; it keeps them up to date.
struct gauges {
    int64_t clock_ahead_ns; // of the wall clock (retain.h)
    bool clock_doubted;
    bool read_only; // too little room: nothing is stored
    uint64_t disk_free_bytes;
    int64_t loop_longest_ns; // that the loop was busy at a stretch, in the last minute or two
};

struct stats {
    struct store *store;
    const struct watches *watches;
    const struct consumers *consumers;
    const struct intake *intake;
    int64_t started_wall_ns, now_wall_ns;
    uint64_t live_sent, parked, damaged;
    bool stopping, disk_full;
    const struct gauges *gauges;
};

//   TC_EPARSE  the request's header
int stats_answer(const struct stats *stats, const struct request *request, struct answer *answer,
                 struct tc_err *err);

#endif
