#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "broker/store.h"
#include "tests/fault/load.h"

enum { HITS_MOST = 6, DAY = 1000 };

// ---- what transaction t writes ------------------------------------------------------------

struct made {
    unsigned hits;
    bool defines, moves; // a watch, a consumer's cursor
    bool silent[HITS_MOST];
};

static struct made make(const struct load *load, unsigned t)
{
    struct chance chance = load_chance(load, t);
    struct made made = {.hits = 1 + (unsigned)chance_below(&chance, HITS_MOST)};
    made.defines = chance_one_in(&chance, 5);
    made.moves = chance_one_in(&chance, 3);
    for (unsigned i = 0; i < made.hits; i++)
        made.silent[i] = chance_one_in(&chance, 6);
    return made;
}

static struct tc_id id_of(const char *what, unsigned t, unsigned i)
{
    char text[64];
    int len = snprintf(text, sizeof text, "%s %u %u", what, t, i);
    return tc_id_of_bytes((tc_str){text, (size_t)len});
}

static void begin(struct load *load)
{
    load->memory = calloc(1, sizeof(struct tc_id)); // the epoch, once it is known
}

static void end(struct load *load)
{
    free(load->memory);
}

static void path_of(const struct load *load, char *out)
{
    snprintf(out, LOAD_FOLDER_BYTES + 32, "%s/broker.db", load->folder);
}

static int open_it(struct load *load, struct tc_err *err)
{
    char path[LOAD_FOLDER_BYTES + 32];
    struct store *store = NULL;
    path_of(load, path);
    int code = store_open(tc_str_of(path), &store, err);
    load->db = store;
    if (code == TC_OK && load->promised == 0 && !load->judged)
        *(struct tc_id *)load->memory = store_marks(store)->epoch;
    return code;
}

static void close_it(struct load *load)
{
    store_close(load->db);
    load->db = NULL;
}

static int put_hit(const struct load *load, unsigned t, unsigned i, bool fresh, uint64_t *hseq,
                   struct tc_err *err)
{
    char body[LOAD_TEXT_BYTES], name[32];
    size_t len = load_text(load, t, i, body);
    bool was_fresh = false;
    snprintf(name, sizeof name, "article-%u-%u", t, i);
    struct store_hit hit = {
        .id = id_of("hit", t, i),
        .watch = TC_STR("news/one"),
        .source = TC_STR("wire"),
        .article = tc_str_of(name),
        .version = 1,
        .segment = i,
        .body = {body, len},
    };
    int code = store_put_hit(load->db, &hit, &was_fresh, hseq, err);
    if (code == TC_OK)
        code = store_put_article(load->db, hit.source, hit.article, 1, hit.body, *hseq, err);
    if (code == TC_OK && was_fresh != fresh)
        code = tc_fail(err, TC_EPROTO, "hit %u-%u is %s", t, i, was_fresh ? "new" : "known");
    return code;
}

static tc_str topic_of(unsigned i)
{
    return i % 2 ? TC_STR("news/one/high/") : TC_STR("news/two/low/");
}

static int put_alert(const struct load *load, unsigned t, unsigned i, uint64_t hseq,
                     struct tc_err *err)
{
    char body[LOAD_TEXT_BYTES];
    size_t len = load_text(load, t, i + HITS_MOST, body);
    struct store_alert alert = {
        .id = id_of("alert", t, i),
        .topic = topic_of(i),
        .labels = TC_STR("{\"desk\":\"asia\"}"),
        .hseq = hseq,
        .body = {body, len},
    };
    store_next_alert(load->db, t * DAY, &alert);
    return store_put_alert(load->db, &alert, err);
}

static int put_all(const struct load *load, unsigned t, struct tc_err *err)
{
    struct made made = make(load, t);
    char definition[LOAD_TEXT_BYTES];
    size_t len = load_text(load, t, 2 * HITS_MOST, definition);
    uint64_t hseq = 0;
    int code = TC_OK;
    if (made.defines)
        code = store_put_watch(load->db, id_of("watch", t, 0), TC_STR("news/one"),
                               (tc_str){definition, len}, t * DAY, err);
    if (code == TC_OK && t > 1) // a resent one, which changes nothing
        code = put_hit(load, t - 1, 0, false, &hseq, err);
    for (unsigned i = 0; i < made.hits && code == TC_OK; i++) {
        code = put_hit(load, t, i, true, &hseq, err);
        if (code == TC_OK && !made.silent[i])
            code = put_alert(load, t, i, hseq, err);
    }
    struct store_consumer desk = {
        .name = TC_STR("desk"),
        .owner = TC_STR("~"),
        .filters = TC_STR(""),
        .lease = TC_STR(""),
        .epoch = store_marks(load->db)->epoch,
        .cursor = store_marks(load->db)->head,
        .seen_wall_ns = t * DAY,
    };
    return code == TC_OK && made.moves ? store_put_consumer(load->db, &desk, err) : code;
}

static int step(struct load *load, unsigned t, struct tc_err *err)
{
    int code = store_begin(load->db, err);
    if (code == TC_OK)
        code = put_all(load, t, err);
    if (code == TC_OK)
        code = store_commit(load->db, err);
    if (code != TC_OK)
        store_rollback(load->db);
    return code;
}

// ---- what must be there -------------------------------------------------------------------

static bool expect_hit(struct load *load, sqlite3_stmt *row, uint64_t hseq, unsigned t, unsigned i)
{
    char body[LOAD_TEXT_BYTES];
    size_t len = load_text(load, t, i, body);
    struct tc_id id = id_of("hit", t, i);
    if (sqlite3_step(row) != SQLITE_ROW)
        return load_wrong(load, "hit %llu (%u-%u) is missing", (unsigned long long)hseq, t, i);
    if ((uint64_t)sqlite3_column_int64(row, 0) != hseq || sqlite3_column_bytes(row, 1) != 16 ||
        memcmp(sqlite3_column_blob(row, 1), id.bytes, 16) != 0 ||
        sqlite3_column_bytes(row, 2) != (int)len ||
        memcmp(sqlite3_column_blob(row, 2), body, len) != 0)
        return load_wrong(load, "in the place of hit %llu (%u-%u) lies another",
                          (unsigned long long)hseq, t, i);
    return true;
}

// By a connection of its own: what the store believes must be what is there.
static bool has_hits(struct load *load, unsigned steps, uint64_t *hits)
{
    char path[LOAD_FOLDER_BYTES + 32];
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    path_of(load, path);
    bool good = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
                sqlite3_prepare_v2(db, "SELECT hseq, id, body FROM hit ORDER BY hseq", -1, &row,
                                   NULL) == SQLITE_OK;
    if (!good)
        load_wrong(load, "hits cannot be read: %s", sqlite3_errmsg(db));
    *hits = 0;
    for (unsigned t = 1; t <= steps && good; t++) {
        struct made made = make(load, t);
        for (unsigned i = 0; i < made.hits && good; i++)
            good = expect_hit(load, row, ++*hits, t, i);
    }
    if (good && sqlite3_step(row) != SQLITE_DONE)
        good = load_wrong(load, "there is a hit behind the last, %llu", (unsigned long long)*hits);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return good;
}

static bool expect_alert(struct load *load, uint64_t seq, unsigned t, unsigned i)
{
    char body[LOAD_TEXT_BYTES];
    size_t len = load_text(load, t, i + HITS_MOST, body);
    struct store_alert alert = {0};
    struct tc_err err = {0};
    int code = store_walk_next(load->db, &alert, &err);
    if (code != TC_OK)
        return load_wrong(load, "alert %llu (%u-%u): code %d %s", (unsigned long long)seq, t, i,
                          code, err.text);
    if (alert.seq != seq || !tc_id_eq(alert.id, id_of("alert", t, i)) ||
        !tc_str_eq(alert.body, (tc_str){body, len}))
        return load_wrong(load, "in the place of alert %llu (%u-%u) lies another",
                          (unsigned long long)seq, t, i);
    return true;
}

static bool has_alerts(struct load *load, unsigned steps, uint64_t *alerts)
{
    struct tc_err err;
    struct store_alert beyond;
    bool good = store_walk(load->db, 0, (tc_str){"", 0}, &err) == TC_OK;
    *alerts = 0;
    for (unsigned t = 1; t <= steps && good; t++) {
        struct made made = make(load, t);
        for (unsigned i = 0; i < made.hits && good; i++)
            good = made.silent[i] || expect_alert(load, ++*alerts, t, i);
    }
    if (good && store_walk_next(load->db, &beyond, &err) != TC_ENOENT)
        good = load_wrong(load, "there is an alert behind the last, %llu",
                          (unsigned long long)*alerts);
    store_walk_end(load->db);
    return good;
}

static bool has_watches(struct load *load, unsigned steps)
{
    struct tc_buf body = {0};
    struct tc_err err = {0};
    bool good = true;
    for (unsigned t = 1; t <= steps && good; t++) {
        char definition[LOAD_TEXT_BYTES];
        tc_str expected = {definition, load_text(load, t, 2 * HITS_MOST, definition)};
        tc_buf_clear(&body);
        if (make(load, t).defines &&
            (store_watch(load->db, id_of("watch", t, 0), &body, &err) != TC_OK ||
             !tc_str_eq(tc_buf_view(&body), expected)))
            good = load_wrong(load, "watch %u: %s", t, err.text);
    }
    tc_buf_done(&body);
    return good;
}

static int take_cursor(void *context, const struct store_consumer *consumer, struct tc_err *err)
{
    (void)err;
    *(uint64_t *)context = consumer->cursor;
    return TC_OK;
}

// Where the consumer was moved last.
static uint64_t cursor_after(const struct load *load, unsigned steps)
{
    uint64_t alerts = 0, cursor = 0;
    for (unsigned t = 1; t <= steps; t++) {
        struct made made = make(load, t);
        for (unsigned i = 0; i < made.hits; i++)
            alerts += !made.silent[i];
        if (made.moves)
            cursor = alerts;
    }
    return cursor;
}

static bool holds(struct load *load, unsigned steps)
{
    const struct store_marks *marks = store_marks(load->db);
    uint64_t hits = 0, alerts = 0, cursor = 0;
    struct tc_err err;
    if (load->promised && steps && !tc_id_eq(marks->epoch, *(struct tc_id *)load->memory))
        return load_wrong(load, "the epoch is another one");
    if (!has_hits(load, steps, &hits) || !has_alerts(load, steps, &alerts) ||
        !has_watches(load, steps))
        return false;
    if (marks->hhead != hits || marks->head != alerts)
        return load_wrong(load, "the marks are %llu and %llu, not %llu and %llu",
                          (unsigned long long)marks->hhead, (unsigned long long)marks->head,
                          (unsigned long long)hits, (unsigned long long)alerts);
    store_each_consumer(load->db, take_cursor, &cursor, &err);
    return cursor == cursor_after(load, steps) ||
           load_wrong(load, "the cursor is %llu", (unsigned long long)cursor);
}

// ---- a damaged one -------------------------------------------------------------------------

// Where an alert of that number comes from. False when there is none.
static bool find_alert(const struct load *load, unsigned steps, uint64_t seq, unsigned *t,
                       unsigned *i)
{
    uint64_t alerts = 0;
    for (*t = 1; *t <= steps; ++*t) {
        struct made made = make(load, *t);
        for (*i = 0; *i < made.hits; ++*i) {
            alerts += !made.silent[*i];
            if (alerts == seq && !made.silent[*i])
                return true;
        }
    }
    return false;
}

static bool same_alert(const struct load *load, unsigned steps, const struct store_alert *alert)
{
    char body[LOAD_TEXT_BYTES];
    unsigned t = 0, i = 0;
    if (!find_alert(load, steps, alert->seq, &t, &i))
        return false;
    tc_str expected = {body, load_text(load, t, i + HITS_MOST, body)};
    return tc_id_eq(alert->id, id_of("alert", t, i)) && tc_str_eq(alert->body, expected) &&
           tc_str_eq(alert->topic, topic_of(i));
}

static bool honest(struct load *load, unsigned steps, struct load_survey *out)
{
    struct store_alert alert = {0};
    struct tc_err err = {0};
    unsigned given = 0, all = 0, t = 0, i = 0;
    int code = store_walk(load->db, 0, (tc_str){"", 0}, &err);
    while (code == TC_OK && (code = store_walk_next(load->db, &alert, &err)) != TC_ENOENT) {
        bool same = code == TC_OK && same_alert(load, steps, &alert);
        if (code == TC_OK && !same)
            return load_wrong(load, "alert %llu is given with another text",
                              (unsigned long long)alert.seq);
        if (code != TC_OK && code != TC_ECORRUPT)
            break; // the walk has ended, and says why
        given += same;
        out->damaged += !same;
        out->altered += code == TC_ECORRUPT && alert.body.len > 0;
        code = TC_OK;
    }
    while (find_alert(load, steps, all + 1, &t, &i))
        all++;
    out->damaged += code != TC_OK && code != TC_ENOENT;
    out->missing = all - given;
    return true;
}

const struct load_kind store_load = {
    .name = "store",
    .file = "broker.db",
    .begin = begin,
    .end = end,
    .open = open_it,
    .close = close_it,
    .step = step,
    .holds = holds,
    .honest = honest,
};
