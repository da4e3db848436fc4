// terms - every word and pattern that the watches ask for, as numbers.
//
// A term is a distinct word in the form it is asked for (folded or surface), a distinct wildcard or near
// spelling, or a distinct regular expression. Terms are numbered from 1 as they come; when all watches are laid out the set is sealed, and
// frequent terms get the low numbers, so that what every text touches lies together.
//
//   memory   32 to 48 bytes a word when sealed; patterns see pattern.h
//   threads  sealed: any number; before: one
#ifndef TERMS_H
#define TERMS_H

#include "watcher/match/dict.h"
#include "watcher/match/expressions.h"
#include "watcher/match/lexicon.h"
#include "watcher/match/pattern.h"
#include "watcher/match/query.h"

enum { TERM_NONE = 0 };

// A part of the text that alone counts for some watches (title:, body:, and all of dialect lucene).
enum terms_scope { TERMS_TITLE, TERMS_BODY, TERMS_SCOPES };

struct counts;

struct terms {
    uint32_t count; // terms are 1 .. count-1
    struct lexicon folded, surface;
    struct lexicon_words words;
    size_t key_room, bytes_used, bytes_room;
    struct dict patterns; // "f1hormus": form, edits, text -> term
    struct pattern_set *folded_patterns, *surface_patterns;
    struct expressions expressions;
    uint32_t
        surface_lengths[256];    // by first byte: bit n, watched surfaces of n bytes (31: or more)
    const struct counts *counts; // borrowed until sealed; NULL: guess
    float *costs;                // until sealed: guessed or counted share of texts that hold a term
    bool *plain;                 // until sealed: it is a folded word
    size_t cost_room, plain_room;
    bool sealed;
    uint32_t
        *scoped[TERMS_SCOPES]; // by term: that term where only one part of the text counts; or 0
    size_t scoped_room;
};

void terms_init(struct terms *terms, uint64_t seed, const struct counts *counts);
void terms_done(struct terms *terms);

// The term of a query's word. When sealed: TERM_NONE if no watch asks for it.
uint32_t terms_of(struct terms *terms, const struct query_word *word, bool exact);

// The term of a regular expression, and its number among those of the set. When sealed: of one that a watch
// asks for.
uint32_t terms_of_expression(struct terms *terms, const struct expression *expression,
                             uint32_t *number);

// Ends adding, but for the expressions (expressions_seal). Gives map[] from the numbers so far to the final ones; free() ends it.
// A term of its own for the places of a term that lie in one part of the text.
uint32_t terms_scoped(struct terms *terms, uint32_t term, enum terms_scope scope);

// Ends adding. Gives map[] from the numbers so far to the final ones; free() ends it.
uint32_t *terms_seal(struct terms *terms);

// Whether a surface can be watched, by its first byte and its length: most exact words are names, and most
// words of a text are none.
static inline bool terms_may_hold(const struct terms *terms, const char *surface, size_t len)
{
    return terms->surface_lengths[(unsigned char)*surface] >> (len < 31 ? len : 31) & 1;
}

size_t terms_bytes(const struct terms *terms); // when sealed

#endif
