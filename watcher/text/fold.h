// fold - the two forms of a word.
//
// surface   as written, but: soft hyphens and zero-width characters gone, full-width Latin as
//           ASCII, one kind of apostrophe, NFC, dots of initialisms dropped, and the tone mark of
//           an open Vietnamese syllable at its newer place (hòa and hoà are one word)
// folded    the surface, case folded in full (ß becomes ss, İ becomes i), NFC
//
// Both are the same for a text and for a query. ASCII words without capitals never come here.
//
//   memory   none: the caller gives room
//   threads  any
#ifndef FOLD_H
#define FOLD_H

#include "common/str.h"

// Room that both forms of a word of `len` bytes fit into: case folding gives at most 3 bytes for
// one, and NFC never more than that again.
#define FOLD_ROOM(len) ((len)*3 + 16)

enum fold_how { FOLD_PLAIN, FOLD_TURKIC }; // Turkic: a capital I folds to a dotless one

// Writes the surface of the bytes of a word; gives its length. `initials`: drop full stops.
size_t fold_surface(tc_str raw, bool initials, char *out, size_t room);

// Writes the folded form of a surface; gives its length.
size_t fold_case(tc_str surface, enum fold_how how, char *out, size_t room);

// Whether the tone mark of a vowel (UNICODE_TONED) may move to the ASCII letter behind it.
bool fold_moves_tone(uint32_t vowel, char next);

// Writes `raw` in lower case, character by character, and nothing else: what Lucene's
// StandardAnalyzer does.
size_t fold_lower(tc_str raw, char *out, size_t room);

#endif
