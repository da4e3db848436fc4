// wal - looks at a store's files before SQLite does, for damage that SQLite passes over in silence.
//
// SQLite reads its log up to the first frame that is not whole and takes the rest for a transaction that
// was cut off: one flipped bit in the middle makes all that was committed after it disappear without a
// word. But it brings each commit to disk before the next one begins, so a cut leaves one commit behind the
// first bad frame at the most. Transactions that failed, on a full disk for example, may have left more, each
// behind the shorter one that was written over its beginning; but of what was written in one go each has one
// commit, its last frame. More than one in a row of frames that follow each other by their sums is damage,
// unless the database has it all already: then the log was used up, and its header cut off while it was written
// for the next one.
//
//   cost     reads the log once (at most some 64 MiB: 0.1 s)
//   threads  the caller's; nobody may have the store open
//   source   https://www.sqlite.org/fileformat2.html#the_write_ahead_log
#ifndef WAL_H
#define WAL_H

#include "common/err.h"

// Checks the log of the database at `path`, and the length of the database when there is none.
//   TC_ECORRUPT  damaged; the sentence says how
//   TC_EIO       cannot be read
int wal_check(const char *path, struct tc_err *err);

#endif
