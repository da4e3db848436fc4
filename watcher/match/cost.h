// cost - how often the index leads to each watch: what a watch costs on real articles.
//
// A watch is tried on a segment when one of the words that it is filed under stands there (with its
// second word, where it has one), once for each such word, and on every segment when it has none. The sum of tries
// is scan_stats().candidates.
//
//   memory   9 bytes a watch
//   threads  one, the one of the scan
#ifndef COST_H
#define COST_H

#include "watcher/match/scan.h"

struct cost;

struct cost *cost_new(const struct matcher *matcher); // borrowed until cost_free
void cost_free(struct cost *cost);

// Counts the tries of one text; `scan` has just run over it.
void cost_add(struct cost *cost, struct scan *scan, const struct text *text);

uint64_t cost_tries(const struct cost *cost, size_t watch);

// Whether the watch has words to be filed under; without them it is tried on every segment.
bool cost_has_key(const struct cost *cost, size_t watch);

#endif
