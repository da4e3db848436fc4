#include "watcher/match/eval.h"

#include "common/mem.h"
#include "watcher/match/field.h"
#include "watcher/match/phrase.h"
#include "watcher/match/running.h"
#include "watcher/match/sloppy.h"

#include <stdlib.h>

// Every operator has its meaning in one place: `spans_of_...` for occurrences, and `eval_holds` takes
// the short cut where a yes or no costs less. A node holds exactly when it has spans, but for AND, NOT,
// PAGE and metadata, which hold without any.

void eval_done(struct eval *eval)
{
    for (size_t i = 0; i < eval->pool_count; i++) {
        near_done(eval->pool[i]);
        free(eval->pool[i]);
    }
    free(eval->pool);
    free(eval->cursors);
    free(eval->sloppy);
    free(eval->matches);
    *eval = (struct eval){0};
}

struct spans *eval_borrow(struct eval *eval)
{
    if (eval->pool_used == eval->pool_count) {
        eval->pool =
            tc_room(eval->pool, eval->pool_count, &eval->pool_room, sizeof(struct spans *));
        eval->pool[eval->pool_count++] = tc_new(sizeof(struct spans));
    }
    struct spans *spans = eval->pool[eval->pool_used++];
    spans->count = 0;
    return spans;
}

void eval_return(struct eval *eval, struct spans *spans)
{
    (void)spans; // the last one borrowed
    eval->pool_used--;
}

static const struct plan_node *node_at(const struct eval *eval, uint32_t number)
{
    return &eval->plan->nodes[number];
}

static uint32_t only_kid(const struct eval *eval, const struct plan_node *node)
{
    return *plan_kids(eval->plan, node);
}

static const struct text_word *words_of(const struct eval *eval)
{
    return eval->view->segment->words;
}

static bool is_empty(struct range range)
{
    return range.from >= range.to;
}

// ---- scopes --------------------------------------------------------------------------------

static struct range cut(struct range range, uint32_t from, uint32_t to)
{
    if (range.from < from)
        range.from = from;
    if (range.to > to)
        range.to = to;
    if (range.from > range.to)
        range.from = range.to;
    return range;
}

// The first word at `position` or behind it.
static uint32_t word_at(const struct text_segment *segment, uint64_t position)
{
    uint32_t low = 0, high = segment->word_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (segment->words[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct range eval_narrow(const struct eval *eval, const struct plan_node *node, struct range range)
{
    const struct text_segment *segment = eval->view->segment;
    uint32_t body = segment->title_words, words = segment->word_count;
    if (node->op == PLAN_TITLE)
        return cut(range, 0, body);
    if (node->op == PLAN_BODY)
        return cut(range, body, words);
    if (node->op == PLAN_LEAD) {
        if (segment->lead_paragraph >= segment->paragraph_count)
            return cut(range, 0, 0);
        const struct text_paragraph *lead = &segment->paragraphs[segment->lead_paragraph];
        return cut(range, lead->first, lead->first + lead->count);
    }
    if (body >= words) // FIRST, without a body
        return cut(range, 0, 0);
    return cut(range, body,
               word_at(segment, (uint64_t)segment->words[body].position + node->number));
}

bool eval_part(const struct eval *eval, bool paragraphs, struct range range, uint32_t *next,
               struct range *part)
{
    const struct text_segment *segment = eval->view->segment;
    if (is_empty(range))
        return false;
    if (*next == UINT32_MAX)
        *next =
            paragraphs ? segment->words[range.from].paragraph : segment->words[range.from].sentence;
    uint32_t number = (*next)++;
    if (number >= (paragraphs ? segment->paragraph_count : segment->sentence_count))
        return false;
    uint32_t first =
        paragraphs ? segment->paragraphs[number].first : segment->sentences[number].first;
    uint32_t count =
        paragraphs ? segment->paragraphs[number].count : segment->sentences[number].count;
    *part = cut(range, first, first + count);
    return first < range.to;
}

// ---- spans ---------------------------------------------------------------------------------

struct near eval_near(const struct eval *eval, const struct plan_node *node)
{
    const uint32_t *kids = plan_kids(eval->plan, node);
    return (struct near){
        .words = words_of(eval),
        .order = node->op == PLAN_ONEAR ? NEAR_FIRST_BEFORE : NEAR_EITHER,
        .distance = node->number,
        .a_gaps = node_at(eval, kids[0])->flags & PLAN_GAPPY,
        .b_gaps = node_at(eval, kids[1])->flags & PLAN_GAPPY,
    };
}

static void spans_of_expression(struct eval *eval, const struct plan_node *node, struct range range,
                                struct spans *out)
{
    const struct query_node *query = node->source;
    const struct span *at;
    if (!view_has(eval->view, node->first))
        return;
    size_t count = running_find(eval->view->running, node->number, query->expression, &at);
    for (size_t i = 0; i < count; i++) {
        if (at[i].first >= range.from && at[i].last < range.to)
            near_add(out, at[i]);
    }
}

static void spans_of_both(struct eval *eval, const struct plan_node *node, struct range range,
                          struct spans *out)
{
    const uint32_t *kids = plan_kids(eval->plan, node);
    struct spans *a = eval_borrow(eval), *b = eval_borrow(eval);
    eval_spans(eval, kids[0], range, a);
    if (a->count) {
        struct near near = eval_near(eval, node);
        // What a span must keep clear of may lie outside the scope it is looked for in.
        bool apart = node->op == PLAN_NOTNEAR || node->op == PLAN_EXCEPT;
        eval_spans(eval, kids[1], apart ? view_whole(eval->view) : range, b);
        if (node->op == PLAN_NOTNEAR)
            near_without(&near, a, b, out);
        else if (node->op == PLAN_EXCEPT)
            near_except(near.words, a, b, out);
        else
            near_pairs(&near, a, b, out);
    }
    eval_return(eval, b);
    eval_return(eval, a);
}

static void spans_of_union(struct eval *eval, const struct plan_node *node, struct range range,
                           struct spans *out)
{
    for (uint32_t i = 0; i < node->count; i++) {
        uint32_t kid = plan_kids(eval->plan, node)[i];
        const struct plan_node *child = node_at(eval, kid);
        if (child->op == PLAN_WORD) {
            phrase_word(eval, child->first, range, out);
            continue;
        }
        struct spans *some = eval_borrow(eval);
        eval_spans(eval, kid, range, some);
        for (size_t k = 0; k < some->count; k++)
            near_add(out, some->at[k]);
        eval_return(eval, some);
    }
    near_sort(words_of(eval), out);
}

// Of each sentence or paragraph where the child holds: from its first occurrence to its last.
static void spans_of_parts(struct eval *eval, const struct plan_node *node, struct range range,
                           struct spans *out)
{
    uint32_t kid = only_kid(eval, node), next = UINT32_MAX;
    struct range part;
    while (eval_part(eval, node->op == PLAN_PARAGRAPH, range, &next, &part)) {
        if (!eval_holds(eval, kid, part))
            continue;
        struct spans *some = eval_borrow(eval);
        eval_spans(eval, kid, part, some);
        struct span extent = some->count ? some->at[0] : (struct span){0, 0};
        for (size_t i = 1; i < some->count; i++) {
            if (some->at[i].last > extent.last)
                extent.last = some->at[i].last;
        }
        if (some->count)
            near_add(out, extent);
        eval_return(eval, some);
    }
}

static bool entry_applies(const struct eval *eval, const struct plan_node *node, struct span span)
{
    const struct query_list_entry *entry = node->source;
    const struct text_segment *segment = eval->view->segment;
    const struct text_paragraph *paragraph =
        &segment->paragraphs[segment->words[span.first].paragraph];
    return !entry->lang.len || !paragraph->lang_sure ||
           tc_str_eq(entry->lang, tc_str_of(paragraph->lang));
}

static void spans_of_entry(struct eval *eval, const struct plan_node *node, struct range range,
                           struct spans *out)
{
    size_t kept = 0;
    eval_spans(eval, only_kid(eval, node), range, out);
    for (size_t i = 0; i < out->count; i++) {
        if (entry_applies(eval, node, out->at[i]))
            out->at[kept++] = out->at[i];
    }
    out->count = kept;
}

void eval_spans(struct eval *eval, uint32_t number, struct range range, struct spans *out)
{
    const struct plan_node *node = node_at(eval, number);
    if (is_empty(range))
        return;
    switch ((enum plan_op)node->op) {
    case PLAN_NEVER:
    case PLAN_ALWAYS:
    case PLAN_FIELD:
    case PLAN_NOT:
    case PLAN_META: return;
    case PLAN_SLOPPY: sloppy_spans(eval, node, range, out, false); return;
    case PLAN_WORD: phrase_word(eval, node->first, range, out); return;
    case PLAN_REGEX: spans_of_expression(eval, node, range, out); return;
    case PLAN_PHRASE: phrase_spans(eval, node, range, out, false); return;
    case PLAN_WINDOW: phrase_window(eval, node, range, out); return;
    case PLAN_OR: spans_of_union(eval, node, range, out); return;
    case PLAN_AND:
    case PLAN_ANY:
    case PLAN_ATLEAST:
    case PLAN_PAGE:
    case PLAN_LUCENE:
        if (eval_holds(eval, number, range))
            spans_of_union(eval, node, range, out);
        return;
    case PLAN_ENTRY: spans_of_entry(eval, node, range, out); return;
    case PLAN_NEAR:
    case PLAN_ONEAR:
    case PLAN_NOTNEAR:
    case PLAN_EXCEPT: spans_of_both(eval, node, range, out); return;
    case PLAN_SENTENCE:
    case PLAN_PARAGRAPH: spans_of_parts(eval, node, range, out); return;
    case PLAN_FIRST:
    case PLAN_TITLE:
    case PLAN_LEAD:
    case PLAN_BODY: range = eval_narrow(eval, node, range); break;
    case PLAN_NAMED: break;
    }
    eval_spans(eval, only_kid(eval, node), range, out);
}

// ---- yes or no -----------------------------------------------------------------------------

static bool holds_somewhere(struct eval *eval, uint32_t number, struct range range)
{
    struct spans *spans = eval_borrow(eval);
    eval_spans(eval, number, range, spans);
    bool any = spans->count > 0;
    eval_return(eval, spans);
    return any;
}

static bool holds_expression(struct eval *eval, uint32_t number, struct range range)
{
    if (!view_has(eval->view, node_at(eval, number)->first))
        return false;
    return (range.from == 0 && range.to == eval->view->segment->word_count) ||
           holds_somewhere(eval, number, range);
}

static bool holds_phrase(struct eval *eval, const struct plan_node *node, struct range range)
{
    if (!phrase_possible(eval, node))
        return false;
    struct spans *spans = eval_borrow(eval);
    phrase_spans(eval, node, range, spans, true);
    bool any = spans->count > 0;
    eval_return(eval, spans);
    return any;
}

static bool holds_sloppy(struct eval *eval, const struct plan_node *node, struct range range)
{
    struct spans *spans = eval_borrow(eval);
    sloppy_spans(eval, node, range, spans, true);
    bool any = spans->count > 0;
    eval_return(eval, spans);
    return any;
}

static bool holds_near(struct eval *eval, const struct plan_node *node, struct range range)
{
    const uint32_t *kids = plan_kids(eval->plan, node);
    if (!eval_holds(eval, kids[0], range) || !eval_holds(eval, kids[1], range))
        return false;
    struct spans *a = eval_borrow(eval), *b = eval_borrow(eval);
    struct near near = eval_near(eval, node);
    eval_spans(eval, kids[0], range, a);
    eval_spans(eval, kids[1], range, b);
    bool any = near_any(&near, a, b);
    eval_return(eval, b);
    eval_return(eval, a);
    return any;
}

// Without NOT, what does not hold in the whole range holds in no part of it.
static bool holds_in_part(struct eval *eval, const struct plan_node *node, struct range range)
{
    uint32_t kid = only_kid(eval, node), next = UINT32_MAX;
    struct range part;
    if (!(node->flags & PLAN_NEGATES) && !eval_holds(eval, kid, range))
        return false;
    while (eval_part(eval, node->op == PLAN_PARAGRAPH, range, &next, &part)) {
        if (eval_holds(eval, kid, part))
            return true;
    }
    return false;
}

static bool holds_atleast(struct eval *eval, const struct plan_node *node, struct range range)
{
    uint32_t kid = only_kid(eval, node);
    struct spans *spans = eval_borrow(eval);
    eval_spans(eval, kid, range, spans);
    bool enough = near_apart(words_of(eval), spans) >= node->number;
    eval_return(eval, spans);
    return enough;
}

static bool holds_some(struct eval *eval, const struct plan_node *node, uint32_t least,
                       struct range range)
{
    const uint32_t *kids = plan_kids(eval->plan, node);
    uint32_t held = 0;
    for (uint32_t i = 0; i < node->count && held < least; i++) {
        held += eval_holds(eval, kids[i], range);
        if (held + (node->count - i - 1) < least)
            return false; // too few are left
    }
    return held >= least;
}

static bool holds_on_page(struct eval *eval, uint32_t kid)
{
    struct view *view = eval->view;
    eval->view = eval->page;
    bool holds = eval_holds(eval, kid, view_whole(eval->view));
    eval->view = view;
    return holds;
}

// An entry for another language counts only where it applies; one without words of its own (metadata)
// has no place that could decide.
static bool holds_entry(struct eval *eval, uint32_t number, struct range range)
{
    const struct plan_node *node = node_at(eval, number);
    const struct query_list_entry *entry = node->source;
    uint32_t kid = only_kid(eval, node);
    if (!eval_holds(eval, kid, range))
        return false;
    return !entry->lang.len || holds_somewhere(eval, number, range);
}

bool eval_holds(struct eval *eval, uint32_t number, struct range range)
{
    const struct plan_node *node = node_at(eval, number);
    switch ((enum plan_op)node->op) {
    case PLAN_NEVER: return false;
    case PLAN_ALWAYS: return true;
    case PLAN_FIELD: return field_holds(eval, node->source);
    case PLAN_SLOPPY: return holds_sloppy(eval, node, range);
    case PLAN_LUCENE:
        return eval->view->segment->number == 0 && holds_on_page(eval, only_kid(eval, node));
    case PLAN_WORD: return view_within(eval->view, node->first, range);
    case PLAN_REGEX: return holds_expression(eval, number, range);
    case PLAN_PHRASE: return holds_phrase(eval, node, range);
    case PLAN_AND: return holds_some(eval, node, node->count, range);
    case PLAN_OR: return holds_some(eval, node, 1, range);
    case PLAN_ANY: return holds_some(eval, node, node->number, range);
    case PLAN_NOT: return !eval_holds(eval, only_kid(eval, node), range);
    case PLAN_ENTRY: return holds_entry(eval, number, range);
    case PLAN_NEAR:
    case PLAN_ONEAR: return holds_near(eval, node, range);
    case PLAN_WINDOW:
    case PLAN_NOTNEAR:
    case PLAN_EXCEPT: return holds_somewhere(eval, number, range);
    case PLAN_SENTENCE:
    case PLAN_PARAGRAPH: return holds_in_part(eval, node, range);
    case PLAN_ATLEAST: return holds_atleast(eval, node, range);
    case PLAN_PAGE: return holds_on_page(eval, only_kid(eval, node));
    case PLAN_META: return eval_meta(eval, &eval->plan->metas[node->first], range);
    case PLAN_FIRST:
    case PLAN_TITLE:
    case PLAN_LEAD:
    case PLAN_BODY:
        range = eval_narrow(eval, node, range);
        return !is_empty(range) && eval_holds(eval, only_kid(eval, node), range);
    case PLAN_NAMED: return eval_holds(eval, only_kid(eval, node), range);
    }
    return false;
}
