// clock - the two clocks, and times as text.
//
// Where time decides, it is an argument, so that tests travel. `wall` is nanoseconds since
// 1970 UTC, `mono` nanoseconds since some moment that never jumps.
//
//   safe     for libtocsin
#ifndef TC_CLOCK_H
#define TC_CLOCK_H

#include "common/str.h"

#define TC_MS INT64_C(1000000)
#define TC_SECOND INT64_C(1000000000)

int64_t tc_wall_ns(void);
int64_t tc_mono_ns(void);
int64_t tc_thread_cpu_ns(void); // what this thread has taken of a processor so far

enum { TC_TIME_BYTES = 32 };

// RFC 3339 in UTC with milliseconds: 2025-03-01T05:01:00.000Z. `out` holds TC_TIME_BYTES.
void tc_time_text(int64_t wall_ns, char *out);

// Reads RFC 3339 (date, or date and time, "T" or blank between, zone "Z" or +hh:mm; without a
// zone UTC; a date may also be written 20250301). False when it is not one.
bool tc_time_read(tc_str text, int64_t *wall_ns);

// Reads a duration with its unit, 30s 5m 2h 3d 1w (also 250ms). False when it is not one.
bool tc_duration_read(tc_str text, int64_t *ns);

#endif
