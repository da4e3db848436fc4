// verdicts - what the broker has said of items, until it is written to the outbox.
//
//   memory   56 bytes each, and the reasons of those that were refused
//   threads  the outbox thread
#ifndef VERDICTS_H
#define VERDICTS_H

#include "watcher/outbox/outbox.h"

struct verdict {
    uint64_t n;
    const char *dead;       // the broker's reason; NULL: stored
    struct tc_id run;       // of outbox_place, zeros when the broker told none
    uint64_t commits, hseq; // likewise
};

struct verdicts {         // zeroed: none
    struct verdict *list; // in the order of their items
    size_t count, capacity;
    int64_t first_mono_ns; // when the first of them came
};

void verdicts_done(struct verdicts *verdicts);
void verdicts_clear(struct verdicts *verdicts);

// Copies *verdict with its reason.
void verdicts_add(struct verdicts *verdicts, const struct verdict *verdict, int64_t now_mono_ns);

// Writes all, in an open transaction: few rows, as one says of all items up to its own that they are stored.
// Errors as outbox_acked().
int verdicts_write(const struct verdicts *verdicts, struct outbox *outbox, const char *epoch,
                   int64_t now_wall_ns, struct tc_err *err);

#endif
