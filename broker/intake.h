// intake - what watchers submit: WATCH and PUT.
//
// A batch is read and checked whole before anything is stored, so that a batch whose watches are
// not known yet stores nothing, and an article with one bad hit is rejected whole while its
// neighbours are stored. An article without hits is a notice: a later version of one that has hit; its record is
// kept. Each new hit goes through story and policy, and what they decide is
// stored in the same transaction.
//
//   memory   one batch at a time in an arena; the sessions and watches of their own files
//   threads  the broker's loop
#ifndef INTAKE_H
#define INTAKE_H

#include "broker/request.h"
#include "broker/sessions.h"
#include "broker/watches.h"

enum {
    INTAKE_ARTICLES_MOST = 64,        // a batch
    INTAKE_BATCH_BYTES = 1024 * 1024, // a batch of several articles; a single one may be larger
    INTAKE_RECORD_BYTES = 16 * 1024,  // an article's record
    INTAKE_DEFINITIONS_MOST = 512,    // one WATCH
    INTAKE_DEFINITION_BYTES = 64 * 1024,
    INTAKE_NEED_MOST = 256,    // hashes in one NAK, whose header has 16 KiB
    INTAKE_REASON_BYTES = 100, // of a rejection: 64 of them are in one header
    INTAKE_RETRY_MS = 1000,    // after a full disk
};

struct intake_counts {
    uint64_t duplicates, rejected, silent; // hits, articles, hits without an alert
    uint64_t notices;   // articles without hits: versions that change what was told
    uint64_t recovered; // hits stored because their watcher sent them again for it
};

struct intake {
    struct store *store;     // borrowed
    struct watches *watches; // borrowed
    struct sessions sessions;
    struct tc_arena *arena; // of the batch in work
    struct tc_buf topic, event;
    struct intake_counts counts, at_commit;
};

// All three are borrowed until intake_done().
void intake_init(struct intake *intake, struct store *store, struct watches *watches);
void intake_done(struct intake *intake);

// Each answers one request: *answer is filled in, ERR or NAK included. PUT and WATCH want an open
// transaction. What they return otherwise is the store's failure, and ends that transaction:
//   TC_EFULL, TC_ECORRUPT, TC_EIO   as in store.h; the answer is not filled in
int intake_put(struct intake *intake, const struct request *request, int64_t now_wall_ns,
               struct answer *answer, struct tc_err *err);
int intake_watch(struct intake *intake, const struct request *request, int64_t now_wall_ns,
                 struct answer *answer, struct tc_err *err);

// The transaction ended.
void intake_committed(struct intake *intake);
void intake_rolled_back(struct intake *intake);

#endif
