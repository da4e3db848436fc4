// store - hits, alerts, watch definitions and consumers in one SQLite file.
//
// The promise of the broker stands here: what store_commit() has returned TC_OK for survives
// kill -9 and power loss (WAL, synchronous FULL). The numbers of hits and alerts are counted
// here, dense, inside the transaction. Every row carries a checksum that is verified whenever it
// is read: integrity_check does not see a flipped bit in a text, and a row that is damaged must
// never be delivered as if it were whole.
//
// Exactly one connection writes (SQLite before 3.51.3 can corrupt a WAL database when two
// connections write or checkpoint at the same moment); main takes STORE.lock before opening.
//
//   memory   64 MiB of page cache at most
//   threads  one: the broker's loop
//   cost     a hit with its alert about 25 us in a batch, a commit one fsync (bench/put.sh)
//   source   docs/protocol.md for what the columns mean, schema.sql for where they lie
#ifndef STORE_H
#define STORE_H

#include "common/buf.h"
#include "common/err.h"
#include "common/hash.h"
#include "common/str.h"

struct store;

enum {
    STORE_SCHEMA = 2,
    STORE_LOG_BYTES = 32 * 1024 * 1024, // the log is written into the database when it has so many
};

// Opens or makes the file; an older schema is brought up to date first, in one transaction. Gives
// *out, which store_close() ends.
//   TC_EVERSION  made by a newer tocsin; nothing was changed
//   TC_ECORRUPT  no database, another program's, or damaged; the sentence says what to do
//   TC_EIO       cannot be opened or written
int store_open(tc_str path, struct store **out, struct tc_err *err);

// Whether this open found a copy that a backup had made, put in place: it began a new epoch then, because
// what was stored after the backup is not in it.
bool store_was_copy(const struct store *store);

// Checkpoints and closes. An open transaction is lost.
void store_close(struct store *store);

// Where the history stands, including what the open transaction has added.
struct store_marks {
    struct tc_id epoch;   // random, made with the file; numbers mean nothing in another epoch
    uint64_t head, hhead; // last alert, last hit; 0 when there is none
    uint64_t first;       // oldest alert kept, head + 1 when none is; 1 when none was removed
    uint64_t hfirst;      // likewise of hits
    int64_t stored_at_ns; // of the last alert
    uint64_t commits;     // that stored an article or a hit
    struct tc_id run;     // of the last of them; zeros when there was none
};
const struct store_marks *store_marks(const struct store *store);

// The same without the open transaction: what may be told and relied upon before it ends.
const struct store_marks *store_committed(const struct store *store);

// --- writing: begin, put, commit ---

// All writing verbs return
//   TC_EFULL     the disk is full: roll back; reading goes on
//   TC_ECORRUPT  the file is damaged
//   TC_EIO       the disk failed: this connection must not be used again, the process should end
int store_begin(struct store *store, struct tc_err *err);
int store_commit(struct store *store, struct tc_err *err); // after a failure roll back
void store_rollback(struct store *store);      // the marks go back to where they were at begin
bool store_writing(const struct store *store); // between begin and commit
bool store_changed(const struct store *store); // whether a row was written since begin

// `hseq` is the highest number of its hits: it is kept as long as that one. Known already: only the
// number rises.
int store_put_article(struct store *store, tc_str source, tc_str id, uint64_t version,
                      tc_str record, uint64_t hseq, struct tc_err *err);

struct store_hit {
    struct tc_id id;
    tc_str watch, source, article;
    uint64_t version;
    uint32_t segment;
    tc_str body; // HIT
};
// Gives it the next hit number, or finds the number it has (*fresh false: a duplicate). A stored row
// that fails its checksum is written anew with what came. A hit that retention has removed is a
// duplicate as long as its id is kept.
int store_put_hit(struct store *store, const struct store_hit *hit, bool *fresh, uint64_t *hseq,
                  struct tc_err *err);

// How far a run of this history goes: the number of its last commit, what the open transaction has
// added left out.
//   TC_ENOENT  this history knows no such run
int store_run_end(struct store *store, struct tc_id run, uint64_t *commits, struct tc_err *err);

struct store_alert {
    uint64_t seq;
    struct tc_id id, story;
    tc_str topic, labels;
    uint64_t hseq;
    int64_t stored_at_ns;
    tc_str body;
};
// Number and time of the alert that is put next; both are inside its body. The time is `now`,
// or the last alert's when the clock has gone back, so that time and number never disagree.
void store_next_alert(const struct store *store, int64_t now_wall_ns, struct store_alert *alert);
int store_put_alert(struct store *store, const struct store_alert *alert, struct tc_err *err);

int store_put_watch(struct store *store, struct tc_id hash, tc_str name, tc_str definition,
                    int64_t now_wall_ns, struct tc_err *err); // known already: a damaged one heals

struct store_consumer {
    tc_str name, owner, filters;
    tc_str lease; // 16 bytes or none
    struct tc_id epoch;
    uint64_t cursor, start;
    int64_t seen_wall_ns;
};
int store_put_consumer(struct store *store, const struct store_consumer *consumer,
                       struct tc_err *err);                                    // new or changed
int store_drop_consumer(struct store *store, tc_str name, struct tc_err *err); // not there: fine

// --- reading ---

// Walks alerts with a number greater than `after`, in order; only those of `topic` when it is not
// empty (a whole topic, not a prefix). One walk at a time; store_walk_end() ends it and may be called twice.
int store_walk(struct store *store, uint64_t after, tc_str topic, struct tc_err *err);
void store_walk_end(struct store *store);

// The next alert. *out views the store until the next call.
//   TC_ENOENT    no more
//   TC_ECORRUPT  damaged: out->seq is set, the rest is not; err says nothing, go on. It may be one of
//                another topic, when not even that can be read: from then on the walk is of all topics
//   TC_EIO       cannot be read; the walk has ended
int store_walk_next(struct store *store, struct store_alert *out, struct tc_err *err);

// The number of the first alert stored at or after a time; head + 1 when there is none.
int store_since(struct store *store, int64_t wall_ns, uint64_t *seq, struct tc_err *err);

// The definition of a watch. Copies into `out`.
//   TC_ENOENT  the hash is not known
int store_watch(struct store *store, struct tc_id hash, struct tc_buf *out, struct tc_err *err);

// Tells each consumer; ends early and gives back what `tell` returns, when that is not TC_OK. The
// texts view the store during the call.
int store_each_consumer(struct store *store,
                        int (*tell)(void *context, const struct store_consumer *consumer,
                                    struct tc_err *err),
                        void *context, struct tc_err *err);

// Rows and bytes, for STATS. Counting watches walks their table: once, at the start.
uint64_t store_watch_count(struct store *store);
uint64_t store_bytes(struct store *store);
uint64_t store_free_bytes(struct store *store); // of these, pages that nothing is in

// Writes the log into the database and cuts it, to give room back. A full disk may prevent that.
void store_checkpoint(struct store *store);

#endif
