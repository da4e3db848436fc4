#include "watcher/match/near.h"

#include "common/mem.h"

#include <stdlib.h>

// Lists are sorted by where spans begin, so the b that can be near an a begin in one run of the list:
// not before (a's beginning - distance - the longest b), not after (a's end + distance + 1), and in
// a's paragraph. The start of that run only moves forward from one a to the next.

void near_done(struct spans *spans)
{
    free(spans->at);
    *spans = (struct spans){0};
}

void near_add(struct spans *spans, struct span span)
{
    spans->at = tc_room(spans->at, spans->count, &spans->room, sizeof *spans->at);
    spans->at[spans->count++] = span;
}

static int compare(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int by_first(const void *left, const void *right, void *words_of)
{
    const struct text_word *words = words_of;
    const struct span *a = left, *b = right;
    int order = compare(words[a->first].position, words[b->first].position);
    return order ? order : compare(words[a->last].position, words[b->last].position);
}

void near_sort(const struct text_word *words, struct spans *spans)
{
    void *words_of = (void *)(uintptr_t)words; // qsort_r hands it back unchanged
    size_t kept = 0;
    for (size_t i = 1; i < spans->count; i++) {
        if (by_first(&spans->at[i - 1], &spans->at[i], words_of) > 0) {
            qsort_r(spans->at, spans->count, sizeof *spans->at, by_first, words_of);
            break;
        }
    }
    for (size_t i = 0; i < spans->count; i++) {
        if (!kept || by_first(&spans->at[kept - 1], &spans->at[i], words_of))
            spans->at[kept++] = spans->at[i];
    }
    spans->count = kept;
}

// ---- two spans -----------------------------------------------------------------------------

struct place { // a span by positions
    uint32_t first, last, paragraph;
};

static struct place place_of(const struct text_word *words, struct span span)
{
    return (struct place){words[span.first].position, words[span.last].position,
                          words[span.first].paragraph};
}

static bool overlap(struct place a, struct place b)
{
    return a.first <= b.last && b.first <= a.last;
}

static size_t words_between(struct place a, struct place b)
{
    if (overlap(a, b))
        return 0;
    return a.last < b.first ? b.first - a.last - 1 : a.first - b.last - 1;
}

static bool stands_in(struct place inner, struct place outer)
{
    return outer.first < inner.first && inner.last < outer.last;
}

// Whether two overlapping spans are two places all the same.
static bool interlaced(const struct near *near, struct place a, struct place b)
{
    if (near->order == NEAR_FIRST_BEFORE)
        return false;
    if (near->a_gaps && near->b_gaps)
        return a.first != b.first && a.last != b.last && a.first != b.last && a.last != b.first;
    return (near->a_gaps && stands_in(b, a)) || (near->b_gaps && stands_in(a, b));
}

static bool two_places(const struct near *near, struct place a, struct place b)
{
    if (a.paragraph != b.paragraph)
        return false;
    if (overlap(a, b))
        return interlaced(near, a, b);
    return near->order == NEAR_EITHER || a.last < b.first;
}

static bool is_near(const struct near *near, struct place a, struct place b)
{
    return two_places(near, a, b) && words_between(a, b) <= near->distance;
}

// ---- lists ---------------------------------------------------------------------------------

struct walk { // over the spans that can be near one after the other of a sorted list
    const struct near *near;
    const struct spans *others;
    uint32_t longest; // of others, in positions
    size_t start;
};

static struct walk walk_over(const struct near *near, const struct spans *others)
{
    struct walk walk = {near, others, 1, 0};
    for (size_t i = 0; i < others->count; i++) {
        struct place place = place_of(near->words, others->at[i]);
        uint32_t length = place.last - place.first + 1;
        if (length > walk.longest)
            walk.longest = length;
    }
    return walk;
}

// Moves to the first other that could be near `place`.
static size_t walk_to(struct walk *walk, struct place place)
{
    uint64_t reach = (uint64_t)walk->near->distance + walk->longest;
    for (; walk->start < walk->others->count; walk->start++) {
        struct place other = place_of(walk->near->words, walk->others->at[walk->start]);
        if (other.paragraph >= place.paragraph && other.first + reach >= place.first)
            break;
    }
    return walk->start;
}

// The next other from number *at on that could be near; false when there is none.
static bool walk_next(const struct walk *walk, struct place place, size_t *at, struct place *other)
{
    if (*at >= walk->others->count)
        return false;
    *other = place_of(walk->near->words, walk->others->at[(*at)++]);
    return other->paragraph <= place.paragraph &&
           other->first <= (uint64_t)place.last + walk->near->distance + 1;
}

static bool has_near(struct walk *walk, struct place place, bool is_first)
{
    struct place other;
    for (size_t at = walk_to(walk, place); walk_next(walk, place, &at, &other);) {
        if (is_first ? is_near(walk->near, place, other) : is_near(walk->near, other, place))
            return true;
    }
    return false;
}

bool near_any(const struct near *near, const struct spans *a, const struct spans *b)
{
    struct walk walk = walk_over(near, b);
    for (size_t i = 0; i < a->count; i++) {
        if (has_near(&walk, place_of(near->words, a->at[i]), true))
            return true;
    }
    return false;
}

void near_firsts(const struct near *near, const struct spans *a, const struct spans *b,
                 struct spans *out)
{
    struct walk walk = walk_over(near, b);
    for (size_t i = 0; i < a->count; i++) {
        if (has_near(&walk, place_of(near->words, a->at[i]), true))
            near_add(out, a->at[i]);
    }
}

void near_seconds(const struct near *near, const struct spans *a, const struct spans *b,
                  struct spans *out)
{
    struct walk walk = walk_over(near, a);
    for (size_t i = 0; i < b->count; i++) {
        if (has_near(&walk, place_of(near->words, b->at[i]), false))
            near_add(out, b->at[i]);
    }
}

void near_without(const struct near *near, const struct spans *a, const struct spans *b,
                  struct spans *out)
{
    struct walk walk = walk_over(near, b);
    for (size_t i = 0; i < a->count; i++) {
        struct place place = place_of(near->words, a->at[i]), other;
        bool found = false;
        for (size_t at = walk_to(&walk, place); !found && walk_next(&walk, place, &at, &other);)
            found =
                other.paragraph == place.paragraph && words_between(place, other) <= near->distance;
        if (!found)
            near_add(out, a->at[i]);
    }
}

// ---- pairs ---------------------------------------------------------------------------------

static struct span joined(const struct text_word *words, struct span a, struct span b)
{
    return (struct span){
        words[b.first].position < words[a.first].position ? b.first : a.first,
        words[b.last].position > words[a.last].position ? b.last : a.last,
    };
}

// Adds every pair. False when there are more than NEAR_SPANS_MOST.
static bool add_pairs(const struct near *near, const struct spans *a, const struct spans *b,
                      struct spans *out)
{
    struct walk walk = walk_over(near, b);
    for (size_t i = 0; i < a->count; i++) {
        struct place place = place_of(near->words, a->at[i]), other;
        for (size_t at = walk_to(&walk, place); walk_next(&walk, place, &at, &other);) {
            if (!is_near(near, place, other))
                continue;
            if (out->count == NEAR_SPANS_MOST)
                return false;
            near_add(out, joined(near->words, a->at[i], b->at[at - 1]));
        }
    }
    return true;
}

struct extremes { // of the pairs of one span: those that begin with it, those that end with it
    bool begins, ends;
    struct span shortest_begun, longest_begun, shortest_ended, longest_ended;
};

static void widen(const struct text_word *words, struct extremes *extremes, struct place place,
                  struct span pair)
{
    uint32_t first = words[pair.first].position, last = words[pair.last].position;
    if (first == place.first) {
        if (!extremes->begins || last < words[extremes->shortest_begun.last].position)
            extremes->shortest_begun = pair;
        if (!extremes->begins || last > words[extremes->longest_begun.last].position)
            extremes->longest_begun = pair;
        extremes->begins = true;
    }
    if (last == place.last) {
        if (!extremes->ends || first > words[extremes->shortest_ended.first].position)
            extremes->shortest_ended = pair;
        if (!extremes->ends || first < words[extremes->longest_ended.first].position)
            extremes->longest_ended = pair;
        extremes->ends = true;
    }
}

// For each span of `these`, which are the first operands or the second ones: its extreme pairs.
static void add_extremes(const struct near *near, const struct spans *these,
                         const struct spans *others, bool are_first, struct spans *out)
{
    struct walk walk = walk_over(near, others);
    for (size_t i = 0; i < these->count; i++) {
        struct place place = place_of(near->words, these->at[i]), other;
        struct extremes extremes = {0};
        for (size_t at = walk_to(&walk, place); walk_next(&walk, place, &at, &other);) {
            if (are_first ? is_near(near, place, other) : is_near(near, other, place))
                widen(near->words, &extremes, place,
                      joined(near->words, these->at[i], others->at[at - 1]));
        }
        if (extremes.begins) {
            near_add(out, extremes.shortest_begun);
            near_add(out, extremes.longest_begun);
        }
        if (extremes.ends) {
            near_add(out, extremes.shortest_ended);
            near_add(out, extremes.longest_ended);
        }
    }
}

void near_pairs(const struct near *near, const struct spans *a, const struct spans *b,
                struct spans *out)
{
    if (!add_pairs(near, a, b, out)) {
        out->count = 0;
        add_extremes(near, a, b, true, out);
        add_extremes(near, b, a, false, out);
    }
    near_sort(near->words, out);
}

// ---- the rest ------------------------------------------------------------------------------

void near_except(const struct text_word *words, const struct spans *a, const struct spans *b,
                 struct spans *out)
{
    // Of the b that begin at or before an a, the one that reaches farthest decides.
    uint32_t reach = 0;
    bool any = false;
    size_t next = 0;
    for (size_t i = 0; i < a->count; i++) {
        struct place place = place_of(words, a->at[i]);
        for (; next < b->count && words[b->at[next].first].position <= place.first; next++) {
            uint32_t last = words[b->at[next].last].position;
            if (!any || last > reach)
                reach = last;
            any = true;
        }
        if (!any || reach < place.last)
            near_add(out, a->at[i]);
    }
}

size_t near_apart(const struct text_word *words, const struct spans *spans)
{
    // From the end of the text: the span that begins last among those that end before the one chosen
    // before is the best next choice (the greedy choice by ends, mirrored).
    size_t chosen = 0;
    uint64_t free_before = UINT64_MAX;
    for (size_t i = spans->count; i-- > 0;) {
        struct place place = place_of(words, spans->at[i]);
        if (place.last < free_before) {
            chosen++;
            free_before = place.first;
        }
    }
    return chosen;
}

size_t near_closest(const struct near *near, const struct spans *a, const struct spans *b)
{
    size_t closest = SIZE_MAX;
    struct near wide = *near;
    wide.distance = UINT32_MAX;
    struct walk walk = walk_over(&wide, b);
    for (size_t i = 0; i < a->count; i++) {
        struct place place = place_of(near->words, a->at[i]), other;
        for (size_t at = walk_to(&walk, place); walk_next(&walk, place, &at, &other);) {
            size_t between = words_between(place, other);
            if (two_places(&wide, place, other) && between < closest)
                closest = between;
        }
    }
    return closest;
}
