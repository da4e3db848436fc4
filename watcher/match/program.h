// program - what is left to check of a watch when its anchor is there, as a row of numbers.
//
// A program is the number of its watch and clauses that must all hold, up to PROGRAM_END. A clause is a
// header (its kind in the low byte, a count above, flags on top) and operands. Words, lists of words, phrases of folded
// words and NEAR of two words are checked here, and AND, OR, NOT and ANY over them; whatever else a
// query holds is a NODE of the plan, which the general evaluator looks at. So an operator that is not
// named here needs nothing to be right.
//
//   memory   4 bytes a word, 4 to 12 a clause
//   threads  shared once built
#ifndef PROGRAM_H
#define PROGRAM_H

#include "watcher/match/anchor.h"

enum program_kind {
    PROGRAM_END,    // of the clauses
    PROGRAM_ALL,    // count terms: all are present
    PROGRAM_ANY,    // count terms: one is
    PROGRAM_NONE,   // count terms: none is
    PROGRAM_LIST,   // one of a shared list of terms is present; where it stands in lists[]
    PROGRAM_PHRASE, // count terms, side by side in a paragraph
    PROGRAM_NEAR,   // two terms, at most `count` words between
    PROGRAM_ONEAR,  // the same, the first before the second
    PROGRAM_SLOPPY, // two terms that differ, as a phrase moved `count` places
    PROGRAM_NODE,   // a node of the plan
    PROGRAM_WHERE,  // the `where` of the watch, by the plan
    PROGRAM_WATCH,  // the whole watch, by the plan, with its score
    PROGRAM_NEVER,
    PROGRAM_EVERY, // clauses of `count` numbers together: all hold
    PROGRAM_SOME,  // the least, then clauses of `count` numbers: so many hold
    PROGRAM_NOT =
        128, // with NODE, LIST, PHRASE, NEAR, ONEAR, SLOPPY, EVERY, SOME, ANY: it does not hold
};

#define PROGRAM_PLAIN UINT32_C(0x80000000)   // NEAR, ONEAR: of two folded words, no patterns
#define PROGRAM_RUNNING UINT32_C(0x40000000) // PHRASE: paragraphs do not end it
enum {
    PROGRAM_SCOPE_AT =
        28, // two bits: 1 + enum terms_scope, the part of the text that counts; 0: all
    PROGRAM_COUNT_MOST = (1 << 20) - 1,
};

static inline uint32_t program_kind(uint32_t header)
{
    return header & 127;
}

static inline uint32_t program_count(uint32_t header)
{
    return header >> 8 & PROGRAM_COUNT_MOST;
}

static inline uint32_t program_scope(uint32_t header)
{
    return header >> PROGRAM_SCOPE_AT & 3;
}

// The number of operands behind a header that are no clauses, and how many of them, from the first on,
// are terms.
uint32_t program_operands(uint32_t header, uint32_t *terms);

struct program_writer { // zero it and set plan; program_done
    const struct plan *plan;
    uint32_t *code;
    size_t count, room;
    uint32_t *lists; // each: a count, then its terms
    size_t list_count, list_room;
    struct dict listed; // where the children of a list's node begin -> its list
    int scope;          // of the clause that is being written
    bool needs_plan;    // of the program written last: its watch's plan must be kept
};

// Writes the clauses that are not proven. Gives where the program begins.
uint32_t program_write(struct program_writer *writer, const struct anchors *anchors,
                       const struct plan_watch *planned, uint32_t watch);
bool program_is_empty(const struct program_writer *writer, uint32_t program);
void program_done(struct program_writer *writer);

#endif
