// link - what the watcher says to the broker next: the state machine of submitting.
//
//   DOWN --(time)--> HELLO --WELCOME--> READY --(three heartbeats missed, NAK session)--> DOWN
//
// NAK replaced: another watcher has our name. From then on HELLO asks politely, at long intervals, until
// the broker lets us in because the other is gone; two of one name do not fight.
//
// Pure: no socket, no database, no clock. submit.c tells it what came in and when; link_next() says
// what has to go out. A batch is known by the numbers of its items, so it is sent again exactly as it
// was; after a refusal or silence all batches of the window go again in their order (go back N), as
// the broker takes the batches of a session only without a gap.
//
//   memory   LINK_WINDOW batches of LINK_BATCH_ITEMS numbers
//   threads  the outbox thread
//   source   docs/protocol.md, HELLO and PUT
#ifndef LINK_H
#define LINK_H

#include "common/hash.h"
#include "common/str.h"

enum {
    LINK_WINDOW = 32, // batches on the way
    LINK_BATCH_ITEMS = 64,
    LINK_BATCH_BYTES = 1024 * 1024,
    LINK_NEED_MOST = 256,     // definitions of one WATCH; the broker asks again for the rest
    LINK_HEARTBEAT_MS = 1000, // how often we ask whether the broker is there
    LINK_SILENCE_MS = 3500,   // three heartbeats missed
    LINK_TIMEOUT_MS = 1000,   // first; doubles up to the next line, each +- 20 %
    LINK_TIMEOUT_MOST_MS = 30 * 1000,
    LINK_YIELD_MS = 5 * 1000, // between two polite HELLOs, +- 20 %
    LINK_UNSENT_MS = 100,     // a message that libzmq did not take is tried again after
};

enum link_state { LINK_DOWN, LINK_HELLO, LINK_READY };

struct link_batch {
    uint64_t number, rid;
    uint64_t items[LINK_BATCH_ITEMS]; // numbers in the outbox, rising
    size_t count;
    bool sent; // since the last refusal or silence
    int64_t sent_mono_ns;
};

enum link_act {
    LINK_WAIT,      // nothing now; see link_wait_ms
    LINK_OPEN,      // close the socket, open a new one, then link_opened()
    LINK_SAY_HELLO, // then link_sent()
    LINK_DEFINE,    // WATCH with the definitions in `need`, then link_sent()
    LINK_AGAIN,     // PUT of `batch` as it was, then link_sent()
    LINK_NEW,       // load items behind `after`: PUT them and link_put(), or link_empty()
    LINK_BEAT,      // HB, then link_sent()
};

struct link_order {
    enum link_act act;
    uint64_t rid;
    const struct link_batch *batch;
    uint64_t number, after; // NEW: the batch's number; items behind `after`
    size_t most;            // NEW: at most that many items
    bool yield;             // HELLO: only if no other watcher has our name
    const struct tc_id *need;
    size_t need_count;
};

struct link;

// `seed` makes the jitter; tests give a fixed one.
struct link *link_new(uint64_t seed, int64_t now_mono_ns); // link_free() ends it
void link_free(struct link *link);

enum link_state link_state(const struct link *link);

// Whether another watcher has our name.
bool link_replaced(const struct link *link);

// What to do now. Views the link until the next call of a function that is not const.
struct link_order link_next(struct link *link, int64_t now_mono_ns);

// How long link_next() will say LINK_WAIT when nothing comes in: milliseconds, at least 0.
int link_wait_ms(const struct link *link, int64_t now_mono_ns);

// ---- what was done ------------------------------------------------------------------------

void link_opened(struct link *link, int64_t now_mono_ns);
void link_sent(struct link *link, const struct link_order *order, bool taken, int64_t now_mono_ns);
void link_put(struct link *link, const struct link_order *order, const uint64_t *items,
              size_t count, int64_t now_mono_ns);
void link_empty(struct link *link); // nothing waits behind `after`
void link_wake(struct link *link);  // something may wait now

// ---- what came in -------------------------------------------------------------------------

void link_heard(struct link *link, int64_t now_mono_ns); // with every message, first

// False when it answers no HELLO that waits.
bool link_welcome(struct link *link, uint64_t rid, size_t batch_items, int64_t now_mono_ns);

// The broker stored batch `number` and tells of `count` items. Copies the batch to *out; false when
// it is not the oldest batch on the way (a repeated answer, or one before it was lost: then both are
// sent again) or the counts differ (a new session begins). So answers count in the order of the items.
bool link_ack(struct link *link, uint64_t number, size_t count, int64_t now_mono_ns,
              struct link_batch *out);

enum link_refusal { LINK_GAP, LINK_SESSION, LINK_REPLACED, LINK_DISK, LINK_WATCH, LINK_OTHER };
struct link_nak {
    uint64_t rid;
    enum link_refusal reason;
    uint64_t expected, retry_ms; // expected: of LINK_GAP
    const struct tc_id *need;    // of LINK_WATCH
    size_t need_count;
};
void link_nak(struct link *link, const struct link_nak *nak, int64_t now_mono_ns);

void link_defined(struct link *link, uint64_t rid); // OK to WATCH

// The session is of no use: the broker refuses the connection itself (then the socket is dead), or what it
// asked for cannot be done. Another one is opened after a pause that grows.
void link_refused(struct link *link, int64_t now_mono_ns);

// The broker cannot read a request (ERR). True when it was a PUT of a single item, which is copied to
// *out: that item is what it cannot read. Otherwise batches of one item find it.
bool link_error(struct link *link, uint64_t rid, int64_t now_mono_ns, struct link_batch *out);

#endif
