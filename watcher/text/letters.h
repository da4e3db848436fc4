// letters - characters beyond ASCII take the place in the marks that ASCII ones have.
//
//   letters   whose surface is themselves and whose case folding is as long as they are become
//             core bytes; the folding is written into marks.small. Not letters of Hebrew, and not
//             a toned vowel that may have to pass its tone on (hòa)
//   singles   of scripts without spaces become core bytes with a cut on both sides
//   gaps      (quotes, dashes, 。 and spaces) that never belong to a word become blanks
//
// All else stays careful: marks, digits, currency, apostrophes, full-width Latin.
//
//   memory   1/8 byte of the arena per byte
//   cost     measured: 3 ns a character beyond ASCII; nothing for ASCII
//   threads  any
#ifndef LETTERS_H
#define LETTERS_H

#include "watcher/text/marks.h"

// Only for marks that are not `doubtful`.
void letters_mark(struct marks *marks, struct tc_arena *arena);

#endif
