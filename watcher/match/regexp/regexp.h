// regexp - Lucene's regular expressions, on one word.
//
// The syntax of Lucene's RegExp, where an expression describes a whole word:
//
//   ab  a|b  a&b        one after the other, either, both
//   a? a* a+ a{2} a{2,} a{2,4}
//   ~a                  anything but a
//   . [a-z] [^a-z]      one letter
//   @ #                 any string, no string at all
//   "a.b"               the letters between the quotes
//   <1-31>              a decimal number; both written alike long: exactly so many digits
//   \a                  the letter itself, whichever it is: there is no \w and no \d
//
// `&` and `~` make it more than an automaton can be stepped through, so a word is matched by asking each
// part where it can end: words are short, and a watch set asks once per distinct word (pattern_memo).
//
//   cost     parts x letters^2 steps a word, whatever the expression
//   memory   parsed: in the arena given; a match takes its scratch from the heap
//   threads  an expression is shared once read
//   source   org.apache.lucene.util.automaton.RegExp of Lucene 8
#ifndef REGEXP_H
#define REGEXP_H

#include "common/arena.h"

enum {
    REGEXP_PARTS_MOST = 1000,
    REGEXP_DEPTH_MOST = 100,
    REGEXP_REPEAT_MOST = 1000,
    REGEXP_LETTERS_MOST = 255, // longer words match nothing
};

struct regexp;

// Reads an expression, which is valid UTF-8. NULL when it is wrong: *wrong says why (static text) and
// *at gets the byte.
const struct regexp *regexp_read(tc_str text, struct tc_arena *arena, const char **wrong,
                                 size_t *at);

// Whether it describes the whole word.
bool regexp_matches(const struct regexp *regexp, tc_str word);

#endif
