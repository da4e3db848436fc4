// wal - looks at a store's files before SQLite does, for damage that SQLite passes over in silence.
//
// SQLite reads its log up to the first frame that is not whole and takes the rest for a transaction that
// was cut off: one flipped bit in the middle makes all that was committed after it disappear without a
// word. But it brings each commit to disk before the next one begins, so a cut leaves one commit behind the
// first bad frame at the most. More than one is damage.
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
