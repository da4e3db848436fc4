#include "watcher/match/index.h"

#include "common/mem.h"

#include <math.h>
#include <stdlib.h>

// A `cover` of a node is a set of terms of which one must be present where the node holds. A word
// covers itself; OR needs all its parts; of what AND, a phrase or NEAR require, each part is a cover
// of its own (a `factor`), and the cheapest one becomes the anchor. The next cheapest factor that is one
// single term becomes the second requirement.

struct factor {
    size_t first, count; // in terms[]
    float cost;
    bool page; // must stand on the page, perhaps in another segment
};

struct chooser {
    const struct plan *plan;
    uint32_t *terms; // of all factors in the making
    size_t term_count, term_room;
    struct factor *factors;
    size_t factor_count, factor_room;
};

static void factors_of(struct chooser *chooser, uint32_t number);

static void add_term(struct chooser *chooser, uint32_t term)
{
    chooser->terms =
        tc_room(chooser->terms, chooser->term_count, &chooser->term_room, sizeof *chooser->terms);
    chooser->terms[chooser->term_count++] = term;
}

static void add_factor(struct chooser *chooser, struct factor factor)
{
    chooser->factors = tc_room(chooser->factors, chooser->factor_count, &chooser->factor_room,
                               sizeof *chooser->factors);
    chooser->factors[chooser->factor_count++] = factor;
}

static void single(struct chooser *chooser, uint32_t term)
{
    size_t first = chooser->term_count;
    add_term(chooser, term);
    add_factor(chooser, (struct factor){first, 1, chooser->plan->terms[term].cost, false});
}

// The cheapest factor from number `begun` on; NULL when there is none.
static struct factor *cheapest(struct chooser *chooser, size_t begun)
{
    struct factor *best = NULL;
    for (size_t i = begun; i < chooser->factor_count; i++) {
        if (!best || chooser->factors[i].cost < best->cost)
            best = &chooser->factors[i];
    }
    return best;
}

// The cover of one node as a single factor; false when nothing covers it.
static bool cover(struct chooser *chooser, uint32_t number, struct factor *out)
{
    size_t begun = chooser->factor_count;
    factors_of(chooser, number);
    const struct factor *best = cheapest(chooser, begun);
    if (best)
        *out = *best;
    chooser->factor_count = begun;
    return best != NULL;
}

static int by_cost(const void *a, const void *b)
{
    float left = ((const struct factor *)a)->cost, right = ((const struct factor *)b)->cost;
    return (left > right) - (left < right);
}

// One of several covers must be there: their union, where each `parts[i]` is a cover.
static void unite(struct chooser *chooser, const struct factor *parts, size_t count)
{
    struct factor whole = {.first = chooser->term_count};
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < parts[i].count; k++)
            add_term(chooser, chooser->terms[parts[i].first + k]);
        whole.count += parts[i].count;
        whole.cost += parts[i].cost;
        whole.page |= parts[i].page;
    }
    add_factor(chooser, whole);
}

// At least `least` of the kids must hold: any (kids - least + 1) of them cover it, so the dearest
// least-1 are left out. OR is the case of 1.
static void factors_of_some(struct chooser *chooser, const struct plan_node *node, uint32_t least)
{
    if (least < 1 || least > node->count)
        return;
    struct factor *parts = tc_new(node->count * sizeof *parts);
    size_t count = 0, need = node->count - least + 1;
    for (uint32_t i = 0; i < node->count; i++)
        count += cover(chooser, plan_kids(chooser->plan, node)[i], &parts[count]);
    qsort(parts, count, sizeof *parts, by_cost);
    if (count >= need)
        unite(chooser, parts, need);
    free(parts);
}

static void factors_of_page(struct chooser *chooser, const struct plan_node *node)
{
    size_t begun = chooser->factor_count;
    factors_of(chooser, *plan_kids(chooser->plan, node));
    for (size_t i = begun; i < chooser->factor_count; i++) {
        chooser->factors[i].page = true;
        chooser->factors[i].cost *= 2; // a page has more words than a segment
    }
}

// Adds what must be present where the node holds.
static void factors_of(struct chooser *chooser, uint32_t number)
{
    const struct plan *plan = chooser->plan;
    const struct plan_node *node = &plan->nodes[number];
    switch ((enum plan_op)node->op) {
    case PLAN_NEVER:
    case PLAN_ALWAYS:
    case PLAN_FIELD:
    case PLAN_NOT:
    case PLAN_META: break;
    case PLAN_WORD: single(chooser, node->first); break;
    case PLAN_PHRASE:
    case PLAN_SLOPPY:
    case PLAN_WINDOW:
        for (uint32_t i = 0; i < node->count; i++)
            single(chooser, plan->words[node->first + i]);
        break;
    case PLAN_OR: factors_of_some(chooser, node, 1); break;
    case PLAN_ANY: factors_of_some(chooser, node, node->number); break;
    case PLAN_NOTNEAR:
    case PLAN_EXCEPT: factors_of(chooser, *plan_kids(plan, node)); break;
    case PLAN_LUCENE:
    case PLAN_PAGE: factors_of_page(chooser, node); break;
    default:
        for (uint32_t i = 0; i < node->count; i++)
            factors_of(chooser, plan_kids(plan, node)[i]);
        break;
    }
}

// ---- score watches -------------------------------------------------------------------------

// The terms that can be left out together without reaching the threshold need no anchor: the dearest
// are left out first, as long as the rest of the weights cannot reach it.
static void factors_of_score(struct chooser *chooser, const struct plan_watch *planned,
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
            cover(chooser, chooser->plan->kids[planned->first + i], &parts[count].factor);
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
        unite(chooser, kept, kept_count);
    free(parts);
    free(kept);
}

// ---- filing --------------------------------------------------------------------------------

struct filed { // one watch under one term, until all are known
    uint32_t term;
    bool page;
    struct index_entry entry;
};

struct filing {
    struct filed *filed;
    size_t count, room;
};

static uint32_t second_of(const struct chooser *chooser, const struct factor *anchor)
{
    const struct factor *best = NULL;
    for (size_t i = 0; i < chooser->factor_count; i++) {
        const struct factor *factor = &chooser->factors[i];
        if (factor != anchor && factor->count == 1 && factor->page == anchor->page &&
            (!best || factor->cost < best->cost))
            best = factor;
    }
    return best ? chooser->terms[best->first] : PLAN_NONE;
}

static int by_term(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static void file_under(struct filing *filing, struct chooser *chooser, const struct factor *anchor,
                       uint32_t watch)
{
    uint32_t second = second_of(chooser, anchor);
    uint32_t *terms = chooser->terms + anchor->first;
    qsort(terms, anchor->count, sizeof *terms, by_term);
    for (size_t i = 0; i < anchor->count; i++) {
        if (i && terms[i] == terms[i - 1])
            continue;
        filing->filed = tc_room(filing->filed, filing->count, &filing->room, sizeof *filing->filed);
        filing->filed[filing->count++] = (struct filed){terms[i], anchor->page, {watch, second}};
    }
}

static void lay_out(struct index_part *part, const struct filing *filing, bool page, size_t terms)
{
    part->starts = tc_new((terms + 1) * sizeof *part->starts);
    for (size_t i = 0; i < filing->count; i++) {
        if (filing->filed[i].page == page)
            part->starts[filing->filed[i].term + 1]++, part->entry_count++;
    }
    for (size_t term = 0; term < terms; term++)
        part->starts[term + 1] += part->starts[term];
    part->entries = tc_new(part->entry_count * sizeof *part->entries);
    uint32_t *next = tc_new((terms + 1) * sizeof *next);
    memcpy(next, part->starts, (terms + 1) * sizeof *next);
    for (size_t i = 0; i < filing->count; i++) {
        if (filing->filed[i].page == page)
            part->entries[next[filing->filed[i].term]++] = filing->filed[i].entry;
    }
    free(next);
}

struct index *index_new(const struct plan *plan, const struct watch *watches)
{
    struct index *index = tc_new(sizeof *index);
    struct chooser chooser = {.plan = plan};
    struct filing filing = {0};
    size_t always_room = 0;
    index->term_count = plan->term_count;
    for (uint32_t watch = 0; watch < plan->watch_count; watch++) {
        const struct plan_watch *planned = &plan->watches[watch];
        chooser.term_count = chooser.factor_count = 0;
        if (planned->root != PLAN_NONE)
            factors_of(&chooser, planned->root);
        else if (planned->count)
            factors_of_score(&chooser, planned, &watches[watch]);
        const struct factor *anchor = cheapest(&chooser, 0);
        if (anchor) {
            file_under(&filing, &chooser, anchor, watch);
            continue;
        }
        index->always =
            tc_room(index->always, index->always_count, &always_room, sizeof *index->always);
        index->always[index->always_count++] = watch;
    }
    lay_out(&index->segment, &filing, false, plan->term_count);
    lay_out(&index->page, &filing, true, plan->term_count);
    free(chooser.terms);
    free(chooser.factors);
    free(filing.filed);
    return index;
}

void index_free(struct index *index)
{
    if (!index)
        return;
    free(index->segment.starts);
    free(index->segment.entries);
    free(index->page.starts);
    free(index->page.entries);
    free(index->always);
    free(index);
}

size_t index_bytes(const struct index *index)
{
    return sizeof *index + 2 * (index->term_count + 1) * sizeof(uint32_t) +
           (index->segment.entry_count + index->page.entry_count) * sizeof(struct index_entry) +
           index->always_count * sizeof *index->always;
}
