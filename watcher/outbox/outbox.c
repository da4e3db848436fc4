#include "watcher/outbox/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/daemon.h"
#include "common/fault.h"
#include "common/mem.h"

enum { WAITING = 0, ACKED = 1 }; // item.state

enum {
    TRIM_ROWS = 500, // of each table, in one outbox_trim: it never holds the thread long
    KNOWN_DEFINITIONS = 16 * 1024,
    DEFINITION_SPAN = 10 * 1000,    // items
    CHECK_BYTES = 64 * 1024 * 1024, // files up to here are checked whole when they are opened
};

// Partial indexes: what waits and what was acknowledged are found without looking at the others,
// and a row leaves the one as it enters the other.
static const char schema[] =
    "CREATE TABLE mark(source TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,"
    " content BLOB NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY(source, id, version))"
    " WITHOUT ROWID;"
    "CREATE INDEX mark_seen ON mark(seen);"
    "CREATE TABLE item(n INTEGER PRIMARY KEY AUTOINCREMENT, state INTEGER NOT NULL, epoch TEXT,"
    " hseq INTEGER, at INTEGER, header BLOB NOT NULL, hits BLOB NOT NULL);"
    "CREATE INDEX item_waiting ON item(n) WHERE state = 0;"
    "CREATE INDEX item_acked ON item(n) WHERE state = 1;"
    "CREATE TABLE definition(hash BLOB PRIMARY KEY, body BLOB NOT NULL, until INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX definition_until ON definition(until);"
    "CREATE TABLE dead(n INTEGER PRIMARY KEY, reason TEXT NOT NULL, header BLOB NOT NULL,"
    " hits BLOB NOT NULL, at INTEGER NOT NULL);";

// Format 1 did not say which items need a definition: all that are there may.
static const char from_format_1[] =
    "ALTER TABLE definition ADD COLUMN until INTEGER NOT NULL DEFAULT 0;"
    "UPDATE definition SET until = (SELECT coalesce(max(n), 0) FROM item);"
    "CREATE INDEX definition_until ON definition(until);"
    "PRAGMA user_version = 2;";

enum statement {
    LOOK_SAME,
    LOOK_ANY,
    ADD_MARK,
    ADD_ITEM,
    ADD_DEFINITION,
    GET_WAITING,
    GET_DEFINITION,
    SET_ACKED,
    COPY_DEAD,
    DROP_ITEM,
    LAST_ACKED,
    OLD_ITEMS,
    OLD_MARKS,
    OLD_DEFINITIONS,
    OLD_DEAD,
    STATEMENTS
};

static const char *const sql[STATEMENTS] = {
    [LOOK_SAME] = "SELECT version FROM mark WHERE source = ?1 AND id = ?2 AND content = ?3",
    [LOOK_ANY] = "SELECT max(version), min(seen) FROM mark WHERE source = ?1 AND id = ?2",
    [ADD_MARK] = "INSERT OR REPLACE INTO mark VALUES(?1, ?2, ?3, ?4, ?5)",
    [ADD_ITEM] = "INSERT INTO item(state, header, hits) VALUES(0, ?1, ?2)",
    [ADD_DEFINITION] = "INSERT INTO definition VALUES(?1, ?2, ?3)"
                       " ON CONFLICT(hash) DO UPDATE SET until = excluded.until",
    [GET_WAITING] =
        "SELECT n, header, hits FROM item WHERE state = 0 AND n > ?1 ORDER BY n LIMIT ?2",
    [GET_DEFINITION] = "SELECT body FROM definition WHERE hash = ?1",
    [SET_ACKED] =
        "UPDATE item SET state = 1, epoch = ?2, hseq = ?3, at = ?4 WHERE n = ?1 AND state = 0",
    [COPY_DEAD] = "INSERT INTO dead SELECT n, ?2, header, hits, ?3 FROM item"
                  " WHERE n = ?1 AND state = 0",
    [DROP_ITEM] = "DELETE FROM item WHERE n = ?1",
    [LAST_ACKED] = "SELECT epoch, hseq FROM item WHERE state = 1 ORDER BY n DESC LIMIT 1",
    [OLD_ITEMS] = "SELECT n, at, length(header) + length(hits) FROM item WHERE state = 1"
                  " ORDER BY n LIMIT ?1",
    [OLD_MARKS] = "DELETE FROM mark WHERE (source, id, version) IN"
                  " (SELECT source, id, version FROM mark WHERE seen < ?1 ORDER BY seen LIMIT ?2)",
    [OLD_DEFINITIONS] =
        "DELETE FROM definition WHERE hash IN (SELECT hash FROM definition WHERE until <"
        " (SELECT coalesce(min(n), ?1) FROM item) ORDER BY until LIMIT ?2)",
    [OLD_DEAD] = "DELETE FROM dead WHERE n IN (SELECT n FROM dead ORDER BY n LIMIT ?1)",
};

// A definition that is surely in the file, for items up to `until`. Without such a span every hit would
// write the number of its item to the definition; with it, one in DEFINITION_SPAN items does, and a
// definition stays that much longer than it must.
struct known {
    struct tc_id hash;
    uint64_t until;
};

struct outbox {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    char *path, *wal_path;
    int lock_fd;
    struct tc_arena *view;                      // what the last call gave
    struct outbox_counts counts, counts_before; // now, and when the transaction began
    uint64_t acked_bytes, acked_bytes_before;
    uint64_t last_n;                       // number of the last item, also of one that is gone
    struct known known[KNOWN_DEFINITIONS]; // placed by the first bytes of their hashes
};

// ---- errors -------------------------------------------------------------------------------

// Says what SQLite said, sorted by what can be done about it.
static int failed(struct outbox *outbox, const char *what, struct tc_err *err)
{
    int code = sqlite3_extended_errcode(outbox->db);
    const char *words = sqlite3_errmsg(outbox->db);
    switch (code & 0xff) {
    case SQLITE_FULL: return tc_fail(err, TC_EFULL, "%s: the disk is full", outbox->path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return tc_fail(
            err, TC_ECORRUPT,
            "%s is damaged (%s). Move it away (with its -wal file) and start again: what "
            "the broker has confirmed is safe there, articles that come again are read "
            "again, hits that only this file held are lost",
            outbox->path, words);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return tc_fail(err, TC_EBUSY, "%s: another process has it open", outbox->path);
    default: break;
    }
    if (code == SQLITE_IOERR_SHMSIZE)
        return tc_fail(err, TC_EFULL, "%s: the disk is full", outbox->path);
    return tc_fail(err, TC_EIO, "%s: %s: %s", outbox->path, what, words);
}

static int run(struct outbox *outbox, const char *text, struct tc_err *err)
{
    return sqlite3_exec(outbox->db, text, NULL, NULL, NULL) == SQLITE_OK
               ? TC_OK
               : failed(outbox, text, err);
}

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
    int code = result == SQLITE_DONE ? TC_OK : failed(outbox, sql[which], err);
    sqlite3_reset(statement);
    return code;
}

// The next row: *any tells whether there is one. The caller resets the statement.
static int next(struct outbox *outbox, enum statement which, bool *any, struct tc_err *err)
{
    int result = sqlite3_step(outbox->statements[which]);
    *any = result == SQLITE_ROW;
    return result == SQLITE_ROW || result == SQLITE_DONE ? TC_OK : failed(outbox, sql[which], err);
}

static uint64_t column_number(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

static tc_str copy_blob(struct outbox *outbox, sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    return tc_arena_str(outbox->view,
                        (tc_str){bytes, (size_t)sqlite3_column_bytes(statement, column)});
}

// ---- opening ------------------------------------------------------------------------------

// One number that a query gives.
static int ask(struct outbox *outbox, const char *query, uint64_t *out, struct tc_err *err)
{
    sqlite3_stmt *statement = NULL;
    int code = TC_OK;
    if (sqlite3_prepare_v2(outbox->db, query, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        code = failed(outbox, query, err);
    else
        *out = column_number(statement, 0);
    sqlite3_finalize(statement);
    return code;
}

// All of it, or nothing: a transaction that stays open ends with the connection.
static int run_together(struct outbox *outbox, const char *text, struct tc_err *err)
{
    int code = run(outbox, "BEGIN IMMEDIATE", err);
    if (code == TC_OK)
        code = run(outbox, text, err);
    return code == TC_OK ? run(outbox, "COMMIT", err) : code;
}

// A new file gets our tables; an old one must be ours and of a version that we know.
static int settle_schema(struct outbox *outbox, struct tc_err *err)
{
    uint64_t application = 0, version = 0, tables = 0;
    char make[sizeof schema + 128];
    int code = ask(outbox, "PRAGMA application_id", &application, err);
    if (code == TC_OK)
        code = ask(outbox, "PRAGMA user_version", &version, err);
    if (code == TC_OK)
        code = ask(outbox, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (code != TC_OK)
        return code;
    if (application != OUTBOX_APPLICATION && (application || tables))
        return tc_fail(err, TC_ECORRUPT, "%s is a database, but no outbox of tocsin", outbox->path);
    if (version > OUTBOX_SCHEMA)
        return tc_fail(err, TC_EVERSION,
                       "%s was made by a newer tocsin (format %llu, this one knows %d); install "
                       "that version, or move the file away",
                       outbox->path, (unsigned long long)version, OUTBOX_SCHEMA);
    if (tables)
        return version == 1 ? run_together(outbox, from_format_1, err) : TC_OK;
    snprintf(make, sizeof make, "%sPRAGMA application_id = %d; PRAGMA user_version = %d", schema,
             OUTBOX_APPLICATION, OUTBOX_SCHEMA);
    return run_together(outbox, make, err);
}

static int check(struct outbox *outbox, struct tc_err *err)
{
    struct stat info;
    sqlite3_stmt *statement = NULL;
    int code = TC_OK;
    if (stat(outbox->path, &info) != 0 || info.st_size > CHECK_BYTES)
        return TC_OK;
    if (sqlite3_prepare_v2(outbox->db, "PRAGMA quick_check(1)", -1, &statement, NULL) !=
            SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        code = failed(outbox, "quick_check", err);
    } else if (strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0) {
        code = tc_fail(err, TC_ECORRUPT,
                       "%s is damaged (%s). Move it away (with its -wal file) and start again",
                       outbox->path, sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    return code;
}

static int count_all(struct outbox *outbox, struct tc_err *err)
{
    const struct {
        const char *query;
        uint64_t *out;
    } counts[] = {
        {"SELECT count(*) FROM item WHERE state = 0", &outbox->counts.waiting},
        {"SELECT count(*) FROM item WHERE state = 1", &outbox->counts.acked},
        {"SELECT count(*) FROM dead", &outbox->counts.dead},
        {"SELECT count(*) FROM mark", &outbox->counts.marks},
        {"SELECT coalesce(sum(length(header) + length(hits)), 0) FROM item WHERE state = 1",
         &outbox->acked_bytes},
        {"SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'item'", &outbox->last_n},
    };
    int code = TC_OK;
    for (size_t i = 0; i < sizeof counts / sizeof *counts && code == TC_OK; i++)
        code = ask(outbox, counts[i].query, counts[i].out, err);
    return code;
}

static int prepare_all(struct outbox *outbox, struct tc_err *err)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        if (sqlite3_prepare_v3(outbox->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &outbox->statements[i], NULL) != SQLITE_OK)
            return failed(outbox, sql[i], err);
    }
    return TC_OK;
}

// SQLite would make the file readable for everybody; its -wal file follows the mode.
static int make_private(const struct outbox *outbox, struct tc_err *err)
{
    int fd = open(outbox->path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return tc_fail(err, TC_EIO, "%s: %s", outbox->path, strerror(errno));
    close(fd);
    return TC_OK;
}

static int open_database(struct outbox *outbox, struct tc_err *err)
{
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = make_private(outbox, err);
    if (code != TC_OK)
        return code;
    if (sqlite3_open_v2(outbox->path, &outbox->db, flags, NULL) != SQLITE_OK)
        return failed(outbox, "cannot open", err);
    sqlite3_busy_timeout(outbox->db, 2000); // somebody looks at it with the sqlite3 shell
    code = settle_schema(outbox, err);
    if (code == TC_OK)
        code = run(outbox,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                   "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;"
                   "PRAGMA cache_size = -16384; PRAGMA trusted_schema = OFF",
                   err);
    if (code == TC_OK)
        code = check(outbox, err);
    if (code == TC_OK)
        code = count_all(outbox, err);
    return code == TC_OK ? prepare_all(outbox, err) : code;
}

int outbox_open(tc_str dir, struct outbox **out, struct tc_err *err)
{
    char path[PATH_MAX], wal[PATH_MAX], lock[PATH_MAX];
    int path_len = snprintf(path, sizeof path, "%.*s/outbox.db", TC_ARG(dir));
    int wal_len = snprintf(wal, sizeof wal, "%.*s/outbox.db-wal", TC_ARG(dir));
    int lock_len = snprintf(lock, sizeof lock, "%.*s/outbox.lock", TC_ARG(dir));
    if ((size_t)wal_len >= sizeof wal || (size_t)lock_len >= sizeof lock)
        return tc_fail(err, TC_EINVAL, "the path of the state folder is too long");
    int code = tc_make_dirs(dir, err);
    if (code != TC_OK)
        return code;
    struct outbox *outbox = tc_new(sizeof *outbox);
    outbox->lock_fd = -1;
    outbox->path = tc_dup(path, (size_t)path_len);
    outbox->wal_path = tc_dup(wal, (size_t)wal_len);
    outbox->view = tc_arena_new();
    code = tc_lock((tc_str){lock, (size_t)lock_len}, &outbox->lock_fd, err);
    if (code == TC_OK)
        code = open_database(outbox, err);
    if (code == TC_OK)
        *out = outbox;
    else
        outbox_close(outbox);
    return code;
}

void outbox_close(struct outbox *outbox)
{
    if (!outbox)
        return;
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(outbox->statements[i]);
    sqlite3_close(outbox->db);
    if (outbox->lock_fd >= 0)
        close(outbox->lock_fd);
    tc_arena_free(outbox->view);
    free(outbox->path);
    free(outbox->wal_path);
    free(outbox);
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
    return run(outbox, "BEGIN IMMEDIATE", err);
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
        code = run(outbox, "COMMIT", err);
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
        code = run(outbox, "COMMIT", err);
    if (code != TC_OK)
        outbox_rollback(outbox);
    return code;
}

struct outbox_counts outbox_counts(const struct outbox *outbox)
{
    return outbox->counts;
}
