// pull - alerts out of the broker's history, by number: follow, query, consume.
//
// One question is out at any time. A FETCH waits at the broker until there is something (long poll), so
// a new alert costs one message, no live feed is needed to wake anybody up, and nothing is ever
// missed: where the stream stands is a number, and the next FETCH says it. The first FETCH does not
// wait, nor one after an outage; its answer says that the stream stands, and pins the number that
// "latest" or "since" stand for, so that a lost connection cannot move it.
//
// A consumer begins with ATTACH, which gives the lease and the cursor; the broker keeps the lease
// over a restart, so a lost connection needs no second one. When somebody else attaches, the next
// answer is "fenced" and the stream ends. A cursor of another history is told as EPOCH and then taken
// over as it stands, unless the caller seeks: it lies in the same file as the history, so that a
// restored or recovered one brings the cursor that fits it.
//
// A consumer's cursor also moves over alerts that its filters leave out: when every alert that was
// given has been acknowledged, a FETCH acknowledges up to where it begins.
//
//   safe     for libtocsin
#ifndef PULL_H
#define PULL_H

#include "client/event.h"
#include "client/filter.h"
#include "client/peer.h"

enum { PULL_NAME_BYTES = 64, PULL_EPOCH_BYTES = 33, PULL_TIME_BYTES = 32 };

// What has been told about the connection.
enum pull_state { PULL_BEGINNING, PULL_UP, PULL_DOWN };

struct pull {
    struct peer peer;
    struct filter filter;
    struct event event; // the event given last
    enum tocsin_start start;
    char consumer[PULL_NAME_BYTES]; // "" for none
    char since[PULL_TIME_BYTES];    // as the protocol writes it
    int timeout_ms;
    bool once; // ends at the number that was the newest when it began

    bool pinned;                  // `after` and `epoch` are known
    uint64_t after;               // everything up to here was given or passed over
    uint64_t given;               // the last alert that was given, in this history
    uint64_t acknowledged;        // by a consumer
    char lease[PULL_EPOCH_BYTES]; // of a consumer; "" before ATTACH was answered
    bool stale;                   // its cursor is another history's: SEEK comes next
    bool fenced;                  // somebody else has the name
    char epoch[PULL_EPOCH_BYTES];
    bool end_known;
    uint64_t end; // with once: the newest number when it began
    bool ended;

    enum pull_state state;
    int64_t down_by;    // beginning: when silence becomes DISCONNECTED
    int64_t not_before; // a refused FETCH is not repeated at once
    uint64_t asked_on;  // the connection that the FETCH is out on; 0: none is out
    int64_t answer_by;  // when a silent broker is given up

    bool holding;        // an answer is being given out: first what is told, then its events
    bool tell_connected; //   the stream stands (again)
    bool tell_gap;       //   the answer's gap
    size_t damaged_told; //   how many of its damaged numbers
    size_t events_told;  //   how many of its events
    uint64_t head;       // the newest number when it was made
    uint64_t next_after; // where the stream stands after it
};

// Begins a stream on an endpoint (borrowed until pull_done()). `consumer` may be NULL.
//   TC_EINVAL, TC_EFULL, TC_ENOMEM
int pull_init(struct pull *pull, void *context, const char *endpoint,
              const struct tocsin_stream *wanted, const char *consumer, struct tc_err *err);
void pull_done(struct pull *pull);

// The caller's acknowledgement of everything up to `seq` was taken.
void pull_acknowledged(struct pull *pull, uint64_t seq);

// The cursor was put to `seq`: what is in hand is dropped, the stream goes on there.
void pull_sought(struct pull *pull, uint64_t seq);

// Adds the place where a caller wants to begin: "after" (or `key`) and its word or number, or "since".
void pull_write_place(const char *key, enum tocsin_start start, uint64_t after, const char *since,
                      struct tc_json *json);

// A time as the protocol writes it.
//   TC_EINVAL  it is none
int pull_read_since(const char *text, char out[PULL_TIME_BYTES], struct tc_err *err);

// Gives the next event, waiting at most to `until` (mono ns).
//   TC_OK, TC_ETIMEOUT (nothing came), and as tocsin_next()
int pull_next(struct pull *pull, int64_t until, struct tocsin_event *out, struct tc_err *err);

#endif
