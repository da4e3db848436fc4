// follow - hears when watch files change (watch_files: true).
//
// Folders are watched, not files, because most editors write another file and rename it. Only names that may be
// watch files or files of lists count, and links and folders, which may lead to some. A change is told when
// nothing has happened for FOLLOW_QUIET_MS (a burst of them: at the latest FOLLOW_BURST_MS after its first); a
// file that is being written is waited for until it is closed, or nothing came for FOLLOW_WRITING_MS.
//
//   source   inotify; folders on network file systems tell nothing of what other machines do
//   threads  one
#ifndef FOLLOW_H
#define FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

enum { FOLLOW_QUIET_MS = 30, FOLLOW_BURST_MS = 300, FOLLOW_WRITING_MS = 2000 };

struct follow;

//   TC_EFULL  the system gives no more of these (err says which limit)
int follow_open(struct follow **out, struct tc_err *err);
void follow_close(struct follow *follow); // NULL is fine
int follow_fd(const struct follow *follow);

// From now on all that `pattern` (a glob, copied) may name; a file, wherever it really lies. Again for the same
// one it sees to folders that are new.
//   TC_EFULL, TC_EIO  a folder cannot be watched (which, and why)
int follow_glob(struct follow *follow, const char *pattern, struct tc_err *err);
int follow_file(struct follow *follow, const char *path, struct tc_err *err);

// Takes what has happened by `now_ns` (mono).
void follow_take(struct follow *follow, int64_t now_ns);

// When the change is to be looked at (mono); INT64_MAX: there is none.
int64_t follow_due_ns(const struct follow *follow);
void follow_seen(struct follow *follow); // it is being looked at

#endif
