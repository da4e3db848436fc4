#include "watcher/match/anchor.h"

#include "common/mem.h"

#include <math.h>
#include <stdlib.h>

// A `cover` of a node is a set of terms of which one must be present where the node holds. A word
// covers itself; OR needs all its parts; of what AND, a phrase or NEAR require, each part is a cover
// of its own (a `factor`).

static void factors_of(struct anchors *anchors, uint32_t number);

static void add_term(struct anchors *anchors, uint32_t term, uint32_t whole)
{
    anchors->terms =
        tc_room(anchors->terms, anchors->term_count, &anchors->term_room, sizeof *anchors->terms);
    anchors->wholes = tc_room(anchors->wholes, anchors->term_count, &anchors->whole_room,
                              sizeof *anchors->wholes);
    anchors->wholes[anchors->term_count] = whole;
    anchors->terms[anchors->term_count++] = term;
}

static void add_factor(struct anchors *anchors, struct factor factor)
{
    factor.clause = (uint32_t)anchors->clause_count - 1;
    anchors->factors = tc_room(anchors->factors, anchors->factor_count, &anchors->factor_room,
                               sizeof *anchors->factors);
    anchors->factors[anchors->factor_count++] = factor;
}

static void single(struct anchors *anchors, uint32_t term)
{
    size_t first = anchors->term_count;
    uint32_t whole = term;
    if (anchors->scope != ANCHOR_WHOLE)
        term = terms_scoped(anchors->plan->terms, term, (enum terms_scope)anchors->scope);
    add_term(anchors, term, whole);
    add_factor(anchors, (struct factor){
                            .first = first, .count = 1, .cost = anchors->plan->terms->costs[term]});
}

// The cheapest factor from number `begun` on; NULL when there is none.
static struct factor *cheapest(const struct anchors *anchors, size_t begun)
{
    struct factor *best = NULL;
    for (size_t i = begun; i < anchors->factor_count; i++) {
        if (!best || anchors->factors[i].cost < best->cost)
            best = &anchors->factors[i];
    }
    return best;
}

// The cover of one node as a single factor; false when nothing covers it.
static bool cover(struct anchors *anchors, uint32_t number, struct factor *out)
{
    size_t begun = anchors->factor_count;
    factors_of(anchors, number);
    const struct factor *best = cheapest(anchors, begun);
    if (best)
        *out = *best;
    anchors->factor_count = begun;
    return best != NULL;
}

static int by_cost(const void *a, const void *b)
{
    float left = ((const struct factor *)a)->cost, right = ((const struct factor *)b)->cost;
    return (left > right) - (left < right);
}

// One of several covers must be there: their union, where each `parts[i]` is a cover. Of a union that is
// looked for on the page, the words of a segment's title may stand anywhere: the page's title is another.
static void unite(struct anchors *anchors, const struct factor *parts, size_t count)
{
    struct factor whole = {.first = anchors->term_count};
    for (size_t i = 0; i < count; i++)
        whole.page |= parts[i].page;
    for (size_t i = 0; i < count; i++) {
        bool anywhere = whole.page && !parts[i].page;
        for (size_t k = parts[i].first; k < parts[i].first + parts[i].count; k++)
            add_term(anchors, anywhere ? anchors->wholes[k] : anchors->terms[k],
                     anchors->wholes[k]);
        whole.count += parts[i].count;
        whole.cost += parts[i].cost;
    }
    add_factor(anchors, whole);
}

// At least `least` of the kids must hold: any (kids - least + 1) of them cover it, so the dearest
// least-1 are left out. OR is the case of 1.
static void factors_of_some(struct anchors *anchors, const struct plan_node *node, uint32_t least)
{
    if (least < 1 || least > node->count)
        return;
    struct factor *parts = tc_new(node->count * sizeof *parts);
    size_t count = 0, need = node->count - least + 1;
    for (uint32_t i = 0; i < node->count; i++)
        count += cover(anchors, plan_kids(anchors->plan, node)[i], &parts[count]);
    qsort(parts, count, sizeof *parts, by_cost);
    if (count >= need)
        unite(anchors, parts, need);
    free(parts);
}

static void factors_under(struct anchors *anchors, const struct plan_node *node, int scope)
{
    int before = anchors->scope;
    anchors->scope = scope;
    factors_of(anchors, *plan_kids(anchors->plan, node));
    anchors->scope = before;
}

static void factors_of_page(struct anchors *anchors, const struct plan_node *node)
{
    size_t begun = anchors->factor_count;
    factors_under(anchors, node, ANCHOR_WHOLE);
    for (size_t i = begun; i < anchors->factor_count; i++) {
        anchors->factors[i].page = true;
        anchors->factors[i].cost *= 2; // a page has more words than a segment
    }
}

// Adds what must be present where the node holds.
static void factors_of(struct anchors *anchors, uint32_t number)
{
    const struct plan *plan = anchors->plan;
    const struct plan_node *node = &plan->nodes[number];
    switch ((enum plan_op)node->op) {
    case PLAN_NEVER:
    case PLAN_ALWAYS:
    case PLAN_FIELD:
    case PLAN_NOT:
    case PLAN_META: break;
    case PLAN_WORD:
    case PLAN_REGEX: single(anchors, node->first); break;
    case PLAN_PHRASE:
    case PLAN_SLOPPY:
    case PLAN_WINDOW:
        for (uint32_t i = 0; i < node->count; i++)
            single(anchors, plan->words[node->first + i]);
        break;
    case PLAN_OR: factors_of_some(anchors, node, 1); break;
    case PLAN_ANY: factors_of_some(anchors, node, node->number); break;
    case PLAN_NOTNEAR:
    case PLAN_EXCEPT: factors_of(anchors, *plan_kids(plan, node)); break;
    case PLAN_LUCENE:
    case PLAN_PAGE: factors_of_page(anchors, node); break;
    case PLAN_TITLE: factors_under(anchors, node, TERMS_TITLE); break;
    case PLAN_BODY: factors_under(anchors, node, TERMS_BODY); break;
    default:
        for (uint32_t i = 0; i < node->count; i++)
            factors_of(anchors, plan_kids(plan, node)[i]);
        break;
    }
}

// ---- score watches -------------------------------------------------------------------------

// The terms that can be left out together without reaching the threshold need no anchor: the dearest
// are left out first, as long as the rest of the weights cannot reach it.
static void factors_of_score(struct anchors *anchors, const struct plan_watch *planned,
                             const struct watch *watch)
{
    struct scored {
        struct factor factor;
        double weight;
    } *parts = tc_new(planned->count * sizeof *parts);
    struct factor *kept = tc_new(planned->count * sizeof *kept);
    size_t count = 0, kept_count = 0;
    double left_out = 0;
    bool whole = watch->threshold > 0;
    for (uint32_t i = 0; i < planned->count && whole; i++) {
        parts[count].weight = watch->terms[i].weight;
        parts[count].factor = (struct factor){.cost = INFINITY};
        if (parts[count].weight > 0) {
            cover(anchors, anchors->plan->kids[planned->first + i], &parts[count].factor);
            count++;
        }
    }
    qsort(parts, count, sizeof *parts, by_cost); // the factor is the first member
    for (size_t i = count; i-- > 0 && whole;) {
        // A hair below the threshold, because sums of weights round differently in another order.
        if (left_out + parts[i].weight < watch->threshold * (1 - 1e-9))
            left_out += parts[i].weight;
        else if (isinf(parts[i].factor.cost))
            whole = false;
        else
            kept[kept_count++] = parts[i].factor;
    }
    if (whole)
        unite(anchors, kept, kept_count);
    free(parts);
    free(kept);
}

// ---- clauses -------------------------------------------------------------------------------

static void add_clause(struct anchors *anchors, uint32_t number, bool negated)
{
    const struct plan_node *core = plan_core(anchors->plan, number);
    size_t begun = anchors->factor_count;
    anchors->clauses = tc_room(anchors->clauses, anchors->clause_count, &anchors->clause_room,
                               sizeof *anchors->clauses);
    anchors->clauses[anchors->clause_count++] =
        (struct clause){.node = (uint32_t)(core - anchors->plan->nodes),
                        .scope = anchors->scope,
                        .negated = negated};
    if (negated)
        return;
    factors_of(anchors, number);
    if (anchors->factor_count == begun + 1)
        anchors->factors[begun].exact = plan_only_words(anchors->plan, core);
}

// Whether a node holds nowhere where there are no words at all.
static bool needs_words(const struct plan *plan, uint32_t number)
{
    const struct plan_node *core = plan_core(plan, number);
    uint32_t need = 0;
    switch ((enum plan_op)core->op) {
    case PLAN_WORD:
    case PLAN_REGEX:
    case PLAN_PHRASE:
    case PLAN_SLOPPY:
    case PLAN_WINDOW:
    case PLAN_NEAR:
    case PLAN_ONEAR: return true;
    case PLAN_AND:
    case PLAN_OR:
        for (uint32_t i = 0; i < core->count; i++)
            need += needs_words(plan, plan_kids(plan, core)[i]);
        return core->op == PLAN_AND ? need > 0 : need == core->count;
    default: return false;
    }
}

// Without words TITLE and BODY hold nowhere; their child is only the same if it does not either.
int anchors_scope(const struct plan *plan, const struct plan_node *node)
{
    if ((node->op != PLAN_TITLE && node->op != PLAN_BODY) ||
        !needs_words(plan, *plan_kids(plan, node)))
        return ANCHOR_WHOLE;
    return node->op == PLAN_TITLE ? TERMS_TITLE : TERMS_BODY;
}

// What AND joins must all hold; of what OR joins nothing may, where it is negated.
static void take_apart(struct anchors *anchors, uint32_t number, bool negated)
{
    const struct plan *plan = anchors->plan;
    const struct plan_node *core = plan_core(plan, number);
    if (core->op == PLAN_NOT) {
        take_apart(anchors, *plan_kids(plan, core), !negated);
        return;
    }
    int scope = anchors->scope == ANCHOR_WHOLE ? anchors_scope(plan, core) : ANCHOR_WHOLE;
    if (scope != ANCHOR_WHOLE) {
        anchors->scope = scope;
        take_apart(anchors, *plan_kids(plan, core), negated);
        anchors->scope = ANCHOR_WHOLE;
        return;
    }
    if (core->op != (negated ? PLAN_OR : PLAN_AND) || !core->count) {
        add_clause(anchors, number, negated);
        return;
    }
    for (uint32_t i = 0; i < core->count; i++)
        take_apart(anchors, plan_kids(plan, core)[i], negated);
}

void anchors_of(struct anchors *anchors, const struct plan_watch *planned,
                const struct watch *watch)
{
    const struct plan *plan = anchors->plan;
    anchors->clause_count = anchors->term_count = anchors->factor_count = 0;
    anchors->scope = ANCHOR_WHOLE;
    anchors->page = false;
    if (planned->root != PLAN_NONE && plan_core(plan, planned->root)->op == PLAN_LUCENE) {
        anchors->page = true;
        take_apart(anchors, *plan_kids(plan, plan_core(plan, planned->root)), false);
    } else if (planned->root != PLAN_NONE)
        take_apart(anchors, planned->root, false);
    else if (planned->count)
        factors_of_score(anchors, planned, watch);
}

void anchors_undivided(struct anchors *anchors, const struct plan_watch *planned)
{
    anchors->clause_count = anchors->factor_count = 0;
    anchors->page = false;
    if (planned->root == PLAN_NONE)
        return;
    add_clause(anchors, planned->root, false);
    anchors->factor_count = 0;
}

void anchors_done(struct anchors *anchors)
{
    free(anchors->clauses);
    free(anchors->terms);
    free(anchors->wholes);
    free(anchors->factors);
}

const struct factor *anchors_best(const struct anchors *anchors)
{
    return cheapest(anchors, 0);
}
