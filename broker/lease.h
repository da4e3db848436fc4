// lease - what is asked of consumers: ATTACH, ACK, SEEK, DETACH, CONSUMERS; and what FETCH shares
// with them.
//
// All want an open transaction. Each reads the header strictly, answers, and returns
//   TC_EPARSE    the header; TC_ENOMEM a limit; TC_EVERSION the number is another history's
//   TC_EBUSY     another process holds the consumer: "fenced"
//   TC_EPROTO    another key's consumer: "denied"
//   else the store's failure
//
//   threads  the broker's loop
//   source   docs/protocol.md, "Consumers"
#ifndef LEASE_H
#define LEASE_H

#include "broker/consumers.h"
#include "broker/request.h"

// Where such a request is dealt with, and whose it is.
struct lease_room {
    struct store *store;
    struct consumers *consumers;
    const struct tc_peer *peer; // NULL: a local one
    int64_t now_wall_ns, now_mono_ns;
};

int lease_attach(const struct request *request, const struct lease_room *room,
                 struct answer *answer, struct tc_err *err);
int lease_detach(const struct request *request, const struct lease_room *room,
                 struct answer *answer, struct tc_err *err);
int lease_ack(const struct request *request, const struct lease_room *room, struct answer *answer,
              struct tc_err *err);
int lease_seek(const struct request *request, const struct lease_room *room, struct answer *answer,
               struct tc_err *err);
int lease_consumers(const struct request *request, const struct lease_room *room,
                    struct answer *answer, struct tc_err *err);

// --- shared with FETCH ---

// The consumer that a header names, under the lease that it shows.
//   TC_ENOENT  not known, *name is filled in; else as consumers_enter
int lease_enter(const struct lease_room *room, const struct json_t *header, tc_str *name,
                const struct consumer **out, struct tc_err *err);

// A consumer as `start` or `since` of a header want it to begin. Nothing is stored.
int lease_make(const struct lease_room *room, tc_str name, const struct json_t *header,
               struct consumer *out, struct tc_err *err);

// The place that a header names: under `key` "earliest" or "latest", or a time under "since"; else the
// earliest.
int lease_place(const struct lease_room *room, const struct json_t *header, const char *key,
                uint64_t *out, struct tc_err *err);

// Acknowledges up to the number under `key`, in memory.
int lease_move(const struct lease_room *room, const struct json_t *header, const char *key,
               tc_str name, struct tc_err *err);

// TC_EVERSION when a header, or a consumer's cursor, speaks of another history.
int lease_check_epoch(const struct lease_room *room, const struct json_t *header,
                      struct tc_err *err);
int lease_check_cursor(const struct lease_room *room, const struct consumer *consumer,
                       struct tc_err *err);

#endif
