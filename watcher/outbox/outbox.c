#include "watcher/outbox/outbox_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/mem.h"

enum {
    TRIM_ROWS = 500, // of each table, in one outbox_trim: it never holds the thread long
    DEFINITION_SPAN = 10 * 1000, // items
};

// ---- statements ---------------------------------------------------------------------------

static void bind_text(sqlite3_stmt *statement, int at, tc_str value)
{
    sqlite3_bind_text64(statement, at, value.len ? value.ptr : "", value.len, SQLITE_STATIC,
                        SQLITE_UTF8);
}

static void bind_blob(sqlite3_stmt *statement, int at, tc_str value)
{
    sqlite3_bind_blob64(statement, at, value.len ? value.ptr : "", value.len, SQLITE_STATIC);
}

static void bind_id(sqlite3_stmt *statement, int at, const struct tc_id *id)
{
    sqlite3_bind_blob(statement, at, id->bytes, TC_ID_BYTES, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *statement, int at, uint64_t value)
{
    sqlite3_bind_int64(statement, at, (sqlite3_int64)value);
}

// The next row: *any tells whether there is one. The caller resets the statement.
static int next(struct outbox *outbox, enum statement which, bool *any, struct tc_err *err)
{
    int result = sqlite3_step(outbox->statements[which]);
    *any = result == SQLITE_ROW;
    return result == SQLITE_ROW || result == SQLITE_DONE
               ? TC_OK
               : outbox_failed(outbox, outbox_sql(which), err);
}

static tc_str copy_blob(struct outbox *outbox, sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    return tc_arena_str(outbox->view,
                        (tc_str){bytes, (size_t)sqlite3_column_bytes(statement, column)});
}

// ---- articles -----------------------------------------------------------------------------

int outbox_look(struct outbox *outbox, tc_str source, tc_str id, struct tc_id content,
                struct outbox_mark *out, struct tc_err *err)
{
    sqlite3_stmt *same = outbox->statements[LOOK_SAME], *of_id = outbox->statements[LOOK_ANY];
    bool is_same = false, any = false;
    bind_text(same, 1, source);
    bind_text(same, 2, id);
    bind_id(same, 3, &content);
    bind_text(of_id, 1, source);
    bind_text(of_id, 2, id);
    int code = next(outbox, LOOK_SAME, &is_same, err);
    if (code == TC_OK)
        code = next(outbox, LOOK_ANY, &any, err);
    if (code == TC_OK) {
        bool there = sqlite3_column_type(of_id, 0) != SQLITE_NULL;
        *out = (struct outbox_mark){
            .known = is_same ? OUTBOX_SAME
                     : there ? OUTBOX_CHANGED
                             : OUTBOX_NEW,
            .version = column_number(is_same ? same : of_id, 0),
            .seen_wall_ns = sqlite3_column_int64(of_id, 1),
            .hit = sqlite3_column_int(of_id, 2) != 0,
        };
    }
    sqlite3_reset(same);
    sqlite3_reset(of_id);
    return code;
}

int outbox_begin(struct outbox *outbox, struct tc_err *err)
{
    outbox->before = outbox->now;
    return outbox_run(outbox, "BEGIN IMMEDIATE", err);
}

// What is written to a file that has lost its name is gone after the next start, and SQLite goes on
// without a word.
static int check_in_place(const struct outbox *outbox, struct tc_err *err)
{
    int moved = 0;
    sqlite3_file_control(outbox->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (moved || access(outbox->wal_path, F_OK) != 0)
        return tc_fail(
            err, TC_EIO,
            "%s or its -wal file was moved or removed while the watcher was at work. Put both "
            "back, or start again with what is there",
            outbox->path);
    return TC_OK;
}

int outbox_commit(struct outbox *outbox, struct tc_err *err)
{
    tc_fault("outbox.commit");
    int code = check_in_place(outbox, err);
    if (code == TC_OK)
        code = outbox_run(outbox, "COMMIT", err);
    if (code == TC_OK)
        tc_fault("outbox.committed");
    return code;
}

void outbox_rollback(struct outbox *outbox)
{
    if (!sqlite3_get_autocommit(outbox->db)) // a full disk may have rolled back already
        sqlite3_exec(outbox->db, "ROLLBACK", NULL, NULL, NULL);
    outbox->now = outbox->before;
    memset(outbox->known, 0, sizeof outbox->known);
}

int outbox_add_item(struct outbox *outbox, tc_str header, tc_str hits, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[ADD_ITEM];
    sqlite3_bind_int64(statement, 1, outbox->clock_ns);
    bind_blob(statement, 2, header);
    bind_blob(statement, 3, hits);
    int code = outbox_finish(outbox, ADD_ITEM, err);
    if (code != TC_OK)
        return code;
    outbox->now.counts.waiting++;
    outbox->last_n = (uint64_t)sqlite3_last_insert_rowid(outbox->db);
    return TC_OK;
}

int outbox_add(struct outbox *outbox, const struct outbox_article *article, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[ADD_MARK];
    bind_text(statement, 1, article->source);
    bind_text(statement, 2, article->id);
    bind_number(statement, 3, article->version);
    bind_id(statement, 4, &article->content);
    sqlite3_bind_int64(statement, 5, article->seen_wall_ns);
    sqlite3_bind_int64(statement, 6, outbox->clock_ns);
    bind_number(statement, 7, article->hit);
    int code = outbox_finish(outbox, ADD_MARK, err);
    if (code != TC_OK)
        return code;
    outbox->now.counts.marks++;
    return article->hits.len ? outbox_add_item(outbox, article->header, article->hits, err) : TC_OK;
}

int outbox_define(struct outbox *outbox, struct tc_id hash, tc_str definition, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[ADD_DEFINITION];
    uint32_t place = 0;
    memcpy(&place, hash.bytes, sizeof place);
    struct known *known = &outbox->known[place % KNOWN_DEFINITIONS];
    if (tc_id_eq(known->hash, hash) && outbox->last_n <= known->until)
        return TC_OK;
    uint64_t until = outbox->last_n + DEFINITION_SPAN;
    bind_id(statement, 1, &hash);
    bind_blob(statement, 2, definition);
    bind_number(statement, 3, until);
    int code = outbox_finish(outbox, ADD_DEFINITION, err);
    if (code == TC_OK)
        *known = (struct known){hash, until};
    return code;
}

// ---- sending ------------------------------------------------------------------------------

int outbox_waiting(struct outbox *outbox, uint64_t after, size_t most, size_t bytes,
                   const struct outbox_item **items, size_t *count, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[GET_WAITING];
    size_t taken = 0, used = 0;
    if (most > OUTBOX_BATCH_MOST)
        most = OUTBOX_BATCH_MOST;
    tc_arena_empty(outbox->view);
    struct outbox_item *list = tc_arena_take(outbox->view, (most + 1) * sizeof *list);
    uint64_t recovered = outbox->now.recovered;
    bind_number(statement, 1, after > outbox->now.upto ? after : outbox->now.upto);
    bind_number(statement, 2, most);
    bool any = true;
    int code = next(outbox, GET_WAITING, &any, err);
    while (code == TC_OK && any) {
        uint64_t n = column_number(statement, 0);
        used +=
            (size_t)sqlite3_column_bytes(statement, 1) + (size_t)sqlite3_column_bytes(statement, 2);
        if (taken && (used > bytes || (n <= recovered) != list[0].recovered))
            break;
        list[taken++] = (struct outbox_item){n, copy_blob(outbox, statement, 1),
                                             copy_blob(outbox, statement, 2), n <= recovered};
        code = next(outbox, GET_WAITING, &any, err);
    }
    sqlite3_reset(statement);
    if (code != TC_OK)
        return code;
    *items = list;
    *count = taken;
    return TC_OK;
}

int outbox_definition(struct outbox *outbox, struct tc_id hash, tc_str *body, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[GET_DEFINITION];
    bool any = false;
    bind_id(statement, 1, &hash);
    int code = next(outbox, GET_DEFINITION, &any, err);
    if (code == TC_OK && any) {
        tc_arena_empty(outbox->view);
        *body = copy_blob(outbox, statement, 0);
    } else if (code == TC_OK) {
        code = tc_fail(err, TC_ENOENT, "the outbox holds no such definition");
    }
    sqlite3_reset(statement);
    return code;
}

// How many items wait up to number n, and their bytes.
static int size_of(struct outbox *outbox, uint64_t n, uint64_t *items, uint64_t *bytes,
                   struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[SIZE_OF];
    bool any = false;
    bind_number(statement, 1, outbox->now.upto);
    bind_number(statement, 2, n);
    int code = next(outbox, SIZE_OF, &any, err);
    *items = column_number(statement, 0);
    *bytes = column_number(statement, 1);
    sqlite3_reset(statement);
    return code;
}

int outbox_acked(struct outbox *outbox, uint64_t n, const struct outbox_place *place,
                 struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[ADD_ACKED];
    uint64_t items = 0, bytes = 0;
    int code = size_of(outbox, n, &items, &bytes, err);
    if (code != TC_OK || items == 0)
        return code;
    bind_number(statement, 1, n);
    bind_number(statement, 2, items);
    bind_number(statement, 3, bytes);
    sqlite3_bind_int64(statement, 4, outbox->clock_ns);
    bind_text(statement, 5, tc_str_of(place->epoch));
    bind_text(statement, 6, tc_str_of(place->run));
    bind_number(statement, 7, place->commits);
    bind_number(statement, 8, place->hseq);
    code = outbox_finish(outbox, ADD_ACKED, err);
    if (code == TC_OK) {
        outbox->now.counts.waiting -= items;
        outbox->now.counts.acked += items;
        outbox->now.acked_bytes += bytes;
        outbox->now.upto = n;
    }
    return code;
}

int outbox_dead(struct outbox *outbox, uint64_t n, tc_str reason, int64_t now_wall_ns,
                struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[COPY_DEAD];
    if (n <= outbox->now.upto)
        return TC_OK;
    bind_number(statement, 1, n);
    bind_text(statement, 2, reason);
    sqlite3_bind_int64(statement, 3, now_wall_ns);
    int code = outbox_finish(outbox, COPY_DEAD, err);
    if (code != TC_OK || sqlite3_changes(outbox->db) == 0)
        return code;
    bind_number(outbox->statements[DROP_ITEM], 1, n);
    code = outbox_finish(outbox, DROP_ITEM, err);
    if (code == TC_OK) {
        outbox->now.counts.waiting--;
        outbox->now.counts.dead++;
    }
    return code;
}

static void copy_id(sqlite3_stmt *statement, int column, char *out)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    snprintf(out, TC_ID_TEXT_BYTES, "%s", text ? (const char *)text : "");
}

int outbox_last_acked(struct outbox *outbox, struct outbox_place *place, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[LAST_ACKED];
    bool any = false;
    int code = next(outbox, LAST_ACKED, &any, err);
    if (code == TC_OK && any) {
        copy_id(statement, 0, place->epoch);
        copy_id(statement, 1, place->run);
        place->commits = column_number(statement, 2);
        place->hseq = column_number(statement, 3);
    } else if (code == TC_OK) {
        code = tc_fail(err, TC_ENOENT, "nothing was acknowledged yet");
    }
    sqlite3_reset(statement);
    return code;
}

int outbox_oldest(struct outbox *outbox, int64_t *age_ns, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[OLDEST];
    bool any = false;
    *age_ns = -1;
    if (!outbox->now.counts.waiting)
        return TC_OK;
    bind_number(statement, 1, outbox->now.upto);
    int code = next(outbox, OLDEST, &any, err);
    if (code == TC_OK && any)
        *age_ns = outbox->clock_ns - sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return code;
}

// ---- taking acknowledgements back ---------------------------------------------------------

static int put_recovered(struct outbox *outbox, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[PUT_META];
    bind_text(statement, 1, TC_STR("recovered"));
    bind_number(statement, 2, outbox->now.recovered);
    return outbox_finish(outbox, PUT_META, err);
}

// The rows from `since` on are the last ones: numbers of commits rise with those of the items.
static int requeue(struct outbox *outbox, uint64_t since, uint64_t *count, struct tc_err *err)
{
    sqlite3_stmt *lost = outbox->statements[LOST_ACKED];
    struct outbox_state *now = &outbox->now;
    bool any = false;
    bind_number(lost, 1, since);
    int code = next(outbox, LOST_ACKED, &any, err);
    uint64_t items = column_number(lost, 0), bytes = column_number(lost, 1);
    uint64_t upto = column_number(lost, 2);
    sqlite3_reset(lost);
    if (code != TC_OK)
        return code;
    bind_number(outbox->statements[DROP_LOST], 1, since);
    code = outbox_finish(outbox, DROP_LOST, err);
    if (now->recovered < now->upto)
        now->recovered = now->upto;
    now->upto = upto;
    now->counts.acked -= items;
    now->counts.waiting += items;
    now->counts.resubmitted += items;
    now->acked_bytes -= bytes;
    *count = items;
    return code == TC_OK ? put_recovered(outbox, err) : code;
}

int outbox_requeue(struct outbox *outbox, uint64_t since, uint64_t *count, struct tc_err *err)
{
    int code = outbox_begin(outbox, err);
    if (code != TC_OK)
        return code;
    code = requeue(outbox, since, count, err);
    tc_fault("outbox.requeue");
    if (code == TC_OK)
        code = outbox_commit(outbox, err);
    if (code != TC_OK)
        outbox_rollback(outbox);
    return code;
}

// ---- trimming -----------------------------------------------------------------------------

// The oldest acknowledgement, and whether it is beyond the horizon.
struct old_acked {
    uint64_t upto, items, bytes;
    bool last; // it stays, without items: HELLO names it
};

static int old_acked(struct outbox *outbox, struct old_acked *out, bool *beyond, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[OLD_ACKED];
    bool any = false;
    int code = next(outbox, OLD_ACKED, &any, err);
    *beyond = false;
    if (code == TC_OK && any) {
        *out = (struct old_acked){column_number(statement, 0), column_number(statement, 1),
                                  column_number(statement, 2), false};
        out->last = out->upto == outbox->now.upto;
        *beyond = outbox->clock_ns - sqlite3_column_int64(statement, 3) > outbox->horizon_ns ||
                  outbox->now.acked_bytes > outbox->horizon_bytes;
    }
    sqlite3_reset(statement);
    return code;
}

static int drop_acked(struct outbox *outbox, const struct old_acked *old, struct tc_err *err)
{
    enum statement row = old->last ? EMPTY_ACKED : DROP_ACKED;
    bind_number(outbox->statements[DROP_ITEMS], 1, old->upto);
    int code = outbox_finish(outbox, DROP_ITEMS, err);
    bind_number(outbox->statements[row], 1, old->upto);
    if (code == TC_OK)
        code = outbox_finish(outbox, row, err);
    outbox->now.counts.acked -= old->items;
    outbox->now.acked_bytes -= old->bytes;
    return code;
}

static int drop_old_items(struct outbox *outbox, bool *more, struct tc_err *err)
{
    struct old_acked old;
    bool beyond = true;
    size_t dropped = 0;
    int code = TC_OK;
    while (code == TC_OK && beyond && dropped < TRIM_ROWS) {
        code = old_acked(outbox, &old, &beyond, err);
        if (code == TC_OK && beyond) {
            code = drop_acked(outbox, &old, err);
            dropped += old.items;
        }
    }
    *more = *more || beyond;
    return code;
}

// Runs a statement that deletes at most TRIM_ROWS rows; counts them.
static int drop_rows(struct outbox *outbox, enum statement which, uint64_t *dropped, bool *more,
                     struct tc_err *err)
{
    int code = outbox_finish(outbox, which, err);
    if (code != TC_OK)
        return code;
    *dropped = (uint64_t)sqlite3_changes(outbox->db);
    *more = *more || *dropped == TRIM_ROWS;
    return TC_OK;
}

static int drop_old_marks(struct outbox *outbox, bool *more, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[OLD_MARKS];
    uint64_t dropped = 0;
    sqlite3_bind_int64(statement, 1, outbox->clock_ns - OUTBOX_MARKS_NS);
    bind_number(statement, 2, TRIM_ROWS);
    int code = drop_rows(outbox, OLD_MARKS, &dropped, more, err);
    outbox->now.counts.marks -= dropped;
    return code;
}

static int drop_old_definitions(struct outbox *outbox, bool *more, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[OLD_DEFINITIONS];
    uint64_t dropped = 0;
    bind_number(statement, 1, INT64_MAX); // without any item none is needed
    bind_number(statement, 2, TRIM_ROWS);
    int code = drop_rows(outbox, OLD_DEFINITIONS, &dropped, more, err);
    if (dropped)
        memset(outbox->known, 0, sizeof outbox->known);
    return code;
}

static int drop_old_dead(struct outbox *outbox, bool *more, struct tc_err *err)
{
    uint64_t dead = outbox->now.counts.dead, beyond = 0, dropped = 0;
    if (dead > OUTBOX_DEAD_MOST)
        beyond = dead - OUTBOX_DEAD_MOST;
    if (beyond == 0)
        return TC_OK;
    bind_number(outbox->statements[OLD_DEAD], 1, beyond < TRIM_ROWS ? beyond : TRIM_ROWS);
    int code = drop_rows(outbox, OLD_DEAD, &dropped, more, err);
    outbox->now.counts.dead -= dropped;
    outbox->now.counts.dead_dropped += dropped;
    return code;
}

int outbox_trim(struct outbox *outbox, bool *more, struct tc_err *err)
{
    *more = false;
    int code = outbox_begin(outbox, err);
    if (code == TC_OK)
        code = drop_old_items(outbox, more, err);
    if (code == TC_OK)
        code = drop_old_marks(outbox, more, err);
    if (code == TC_OK)
        code = drop_old_definitions(outbox, more, err);
    if (code == TC_OK)
        code = drop_old_dead(outbox, more, err);
    if (code == TC_OK)
        code = outbox_put_clock(outbox, err);
    if (code == TC_OK)
        code = outbox_run(outbox, "COMMIT", err);
    if (code != TC_OK)
        outbox_rollback(outbox);
    return code;
}

void outbox_tick(struct outbox *outbox, int64_t now_mono_ns)
{
    if (now_mono_ns <= outbox->clock_mono_ns)
        return;
    outbox->clock_ns += now_mono_ns - outbox->clock_mono_ns;
    outbox->clock_mono_ns = now_mono_ns;
}

struct outbox_counts outbox_counts(const struct outbox *outbox)
{
    return outbox->now.counts;
}
