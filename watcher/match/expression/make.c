// From the tree to steps and to the filter.
//
// Steps are laid out from the end: each part is given the step that follows it. a{2,4} becomes a a (a (a)?)?.
//
// The filter must match wherever the expression does, and may match elsewhere: then `exact` is false and what
// vectorscan finds is looked at again. It leaves out what vectorscan cannot say (edges of words in
// Unicode, anchors inside) and what makes its automata large: sets of many scripts become "anything
// beyond ASCII", a{3,400} becomes a+, and if that is not enough (FILTER_MOST) all but the letters
// becomes ".*". Measured: .{0,40} between two words took 18 ms to compile, five of .{1,500} 190 s.
#include "watcher/match/expression/parts.h"

#include "common/buf.h"

enum {
    FILTER_RANGES_MOST = 4,  // of a set, above ASCII
    FILTER_REPEAT_MOST = 24, // characters that a{n,m} is written out to
    FILTER_MOST = 400,       // characters of the whole filter
    BEYOND = 4,              // characters that one above ASCII counts as: its bytes
};

// ---- letters in a row ----------------------------------------------------------------------------

struct run {  // letters in a row that every match of a part has
    bool all; // and nothing else, `best` of them
    uint32_t begin, end, best;
};

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static struct run follow(struct run a, struct run b)
{
    return (struct run){.all = a.all && b.all,
                        .begin = a.all ? a.best + b.begin : a.begin,
                        .end = b.all ? b.best + a.end : b.end,
                        .best = larger(larger(a.best, b.best), a.end + b.begin)};
}

static struct run either(struct run a, struct run b)
{
    return (struct run){.all = a.all && b.all && a.best == b.best,
                        .begin = least(a.begin, b.begin),
                        .end = least(a.end, b.end),
                        .best = least(a.best, b.best)};
}

static struct run run_of(const struct part *part)
{
    static const struct run nothing = {.all = true}, sign = {.all = false};
    struct run run = nothing, kid;
    switch (part->op) {
    case PART_SET: return part->letter ? (struct run){true, 1, 1, 1} : sign;
    case PART_JOIN:
        for (size_t i = 0; i < part->count; i++)
            run = follow(run, run_of(part->kids[i]));
        return run;
    case PART_EITHER:
        run = run_of(part->kids[0]);
        for (size_t i = 1; i < part->count; i++)
            run = either(run, run_of(part->kids[i]));
        return run;
    case PART_REPEAT:
        if (!part->least)
            return part->most ? sign : nothing;
        kid = run_of(part->kids[0]);
        for (uint32_t i = 0; i < least(part->least, EXPRESSION_LETTERS); i++)
            run = follow(run, kid);
        run.all = run.all && part->least == part->most && part->least <= EXPRESSION_LETTERS;
        return run;
    default: return nothing;
    }
}

bool expression_has_letters(const struct part *root)
{
    return run_of(root).best >= EXPRESSION_LETTERS;
}

// ---- steps ---------------------------------------------------------------------------------------

struct maker {
    struct expression_step *steps;
    uint32_t count;
    struct tc_arena *arena;
};

static uint32_t add_step(struct maker *maker, enum expression_op op, uint32_t next, uint32_t other)
{
    maker->steps[maker->count] = (struct expression_step){.op = op, .next = next, .other = other};
    return maker->count++;
}

static const struct expression_set *keep_set(struct maker *maker, const struct expression_set *set)
{
    struct expression_set *kept = tc_arena_take(maker->arena, sizeof *kept);
    size_t bytes = 2 * (size_t)set->range_count * sizeof *set->ranges;
    *kept = *set;
    kept->ranges = NULL;
    if (bytes)
        kept->ranges = memcpy(tc_arena_take(maker->arena, bytes), set->ranges, bytes);
    return kept;
}

static uint32_t lay_out(struct maker *maker, const struct part *part, uint32_t next);

static uint32_t lay_out_repeat(struct maker *maker, const struct part *part, uint32_t next)
{
    const struct part *kid = part->kids[0];
    uint32_t entry = next, copies = part->least;
    if (part->most == PART_ENDLESS) {
        uint32_t split = add_step(maker, STEP_SPLIT, 0, next);
        uint32_t body = lay_out(maker, kid, split);
        maker->steps[split].next = body;
        entry = copies ? body : split;
        copies -= copies > 0;
    } else {
        for (uint32_t i = part->least; i < part->most; i++)
            entry = add_step(maker, STEP_SPLIT, lay_out(maker, kid, entry), next);
    }
    for (uint32_t i = 0; i < copies; i++)
        entry = lay_out(maker, kid, entry);
    return entry;
}

static uint32_t lay_out(struct maker *maker, const struct part *part, uint32_t next)
{
    uint32_t entry;
    switch (part->op) {
    case PART_SET:
        entry = add_step(maker, STEP_SET, next, 0);
        maker->steps[entry].set = keep_set(maker, part->set);
        return entry;
    case PART_JOIN:
        for (size_t i = part->count; i-- > 0;)
            next = lay_out(maker, part->kids[i], next);
        return next;
    case PART_EITHER:
        entry = lay_out(maker, part->kids[0], next);
        for (size_t i = 1; i < part->count; i++)
            entry = add_step(maker, STEP_SPLIT, entry, lay_out(maker, part->kids[i], next));
        return entry;
    case PART_REPEAT: return lay_out_repeat(maker, part, next);
    case PART_BEGIN: return add_step(maker, STEP_BEGIN, next, 0);
    case PART_END: return add_step(maker, STEP_END, next, 0);
    case PART_EDGE: return add_step(maker, STEP_EDGE, next, 0);
    case PART_INNER: return add_step(maker, STEP_INNER, next, 0);
    }
    return next;
}

// What a match can begin with: beyond ASCII it is anything or nothing.
static void find_first(struct expression *expression, struct tc_arena *arena)
{
    static const uint32_t beyond[] = {0x80, 0x10FFFF};
    uint32_t *stack = tc_arena_take(arena, 2 * expression->step_count * sizeof *stack), count = 0;
    bool *seen = tc_arena_take(arena, expression->step_count);
    stack[count++] = expression->begin;
    while (count) {
        uint32_t at = stack[--count];
        const struct expression_step *step = &expression->steps[at];
        if (seen[at])
            continue;
        seen[at] = true;
        if (step->op == STEP_SET) {
            expression->first.ascii[0] |= step->set->ascii[0];
            expression->first.ascii[1] |= step->set->ascii[1];
            if (step->set->range_count) {
                expression->first.ranges = beyond;
                expression->first.range_count = 1;
            }
            continue;
        }
        if (step->op == STEP_SPLIT)
            stack[count++] = step->other;
        if (step->op != STEP_MATCH)
            stack[count++] = step->next;
    }
}

// ---- the filter ----------------------------------------------------------------------------------

struct filter {
    struct tc_buf text;
    bool exact, loose;
    bool gap; // what was written last is .*
};

static bool is_any(const struct expression_set *set)
{
    return set->range_count == 2 && !~set->ascii[1] && set->ascii[0] == ~(UINT64_C(1) << '\n');
}

static void write_range(struct filter *filter, uint32_t first, uint32_t last)
{
    tc_buf_addf(&filter->text, "\\x{%x}", (unsigned)first);
    if (last > first)
        tc_buf_addf(&filter->text, "-\\x{%x}", (unsigned)last);
}

static void write_set(struct filter *filter, const struct expression_set *set)
{
    if (is_any(set)) {
        tc_buf_byte(&filter->text, '.');
        return;
    }
    tc_buf_byte(&filter->text, '[');
    for (uint32_t c = 0; c < 0x80; c++) {
        uint32_t first = c;
        while (c < 0x80 && expression_set_has_ascii(set, c))
            c++;
        if (c > first)
            write_range(filter, first, c - 1);
    }
    if (set->range_count > FILTER_RANGES_MOST) {
        tc_buf_puts(&filter->text, "\\x{80}-\\x{10ffff}");
        filter->exact = false;
    } else {
        for (uint32_t i = 0; i < set->range_count; i++)
            write_range(filter, set->ranges[2 * i], set->ranges[2 * i + 1]);
    }
    tc_buf_byte(&filter->text, ']');
}

// Characters that a part is written out to.
static uint64_t weigh(const struct part *part)
{
    uint64_t weight = 0;
    if (part->op == PART_SET)
        return part->set->range_count ? BEYOND : 1;
    for (size_t i = 0; i < part->count; i++)
        weight += weigh(part->kids[i]);
    bool written_out = part->op == PART_REPEAT && part->most != PART_ENDLESS &&
                       part->most * weight <= FILTER_REPEAT_MOST;
    return written_out ? part->most * weight : weight;
}

static void write_part(struct filter *filter, const struct part *part);

static void write_gap(struct filter *filter)
{
    if (!filter->gap)
        tc_buf_puts(&filter->text, ".*");
    filter->gap = true;
    filter->exact = false;
}

static void write_repeat(struct filter *filter, const struct part *part)
{
    const struct part *kid = part->kids[0];
    uint32_t few = part->least, most = part->most;
    if (!most)
        return;
    bool endless = most == PART_ENDLESS, simple = (endless && few < 2) || (most == 1 && few < 2);
    tc_buf_puts(&filter->text, "(?:");
    write_part(filter, kid);
    filter->gap = false;
    tc_buf_byte(&filter->text, ')');
    if (simple && endless) {
        tc_buf_byte(&filter->text, few ? '+' : '*');
    } else if (simple) {
        tc_buf_puts(&filter->text, few ? "" : "?");
    } else if ((endless ? few : most) * weigh(kid) <= FILTER_REPEAT_MOST) {
        tc_buf_addf(&filter->text, "{%u,", (unsigned)few);
        if (!endless)
            tc_buf_addf(&filter->text, "%u", (unsigned)most);
        tc_buf_byte(&filter->text, '}');
    } else {
        tc_buf_byte(&filter->text, few ? '+' : '*');
        filter->exact = false;
    }
}

static void write_either(struct filter *filter, const struct part *part)
{
    tc_buf_puts(&filter->text, "(?:");
    for (size_t i = 0; i < part->count; i++) {
        if (i)
            tc_buf_byte(&filter->text, '|');
        filter->gap = false;
        write_part(filter, part->kids[i]);
    }
    filter->gap = false;
    tc_buf_byte(&filter->text, ')');
}

static void write_part(struct filter *filter, const struct part *part)
{
    switch (part->op) {
    case PART_SET:
        if (filter->loose && !part->letter) {
            write_gap(filter);
            return;
        }
        write_set(filter, part->set);
        filter->gap = false;
        return;
    case PART_JOIN:
        for (size_t i = 0; i < part->count; i++)
            write_part(filter, part->kids[i]);
        return;
    case PART_EITHER: write_either(filter, part); return;
    case PART_REPEAT:
        if (filter->loose && run_of(part).best < EXPRESSION_LETTERS)
            write_gap(filter);
        else
            write_repeat(filter, part);
        return;
    default: filter->exact = false; return; // edges and anchors
    }
}

// ---- both ----------------------------------------------------------------------------------------

void expression_make(struct expression *expression, const struct part *root, struct tc_arena *arena)
{
    struct tc_arena *scratch = tc_arena_new();
    struct maker maker = {.arena = arena};
    maker.steps = tc_arena_take(scratch, ((size_t)root->steps + 2) * sizeof *maker.steps);
    uint32_t match = add_step(&maker, STEP_MATCH, 0, 0);
    expression->begin = lay_out(&maker, root, match);
    expression->step_count = maker.count;
    struct expression_step *steps = tc_arena_take(arena, maker.count * sizeof *steps);
    memcpy(steps, maker.steps, maker.count * sizeof *steps);
    expression->steps = steps;
    find_first(expression, scratch);

    struct filter filter = {.exact = true, .loose = weigh(root) > FILTER_MOST};
    write_part(&filter, root);
    expression->filter = tc_arena_str(arena, tc_buf_view(&filter.text)).ptr;
    expression->exact = filter.exact;
    tc_buf_done(&filter.text);
    tc_arena_free(scratch);
}
