#include "watcher/match/phrase.h"

#include "common/mem.h"

#include <stdlib.h>

static const struct text_word *words_of(const struct eval *eval)
{
    return eval->view->segment->words;
}

void phrase_word(struct eval *eval, uint32_t term, struct range range, struct spans *out)
{
    size_t count;
    const uint32_t *list = view_list(eval->view, term, &count);
    for (size_t i = view_from(list, count, range.from); i < count && list[i] < range.to; i++)
        near_add(out, (struct span){list[i], list[i]});
}

// What stands between two neighbouring words, with blanks as one and every hyphen as '-'.
static void joint(tc_str between, struct tc_buf *out)
{
    static const char *const hyphens[] = {"\xe2\x80\x90", "\xe2\x80\x91"};
    tc_buf_clear(out);
    for (size_t i = 0; i < between.len;) {
        tc_str rest = tc_str_cut(between, i, between.len);
        char c = rest.ptr[0];
        bool blank = c == ' ' || (c >= '\t' && c <= '\r');
        if (tc_str_starts(rest, tc_str_of(hyphens[0])) ||
            tc_str_starts(rest, tc_str_of(hyphens[1]))) {
            tc_buf_byte(out, '-');
            i += 3;
            continue;
        }
        if (!blank || !out->len || out->ptr[out->len - 1] != ' ')
            tc_buf_byte(out, blank ? ' ' : c);
        i++;
    }
}

static size_t find(tc_str text, size_t from, tc_str piece)
{
    const char *found = from < text.len && piece.len
                            ? memmem(text.ptr + from, text.len - from, piece.ptr, piece.len)
                            : NULL;
    return found ? (size_t)(found - text.ptr) : text.len;
}

// Whether the words are joined in the text as the query wrote them. A word that the query writes in
// another form than it is looked for (U.S. for US) cannot be found in the query: its joints are free.
static bool joined_as_written(struct eval *eval, const struct plan_node *node, struct span span)
{
    const struct query_node *query = node->source;
    const struct text_word *words = words_of(eval);
    tc_str original = view_original(eval->view, view_field(eval->view, span.first));
    struct tc_buf wanted = {0}, found = {0};
    bool same = true;
    size_t at = find(query->text, 0, query->words[0].surface), from = 0;
    uint32_t word = span.first;
    for (size_t i = 1; i < query->word_count && same; i++) {
        bool known = at < query->text.len;
        if (known)
            from = at + query->words[i - 1].surface.len;
        at = find(query->text, from, query->words[i].surface);
        uint32_t next = word + 1;
        while (next < span.last && words[next].position == words[word].position)
            next++;
        joint(tc_str_cut(query->text, from, at), &wanted);
        joint(tc_str_cut(original, words[word].end, words[next].start), &found);
        same =
            !known || at == query->text.len || tc_str_eq(tc_buf_view(&wanted), tc_buf_view(&found));
        word = next;
    }
    tc_buf_done(&wanted);
    tc_buf_done(&found);
    return same;
}

static uint32_t *cursors_for(struct eval *eval, size_t count)
{
    if (count > eval->cursor_room) {
        eval->cursor_room = count * 2;
        eval->cursors = tc_grow(eval->cursors, eval->cursor_room, sizeof *eval->cursors);
    }
    memset(eval->cursors, 0, count * sizeof *eval->cursors);
    return eval->cursors;
}

bool phrase_possible(const struct eval *eval, const struct plan_node *node)
{
    for (uint32_t i = 0; i < node->count; i++) {
        if (!view_has(eval->view, eval->plan->words[node->first + i]))
            return false;
    }
    return true;
}

// Moves a term's cursor to `position` or behind it. False when the term is at its end.
static bool advance(struct eval *eval, uint32_t term, uint32_t *cursor, uint64_t position,
                    uint32_t *word)
{
    size_t count;
    const uint32_t *list = view_list(eval->view, term, &count);
    const struct text_word *words = words_of(eval);
    while (*cursor < count && words[list[*cursor]].position < position) {
        for (uint32_t step = 1;
             (size_t)*cursor + step < count && words[list[*cursor + step]].position < position;
             step *= 2)
            *cursor += step; // strides, so that a late sentence does not walk all before it
        ++*cursor;
    }
    if (*cursor == count)
        return false;
    *word = list[*cursor];
    return true;
}

// Every place of the first word, the other words' cursors moving along: linear in all places.
// Stops after the first one when `one` is set.
void phrase_spans(struct eval *eval, const struct plan_node *node, struct range range,
                  struct spans *out, bool one)
{
    if (!phrase_possible(eval, node))
        return;
    const uint32_t *terms = eval->plan->words + node->first;
    const struct text_word *words = words_of(eval);
    uint32_t *cursors = cursors_for(eval, node->count), begin = words[range.from].position;
    for (uint32_t word = 0; advance(eval, terms[0], &cursors[0], begin, &word); cursors[0]++) {
        struct span span = {word, word};
        bool whole = word >= range.from;
        if (word >= range.to)
            return;
        for (uint32_t i = 1; i < node->count && whole; i++) {
            uint64_t wanted = (uint64_t)words[word].position + i;
            if (!advance(eval, terms[i], &cursors[i], wanted, &span.last))
                return;
            whole = words[span.last].position == wanted;
        }
        if (!whole || span.last >= range.to ||
            (!(node->flags & PLAN_RUNNING) &&
             words[span.last].paragraph != words[span.first].paragraph) ||
            (node->flags & PLAN_STRICT && !joined_as_written(eval, node, span)))
            continue;
        near_add(out, span);
        if (one)
            return;
    }
}

// ---- "a b c"~n -----------------------------------------------------------------------------

// The places of all its words, merged: sorted by word, a term that stands twice in the phrase is
// wanted twice.
struct window {
    struct eval *eval;
    const struct plan_node *node;
    const struct spans *places; // first: the word, last: which term of the phrase
    uint32_t *missing;          // per term (at its first appearance): how many are still wanted
    uint32_t all_missing;
};

static uint32_t first_of(const struct window *window, uint32_t number)
{
    const uint32_t *terms = window->eval->plan->words + window->node->first;
    for (uint32_t i = 0; i < number; i++) {
        if (terms[i] == terms[number])
            return i;
    }
    return number;
}

static void want_all(struct window *window)
{
    window->missing = cursors_for(window->eval, window->node->count);
    for (uint32_t i = 0; i < window->node->count; i++)
        window->missing[first_of(window, i)]++;
    window->all_missing = window->node->count;
}

static int by_word(const void *a, const void *b)
{
    const struct span *left = a, *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

static void gather_places(struct window *window, struct range range, struct spans *places)
{
    for (uint32_t i = 0; i < window->node->count; i++) {
        size_t count;
        const uint32_t *list;
        if (first_of(window, i) != i)
            continue;
        list = view_list(window->eval->view, window->eval->plan->words[window->node->first + i],
                         &count);
        for (size_t k = 0; k < count; k++) {
            if (list[k] >= range.from && list[k] < range.to)
                near_add(places, (struct span){list[k], i});
        }
    }
    if (places->count)
        qsort(places->at, places->count, sizeof *places->at, by_word);
}

static uint32_t position_at(const struct window *window, size_t place)
{
    return words_of(window->eval)[window->places->at[place].first].position;
}

// Whether places from..to lie close enough, and in one paragraph.
static bool is_close(const struct window *window, size_t from, size_t to)
{
    const struct text_word *words = words_of(window->eval);
    return words[window->places->at[from].first].paragraph ==
               words[window->places->at[to].first].paragraph &&
           (uint64_t)(position_at(window, to) - position_at(window, from)) + 1 <=
               (uint64_t)window->node->number + window->node->count;
}

// Slides over the places; for each end, the shortest stretch that holds every word. `missing` below 0
// (as a wrapped number) counts what there is too much of.
static void slide(struct window *window, struct spans *out)
{
    const struct spans *places = window->places;
    size_t from = 0;
    want_all(window);
    for (size_t to = 0; to < places->count; to++) {
        int32_t left = (int32_t)window->missing[places->at[to].last]--;
        window->all_missing -= left > 0;
        while (!window->all_missing && (int32_t)window->missing[places->at[from].last] < 0)
            window->missing[places->at[from++].last]++;
        if (!window->all_missing && is_close(window, from, to))
            near_add(out, (struct span){places->at[from].first, places->at[to].first});
    }
}

// ---- words that can stand for each other ---------------------------------------------------

// Of "lo* lomi" one lomi is not both words. When a place of the text can be several words of the phrase, it
// is a seat for one of them, and a stretch holds the phrase when all words can be seated: the matching of
// Kuhn. Seats are added backwards from an end, until nobody stands; a seat that none of those who looked in
// vain could take, or somebody who would make room for them, is not worth another look.
//
//   cost   per end: the places of the window, and words x places for each seat that somebody can take;
//          only for such phrases

struct seats { // of the positions of one window, counted back from its end
    const struct window *window;
    size_t from, to;     // places of the window so far
    struct spans *taken; // by position: first is the word that sits there plus one, last the turn
    struct spans *words; // first: it sits; last, at a term's first word: it was looked for in vain
    uint32_t turn;       // of whoever looks for a seat: each is tried once
};

static struct span *seat_of(const struct seats *seats, size_t place)
{
    return &seats->taken
                ->at[position_at(seats->window, seats->to) - position_at(seats->window, place)];
}

// Recursion is as deep as the phrase has words at most.
static bool sit_down(struct seats *seats, uint32_t word)
{
    uint32_t term = first_of(seats->window, word);
    seats->words->at[term].last = true;
    for (size_t i = seats->to + 1; i-- > seats->from;) {
        struct span *seat = seat_of(seats, i);
        if (seats->window->places->at[i].last != term || seat->last == seats->turn)
            continue;
        seat->last = seats->turn;
        if (!seat->first || sit_down(seats, seat->first - 1)) {
            seat->first = word + 1;
            return true;
        }
    }
    return false;
}

// How many of those who stand find a seat now.
static uint32_t seat_some(struct seats *seats)
{
    uint32_t seated = 0;
    for (size_t i = 0; i < seats->words->count; i++)
        seats->words->at[i].last = false;
    for (uint32_t word = 0; word < seats->words->count; word++) {
        struct span *standing = &seats->words->at[word];
        seats->turn++;
        if (!standing->first && sit_down(seats, word)) {
            standing->first = true;
            seated++;
        }
    }
    return seated;
}

static void fill(struct spans *spans, size_t count, struct span with)
{
    spans->count = 0;
    for (size_t i = 0; i < count; i++)
        near_add(spans, with);
}

// Whether the phrase is held by a stretch that ends at place `to`; seats->from is where it begins then.
static bool is_seated(struct seats *seats, size_t to)
{
    const struct window *window = seats->window;
    uint32_t count = window->node->count, seated = 0;
    seats->to = to;
    seats->turn = 0;
    fill(seats->taken, (size_t)count + window->node->number, (struct span){0, 0});
    fill(seats->words, count, (struct span){false, true});
    for (size_t from = to + 1; from-- > 0 && is_close(window, from, to);) {
        seats->from = from;
        if (seats->words->at[window->places->at[from].last].last)
            seated += seat_some(seats);
        if (seated == count)
            return true;
    }
    return false;
}

static bool share_places(const struct window *window)
{
    for (size_t i = 1; i < window->places->count; i++) {
        if (position_at(window, i) == position_at(window, i - 1))
            return true;
    }
    return false;
}

static void seat_all(struct window *window, struct spans *out)
{
    struct seats seats = {.window = window};
    seats.taken = eval_borrow(window->eval);
    seats.words = eval_borrow(window->eval);
    for (size_t to = 0; to < window->places->count; to++) {
        if (is_seated(&seats, to))
            near_add(out, (struct span){window->places->at[seats.from].first,
                                        window->places->at[to].first});
    }
    eval_return(window->eval, seats.words);
    eval_return(window->eval, seats.taken);
}

void phrase_window(struct eval *eval, const struct plan_node *node, struct range range,
                   struct spans *out)
{
    if (!phrase_possible(eval, node))
        return;
    struct spans *places = eval_borrow(eval);
    struct window window = {.eval = eval, .node = node, .places = places};
    gather_places(&window, range, places);
    if (share_places(&window))
        seat_all(&window, out);
    else
        slide(&window, out);
    near_sort(words_of(eval), out);
    eval_return(eval, places);
}
