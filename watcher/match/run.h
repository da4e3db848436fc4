// run - programs on the segment that a scan shows, or on its whole page.
//
//   cost     a word is one bit; a phrase or NEAR reads the places of its words
//   threads  one
#ifndef RUN_H
#define RUN_H

#include "watcher/match/scan_body.h"

// Whether the program's watch matches; *score is set when the watch has one.
bool run_program(struct scan *scan, const struct matcher *matcher, struct view *view,
                 const uint32_t *program, double *score);

#endif
