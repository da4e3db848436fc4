#include "watcher/match/layers.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/mem.h"
#include "watcher/match/expressions.h"

enum {
    GONE = UINT32_MAX, // the number of a watch that runs no more
    TOP_LEAST = 4096,  // so many may always be on top; beyond them an eighth of all
    TOP_SHARE = 8,
};

struct watch_list {
    atomic_uint held;
    const struct watch **watches;
    size_t count;
    void (*owner_drop)(void *);
    void *owner;
};

struct layers {
    atomic_uint held;
    struct watch_list *list;
    struct matcher *base, *top; // top NULL: there is none
    uint32_t *numbers;          // of the watches of base; NULL: each is its own
    uint32_t *top_numbers;      // ascending
    const struct watch **top_watches;
    size_t top_count, gone;
    bool in_order; // numbers ascend
};

struct layers_scan {
    struct scan *base, *top;
    struct layers_hit *hits, *merged;
    size_t count, room, merged_room;
};

// ---- lists ---------------------------------------------------------------------------------

struct watch_list *watch_list_new(const struct watch **watches, size_t count,
                                  void (*owner_drop)(void *), void *owner)
{
    struct watch_list *list = tc_new(sizeof *list);
    atomic_init(&list->held, 1);
    list->watches = watches;
    list->count = count;
    list->owner_drop = owner_drop;
    list->owner = owner;
    return list;
}

struct watch_list *watch_list_hold(struct watch_list *list)
{
    atomic_fetch_add(&list->held, 1);
    return list;
}

void watch_list_drop(void *pointer)
{
    struct watch_list *list = pointer;
    if (!list || atomic_fetch_sub(&list->held, 1) != 1)
        return;
    if (list->owner_drop)
        list->owner_drop(list->owner);
    tc_free(list->watches);
    free(list);
}

size_t watch_list_count(const struct watch_list *list)
{
    return list->count;
}

int watch_list_compile(struct watch_list *list, const struct counts *counts,
                       const struct matcher *before, struct matcher **out, struct tc_err *err)
{
    int code = matcher_new_of(list->watches, list->count, counts, before, watch_list_drop,
                              watch_list_hold(list), out, err);
    if (code != TC_OK)
        watch_list_drop(list);
    return code;
}

// ---- laying one over the other -------------------------------------------------------------

// Finds the watches of a base. Most come in its order, so the next one is tried before a table is made.
struct finder {
    const struct matcher *base;
    size_t next;
    uint32_t *table, mask;
};

static uint32_t place_of(const struct watch *watch)
{
    return (uint32_t)(((uintptr_t)watch * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static void make_table(struct finder *finder)
{
    size_t count = matcher_count(finder->base);
    uint32_t size = 2;
    while (size < 2 * count)
        size *= 2;
    finder->mask = size - 1;
    finder->table = tc_new(size * sizeof *finder->table);
    for (size_t i = 0; i < count; i++) {
        uint32_t at = place_of(matcher_watch(finder->base, i)) & finder->mask;
        while (finder->table[at])
            at = (at + 1) & finder->mask;
        finder->table[at] = (uint32_t)i + 1;
    }
}

// The number of a watch in the base, GONE when it is not there.
static uint32_t find(struct finder *finder, const struct watch *watch)
{
    size_t count = matcher_count(finder->base);
    if (finder->next < count && matcher_watch(finder->base, finder->next) == watch)
        return (uint32_t)finder->next++;
    if (!finder->table)
        make_table(finder);
    for (uint32_t at = place_of(watch) & finder->mask; finder->table[at];
         at = (at + 1) & finder->mask) {
        uint32_t number = finder->table[at] - 1;
        if (matcher_watch(finder->base, number) == watch) {
            finder->next = number + 1;
            return number;
        }
    }
    return GONE;
}

// Numbers the watches of the base as they stand in the list, and gathers those that it does not have.
static void number_watches(struct layers *layers)
{
    struct finder finder = {.base = layers->base};
    size_t base_count = matcher_count(layers->base), room = 0, watch_room = 0;
    int64_t last = -1;
    layers->numbers = tc_grow(NULL, base_count + 1, sizeof *layers->numbers);
    memset(layers->numbers, 0xff, base_count * sizeof *layers->numbers);
    layers->in_order = true;
    layers->gone = base_count;
    for (size_t i = 0; i < layers->list->count; i++) {
        const struct watch *watch = layers->list->watches[i];
        uint32_t number = find(&finder, watch);
        if (number != GONE) {
            layers->numbers[number] = (uint32_t)i;
            layers->in_order = layers->in_order && (int64_t)number > last;
            last = number;
            layers->gone--;
            continue;
        }
        layers->top_numbers =
            tc_room(layers->top_numbers, layers->top_count, &room, sizeof *layers->top_numbers);
        layers->top_watches = tc_room(layers->top_watches, layers->top_count, &watch_room,
                                      sizeof(const struct watch *));
        layers->top_watches[layers->top_count] = watch;
        layers->top_numbers[layers->top_count++] = (uint32_t)i;
    }
    tc_free(finder.table);
}

static void forget_numbers(struct layers *layers)
{
    tc_free(layers->numbers);
    free(layers->top_numbers);
    free(layers->top_watches);
    layers->numbers = layers->top_numbers = NULL;
    layers->top_watches = NULL;
    layers->top_count = layers->gone = 0;
}

static void forget_layers(struct layers *layers)
{
    forget_numbers(layers);
    matcher_drop(layers->top);
    matcher_drop(layers->base);
    layers->top = layers->base = NULL;
}

static bool base_serves(const struct layers *layers)
{
    size_t most = layers->list->count / TOP_SHARE;
    return layers->top_count <= (most > TOP_LEAST ? most : TOP_LEAST);
}

// Compiles what the base does not have.
static int lay_top(struct layers *layers, const struct counts *counts, struct tc_err *err)
{
    if (layers->top_count)
        return matcher_new_of(layers->top_watches, layers->top_count, counts, layers->base, NULL,
                              NULL, &layers->top, err);
    if (!layers->gone && layers->in_order)
        forget_numbers(layers);
    return TC_OK;
}

// Whether both together may have more regular expressions than one set. Some of the base may be of watches
// that are gone: whether the limit is really passed shows when all is compiled as one.
static bool overfull(const struct layers *layers)
{
    return layers->top && matcher_expressions(layers->base, layers->top) > EXPRESSIONS_MOST;
}

static int lay(struct layers *layers, struct matcher *base, const struct counts *counts,
               struct tc_err *err)
{
    if (base) {
        layers->base = matcher_hold(base);
        number_watches(layers);
        if (base_serves(layers)) {
            int code = lay_top(layers, counts, err);
            if (code != TC_OK || !overfull(layers))
                return code;
        }
        forget_layers(layers);
    }
    return watch_list_compile(layers->list, counts, base, &layers->base, err);
}

int layers_new(struct matcher *base, struct watch_list *list, const struct counts *counts,
               struct layers **out, struct tc_err *err)
{
    struct layers *layers = tc_new(sizeof *layers);
    atomic_init(&layers->held, 1);
    layers->list = watch_list_hold(list);
    int code = lay(layers, base, counts, err);
    if (code == TC_OK)
        *out = layers;
    else
        layers_drop(layers);
    return code;
}

struct layers *layers_hold(struct layers *layers)
{
    atomic_fetch_add(&layers->held, 1);
    return layers;
}

void layers_drop(struct layers *layers)
{
    if (!layers || atomic_fetch_sub(&layers->held, 1) != 1)
        return;
    matcher_drop(layers->top);
    matcher_drop(layers->base);
    forget_numbers(layers);
    watch_list_drop(layers->list);
    free(layers);
}

bool layers_alone(const struct layers *layers)
{
    return atomic_load(&layers->held) == 1;
}

struct matcher *layers_base(const struct layers *layers)
{
    return layers->base;
}

struct watch_list *layers_list(const struct layers *layers)
{
    return layers->list;
}

size_t layers_count(const struct layers *layers)
{
    return layers->list->count;
}

size_t layers_top(const struct layers *layers)
{
    return layers->top_count;
}

size_t layers_gone(const struct layers *layers)
{
    return layers->gone;
}

const struct watch *layers_watch(const struct layers *layers, size_t number)
{
    return layers->list->watches[number];
}

// ---- scanning ------------------------------------------------------------------------------

struct layers_scan *layers_scan_new(void)
{
    struct layers_scan *scan = tc_new(sizeof *scan);
    scan->base = scan_new();
    scan->top = scan_new();
    return scan;
}

void layers_scan_free(struct layers_scan *scan)
{
    if (!scan)
        return;
    scan_free(scan->base);
    scan_free(scan->top);
    free(scan->hits);
    free(scan->merged);
    free(scan);
}

static bool comes_before(const struct layers_hit *a, const struct layers_hit *b)
{
    return a->segment != b->segment ? a->segment < b->segment : a->watch < b->watch;
}

static int by_place(const void *a, const void *b)
{
    return comes_before(b, a) - comes_before(a, b);
}

static struct layers_hit *make_room(struct layers_hit *hits, size_t count, size_t *room)
{
    if (count <= *room)
        return hits;
    *room = 2 * count;
    return tc_grow(hits, *room, sizeof *hits);
}

// Adds the hits of one layer, but for watches that are gone.
static void add_hits(struct layers_scan *scan, const struct scan_hit *found, size_t count,
                     const uint32_t *numbers, bool on_top)
{
    scan->hits = make_room(scan->hits, scan->count + count, &scan->room);
    for (size_t i = 0; i < count; i++) {
        uint32_t number = numbers ? numbers[found[i].watch] : found[i].watch;
        struct layers_hit *hit = &scan->hits[scan->count];
        *hit = (struct layers_hit){found[i].segment, number, found[i], on_top};
        scan->count += number != GONE;
    }
}

// Merges hits[0..middle] with those behind, both in order.
static void merge(struct layers_scan *scan, size_t middle)
{
    size_t left = 0, right = middle, count = 0;
    scan->merged = make_room(scan->merged, scan->count, &scan->merged_room);
    while (left < middle || right < scan->count) {
        bool take_right = left == middle || (right < scan->count &&
                                             comes_before(&scan->hits[right], &scan->hits[left]));
        scan->merged[count++] = scan->hits[take_right ? right++ : left++];
    }
    struct layers_hit *hits = scan->merged;
    size_t room = scan->merged_room;
    scan->merged = scan->hits;
    scan->merged_room = scan->room;
    scan->hits = hits;
    scan->room = room;
}

typedef size_t run(struct scan *scan, const struct matcher *matcher, const struct text *text,
                   const struct scan_hit **out);

static size_t run_both(run *run_one, struct layers_scan *scan, const struct layers *layers,
                       const struct text *text, const struct layers_hit **out)
{
    const struct scan_hit *found = NULL;
    scan->count = 0;
    size_t count = run_one(scan->base, layers->base, text, &found);
    add_hits(scan, found, count, layers->numbers, false);
    if (layers->numbers && !layers->in_order && scan->count)
        qsort(scan->hits, scan->count, sizeof *scan->hits, by_place);
    if (layers->top) {
        size_t middle = scan->count;
        count = run_one(scan->top, layers->top, text, &found);
        add_hits(scan, found, count, layers->top_numbers, true);
        if (middle && scan->count > middle)
            merge(scan, middle);
    }
    *out = scan->hits;
    return scan->count;
}

size_t layers_run(struct layers_scan *scan, const struct layers *layers, const struct text *text,
                  const struct layers_hit **out)
{
    return run_both(scan_run, scan, layers, text, out);
}

size_t layers_run_all(struct layers_scan *scan, const struct layers *layers,
                      const struct text *text, const struct layers_hit **out)
{
    return run_both(scan_run_all, scan, layers, text, out);
}

void layers_hit_fill(struct layers_scan *scan, const struct layers *layers, const struct text *text,
                     const struct layers_hit *found, struct tc_hit *out)
{
    scan_hit_fill(found->on_top ? scan->top : scan->base,
                  found->on_top ? layers->top : layers->base, text, &found->found, out);
}
