// fetch - FETCH: alerts from the history, at once or as soon as there are some.
//
// Work is bounded: one run reads at most FETCH_ROWS rows, all runs of one turn little more (struct
// fetch_budget), and the answer says how far it came (next_after), so that a filter that matches
// nothing in millions of alerts costs many small runs and never a long one, and a thousand such
// clients make many turns and never a long one. A FETCH that finds nothing and may wait is parked, as
// is one whose turn has no budget left, one per connection.
//
//   memory   a parked FETCH is about 300 bytes and its filters; FETCH_PARKED_MOST of them
//   threads  the broker's loop
#ifndef FETCH_H
#define FETCH_H

#include "broker/lease.h"

enum {
    FETCH_ROWS = 1000,       // a run, and a turn but for its last run; 4 to 5 ms
    FETCH_TURN_MS = 3,       // likewise: rows that lie on a slow disk
    FETCH_LOOK_ROWS = 64,    // between two looks at the clock
    FETCH_RUN_ROWS = 20,     // what a run costs besides its rows, in rows
    FETCH_EVENTS_MOST = 500, // max_n
    FETCH_EVENTS_DEFAULT = 100,
    FETCH_BYTES_MOST = 1024 * 1024, // max_bytes
    FETCH_WAIT_MOST_MS = 30000,
    FETCH_PARKED_MOST = 1024,
};

struct fetch; // one request, parsed

// What is left of a turn, and what its runs have met.
struct fetch_budget {
    size_t rows;         // begin with FETCH_ROWS; 0: wait for the next turn
    int64_t end_mono_ns; // when the turn's time is over; a run reads FETCH_LOOK_ROWS all the same
    uint64_t damaged;    // rows that failed their checksum
};

// Reads the request. Gives *out, which fetch_free() ends; answer's rid is filled in. What it says of a
// consumer is stored at once, which wants an open transaction.
//   TC_EPARSE  header, TC_ENOMEM  a limit, TC_EVERSION  another epoch
//   TC_EBUSY, TC_EPROTO  as consumers_enter; else the store's failure
int fetch_open(const struct request *request, const struct lease_room *room, struct answer *answer,
               struct fetch **out, struct tc_err *err);
void fetch_free(struct fetch *fetch);

// True when it speaks for a consumer whose lease is another one by now. Answers ERR fenced then.
bool fetch_fenced(const struct fetch *fetch, const struct consumers *consumers,
                  struct answer *answer);

// Reads alerts into the answer (BATCH). False when there is nothing to say yet and it may wait, or
// nothing is left of the budget. Failing reads are answered ERR.
bool fetch_run(struct fetch *fetch, struct store *store, int64_t now_mono_ns, struct answer *answer,
               struct fetch_budget *budget);

// When it must be answered at the latest.
int64_t fetch_deadline(const struct fetch *fetch);

// True when alerts have come since it last ran, or it never ran.
bool fetch_due(const struct fetch *fetch, const struct store *store);

#endif
