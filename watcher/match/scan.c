#include "watcher/match/scan.h"

#include "common/mem.h"
#include "watcher/match/run.h"
#include "watcher/match/running.h"

#include <math.h>
#include <stdlib.h>

struct scan *scan_new(void)
{
    struct scan *scan = tc_new(sizeof *scan);
    memo_init(&scan->folded);
    memo_init(&scan->surface);
    plan_init(&scan->desk, NULL);
    return scan;
}

void scan_free(struct scan *scan)
{
    if (!scan)
        return;
    view_done(&scan->segment);
    view_done(&scan->page);
    memo_done(&scan->folded);
    memo_done(&scan->surface);
    expressions_scratch_done(&scan->expressions);
    plan_done(&scan->desk);
    eval_done(&scan->eval);
    free(scan->whole.words);
    free(scan->whole.sentences);
    free(scan->whole.paragraphs);
    free(scan->picks);
    free(scan->programs);
    free(scan->ordered);
    free(scan->fired);
    free(scan->fired_words);
    free(scan->scores);
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

// Bits of watches are all 0 between two segments, so only growing needs zeros.
static void make_watch_room(struct scan *scan, const struct matcher *matcher)
{
    size_t words = matcher->count / 64 + 1, above = words / 64 + 1;
    if (words > scan->fired_room) {
        free(scan->fired);
        free(scan->fired_words);
        scan->fired = tc_new(words * sizeof *scan->fired);
        scan->fired_words = tc_new(above * sizeof *scan->fired_words);
        scan->fired_room = words;
    }
    if (matcher->index->has_once && matcher->count > scan->tried_room) {
        scan->tried = tc_grow(scan->tried, matcher->count, sizeof *scan->tried);
        scan->tried_room = matcher->count;
    }
    forget_round(scan);
}

// Numbers of terms and watches mean nothing in another matcher.
static void use_matcher(struct scan *scan, const struct matcher *matcher)
{
    if (tc_id_eq(scan->matcher, matcher->id))
        return;
    const struct terms *terms = &matcher->terms;
    scan->matcher = matcher->id;
    scan->text = NULL;
    view_use(&scan->segment, &matcher->terms);
    if (matcher->plan.has_pages)
        view_use(&scan->page, &matcher->terms);
    memo_use(&scan->folded, &terms->folded, &terms->words, terms->folded_patterns, terms->count);
    memo_use(&scan->surface, &terms->surface, &terms->words, terms->surface_patterns, terms->count);
    expressions_use(&scan->expressions, &matcher->terms.expressions);
    make_watch_room(scan, matcher);
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

// The page's title and lead are those of its first segment; one without a lead gives the page none.
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
    if (text->segments->lead_paragraph >= text->segments->paragraph_count)
        page->segment.lead_paragraph = page->segment.paragraph_count;
    return &page->segment;
}

// The terms of an expression that count in the title or the body only: a match lies in one of them.
static void see_scoped(struct view *view, uint32_t number, const struct expression *expression,
                       uint32_t term)
{
    const struct terms *terms = view->terms;
    const struct span *spans;
    if (!terms->scoped_room ||
        (!terms->scoped[TERMS_TITLE][term] && !terms->scoped[TERMS_BODY][term]))
        return;
    size_t count = running_find(view->running, number, expression, &spans);
    for (size_t i = 0; i < count; i++) {
        bool body = spans[i].first >= view->segment->title_words;
        uint32_t scoped = terms->scoped[body ? TERMS_BODY : TERMS_TITLE][term];
        if (scoped != TERM_NONE)
            view_add(view, scoped);
    }
}

// Adds the regular expressions that match to a view that has been filled: those that vectorscan finds, and
// where its filter lets through more than the expression, when this is really there.
static void see_expressions(struct scan *scan, const struct matcher *matcher, struct view *view)
{
    const struct expressions *set = &matcher->terms.expressions;
    const struct span *spans;
    if (!set->count)
        return;
    if (!view->running)
        view->running = running_new();
    running_fill(view->running, view->text, view->segment, set->count);
    if (!scan->one_by_one)
        expressions_scan(set, &scan->expressions, running_text(view->running));
    size_t count = scan->one_by_one ? set->count : scan->expressions.count;
    for (size_t i = 0; i < count; i++) {
        uint32_t number = scan->one_by_one ? (uint32_t)i : scan->expressions.found[i];
        const struct expression *expression = set->list[number];
        bool sure = expression->exact && !scan->one_by_one;
        if (!sure && !running_find(view->running, number, expression, &spans))
            continue;
        view_add(view, set->terms[number]);
        see_scoped(view, number, expression, set->terms[number]);
    }
}

static void begin_text(struct scan *scan, const struct matcher *matcher, const struct text *text)
{
    use_matcher(scan, matcher);
    scan->text = text;
    scan->number = UINT32_MAX;
    scan->hit_count = 0;
    scan->eval.said = (struct eval_said){.ready = false};
    scan->eval.page = &scan->segment;
    if (matcher->plan.has_pages && text->segment_count > 1) {
        view_fill(&scan->page, &scan->folded, &scan->surface, text, whole_page(&scan->whole, text));
        see_expressions(scan, matcher, &scan->page);
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
    view_fill(&scan->segment, &scan->folded, &scan->surface, text, &text->segments[segment]);
    see_expressions(scan, matcher, &scan->segment);
    scan->number = segment;
}

// ---- one watch -----------------------------------------------------------------------------

const char *scan_where_wrong(const struct scan *scan, const struct watch *watch)
{
    const struct text_segment *segment = scan->segment.segment;
    const struct article *article = scan->segment.text->article;
    const struct watch_where *where = watch->where;
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

const struct plan_watch *scan_planned(struct scan *scan, const struct matcher *matcher,
                                      uint32_t watch)
{
    const struct plan_watch *kept = matcher_kept(matcher, watch);
    scan->eval.plan = &matcher->plan;
    if (kept)
        return kept;
    // Sealed terms are only looked up.
    scan->desk.terms = (struct terms *)(uintptr_t)&matcher->terms;
    plan_clear(&scan->desk);
    plan_watch(&scan->desk, matcher->watches[watch], &scan->on_desk);
    scan->eval.plan = &scan->desk;
    return &scan->on_desk;
}

static bool where_holds(struct scan *scan, const struct plan_watch *planned,
                        const struct watch *watch)
{
    return (!planned->limits || !scan_where_wrong(scan, watch)) &&
           (planned->where == PLAN_NONE ||
            eval_holds(&scan->eval, planned->where, view_whole(&scan->segment)));
}

bool scan_where_holds(struct scan *scan, const struct matcher *matcher, uint32_t watch)
{
    return where_holds(scan, scan_planned(scan, matcher, watch), matcher->watches[watch]);
}

bool scan_watch_holds(struct scan *scan, const struct matcher *matcher, uint32_t number,
                      double *score)
{
    const struct plan_watch *planned = scan_planned(scan, matcher, number);
    bool holds = planned->all_articles;
    *score = NAN;
    if (planned->root != PLAN_NONE)
        holds = eval_holds(&scan->eval, planned->root, view_whole(&scan->segment));
    else if (planned->count)
        holds = score_holds(scan, planned, matcher->watches[number], score);
    return holds && where_holds(scan, planned, matcher->watches[number]);
}

static void add_hit(struct scan *scan, struct scan_hit hit)
{
    scan->hits = tc_room(scan->hits, scan->hit_count, &scan->hit_room, sizeof *scan->hits);
    scan->hits[scan->hit_count++] = hit;
    scan->stats.hits++;
}

// ---- candidates ----------------------------------------------------------------------------

static bool has_fired(const struct scan *scan, uint32_t watch)
{
    return scan->fired[watch >> 6] >> (watch & 63) & 1;
}

// A watch fires once, whatever number of its anchors lead to it.
static void fire(struct scan *scan, uint32_t watch)
{
    uint32_t word = watch >> 6;
    scan->fired[word] |= UINT64_C(1) << (watch & 63);
    scan->fired_words[word >> 6] |= UINT64_C(1) << (word & 63);
}

static void keep_score(struct scan *scan, uint32_t watch, double score)
{
    scan->scores =
        tc_room(scan->scores, scan->score_count, &scan->score_room, sizeof *scan->scores);
    scan->scores[scan->score_count++] = (struct scan_score){watch, score};
}

static void run(struct scan *scan, const struct matcher *matcher, struct view *view,
                const uint32_t *program)
{
    uint32_t watch = *program & ~INDEX_ONCE;
    double score = NAN;
    if (has_fired(scan, watch))
        return;
    if (*program & INDEX_ONCE) {
        if (scan->tried[watch] == scan->round)
            return;
        scan->tried[watch] = scan->round;
    }
    if (!run_program(scan, matcher, view, program, &score))
        return;
    fire(scan, watch);
    if (!isnan(score))
        keep_score(scan, watch, score);
}

static void act_on(struct scan *scan, const struct matcher *matcher, uint32_t act)
{
    if (act & INDEX_RUN)
        run(scan, matcher, &scan->segment, matcher->index->code + index_at(act));
    else
        fire(scan, act);
}

enum { AHEAD = 8 }; // terms, acts and programs fetched before they are needed

static void make_pick_room(struct scan *scan, size_t count)
{
    scan->pick_room = 2 * count + 64;
    scan->picks = tc_grow(scan->picks, scan->pick_room, sizeof *scan->picks);
    scan->programs = tc_grow(scan->programs, scan->pick_room, sizeof *scan->programs);
    scan->ordered = tc_grow(scan->ordered, scan->pick_room, sizeof *scan->ordered);
}

// Has the first lines of a term's row fetched. A short row is one or two; of a long one the processor
// foresees the rest.
static void fetch_row(const struct index_part *part, uint32_t term)
{
    const uint32_t *row = part->rows + 2 * (size_t)part->starts[term];
    __builtin_prefetch(row);
    __builtin_prefetch(row + 16);
}

// Picks of the rows of all terms the acts whose second bit is set, without a branch on it. Gives how many;
// picks[] says where in rows[] they are.
static size_t pick(struct scan *scan, const struct index_part *part, const struct view *view)
{
    const uint32_t *seen = view->seen, *bits = view->bits;
    size_t picked = 0;
    for (size_t i = 0; i < view->seen_count; i++) {
        if (i + 2 * AHEAD < view->seen_count)
            __builtin_prefetch(&part->starts[seen[i + 2 * AHEAD]]);
        if (i + AHEAD < view->seen_count)
            fetch_row(part, seen[i + AHEAD]);
        struct index_row row = index_row(part, seen[i]);
        uint32_t act = (uint32_t)(row.acts - part->rows);
        if (picked + row.count >= scan->pick_room)
            make_pick_room(scan, picked + row.count);
        uint32_t *picks = scan->picks;
        for (uint32_t k = 0; k < row.count; k++) {
            picks[picked] = act + k;
            picked += bits[row.needs[k] >> 5] >> (row.needs[k] & 31) & 1;
        }
    }
    return picked;
}

// Parts what was picked into watches, which take the place of picks[], and programs[]. Gives how many
// watches.
static size_t part_picks(struct scan *scan, const struct index_part *part, size_t picked)
{
    uint32_t *watches = scan->picks, *programs = scan->programs;
    size_t count = 0;
    for (size_t i = 0; i < picked; i++) {
        if (i + 2 * AHEAD < picked)
            __builtin_prefetch(&part->rows[scan->picks[i + 2 * AHEAD]]);
        uint32_t act = part->rows[scan->picks[i]];
        programs[i - count] = act;
        watches[count] = act;
        count += act < INDEX_RUN;
    }
    return count;
}

// Puts programs that begin alike together, the kinds in order, in ordered[].
static void order_programs(struct scan *scan, size_t count)
{
    const uint32_t *programs = scan->programs;
    size_t next[INDEX_KINDS + 1] = {0};
    for (size_t i = 0; i < count; i++)
        next[index_kind(programs[i]) + 1]++;
    for (size_t kind = 0; kind < INDEX_KINDS; kind++)
        next[kind + 1] += next[kind];
    for (size_t i = 0; i < count; i++)
        scan->ordered[next[index_kind(programs[i])]++] = index_at(programs[i]);
}

static void run_programs(struct scan *scan, const struct matcher *matcher, struct view *view,
                         size_t count)
{
    const uint32_t *code = matcher->index->code, *ordered = scan->ordered;
    order_programs(scan, count);
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count) {
            __builtin_prefetch(code + ordered[i + AHEAD]);
            __builtin_prefetch(code + ordered[i + AHEAD] + 16);
        }
        run(scan, matcher, view, code + ordered[i]);
    }
}

// Tries what the terms of `view` lead to; programs look at `shown`.
static void try_part(struct scan *scan, const struct matcher *matcher,
                     const struct index_part *part, const struct view *view, struct view *shown)
{
    if (!part->entry_count)
        return;
    size_t picked = pick(scan, part, view), watches = part_picks(scan, part, picked);
    scan->stats.candidates += picked;
    for (size_t i = 0; i < watches; i++) {
        if (i + AHEAD < watches)
            __builtin_prefetch(&scan->fired[scan->picks[i + AHEAD] >> 6]);
        fire(scan, scan->picks[i]);
    }
    run_programs(scan, matcher, shown, picked - watches);
}

// ---- hits ----------------------------------------------------------------------------------

// Adds the watches of one word of fired[], which has one at least and is one of `fired_words`.
static void gather_word(struct scan *scan, size_t word)
{
    uint64_t fired = scan->fired[word];
    if (scan->hit_count + 64 > scan->hit_room) {
        scan->hit_room = 2 * scan->hit_room + 64;
        scan->hits = tc_grow(scan->hits, scan->hit_room, sizeof *scan->hits);
    }
    struct scan_hit *hit = scan->hits + scan->hit_count;
    do {
        uint32_t watch = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(fired);
        *hit++ = (struct scan_hit){.segment = scan->number, .watch = watch, .score = NAN};
        fired &= fired - 1;
    } while (fired);
    scan->hit_count = (size_t)(hit - scan->hits);
    scan->fired[word] = 0;
}

// Reads the watches that fired off their bits, in load order, and clears them.
static void gather_hits(struct scan *scan, const struct matcher *matcher)
{
    size_t begun = scan->hit_count, words = matcher->count / 64 + 1;
    for (size_t i = 0; i * 64 < words; i++) {
        for (uint64_t above = scan->fired_words[i]; above; above &= above - 1)
            gather_word(scan, i * 64 + (size_t)__builtin_ctzll(above));
        scan->fired_words[i] = 0;
    }
    scan->stats.hits += scan->hit_count - begun;
}

static void set_scores(struct scan *scan, size_t begun)
{
    for (size_t i = 0; i < scan->score_count; i++) {
        size_t low = begun, high = scan->hit_count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (scan->hits[middle].watch < scan->scores[i].watch)
                low = middle + 1;
            else
                high = middle;
        }
        scan->hits[low].score = scan->scores[i].score;
    }
    scan->score_count = 0;
}

static void scan_segment(struct scan *scan, const struct matcher *matcher)
{
    size_t begun = scan->hit_count;
    if (scan->round == UINT32_MAX)
        forget_round(scan);
    scan->round++;
    struct view *segment = &scan->segment, *page = scan->eval.page;
    try_part(scan, matcher, &matcher->index->segment, segment, segment);
    try_part(scan, matcher, &matcher->index->page, page, segment);
    if (scan->number == 0)
        try_part(scan, matcher, &matcher->index->whole, page, page);
    scan->stats.candidates += matcher->index->always_count;
    for (size_t i = 0; i < matcher->index->always_count; i++)
        act_on(scan, matcher, matcher->index->always[i]);
    gather_hits(scan, matcher);
    set_scores(scan, begun);
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
    scan->one_by_one = true;
    begin_text(scan, matcher, text);
    for (uint32_t i = 0; i < text->segment_count; i++) {
        scan_show(scan, matcher, text, i);
        scan->stats.candidates += matcher->count;
        for (uint32_t watch = 0; watch < matcher->count; watch++) {
            struct scan_hit hit = {.segment = i, .watch = watch};
            if (scan_watch_holds(scan, matcher, watch, &hit.score))
                add_hit(scan, hit);
        }
    }
    scan->one_by_one = false;
    *out = scan->hits;
    return scan->hit_count;
}
