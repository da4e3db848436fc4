#include "watcher/match/nearby.h"
#include "watcher/match/phrase.h"
#include "watcher/match/running.h"
#include "watcher/match/scan_body.h"

#include "common/utf8.h"

#include <stdarg.h>
#include <stdio.h>

// Why a watch matches or not, clause by clause. Speed does not matter here: everything is evaluated
// again, in the scope in which the clause would have to hold.

struct explain {
    struct scan *scan;
    struct eval *eval;
    const struct plan *plan;
    struct tc_arena *arena;
    void (*tell)(void *context, const struct scan_why *why);
    void *context;
    bool brief; // below a list: only what differs in case or marks is worth a line
};

// A long word may have been cut in the middle of a letter.
static void whole_letters(char *text)
{
    text[tc_utf8_valid(tc_str_of(text))] = '\0';
}

static const char *note(struct explain *explain, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static const char *note(struct explain *explain, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(explain->scan->note, sizeof explain->scan->note, format, args);
    va_end(args);
    whole_letters(explain->scan->note);
    return explain->scan->note;
}

static const struct plan_node *kid_of(const struct explain *explain, const struct plan_node *node,
                                      uint32_t number)
{
    return &explain->plan->nodes[plan_kids(explain->plan, node)[number]];
}

// ---- nearest misses ------------------------------------------------------------------------

static bool is_whole(const struct explain *explain, struct range range)
{
    return range.from == 0 && range.to == explain->eval->view->segment->word_count;
}

static const char *missed_word(struct explain *explain, const struct query_node *query, size_t i)
{
    const struct view *view = explain->eval->view;
    if (i < query->word_count &&
        nearby_word(view->text, view->segment, &query->words[i], query->exact,
                    explain->brief ? NEARBY_SAME_LETTERS : NEARBY_ALL, explain->scan->note,
                    sizeof explain->scan->note)) {
        whole_letters(explain->scan->note);
        return explain->scan->note;
    }
    if (query->word_count > 1)
        return note(explain, "\"%.*s\" is not there", TC_ARG(query->words[i].surface));
    return explain->brief ? NULL : "it is not there";
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

// Of two neighbours of a phrase that never stand side by side: how they stand. NULL when they do.
static const char *missed_pair(struct explain *explain, const struct plan_node *node,
                               const struct query_node *query, uint32_t i)
{
    struct range whole = view_whole(explain->eval->view);
    struct near near = {.words = explain->eval->view->segment->words, .order = NEAR_FIRST_BEFORE};
    struct spans *a = eval_borrow(explain->eval), *b = eval_borrow(explain->eval);
    tc_str first = query->words[i].surface, second = query->words[i + 1].surface;
    phrase_word(explain->eval, explain->plan->words[node->first + i], whole, a);
    phrase_word(explain->eval, explain->plan->words[node->first + i + 1], whole, b);
    size_t apart = near_closest(&near, a, b);
    near.order = NEAR_EITHER;
    bool together = near_closest(&near, a, b) != SIZE_MAX;
    eval_return(explain->eval, b);
    eval_return(explain->eval, a);
    if (apart == 0)
        return NULL;
    if (apart != SIZE_MAX)
        return note(explain, "\"%.*s\" and \"%.*s\" have %zu word%s between them", TC_ARG(first),
                    TC_ARG(second), apart, plural(apart));
    return together ? note(explain, "\"%.*s\" stands behind \"%.*s\", not before it", TC_ARG(first),
                           TC_ARG(second))
                    : note(explain, "\"%.*s\" and \"%.*s\" are in no paragraph together",
                           TC_ARG(first), TC_ARG(second));
}

static const char *missed_phrase(struct explain *explain, const struct plan_node *node,
                                 const struct query_node *query)
{
    for (uint32_t i = 0; i < node->count; i++) {
        if (!view_has(explain->eval->view, explain->plan->words[node->first + i]))
            return missed_word(explain, query, i);
    }
    if (node->op == PLAN_WINDOW)
        return note(explain,
                    "all its words are there, but never with at most %u other%s between them",
                    (unsigned)node->number, plural(node->number));
    for (uint32_t i = 0; i + 1 < node->count; i++) {
        const char *pair = missed_pair(explain, node, query, i);
        if (pair)
            return pair;
    }
    return node->flags & PLAN_STRICT
               ? "its words are there, but not side by side and joined as written"
               : "its words are there, but not all of them side by side";
}

static const char *missed_expression(struct explain *explain, const struct plan_node *node,
                                     const struct query_node *query, struct range range)
{
    struct view *view = explain->eval->view;
    struct expression_wrong wrong;
    const struct span *spans;
    if (view_has(view, node->first))
        return is_whole(explain, range) ? NULL : "it is elsewhere in the text";
    if (query->fold_case)
        return "it matches nothing";
    const struct expression *folded = expression_read(query->text, true, explain->arena, &wrong);
    if (!folded || !running_find_other(view->running, folded, &spans))
        return "it matches nothing";
    tc_str other = scan_match(view, spans[0], explain->arena).words;
    return note(explain, "upper and lower case differ: \"%.*s\" is there, which /.../i would match",
                TC_ARG(other));
}

static const char *missed_near(struct explain *explain, const struct plan_node *node,
                               struct range range)
{
    const uint32_t *kids = plan_kids(explain->plan, node);
    bool first = eval_holds(explain->eval, kids[0], range);
    bool second = eval_holds(explain->eval, kids[1], range);
    if (!first || !second)
        return first    ? "the second side is not there"
               : second ? "the first side is not there"
                        : "neither side is there";
    struct near near = eval_near(explain->eval, node);
    struct spans *a = eval_borrow(explain->eval), *b = eval_borrow(explain->eval);
    eval_spans(explain->eval, kids[0], range, a);
    eval_spans(explain->eval, kids[1], range, b);
    size_t closest = near_closest(&near, a, b);
    bool other_way = false;
    if (closest == SIZE_MAX && near.order == NEAR_FIRST_BEFORE) {
        near.order = NEAR_EITHER;
        other_way = near_closest(&near, a, b) != SIZE_MAX;
    }
    eval_return(explain->eval, b);
    eval_return(explain->eval, a);
    if (other_way)
        return "both sides are there, but in the other order";
    if (closest == SIZE_MAX)
        return "both sides are there, but in no paragraph together";
    return note(explain,
                "both sides are there, but with %zu word%s between them; at most %u may be",
                closest, plural(closest), (unsigned)node->number);
}

static const char *missed_count(struct explain *explain, const struct plan_node *node,
                                struct range range)
{
    size_t found = 0;
    const uint32_t *kids = plan_kids(explain->plan, node);
    if (node->op == PLAN_ANY) {
        for (uint32_t i = 0; i < node->count; i++)
            found += eval_holds(explain->eval, kids[i], range);
    } else {
        struct spans *spans = eval_borrow(explain->eval);
        eval_spans(explain->eval, kids[0], range, spans);
        found = near_apart(explain->eval->view->segment->words, spans);
        eval_return(explain->eval, spans);
    }
    return note(explain, "%zu found, at least %u wanted", found, (unsigned)node->number);
}

static const char *missed_scope(struct explain *explain, const struct plan_node *node,
                                struct range range)
{
    if (!eval_holds(explain->eval, *plan_kids(explain->plan, node), range))
        return NULL;
    switch (node->op) {
    case PLAN_SENTENCE: return "it holds for the text, but in no single sentence";
    case PLAN_PARAGRAPH: return "it holds for the text, but in no single paragraph";
    case PLAN_TITLE: return "it is there, but not in the title";
    case PLAN_LEAD: return "it is there, but not in the first paragraph";
    case PLAN_FIRST:
        return note(explain, "it is there, but not within the first %u word%s of the body",
                    (unsigned)node->number, plural(node->number));
    default: return "it is there, but not in the body";
    }
}

static const char *said(struct explain *explain, const char *what, tc_str value)
{
    if (!value.len)
        return note(explain, "the article names no %s", what);
    return note(explain, "its %s is \"%.*s\"", what, TC_ARG(value));
}

static const char *missed_meta(struct explain *explain, enum query_meta meta)
{
    const struct article *article = explain->eval->view->text->article;
    switch (meta) {
    case QUERY_META_SOURCE: return said(explain, "source", article->source);
    case QUERY_META_AUTHOR: return said(explain, "author", article->author);
    case QUERY_META_SECTION: return said(explain, "section", article->section);
    case QUERY_META_COUNTRY: return said(explain, "country", article->country);
    case QUERY_META_LANG:
        return said(explain, "language", tc_str_of(explain->eval->view->segment->lang));
    case QUERY_META_TAG: return article->tag_count ? "it has other tags" : "it has no tags";
    case QUERY_META_URL: return "it stands in no address of the article";
    }
    return NULL;
}

// One word or phrase under several forms (switches.h) is laid out as a list of them.
static bool is_of_forms(const struct plan_node *node)
{
    const struct query_node *query = node->source;
    return node->op == PLAN_OR && query && query->op == QUERY_LIST && query->word_count > 0;
}

static const char *missed(struct explain *explain, const struct plan_node *node, struct range range)
{
    const struct query_node *query = node->source;
    switch ((enum plan_op)node->op) {
    case PLAN_WORD:
        if (view_has(explain->eval->view, node->first) && !is_whole(explain, range))
            return "it is elsewhere in the text";
        return missed_word(explain, query, 0);
    case PLAN_REGEX: return missed_expression(explain, node, query, range);
    case PLAN_PHRASE:
    case PLAN_WINDOW: return missed_phrase(explain, node, query);
    case PLAN_NEAR:
    case PLAN_ONEAR: return missed_near(explain, node, range);
    case PLAN_NOTNEAR:
        return eval_holds(explain->eval, *plan_kids(explain->plan, node), range)
                   ? note(explain, "each of them has the other within %u word%s",
                          (unsigned)node->number, plural(node->number))
                   : NULL;
    case PLAN_EXCEPT:
        return eval_holds(explain->eval, *plan_kids(explain->plan, node), range)
                   ? "each of them lies inside what is excepted"
                   : NULL;
    case PLAN_ANY:
    case PLAN_ATLEAST: return missed_count(explain, node, range);
    case PLAN_SENTENCE:
    case PLAN_PARAGRAPH:
    case PLAN_TITLE:
    case PLAN_LEAD:
    case PLAN_BODY:
    case PLAN_FIRST: return missed_scope(explain, node, range);
    case PLAN_NOT: return "it is there";
    case PLAN_SLOPPY:
        return phrase_possible(explain->eval, node)
                   ? note(explain, "its words are there, but not within %u moves of each other",
                          (unsigned)node->number)
                   : missed_phrase(explain, node, query);
    case PLAN_LUCENE:
        return explain->eval->view->segment->number
                   ? "a query of dialect lucene looks at all segments together, once"
                   : NULL;
    case PLAN_META: return missed_meta(explain, explain->plan->metas[node->first].meta);
    case PLAN_OR: return is_of_forms(node) ? missed_word(explain, query, 0) : NULL;
    default: return NULL;
    }
}

// Of a list's entry only a near miss is worth a line: a phrase of which words are missing is none.
static const char *missed_entry(struct explain *explain, const struct plan_node *node,
                                struct range range)
{
    if (node->op == PLAN_PHRASE || node->op == PLAN_WINDOW) {
        for (uint32_t i = 0; i < node->count; i++) {
            if (!view_has(explain->eval->view, explain->plan->words[node->first + i]))
                return NULL;
        }
    }
    explain->brief = true;
    const char *why = missed(explain, node, range);
    explain->brief = false;
    return why;
}

// ---- the walk ------------------------------------------------------------------------------

// The scope in which the children of a node are shown: of a sentence or paragraph that holds, that
// one; of one that does not, the whole scope, so that every part shows whether it is there at all.
static struct range scope_of_kids(struct explain *explain, const struct plan_node *node,
                                  struct range range)
{
    uint32_t next = UINT32_MAX;
    struct range part;
    if (node->op == PLAN_TITLE || node->op == PLAN_LEAD || node->op == PLAN_BODY ||
        node->op == PLAN_FIRST) {
        part = eval_narrow(explain->eval, node, range);
        return part.from < part.to ? part : range;
    }
    if (node->op != PLAN_SENTENCE && node->op != PLAN_PARAGRAPH)
        return range;
    while (eval_part(explain->eval, node->op == PLAN_PARAGRAPH, range, &next, &part)) {
        if (eval_holds(explain->eval, *plan_kids(explain->plan, node), part))
            return part;
    }
    return range;
}

static void walk(struct explain *explain, uint32_t number, struct range range, int depth);

static void walk_kids(struct explain *explain, const struct plan_node *node, struct range range,
                      int depth)
{
    struct view *view = explain->eval->view;
    if (node->op <= PLAN_WINDOW || node->op == PLAN_META)
        return;
    if (node->op == PLAN_PAGE || node->op == PLAN_LUCENE) {
        explain->eval->view = explain->eval->page;
        range = view_whole(explain->eval->view);
    }
    range = scope_of_kids(explain, node, range);
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t kid = plan_kids(explain->plan, node)[i];
        // a form in which a word is not there says no more than the word itself
        if (!is_of_forms(node) ||
            eval_holds(explain->eval, *plan_kids(explain->plan, kid_of(explain, node, i)), range))
            walk(explain, kid, range, depth);
    }
    explain->eval->view = view;
}

static void walk(struct explain *explain, uint32_t number, struct range range, int depth)
{
    const struct plan_node *node = &explain->plan->nodes[number], *shown = node;
    struct scan_why why = {.node = node->source, .depth = depth};
    struct tc_match first;
    why.holds = eval_holds(explain->eval, number, range);
    if (node->op == PLAN_ENTRY) { // shown as its only child
        shown = kid_of(explain, node, 0);
        why.entry = node->source;
        why.node = why.entry->node;
        if (!why.holds && eval_holds(explain->eval, *plan_kids(explain->plan, node), range))
            why.note = "it is there, but in text of another language";
    }
    struct spans *spans = eval_borrow(explain->eval);
    eval_spans(explain->eval, number, range, spans);
    why.count = (uint32_t)spans->count;
    if (spans->count) {
        first = scan_match(explain->eval->view, spans->at[0], explain->arena);
        why.first = &first;
    }
    eval_return(explain->eval, spans);
    if (!why.holds && !why.note)
        why.note = why.entry ? missed_entry(explain, shown, range) : missed(explain, shown, range);
    explain->tell(explain->context, &why);
    walk_kids(explain, shown, range, depth + 1);
}

// ---- what stands beside the query ----------------------------------------------------------

static void tell_beside(struct explain *explain, bool holds, const char *text)
{
    struct scan_why why = {.holds = holds, .note = text};
    explain->tell(explain->context, &why);
}

static void tell_limits(struct explain *explain, const struct watch *watch)
{
    const struct text_segment *segment = explain->eval->view->segment;
    const char *wrong = scan_where_wrong(explain->scan, watch);
    uint32_t least = watch->where->words_least, most = watch->where->words_most, words = 0;
    if (segment->word_count > segment->title_words)
        words = segment->words[segment->word_count - 1].position -
                segment->words[segment->title_words].position + 1;
    bool too_many = most && words > most;
    if (words < least || too_many)
        tell_beside(explain, false,
                    note(explain, "where words: the body has %u, %s %u are wanted", (unsigned)words,
                         too_many ? "at most" : "at least", (unsigned)(too_many ? most : least)));
    else if (wrong)
        tell_beside(explain, false,
                    "where max_age: it was published too long before it was first seen");
}

static void tell_where(struct explain *explain, const struct watch *watch, uint32_t where)
{
    static const char *const names[] = {"source", "lang", "author", "section",
                                        "tag",    "url",  "country"};
    struct range whole = view_whole(explain->eval->view);
    if (watch->where)
        tell_limits(explain, watch);
    if (where == PLAN_NONE)
        return;
    const struct plan_node *all = &explain->plan->nodes[where];
    for (uint32_t i = 0; i < all->count; i++) {
        const struct plan_node *values = kid_of(explain, all, i);
        enum query_meta meta = explain->plan->metas[kid_of(explain, values, 0)->first].meta;
        char text[sizeof explain->scan->note];
        bool holds = eval_holds(explain->eval, plan_kids(explain->plan, all)[i], whole);
        snprintf(text, sizeof text, "where %s: %s", names[meta], missed_meta(explain, meta));
        tell_beside(explain, holds, text);
    }
}

static void tell_score(struct explain *explain, const struct watch *watch,
                       const struct plan_watch *planned, double score)
{
    const uint32_t *kids = explain->plan->kids + planned->first;
    tell_beside(explain, score >= watch->threshold,
                note(explain, "score %g, threshold %g", score, watch->threshold));
    for (uint32_t i = 0; i < planned->count; i++) {
        bool holds = eval_holds(explain->eval, kids[i], view_whole(explain->eval->view));
        tell_beside(explain, holds, note(explain, "weight %g:", watch->terms[i].weight));
        walk(explain, kids[i], view_whole(explain->eval->view), 1);
    }
}

void scan_explain(struct scan *scan, const struct matcher *matcher, const struct text *text,
                  uint32_t segment, uint32_t number,
                  void (*tell)(void *context, const struct scan_why *why), void *context)
{
    const struct watch *watch = matcher->watches[number];
    double score;
    scan_show(scan, matcher, text, segment);
    scan_watch_holds(scan, matcher, number, &score);
    const struct plan_watch *planned = scan_planned(scan, matcher, number);
    struct explain explain = {
        scan, &scan->eval, scan->eval.plan, text->article->arena, tell, context, false,
    };
    tell_where(&explain, watch, planned->where);
    if (planned->root != PLAN_NONE)
        walk(&explain, planned->root, view_whole(scan->eval.view), 0);
    else if (planned->count)
        tell_score(&explain, watch, planned, score);
    else
        tell_beside(&explain, watch->all_articles, "every article");
}
