#include "broker/store_parts.h"

#include "common/fault.h"

// --- rows ---

static uint32_t crc_u64(uint32_t crc, uint64_t value)
{
    char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(value >> (8 * i));
    return tc_crc32(crc, (tc_str){bytes, sizeof bytes});
}

static uint32_t crc_bytes(uint32_t crc, tc_str bytes)
{
    return tc_crc32(crc_u64(crc, bytes.len), bytes);
}

uint32_t store_alert_crc(const struct store_alert *alert)
{
    uint32_t crc = crc_u64(0, alert->seq);
    crc = crc_bytes(crc, id_bytes(&alert->id));
    crc = crc_bytes(crc, alert->topic);
    crc = crc_bytes(crc, alert->labels);
    crc = crc_bytes(crc, id_bytes(&alert->story));
    crc = crc_u64(crc, alert->hseq);
    crc = crc_u64(crc, (uint64_t)alert->stored_at_ns);
    return crc_bytes(crc, alert->body);
}

uint32_t store_hit_crc(uint64_t hseq, const struct store_hit *hit)
{
    uint32_t crc = crc_u64(0, hseq);
    crc = crc_bytes(crc, id_bytes(&hit->id));
    crc = crc_bytes(crc, hit->watch);
    crc = crc_bytes(crc, hit->source);
    crc = crc_bytes(crc, hit->article);
    crc = crc_u64(crc, hit->version);
    crc = crc_u64(crc, hit->segment);
    return crc_bytes(crc, hit->body);
}

uint32_t store_article_crc(tc_str source, tc_str id, uint64_t version, tc_str record)
{
    return crc_bytes(crc_u64(crc_bytes(crc_bytes(0, source), id), version), record);
}

bool store_read_hit(sqlite3_stmt *row, uint64_t *hseq, struct store_hit *out)
{
    *hseq = (uint64_t)sqlite3_column_int64(row, 0);
    *out = (struct store_hit){
        .watch = column_bytes(row, 2),
        .source = column_bytes(row, 3),
        .article = column_bytes(row, 4),
        .version = (uint64_t)sqlite3_column_int64(row, 5),
        .segment = (uint32_t)sqlite3_column_int64(row, 6),
        .body = column_bytes(row, 7),
    };
    return column_id(row, 1, &out->id) &&
           store_hit_crc(*hseq, out) == (uint64_t)sqlite3_column_int64(row, 8);
}

bool store_read_alert(sqlite3_stmt *row, struct store_alert *out)
{
    *out = (struct store_alert){
        .seq = (uint64_t)sqlite3_column_int64(row, 0),
        .topic = column_bytes(row, 2),
        .labels = column_bytes(row, 3),
        .hseq = (uint64_t)sqlite3_column_int64(row, 5),
        .stored_at_ns = sqlite3_column_int64(row, 6),
        .body = column_bytes(row, 7),
    };
    return column_id(row, 1, &out->id) && column_id(row, 4, &out->story) &&
           store_alert_crc(out) == (uint64_t)sqlite3_column_int64(row, 8);
}

const struct store_marks *store_marks(const struct store *store)
{
    return &store->marks;
}

const struct store_marks *store_committed(const struct store *store)
{
    return store->writing ? &store->at_begin : &store->marks;
}

// --- writing ---

bool store_writing(const struct store *store)
{
    return store->writing;
}

int store_begin(struct store *store, struct tc_err *err)
{
    int code = store_run(store, "BEGIN IMMEDIATE", "beginning a transaction", err);
    if (code != TC_OK)
        return code;
    store->at_begin = store->marks;
    store->changes_at_begin = sqlite3_total_changes(store->db);
    store->writing = true;
    return TC_OK;
}

bool store_changed(const struct store *store)
{
    return sqlite3_total_changes(store->db) != store->changes_at_begin;
}

static int write_marks(struct store *store, struct tc_err *err)
{
    const struct store_marks *now = &store->marks, *then = &store->at_begin;
    int code = TC_OK;
    if (now->hhead != then->hhead)
        code = store_put_mark(store, "hhead", now->hhead, err);
    if (code == TC_OK && now->head != then->head)
        code = store_put_mark(store, "head", now->head, err);
    if (code == TC_OK && now->commits != then->commits)
        code = store_put_mark(store, "commits", now->commits, err);
    if (code == TC_OK && now->stored_at_ns != then->stored_at_ns)
        code = store_put_mark(store, "stored_at", (uint64_t)now->stored_at_ns, err);
    if (code == TC_OK && now->first != then->first)
        code = store_put_mark(store, "first", now->first, err);
    if (code == TC_OK && now->hfirst != then->hfirst)
        code = store_put_mark(store, "hfirst", now->hfirst, err);
    return code;
}

int store_commit(struct store *store, struct tc_err *err)
{
    bool rows = store->marks.hhead != store->at_begin.hhead; // a crash elsewhere proves little
    int code = write_marks(store, err);
    if (code != TC_OK)
        return code;
    if (rows)
        tc_fault("store.commit");
    // What a broker that acknowledges without having stored would do: the oracle has to find it.
    bool forgets = rows && tc_fault_strikes("store.forgets");
    code = store_run(store, forgets ? "ROLLBACK" : "COMMIT", "committing", err);
    if (code != TC_OK)
        return code;
    if (rows)
        tc_fault("store.committed");
    store->writing = false;
    return TC_OK;
}

void store_rollback(struct store *store)
{
    if (!store->writing)
        return;
    if (!sqlite3_get_autocommit(store->db)) // a full disk may have rolled back by itself
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    store->marks = store->at_begin;
    store->writing = false;
}

// The first row of a transaction makes it a commit that counts, and the first such commit of this
// process begins its run.
static int count_commit(struct store *store, struct tc_err *err)
{
    sqlite3_stmt *statement = store->statements[PUT_RUN];
    int code = TC_OK;
    if (store->marks.commits != store->at_begin.commits)
        return TC_OK;
    if (!tc_id_eq(store->marks.run, store->run)) {
        bind_u64(statement, 1, store->marks.commits + 1);
        bind_blob(statement, 2, id_bytes(&store->run));
        code = store_write_row(store, PUT_RUN, "beginning a run", err);
    }
    if (code == TC_OK) {
        store->marks.commits++;
        store->marks.run = store->run;
    }
    return code;
}

int store_run_end(struct store *store, struct tc_id run, uint64_t *commits, struct tc_err *err)
{
    sqlite3_stmt *statement = store->statements[FIND_RUN];
    uint64_t last = store_committed(store)->commits;
    int code = TC_OK;
    bind_blob(statement, 1, id_bytes(&run));
    int step = sqlite3_step(statement);
    uint64_t next = (uint64_t)sqlite3_column_int64(statement, 0); // 0: no run came after it
    if (step == SQLITE_ROW)
        *commits = next && next - 1 < last ? next - 1 : last;
    else if (step == SQLITE_DONE)
        code = tc_fail(err, TC_ENOENT, "no such run");
    else
        code = store_refused(store, "looking for a run", err);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code;
}

int store_put_article(struct store *store, tc_str source, tc_str id, uint64_t version,
                      tc_str record, uint64_t hseq, struct tc_err *err)
{
    sqlite3_stmt *statement = store->statements[PUT_ARTICLE];
    bind_text(statement, 1, source);
    bind_text(statement, 2, id);
    bind_u64(statement, 3, version);
    bind_u64(statement, 4, store_article_crc(source, id, version, record));
    bind_blob(statement, 5, record);
    bind_u64(statement, 6, hseq);
    int code = store_write_row(store, PUT_ARTICLE, "storing an article", err);
    return code == TC_OK && sqlite3_changes(store->db) ? count_commit(store, err) : code;
}

// Looks at the stored hit of that id: its number, and whether its row is as it was written.
static int find_hit(struct store *store, struct tc_id id, uint64_t *hseq, bool *whole,
                    struct tc_err *err)
{
    sqlite3_stmt *row = store->statements[FIND_HIT];
    int code = TC_OK;
    bind_blob(row, 1, id_bytes(&id));
    if (sqlite3_step(row) == SQLITE_ROW) {
        struct store_hit stored;
        *whole = store_read_hit(row, hseq, &stored);
    } else {
        code = store_refused(store, "looking for a hit", err);
    }
    sqlite3_reset(row);
    sqlite3_clear_bindings(row);
    return code;
}

// A hit that came again heals the damaged row of its first coming.
static int mend_hit(struct store *store, uint64_t hseq, const struct store_hit *hit,
                    struct tc_err *err)
{
    sqlite3_stmt *statement = store->statements[MEND_HIT];
    bind_u64(statement, 1, hseq);
    bind_text(statement, 2, hit->watch);
    bind_text(statement, 3, hit->source);
    bind_text(statement, 4, hit->article);
    bind_u64(statement, 5, hit->version);
    bind_u64(statement, 6, hit->segment);
    bind_u64(statement, 7, store_hit_crc(hseq, hit));
    bind_blob(statement, 8, hit->body);
    return store_write_row(store, MEND_HIT, "mending a hit", err);
}

// The number of a hit whose row retention has removed; 0 when there is none of that id.
static int find_seen(struct store *store, struct tc_id id, uint64_t *hseq, struct tc_err *err)
{
    sqlite3_stmt *row = store->statements[FIND_SEEN];
    *hseq = 0;
    if (!store->seen)
        return TC_OK;
    bind_blob(row, 1, id_bytes(&id));
    int step = sqlite3_step(row), code = TC_OK;
    if (step == SQLITE_ROW)
        *hseq = (uint64_t)sqlite3_column_int64(row, 0);
    else if (step != SQLITE_DONE)
        code = store_refused(store, "looking for an old hit", err);
    sqlite3_reset(row);
    sqlite3_clear_bindings(row);
    return code;
}

int store_put_hit(struct store *store, const struct store_hit *hit, bool *fresh, uint64_t *hseq,
                  struct tc_err *err)
{
    sqlite3_stmt *statement = store->statements[PUT_HIT];
    uint64_t next = store->marks.hhead + 1;
    int code = find_seen(store, hit->id, hseq, err);
    *fresh = false;
    if (code != TC_OK || *hseq)
        return code;
    bind_u64(statement, 1, next);
    bind_blob(statement, 2, id_bytes(&hit->id));
    bind_text(statement, 3, hit->watch);
    bind_text(statement, 4, hit->source);
    bind_text(statement, 5, hit->article);
    bind_u64(statement, 6, hit->version);
    bind_u64(statement, 7, hit->segment);
    bind_u64(statement, 8, store_hit_crc(next, hit));
    bind_blob(statement, 9, hit->body);
    code = store_write_row(store, PUT_HIT, "storing a hit", err);
    if (code != TC_OK)
        return code;
    if (sqlite3_changes(store->db) == 0) {
        bool whole = true;
        code = find_hit(store, hit->id, &next, &whole, err);
        if (code == TC_OK && !whole)
            code = mend_hit(store, next, hit, err);
        if (code != TC_OK)
            return code;
        *hseq = next;
        return TC_OK;
    }
    store->marks.hhead = next;
    *fresh = true;
    *hseq = next;
    return count_commit(store, err);
}

void store_next_alert(const struct store *store, int64_t now_wall_ns, struct store_alert *alert)
{
    const struct store_marks *marks = &store->marks;
    alert->seq = marks->head + 1;
    alert->stored_at_ns = now_wall_ns > marks->stored_at_ns ? now_wall_ns : marks->stored_at_ns;
}

int store_put_alert(struct store *store, const struct store_alert *alert, struct tc_err *err)
{
    sqlite3_stmt *statement = store->statements[PUT_ALERT];
    bind_u64(statement, 1, alert->seq);
    bind_blob(statement, 2, id_bytes(&alert->id));
    bind_text(statement, 3, alert->topic);
    bind_text(statement, 4, alert->labels);
    bind_blob(statement, 5, id_bytes(&alert->story));
    bind_u64(statement, 6, alert->hseq);
    bind_u64(statement, 7, (uint64_t)alert->stored_at_ns);
    bind_u64(statement, 8, store_alert_crc(alert));
    bind_blob(statement, 9, alert->body);
    int code = store_write_row(store, PUT_ALERT, "storing an alert", err);
    if (code == TC_OK) {
        store->marks.head = alert->seq;
        store->marks.stored_at_ns = alert->stored_at_ns;
    }
    return code;
}

int store_put_watch(struct store *store, struct tc_id hash, tc_str name, tc_str definition,
                    int64_t now_wall_ns, struct tc_err *err)
{
    sqlite3_stmt *statement = store->statements[PUT_WATCH];
    bind_blob(statement, 1, id_bytes(&hash));
    bind_text(statement, 2, name);
    bind_blob(statement, 3, definition);
    bind_u64(statement, 4, (uint64_t)now_wall_ns);
    return store_write_row(store, PUT_WATCH, "storing a watch", err);
}

// --- reading ---

int store_walk(struct store *store, uint64_t after, tc_str topic, struct tc_err *err)
{
    store_walk_end(store);
    if (after > INT64_MAX)
        return tc_fail(err, TC_EINVAL, "no alert has such a number");
    store->walk = store->statements[topic.len ? WALK_TOPIC : WALK_ALL];
    bind_u64(store->walk, 1, after);
    store->walked = after;
    if (topic.len) // copied: the walk outlives the caller's text
        sqlite3_bind_text64(store->walk, 2, topic.ptr, topic.len, SQLITE_TRANSIENT, SQLITE_UTF8);
    return TC_OK;
}

void store_walk_end(struct store *store)
{
    if (!store->walk)
        return;
    sqlite3_reset(store->walk);
    sqlite3_clear_bindings(store->walk);
    store->walk = NULL;
}

// On a page that cannot be read every number may have been: each is told as damaged, and the walk goes on
// behind it. What must not happen is that one page ends the stream of alerts for ever.
static int step_over(struct store *store, struct store_alert *out)
{
    uint64_t next = store->walked + 1;
    store_walk_end(store);
    if (next > store->marks.head)
        return TC_ENOENT;
    if (next < store->marks.first)
        next = store->marks.first;
    *out = (struct store_alert){.seq = next};
    store->walk = store->statements[WALK_ALL];
    bind_u64(store->walk, 1, next);
    store->walked = next;
    return TC_ECORRUPT;
}

int store_walk_next(struct store *store, struct store_alert *out, struct tc_err *err)
{
    sqlite3_stmt *row = store->walk;
    if (!row)
        return TC_ENOENT;
    int step = sqlite3_step(row);
    if (step == SQLITE_ROW) {
        bool whole = store_read_alert(row, out);
        store->walked = out->seq;
        return whole ? TC_OK : TC_ECORRUPT;
    }
    if ((step & 0xff) == SQLITE_CORRUPT)
        return step_over(store, out);
    int code = TC_ENOENT;
    if (step != SQLITE_DONE) {
        store_refused(store, "reading alerts", err);
        code = TC_EIO;
    }
    store_walk_end(store);
    return code;
}

int store_since(struct store *store, int64_t wall_ns, uint64_t *seq, struct tc_err *err)
{
    sqlite3_stmt *statement = store->statements[SINCE];
    int code = TC_OK;
    sqlite3_bind_int64(statement, 1, wall_ns);
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW)
        *seq = (uint64_t)sqlite3_column_int64(statement, 0);
    else if (step == SQLITE_DONE)
        *seq = store->marks.head + 1;
    else
        code = store_refused(store, "looking for a time", err);
    sqlite3_reset(statement);
    return code;
}

int store_watch(struct store *store, struct tc_id hash, struct tc_buf *out, struct tc_err *err)
{
    sqlite3_stmt *statement = store->statements[GET_WATCH];
    int code = TC_OK;
    bind_blob(statement, 1, id_bytes(&hash));
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW)
        tc_buf_str(out, column_bytes(statement, 0));
    else if (step == SQLITE_DONE)
        code = tc_fail(err, TC_ENOENT, "no such watch");
    else
        code = store_refused(store, "looking for a watch", err);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code;
}

static uint64_t number_of(struct store *store, const char *sql)
{
    int64_t value = 0;
    return store_integer(store, sql, &value, NULL) == TC_OK ? (uint64_t)value : 0;
}

uint64_t store_watch_count(struct store *store)
{
    return number_of(store, "SELECT count(*) FROM watch");
}

uint64_t store_bytes(struct store *store)
{
    return number_of(store, "PRAGMA page_count") * number_of(store, "PRAGMA page_size");
}

uint64_t store_free_bytes(struct store *store)
{
    return number_of(store, "PRAGMA freelist_count") * number_of(store, "PRAGMA page_size");
}

void store_checkpoint(struct store *store)
{
    sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}
