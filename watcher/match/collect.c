#include "watcher/match/eval.h"

#include "common/mem.h"

// What made a node hold: the same walk as for its occurrences, down to the words that took part. A
// child is asked only inside the occurrences that counted, so that a word which stood too far away, or in
// what is excepted, is not shown.

static const struct plan_node *node_at(const struct eval *eval, uint32_t number)
{
    return &eval->plan->nodes[number];
}

static uint32_t only_kid(const struct eval *eval, const struct plan_node *node)
{
    return *plan_kids(eval->plan, node);
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

static void collect_field(struct eval *eval, const struct plan_node *node)
{
    const struct query_node *field = node->source;
    add_match(eval, (struct eval_match){
                        .is_meta = true, .meta = field->children[0]->text, .leaf = field});
}

void eval_collect(struct eval *eval, uint32_t number, struct range range)
{
    const struct plan_node *node = node_at(eval, number);
    if (eval->match_count >= EVAL_MATCHES_MOST)
        return;
    switch ((enum plan_op)node->op) {
    case PLAN_NEVER:
    case PLAN_ALWAYS:
    case PLAN_NOT: return;
    case PLAN_WORD:
    case PLAN_REGEX:
    case PLAN_PHRASE:
    case PLAN_SLOPPY:
    case PLAN_WINDOW: collect_leaf(eval, number, range); return;
    case PLAN_OR: collect_kids(eval, node, range); return;
    case PLAN_AND:
    case PLAN_ANY:
    case PLAN_ATLEAST:
    case PLAN_PAGE:
    case PLAN_LUCENE:
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
    case PLAN_FIELD:
        if (eval_holds(eval, number, range))
            collect_field(eval, node);
        return;
    }
}
