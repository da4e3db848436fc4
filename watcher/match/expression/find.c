// Finding all matches in one pass over a paragraph: every step that could be reached is kept with the
// earliest place from which it was. (Thompson's simulation, with begins.)
//
// Steps are reached in the order of their begins, because those that go on come before the one that
// begins here; so the first to reach a step has the earliest begin. Where the last step is reached a
// match ends. It takes the place of those before that begin at or behind its begin: they lie inside it.
//
//   cost   characters x steps at worst; one look a character where nothing has begun
#include "watcher/match/expression/expression.h"

#include <stdlib.h>
#include <unicode/uchar.h>

#include "common/mem.h"
#include "common/utf8.h"

struct expression_threads {
    uint32_t *steps, *begins; // in the order they were reached
    uint32_t *reached;        // by step: the round
    uint32_t count, round;
};

struct search {
    const struct expression *expression;
    tc_str text;
    size_t at;
    struct expression_finder *finder;
};

static void threads_free(struct expression_threads *threads)
{
    if (!threads)
        return;
    free(threads->steps);
    free(threads->begins);
    free(threads->reached);
    free(threads);
}

static struct expression_threads *threads_new(uint32_t room)
{
    struct expression_threads *threads = tc_new(sizeof *threads);
    threads->steps = tc_new(room * sizeof(uint32_t));
    threads->begins = tc_new(room * sizeof(uint32_t));
    threads->reached = tc_new(room * sizeof(uint32_t));
    return threads;
}

void expression_finder_done(struct expression_finder *finder)
{
    threads_free(finder->now);
    threads_free(finder->then);
    free(finder->stack);
    free(finder->matches);
    *finder = (struct expression_finder){0};
}

static void make_room(struct expression_finder *finder, uint32_t steps)
{
    if (steps <= finder->room)
        return;
    threads_free(finder->now);
    threads_free(finder->then);
    finder->room = steps * 2;
    finder->now = threads_new(finder->room);
    finder->then = threads_new(finder->room);
    finder->stack = tc_grow(finder->stack, finder->room, 2 * sizeof *finder->stack);
}

static void new_round(struct expression_threads *threads, uint32_t room)
{
    threads->count = 0;
    if (++threads->round == 0) {
        memset(threads->reached, 0, room * sizeof *threads->reached);
        threads->round = 1;
    }
}

// ---- what holds at a place -----------------------------------------------------------------------

static bool is_word(uint32_t c)
{
    return c == '_' || (U_GET_GC_MASK((UChar32)c) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK));
}

static bool is_edge(const struct search *search)
{
    size_t before = search->at, after = search->at;
    bool left = false;
    if (before > 0) {
        do
            before--;
        while (before > 0 && ((unsigned char)search->text.ptr[before] & 0xC0) == 0x80);
        left = is_word(tc_utf8_next(search->text, &before));
    }
    return left != (after < search->text.len && is_word(tc_utf8_next(search->text, &after)));
}

static bool passes(const struct search *search, enum expression_op op)
{
    switch (op) {
    case STEP_BEGIN: return search->at == 0;
    case STEP_END: return search->at == search->text.len;
    case STEP_EDGE: return is_edge(search);
    case STEP_INNER: return !is_edge(search);
    default: return true;
    }
}

// ---- the walk ------------------------------------------------------------------------------------

// Ends a match here.
static void add_match(struct search *search, uint32_t begin)
{
    struct expression_finder *finder = search->finder;
    while (finder->match_count && finder->matches[finder->match_count - 1].from >= begin)
        finder->match_count--;
    finder->matches =
        tc_room(finder->matches, finder->match_count, &finder->match_room, sizeof *finder->matches);
    finder->matches[finder->match_count++] = (struct expression_match){begin, (uint32_t)search->at};
}

// Reaches a step and all behind it that take no character. The first begin to reach the end is the earliest.
static void reach(struct search *search, uint32_t step, uint32_t begin, bool *ended)
{
    struct expression_threads *now = search->finder->now;
    uint32_t *stack = search->finder->stack, count = 0;
    stack[count++] = step;
    while (count) {
        uint32_t at = stack[--count];
        const struct expression_step *one = &search->expression->steps[at];
        if (now->reached[at] == now->round)
            continue;
        now->reached[at] = now->round;
        if (one->op == STEP_SET) {
            now->steps[now->count] = at;
            now->begins[now->count++] = begin;
        } else if (one->op == STEP_MATCH) {
            if (!*ended)
                add_match(search, begin);
            *ended = true;
        } else if (passes(search, one->op)) {
            stack[count++] = one->next;
            if (one->op == STEP_SPLIT)
                stack[count++] = one->other;
        }
    }
}

// Goes to the next character that a match can begin with.
static void skip(struct search *search)
{
    const struct expression_set *first = &search->expression->first;
    const char *text = search->text.ptr;
    for (; search->at < search->text.len; search->at++) {
        unsigned char c = (unsigned char)text[search->at];
        if (c < 0x80 ? expression_set_has_ascii(first, c)
                     : first->range_count && (c & 0xC0) != 0x80)
            return;
    }
}

// Takes the next character: what goes on stands in `then`, to be reached at the next place.
static void step_on(struct search *search)
{
    struct expression_threads *now = search->finder->now, *then = search->finder->then;
    uint32_t c = tc_utf8_next(search->text, &search->at);
    then->count = 0;
    for (uint32_t i = 0; i < now->count; i++) {
        const struct expression_step *one = &search->expression->steps[now->steps[i]];
        if (!expression_set_has(one->set, c))
            continue;
        then->steps[then->count] = one->next;
        then->begins[then->count++] = now->begins[i];
    }
}

size_t expression_find(const struct expression *expression, tc_str paragraph,
                       struct expression_finder *finder, const struct expression_match **out)
{
    struct search search = {.expression = expression, .text = paragraph, .finder = finder};
    make_room(finder, expression->step_count);
    finder->match_count = 0;
    finder->then->count = 0;
    for (;;) {
        struct expression_threads *then = finder->then;
        bool ended = false;
        if (!then->count)
            skip(&search);
        new_round(finder->now, finder->room);
        for (uint32_t i = 0; i < then->count; i++)
            reach(&search, then->steps[i], then->begins[i], &ended);
        reach(&search, expression->begin, (uint32_t)search.at, &ended);
        if (search.at >= paragraph.len)
            break;
        step_on(&search);
    }
    *out = finder->matches;
    return finder->match_count;
}
