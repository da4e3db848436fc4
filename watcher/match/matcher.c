#include "watcher/match/matcher.h"

#include "common/mem.h"
#include "watcher/match/matcher_body.h"

#include <stdlib.h>

int matcher_new(const struct watch *watches, size_t count, void (*owner_drop)(void *), void *owner,
                struct matcher **out, struct tc_err *err)
{
    struct tc_id id = tc_id_random();
    struct plan *plan = NULL;
    uint64_t key;
    memcpy(&key, id.bytes, sizeof key);
    int code = plan_new(watches, count, key, &plan, err);
    if (code != TC_OK)
        return code;
    struct matcher *matcher = tc_new(sizeof *matcher);
    *matcher = (struct matcher){
        .watches = watches,
        .count = count,
        .plan = plan,
        .index = index_new(plan, watches),
        .id = id,
        .owner_drop = owner_drop,
        .owner = owner,
    };
    atomic_init(&matcher->held, 1);
    *out = matcher;
    return TC_OK;
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
    plan_free(matcher->plan);
    index_free(matcher->index);
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
    return &matcher->watches[index];
}

size_t matcher_bytes(const struct matcher *matcher)
{
    return sizeof *matcher + plan_bytes(matcher->plan) + index_bytes(matcher->index);
}
