// view - one segment (or a whole page) with the places of the watched words in it.
//
// Made by one pass over the words; the sorted list of a term's places is laid out when somebody asks
// for it. A view belongs to one scan and is filled again for every segment.
//
//   memory   grows to the largest segment and the largest watch set seen, then allocates nothing
//   threads  one
#ifndef VIEW_H
#define VIEW_H

#include "watcher/match/plan.h"

struct view_term {
    uint32_t stamp;      // of the text it was last seen in
    uint32_t head, tail; // in places[]
    uint32_t count;
    uint32_t list; // in lists[], PLAN_NONE when not laid out
};

struct view_place {
    uint32_t word, next;
};

struct view {
    const struct text *text;
    const struct text_segment *segment;
    uint32_t stamp;
    struct view_term *terms;
    size_t term_room;
    uint32_t *seen; // distinct terms, in order of appearance
    size_t seen_count, seen_room;
    struct view_place *places;
    size_t place_count, place_room;
    uint32_t *lists;
    size_t list_count, list_room;
};

// Two words of a segment, as a half-open range of their numbers.
struct range {
    uint32_t from, to;
};

void view_done(struct view *view);

// Must be called before another plan is used.
void view_forget(struct view *view);

// Looks up the words of `segment` in the plan.
void view_fill(struct view *view, const struct plan *plan, struct pattern_memo *folded_memo,
               struct pattern_memo *surface_memo, const struct text *text,
               const struct text_segment *segment);

static inline bool view_has(const struct view *view, uint32_t term)
{
    return view->terms[term].stamp == view->stamp;
}

// The words of a term, by number, rising. Views the view until it is filled again or another
// term is asked for.
const uint32_t *view_list(struct view *view, uint32_t term, size_t *count);

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
