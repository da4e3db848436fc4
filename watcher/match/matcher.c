#include "watcher/match/matcher.h"

#include "common/mem.h"
#include "watcher/match/matcher_body.h"

#include <stdlib.h>

// Watches are laid out and filed one after the other. Most need no more than their program then, and
// their nodes make room for the next one's.

static void keep_plan(struct matcher *matcher, uint32_t number, const struct plan_watch *planned)
{
    matcher->kept =
        tc_room(matcher->kept, matcher->kept_count, &matcher->kept_room, sizeof *matcher->kept);
    matcher->kept[matcher->kept_count++] = (struct kept_watch){number, *planned};
}

static int add_watches(struct matcher *matcher, struct index_builder *builder, struct tc_err *err)
{
    for (uint32_t i = 0; i < matcher->count; i++) {
        const struct watch *watch = matcher->watches[i];
        struct plan_mark mark = plan_mark(&matcher->plan);
        struct plan_watch planned;
        if (!plan_watch(&matcher->plan, watch, &planned))
            return tc_fail(err, TC_EINVAL, "watch %.*s: lists are nested deeper than %d",
                           TC_ARG(watch->name), (int)PLAN_DEPTH);
        bool needed = index_add(builder, &planned, watch, i);
        if (needed || !plan_reset(&matcher->plan, &mark))
            keep_plan(matcher, i, &planned);
    }
    return TC_OK;
}

static int compile(struct matcher *matcher, const struct matcher *before, struct tc_err *err)
{
    struct index_builder builder;
    index_begin(&builder, &matcher->plan);
    int code = add_watches(matcher, &builder, err);
    uint32_t *map = terms_seal(&matcher->terms);
    matcher->index = index_end(&builder, map, matcher->terms.count);
    plan_seal(&matcher->plan, map);
    if (code == TC_OK && !matcher->index)
        code = tc_fail(err, TC_EFULL, "the watches are too large together");
    if (code == TC_OK)
        code = expressions_seal(&matcher->terms.expressions, map,
                                before ? &before->terms.expressions : NULL, err);
    tc_free(map);
    return code;
}

int matcher_new_of(const struct watch *const *watches, size_t count, const struct counts *counts,
                   const struct matcher *before, void (*owner_drop)(void *), void *owner,
                   struct matcher **out, struct tc_err *err)
{
    struct matcher *matcher = tc_new(sizeof *matcher);
    uint64_t seed;
    if (count > INDEX_MOST) {
        free(matcher);
        return tc_fail(err, TC_EFULL, "more than %d watches", INDEX_MOST);
    }
    matcher->watches = watches;
    matcher->count = count;
    matcher->id = tc_id_random();
    memcpy(&seed, matcher->id.bytes, sizeof seed);
    atomic_init(&matcher->held, 1);
    terms_init(&matcher->terms, seed, counts);
    plan_init(&matcher->plan, &matcher->terms);
    int code = compile(matcher, before, err);
    if (code != TC_OK) {
        matcher_drop(matcher);
        return code;
    }
    matcher->owner_drop = owner_drop;
    matcher->owner = owner;
    *out = matcher;
    return TC_OK;
}

// As matcher_new_of, with watches side by side.
static int make(const struct watch *watches, size_t count, const struct counts *counts,
                const struct matcher *before, void (*owner_drop)(void *), void *owner,
                struct matcher **out, struct tc_err *err)
{
    const struct watch **list = tc_new((count + 1) * sizeof(const struct watch *));
    for (size_t i = 0; i < count; i++)
        list[i] = &watches[i];
    int code = matcher_new_of(list, count, counts, before, owner_drop, owner, out, err);
    if (code == TC_OK)
        (*out)->own = list;
    else
        free(list);
    return code;
}

int matcher_new(const struct watch *watches, size_t count, void (*owner_drop)(void *), void *owner,
                struct matcher **out, struct tc_err *err)
{
    return make(watches, count, NULL, NULL, owner_drop, owner, out, err);
}

int matcher_new_counted(const struct watch *watches, size_t count, const struct counts *counts,
                        void (*owner_drop)(void *), void *owner, struct matcher **out,
                        struct tc_err *err)
{
    return make(watches, count, counts, NULL, owner_drop, owner, out, err);
}

int matcher_new_after(const struct watch *watches, size_t count, const struct matcher *before,
                      void (*owner_drop)(void *), void *owner, struct matcher **out,
                      struct tc_err *err)
{
    return make(watches, count, NULL, before, owner_drop, owner, out, err);
}

struct matcher *matcher_hold(struct matcher *matcher)
{
    atomic_fetch_add(&matcher->held, 1);
    return matcher;
}

void matcher_drop(struct matcher *matcher)
{
    if (!matcher || atomic_fetch_sub(&matcher->held, 1) != 1)
        return;
    plan_done(&matcher->plan);
    terms_done(&matcher->terms);
    index_free(matcher->index);
    tc_free(matcher->kept);
    free(matcher->own);
    if (matcher->owner_drop)
        matcher->owner_drop(matcher->owner);
    free(matcher);
}

size_t matcher_count(const struct matcher *matcher)
{
    return matcher->count;
}

const struct watch *matcher_watch(const struct matcher *matcher, size_t index)
{
    return matcher->watches[index];
}

const struct plan_watch *matcher_kept(const struct matcher *matcher, uint32_t watch)
{
    size_t low = 0, high = matcher->kept_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (matcher->kept[middle].number < watch)
            low = middle + 1;
        else
            high = middle;
    }
    return low < matcher->kept_count && matcher->kept[low].number == watch
               ? &matcher->kept[low].planned
               : NULL;
}

size_t matcher_expressions(const struct matcher *matcher, const struct matcher *other)
{
    return expressions_together(&matcher->terms.expressions, &other->terms.expressions);
}

size_t matcher_bytes(const struct matcher *matcher)
{
    return sizeof *matcher + terms_bytes(&matcher->terms) + plan_bytes(&matcher->plan) +
           matcher->kept_room * sizeof *matcher->kept + index_bytes(matcher->index);
}
