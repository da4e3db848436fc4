// matcher_body - what a matcher is made of, for the files of this room that read it.
#ifndef MATCHER_BODY_H
#define MATCHER_BODY_H

#include "watcher/match/index.h"
#include "watcher/match/matcher.h"

#include <stdatomic.h>

struct matcher {
    const struct watch *watches; // borrowed; owner_drop(owner) lets them go
    size_t count;
    struct plan *plan;
    struct index *index;
    struct tc_id id; // random: tells one set from the next, and keys the hashes
    void (*owner_drop)(void *);
    void *owner;
    atomic_uint held;
};

#endif
