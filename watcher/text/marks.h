// marks - what stands where in a text, one bit a byte, before anything else looks at it.
//
// One pass over the bytes of a field fills bitmaps ("planes"); the readers behind it look for the
// next line, blank or word with a shift and a count of zeros, and touch single bytes only at the
// places that need care. The same pass writes the text with small ASCII letters, so that the
// folded form of an ASCII word is a view of it.
//
// There are two ways to make them, with the same result to the bit (marks_test.c): 64 bytes at a
// time with AVX2 where the processor has it, and 8 at a time with a table everywhere.
//
//   memory   2 bytes of the arena per byte
//   cost     measured on Reuters articles: 0.35 ns a byte with AVX2, 1.5 ns with the
//            table, of 2.4 and 3.6 ns for text_read as a whole
//   threads  any
#ifndef MARKS_H
#define MARKS_H

#include "common/arena.h"

// A token is what stands between two blanks. A token without a careful byte holds words of one
// kind only: each run of core bytes is one. Careful are
//
//   everything beyond ASCII
//   : # $ % & + / @ _   signs that may belong to a word, or to an address
//   . before a core byte (.NET U.S.), or behind a w (www.)
//   other signs between two core bytes (China's), but for the hyphen, which always cuts
struct marks {
    tc_str text;
    char *small;         // the same text, A-Z as a-z
    uint64_t *core;      // ASCII letters and digits, and . and , between two digits
    uint64_t *blank;     // ASCII white space, and what lies behind the end
    uint64_t *line;      // line feeds
    uint64_t *stop;      // where a sentence may end: . ! ? and everything beyond ASCII
    uint64_t *careful;   // see above
    uint64_t *high;      // bytes beyond ASCII
    uint64_t *lead;      // those of them that begin a character
    uint64_t *cut;       // where a word ends or begins between core bytes (letters.h), or NULL
    size_t lines, words; // line feeds; an upper bound of the words
    bool ascii;
    bool doubtful; // holds bytes that may be no UTF-8; false: it is UTF-8
};

enum marks_how { MARKS_TABLE, MARKS_AVX2 };

// Whether this processor can. MARKS_TABLE always can.
bool marks_can(enum marks_how how);

// `signs`: whether words may hold more than letters and digits of ASCII; else nothing is careful,
// and no sign is core.
void marks_make(tc_str text, enum marks_how how, bool signs, struct tc_arena *arena,
                struct marks *out);

enum { MARKS_WINDOW = 64 };

// 64 bits of a plane from byte `at` of the text on, `at` <= text.len.
static inline uint64_t marks_bits(const uint64_t *plane, size_t at)
{
    size_t shift = at % MARKS_WINDOW;
    plane += at / MARKS_WINDOW;
    return plane[0] >> shift | plane[1] << 1 << (MARKS_WINDOW - 1 - shift);
}

// The lowest `count` bits, count < 64.
static inline uint64_t marks_low(size_t count)
{
    return (UINT64_C(1) << count) - 1;
}

// Index of the lowest bit that is set, 64 when none is.
static inline size_t marks_first(uint64_t bits)
{
    return bits ? (size_t)__builtin_ctzll(bits) : MARKS_WINDOW;
}

// The first bit of a plane in from..to that is set, `to` when none is.
size_t marks_find(const uint64_t *plane, size_t from, size_t to);

#endif
