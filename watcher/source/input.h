// input - the bytes of a file or of standard input, unpacked when they are gzip.
//
// Reads what is there without waiting for more, so that lines of a live pipe come through at
// once. gzip is recognised by its first two bytes; several members behind each other are one text.
//
//   memory   two buffers of INPUT_BUFFER_BYTES and zlib's 44 KiB
//   threads  one
#ifndef INPUT_H
#define INPUT_H

#include "common/err.h"
#include "common/str.h"

enum { INPUT_BUFFER_BYTES = 64 * 1024 };

struct input;

// Takes the descriptor; input_close() closes it.
struct input *input_new(int fd);

// From now on reading ends with TC_ESTOP as soon as `stop_fd` is readable (borrowed).
void input_stop_on(struct input *input, int stop_fd);

// Some more bytes, which view the input until the next call; *out is empty at the end.
//   TC_EIO     cannot be read, or is no whole gzip file
//   TC_ESTOP   asked to stop
int input_more(struct input *input, tc_str *out, struct tc_err *err);

void input_close(struct input *input); // NULL is fine

#endif
