// expression - the regular expressions of watches: /gpt-?[0-9o]+/i, over the running text of a paragraph.
//
// (Those of dialect lucene look at one word each and are another thing: regexp.h.)
//
//   ab  a|b  (a) (?:a)     one after the other, either, a group
//   a? a* a+ a{2} a{2,} a{2,4}
//   . [a-z] [^a-z]         one character
//   \d \w \s \D \W \S      a digit 0-9; a letter, mark, digit or _ of any script; the blank
//   \p{Greek} \P{Lu}       what Unicode says of it
//   \b \B ^ $              edge of a word, no edge; begin and end of the paragraph
//   \. \/ \x{1F600}        the character itself
//
// An expression becomes two things. `steps` are a program that expression_find runs in linear time; they
// are what it means. The `filter` is what vectorscan is given: the same, or something that matches
// more where the same would be too large for it (`exact` says which), written with explicit characters only, so that
// both read it alike. At least EXPRESSION_LETTERS letters or digits in a row must stand in all that
// it matches: that is what makes looking for thousands of them cheap.
//
// A match is as long as it can be: one that lies inside another does not count, so that greedy and lazy
// repeats are the same. Two that only overlap both count.
//
//   memory   40 bytes a step and 32 a set of characters, in the arena given
//   threads  shared once read
#ifndef EXPRESSION_H
#define EXPRESSION_H

#include "common/arena.h"

enum {
    EXPRESSION_LETTERS = 3,       // in a row, in every match
    EXPRESSION_STEPS_MOST = 2000, // a{1000}{1000} would be a million: refused
    EXPRESSION_DEPTH_MOST = 32,
};

struct expression_set { // of characters
    uint64_t ascii[2];
    const uint32_t *ranges; // above ASCII: first, last, first, last ...
    uint32_t range_count;
};

enum expression_op {
    STEP_SET,   // one character of `set`, then `next`
    STEP_SPLIT, // `next` or `other`
    STEP_BEGIN, // of the paragraph
    STEP_END,
    STEP_EDGE,  // of a word
    STEP_INNER, // no edge
    STEP_MATCH,
};

struct expression_step {
    enum expression_op op;
    uint32_t next, other;
    const struct expression_set *set;
};

struct expression {
    tc_str text; // as written, between the slashes
    bool fold_case;
    bool exact;         // the filter matches nothing else
    const char *filter; // for vectorscan, zero-ended
    const struct expression_step *steps;
    uint32_t step_count, begin;
    struct expression_set first; // what a match may begin with
};

// Whether a character is a double quote of some kind: all are straight ones in running text.
static inline bool expression_is_quote(uint32_t c)
{
    return (c >= 0x201C && c <= 0x201F) || c == 0xAB || c == 0xBB;
}

struct expression_wrong {
    size_t from, to; // bytes of the text
    char message[160];
    const char *help; // static, or NULL
};

// Reads what stands between the slashes, valid UTF-8. NULL when it is wrong: *wrong says why.
const struct expression *expression_read(tc_str text, bool fold_case, struct tc_arena *arena,
                                         struct expression_wrong *wrong);

static inline bool expression_set_has_ascii(const struct expression_set *set, uint32_t c)
{
    return set->ascii[c >> 6] >> (c & 63) & 1;
}
bool expression_set_has(const struct expression_set *set, uint32_t c);

// ---- finding -------------------------------------------------------------------------------------

struct expression_match { // bytes of the text looked at
    uint32_t from, to;
};

struct expression_finder { // scratch; zero it, expression_finder_done ends it
    struct expression_threads *now, *then;
    uint32_t *stack;
    uint32_t room; // of steps
    struct expression_match *matches;
    size_t match_count, match_room;
};

void expression_finder_done(struct expression_finder *finder);

// All matches in one paragraph of running text (running.h), in order. Their number; they view the finder until
// its next call.
size_t expression_find(const struct expression *expression, tc_str paragraph,
                       struct expression_finder *finder, const struct expression_match **out);

#endif
