// keeper - the thread at both ends of the pipeline: what is known, what is written, what is answered.
//
// Articles come from the sources through `door`; the keeper looks up what is known of each. What is
// new goes to the scanners through `scan`, comes back through `done`, is written to the outbox with
// everything else that is ready (one transaction, one fsync), and only then answered, shown on the
// tap and submitted to the broker.
//
//   bounds   KEEPER_ON_THE_WAY articles and about KEEPER_BYTES of their text between door and outbox
//            (a text costs many times its size while it is read); the number is also the capacity of `scan` and
//            `done`: handing on never waits. Two versions of one article are never on the way together.
//   blocked  when too many items wait for the broker, or the disk is full, nothing is taken
//            from the door until it is better; nothing is dropped
//   threads  all but keeper_stats, keeper_new and keeper_free belong to the keeper's thread
#ifndef KEEPER_H
#define KEEPER_H

#include "common/log.h"
#include "common/pulse.h"
#include "common/queue.h"
#include "watcher/job.h"
#include "watcher/outbox/outbox.h"
#include "watcher/outbox/submit.h"
#include "watcher/outbox/tap.h"

enum {
    KEEPER_DOOR = 64, // articles that wait at the door
    KEEPER_ON_THE_WAY = 256,
    KEEPER_BYTES = 16 * 1024 * 1024,
    KEEPER_RETRY_MS = 1000, // after a full disk
    KEEPER_TRIM_MS = 10 * 1000,
    KEEPER_TRIM_MORE_MS = 20, // while a slice did not suffice: up to 25,000 rows a second
};

struct keeper_settings { // all borrowed until keeper_free
    struct outbox *outbox;
    struct submit *submit; // NULL: there is no broker, hits are released at once
    struct tap *tap;       // NULL: none
    struct tc_queue *door; // of struct article
    struct tc_queue *scan; // of struct job, to the scanners
    struct tc_queue *done; // of struct job, from the scanners
    uint64_t max_outbox_articles;
    struct tc_pulse pulse; // answered once a turn
    int progress_fd;       // an eventfd that is written after each commit
};

struct keeper;

struct keeper_stats {
    uint64_t articles, hits, duplicates, rejected;
    uint64_t outbox_waiting, outbox_dead, outbox_dead_dropped;
    int64_t outbox_oldest_ns; // how long the item that waits longest does; 0 when none waits
    uint64_t resubmitted;     // items sent again because the broker had lost them
    bool blocked;             // nothing is taken now
    bool link_up;             // the broker answers
    bool link_replaced;       // it does, and says that another watcher has our name
    bool settled;             // nothing is on the way, and nothing is left to write
    int failed;               // TC_OK, or why the keeper has given up
};

struct keeper *keeper_new(const struct keeper_settings *settings);
void keeper_free(struct keeper *keeper); // NULL is fine

// Works until the door is closed and everything taken through it has been answered. A damaged outbox
// or a broken disk ends it earlier; then what was not written is answered "undone".
void keeper_run(struct keeper *keeper);

struct keeper_stats keeper_stats(const struct keeper *keeper); // any thread

#endif
