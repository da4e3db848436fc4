// match_run - articles through a matcher on several threads, results in the order of input.
//
// The caller's thread reads articles into batches and writes what they gave; workers read their texts
// and match. Batches go round in a ring, so that what waits is bounded.
//
//   memory   RUN_BATCH articles a batch, 2 batches a thread and 2 more
//   threads  as many workers as asked; the caller's thread reads and writes
#ifndef MATCH_RUN_H
#define MATCH_RUN_H

#include "client/cli/offline.h"

#include <stdio.h>

enum { RUN_BATCH = 64, RUN_THREADS_MOST = 256 };

struct match_run {
    const struct matcher *matcher; // borrowed
    struct text_settings settings;
    unsigned threads;
    bool count_only; // WATCH<TAB>ARTICLE<TAB>SEGMENT instead of JSON
    unsigned audit;  // check one article in so many against every watch; 0: none
    FILE *out;
};

struct match_totals {
    uint64_t articles, bytes, hits, candidates, unreadable;
    uint64_t audited, audit_misses;
    double parse_cpu_s, text_cpu_s, match_cpu_s, wall_s;
};

// Runs over all articles. What is wrong with an article is said on standard error and counted.
//   TC_EIO  a thread cannot be started
int match_run(const struct match_run *run, struct offline_articles *articles,
              struct match_totals *totals, struct tc_err *err);

// One hit as a line of JSON, for `article`.
void match_put_json(const struct tc_hit *hit, tc_str article, struct tc_buf *out);

#endif
