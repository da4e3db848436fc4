// outbox - hits that nobody has confirmed yet, in a SQLite file of the watcher's own.
//
// An article's mark, its hits and the definitions they need are written in one transaction (WAL,
// synchronous FULL) before anything is sent or acknowledged. Items stay after the broker's
// acknowledgement for the resubmit horizon, then go: should the broker's history turn out to be
// shorter than it said, outbox_requeue() makes them wait again.
//
// The broker takes items in their order, so one number, `upto`, parts what it has from what waits: an
// acknowledgement writes a small row for many items, and taking it back deletes that row.
//
// Ages are counted on the outbox's own clock, which runs with the monotonic one, also over restarts
// within one boot of the machine, and stands still otherwise. A wall clock that jumps moves nothing.
//
// A later version of an article that has hit is an item too, when nothing matches its text: a notice, so that
// the broker hears of corrections and cancellations. The marks know what has hit.
//
// One mark per version of an article: whatever was accepted once is known when it comes again, in
// whatever order (a file of several versions that is read again after a crash makes nothing new).
//
//   tables   mark(source, id, version, content, seen, at, hit) primary key (source, id, version);
//            item(n integer primary key, at, header, hits); acked(upto, items, bytes, at, epoch, run,
//            commits, hseq); definition(hash, body, until); dead(n, reason, header, hits, at); meta(key, value)
//   bounds   acknowledged items: the horizon in time and bytes; marks:
//            OUTBOX_MARKS_NS (an article that comes again later is new; its hits have the same ids);
//            dead letters: the newest OUTBOX_DEAD_MOST; definitions: those that an item may refer to
//   threads  one: the outbox thread
#ifndef OUTBOX_H
#define OUTBOX_H

#include "common/err.h"
#include "common/hash.h"
#include "common/str.h"

struct outbox;

enum {
    OUTBOX_SCHEMA = 3,
    OUTBOX_APPLICATION = 0x746f634f, // "tocO", in the file's header
    OUTBOX_HORIZON_BYTES = 1024 * 1024 * 1024,
    OUTBOX_BATCH_MOST = 64, // items of one outbox_waiting()
    OUTBOX_ACK_MOST = 500,  // items of one outbox_acked()
    OUTBOX_DEAD_MOST = 10 * 1000,
};

#define OUTBOX_HORIZON_NS (24 * 3600 * INT64_C(1000000000))
#define OUTBOX_MARKS_NS (30 * 24 * 3600 * INT64_C(1000000000))

struct outbox_settings {
    tc_str dir;
    int64_t horizon_ns;     // acknowledged items younger than that stay,
    uint64_t horizon_bytes; // unless they are more than that
    tc_str boot;            // this boot of the machine (tc_boot_id); a guess is wrong, empty is not
    int64_t now_mono_ns;
};

// Opens or makes DIR/outbox.db and locks it.
//   TC_EBUSY     another process has it
//   TC_EVERSION  made by a newer tocsin
//   TC_ECORRUPT  damaged, or not an outbox; the sentence says what to do
//   TC_EIO
// All functions below may also fail with TC_EFULL (the disk is full: roll back, try again later),
// TC_ECORRUPT and TC_EIO (give up: what is on disk stays valid).
int outbox_open(const struct outbox_settings *settings, struct outbox **out, struct tc_err *err);
void outbox_close(struct outbox *outbox);

// Tells what time it is, for all that is written from now on. Call it once a turn.
void outbox_tick(struct outbox *outbox, int64_t now_mono_ns);

// What is known of an article before it is read: a repeat of the same content needs no work.
enum outbox_known { OUTBOX_NEW, OUTBOX_SAME, OUTBOX_CHANGED };
struct outbox_mark {
    enum outbox_known known;
    uint64_t version;     // the one it has (SAME), the highest so far (CHANGED) or 0 (NEW)
    int64_t seen_wall_ns; // when its first version was seen, 0 when NEW
    bool hit;             // one of its versions did
};
int outbox_look(struct outbox *outbox, tc_str source, tc_str id, struct tc_id content,
                struct outbox_mark *out, struct tc_err *err);

// Transactions: begin, add articles, commit. A batch of articles shares one fsync.
int outbox_begin(struct outbox *outbox, struct tc_err *err);
struct outbox_article {
    tc_str source, id;
    uint64_t version;
    struct tc_id content;
    int64_t seen_wall_ns;
    bool hit;            // this version, or one before
    tc_str header, hits; // frames for PUT; both empty when there is nothing to send
};
int outbox_add(struct outbox *outbox, const struct outbox_article *article, struct tc_err *err);

// One more item of an article whose hits are too many for one frame.
int outbox_add_item(struct outbox *outbox, tc_str header, tc_str hits, struct tc_err *err);

// Keeps the definition of a watch that an item added before, in this transaction, refers to. Costs a
// look-up in memory when that was done for a recent item.
int outbox_define(struct outbox *outbox, struct tc_id hash, tc_str definition, struct tc_err *err);
int outbox_commit(struct outbox *outbox, struct tc_err *err);
void outbox_rollback(struct outbox *outbox);

// Items that wait, in order, behind item `after`: at most `most`, at most `bytes`. Views the outbox
// until the next call.
// Either all of them were acknowledged once, before outbox_requeue(), or none.
struct outbox_item {
    uint64_t n;
    tc_str header, hits;
    bool recovered; // acknowledged once
};
int outbox_waiting(struct outbox *outbox, uint64_t after, size_t most, size_t bytes,
                   const struct outbox_item **items, size_t *count, struct tc_err *err);

// A definition that outbox_define kept. Views the outbox until the next call. TC_ENOENT.
int outbox_definition(struct outbox *outbox, struct tc_id hash, tc_str *body, struct tc_err *err);

// Where a broker's history stood when it had stored something: in commit `commits` of its run `run`
// (docs/protocol.md, ACK). Ids as text; `run` is empty when the broker tells none.
struct outbox_place {
    char epoch[TC_ID_TEXT_BYTES], run[TC_ID_TEXT_BYTES];
    uint64_t commits, hseq;
};

// All items that wait, up to number n (at most OUTBOX_ACK_MOST of them), are stored at the broker.
int outbox_acked(struct outbox *outbox, uint64_t n, const struct outbox_place *place,
                 struct tc_err *err);
int outbox_dead(struct outbox *outbox, uint64_t n, tc_str reason, int64_t now_wall_ns,
                struct tc_err *err);

// What was acknowledged last, for HELLO. TC_ENOENT when there is nothing.
int outbox_last_acked(struct outbox *outbox, struct outbox_place *place, struct tc_err *err);

// What the broker confirmed in commit `since` or later waits again, before everything newer, in a
// transaction of its own. *count: how many items. Costs one small row for OUTBOX_ACK_MOST items.
int outbox_requeue(struct outbox *outbox, uint64_t since, uint64_t *count, struct tc_err *err);

// Removes acknowledged items beyond the horizon, old marks, definitions that no item needs and dead
// letters beyond their bound: at most a few hundred of each a call. *more tells whether there is
// something left to remove.
int outbox_trim(struct outbox *outbox, bool *more, struct tc_err *err);

// How long the item that waits longest has been in the outbox; -1 when none waits.
int outbox_oldest(struct outbox *outbox, int64_t *age_ns, struct tc_err *err);

struct outbox_counts {
    uint64_t waiting, acked, dead, marks;
    uint64_t dead_dropped; // dead letters that were removed since the start
    uint64_t resubmitted;  // items that outbox_requeue() made wait again, since the start
};
struct outbox_counts outbox_counts(const struct outbox *outbox); // kept in memory: costs nothing

#endif
