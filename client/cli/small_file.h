// small_file - a file that a person wrote, read whole.
#ifndef SMALL_FILE_H
#define SMALL_FILE_H

#include "common/buf.h"
#include "common/err.h"

// Adds the file's bytes to `out`.
//   TC_EIO  cannot be read, or has more than `most` bytes
int small_file_read(const char *path, size_t most, struct tc_buf *out, struct tc_err *err);

#endif
