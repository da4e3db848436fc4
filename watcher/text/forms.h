// forms - a span of the scanner becomes the forms that are matched, in the arena.
//
// Most words cost nothing: their surface views the text, their folded form the copy of the text in small
// ASCII letters that the marks have. Other forms are carved from pieces, so that a word
// never costs an allocation.
//
//   memory   at most 6 bytes of the arena per byte of the word, views for most
//   threads  one: belongs to the arena's
#ifndef FORMS_H
#define FORMS_H

#include "common/arena.h"
#include "watcher/text/fold.h"
#include "watcher/text/words.h"

struct forms {
    struct tc_arena *arena;
    enum text_words mode;
    const char *text, *small; // where the words stand, and that in small ASCII letters, or NULL
    char *room;
    size_t left;
    size_t piece; // size of the next piece
};

// `bytes`: size of the text to come, so that short texts carve small pieces.
void forms_init(struct forms *forms, struct tc_arena *arena, enum text_words mode, size_t bytes);

// Both forms of a span. False when nothing of it is left (only zero-width characters).
bool forms_of(struct forms *forms, const struct words_span *span, tc_str *surface, tc_str *folded);

// The folded form of a surface as Turkish and Azerbaijani write it.
tc_str forms_turkic(struct forms *forms, tc_str surface);

#endif
