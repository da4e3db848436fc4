// matcher_body - what a matcher is made of, for the files of this room that read it.
#ifndef MATCHER_BODY_H
#define MATCHER_BODY_H

#include "watcher/match/index.h"
#include "watcher/match/matcher.h"

#include <stdatomic.h>

struct kept_watch { // sorted by number
    uint32_t number;
    struct plan_watch planned;
};

struct matcher {
    const struct watch *const *watches; // borrowed; owner_drop(owner) lets them go
    const struct watch **own;           // the array, when it is ours
    size_t count;
    struct terms terms;
    struct plan plan; // of the watches that need the general evaluator
    struct kept_watch *kept;
    size_t kept_count, kept_room;
    struct index *index;
    struct tc_id id; // random: tells one set from the next, and keys the hashes
    void (*owner_drop)(void *);
    void *owner;
    atomic_uint held;
};

// The plan that is kept of a watch; NULL when there is none.
const struct plan_watch *matcher_kept(const struct matcher *matcher, uint32_t watch);

#endif
