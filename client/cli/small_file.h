// small_file - a file that a person wrote, read whole; and one of lines that we go on writing.
#ifndef SMALL_FILE_H
#define SMALL_FILE_H

#include "common/buf.h"
#include "common/err.h"

// Adds the file's bytes to `out`.
//   TC_EIO  cannot be read, or has more than `most` bytes
int small_file_read(const char *path, size_t most, struct tc_buf *out, struct tc_err *err);

// A kill may have torn off the last line of a file that we append to: ends it, so that the next line is
// whole. Does nothing to what is no file. Returns 0, or -1 with errno.
int small_file_end_line(int fd);

#endif
