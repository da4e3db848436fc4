// stream - the `lines` source: files and standard input, read once from beginning to end.
//
// After a crash the same files are read again from the beginning; the outbox's marks make articles
// that were accepted before harmless duplicates.
//
//   threads  stream_run belongs to the source's thread
#ifndef STREAM_H
#define STREAM_H

#include "watcher/source/source.h"

struct stream;

// `paths` (copied) are read in their order, "-" is standard input; `name` (copied) is the source of
// articles that name none. The host is borrowed until stream_close. Gives *out.
//   TC_ENOENT, TC_EIO  a file is not there or cannot be read (names it)
int stream_open(const tc_str *paths, size_t count, tc_str name, const struct source_host *host,
                struct stream **out, struct tc_err *err);

// Reads until the end or until the host says stop, then waits for the last outcomes.
void stream_run(struct stream *stream);

void stream_close(struct stream *stream); // NULL is fine

#endif
