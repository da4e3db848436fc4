// blocks - lines become paragraphs, and a page becomes segments.
//
// A line is a paragraph of its own, unless the text is hard-wrapped (most lines of nearly the same
// length, lines going on in the middle of a sentence): there lines run on until a blank line or
// an indent. On a page, two blank lines or more begin a new segment; a segment that holds no whole
// sentence (a heading, navigation) belongs to the next one, at the end to the one before.
//
//   memory   28 bytes of the arena per line
//   threads  any
#ifndef BLOCKS_H
#define BLOCKS_H

#include "watcher/text/marks.h"

struct block {
    uint32_t from, to;        // bytes, without white space around
    uint32_t line, last_line; // from 1
    uint16_t blanks;          // blank lines before
    uint16_t indent;          // columns
    uint32_t segment;         // from 0
    uint32_t characters;      // of the line, before lines were joined
};

struct blocks {
    struct block *list;
    size_t count;
    uint32_t segments; // 0 when there is no line with anything in it
};

// Cuts a text; `page`: into segments too, otherwise all is one.
void blocks_read(const struct marks *marks, bool page, struct tc_arena *arena, struct blocks *out);

#endif
