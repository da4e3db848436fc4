// sloppy - Lucene's "a b c"~n: words of a phrase moved n places in all.
//
// Each word has a place where it would stand if the phrase began at position 0 of it; the distance of a
// match is how far apart these beginnings lie. Two neighbours swapped are two moves. A word that the
// phrase has twice must stand in two places.
//
//   cost     places x words of the phrase
//   threads  none
//   source   org.apache.lucene.search.SloppyPhraseMatcher, step by step, because what it finds for a
//            phrase with repeated words depends on its order of steps
#ifndef SLOPPY_H
#define SLOPPY_H

#include "watcher/match/eval.h"

struct sloppy_word {
    const uint32_t *places; // words of the text, rising
    size_t count;
    uint32_t term; // equal for words that are the same
    // of the search
    size_t next;
    int64_t begin; // where the phrase would begin
    uint32_t offset;
};

// Adds the spans of all matches to `out`, as found; only the first when `one`. `phrase` is scratch.
void sloppy_find(struct sloppy_word *phrase, size_t count, int64_t slop,
                 const struct text_word *words, bool one, struct spans *out);

// The places of a SLOPPY node within the range.
void sloppy_spans(struct eval *eval, const struct plan_node *node, struct range range,
                  struct spans *out, bool one);

#endif
