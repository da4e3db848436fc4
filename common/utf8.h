// utf8 - text as characters: checking it, walking it, its width on a terminal.
//
// Everything past the door of a program is valid UTF-8; this is the check at the door, for files,
// frames and messages. (Article text has its own reader, which repairs.)
//
//   safe     for libtocsin
//   source   RFC 3629; widths from Unicode 14, see utf8.c
#ifndef TC_UTF8_H
#define TC_UTF8_H

#include "common/str.h"

// How many bytes at the front of `text` are valid UTF-8: text.len when all are.
size_t tc_utf8_valid(tc_str text);

// The character at `*at` (at least one byte before the end), and moves *at behind it. A byte that
// is not UTF-8 is given back as U+FFFD and passed alone.
uint32_t tc_utf8_next(tc_str text, size_t *at);

// Characters in `text`; bytes that are not UTF-8 count one each.
size_t tc_utf8_count(tc_str text);

// The longest start of `text` of at most `bytes` bytes that ends between two characters.
tc_str tc_utf8_cut(tc_str text, size_t bytes);

// Adds one character to `out`, which holds 4 bytes; returns how many it wrote.
size_t tc_utf8_put(uint32_t character, char *out);

// Columns on a terminal: 0 for marks that join the letter before, 2 for wide East Asian ones.
int tc_utf8_width(uint32_t character);

#endif
