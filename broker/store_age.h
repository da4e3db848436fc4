// store_age - the oldest rows of the store: how old they are, and their removal. For retain.h.
//
// All verbs that write want an open transaction and fail as those of store.h; a removal takes at most
// `most` rows from the old end, up to and with number `up_to`, and says how many it took.
//
//   cost     a hit costs about what it cost to store: its id moves to `seen`
//   threads  the broker's loop
#ifndef STORE_AGE_H
#define STORE_AGE_H

#include "broker/age.h"
#include "broker/store.h"

// The trusted clock as it was last written down.
//   TC_ENOENT  it never was
int store_age(struct store *store, struct age *out, struct tc_err *err);
int store_put_age(struct store *store, const struct age *age, struct tc_err *err);

struct store_hour {
    int64_t hour; // since 1970
    uint64_t head, hhead;
};
// Notes where the history stands in this hour. Noted already: nothing changes.
int store_put_hour(struct store *store, int64_t hour, struct tc_err *err);

// The last note of that hour or before; all 0 when there is none.
int store_hour_before(struct store *store, int64_t hour, struct store_hour *out,
                      struct tc_err *err);

// Forgets the notes of hours after this one: the clock was ahead when they were made. What they told of
// counts as younger than it is.
int store_forget_hours_after(struct store *store, int64_t hour, struct tc_err *err);

int store_drop_alerts(struct store *store, uint64_t up_to, uint64_t most, uint64_t *count,
                      struct tc_err *err);
int store_drop_hits(struct store *store, uint64_t up_to, uint64_t most, uint64_t *count,
                    struct tc_err *err);
// Articles all of whose hits are gone.
int store_drop_articles(struct store *store, uint64_t most, uint64_t *count, struct tc_err *err);
// The ids of hits that are gone: one that comes again then is a new one.
int store_drop_ids(struct store *store, uint64_t up_to, uint64_t most, uint64_t *count,
                   struct tc_err *err);
int store_drop_hours(struct store *store, int64_t before, uint64_t most, uint64_t *count,
                     struct tc_err *err);

#endif
