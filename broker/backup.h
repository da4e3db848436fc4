// backup - a copy of the history in another file, made while the broker serves.
//
// The pages are copied a slice a turn through the broker's own connection: what it writes meanwhile goes
// into the copy as well (SQLite does that for the connection that writes), so the copy is of the moment
// when it ends, nothing starts again, and no snapshot keeps the log from being emptied. Then a thread
// marks the file as a copy (a broker that opens it begins a new epoch), reads it to its end
// (verify.h), brings it to disk and gives it its name. Before that it is FILE.part, and no failure leaves
// a FILE.
//
//   cost     BACKUP_SLICE_MS a turn while it copies; bench/history.sh says what that does to others
//   threads  the broker's loop; a thread of its own, which belongs to this module and touches nothing
//            but the copy
#ifndef BACKUP_H
#define BACKUP_H

#include "broker/store.h"

enum {
    BACKUP_SLICE_MS = 2,
    BACKUP_CHUNK = 16, // pages between two looks at the clock
    BACKUP_PATH_BYTES = 512,
};

enum backup_state { BACKUP_NONE, BACKUP_COPYING, BACKUP_CHECKING, BACKUP_DONE, BACKUP_FAILED };

struct backup_status {
    enum backup_state state;
    char file[BACKUP_PATH_BYTES];
    uint64_t pages_done, pages; // of copying
    uint64_t bytes;             // of the file, when it is done
    struct tc_err err;          // why it failed
};

struct backup;

// `store` is borrowed until backup_free(), which gives up what is not done.
struct backup *backup_new(struct store *store);
void backup_free(struct backup *backup);

// Begins one. The file that is being made already: nothing changes.
//   TC_EINVAL  no absolute path, or longer than BACKUP_PATH_BYTES
//   TC_EEXIST  there is such a file
//   TC_EBUSY   another one is being made
//   TC_EFULL   not enough room
//   TC_EIO     it cannot be written
int backup_begin(struct backup *backup, tc_str file, struct tc_err *err);

// Copies for a while; call outside transactions. Failures are the status's.
void backup_turn(struct backup *backup);
bool backup_copying(const struct backup *backup); // the next turn has something to do at once

const struct backup_status *backup_status(const struct backup *backup);

#endif
