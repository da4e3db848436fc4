#include "broker/reader.h"

#include "broker/store_parts.h"
#include "common/mem.h"

#include <stdlib.h>
#include <unistd.h>

enum lookup { HAS_HIT, HAS_SEEN, HAS_ARTICLE, LOOKUPS };

static const char *const lookup_sql[LOOKUPS] = {
    [HAS_HIT] = "SELECT 1 FROM hit WHERE hseq = ?1",
    [HAS_SEEN] = "SELECT 1 FROM seen WHERE id = ?1",
    [HAS_ARTICLE] = "SELECT 1 FROM article WHERE source = ?1 AND id = ?2 AND version = ?3",
};

static const char hits_sql[] = "SELECT " HIT_COLUMNS " FROM hit WHERE hseq BETWEEN ?1 AND ?2 "
                               "ORDER BY hseq LIMIT ?3";
static const char alerts_sql[] = "SELECT " ALERT_COLUMNS " FROM alert WHERE seq BETWEEN ?1 AND ?2 "
                                 "ORDER BY seq LIMIT ?3";

struct reader {
    sqlite3 *db;
    sqlite3_stmt *hits, *alerts;
    sqlite3_stmt *lookups[LOOKUPS];
    sqlite3_stmt *walk; // one of the first two
    bool stepping;
    uint64_t next, end, in_chunk;
};

// --- opening ---

static int refused(const struct reader *reader, const char *doing, struct tc_err *err)
{
    int reason = sqlite3_errcode(reader->db) & 0xff;
    return tc_fail(err, reason == SQLITE_CORRUPT || reason == SQLITE_NOTADB ? TC_ECORRUPT : TC_EIO,
                   "%s: %s", doing, sqlite3_errmsg(reader->db));
}

static int integer(const struct reader *reader, const char *sql, int64_t *out, struct tc_err *err)
{
    sqlite3_stmt *row = NULL;
    int code = TC_OK;
    if (sqlite3_prepare_v2(reader->db, sql, -1, &row, NULL) == SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW)
        *out = sqlite3_column_int64(row, 0);
    else
        code = refused(reader, "reading it", err);
    sqlite3_finalize(row);
    return code;
}

static int check_owner(const struct reader *reader, struct tc_err *err)
{
    int64_t owner = 0, version = 0;
    int code = integer(reader, "PRAGMA application_id", &owner, err);
    if (code == TC_OK)
        code = integer(reader, "PRAGMA user_version", &version, err);
    if (code == TC_OK && owner != STORE_APPLICATION)
        code = tc_fail(err, TC_ECORRUPT, "it is no store of a broker");
    if (code == TC_OK && version != STORE_SCHEMA)
        code = tc_fail(err, TC_EVERSION,
                       "its schema is version %lld and this tocsin reads %d: start the broker on "
                       "it once, or use its own tocsin",
                       (long long)version, STORE_SCHEMA);
    return code;
}

static int prepare(struct reader *reader, struct tc_err *err)
{
    bool good = sqlite3_prepare_v2(reader->db, hits_sql, -1, &reader->hits, NULL) == SQLITE_OK &&
                sqlite3_prepare_v2(reader->db, alerts_sql, -1, &reader->alerts, NULL) == SQLITE_OK;
    for (int i = 0; i < LOOKUPS && good; i++)
        good = sqlite3_prepare_v2(reader->db, lookup_sql[i], -1, &reader->lookups[i], NULL) ==
               SQLITE_OK;
    return good ? TC_OK : refused(reader, "reading its tables", err);
}

static int open_inside(struct reader *reader, const char *path, struct tc_err *err)
{
    if (access(path, F_OK) != 0)
        return tc_fail(err, TC_ENOENT, "there is no such file");
    if (sqlite3_open_v2(path, &reader->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        return refused(reader, "opening it", err);
    // Only the broker may write what the log holds into the file.
    sqlite3_db_config(reader->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    // writable_schema: else a file that was cut off is not read at all. Nothing can be written here.
    sqlite3_exec(reader->db,
                 "PRAGMA writable_schema = ON; PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0",
                 NULL, NULL, NULL);
    int code = check_owner(reader, err);
    return code == TC_OK ? prepare(reader, err) : code;
}

int reader_open(const char *path, struct reader **out, struct tc_err *err)
{
    struct reader *reader = tc_new(sizeof *reader);
    int code = open_inside(reader, path, err);
    if (code != TC_OK) {
        tc_err_prefix(err, "%s", path);
        reader_close(reader);
        return code;
    }
    *out = reader;
    return TC_OK;
}

void reader_close(struct reader *reader)
{
    if (!reader)
        return;
    sqlite3_finalize(reader->hits);
    sqlite3_finalize(reader->alerts);
    for (int i = 0; i < LOOKUPS; i++)
        sqlite3_finalize(reader->lookups[i]);
    sqlite3_close(reader->db);
    free(reader);
}

// --- marks ---

static void take_mark(struct reader_marks *out, tc_str key, sqlite3_stmt *row)
{
    int64_t value = sqlite3_column_int64(row, 1);
    struct {
        const char *key;
        uint64_t *to;
    } numbers[] = {
        {"head", &out->marks.head},
        {"hhead", &out->marks.hhead},
        {"first", &out->marks.first},
        {"hfirst", &out->marks.hfirst},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (tc_str_eq(key, tc_str_of(numbers[i].key)))
            *numbers[i].to = (uint64_t)value;
    }
    if (tc_str_eq(key, TC_STR("stored_at")))
        out->marks.stored_at_ns = value;
    else if (tc_str_eq(key, TC_STR("clock")))
        out->age.clock_ns = value, out->has_age = true;
    else if (tc_str_eq(key, TC_STR("wall")))
        out->age.last.wall_ns = value;
    else if (tc_str_eq(key, TC_STR("boot_ns")))
        out->age.last.boot_ns = value;
    else if (tc_str_eq(key, TC_STR("boot")))
        column_id(row, 1, &out->age.last.boot);
    else if (tc_str_eq(key, TC_STR("epoch")))
        column_id(row, 1, &out->marks.epoch);
    else if (tc_str_eq(key, TC_STR("copy")))
        out->is_copy = value != 0;
}

int reader_marks(struct reader *reader, struct reader_marks *out, struct tc_err *err)
{
    sqlite3_stmt *row = NULL;
    *out = (struct reader_marks){.marks = {.first = 1, .hfirst = 1}};
    int step = sqlite3_prepare_v2(reader->db, "SELECT key, value FROM meta", -1, &row, NULL);
    while (step == SQLITE_OK || step == SQLITE_ROW) {
        step = sqlite3_step(row);
        if (step == SQLITE_ROW)
            take_mark(out, column_bytes(row, 0), row);
    }
    int code = step == SQLITE_DONE ? TC_OK : refused(reader, "reading its marks", err);
    sqlite3_finalize(row);
    return code;
}

static void end_of(struct reader *reader, const char *sql, uint64_t *out)
{
    int64_t value = 0;
    if (integer(reader, sql, &value, NULL) == TC_OK && value > 0)
        *out = (uint64_t)value;
}

void reader_ends(struct reader *reader, struct store_marks *out)
{
    *out = (struct store_marks){.first = 1, .hfirst = 1};
    end_of(reader, "SELECT min(seq) FROM alert", &out->first);
    end_of(reader, "SELECT max(seq) FROM alert", &out->head);
    end_of(reader, "SELECT min(hseq) FROM hit", &out->hfirst);
    end_of(reader, "SELECT max(hseq) FROM hit", &out->hhead);
}

// --- by number ---

static void seek(struct reader *reader, sqlite3_stmt *walk, uint64_t from, uint64_t end)
{
    if (reader->walk)
        sqlite3_reset(reader->walk);
    reader->walk = walk;
    reader->next = from;
    reader->end = end;
    reader->stepping = false;
}

void reader_seek_hits(struct reader *reader, uint64_t from, uint64_t end)
{
    seek(reader, reader->hits, from, end);
}

void reader_seek_alerts(struct reader *reader, uint64_t from, uint64_t end)
{
    seek(reader, reader->alerts, from, end);
}

// Steps to the next row. TC_OK: the walk stands on one.
static int next_row(struct reader *reader, uint64_t *number)
{
    sqlite3_stmt *walk = reader->walk;
    while (reader->next <= reader->end) {
        if (!reader->stepping) {
            bind_u64(walk, 1, reader->next);
            bind_u64(walk, 2, reader->end);
            bind_u64(walk, 3, READER_CHUNK);
            reader->stepping = true;
            reader->in_chunk = 0;
        }
        int step = sqlite3_step(walk);
        if (step == SQLITE_ROW) {
            reader->in_chunk++;
            *number = (uint64_t)sqlite3_column_int64(walk, 0);
            reader->next = *number + 1;
            return TC_OK;
        }
        sqlite3_reset(walk);
        reader->stepping = false;
        if (step != SQLITE_DONE) {
            *number = reader->next++;
            return TC_EIO;
        }
        if (reader->in_chunk < READER_CHUNK)
            break;
    }
    sqlite3_reset(walk);
    reader->stepping = false;
    reader->next = reader->end + 1;
    return TC_ENOENT;
}

int reader_next_hit(struct reader *reader, uint64_t *number, struct store_hit *out)
{
    int code = next_row(reader, number);
    if (code == TC_OK && !store_read_hit(reader->walk, number, out))
        code = TC_ECORRUPT;
    return code;
}

int reader_next_alert(struct reader *reader, uint64_t *number, struct store_alert *out)
{
    int code = next_row(reader, number);
    if (code == TC_OK && !store_read_alert(reader->walk, out))
        code = TC_ECORRUPT;
    return code;
}

// --- by key ---

// A table that is walked by its key, whose columns come first in the row.
struct table {
    const char *select, *behind; // all rows; those behind a key
    const char *order, *back;
    int key_columns;
    int (*take)(sqlite3_stmt *row, const struct reader_tell *tell);
};

static int take_article(sqlite3_stmt *row, const struct reader_tell *tell)
{
    struct reader_article article = {
        .source = column_bytes(row, 0),
        .id = column_bytes(row, 1),
        .version = (uint64_t)sqlite3_column_int64(row, 2),
        .record = column_bytes(row, 3),
        .hseq = (uint64_t)sqlite3_column_int64(row, 5),
    };
    uint32_t crc = store_article_crc(article.source, article.id, article.version, article.record);
    return tell->article(tell->context, &article, crc == (uint64_t)sqlite3_column_int64(row, 4));
}

static int take_watch(sqlite3_stmt *row, const struct reader_tell *tell)
{
    struct reader_watch watch = {
        .name = column_bytes(row, 1),
        .definition = column_bytes(row, 2),
        .since_wall_ns = sqlite3_column_int64(row, 3),
    };
    bool whole =
        column_id(row, 0, &watch.hash) && tc_id_eq(tc_id_of_bytes(watch.definition), watch.hash);
    return tell->watch(tell->context, &watch, whole);
}

static int take_consumer(sqlite3_stmt *row, const struct reader_tell *tell)
{
    return tell->consumer(tell->context, column_bytes(row, 0),
                          (uint64_t)sqlite3_column_int64(row, 1), row);
}

static int take_seen(sqlite3_stmt *row, const struct reader_tell *tell)
{
    return tell->seen(tell->context, (uint64_t)sqlite3_column_int64(row, 0), column_bytes(row, 1),
                      (uint64_t)sqlite3_column_int64(row, 2));
}

static int take_hour(sqlite3_stmt *row, const struct reader_tell *tell)
{
    return tell->hour(tell->context, sqlite3_column_int64(row, 0),
                      (uint64_t)sqlite3_column_int64(row, 1),
                      (uint64_t)sqlite3_column_int64(row, 2));
}

static const struct table articles = {
    "SELECT source, id, version, record, crc, hseq FROM article",
    "WHERE (source, id, version) > (?1, ?2, ?3)",
    "ORDER BY source, id, version",
    "ORDER BY source DESC, id DESC, version DESC",
    3,
    take_article,
};
static const struct table watches = {"SELECT hash, name, definition, since FROM watch",
                                     "WHERE hash > ?1",
                                     "ORDER BY hash",
                                     "ORDER BY hash DESC",
                                     1,
                                     take_watch};
// A cursor of another history says nothing here.
static const struct table consumers = {"SELECT name, iif(epoch IN (x'', (SELECT value FROM meta "
                                       "WHERE key = 'epoch')), cursor, 0), * FROM consumer",
                                       "WHERE name > ?1",
                                       "ORDER BY name",
                                       "ORDER BY name DESC",
                                       1,
                                       take_consumer};
static const struct table ids = {"SELECT hseq, id, crc FROM seen",
                                 "WHERE hseq > ?1",
                                 "ORDER BY hseq",
                                 "ORDER BY hseq DESC",
                                 1,
                                 take_seen};
static const struct table hours = {"SELECT hour, head, hhead FROM hour",
                                   "WHERE hour > ?1",
                                   "ORDER BY hour",
                                   "ORDER BY hour DESC",
                                   1,
                                   take_hour};

enum { KEY_MOST = 3, SQL_BYTES = 256, PROGRESS_STEPS = 100000 };

static void keep_key(sqlite3_stmt *row, int columns, sqlite3_value **key)
{
    for (int i = 0; i < columns; i++) {
        sqlite3_value_free(key[i]);
        key[i] = sqlite3_value_dup(sqlite3_column_value(row, i));
    }
}

// One chunk of the rows behind `key`; `down`: all of them, from the other end. Gives the number of rows.
static int run_chunk(struct reader *reader, const struct table *table, bool down,
                     sqlite3_value **key, const struct reader_tell *tell, int *count,
                     struct tc_err *err)
{
    char sql[SQL_BYTES];
    sqlite3_stmt *row = NULL;
    int columns = table->key_columns, code = TC_OK;
    sqlite3_snprintf(sizeof sql, sql, "%s %s %s LIMIT %d", table->select,
                     key[0] ? table->behind : "", down ? table->back : table->order,
                     down ? INT32_MAX : READER_CHUNK);
    int step = sqlite3_prepare_v2(reader->db, sql, -1, &row, NULL);
    for (int i = 0; i < columns && key[0] && step == SQLITE_OK; i++)
        sqlite3_bind_value(row, i + 1, key[i]);
    *count = 0;
    while (code == TC_OK && (step == SQLITE_OK || step == SQLITE_ROW)) {
        step = sqlite3_step(row);
        if (step != SQLITE_ROW)
            break;
        code = table->take(row, tell);
        ++*count;
        if (!down)
            keep_key(row, columns, key);
    }
    if (code == TC_OK && step != SQLITE_DONE) {
        refused(reader, "reading a table", err);
        code = TC_EIO;
    }
    sqlite3_finalize(row);
    return code;
}

static int each(struct reader *reader, const struct table *table, const struct reader_tell *tell,
                struct tc_err *err)
{
    sqlite3_value *key[KEY_MOST] = {NULL};
    int code = TC_OK, count = READER_CHUNK;
    while (code == TC_OK && count == READER_CHUNK)
        code = run_chunk(reader, table, false, key, tell, &count, err);
    if (code == TC_EIO)
        run_chunk(reader, table, true, key, tell, &count, err);
    for (int i = 0; i < KEY_MOST; i++)
        sqlite3_value_free(key[i]);
    return code;
}

int reader_each_article(struct reader *reader, const struct reader_tell *tell, struct tc_err *err)
{
    return each(reader, &articles, tell, err);
}

int reader_each_watch(struct reader *reader, const struct reader_tell *tell, struct tc_err *err)
{
    return each(reader, &watches, tell, err);
}

int reader_each_consumer(struct reader *reader, const struct reader_tell *tell, struct tc_err *err)
{
    return each(reader, &consumers, tell, err);
}

int reader_each_seen(struct reader *reader, const struct reader_tell *tell, struct tc_err *err)
{
    return each(reader, &ids, tell, err);
}

int reader_each_hour(struct reader *reader, const struct reader_tell *tell, struct tc_err *err)
{
    return each(reader, &hours, tell, err);
}

// --- looking up ---

static bool found(struct reader *reader, enum lookup which)
{
    sqlite3_stmt *row = reader->lookups[which];
    bool there = sqlite3_step(row) == SQLITE_ROW;
    sqlite3_reset(row);
    sqlite3_clear_bindings(row);
    return there;
}

bool reader_has_hit(struct reader *reader, uint64_t hseq)
{
    bind_u64(reader->lookups[HAS_HIT], 1, hseq);
    return found(reader, HAS_HIT);
}

bool reader_has_seen(struct reader *reader, struct tc_id id)
{
    bind_blob(reader->lookups[HAS_SEEN], 1, id_bytes(&id));
    return found(reader, HAS_SEEN);
}

bool reader_has_article(struct reader *reader, const struct store_hit *hit)
{
    bind_text(reader->lookups[HAS_ARTICLE], 1, hit->source);
    bind_text(reader->lookups[HAS_ARTICLE], 2, hit->article);
    bind_u64(reader->lookups[HAS_ARTICLE], 3, hit->version);
    return found(reader, HAS_ARTICLE);
}

int reader_check(struct reader *reader, void *context,
                 void (*tell)(void *context, const char *sentence), int (*stop)(void *context))
{
    sqlite3_stmt *row = NULL;
    sqlite3_progress_handler(reader->db, PROGRESS_STEPS, stop, context);
    int step = sqlite3_prepare_v2(reader->db, "PRAGMA integrity_check(100)", -1, &row, NULL);
    while (step == SQLITE_OK || step == SQLITE_ROW) {
        step = sqlite3_step(row);
        if (step != SQLITE_ROW)
            break;
        const char *sentence = (const char *)sqlite3_column_text(row, 0);
        if (sentence && strcmp(sentence, "ok") != 0)
            tell(context, sentence);
    }
    int code = (step & 0xff) == SQLITE_INTERRUPT ? TC_ESTOP : TC_OK;
    if (code == TC_OK && step != SQLITE_DONE)
        tell(context, sqlite3_errmsg(reader->db));
    sqlite3_finalize(row);
    sqlite3_progress_handler(reader->db, 0, NULL, NULL);
    return code;
}
