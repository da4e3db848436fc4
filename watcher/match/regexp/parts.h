// parts - what a regular expression is made of; for regexp.c, which reads it, and match.c.
#ifndef REGEXP_PARTS_H
#define REGEXP_PARTS_H

#include "watcher/match/regexp/regexp.h"

enum regexp_kind {
    PART_CLASS,  // one letter in (or not in) ranges
    PART_STRING, // letters one after the other; none: the empty string
    PART_ANY,    // any string: @
    PART_NOTHING,
    PART_NUMBER, // <low-high>
    PART_CONCAT,
    PART_UNION,
    PART_BOTH,
    PART_REPEAT,
    PART_NOT,
};

enum { REGEXP_NO_MOST = -1 };

struct regexp_range {
    uint32_t from, to;
    struct regexp_range *next;
};

struct regexp_part {
    enum regexp_kind kind;
    uint32_t number;                  // of this part, from 0
    struct regexp_part *left, *right; // REPEAT and NOT: left
    int least, most;                  // REPEAT; NUMBER: digits in `least`, 0 for any
    bool negated;                     // CLASS
    struct regexp_range *ranges;      // CLASS
    const uint32_t *letters;          // STRING
    uint32_t letter_count;
    uint64_t low, high; // NUMBER
};

struct regexp {
    const struct regexp_part *root;
    uint32_t parts;
};

#endif
