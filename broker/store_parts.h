// store_parts - what the parts of the store share; nobody else includes it.
//
// store_open.c opens, checks and closes the file and knows the SQL; store.c reads and writes rows,
// store_consumers.c those of consumers, store_age.c removes the oldest.
#ifndef STORE_PARTS_H
#define STORE_PARTS_H

#include "broker/store.h"

#include <sqlite3.h>

enum statement {
    PUT_ARTICLE,
    PUT_HIT,
    FIND_HIT,
    FIND_SEEN,
    MEND_HIT,
    PUT_ALERT,
    PUT_WATCH,
    GET_WATCH,
    PUT_CONSUMER,
    DROP_CONSUMER,
    PUT_META,
    PUT_RUN,
    FIND_RUN,
    WALK_ALL,
    WALK_TOPIC,
    SINCE,
    PUT_HOUR,
    HOUR_BEFORE,
    FORGET_HOURS,
    DROP_ALERTS,
    KEEP_IDS,
    DROP_HITS,
    DROP_ARTICLES,
    DROP_IDS,
    DROP_HOURS,
    STATEMENTS,
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    sqlite3_stmt *walk; // one of them while a walk is on, else NULL
    uint64_t walked;    // the last number that it gave
    struct store_marks marks, at_begin;
    struct tc_id run;     // of this process, in the file from its first commit on
    int changes_at_begin; // sqlite3_total_changes
    bool writing;
    bool seen;     // the table has rows
    bool was_copy; // before it was opened
};

// A row's checksum runs over its columns in order but for crc, integers as eight little-endian bytes,
// texts and blobs behind their length written the same way.
uint32_t store_hit_crc(uint64_t hseq, const struct store_hit *hit);
uint32_t store_alert_crc(const struct store_alert *alert);
uint32_t store_article_crc(tc_str source, tc_str id, uint64_t version, tc_str record);

// Reads a row: columns in the order of HIT_COLUMNS, ALERT_COLUMNS. False when it fails its checksum;
// what can be read is filled in. Views the statement until its next step.
#define HIT_COLUMNS "hseq, id, watch, source, article, version, segment, body, crc"
#define ALERT_COLUMNS "seq, id, topic, labels, story, hseq, stored_at, body, crc"
bool store_read_hit(sqlite3_stmt *row, uint64_t *hseq, struct store_hit *out);
bool store_read_alert(sqlite3_stmt *row, struct store_alert *out);

// What SQLite's last word means to the caller.
int store_refused(const struct store *store, const char *doing, struct tc_err *err);

// Runs SQL without parameters and rows.
int store_run(struct store *store, const char *sql, const char *doing, struct tc_err *err);

// Runs a writing statement to its end.
int store_write_row(struct store *store, enum statement which, const char *doing,
                    struct tc_err *err);

// Writes a counter, or an id, into meta.
int store_put_mark(struct store *store, const char *key, uint64_t value, struct tc_err *err);
int store_put_id(struct store *store, const char *key, struct tc_id id, struct tc_err *err);

// The one number that `sql` gives.
int store_integer(struct store *store, const char *sql, int64_t *out, struct tc_err *err);

static inline void bind_u64(sqlite3_stmt *statement, int at, uint64_t value)
{
    sqlite3_bind_int64(statement, at, (sqlite3_int64)value);
}

// The caller keeps the bytes until the statement has run.
static inline void bind_text(sqlite3_stmt *statement, int at, tc_str value)
{
    sqlite3_bind_text64(statement, at, value.ptr ? value.ptr : "", value.len, SQLITE_STATIC,
                        SQLITE_UTF8);
}

static inline void bind_blob(sqlite3_stmt *statement, int at, tc_str value)
{
    sqlite3_bind_blob64(statement, at, value.ptr ? value.ptr : "", value.len, SQLITE_STATIC);
}

static inline tc_str id_bytes(const struct tc_id *id)
{
    return (tc_str){(const char *)id->bytes, sizeof id->bytes};
}

// "tocs": tells our files from other programs' SQLite files.
enum { STORE_APPLICATION = 0x746f6373 };

static inline tc_str column_bytes(sqlite3_stmt *statement, int at)
{
    const char *bytes = sqlite3_column_blob(statement, at);
    return (tc_str){bytes ? bytes : "", (size_t)sqlite3_column_bytes(statement, at)};
}

// False when it is none.
static inline bool column_id(sqlite3_stmt *statement, int at, struct tc_id *out)
{
    tc_str bytes = column_bytes(statement, at);
    if (bytes.len == sizeof out->bytes)
        memcpy(out->bytes, bytes.ptr, sizeof out->bytes);
    return bytes.len == sizeof out->bytes;
}

#endif
