// outbox - hits that nobody has confirmed yet, in a SQLite file of the watcher's own.
//
// An article's mark, its hits and the definitions they need are written in one transaction (WAL,
// synchronous FULL) before anything is sent or acknowledged. Rows stay after the broker's
// acknowledgement for the resubmit horizon, then go.
//
//   tables   meta(key, value); mark(source, id, version, content, seen) primary key (source, id);
//            item(n integer primary key, header, hits, state, epoch, hseq, at); definition(hash, body);
//            dead(n, reason, header, hits, at)
//   threads  one: the outbox thread
#ifndef OUTBOX_H
#define OUTBOX_H

#include "common/err.h"
#include "common/hash.h"
#include "common/str.h"

struct outbox;

enum { OUTBOX_SCHEMA = 1 };

// Opens or makes DIR/outbox.db and locks it.
//   TC_EBUSY     another process has it
//   TC_EVERSION  made by a newer tocsin
//   TC_ECORRUPT  SQLite says so
//   TC_EIO
int outbox_open(tc_str dir, struct outbox **out, struct tc_err *err);
void outbox_close(struct outbox *outbox);

// What is known of an article before it is read: a repeat of the same content needs no work.
enum outbox_known { OUTBOX_NEW, OUTBOX_SAME, OUTBOX_CHANGED };
int outbox_look(struct outbox *outbox, tc_str source, tc_str id, struct tc_id content,
                enum outbox_known *known, uint64_t *version, int64_t *seen_wall_ns,
                struct tc_err *err);

// Transactions: begin, add articles, commit. A batch of articles shares one fsync.
int outbox_begin(struct outbox *outbox, struct tc_err *err);
struct outbox_article {
    tc_str source, id;
    uint64_t version;
    struct tc_id content;
    int64_t seen_wall_ns;
    tc_str header, hits; // frames for PUT; both empty when nothing matched
};
int outbox_add(struct outbox *outbox, const struct outbox_article *article, struct tc_err *err);
int outbox_define(struct outbox *outbox, struct tc_id hash, tc_str definition, struct tc_err *err);
int outbox_commit(struct outbox *outbox, struct tc_err *err);
void outbox_rollback(struct outbox *outbox);

// Items that wait, in order, behind item `after`: at most `most`, at most `bytes`. Views the outbox
// until the next call.
struct outbox_item {
    uint64_t n;
    tc_str header, hits;
};
int outbox_waiting(struct outbox *outbox, uint64_t after, size_t most, size_t bytes,
                   const struct outbox_item **items, size_t *count, struct tc_err *err);

int outbox_definition(struct outbox *outbox, struct tc_id hash, tc_str *body, struct tc_err *err);

// Item n is stored at the broker under hit numbers up to hseq.
int outbox_acked(struct outbox *outbox, uint64_t n, tc_str epoch, uint64_t hseq, int64_t now_wall_ns,
                 struct tc_err *err);
int outbox_dead(struct outbox *outbox, uint64_t n, tc_str reason, int64_t now_wall_ns, struct tc_err *err);

// Removes acknowledged items older than the horizon; old marks too.
int outbox_trim(struct outbox *outbox, int64_t now_wall_ns, struct tc_err *err);

struct outbox_counts {
    uint64_t waiting, acked, dead, marks;
};
int outbox_counts(struct outbox *outbox, struct outbox_counts *out, struct tc_err *err);

#endif
