// excerpt - the sentence that shows best why a watch matched.
//
//   memory   the buffer given
//   threads  none: pure function
#ifndef EXCERPT_H
#define EXCERPT_H

#include "common/buf.h"
#include "watcher/match/view.h"

struct excerpt_match {
    enum tc_field field;
    uint32_t start, end;
    tc_str clause;
    const void *leaf; // what matched: the same leaf twice is worth less than two leaves
    bool tight;       // stands in a proximity or a sentence
    uint32_t boost;
};

// Appends the sentence with its matches marked, at most TC_HIT_EXCERPT_BYTES: white space as one blank,
// marks in the text itself as brackets, bytes that are no UTF-8 as U+FFFD, cut between words with "…"
// around the matches. `matches` are sorted by field and start. Without any, the first sentence of the body.
void excerpt_write(const struct view *view, const struct excerpt_match *matches, size_t count,
                   struct tc_buf *out);

// The bytes of a valid or broken UTF-8 text as valid UTF-8, at most `most` bytes, cut between characters.
// A view of `bytes` when nothing has to change, else a copy in the arena.
tc_str excerpt_clean(tc_str bytes, size_t most, struct tc_arena *arena);

#endif
