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

// item.state is 0 while it waits and 1 when the broker has confirmed it. Partial indexes: either kind
// is found without looking at the other, and a row leaves the one as it enters the other.
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
            return outbox_failed(outbox, sql[i], err);
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
