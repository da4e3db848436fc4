// retain - removes what is older than `retain:` says, a little at a time.
//
// Once an hour of the trusted clock (age.h) it notes where the history stands, which tells later how old
// every number is; the wall clock has no say. Alerts that a consumer has not acknowledged stay `protect_ns`
// longer and no longer, so a forgotten consumer does not fill the disk: it hears of a gap. Articles go
// with their last hit, ids stay RETAIN_IDS_DAYS longer than their hits (store.h). Definitions of watches
// stay: they are few, and hits that come later may name them.
//
//   cost     RETAIN_SLICE_MS and one commit a turn while there is something to remove
//   threads  the broker's loop
//   clock    arguments; how long a slice works is measured
#ifndef RETAIN_H
#define RETAIN_H

#include "broker/age.h"
#include "broker/store.h"

enum {
    RETAIN_TICK_MS = 60 * 1000,
    RETAIN_SLICE_MS = 2,
    RETAIN_CHUNK = 8, // rows between two looks at the clock: each may cost reads from disk
    RETAIN_IDS_DAYS = 400,
    RETAIN_DOUBT_PART = 10, // a jump of less than this part of what is kept is harmless
};

struct retain_settings {
    int64_t keep_ns;    // 0: for ever
    int64_t protect_ns; // for consumers that have not acknowledged
    bool trust_clock;   // a person says that the wall clock is right
};

struct retain;

// `store` is borrowed until retain_close(). Gives *out.
//   as the store's writing verbs
int retain_open(struct store *store, const struct retain_settings *settings,
                const struct age_reading *now, struct retain **out, struct tc_err *err);
void retain_close(struct retain *retain);

// Does what is due, in a transaction of its own. `lowest_cursor` is how far the consumer that is furthest
// behind has read, UINT64_MAX without any.
//   TC_EFULL     the disk is full, nothing was removed: tried again at the next tick
//   TC_ECORRUPT  a page is damaged; nothing is removed any more
//   TC_EIO       the disk failed
int retain_turn(struct retain *retain, const struct age_reading *now, uint64_t lowest_cursor,
                struct tc_err *err);

// Nanoseconds until the next turn has something to do.
int64_t retain_wait_ns(const struct retain *retain, const struct age_reading *now);

// How far the wall clock is ahead of the trusted one (negative: behind), and whether that is more than
// can be explained: then nothing that only the wall clock makes old is removed.
int64_t retain_ahead_ns(const struct retain *retain);
bool retain_doubts(const struct retain *retain);

#endif
