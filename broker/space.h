// space - room on the disk that the store lies on.
//
// At a disk that is full to the last byte everything that writes fails, also what would make room: deleting
// and checkpoints. So the broker stops taking hits while there is still some room, and holds something
// back: a file of `reserve` bytes beside the store, which is given up first, then the log is written
// into the database and cut, then retention can delete. Reading goes on all the time.
//
// Free pages inside the database count as room, since new rows go there.
//
//   disk     SPACE_RESERVE_BYTES, three times what the log may have
//   cost     statvfs and one look into the database a second
//   threads  the broker's loop
#ifndef SPACE_H
#define SPACE_H

#include "broker/store.h"

enum {
    SPACE_RESERVE_BYTES = 3 * STORE_LOG_BYTES,
    SPACE_LOOK_MS = 1000,
};

struct space;

// `path` is the store's, whose folder is there. `reserve` 0: nothing is held back, and only a full disk is
// one. Gives *out.
//   TC_EINVAL  the folder is on a network file system, and `network` does not allow that
//   TC_EIO     it cannot be asked
int space_open(tc_str path, uint64_t reserve, bool network, struct space **out, struct tc_err *err);
void space_close(struct space *space); // the file stays: it is for the next one

// What the broker should do with those who want to store something, and what there is.
struct space_state {
    bool low;       // refuse them
    bool held_back; // the file is there
    uint64_t free_bytes;
};
const struct space_state *space_state(const struct space *space);

// A write met a full disk.
void space_met_full(struct space *space);

// Looks, when it is time, and does what is to be done; call outside transactions. True when `low`
// changed.
bool space_turn(struct space *space, struct store *store, int64_t now_mono_ns);

// The name of a network file system, from statfs; NULL when it is none.
const char *space_network(long magic);

#endif
