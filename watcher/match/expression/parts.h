// parts - the tree of a regular expression while it is read; for this folder only.
#ifndef EXPRESSION_PARTS_H
#define EXPRESSION_PARTS_H

#include "watcher/match/expression/expression.h"

enum part_op {
    PART_SET,    // set
    PART_JOIN,   // kids one after the other; none: nothing
    PART_EITHER, // one of the kids
    PART_REPEAT, // the kid, least .. most times
    PART_BEGIN,
    PART_END,
    PART_EDGE,
    PART_INNER,
};

enum { PART_ENDLESS = UINT32_MAX };

struct part {
    enum part_op op;
    bool letter; // SET: one letter or digit, perhaps in both cases
    uint32_t least, most;
    const struct expression_set *set;
    struct part **kids;
    size_t count;
    uint32_t steps; // that it takes, at most EXPRESSION_STEPS_MOST
};

struct expression_reader {
    tc_str text;
    size_t at;
    bool fold_case;
    struct tc_arena *arena;
    struct expression_wrong *wrong;
    bool failed; // the first mistake is said, the rest is skipped
    int depth;
};

// Says what is wrong with bytes from..to; only the first mistake is kept.
void expression_fail(struct expression_reader *reader, size_t from, size_t to, const char *help,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

// ---- characters (class.c) ----

// One literal character, in both cases when these are equal.
const struct expression_set *expression_char(struct expression_reader *reader, uint32_t c);

// All characters of a paragraph.
const struct expression_set *expression_any(struct expression_reader *reader);

// Reads [...], the reader standing behind the bracket.
const struct expression_set *expression_class(struct expression_reader *reader);

// The set of \d \w \s \p{..} and their opposites, the reader standing behind the letter `c`; NULL when it
// is none of these.
const struct expression_set *expression_shorthand(struct expression_reader *reader, size_t from,
                                                  uint32_t c);

// The character that an escape with the letter or sign `c` stands for: itself, or \x.
uint32_t expression_escaped(struct expression_reader *reader, size_t from, uint32_t c);

// The next character as a text has it: composed, full-width Latin as ASCII, every white space a blank.
// False when it leaves no trace there.
bool expression_next(struct expression_reader *reader, uint32_t *c);

// ---- making (make.c) ----

// Whether it demands EXPRESSION_LETTERS letters in a row.
bool expression_has_letters(const struct part *root);

// Lays out steps and writes the filter.
void expression_make(struct expression *expression, const struct part *root,
                     struct tc_arena *arena);

#endif
