// lastgood - copies of watch files as they were when they were last good, kept over restarts.
//
// A copy is the watch file and all files of lists that it includes, laid out under their own paths, so
// that the copy is read like the original: relative includes lead to copies. An include with an absolute
// path leads to the file itself.
//
//   disk     FOLDER/<hash of the file's absolute path>/<that path>; as much as the files
//   threads  one process writes in a folder, one thread at a time
#ifndef LASTGOOD_H
#define LASTGOOD_H

#include "common/arena.h"
#include "common/err.h"

// Where the copy of `path` lies, in the arena; empty when there is none.
tc_str lastgood_find(tc_str folder, const char *path, struct tc_arena *arena);

// Whether a copy reads as what is to be kept.
typedef bool lastgood_check(void *context, const char *copy);

// Keeps a copy of `path` in place of the older one, in one step. A file that has changed since
// `read_wall_ns`, when it was read and found good, is asked about first. Costs a comparison when the copy
// is up to date.
//   TC_EINVAL  `check` did not: the files have changed meanwhile; the older copy stays
//   TC_EIO     cannot be read or written; the older copy stays
int lastgood_keep(tc_str folder, const char *path, int64_t read_wall_ns, lastgood_check *check,
                  void *context, struct tc_err *err);

#endif
