#include "watcher/outbox/outbox_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/mem.h"

enum { CHECK_BYTES = 64 * 1024 * 1024 }; // files up to here are checked whole when they are opened

// acked: a row for the items up to `upto`, behind those of the row before. The last row stays when
// its items go. `at` of mark, item and acked is the outbox's clock.
static const char schema[] =
    "CREATE TABLE mark(source TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,"
    " content BLOB NOT NULL, seen INTEGER NOT NULL, at INTEGER NOT NULL,"
    " hit INTEGER NOT NULL,"
    " PRIMARY KEY(source, id, version)) WITHOUT ROWID;"
    "CREATE INDEX mark_at ON mark(at);"
    "CREATE TABLE item(n INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
    " header BLOB NOT NULL, hits BLOB NOT NULL);"
    "CREATE TABLE acked(upto INTEGER PRIMARY KEY, items INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " at INTEGER NOT NULL, epoch TEXT NOT NULL, run TEXT NOT NULL, commits INTEGER NOT NULL,"
    " hseq INTEGER NOT NULL);"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY NOT NULL) WITHOUT ROWID;"
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

// Format 2 kept the state in each item, and no ages but those of the wall clock. What waits still waits;
// what was acknowledged cannot be sent again to a broker that loses it. Which articles have hit is not known: any
// may have.
static const char from_format_2[] =
    "CREATE TABLE old_mark AS SELECT * FROM mark;"
    "DROP TABLE mark;"
    "CREATE TABLE mark(source TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,"
    " content BLOB NOT NULL, seen INTEGER NOT NULL, at INTEGER NOT NULL,"
    " hit INTEGER NOT NULL,"
    " PRIMARY KEY(source, id, version)) WITHOUT ROWID;"
    "INSERT INTO mark SELECT source, id, version, content, seen, 0, 1 FROM old_mark;"
    "DROP TABLE old_mark;"
    "CREATE INDEX mark_at ON mark(at);"
    "DELETE FROM item WHERE state = 1;"
    "DROP INDEX item_waiting;"
    "DROP INDEX item_acked;"
    "ALTER TABLE item DROP COLUMN state;"
    "ALTER TABLE item DROP COLUMN epoch;"
    "ALTER TABLE item DROP COLUMN hseq;"
    "UPDATE item SET at = 0;"
    "CREATE TABLE acked(upto INTEGER PRIMARY KEY, items INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " at INTEGER NOT NULL, epoch TEXT NOT NULL, run TEXT NOT NULL, commits INTEGER NOT NULL,"
    " hseq INTEGER NOT NULL);"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 3;";

static const char *const sql[STATEMENTS] = {
    [LOOK_SAME] = "SELECT version FROM mark WHERE source = ?1 AND id = ?2 AND content = ?3",
    [LOOK_ANY] = "SELECT max(version), min(seen), max(hit) FROM mark WHERE source = ?1 AND id = ?2",
    [ADD_MARK] = "INSERT OR REPLACE INTO mark VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [ADD_ITEM] = "INSERT INTO item(at, header, hits) VALUES(?1, ?2, ?3)",
    [ADD_DEFINITION] = "INSERT INTO definition VALUES(?1, ?2, ?3)"
                       " ON CONFLICT(hash) DO UPDATE SET until = excluded.until",
    [GET_WAITING] = "SELECT n, header, hits FROM item WHERE n > ?1 ORDER BY n LIMIT ?2",
    [GET_DEFINITION] = "SELECT body FROM definition WHERE hash = ?1",
    [SIZE_OF] = "SELECT count(*), coalesce(sum(length(header) + length(hits)), 0) FROM item"
                " WHERE n > ?1 AND n <= ?2",
    [ADD_ACKED] = "INSERT INTO acked VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [COPY_DEAD] = "INSERT INTO dead SELECT n, ?2, header, hits, ?3 FROM item WHERE n = ?1",
    [DROP_ITEM] = "DELETE FROM item WHERE n = ?1",
    [LAST_ACKED] = "SELECT epoch, run, commits, hseq FROM acked ORDER BY upto DESC LIMIT 1",
    [LOST_ACKED] = "SELECT coalesce(sum(items), 0), coalesce(sum(bytes), 0),"
                   " (SELECT coalesce(max(upto), 0) FROM acked WHERE commits < ?1) FROM acked "
                   "WHERE commits >= ?1",
    [DROP_LOST] = "DELETE FROM acked WHERE commits >= ?1",
    [OLDEST] = "SELECT at FROM item WHERE n > ?1 ORDER BY n LIMIT 1",
    [OLD_ACKED] = "SELECT upto, items, bytes, at FROM acked"
                  " WHERE items > 0 OR upto < (SELECT max(upto) FROM acked) ORDER BY upto LIMIT 1",
    [DROP_ACKED] = "DELETE FROM acked WHERE upto = ?1",
    [EMPTY_ACKED] = "UPDATE acked SET items = 0, bytes = 0 WHERE upto = ?1",
    [DROP_ITEMS] = "DELETE FROM item WHERE n <= ?1",
    [OLD_MARKS] = "DELETE FROM mark WHERE (source, id, version) IN"
                  " (SELECT source, id, version FROM mark WHERE at < ?1 ORDER BY at LIMIT ?2)",
    [OLD_DEFINITIONS] =
        "DELETE FROM definition WHERE hash IN (SELECT hash FROM definition WHERE until <"
        " (SELECT coalesce(min(n), ?1) FROM item) ORDER BY until LIMIT ?2)",
    [OLD_DEAD] = "DELETE FROM dead WHERE n IN (SELECT n FROM dead ORDER BY n LIMIT ?1)",
    [PUT_META] = "INSERT OR REPLACE INTO meta VALUES(?1, ?2)",
};

const char *outbox_sql(enum statement which)
{
    return sql[which];
}

// ---- errors -------------------------------------------------------------------------------

int outbox_failed(struct outbox *outbox, const char *what, struct tc_err *err)
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

int outbox_run(struct outbox *outbox, const char *text, struct tc_err *err)
{
    return sqlite3_exec(outbox->db, text, NULL, NULL, NULL) == SQLITE_OK
               ? TC_OK
               : outbox_failed(outbox, text, err);
}

int outbox_finish(struct outbox *outbox, enum statement which, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[which];
    int result = sqlite3_step(statement);
    int code = result == SQLITE_DONE ? TC_OK : outbox_failed(outbox, sql[which], err);
    sqlite3_reset(statement);
    return code;
}

// ---- opening ------------------------------------------------------------------------------

// One number that a query gives.
static int ask(struct outbox *outbox, const char *query, uint64_t *out, struct tc_err *err)
{
    sqlite3_stmt *statement = NULL;
    int code = TC_OK;
    if (sqlite3_prepare_v2(outbox->db, query, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        code = outbox_failed(outbox, query, err);
    else
        *out = column_number(statement, 0);
    sqlite3_finalize(statement);
    return code;
}

// All of it, or nothing: a transaction that stays open ends with the connection.
static int run_together(struct outbox *outbox, const char *text, struct tc_err *err)
{
    int code = outbox_run(outbox, "BEGIN IMMEDIATE", err);
    if (code == TC_OK)
        code = outbox_run(outbox, text, err);
    return code == TC_OK ? outbox_run(outbox, "COMMIT", err) : code;
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
    if (tables && version < 2)
        code = run_together(outbox, from_format_1, err);
    if (tables)
        return code == TC_OK && version < 3 ? run_together(outbox, from_format_2, err) : code;
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
        code = outbox_failed(outbox, "quick_check", err);
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
    struct outbox_state *now = &outbox->now;
    const struct {
        const char *query;
        uint64_t *out;
    } counts[] = {
        {"SELECT count(*) FROM item WHERE n > (SELECT coalesce(max(upto), 0) FROM acked)",
         &now->counts.waiting},
        {"SELECT coalesce(sum(items), 0) FROM acked", &now->counts.acked},
        {"SELECT count(*) FROM dead", &now->counts.dead},
        {"SELECT count(*) FROM mark", &now->counts.marks},
        {"SELECT coalesce(sum(bytes), 0) FROM acked", &now->acked_bytes},
        {"SELECT coalesce(max(upto), 0) FROM acked", &now->upto},
        {"SELECT coalesce(max(value), 0) FROM meta WHERE key = 'recovered'", &now->recovered},
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
            return outbox_failed(outbox, sql[i], err);
    }
    return TC_OK;
}

// ---- the clock ----------------------------------------------------------------------------

static int put_meta(struct outbox *outbox, const char *key, struct tc_err *err)
{
    sqlite3_bind_text(outbox->statements[PUT_META], 1, key, -1, SQLITE_STATIC);
    return outbox_finish(outbox, PUT_META, err);
}

int outbox_put_clock(struct outbox *outbox, struct tc_err *err)
{
    sqlite3_stmt *statement = outbox->statements[PUT_META];
    sqlite3_bind_int64(statement, 2, outbox->clock_ns);
    int code = put_meta(outbox, "clock", err);
    sqlite3_bind_int64(statement, 2, outbox->clock_mono_ns);
    if (code == TC_OK)
        code = put_meta(outbox, "mono", err);
    sqlite3_bind_text(statement, 2, outbox->boot, -1, SQLITE_STATIC);
    return code == TC_OK ? put_meta(outbox, "boot", err) : code;
}

static int write_clock(struct outbox *outbox, struct tc_err *err)
{
    int code = outbox_run(outbox, "BEGIN IMMEDIATE", err);
    if (code == TC_OK)
        code = outbox_put_clock(outbox, err);
    return code == TC_OK ? outbox_run(outbox, "COMMIT", err) : code;
}

// The clock goes on from where it was written down: with the time since then when that was in this
// boot of the machine, whose monotonic clock is the same; otherwise nobody knows how long it was.
static int wind_clock(struct outbox *outbox, int64_t now_mono_ns, struct tc_err *err)
{
    uint64_t clock = 0, mono = 0, same = 0, known = 0;
    char query[200];
    sqlite3_snprintf(sizeof query, query,
                     "SELECT count(*) FROM meta WHERE key = 'boot' AND value = %Q AND value <> ''",
                     outbox->boot);
    int code =
        ask(outbox, "SELECT coalesce(max(value), 0) FROM meta WHERE key = 'clock'", &clock, err);
    if (code == TC_OK)
        code =
            ask(outbox, "SELECT coalesce(max(value), 0) FROM meta WHERE key = 'mono'", &mono, err);
    if (code == TC_OK)
        code = ask(outbox, query, &same, err);
    if (code == TC_OK)
        code = ask(outbox, "SELECT count(*) FROM meta WHERE key = 'boot'", &known, err);
    if (code != TC_OK)
        return code;
    outbox->clock_ns = (int64_t)clock;
    outbox->clock_mono_ns = same ? (int64_t)mono : now_mono_ns;
    outbox_tick(outbox, now_mono_ns);
    return known ? TC_OK : write_clock(outbox, err);
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

static int open_database(struct outbox *outbox, int64_t now_mono_ns, struct tc_err *err)
{
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = make_private(outbox, err);
    if (code != TC_OK)
        return code;
    if (sqlite3_open_v2(outbox->path, &outbox->db, flags, NULL) != SQLITE_OK)
        return outbox_failed(outbox, "cannot open", err);
    sqlite3_busy_timeout(outbox->db, 2000); // somebody looks at it with the sqlite3 shell
    code = settle_schema(outbox, err);
    if (code == TC_OK)
        code = outbox_run(outbox,
                          "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                          "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864;"
                          "PRAGMA cache_size = -16384; PRAGMA trusted_schema = OFF",
                          err);
    if (code == TC_OK)
        code = check(outbox, err);
    if (code == TC_OK)
        code = count_all(outbox, err);
    if (code == TC_OK)
        code = prepare_all(outbox, err);
    return code == TC_OK ? wind_clock(outbox, now_mono_ns, err) : code;
}

int outbox_open(const struct outbox_settings *settings, struct outbox **out, struct tc_err *err)
{
    tc_str dir = settings->dir;
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
    outbox->boot = tc_dup(settings->boot.ptr, settings->boot.len);
    outbox->horizon_ns = settings->horizon_ns;
    outbox->horizon_bytes = settings->horizon_bytes;
    code = tc_lock((tc_str){lock, (size_t)lock_len}, &outbox->lock_fd, err);
    if (code == TC_OK)
        code = open_database(outbox, settings->now_mono_ns, err);
    outbox->opened = code == TC_OK;
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
    if (outbox->opened)
        write_clock(outbox, NULL); // a few seconds that nobody counts are no harm
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(outbox->statements[i]);
    sqlite3_close(outbox->db);
    if (outbox->lock_fd >= 0)
        close(outbox->lock_fd);
    tc_arena_free(outbox->view);
    free(outbox->path);
    free(outbox->wal_path);
    free(outbox->boot);
    free(outbox);
}
