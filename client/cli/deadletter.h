// deadletter - a file of alerts that nobody took, one JSON object a line:
//
//   {"time":"RFC 3339","consumer":"desk","attempts":N,"reason":"...","event":{...}}
//
// A line is on disk when deadletter_add() returns; only then may its alert be acknowledged. After a
// crash in between the alert comes again and may stand here twice: its event's id tells.
#ifndef DEADLETTER_H
#define DEADLETTER_H

#include "common/err.h"

#include <tocsin/tocsin.h>

// Opens or makes the file, readable by its owner only, and ends a line that a crash has torn off.
// Gives a descriptor, which close() ends.
//   TC_EIO
int deadletter_open(const char *path, int *out, struct tc_err *err);

//   TC_EIO     not on disk, as far as is known
//   TC_ENOMEM
int deadletter_add(int fd, const char *consumer, uint64_t attempts, const char *reason,
                   const struct tocsin_event *alert, struct tc_err *err);

#endif
