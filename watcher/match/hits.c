#include "watcher/match/excerpt.h"
#include "watcher/match/scan_body.h"

#include <stdlib.h>

// The whole hit of a watch that matched: what made it hold is collected again, with names and places.

static void collect(struct scan *scan, const struct matcher *matcher, uint32_t watch)
{
    const struct plan_watch *planned = scan_planned(scan, matcher, watch);
    struct range whole = view_whole(&scan->segment);
    scan->eval.match_count = 0;
    scan->eval.clause = (tc_str){NULL, 0};
    scan->eval.tight = 0;
    if (planned->root != PLAN_NONE)
        eval_collect(&scan->eval, planned->root, whole);
    for (uint32_t i = 0; i < planned->count; i++) {
        if (matcher->watches[watch]->terms[i].weight > 0)
            eval_collect(&scan->eval, scan->eval.plan->kids[planned->first + i], whole);
    }
}

// Metadata behind all texts; the title before the body; a named clause before a nameless one.
static int by_place(const void *left, const void *right)
{
    const struct eval_match *a = left, *b = right;
    if (a->is_meta != b->is_meta)
        return a->is_meta - b->is_meta;
    if (a->span.first != b->span.first)
        return a->span.first < b->span.first ? -1 : 1;
    if (a->span.last != b->span.last)
        return a->span.last < b->span.last ? -1 : 1;
    if ((a->clause.len > 0) != (b->clause.len > 0))
        return a->clause.len > 0 ? -1 : 1;
    int order = tc_str_cmp(a->clause, b->clause);
    return order ? order : (int)b->tight - (int)a->tight;
}

static bool same_match(const struct eval_match *a, const struct eval_match *b)
{
    if (a->is_meta != b->is_meta || a->span.first != b->span.first || a->span.last != b->span.last)
        return false;
    if (a->is_meta && (a->leaf != b->leaf))
        return false;
    return tc_str_eq(a->clause, b->clause) || !b->clause.len;
}

// Sorts, and drops what says nothing new: the same words twice in a clause, or without a name beside
// one with a name.
static size_t settle(struct eval *eval)
{
    size_t kept = 0;
    if (eval->match_count > 1)
        qsort(eval->matches, eval->match_count, sizeof *eval->matches, by_place);
    for (size_t i = 0; i < eval->match_count; i++) {
        if (kept && same_match(&eval->matches[kept - 1], &eval->matches[i]))
            continue;
        eval->matches[kept++] = eval->matches[i];
    }
    return kept < TC_HIT_MATCHES_MOST ? kept : TC_HIT_MATCHES_MOST;
}

struct tc_match scan_match(const struct view *view, struct span span, struct tc_arena *arena)
{
    const struct text_word *words = view->segment->words;
    struct tc_match match = {
        .field = view_field(view, span.first),
        .start = words[span.first].start,
        .end = words[span.last].end,
    };
    tc_str original = view_original(view, match.field);
    match.words =
        excerpt_clean(tc_str_cut(original, match.start, match.end), TC_HIT_WORDS_BYTES, arena);
    return match;
}

static struct tc_match match_of(const struct scan *scan, const struct eval_match *found,
                                struct tc_arena *arena)
{
    struct tc_match match = {.field = TC_FIELD_META};
    if (found->is_meta)
        match.words = excerpt_clean(found->meta, TC_HIT_WORDS_BYTES, arena);
    else
        match = scan_match(&scan->segment, found->span, arena);
    match.clause = found->clause;
    return match;
}

static tc_str excerpt_of(struct scan *scan, const struct tc_match *matches, size_t count,
                         struct tc_arena *arena)
{
    struct excerpt_match marked[TC_HIT_MATCHES_MOST];
    size_t marked_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct eval_match *found = &scan->eval.matches[i];
        if (found->is_meta)
            continue;
        marked[marked_count++] = (struct excerpt_match){
            .field = matches[i].field,
            .start = matches[i].start,
            .end = matches[i].end,
            .clause = found->clause,
            .leaf = found->leaf,
            .tight = found->tight,
            .boost = found->leaf ? found->leaf->boost : 0,
        };
    }
    tc_buf_clear(&scan->excerpt);
    excerpt_write(&scan->segment, marked, marked_count, &scan->excerpt);
    return tc_arena_str(arena, tc_buf_view(&scan->excerpt));
}

void scan_hit_fill(struct scan *scan, const struct matcher *matcher, const struct text *text,
                   const struct scan_hit *found, struct tc_hit *out)
{
    const struct watch *watch = matcher->watches[found->watch];
    const struct article *article = text->article;
    scan_show(scan, matcher, text, found->segment);
    collect(scan, matcher, found->watch);
    size_t count = settle(&scan->eval);
    struct tc_match *matches = tc_arena_take(article->arena, (count + 1) * sizeof *matches);
    for (size_t i = 0; i < count; i++)
        matches[i] = match_of(scan, &scan->eval.matches[i], article->arena);
    uint32_t segment = text->segments[found->segment].number;
    *out = (struct tc_hit){
        .id = tc_hit_id(watch->name, article->source, article->id, article->version, segment),
        .watch_hash = watch->hash,
        .watch = watch->name,
        .severity = watch->severity,
        .segment = segment,
        .score = found->score,
        .matches = matches,
        .match_count = count,
        .excerpt = excerpt_of(scan, matches, count, article->arena),
    };
}
