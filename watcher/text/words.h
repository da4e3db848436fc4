// words - where words begin and end.
//
// One scanner for texts and for queries, so that both sides agree. It walks the original bytes
// and gives spans; nothing is copied, and ASCII needs one table load a byte.
//
//   memory   the struct itself
//   threads  one scanner per thread; they share constant tables
//   source   UAX #29 and WATCH-LANGUAGE section 6 (docs/watch-language.md)
#ifndef WORDS_H
#define WORDS_H

#include "watcher/text/text.h"
#include "watcher/text/unicode.h"
#include "watcher/text/utf8.h"

enum { WORDS_SPAN_MOST = 1024 }; // bytes of one word; a longer run is cut there

enum words_flags {
    WORDS_PLAIN = 1,    // the bytes are both forms
    WORDS_ASCII = 2,    // ASCII: the bytes are the surface, capitals fold by a bit
    WORDS_INITIALS = 4, // U.S.: lose the dots
    WORDS_APOSTROPHE = 8,
    WORDS_HASH = 16,     // #word
    WORDS_ADDRESS = 32,  // a link or mail address: no word
    WORDS_SINGLE = 64,   // a character of a script without spaces
    WORDS_WILD = 128,    // holds a wildcard of a query
    WORDS_WRITTEN = 256, // the bytes are the surface
};

struct words_span {
    const char *start, *end;
    unsigned flags;
    const char *after_first; // behind the first apostrophe inside
    const char *last_quote;  // where the last one starts
};

struct words {
    const char *p, *end;
    const char *stop;     // no word begins here or behind; it may end there
    const char *last_end; // of the span before
    enum text_words mode;
    bool wild; // the two noncharacters for * and ? are letters
};

void words_init(struct words *words, tc_str text, enum text_words mode, bool wild);

// The next word or address. False at the end.
bool words_next(struct words *words, struct words_span *out);

// The same for --words=standard and --words=ascii (words_standard.c).
bool words_next_standard(struct words *words, struct words_span *out);
bool words_next_ascii(struct words *words, struct words_span *out);

// The class of the character at p, NONE at the end; *len gets its bytes.
static inline enum unicode_class words_class_at(const char *p, const char *end, size_t *len,
                                                uint32_t *cp)
{
    *len = 0;
    *cp = 0;
    if (p >= end)
        return CLASS_NONE;
    *len = utf8_next(p, end, cp);
    return unicode_class(unicode_cell_of(*cp));
}

// Behind the marks that belong to the character before p.
const char *words_skip_marks(const char *p, const char *end);

#endif
