#include "broker/store_age.h"

#include "broker/store_parts.h"

// --- the clock ---

int store_put_age(struct store *store, const struct age *age, struct tc_err *err)
{
    int code = store_put_mark(store, "clock", (uint64_t)age->clock_ns, err);
    if (code == TC_OK)
        code = store_put_mark(store, "wall", (uint64_t)age->last.wall_ns, err);
    if (code == TC_OK)
        code = store_put_mark(store, "boot_ns", (uint64_t)age->last.boot_ns, err);
    return code == TC_OK ? store_put_id(store, "boot", age->last.boot, err) : code;
}

int store_age(struct store *store, struct age *out, struct tc_err *err)
{
    static const char sql[] = "SELECT clock.value, wall.value, boot_ns.value, boot.value "
                              "FROM meta clock, meta wall, meta boot_ns, meta boot "
                              "WHERE clock.key = 'clock' AND wall.key = 'wall' "
                              "AND boot_ns.key = 'boot_ns' AND boot.key = 'boot'";
    sqlite3_stmt *row = NULL;
    int code = TC_OK, step = sqlite3_prepare_v2(store->db, sql, -1, &row, NULL);
    if (step == SQLITE_OK)
        step = sqlite3_step(row);
    if (step == SQLITE_ROW) {
        *out = (struct age){
            .clock_ns = sqlite3_column_int64(row, 0),
            .last = {.wall_ns = sqlite3_column_int64(row, 1),
                     .boot_ns = sqlite3_column_int64(row, 2)},
        };
        column_id(row, 3, &out->last.boot); // none: another boot
    } else if (step == SQLITE_DONE) {
        code = TC_ENOENT;
    } else {
        code = store_refused(store, "reading its clock", err);
    }
    sqlite3_finalize(row);
    return code;
}

// --- hours ---

int store_put_hour(struct store *store, int64_t hour, struct tc_err *err)
{
    sqlite3_stmt *statement = store->statements[PUT_HOUR];
    sqlite3_bind_int64(statement, 1, hour);
    bind_u64(statement, 2, store->marks.head);
    bind_u64(statement, 3, store->marks.hhead);
    return store_write_row(store, PUT_HOUR, "noting the hour", err);
}

int store_hour_before(struct store *store, int64_t hour, struct store_hour *out, struct tc_err *err)
{
    sqlite3_stmt *row = store->statements[HOUR_BEFORE];
    int code = TC_OK;
    *out = (struct store_hour){0};
    sqlite3_bind_int64(row, 1, hour);
    int step = sqlite3_step(row);
    if (step == SQLITE_ROW) {
        out->hour = sqlite3_column_int64(row, 0);
        out->head = (uint64_t)sqlite3_column_int64(row, 1);
        out->hhead = (uint64_t)sqlite3_column_int64(row, 2);
    } else if (step != SQLITE_DONE) {
        code = store_refused(store, "looking for an hour", err);
    }
    sqlite3_reset(row);
    return code;
}

int store_forget_hours_after(struct store *store, int64_t hour, struct tc_err *err)
{
    sqlite3_bind_int64(store->statements[FORGET_HOURS], 1, hour);
    return store_write_row(store, FORGET_HOURS, "forgetting hours", err);
}

// --- removal ---

// Runs a removal whose parameters are bound; counts its rows.
static int drop(struct store *store, enum statement which, uint64_t *count, struct tc_err *err)
{
    int code = store_write_row(store, which, "removing what is old", err);
    *count = code == TC_OK ? (uint64_t)sqlite3_changes(store->db) : 0;
    return code;
}

// The number of the last row of the next chunk, or `first` - 1 when nothing is to go.
static uint64_t chunk_end(uint64_t first, uint64_t head, uint64_t up_to, uint64_t most)
{
    uint64_t end = first - 1 + most;
    end = end < up_to ? end : up_to;
    end = end < head ? end : head;
    return end < first ? first - 1 : end;
}

int store_drop_alerts(struct store *store, uint64_t up_to, uint64_t most, uint64_t *count,
                      struct tc_err *err)
{
    struct store_marks *marks = &store->marks;
    uint64_t end = chunk_end(marks->first, marks->head, up_to, most);
    *count = 0;
    if (end < marks->first)
        return TC_OK;
    bind_u64(store->statements[DROP_ALERTS], 1, marks->first);
    bind_u64(store->statements[DROP_ALERTS], 2, end);
    int code = drop(store, DROP_ALERTS, count, err);
    if (code == TC_OK) {
        *count = end - marks->first + 1; // also when one was missing
        marks->first = end + 1;
    }
    return code;
}

int store_drop_hits(struct store *store, uint64_t up_to, uint64_t most, uint64_t *count,
                    struct tc_err *err)
{
    struct store_marks *marks = &store->marks;
    uint64_t end = chunk_end(marks->hfirst, marks->hhead, up_to, most);
    *count = 0;
    if (end < marks->hfirst)
        return TC_OK;
    bind_u64(store->statements[KEEP_IDS], 1, marks->hfirst);
    bind_u64(store->statements[KEEP_IDS], 2, end);
    int code = store_write_row(store, KEEP_IDS, "keeping ids", err);
    if (code != TC_OK)
        return code;
    bind_u64(store->statements[DROP_HITS], 1, marks->hfirst);
    bind_u64(store->statements[DROP_HITS], 2, end);
    code = drop(store, DROP_HITS, count, err);
    if (code == TC_OK) {
        *count = end - marks->hfirst + 1;
        marks->hfirst = end + 1;
        store->seen = true;
    }
    return code;
}

int store_drop_articles(struct store *store, uint64_t most, uint64_t *count, struct tc_err *err)
{
    bind_u64(store->statements[DROP_ARTICLES], 1, store->marks.hfirst);
    bind_u64(store->statements[DROP_ARTICLES], 2, most);
    return drop(store, DROP_ARTICLES, count, err);
}

int store_drop_ids(struct store *store, uint64_t up_to, uint64_t most, uint64_t *count,
                   struct tc_err *err)
{
    bind_u64(store->statements[DROP_IDS], 1, up_to);
    bind_u64(store->statements[DROP_IDS], 2, most);
    return drop(store, DROP_IDS, count, err);
}

int store_drop_hours(struct store *store, int64_t before, uint64_t most, uint64_t *count,
                     struct tc_err *err)
{
    sqlite3_bind_int64(store->statements[DROP_HOURS], 1, before);
    bind_u64(store->statements[DROP_HOURS], 2, most);
    return drop(store, DROP_HOURS, count, err);
}
