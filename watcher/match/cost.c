#include "watcher/match/cost.h"

#include "common/mem.h"
#include "watcher/match/scan_body.h"

#include <stdlib.h>

struct cost {
    const struct matcher *matcher;
    uint64_t *tries;
    bool *keyless;
};

struct cost *cost_new(const struct matcher *matcher)
{
    const struct index *index = matcher->index;
    struct cost *cost = tc_new(sizeof *cost);
    cost->matcher = matcher;
    cost->tries = tc_new((matcher->count + 1) * sizeof *cost->tries);
    cost->keyless = tc_new((matcher->count + 1) * sizeof *cost->keyless);
    for (size_t i = 0; i < index->always_count; i++)
        cost->keyless[index_watch(index, index->always[i])] = true;
    return cost;
}

void cost_free(struct cost *cost)
{
    if (!cost)
        return;
    free(cost->tries);
    free(cost->keyless);
    free(cost);
}

static void add_part(struct cost *cost, const struct index_part *part, const struct view *view)
{
    for (size_t i = 0; part->entry_count && i < view->seen_count; i++) {
        struct index_row row = index_row(part, view->seen[i]);
        for (uint32_t k = 0; k < row.count; k++) {
            if (view_bit(view, row.needs[k]))
                cost->tries[index_watch(cost->matcher->index, row.acts[k])]++;
        }
    }
}

void cost_add(struct cost *cost, struct scan *scan, const struct text *text)
{
    const struct index *index = cost->matcher->index;
    for (uint32_t i = 0; i < text->segment_count; i++) {
        scan_show(scan, cost->matcher, text, i);
        add_part(cost, &index->segment, &scan->segment);
        add_part(cost, &index->page, scan->eval.page);
        if (i == 0)
            add_part(cost, &index->whole, scan->eval.page);
        for (size_t k = 0; k < index->always_count; k++)
            cost->tries[index_watch(index, index->always[k])]++;
    }
}

uint64_t cost_tries(const struct cost *cost, size_t watch)
{
    return cost->tries[watch];
}

bool cost_has_key(const struct cost *cost, size_t watch)
{
    return !cost->keyless[watch];
}
