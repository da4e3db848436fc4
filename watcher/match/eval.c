#include "watcher/match/eval.h"

#include "common/mem.h"

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

// The words of one span, with all that share its last position.
static struct range range_of(const struct eval *eval, struct span span)
{
    const struct text_segment *segment = eval->view->segment;
    struct range range = {span.first, span.last + 1};
    while (range.from > 0 &&
           segment->words[range.from - 1].position == segment->words[span.first].position)
        range.from--;
    while (range.to < segment->word_count &&
           segment->words[range.to].position == segment->words[span.last].position)
        range.to++;
    return range;
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

// ---- words and phrases ---------------------------------------------------------------------

static void spans_of_word(struct eval *eval, uint32_t term, struct range range, struct spans *out)
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

// Whether the words are joined in the text as the query wrote them.
static bool joined_as_written(struct eval *eval, const struct plan_node *node, struct span span)
{
    const struct query_node *query = node->source;
    const struct text_word *words = words_of(eval);
    tc_str original = view_original(eval->view, view_field(eval->view, span.first));
    struct tc_buf wanted = {0}, found = {0};
    bool same = true;
    size_t at = find(query->text, 0, query->words[0].surface);
    uint32_t word = span.first;
    for (size_t i = 1; i < query->word_count && same; i++) {
        size_t from = at + query->words[i - 1].surface.len;
        at = find(query->text, from, query->words[i].surface);
        uint32_t next = word + 1;
        while (next < span.last && words[next].position == words[word].position)
            next++;
        joint(tc_str_cut(query->text, from, at), &wanted);
        joint(tc_str_cut(original, words[word].end, words[next].start), &found);
        same = tc_str_eq(tc_buf_view(&wanted), tc_buf_view(&found));
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

static bool all_present(const struct eval *eval, const struct plan_node *node)
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
static void spans_of_phrase(struct eval *eval, const struct plan_node *node, struct range range,
                            struct spans *out, bool one)
{
    if (!all_present(eval, node))
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
            words[span.last].paragraph != words[span.first].paragraph ||
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

// Whether places from..to hold the phrase: close enough, one paragraph, as many positions as words.
static bool is_window(const struct window *window, size_t from, size_t to)
{
    const struct text_word *words = words_of(window->eval);
    const struct text_word *first = &words[window->places->at[from].first];
    const struct text_word *last = &words[window->places->at[to].first];
    uint32_t positions = 1;
    if (first->paragraph != last->paragraph ||
        (uint64_t)(last->position - first->position) + 1 >
            (uint64_t)window->node->number + window->node->count)
        return false;
    for (size_t i = from + 1; i <= to; i++)
        positions += words[window->places->at[i].first].position !=
                     words[window->places->at[i - 1].first].position;
    return positions >= window->node->count;
}

// Slides over the places; for each end, the shortest stretch that holds every word. `missing` below 0
// (as a wrapped number) counts what there is too much of.
static void spans_of_window(struct eval *eval, const struct plan_node *node, struct range range,
                            struct spans *out)
{
    if (!all_present(eval, node))
        return;
    struct spans *places = eval_borrow(eval);
    struct window window = {.eval = eval, .node = node, .places = places};
    gather_places(&window, range, places);
    want_all(&window);
    size_t from = 0;
    for (size_t to = 0; to < places->count; to++) {
        int32_t left = (int32_t)window.missing[places->at[to].last]--;
        window.all_missing -= left > 0;
        while (!window.all_missing && (int32_t)window.missing[places->at[from].last] < 0)
            window.missing[places->at[from++].last]++;
        if (!window.all_missing && is_window(&window, from, to))
            near_add(out, (struct span){places->at[from].first, places->at[to].first});
    }
    near_sort(words_of(eval), out);
    eval_return(eval, places);
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
            spans_of_word(eval, child->first, range, out);
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
    case PLAN_NOT:
    case PLAN_META: return;
    case PLAN_WORD: spans_of_word(eval, node->first, range, out); return;
    case PLAN_PHRASE: spans_of_phrase(eval, node, range, out, false); return;
    case PLAN_WINDOW: spans_of_window(eval, node, range, out); return;
    case PLAN_OR: spans_of_union(eval, node, range, out); return;
    case PLAN_AND:
    case PLAN_ANY:
    case PLAN_ATLEAST:
    case PLAN_PAGE:
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

static bool holds_phrase(struct eval *eval, const struct plan_node *node, struct range range)
{
    if (!all_present(eval, node))
        return false;
    struct spans *spans = eval_borrow(eval);
    spans_of_phrase(eval, node, range, spans, true);
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
    case PLAN_WORD: return view_within(eval->view, node->first, range);
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

// ---- what made it hold ---------------------------------------------------------------------

static void add_match(struct eval *eval, struct eval_match match)
{
    if (eval->match_count >= EVAL_MATCHES_MOST)
        return;
    match.clause = eval->clause;
    match.tight = eval->tight > 0;
    eval->matches =
        tc_room(eval->matches, eval->match_count, &eval->match_room, sizeof *eval->matches);
    eval->matches[eval->match_count++] = match;
}

static void collect_leaf(struct eval *eval, uint32_t number, struct range range)
{
    struct spans *spans = eval_borrow(eval);
    eval_spans(eval, number, range, spans);
    for (size_t i = 0; i < spans->count; i++)
        add_match(eval,
                  (struct eval_match){.span = spans->at[i], .leaf = node_at(eval, number)->source});
    eval_return(eval, spans);
}

// The words of a node inside each of its chosen occurrences.
static void collect_inside(struct eval *eval, uint32_t number, const struct spans *spans)
{
    for (size_t i = 0; i < spans->count && eval->match_count < EVAL_MATCHES_MOST; i++)
        eval_collect(eval, number, range_of(eval, spans->at[i]));
}

static void collect_pair(struct eval *eval, const struct plan_node *node, struct range range)
{
    const uint32_t *kids = plan_kids(eval->plan, node);
    struct near near = eval_near(eval, node);
    struct spans *a = eval_borrow(eval), *b = eval_borrow(eval), *chosen = eval_borrow(eval);
    eval_spans(eval, kids[0], range, a);
    eval_spans(eval, kids[1], range, b);
    near_firsts(&near, a, b, chosen);
    eval->tight++;
    collect_inside(eval, kids[0], chosen);
    chosen->count = 0;
    near_seconds(&near, a, b, chosen);
    collect_inside(eval, kids[1], chosen);
    eval->tight--;
    eval_return(eval, chosen);
    eval_return(eval, b);
    eval_return(eval, a);
}

// NOTNEAR, EXCEPT and entries: the first child's words, where they count.
static void collect_chosen(struct eval *eval, uint32_t number, struct range range)
{
    struct spans *chosen = eval_borrow(eval);
    eval_spans(eval, number, range, chosen);
    collect_inside(eval, only_kid(eval, node_at(eval, number)), chosen);
    eval_return(eval, chosen);
}

static void collect_parts(struct eval *eval, const struct plan_node *node, struct range range)
{
    uint32_t kid = only_kid(eval, node), next = UINT32_MAX;
    struct range part;
    eval->tight++;
    while (eval_part(eval, node->op == PLAN_PARAGRAPH, range, &next, &part))
        eval_collect(eval, kid, part);
    eval->tight--;
}

static void collect_kids(struct eval *eval, const struct plan_node *node, struct range range)
{
    for (uint32_t i = 0; i < node->count; i++)
        eval_collect(eval, plan_kids(eval->plan, node)[i], range);
}

static void collect_named(struct eval *eval, const struct plan_node *node, struct range range)
{
    tc_str outer = eval->clause;
    eval->clause = ((const struct query_node *)node->source)->text;
    collect_kids(eval, node, range);
    eval->clause = outer;
}

static void collect_meta(struct eval *eval, const struct plan_node *node)
{
    add_match(eval, (struct eval_match){.is_meta = true,
                                        .meta = eval->plan->metas[node->first].value,
                                        .leaf = node->source});
}

void eval_collect(struct eval *eval, uint32_t number, struct range range)
{
    const struct plan_node *node = node_at(eval, number);
    if (eval->match_count >= EVAL_MATCHES_MOST)
        return;
    switch ((enum plan_op)node->op) {
    case PLAN_NEVER:
    case PLAN_NOT: return;
    case PLAN_WORD:
    case PLAN_PHRASE:
    case PLAN_WINDOW: collect_leaf(eval, number, range); return;
    case PLAN_OR: collect_kids(eval, node, range); return;
    case PLAN_AND:
    case PLAN_ANY:
    case PLAN_ATLEAST:
    case PLAN_PAGE:
        if (eval_holds(eval, number, range))
            collect_kids(eval, node, range);
        return;
    case PLAN_NEAR:
    case PLAN_ONEAR: collect_pair(eval, node, range); return;
    case PLAN_ENTRY:
    case PLAN_NOTNEAR:
    case PLAN_EXCEPT: collect_chosen(eval, number, range); return;
    case PLAN_SENTENCE:
    case PLAN_PARAGRAPH: collect_parts(eval, node, range); return;
    case PLAN_FIRST:
    case PLAN_TITLE:
    case PLAN_LEAD:
    case PLAN_BODY: collect_kids(eval, node, eval_narrow(eval, node, range)); return;
    case PLAN_NAMED: collect_named(eval, node, range); return;
    case PLAN_META:
        if (eval_holds(eval, number, range))
            collect_meta(eval, node);
        return;
    }
}
