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

// Runs a statement that gives no rows.
static int finish(struct outbox *outbox, enum statement which, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[which];
    int result = sqlite3_step(statement);
    int code = result == SQLITE_DONE ? TC_OK : outbox_failed(outbox, outbox_sql(which), err);
    sqlite3_reset(statement);
    return code;
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
                enum outbox_known *known, uint64_t *version, int64_t *seen_wall_ns,
                struct tc_err *err)
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
        *known = is_same ? OUTBOX_SAME : there ? OUTBOX_CHANGED : OUTBOX_NEW;
        *version = column_number(is_same ? same : of_id, 0);
        *seen_wall_ns = sqlite3_column_int64(of_id, 1);
    }
    sqlite3_reset(same);
    sqlite3_reset(of_id);
    return code;
}

int outbox_begin(struct outbox *outbox, struct tc_err *err)
{
    outbox->counts_before = outbox->counts;
    outbox->acked_bytes_before = outbox->acked_bytes;
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
    outbox->counts = outbox->counts_before;
    outbox->acked_bytes = outbox->acked_bytes_before;
    memset(outbox->known, 0, sizeof outbox->known);
}

int outbox_add_item(struct outbox *outbox, tc_str header, tc_str hits, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[ADD_ITEM];
    bind_blob(statement, 1, header);
    bind_blob(statement, 2, hits);
    int code = finish(outbox, ADD_ITEM, err);
    if (code != TC_OK)
        return code;
    outbox->counts.waiting++;
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
    int code = finish(outbox, ADD_MARK, err);
    if (code != TC_OK)
        return code;
    outbox->counts.marks++;
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
    int code = finish(outbox, ADD_DEFINITION, err);
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
    bind_number(statement, 1, after);
    bind_number(statement, 2, most);
    bool any = true;
    int code = next(outbox, GET_WAITING, &any, err);
    while (code == TC_OK && any) {
        used +=
            (size_t)sqlite3_column_bytes(statement, 1) + (size_t)sqlite3_column_bytes(statement, 2);
        if (taken && used > bytes)
            break;
        list[taken++] =
            (struct outbox_item){column_number(statement, 0), copy_blob(outbox, statement, 1),
                                 copy_blob(outbox, statement, 2)};
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

// Bytes of an item that waits; 0 when it does not.
static int size_of_waiting(struct outbox *outbox, uint64_t n, uint64_t *out, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[GET_WAITING];
    bool any = false;
    bind_number(statement, 1, n - 1);
    bind_number(statement, 2, 1);
    int code = next(outbox, GET_WAITING, &any, err);
    *out = 0;
    if (code == TC_OK && any && column_number(statement, 0) == n)
        *out = (uint64_t)sqlite3_column_bytes(statement, 1) +
               (uint64_t)sqlite3_column_bytes(statement, 2);
    sqlite3_reset(statement);
    return code;
}

int outbox_acked(struct outbox *outbox, uint64_t n, tc_str epoch, uint64_t hseq,
                 int64_t now_wall_ns, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[SET_ACKED];
    uint64_t bytes = 0;
    int code = size_of_waiting(outbox, n, &bytes, err);
    if (code != TC_OK || bytes == 0)
        return code;
    bind_number(statement, 1, n);
    bind_text(statement, 2, epoch);
    bind_number(statement, 3, hseq);
    sqlite3_bind_int64(statement, 4, now_wall_ns);
    code = finish(outbox, SET_ACKED, err);
    if (code == TC_OK) {
        outbox->counts.waiting--;
        outbox->counts.acked++;
        outbox->acked_bytes += bytes;
    }
    return code;
}

static int drop_item(struct outbox *outbox, uint64_t n, struct tc_err *err)
{
    bind_number(outbox->statements[DROP_ITEM], 1, n);
    return finish(outbox, DROP_ITEM, err);
}

int outbox_dead(struct outbox *outbox, uint64_t n, tc_str reason, int64_t now_wall_ns,
                struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[COPY_DEAD];
    bind_number(statement, 1, n);
    bind_text(statement, 2, reason);
    sqlite3_bind_int64(statement, 3, now_wall_ns);
    int code = finish(outbox, COPY_DEAD, err);
    if (code != TC_OK || sqlite3_changes(outbox->db) == 0)
        return code;
    code = drop_item(outbox, n, err);
    if (code == TC_OK) {
        outbox->counts.waiting--;
        outbox->counts.dead++;
    }
    return code;
}

int outbox_last_acked(struct outbox *outbox, char *epoch, uint64_t *hseq, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[LAST_ACKED];
    bool any = false;
    int code = next(outbox, LAST_ACKED, &any, err);
    if (code == TC_OK && any) {
        const unsigned char *text = sqlite3_column_text(statement, 0);
        snprintf(epoch, TC_ID_TEXT_BYTES, "%s", text ? (const char *)text : "");
        *hseq = column_number(statement, 1);
    } else if (code == TC_OK) {
        code = tc_fail(err, TC_ENOENT, "nothing was acknowledged yet");
    }
    sqlite3_reset(statement);
    return code;
}

// ---- trimming -----------------------------------------------------------------------------

// Which of the oldest acknowledged items are beyond the horizon.
static int old_items(struct outbox *outbox, int64_t now_wall_ns, uint64_t *list, size_t *count,
                     uint64_t *bytes, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[OLD_ITEMS];
    bool any = true;
    *count = 0;
    *bytes = 0;
    bind_number(statement, 1, TRIM_ROWS);
    int code = next(outbox, OLD_ITEMS, &any, err);
    while (code == TC_OK && any) {
        bool aged = sqlite3_column_int64(statement, 1) < now_wall_ns - OUTBOX_HORIZON_NS;
        if (!aged && outbox->acked_bytes - *bytes <= OUTBOX_HORIZON_BYTES)
            break;
        list[(*count)++] = column_number(statement, 0);
        *bytes += column_number(statement, 2);
        code = next(outbox, OLD_ITEMS, &any, err);
    }
    sqlite3_reset(statement);
    return code;
}

static int drop_old_items(struct outbox *outbox, int64_t now_wall_ns, bool *more,
                          struct tc_err *err)
{
    uint64_t list[TRIM_ROWS], bytes = 0;
    size_t count = 0;
    int code = old_items(outbox, now_wall_ns, list, &count, &bytes, err);
    for (size_t i = 0; i < count && code == TC_OK; i++)
        code = drop_item(outbox, list[i], err);
    if (code != TC_OK)
        return code;
    outbox->counts.acked -= count;
    outbox->acked_bytes -= bytes;
    *more = *more || count == TRIM_ROWS;
    return TC_OK;
}

// Runs a statement that deletes at most TRIM_ROWS rows; counts them.
static int drop_rows(struct outbox *outbox, enum statement which, uint64_t *dropped, bool *more,
                     struct tc_err *err)
{
    int code = finish(outbox, which, err);
    if (code != TC_OK)
        return code;
    *dropped = (uint64_t)sqlite3_changes(outbox->db);
    *more = *more || *dropped == TRIM_ROWS;
    return TC_OK;
}

static int drop_old_marks(struct outbox *outbox, int64_t now_wall_ns, bool *more,
                          struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[OLD_MARKS];
    uint64_t dropped = 0;
    sqlite3_bind_int64(statement, 1, now_wall_ns - OUTBOX_MARKS_NS);
    bind_number(statement, 2, TRIM_ROWS);
    int code = drop_rows(outbox, OLD_MARKS, &dropped, more, err);
    outbox->counts.marks -= dropped;
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
    uint64_t dead = outbox->counts.dead, beyond = 0, dropped = 0;
    if (dead > OUTBOX_DEAD_MOST)
        beyond = dead - OUTBOX_DEAD_MOST;
    if (beyond == 0)
        return TC_OK;
    bind_number(outbox->statements[OLD_DEAD], 1, beyond < TRIM_ROWS ? beyond : TRIM_ROWS);
    int code = drop_rows(outbox, OLD_DEAD, &dropped, more, err);
    outbox->counts.dead -= dropped;
    outbox->counts.dead_dropped += dropped;
    return code;
}

int outbox_trim(struct outbox *outbox, int64_t now_wall_ns, bool *more, struct tc_err *err)
{
    *more = false;
    int code = outbox_begin(outbox, err);
    if (code == TC_OK)
        code = drop_old_items(outbox, now_wall_ns, more, err);
    if (code == TC_OK)
        code = drop_old_marks(outbox, now_wall_ns, more, err);
    if (code == TC_OK)
        code = drop_old_definitions(outbox, more, err);
    if (code == TC_OK)
        code = drop_old_dead(outbox, more, err);
    if (code == TC_OK)
        code = outbox_run(outbox, "COMMIT", err);
    if (code != TC_OK)
        outbox_rollback(outbox);
    return code;
}

struct outbox_counts outbox_counts(const struct outbox *outbox)
{
    return outbox->counts;
}
