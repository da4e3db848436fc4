#include "watcher/match/index.h"

#include "common/mem.h"
#include "watcher/match/view.h"

#include <stdlib.h>

// Of a watch's factors the cheapest is the anchor. The second requirement is the cheapest other single
// term, or a pair of neighbours of a phrase, which is rarer than either word. When only OR groups are
// left, the anchor's entries are multiplied by the terms of one of them, as long as the product is small.
//
// The second bit behind a term of the page is asked of the page, which has everything that the segment has.
//
// Terms are not numbered for good while watches are filed, so entries are kept with their old numbers and
// laid out when all are known.

enum { ONCE_LEAST = 8 }; // words that lead to a program

static const float pair_rarity =
    0.15f; // a pair of neighbours against the rarer of its words, guessed

struct filed { // one entry, until all are known
    uint32_t term;
    uint32_t need, next; // a term; with next: the pair of them
    uint32_t act;
};

void index_begin(struct index_builder *builder, const struct plan *plan)
{
    *builder = (struct index_builder){0};
    builder->anchors.plan = plan;
    builder->writer.plan = plan;
    dict_init(&builder->writer.listed, 0);
}

// ---- choosing ------------------------------------------------------------------------------

static void add_need(struct index_builder *builder, uint32_t term, uint32_t next)
{
    if (builder->need_count + 2 > builder->need_room) {
        builder->need_room = builder->need_room * 2 + 16;
        builder->needs = tc_grow(builder->needs, builder->need_room, sizeof *builder->needs);
    }
    builder->needs[builder->need_count++] = term;
    builder->needs[builder->need_count++] = next;
}

static float cost_of(const struct index_builder *builder, uint32_t term)
{
    return builder->anchors.plan->terms->costs[term];
}

// The rarest pair of neighbours that some phrase asks for; its cost, or more than 1.
static float rarest_pair(const struct index_builder *builder, uint32_t *first, uint32_t *second)
{
    const struct plan *plan = builder->anchors.plan;
    float best = 2;
    for (size_t i = 0; i < builder->anchors.clause_count; i++) {
        const struct clause *clause = &builder->anchors.clauses[i];
        const struct plan_node *core = &plan->nodes[clause->node];
        if (clause->negated || core->op != PLAN_PHRASE || !(core->flags & PLAN_PLAIN))
            continue;
        const uint32_t *words = plan->words + core->first;
        for (uint32_t k = 1; k < core->count; k++) {
            float a = cost_of(builder, words[k - 1]), b = cost_of(builder, words[k]);
            float cost = pair_rarity * (a < b ? a : b);
            if (cost >= best)
                continue;
            best = cost;
            *first = words[k - 1];
            *second = words[k];
        }
    }
    return best;
}

static struct factor *second_factor(struct index_builder *builder, const struct factor *anchor,
                                    size_t most)
{
    struct anchors *anchors = &builder->anchors;
    struct factor *best = NULL;
    for (size_t i = 0; i < anchors->factor_count; i++) {
        struct factor *factor = &anchors->factors[i];
        if (factor != anchor && factor->count <= most && factor->count &&
            (anchor->page || !factor->page) && (factor->count == 1 || factor->exact) &&
            (!best || factor->cost < best->cost))
            best = factor;
    }
    return best;
}

// A page's term proves nothing about the segment.
static void prove(struct index_builder *builder, const struct factor *factor)
{
    if (factor->exact && !factor->page)
        builder->anchors.clauses[factor->clause].proven = true;
}

static void choose_needs(struct index_builder *builder, const struct factor *anchor)
{
    uint32_t first = TERM_NONE, second = TERM_NONE;
    float pair = rarest_pair(builder, &first, &second);
    const struct factor *factor = second_factor(builder, anchor, 1);
    builder->need_count = 0;
    if (pair < 1 && (!factor || pair <= factor->cost)) {
        add_need(builder, first, second);
        return;
    }
    size_t most = INDEX_PRODUCT_MOST / anchor->count;
    if (!factor)
        factor =
            second_factor(builder, anchor, most < INDEX_SECOND_MOST ? most : INDEX_SECOND_MOST);
    if (!factor) {
        add_need(builder, TERM_NONE, TERM_NONE); // its bit is always set
        return;
    }
    // asked of the page, whose title is not the segment's
    const uint32_t *terms =
        anchor->page && !factor->page ? builder->anchors.wholes : builder->anchors.terms;
    for (size_t i = 0; i < factor->count; i++)
        add_need(builder, terms[factor->first + i], TERM_NONE);
    if (!anchor->page)
        prove(builder, factor);
}

// ---- filing --------------------------------------------------------------------------------

static int by_number(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

// Sorts; few numbers are the common case.
static void sort(uint32_t *numbers, size_t count)
{
    if (count > 24) {
        qsort(numbers, count, sizeof *numbers, by_number);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        uint32_t number = numbers[i];
        size_t k = i;
        for (; k > 0 && numbers[k - 1] > number; k--)
            numbers[k] = numbers[k - 1];
        numbers[k] = number;
    }
}

static void file_entry(struct index_builder *builder, size_t part, struct filed entry)
{
    builder->filed[part] = tc_room(builder->filed[part], builder->filed_count[part],
                                   &builder->filed_room[part], sizeof(struct filed));
    builder->filed[part][builder->filed_count[part]++] = entry;
}

static void file_under(struct index_builder *builder, const struct factor *anchor, uint32_t act)
{
    uint32_t *terms = builder->anchors.terms + anchor->first;
    size_t part = builder->anchors.page ? 2 : anchor->page ? 1 : 0;
    sort(terms, anchor->count);
    for (size_t i = 0; i < anchor->count; i++) {
        if (i && terms[i] == terms[i - 1])
            continue;
        for (size_t k = 0; k < builder->need_count; k += 2)
            file_entry(builder, part,
                       (struct filed){terms[i], builder->needs[k], builder->needs[k + 1], act});
    }
}

// What to do when the second bit is set.
static uint32_t act_of(struct index_builder *builder, const struct plan_watch *planned,
                       uint32_t watch, size_t words)
{
    struct program_writer *writer = &builder->writer;
    uint32_t program = program_write(writer, &builder->anchors, planned, watch);
    if (program_is_empty(writer, program)) {
        writer->count = program;
        return watch;
    }
    if (writer->needs_plan || words >= ONCE_LEAST) {
        writer->code[program] |= INDEX_ONCE;
        builder->has_once = true;
    }
    return program | INDEX_RUN;
}

bool index_add(struct index_builder *builder, const struct plan_watch *planned,
               const struct watch *watch, uint32_t number)
{
    anchors_of(&builder->anchors, planned, watch);
    const struct factor *anchor = anchors_best(&builder->anchors);
    if (anchor && !anchor->count) // a score that no sum of weights can reach
        return false;
    if (anchor) {
        prove(builder, anchor);
        choose_needs(builder, anchor);
        file_under(builder, anchor, act_of(builder, planned, number, anchor->count));
    } else {
        anchors_undivided(&builder->anchors, planned);
        builder->always = tc_room(builder->always, builder->always_count, &builder->always_room,
                                  sizeof *builder->always);
        builder->always[builder->always_count++] = act_of(builder, planned, number, 0);
    }
    return builder->writer.needs_plan;
}

// ---- laying out ----------------------------------------------------------------------------

struct layout {
    const uint32_t *map;
    uint32_t *old; // programs; of one that has moved the second number is MOVED, the first where to
    uint32_t *code;
    size_t count;
};

enum { MOVED = 0x7f };

static void renumber(uint32_t *terms, size_t count, const uint32_t *map, uint32_t kind)
{
    for (size_t i = 0; i < count; i++)
        terms[i] = map[terms[i]];
    if (kind == PROGRAM_ALL || kind == PROGRAM_ANY || kind == PROGRAM_NONE)
        sort(terms, count); // frequent ones are asked first, and lie together
}

// By its first clause.
static uint32_t kind_of(uint32_t header)
{
    switch ((enum program_kind)program_kind(header)) {
    case PROGRAM_ALL: return 0;
    case PROGRAM_ANY: return 1;
    case PROGRAM_NONE: return 2;
    case PROGRAM_PHRASE: return 3;
    case PROGRAM_NEAR:
    case PROGRAM_SLOPPY:
    case PROGRAM_ONEAR: return 4;
    case PROGRAM_LIST: return 5;
    case PROGRAM_NODE:
    case PROGRAM_WHERE:
    case PROGRAM_WATCH: return 6;
    default: return INDEX_KINDS - 1;
    }
}

// Copies a program behind the others, with the final numbers.
static uint32_t move(struct layout *layout, uint32_t act)
{
    if (!(act & INDEX_RUN))
        return act;
    uint32_t *from = layout->old + index_at(act);
    if (from[1] == MOVED)
        return from[0];
    uint32_t kind = kind_of(from[1]);
    size_t begun = layout->count, length = 1;
    uint32_t *to = layout->code + begun, terms;
    to[0] = from[0];
    while (from[length] != PROGRAM_END) {
        uint32_t header = to[length] = from[length];
        uint32_t operands = program_operands(header, &terms);
        memcpy(to + length + 1, from + length + 1, operands * sizeof *to);
        renumber(to + length + 1, terms, layout->map, program_kind(header));
        length += 1 + operands;
    }
    to[length] = PROGRAM_END;
    layout->count += length + 1;
    from[0] = (uint32_t)begun | kind << INDEX_AT_BITS | INDEX_RUN;
    from[1] = MOVED;
    return from[0];
}

static uint32_t need_of(const struct filed *filed, const uint32_t *map)
{
    if (filed->next != TERM_NONE)
        return view_pair(map[filed->need], map[filed->next]);
    return VIEW_PAIRS + (filed->need == TERM_NONE ? TERM_NONE : map[filed->need]);
}

static void sort_entries(const struct layout *layout, struct index_part *part,
                         const struct filed *filed, size_t terms)
{
    const uint32_t *map = layout->map;
    uint32_t *next = tc_new((terms + 1) * sizeof *next);
    part->starts = tc_new((terms + 1) * sizeof *part->starts);
    part->rows = tc_table(2 * part->entry_count, sizeof *part->rows);
    for (size_t i = 0; i < part->entry_count; i++)
        part->starts[map[filed[i].term] + 1]++;
    for (size_t term = 0; term < terms; term++)
        part->starts[term + 1] += part->starts[term];
    memcpy(next, part->starts, (terms + 1) * sizeof *next);
    for (size_t i = 0; i < part->entry_count; i++) {
        const struct filed *entry = &filed[i];
        uint32_t term = map[entry->term], begin = part->starts[term];
        uint32_t *needs = part->rows + (size_t)begin + next[term]++;
        needs[0] = need_of(entry, map);
        needs[part->starts[term + 1] - begin] = entry->act;
    }
    tc_free(next);
}

static void move_acts(struct layout *layout, struct index_part *part, size_t terms)
{
    for (uint32_t term = 0; term < terms; term++) {
        struct index_row row = index_row(part, term);
        uint32_t *acts = part->rows + (row.acts - part->rows);
        for (uint32_t i = 0; i < row.count; i++)
            acts[i] = move(layout, acts[i]);
    }
}

static void lay_out(struct index_builder *builder, struct index *index, const uint32_t *map)
{
    struct layout layout = {.map = map, .old = builder->writer.code};
    layout.code = tc_table(builder->writer.count + 1, sizeof *layout.code);
    struct index_part *parts[INDEX_PARTS] = {&index->segment, &index->page, &index->whole};
    for (int i = 0; i < INDEX_PARTS; i++) {
        parts[i]->entry_count = builder->filed_count[i];
        sort_entries(&layout, parts[i], builder->filed[i], index->term_count);
        tc_free(builder->filed[i]);
        move_acts(&layout, parts[i], index->term_count);
    }
    for (size_t i = 0; i < builder->always_count; i++)
        builder->always[i] = move(&layout, builder->always[i]);
    index->always = builder->always;
    index->always_count = builder->always_count;
    index->code = layout.code;
    index->code_count = layout.count;
}

static void lay_out_lists(struct index_builder *builder, struct index *index, const uint32_t *map)
{
    uint32_t *lists = builder->writer.lists;
    for (size_t at = 0; at < builder->writer.list_count; at += 1 + lists[at])
        renumber(lists + at + 1, lists[at], map, PROGRAM_ANY);
    index->lists = lists;
    index->list_count = builder->writer.list_count;
    builder->writer.lists = NULL;
}

struct index *index_end(struct index_builder *builder, const uint32_t *map, size_t terms)
{
    struct index *index = NULL;
    if (builder->writer.count <= INDEX_MOST) {
        index = tc_new(sizeof *index);
        index->term_count = terms;
        index->has_once = builder->has_once;
        lay_out(builder, index, map);
        lay_out_lists(builder, index, map);
    } else {
        for (int i = 0; i < INDEX_PARTS; i++)
            tc_free(builder->filed[i]);
        free(builder->always);
    }
    anchors_done(&builder->anchors);
    program_done(&builder->writer);
    tc_free(builder->needs);
    return index;
}

static void free_part(struct index_part *part)
{
    tc_free(part->starts);
    tc_free(part->rows);
}

void index_free(struct index *index)
{
    if (!index)
        return;
    free_part(&index->segment);
    free_part(&index->page);
    free_part(&index->whole);
    free(index->always);
    tc_free(index->code);
    tc_free(index->lists);
    free(index);
}

size_t index_bytes(const struct index *index)
{
    size_t entries =
        index->segment.entry_count + index->page.entry_count + index->whole.entry_count;
    return sizeof *index + INDEX_PARTS * (index->term_count + 1) * sizeof(uint32_t) +
           2 * entries * sizeof(uint32_t) +
           (index->always_count + index->code_count + index->list_count) * sizeof(uint32_t);
}
