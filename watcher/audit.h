// audit - two lists of hits of one article, compared: what the index found, and what trying every watch found.
//
//   threads  none: a function
#ifndef AUDIT_H
#define AUDIT_H

#include "watcher/match/layers.h"

enum audit_fault {
    AUDIT_MISSED, // the watch matches, and the index did not find it
    AUDIT_FALSE,  // the index says that it matches, and it does not
};

typedef void audit_tell(void *context, enum audit_fault fault, const struct layers_hit *hit);

// Tells every difference between two lists in order. Returns how many there were.
size_t audit_compare(const struct layers_hit *found, size_t found_count,
                     const struct layers_hit *all, size_t all_count, audit_tell *tell,
                     void *context);

#endif
