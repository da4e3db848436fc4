// endpoint - where the daemons listen when nobody says otherwise.
//
// The same rules as tc_runtime_dir() of the daemons, without an arena and without making anything.
//
//   safe     for libtocsin
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "common/err.h"

// `given`, else the environment variable `variable`, else ipc://RUNTIME/`name`.
// Gives *out; free() ends it.
//   TC_EINVAL, TC_ENOMEM
int endpoint_of(const char *given, const char *variable, const char *name, char **out,
                struct tc_err *err);

#endif
