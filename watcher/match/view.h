// view - one segment (or a whole page) with the watched words in it.
//
// Filled by one pass over the words: pack and hash them all, ask for the memo's slots of all, then read all
// without a branch; only words that the memo does not know are looked up one by one. What comes out is a bit for every term that is present, a bit for every pair of
// folded words that stand side by side (hashed into VIEW_PAIRS bits, so that a set bit is a hint and an
// unset one a proof), and the terms in order of words. Lists of places are laid out for all terms at once
// when somebody first asks for one.
//
// A view belongs to one scan and is filled again for every segment; only what was touched is cleared.
//
//   memory   grows to the largest segment and the largest watch set seen, then allocates nothing
//   threads  one
#ifndef VIEW_H
#define VIEW_H

#include "watcher/match/memo.h"
#include "watcher/match/plan.h"

// Bits 0 .. VIEW_PAIRS-1 are pairs, then one for each term. That of TERM_NONE is always set.
enum {
    VIEW_PAIRS = 64 * 1024,
    VIEW_WALKS = 8, // a walk takes about an eighth of the time that lists take
};

struct view {
    const struct terms *terms; // whose numbers the rest speaks of
    const struct text *text;
    const struct text_segment *segment;
    struct running *running; // what regular expressions look at; NULL until there are some
    bool plain;              // no two words share a position: neighbours are neighbours by number
    uint32_t *bits;
    size_t bit_room;
    uint32_t *pairs; // the bits of pairs that are set
    size_t pair_count, pair_room;

    struct lexicon_key *keys; // by word
    uint64_t *hashes;
    uint32_t *words; // by word: the term of its folded form, TERM_NONE when it is not watched
    uint32_t *asked; // words that the memo does not know, or that match patterns, while filling
    size_t word_room;

    uint32_t *found_terms, *found_words; // each term at each of its words
    size_t found_count, found_room;
    uint32_t *seen; // distinct terms, in order of appearance
    size_t seen_count;
    uint32_t *number_of; // by term: its place in seen[], when listed
    size_t number_room;

    bool listed;
    unsigned walks;          // over words[], in place of lists
    uint32_t *starts, *ends; // in lists[], by place in seen[]
    uint32_t *lists;
    size_t list_room, seen_room;
};

// Two words of a segment, as a half-open range of their numbers.
struct range {
    uint32_t from, to;
};

void view_done(struct view *view);

// Must be called before terms of another set are looked up.
void view_use(struct view *view, const struct terms *terms);

// Looks up the words of `segment`.
void view_fill(struct view *view, struct memo *folded, struct memo *surface,
               const struct text *text, const struct text_segment *segment);

// Adds a term that is present beside those of words: that of a regular expression.
void view_add(struct view *view, uint32_t term);

// The bit of a pair of folded words.
static inline uint32_t view_pair(uint32_t first, uint32_t second)
{
    return ((first * UINT32_C(0x9e3779b1)) ^ (second * UINT32_C(0x85ebca77))) >> 16;
}

_Static_assert(VIEW_PAIRS == 1 << 16, "view_pair gives 16 bits");

static inline bool view_bit(const struct view *view, uint32_t bit)
{
    return view->bits[bit >> 5] >> (bit & 31) & 1;
}

static inline bool view_has(const struct view *view, uint32_t term)
{
    return term != TERM_NONE && view_bit(view, VIEW_PAIRS + term);
}

// The words of a term, by number, rising; one for each position. Views the view until it is filled again.
const uint32_t *view_list(struct view *view, uint32_t term, size_t *count);

// Whether to look through words[] for places: for the first few questions that costs less than lists.
static inline bool view_walks(struct view *view)
{
    return !view->listed && view->plain && view->walks++ < VIEW_WALKS;
}

// The first of a sorted list that is `word` or behind it; count when there is none.
size_t view_from(const uint32_t *list, size_t count, uint32_t word);

// Whether one stands in the range.
bool view_within(struct view *view, uint32_t term, struct range range);

// Which original a word's bytes count in, and that original.
enum tc_field view_field(const struct view *view, uint32_t word);
tc_str view_original(const struct view *view, enum tc_field field);

static inline struct range view_whole(const struct view *view)
{
    return (struct range){0, view->segment->word_count};
}

#endif
