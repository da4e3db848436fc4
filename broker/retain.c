#include "broker/retain.h"

#include "broker/store_age.h"
#include "common/clock.h"
#include "common/mem.h"

#include <stdlib.h>

#define HOUR_NS (INT64_C(3600) * TC_SECOND)
#define DAY_NS (24 * HOUR_NS)

// Up to which numbers things are to be removed.
struct bounds {
    uint64_t alerts, hits, ids;
    int64_t hours; // rows of the table below this one
};

struct retain {
    struct store *store; // borrowed
    struct retain_settings settings;
    struct age age;
    struct bounds bounds;
    int64_t noted_hour;   // 0: none yet
    int64_t next_boot_ns; // of the next tick
    bool working;         // something is left to remove
    bool broken;          // a damaged page was met
};

static int64_t off_most_ns(const struct retain *retain)
{
    int64_t keep_ns =
        retain->settings.keep_ns ? retain->settings.keep_ns : RETAIN_IDS_DAYS * DAY_NS;
    int64_t part_ns = keep_ns / RETAIN_DOUBT_PART;
    return part_ns > HOUR_NS ? part_ns : HOUR_NS;
}

int64_t retain_ahead_ns(const struct retain *retain)
{
    return age_ahead_ns(&retain->age);
}

bool retain_doubts(const struct retain *retain)
{
    int64_t ahead_ns = retain_ahead_ns(retain), most_ns = off_most_ns(retain);
    return ahead_ns > most_ns || ahead_ns < -most_ns;
}

static int64_t hour_of(int64_t clock_ns)
{
    return clock_ns / HOUR_NS;
}

// --- the hour ---

// The numbers that are older than `age_ns`: those that were there when the last hour before that began
// and, since the note was made some time within that hour, one hour more.
static int older_than(const struct retain *retain, int64_t age_ns, struct store_hour *out,
                      struct tc_err *err)
{
    int64_t hour = hour_of(retain->age.clock_ns - age_ns) - 1;
    return store_hour_before(retain->store, hour, out, err);
}

static int look(struct retain *retain, uint64_t lowest_cursor, struct tc_err *err)
{
    const struct retain_settings *settings = &retain->settings;
    struct store_hour old, older, oldest;
    if (!settings->keep_ns)
        return TC_OK;
    int code = older_than(retain, settings->keep_ns, &old, err);
    if (code == TC_OK)
        code = older_than(retain, settings->keep_ns + settings->protect_ns, &older, err);
    if (code == TC_OK)
        code = older_than(retain, settings->keep_ns + RETAIN_IDS_DAYS * DAY_NS, &oldest, err);
    if (code != TC_OK)
        return code;
    bool waits = lowest_cursor < old.head;
    retain->bounds = (struct bounds){
        .alerts = !waits                       ? old.head
                  : lowest_cursor > older.head ? lowest_cursor
                                               : older.head,
        .hits = waits ? older.hhead : old.hhead,
        .ids = oldest.hhead,
        .hours = oldest.hour,
    };
    retain->working = true;
    return TC_OK;
}

static int note_hour(struct retain *retain, struct tc_err *err)
{
    int64_t hour = hour_of(retain->age.clock_ns);
    int code = store_begin(retain->store, err);
    if (code == TC_OK)
        code = store_put_hour(retain->store, hour, err);
    if (code == TC_OK)
        code = store_put_age(retain->store, &retain->age, err);
    if (code == TC_OK)
        code = store_commit(retain->store, err);
    if (code == TC_OK)
        retain->noted_hour = hour;
    else
        store_rollback(retain->store);
    return code;
}

// --- removing ---

// Removes a chunk of what is to go; *count is 0 when nothing is left.
static int remove_chunk(struct retain *retain, uint64_t *count, struct tc_err *err)
{
    const struct bounds *bounds = &retain->bounds;
    int code = store_drop_alerts(retain->store, bounds->alerts, RETAIN_CHUNK, count, err);
    if (code == TC_OK && !*count)
        code = store_drop_hits(retain->store, bounds->hits, RETAIN_CHUNK, count, err);
    if (code == TC_OK && !*count)
        code = store_drop_articles(retain->store, RETAIN_CHUNK, count, err);
    if (code == TC_OK && !*count)
        code = store_drop_ids(retain->store, bounds->ids, RETAIN_CHUNK, count, err);
    if (code == TC_OK && !*count)
        code = store_drop_hours(retain->store, bounds->hours, RETAIN_CHUNK, count, err);
    return code;
}

static int remove_slice(struct retain *retain, struct tc_err *err)
{
    int64_t end_mono_ns = tc_mono_ns() + RETAIN_SLICE_MS * TC_MS;
    uint64_t count = 1;
    int code = store_begin(retain->store, err);
    while (code == TC_OK && count && tc_mono_ns() < end_mono_ns)
        code = remove_chunk(retain, &count, err);
    if (code == TC_OK)
        code = store_commit(retain->store, err);
    if (code != TC_OK)
        store_rollback(retain->store);
    if (code != TC_OK || !count)
        retain->working = false;
    return code;
}

int retain_turn(struct retain *retain, const struct age_reading *now, uint64_t lowest_cursor,
                struct tc_err *err)
{
    int code = TC_OK;
    if (retain->broken)
        return TC_OK;
    if (now->boot_ns >= retain->next_boot_ns) {
        age_go(&retain->age, now, off_most_ns(retain));
        retain->next_boot_ns = now->boot_ns + RETAIN_TICK_MS * TC_MS;
        if (hour_of(retain->age.clock_ns) != retain->noted_hour)
            code = note_hour(retain, err);
        if (code == TC_OK)
            code = look(retain, lowest_cursor, err);
    } else if (retain->working) {
        code = remove_slice(retain, err);
    }
    retain->broken = code == TC_ECORRUPT;
    return code;
}

int64_t retain_wait_ns(const struct retain *retain, const struct age_reading *now)
{
    if (retain->working)
        return 0;
    return retain->broken ? INT64_MAX : retain->next_boot_ns - now->boot_ns;
}

// --- opening ---

int retain_open(struct store *store, const struct retain_settings *settings,
                const struct age_reading *now, struct retain **out, struct tc_err *err)
{
    struct retain *retain = tc_new(sizeof *retain);
    retain->store = store;
    retain->settings = *settings;
    int code = store_age(store, &retain->age, err);
    if (code == TC_ENOENT || (code == TC_OK && settings->trust_clock)) {
        age_begin(&retain->age, now);
        code = store_begin(store, err);
        if (code == TC_OK)
            code = store_forget_hours_after(store, hour_of(now->wall_ns), err);
        if (code == TC_OK)
            code = store_commit(store, err);
        if (code != TC_OK)
            store_rollback(store);
    } else if (code == TC_OK) {
        age_go(&retain->age, now, off_most_ns(retain));
    }
    if (code != TC_OK) {
        retain_close(retain);
        return code;
    }
    *out = retain;
    return TC_OK;
}

void retain_close(struct retain *retain)
{
    free(retain);
}
