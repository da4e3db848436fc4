#include "watcher/match/scan.h"

#include "common/mem.h"
#include "watcher/match/scan_body.h"

#include <math.h>
#include <stdlib.h>

struct scan *scan_new(void)
{
    struct scan *scan = tc_new(sizeof *scan);
    scan->folded_memo = pattern_memo_new();
    scan->surface_memo = pattern_memo_new();
    return scan;
}

void scan_free(struct scan *scan)
{
    if (!scan)
        return;
    view_done(&scan->segment);
    view_done(&scan->page);
    pattern_memo_free(scan->folded_memo);
    pattern_memo_free(scan->surface_memo);
    eval_done(&scan->eval);
    free(scan->whole.words);
    free(scan->whole.sentences);
    free(scan->whole.paragraphs);
    free(scan->tried);
    free(scan->hits);
    tc_buf_done(&scan->excerpt);
    free(scan);
}

struct scan_stats scan_stats(const struct scan *scan)
{
    return scan->stats;
}

// ---- what is looked at ---------------------------------------------------------------------

static void forget_round(struct scan *scan)
{
    scan->round = 0;
    if (scan->tried)
        memset(scan->tried, 0, scan->tried_room * sizeof *scan->tried);
}

// Numbers of terms and watches mean nothing in another matcher.
static void use_matcher(struct scan *scan, const struct matcher *matcher)
{
    if (tc_id_eq(scan->matcher, matcher->id))
        return;
    scan->matcher = matcher->id;
    scan->text = NULL;
    view_forget(&scan->segment);
    view_forget(&scan->page);
    pattern_memo_clear(scan->folded_memo);
    pattern_memo_clear(scan->surface_memo);
    if (matcher->count > scan->tried_room) {
        scan->tried = tc_grow(scan->tried, matcher->count, sizeof *scan->tried);
        scan->tried_room = matcher->count;
    }
    forget_round(scan);
    scan->eval.plan = matcher->plan;
}

static void *make_room(void *array, size_t count, size_t *room, size_t size)
{
    if (count <= *room && array)
        return array;
    *room = count * 2;
    return tc_grow(array, *room, size);
}

// Puts one segment behind the others: its numbers go on where theirs end.
static void append_segment(struct scan_page *page, const struct text_segment *from)
{
    struct text_segment *to = &page->segment;
    uint32_t position = to->word_count ? to->words[to->word_count - 1].position + 1 : 0;
    uint32_t begin = from->word_count ? from->words[0].position : 0;
    for (uint32_t i = 0; i < from->word_count; i++) {
        struct text_word *word = &page->words[to->word_count + i];
        *word = from->words[i];
        word->position += position - begin;
        word->paragraph += to->paragraph_count;
        word->sentence += to->sentence_count;
    }
    for (uint32_t i = 0; i < from->sentence_count; i++) {
        page->sentences[to->sentence_count + i] = from->sentences[i];
        page->sentences[to->sentence_count + i].first += to->word_count;
    }
    for (uint32_t i = 0; i < from->paragraph_count; i++) {
        page->paragraphs[to->paragraph_count + i] = from->paragraphs[i];
        page->paragraphs[to->paragraph_count + i].first += to->word_count;
    }
    to->word_count += from->word_count;
    to->sentence_count += from->sentence_count;
    to->paragraph_count += from->paragraph_count;
}

// The page's title and lead are those of its first segment.
static const struct text_segment *whole_page(struct scan_page *page, const struct text *text)
{
    size_t words = 0, sentences = 0, paragraphs = 0;
    for (uint32_t i = 0; i < text->segment_count; i++) {
        words += text->segments[i].word_count;
        sentences += text->segments[i].sentence_count;
        paragraphs += text->segments[i].paragraph_count;
    }
    page->words = make_room(page->words, words, &page->word_room, sizeof *page->words);
    page->sentences =
        make_room(page->sentences, sentences, &page->sentence_room, sizeof *page->sentences);
    page->paragraphs =
        make_room(page->paragraphs, paragraphs, &page->paragraph_room, sizeof *page->paragraphs);
    page->segment = text->segments[0];
    page->segment.words = page->words;
    page->segment.sentences = page->sentences;
    page->segment.paragraphs = page->paragraphs;
    page->segment.word_count = page->segment.sentence_count = page->segment.paragraph_count = 0;
    for (uint32_t i = 0; i < text->segment_count; i++)
        append_segment(page, &text->segments[i]);
    return &page->segment;
}

static void begin_text(struct scan *scan, const struct matcher *matcher, const struct text *text)
{
    use_matcher(scan, matcher);
    scan->text = text;
    scan->number = UINT32_MAX;
    scan->hit_count = 0;
    scan->eval.said = (struct eval_said){.ready = false};
    scan->eval.page = &scan->segment;
    if (matcher->plan->has_pages && text->segment_count > 1) {
        view_fill(&scan->page, matcher->plan, scan->folded_memo, scan->surface_memo, text,
                  whole_page(&scan->whole, text));
        scan->eval.page = &scan->page;
    }
}

void scan_show(struct scan *scan, const struct matcher *matcher, const struct text *text,
               uint32_t segment)
{
    if (scan->text != text || !tc_id_eq(scan->matcher, matcher->id))
        begin_text(scan, matcher, text);
    scan->eval.view = &scan->segment;
    if (scan->number == segment)
        return;
    view_fill(&scan->segment, matcher->plan, scan->folded_memo, scan->surface_memo, text,
              &text->segments[segment]);
    scan->number = segment;
}

// ---- one watch -----------------------------------------------------------------------------

const char *scan_where_wrong(const struct scan *scan, const struct watch *watch)
{
    const struct text_segment *segment = scan->segment.segment;
    const struct article *article = scan->segment.text->article;
    const struct watch_where *where = &watch->where;
    uint32_t words = 0;
    if (segment->word_count > segment->title_words)
        words = segment->words[segment->word_count - 1].position -
                segment->words[segment->title_words].position + 1;
    if (words < where->words_least)
        return "too few words";
    if (where->words_most && words > where->words_most)
        return "too many words";
    // Without a date of publication, an article is as new as its first sight.
    if (where->max_age_ns && article->published_wall_ns &&
        article->seen_wall_ns - article->published_wall_ns > where->max_age_ns)
        return "too old";
    return NULL;
}

static bool score_holds(struct scan *scan, const struct plan_watch *planned,
                        const struct watch *watch, double *score)
{
    const uint32_t *kids = scan->eval.plan->kids + planned->first;
    struct range whole = view_whole(&scan->segment);
    *score = 0;
    for (uint32_t i = 0; i < planned->count; i++) {
        if (eval_holds(&scan->eval, kids[i], whole))
            *score += watch->terms[i].weight;
    }
    return *score >= watch->threshold;
}

bool scan_watch_holds(struct scan *scan, const struct matcher *matcher, uint32_t number,
                      double *score)
{
    // The watches themselves lie far apart in memory and are read only where they must be.
    const struct plan_watch *planned = &matcher->plan->watches[number];
    struct range whole = view_whole(&scan->segment);
    bool holds = planned->all_articles;
    *score = NAN;
    if (planned->root != PLAN_NONE)
        holds = eval_holds(&scan->eval, planned->root, whole);
    else if (planned->count)
        holds = score_holds(scan, planned, &matcher->watches[number], score);
    return holds && (!planned->limits || !scan_where_wrong(scan, &matcher->watches[number])) &&
           (planned->where == PLAN_NONE || eval_holds(&scan->eval, planned->where, whole));
}

static void try_watch(struct scan *scan, const struct matcher *matcher, uint32_t watch)
{
    struct scan_hit hit = {.segment = scan->number, .watch = watch};
    scan->stats.candidates++;
    if (!scan_watch_holds(scan, matcher, watch, &hit.score))
        return;
    scan->hits = tc_room(scan->hits, scan->hit_count, &scan->hit_room, sizeof *scan->hits);
    scan->hits[scan->hit_count++] = hit;
    scan->stats.hits++;
}

// ---- candidates ----------------------------------------------------------------------------

static void try_entry(struct scan *scan, const struct matcher *matcher, const struct view *view,
                      struct index_entry entry)
{
    if (entry.second != PLAN_NONE && !view_has(view, entry.second))
        return;
    if (scan->tried[entry.watch] == scan->round)
        return;
    scan->tried[entry.watch] = scan->round;
    try_watch(scan, matcher, entry.watch);
}

static void try_part(struct scan *scan, const struct matcher *matcher,
                     const struct index_part *part, const struct view *view)
{
    if (!part->entry_count)
        return;
    for (size_t i = 0; i < view->seen_count; i++) {
        uint32_t end = part->starts[view->seen[i] + 1];
        for (uint32_t at = part->starts[view->seen[i]]; at < end; at++)
            try_entry(scan, matcher, view, part->entries[at]);
    }
}

static int by_watch(const void *a, const void *b)
{
    const struct scan_hit *left = a, *right = b;
    return (left->watch > right->watch) - (left->watch < right->watch);
}

static void scan_segment(struct scan *scan, const struct matcher *matcher)
{
    size_t begun = scan->hit_count;
    if (scan->round == UINT32_MAX)
        forget_round(scan);
    scan->round++;
    try_part(scan, matcher, &matcher->index->segment, &scan->segment);
    try_part(scan, matcher, &matcher->index->page, scan->eval.page);
    for (size_t i = 0; i < matcher->index->always_count; i++)
        try_watch(scan, matcher, matcher->index->always[i]);
    if (scan->hit_count > begun + 1)
        qsort(scan->hits + begun, scan->hit_count - begun, sizeof *scan->hits, by_watch);
}

size_t scan_run(struct scan *scan, const struct matcher *matcher, const struct text *text,
                const struct scan_hit **out)
{
    begin_text(scan, matcher, text);
    for (uint32_t i = 0; i < text->segment_count; i++) {
        scan_show(scan, matcher, text, i);
        scan_segment(scan, matcher);
    }
    *out = scan->hits;
    return scan->hit_count;
}

size_t scan_run_all(struct scan *scan, const struct matcher *matcher, const struct text *text,
                    const struct scan_hit **out)
{
    begin_text(scan, matcher, text);
    for (uint32_t i = 0; i < text->segment_count; i++) {
        scan_show(scan, matcher, text, i);
        for (uint32_t watch = 0; watch < matcher->count; watch++)
            try_watch(scan, matcher, watch);
    }
    *out = scan->hits;
    return scan->hit_count;
}
