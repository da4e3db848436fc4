#include "watcher/match/view.h"

#include "common/mem.h"

#include <stdlib.h>

void view_done(struct view *view)
{
    free(view->terms);
    free(view->seen);
    free(view->places);
    free(view->lists);
    *view = (struct view){0};
}

void view_forget(struct view *view)
{
    view->stamp = 0;
    if (view->terms)
        memset(view->terms, 0, view->term_room * sizeof *view->terms);
}

static void begin(struct view *view, const struct plan *plan)
{
    if (plan->term_count > view->term_room) {
        size_t before = view->term_room;
        view->terms = tc_grow(view->terms, plan->term_count, sizeof *view->terms);
        view->term_room = plan->term_count;
        memset(view->terms + before, 0, (view->term_room - before) * sizeof *view->terms);
    }
    if (view->stamp == UINT32_MAX)
        view_forget(view);
    view->stamp++;
    view->seen_count = view->place_count = view->list_count = 0;
}

static void first_place(struct view *view, uint32_t term, uint32_t place)
{
    view->terms[term] = (struct view_term){view->stamp, place, place, 1, PLAN_NONE};
    view->seen = tc_room(view->seen, view->seen_count, &view->seen_room, sizeof *view->seen);
    view->seen[view->seen_count++] = term;
}

// A term stands at most once at one position, even when two forms of the word there are it.
static void add_place(struct view *view, uint32_t term, uint32_t word)
{
    const struct text_word *words = view->segment->words;
    struct view_term *found = &view->terms[term];
    uint32_t place = (uint32_t)view->place_count;
    if (found->stamp == view->stamp &&
        words[view->places[found->tail].word].position == words[word].position)
        return;
    view->places =
        tc_room(view->places, view->place_count, &view->place_room, sizeof *view->places);
    view->places[view->place_count++] = (struct view_place){word, PLAN_NONE};
    if (found->stamp != view->stamp) {
        first_place(view, term, place);
        return;
    }
    view->places[found->tail].next = place;
    found->tail = place;
    found->count++;
}

static void add_form(struct view *view, const struct dict *dict, const struct pattern_set *patterns,
                     struct pattern_memo *memo, tc_str form, uint32_t word)
{
    uint32_t term = dict_find(dict, form);
    if (term != DICT_NONE)
        add_place(view, term, word);
    if (!pattern_set_count(patterns))
        return;
    const uint32_t *terms;
    size_t count = pattern_find(patterns, memo, form, &terms);
    for (size_t i = 0; i < count; i++)
        add_place(view, terms[i], word);
}

void view_fill(struct view *view, const struct plan *plan, struct pattern_memo *folded_memo,
               struct pattern_memo *surface_memo, const struct text *text,
               const struct text_segment *segment)
{
    bool surface = plan->surface.count || pattern_set_count(plan->surface_patterns);
    view->text = text;
    view->segment = segment;
    begin(view, plan);
    for (uint32_t i = 0; i < segment->word_count; i++) {
        const struct text_word *word = &segment->words[i];
        add_form(view, &plan->folded, plan->folded_patterns, folded_memo,
                 (tc_str){word->folded, word->folded_len}, i);
        if (surface)
            add_form(view, &plan->surface, plan->surface_patterns, surface_memo,
                     (tc_str){word->surface, word->surface_len}, i);
    }
}

const uint32_t *view_list(struct view *view, uint32_t term, size_t *count)
{
    struct view_term *found = &view->terms[term];
    *count = 0;
    if (found->stamp != view->stamp)
        return NULL;
    *count = found->count;
    if (found->list == PLAN_NONE) {
        size_t need = view->list_count + found->count;
        if (need > view->list_room) {
            view->list_room = need * 2;
            view->lists = tc_grow(view->lists, view->list_room, sizeof *view->lists);
        }
        found->list = (uint32_t)view->list_count;
        for (uint32_t at = found->head; at != PLAN_NONE; at = view->places[at].next)
            view->lists[view->list_count++] = view->places[at].word;
    }
    return view->lists + found->list;
}

size_t view_from(const uint32_t *list, size_t count, uint32_t word)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (list[middle] < word)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool view_within(struct view *view, uint32_t term, struct range range)
{
    if (!view_has(view, term))
        return false;
    if (range.from == 0 && range.to == view->segment->word_count)
        return true;
    size_t count;
    const uint32_t *list = view_list(view, term, &count);
    size_t at = view_from(list, count, range.from);
    return at < count && list[at] < range.to;
}

enum tc_field view_field(const struct view *view, uint32_t word)
{
    return view->segment->paragraphs[view->segment->words[word].paragraph].field;
}

tc_str view_original(const struct view *view, enum tc_field field)
{
    return field == TC_FIELD_TITLE ? view->text->article->title : view->text->article->body;
}
