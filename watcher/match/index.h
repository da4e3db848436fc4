// index - which watches a word leads to.
//
// Each watch is filed under the words of its anchor: a set of terms of which at least one must
// stand in a text that the watch matches, chosen as rare as can be guessed. An entry also names a
// second term that must stand there too (when there is one), so that most entries are done with after
// one look. A watch without an anchor ("all articles", metadata alone) is tried on every text.
//
//   memory   8 bytes an entry, 4 a term
//   threads  shared once built
#ifndef INDEX_H
#define INDEX_H

#include "watcher/match/plan.h"

struct index_entry {
    uint32_t watch;
    uint32_t second; // a term, PLAN_NONE when there is none
};

struct index_part {
    uint32_t *starts; // by term, one more than terms
    struct index_entry *entries;
    size_t entry_count;
};

struct index {
    struct index_part segment; // anchors that stand in the segment itself
    struct index_part page;    // anchors that stand anywhere on the page: PAGE(...)
    uint32_t *always;
    size_t always_count;
    size_t term_count;
};

struct index *index_new(const struct plan *plan, const struct watch *watches);
void index_free(struct index *index);
size_t index_bytes(const struct index *index);

#endif
