// mutation - a settings file with one mistake that a person makes, for tests: what must be refused, and where.
//
// The file is given as lines of "key: value". A mistake is a letter too many, too few or another one in a key, a key
// twice, or a value of another type; what is none is a line left out, comments, blank lines and another order.
#ifndef MUTATION_H
#define MUTATION_H

#include <string.h>

#include "common/buf.h"
#include "tests/chance.h"

enum { MUTATION_LINES = 32 };

struct mutation {
    struct tc_buf text; // tc_buf_done() ends it
    int wrong_line;     // from 1; 0: there is nothing wrong
};

static inline void mutation_key(struct chance *chance, const char *line, struct tc_buf *out)
{
    int len = (int)strcspn(line, ":"), at = chance_below(chance, len);
    tc_buf_add(out, line, (size_t)at);
    switch (chance_below(chance, 3)) {
    case 0: break;                                               // too few
    case 1: tc_buf_addf(out, "%c%c", line[at], line[at]); break; // too many
    default: tc_buf_byte(out, line[at] == 'q' ? 'x' : 'q'); break;
    }
    tc_buf_puts(out, line + at + 1);
}

static inline void mutation_value(struct chance *chance, const char *line, struct tc_buf *out)
{
    static const char *const values[] = {"{what: this}", "[[one], [two]]", "[{a: b}]"};
    tc_buf_add(out, line, strcspn(line, ":"));
    tc_buf_addf(out, ": %s", values[chance_below(chance, 3)]);
}

// A harmless change: with comments and blank lines, from some line on, and perhaps without one.
static inline void mutation_harmless(struct chance *chance, const char *const *lines, int count,
                                     struct tc_buf *out)
{
    int from = chance_below(chance, count);
    for (int i = 0; i < count; i++) {
        if (chance_one_in(chance, 12))
            continue;
        tc_buf_addf(out, "%s%s\n", lines[(from + i) % count],
                    chance_one_in(chance, 2) ? "   # a comment\n" : "");
    }
}

static inline struct mutation mutation_make(struct chance *chance, const char *const *lines,
                                            int count)
{
    struct mutation made = {.wrong_line = 0};
    int kind = chance_below(chance, 4), victim = chance_below(chance, count), again = -1;
    if (kind == 0) {
        mutation_harmless(chance, lines, count, &made.text);
        return made;
    }
    if (kind == 1) // the second one is the mistake
        again = victim + chance_below(chance, count - victim);
    for (int i = 0, number = 1; i < count; i++, number++) {
        if (i == victim && kind == 2)
            mutation_key(chance, lines[i], &made.text);
        else if (i == victim && kind == 3)
            mutation_value(chance, lines[i], &made.text);
        else
            tc_buf_puts(&made.text, lines[i]);
        tc_buf_byte(&made.text, '\n');
        if (i == victim && kind != 1)
            made.wrong_line = number;
        if (i == again) {
            tc_buf_addf(&made.text, "%s\n", lines[victim]);
            made.wrong_line = ++number;
        }
    }
    return made;
}

#endif
