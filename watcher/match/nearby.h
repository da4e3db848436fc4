// nearby - what a segment has in place of a word that it lacks, for tocsin why.
//
// Most misses are small: another mark, an ending, a hyphen, a letter. Saying so tells a person what to write.
//
//   cost     a pass over the words of the segment for each kind of likeness
//   threads  any
#ifndef NEARBY_H
#define NEARBY_H

#include "watcher/match/query.h"

enum nearby_kinds {
    NEARBY_SAME_LETTERS = 1, // other case or marks
    NEARBY_ALL = 3,          // also other endings, parts of words, spellings
};

// Writes a sentence about the word of the text that is most like `word`; false when none is.
bool nearby_word(const struct text *text, const struct text_segment *segment,
                 const struct query_word *word, bool exact, enum nearby_kinds kinds, char *out,
                 size_t room);

#endif
