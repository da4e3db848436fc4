// near - places in a text and how they lie to each other.
//
// A span is an occurrence: from its first word to its last, by number in the segment. Distances are
// counted by positions, so that words which share a place are one word. Nothing here crosses a paragraph:
// spans lie within one, and two spans are near only in the same one.
//
// `a NEAR/n b`: at most n words between the end of one and the start of the other. Spans that overlap
// are no words apart when one is a group with a gap (as from NEAR) and the other stands in it; two spans
// that share an end word, or two overlapping spans without gaps, are not two places.
//
//   cost     every a meets the b of its paragraph that begin within the distance, no others
//   threads  none: pure functions on lists
//   source   docs/watch-language.md
#ifndef NEAR_H
#define NEAR_H

#include "watcher/text/text.h"

// Pairs of one NEAR are kept one by one up to here. Beyond, of all that begin with one word the
// shortest and the longest are kept, and of all that end with one word: NEAR, ONEAR, NOTNEAR, EXCEPT and
// ATLEAST around it ask only for these, so a match of two nested distances is never lost.
enum { NEAR_SPANS_MOST = 16 * 1024 };

struct span {
    uint32_t first, last; // words of the segment
};

struct spans { // sorted by first, then last; zero it, near_done ends it
    struct span *at;
    size_t count, room;
};

enum near_order { NEAR_EITHER, NEAR_FIRST_BEFORE };

struct near { // how two operands are compared
    const struct text_word *words;
    enum near_order order;
    uint32_t distance;   // words between, at most
    bool a_gaps, b_gaps; // they are groups
};

void near_done(struct spans *spans);
void near_add(struct spans *spans, struct span span);
void near_sort(const struct text_word *words, struct spans *spans); // and drops doubles

// Whether some pair is near.
bool near_any(const struct near *near, const struct spans *a, const struct spans *b);

// The a that have a b near them, and the b that have an a. Append to out.
void near_firsts(const struct near *near, const struct spans *a, const struct spans *b,
                 struct spans *out);
void near_seconds(const struct near *near, const struct spans *a, const struct spans *b,
                  struct spans *out);

// The a that have no b near them, nor overlapping. Appends to out.
void near_without(const struct near *near, const struct spans *a, const struct spans *b,
                  struct spans *out);

// All pairs, each from its first to its last word, without doubles (see NEAR_SPANS_MOST). `out` is
// empty before.
void near_pairs(const struct near *near, const struct spans *a, const struct spans *b,
                struct spans *out);

// The a that lie in no b.
void near_except(const struct text_word *words, const struct spans *a, const struct spans *b,
                 struct spans *out);

// How many can be chosen so that none overlap.
size_t near_apart(const struct text_word *words, const struct spans *spans);

// The fewest words between an a and a b of one paragraph; SIZE_MAX when they share none.
size_t near_closest(const struct near *near, const struct spans *a, const struct spans *b);

#endif
