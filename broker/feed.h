// feed - the live endpoint: alerts after their commit, heartbeats, echoes.
//
// The live feed is a hint, FETCH is the truth: a slow subscriber loses messages and sees it by the
// head in the heartbeat. Alerts are read back from the store behind the last one published, so
// that nothing waits in memory, at most FEED_TURN in one turn (a burst larger than the high-water
// mark would be lost even by a healthy subscriber) and no longer than FEED_TURN_MS (nobody else is
// heard meanwhile). While nobody subscribes nothing is read.
//
//   threads  the broker's loop: the XPUB socket is its own
#ifndef FEED_H
#define FEED_H

#include "broker/store.h"

enum {
    FEED_TURN = 5000,
    FEED_TURN_MS = 4, // with a thousand subscribers a burst is a second's work
    FEED_LOOK = 8,    // alerts between two looks at the clock
    FEED_HEARTBEAT_MS = 1000,
};

struct feed;

// `socket` (an XPUB that is bound), `store` and `except` are borrowed until feed_free(). Alerts
// stored before now are history and not published.
struct feed *feed_new(void *socket, struct store *store, const tc_str *except, size_t except_count,
                      int64_t now_mono_ns);
void feed_free(struct feed *feed);

// Goes on with another socket, whose subscribers are still to come.
void feed_move(struct feed *feed, void *socket);

// Reads what subscribers have said, so that it does not pile up.
void feed_listen(struct feed *feed);

// Publishes what was committed since.
//   TC_EIO  the store cannot be read
int feed_publish(struct feed *feed, struct tc_err *err);

// Sends the heartbeat when a second has passed.
void feed_beat(struct feed *feed, int64_t now_wall_ns, int64_t now_mono_ns);

// Sends one message at once.
void feed_send(struct feed *feed, tc_str topic, tc_str body);

// When one of the above has something to do: 0 for now.
int64_t feed_next_mono_ns(const struct feed *feed);

uint64_t feed_sent(const struct feed *feed); // alerts

#endif
