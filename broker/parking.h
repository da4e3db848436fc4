// parking - FETCHes that wait for alerts.
//
// One per connection: a newer one replaces it. They are looked at when alerts have come or their
// time is up, in turn, as far as the budget of the turn goes; the rest in the next one.
//
//   memory   FETCH_PARKED_MOST rows (fetch.h)
//   cost     finding a connection's, and what is due, walks the rows
//   threads  the broker's loop
#ifndef PARKING_H
#define PARKING_H

#include "broker/fetch.h"

struct parking;

typedef void answer_sink(void *context, const struct answer *answer);

struct parking *parking_new(void);
void parking_free(struct parking *parking);

// Answers ERR superseded to what waits on the connection that `newer` goes to.
void parking_replace(struct parking *parking, const struct answer *newer, answer_sink *sink,
                     void *context);

// Answers ERR superseded to all: they ask again.
void parking_clear(struct parking *parking, answer_sink *sink, void *context);

// Answers ERR fenced to those whose consumer has another holder by now.
void parking_fence(struct parking *parking, const struct consumers *consumers, answer_sink *sink,
                   void *context);

// Takes both (the answer by moving its bytes). False, and they are still yours, when it is full.
bool parking_put(struct parking *parking, const struct answer *answer, struct fetch *fetch);

// Runs what is due and answers what has something to say.
void parking_run(struct parking *parking, struct store *store, int64_t now_mono_ns,
                 answer_sink *sink, void *context, struct fetch_budget *budget);

// When parking_run() has something to do: 0 for now, INT64_MAX for never.
int64_t parking_next_mono_ns(const struct parking *parking, const struct store *store);

size_t parking_count(const struct parking *parking);

#endif
