// live - alerts from a live feed: the broker's, or a watcher's tap. Fast, and may lose.
//
// What got lost is seen in two ways: a jump in the numbers, and a heartbeat whose newest number has
// not come by the next heartbeat (a heartbeat may overtake alerts that are still being sent). Both
// need every number, so neither is done when topics are filtered.
//
// A broker that sent heartbeats and falls silent for SILENCE_MS is connected to anew: without a
// word from the other machine, TCP may believe in a dead connection for long.
//
//   memory   one event; while settling, at most LIVE_KEPT_MOST messages that came meanwhile
//   safe     for libtocsin
#ifndef LIVE_H
#define LIVE_H

#include "client/event.h"
#include "client/filter.h"
#include "client/wire.h"
#include "common/frame.h"

enum { LIVE_KEPT_MOST = 10000, LIVE_NONCE_BYTES = 33, LIVE_EPOCH_BYTES = 33 };

struct live_kept; // an event that came while settling

struct live {
    void *context;                // borrowed until live_done()
    const char *endpoint;         // borrowed until live_done()
    const struct tc_curve *curve; // borrowed likewise; NULL: no keys
    int timeout_ms;
    struct filter filter;
    struct wire wire;
    struct tc_frames *frames;
    struct event event;       // the one given last
    struct tocsin_event held; // it, when a notice is told before it
    bool holding;

    bool up, told_down; // what has been told about the connection
    int64_t down_by;    // silence until here is an outage
    char epoch[LIVE_EPOCH_BYTES];
    bool counting;     // `last` is known
    uint64_t last;     // the highest number that came, or was given up
    uint64_t promised; // the newest number of the heartbeat before
    bool heartbeats;   // this feed has them

    char nonce[LIVE_NONCE_BYTES]; // of the echo waited for
    bool echoed;
    struct live_kept *kept, **kept_end;
    size_t kept_count;
};

//   TC_EINVAL, TC_EFULL, TC_ENOMEM
int live_init(struct live *live, void *context, const char *endpoint,
              const struct tocsin_stream *wanted, struct tc_err *err);
void live_done(struct live *live);

// Gives the next event, waiting at most to `until` (mono ns).
//   TC_OK, TC_ETIMEOUT (nothing came), and as tocsin_next()
int live_next(struct live *live, int64_t until, struct tocsin_event *out, struct tc_err *err);

// Subscribes to the echo of `nonce`, behind all other subscriptions.
int live_await_echo(struct live *live, const char *nonce, struct tc_err *err);

// Receives, at most to `until`, and keeps what comes for live_next(). Stops when the echo came:
// live->echoed.
int live_look_for_echo(struct live *live, int64_t until, struct tc_err *err);

#endif
