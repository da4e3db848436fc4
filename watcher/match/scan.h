// scan - one thread's scratch for matching texts, and the hits it makes.
//
//   memory   grows to the largest text seen, then allocates nothing per watch
//   threads  one
#ifndef SCAN_H
#define SCAN_H

#include "common/hit.h"
#include "watcher/match/matcher.h"

struct scan;

struct scan *scan_new(void);
void scan_free(struct scan *scan);

struct scan_stats { // since scan_new
    uint64_t candidates, hits;
};

// Which watches match: indices in load order, per segment. Views the scan until its next call.
struct scan_hit {
    uint32_t segment, watch;
    double score;
};
size_t scan_run(struct scan *scan, const struct matcher *matcher, const struct text *text,
                const struct scan_hit **out);

// Every watch against every segment, without the index and without vectorscan: what --audit compares
// with.
size_t scan_run_all(struct scan *scan, const struct matcher *matcher, const struct text *text,
                    const struct scan_hit **out);

// Makes the whole hit of one match: id, matches with offsets and words, excerpt of the best
// sentence. Copies into the article's arena.
void scan_hit_fill(struct scan *scan, const struct matcher *matcher, const struct text *text,
                   const struct scan_hit *found, struct tc_hit *out);

struct scan_stats scan_stats(const struct scan *scan);

// For `tocsin why`: evaluates one watch on one segment and tells of every node of its tree
// whether it holds there and where; `note` views the scan until the next call. Called for a parent before its children; `depth` from 0.
struct scan_why {
    const struct query_node *node; // NULL: what the watch asks beside its query (where, score)
    const struct query_list_entry *entry; // set when the node is a list's entry, else NULL
    int depth;
    bool holds;
    uint32_t count;               // occurrences
    const struct tc_match *first; // NULL when there is none
    const char *note;             // nearest miss or reason, NULL when there is none
};
void scan_explain(struct scan *scan, const struct matcher *matcher, const struct text *text,
                  uint32_t segment, uint32_t watch,
                  void (*tell)(void *context, const struct scan_why *why), void *context);

#endif
