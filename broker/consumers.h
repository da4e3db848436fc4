// consumers - how far each durable consumer has read.
//
// A consumer is a name and the last alert number it acknowledged. Only ACK moves it, and only
// forward. It is known from its first FETCH, which fixes where it begins.
//
//   memory   CONSUMERS_MOST rows of about 100 bytes, held for the life of the broker
//   disk     table consumer, written with the open transaction
//   threads  the broker's loop
#ifndef CONSUMERS_H
#define CONSUMERS_H

#include "broker/store.h"

enum { CONSUMERS_MOST = 10000, CONSUMER_NAME_BYTES = 64 };

struct consumer {
    char name[CONSUMER_NAME_BYTES];
    uint64_t cursor, start;
    int64_t seen_wall_ns;
};

struct consumers;

// Reads the table. `store` is borrowed until consumers_close(). Gives *out.
//   TC_EIO, TC_ECORRUPT  as in store.h
int consumers_open(struct store *store, struct consumers **out, struct tc_err *err);
void consumers_close(struct consumers *consumers);

// NULL when the name is not known. Valid until the next consumers_add or consumers_reload.
const struct consumer *consumers_find(const struct consumers *consumers, tc_str name);

// A new name that begins behind alert `start`. Wants an open transaction.
//   TC_EEXIST  known already
//   TC_ENOMEM  CONSUMERS_MOST names are known
//   else as the store's writing verbs
int consumers_add(struct consumers *consumers, tc_str name, uint64_t start, int64_t now_wall_ns,
                  struct tc_err *err);

// Everything up to `seq` is dealt with; gives where the cursor stands, which never goes back. A
// name that is not known is added. Wants an open transaction. Fails as consumers_add.
int consumers_move(struct consumers *consumers, tc_str name, uint64_t seq, int64_t now_wall_ns,
                   uint64_t *cursor, struct tc_err *err);

// Reads the table again: the transaction was rolled back.
int consumers_reload(struct consumers *consumers, struct tc_err *err);

// How far the one that is furthest behind has read; UINT64_MAX when there are none.
uint64_t consumers_lowest(const struct consumers *consumers);

size_t consumers_count(const struct consumers *consumers);
const struct consumer *consumers_at(const struct consumers *consumers, size_t index); // by name

#endif
