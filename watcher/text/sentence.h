// sentence - where a sentence ends.
//
// At . ! ? … before white space or the end, at 。！？ anyway, closing quotes and brackets
// included. Not after initialisms, single capitals, abbreviations of months and titles, a day's
// number before its month, or where the next word goes on in small letters.
//
//   cost     looks at what stands between two words; a look into a table after a full stop
//   threads  any
//   source   WATCH-LANGUAGE section 6, rule 9 (docs/watch-language.md)
#ifndef SENTENCE_H
#define SENTENCE_H

#include "common/str.h"

struct sentence_word {
    tc_str surface, folded;
    bool initials; // U.S.
};

// Looks at the bytes from..to between two words of a paragraph that ends at `end`. Gives where the
// sentence ends (after closing signs), or NULL when it goes on.
const char *sentence_end(const struct sentence_word *word, const char *from, const char *to,
                         const char *end);

// Whether a text ends with the end of a sentence.
bool sentence_ends(tc_str text);

#endif
