// consumers - who reads durably: how far, under whose name, and who may go on.
//
// A consumer is a name and the last alert number it acknowledged. It is known from its first FETCH
// or ATTACH, which fixes where it begins and whose it is. ATTACH gives a lease, a random number: as
// long as there is one, only who shows it moves the cursor or reads from it, and the next ATTACH
// takes it away. The lease lies in the table, so a restart changes nothing.
//
// An acknowledgement is in memory at once and in the table with the next commit, or within a second
// (CONSUMERS_FLUSH_MS): what a crash takes of it is delivered again, and no ACK costs an fsync.
//
//   memory   CONSUMERS_MOST rows of about 250 bytes and their filters, for the life of the broker
//   disk     table consumer, written with the open transaction
//   threads  the broker's loop
#ifndef CONSUMERS_H
#define CONSUMERS_H

#include "broker/store.h"
#include "common/access.h"

enum {
    CONSUMERS_MOST = 10000,
    CONSUMER_NAME_BYTES = 64,
    CONSUMER_FILTERS_BYTES = 4096, // the JSON list that a name may keep
    CONSUMERS_FLUSH_MS = 1000,
    CONSUMERS_FLUSH_ROWS = 256, // cursors written in one turn, about 2 ms
};

// Owner of what was made over a socket that is guarded by file modes.
#define CONSUMER_LOCAL "~"

struct consumer {
    char name[CONSUMER_NAME_BYTES];
    char owner[CONSUMER_NAME_BYTES]; // "" nobody yet: the first key that uses it
    const char *filters;             // JSON list; "" none
    bool leased;
    struct tc_id lease; // zero unless leased
    struct tc_id epoch; // of the history that `cursor` counts in
    uint64_t cursor, start;
    int64_t seen_wall_ns;
    bool moved;   // since it was written
    bool written; // in the open transaction
};

struct consumers;

// Reads the table. `store` is borrowed until consumers_close(). Gives *out.
//   TC_EIO, TC_ECORRUPT  as in store.h
int consumers_open(struct store *store, struct consumers **out, struct tc_err *err);
void consumers_close(struct consumers *consumers);

// NULL when the name is not known. Valid until a row is added, dropped or read again.
const struct consumer *consumers_find(const struct consumers *consumers, tc_str name);

// The consumer that a peer (NULL: a local one) may use, showing `lease` (NULL: none).
//   TC_ENOENT  no such name
//   TC_EPROTO  another key's; an admin may use any
//   TC_EBUSY   somebody else holds the lease, or this one is not in force any more
int consumers_enter(const struct consumers *consumers, tc_str name, const struct tc_peer *peer,
                    const struct tc_id *lease, const struct consumer **out, struct tc_err *err);

// Whose a consumer is that this peer makes.
tc_str consumers_owner(const struct tc_peer *peer);

// Writes a row, new or changed (a copy of one that was found). Wants an open transaction.
//   TC_ENOMEM  CONSUMERS_MOST names are known
//   else as the store's writing verbs
int consumers_put(struct consumers *consumers, const struct consumer *row, struct tc_err *err);
int consumers_drop(struct consumers *consumers, tc_str name, struct tc_err *err); // must be known

// Everything up to `seq` is dealt with; gives where the cursor stands, which never goes back. Nothing is
// written. The name must be known.
uint64_t consumers_move(struct consumers *consumers, tc_str name, uint64_t seq, int64_t now_wall_ns,
                        int64_t now_mono_ns);

// Writes cursors that have moved, as many as one turn may. Wants an open transaction.
int consumers_flush(struct consumers *consumers, int64_t now_mono_ns, struct tc_err *err);
int64_t consumers_due_mono_ns(const struct consumers *consumers); // INT64_MAX: none has moved

// The transaction is through; or was rolled back: reads the table again and keeps what was acknowledged.
void consumers_committed(struct consumers *consumers);
int consumers_reload(struct consumers *consumers, struct tc_err *err);

// Another number when a lease was given, taken or dropped since.
uint64_t consumers_turns(const struct consumers *consumers);

// How far the one that is furthest behind has read; UINT64_MAX when there are none.
uint64_t consumers_lowest(const struct consumers *consumers);

size_t consumers_count(const struct consumers *consumers);
const struct consumer *consumers_at(const struct consumers *consumers, size_t index); // by name

// Where the first name behind `name` stands.
size_t consumers_behind(const struct consumers *consumers, tc_str name);

#endif
