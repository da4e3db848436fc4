#include "broker/store_parts.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

enum { NOON = 1000 };

struct place {
    char folder[32], path[64];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/tocsin-store-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/broker.db", place->folder);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    struct place *place = *state;
    for (size_t i = 0; i < 3; i++) {
        char path[80];
        snprintf(path, sizeof path, "%s%s", place->path, ends[i]);
        unlink(path);
    }
    rmdir(place->folder);
    free(place);
    return 0;
}

static struct store *opened(const struct place *place)
{
    struct store *store = NULL;
    struct tc_err err;
    assert_int_equal(store_open(tc_str_of(place->path), &store, &err), TC_OK);
    return store;
}

static uint64_t put_hit(struct store *store, const char *name, bool *fresh)
{
    tc_str part = tc_str_of(name);
    struct store_hit hit = {
        .id = tc_id_of(&part, 1),
        .watch = TC_STR("news/one"),
        .source = TC_STR("wire"),
        .article = part,
        .version = 1,
        .body = TC_STR("HIT"),
    };
    uint64_t hseq = 0;
    assert_int_equal(store_put_hit(store, &hit, fresh, &hseq, NULL), TC_OK);
    return hseq;
}

static uint64_t put_alert(struct store *store, const char *topic, int64_t now)
{
    struct store_alert alert = {
        .topic = tc_str_of(topic),
        .labels = TC_STR("{\"desk\":\"asia\"}"),
        .body = TC_STR("{\"an\":\"event\"}"),
        .hseq = 1,
    };
    store_next_alert(store, now, &alert);
    assert_int_equal(store_put_alert(store, &alert, NULL), TC_OK);
    return alert.seq;
}

static void begin(struct store *store)
{
    assert_int_equal(store_begin(store, NULL), TC_OK);
}

static void commit(struct store *store)
{
    assert_int_equal(store_commit(store, NULL), TC_OK);
}

static void numbers_have_no_hole_after_duplicates_and_rollbacks(void **state)
{
    struct store *store = opened(*state);
    bool fresh = false;
    begin(store);
    assert_int_equal(put_hit(store, "a", &fresh), 1);
    assert_true(fresh);
    assert_int_equal(put_hit(store, "a", &fresh), 1);
    assert_false(fresh);
    commit(store);
    begin(store);
    put_hit(store, "lost", &fresh);
    put_alert(store, "news/one/high/", NOON);
    assert_int_equal(store_marks(store)->hhead, 2);
    store_rollback(store);
    assert_int_equal(store_marks(store)->hhead, 1);
    assert_int_equal(store_marks(store)->head, 0);
    begin(store);
    assert_int_equal(put_hit(store, "b", &fresh), 2);
    assert_int_equal(put_alert(store, "news/one/high/", NOON), 1);
    commit(store);
    store_close(store);
}

static void a_store_that_is_opened_again_goes_on_in_its_epoch(void **state)
{
    struct store *store = opened(*state);
    struct tc_id epoch = store_marks(store)->epoch;
    bool fresh = false;
    begin(store);
    put_hit(store, "a", &fresh);
    put_alert(store, "news/one/high/", NOON);
    commit(store);
    begin(store);
    put_hit(store, "never committed", &fresh);
    store_close(store);
    store = opened(*state);
    assert_true(tc_id_eq(store_marks(store)->epoch, epoch));
    assert_int_equal(store_marks(store)->hhead, 1);
    assert_int_equal(store_marks(store)->head, 1);
    assert_int_equal(store_marks(store)->first, 1);
    assert_int_equal(store_marks(store)->stored_at_ns, NOON);
    store_close(store);
}

static uint64_t run_end(struct store *store, struct tc_id run)
{
    uint64_t commits = 0;
    int code = store_run_end(store, run, &commits, NULL);
    assert_true(code == TC_OK || code == TC_ENOENT);
    return code == TC_OK ? commits : UINT64_MAX;
}

static void put_one(struct store *store, const char *name)
{
    bool fresh = false;
    begin(store);
    put_hit(store, name, &fresh);
    commit(store);
}

static void commits_that_store_something_are_counted_by_runs(void **state)
{
    struct store *store = opened(*state);
    assert_int_equal(store_marks(store)->commits, 0);
    begin(store);
    commit(store); // stores nothing
    put_one(store, "a");
    put_one(store, "a"); // again
    struct tc_id first = store_marks(store)->run;
    assert_int_equal(store_marks(store)->commits, 1);
    begin(store);
    bool fresh = false;
    put_hit(store, "lost", &fresh);
    assert_int_equal(store_marks(store)->commits, 2);
    assert_int_equal(run_end(store, first), 1); // what is not committed is not told
    store_rollback(store);
    assert_int_equal(store_marks(store)->commits, 1);
    begin(store);
    assert_int_equal(
        store_put_article(store, TC_STR("wire"), TC_STR("n"), 2, TC_STR("{}"), 1, NULL), TC_OK);
    commit(store); // an article counts, too
    assert_int_equal(run_end(store, first), 2);
    store_close(store);

    store = opened(*state);
    store_close(store); // stores nothing: no run
    store = opened(*state);
    assert_true(tc_id_eq(store_marks(store)->run, first));
    begin(store);
    put_hit(store, "b", &fresh);
    struct tc_id lost = store_marks(store)->run;
    store_rollback(store);
    assert_true(tc_id_eq(store_marks(store)->run, first));
    assert_int_equal(run_end(store, lost), UINT64_MAX);
    put_one(store, "c");
    struct tc_id second = store_marks(store)->run;
    assert_false(tc_id_eq(first, second));
    put_one(store, "d");
    assert_int_equal(run_end(store, first), 2);
    assert_int_equal(run_end(store, second), 4);
    assert_int_equal(run_end(store, tc_id_random()), UINT64_MAX);
    store_close(store);
}

static void time_never_runs_against_the_numbers(void **state)
{
    static const struct {
        int64_t clock, stored;
    } steps[] = {{NOON, NOON}, {NOON - 500, NOON}, {NOON, NOON}, {NOON + 7, NOON + 7}};
    struct store *store = opened(*state);
    struct store_alert alert;
    uint64_t seq = 0;
    begin(store);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        put_alert(store, "news/one/high/", steps[i].clock);
    commit(store);
    assert_int_equal(store_walk(store, 0, (tc_str){"", 0}, NULL), TC_OK);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_int_equal(store_walk_next(store, &alert, NULL), TC_OK);
        assert_int_equal(alert.stored_at_ns, steps[i].stored);
    }
    assert_int_equal(store_walk_next(store, &alert, NULL), TC_ENOENT);
    assert_int_equal(store_since(store, NOON, &seq, NULL), TC_OK);
    assert_int_equal(seq, 1);
    assert_int_equal(store_since(store, NOON + 1, &seq, NULL), TC_OK);
    assert_int_equal(seq, 4);
    assert_int_equal(store_since(store, NOON + 8, &seq, NULL), TC_OK);
    assert_int_equal(seq, 5);
    store_close(store);
}

static void a_walk_of_one_topic_leaves_the_others_out(void **state)
{
    struct store *store = opened(*state);
    struct store_alert alert;
    begin(store);
    for (int i = 0; i < 6; i++)
        put_alert(store, i % 2 ? "b/b/b/" : "a/a/a/", NOON);
    commit(store);
    assert_int_equal(store_walk(store, 2, TC_STR("b/b/b/"), NULL), TC_OK);
    assert_int_equal(store_walk_next(store, &alert, NULL), TC_OK);
    assert_int_equal(alert.seq, 4);
    assert_int_equal(store_walk_next(store, &alert, NULL), TC_OK);
    assert_int_equal(alert.seq, 6);
    assert_int_equal(store_walk_next(store, &alert, NULL), TC_ENOENT);
    store_walk_end(store);
    store_close(store);
}

static void change(const struct place *place, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_change_of_any_column_is_noticed_and_the_rest_read(void **state)
{
    static const char *const columns[] = {
        "id = randomblob(16)", "id = x'00'", "topic = 'news/two/high/'",
        "labels = '{}'",       "hseq = 2",   "story = randomblob(16)",
        "stored_at = 1001",    "crc = 1",    "body = CAST('{}' AS BLOB)",
    };
    const struct place *place = *state;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        struct store *store = opened(place);
        struct store_alert alert;
        uint64_t head = store_marks(store)->head;
        char sql[128];
        begin(store);
        for (int n = 0; n < 3; n++)
            put_alert(store, "news/one/high/", NOON);
        commit(store);
        store_close(store);
        snprintf(sql, sizeof sql, "UPDATE alert SET %s WHERE seq = %d", columns[i], (int)head + 2);
        change(place, sql);
        store = opened(place);
        assert_int_equal(store_walk(store, head, (tc_str){"", 0}, NULL), TC_OK);
        assert_int_equal(store_walk_next(store, &alert, NULL), TC_OK);
        assert_int_equal(store_walk_next(store, &alert, NULL), TC_ECORRUPT);
        assert_int_equal(alert.seq, head + 2);
        assert_int_equal(store_walk_next(store, &alert, NULL), TC_OK);
        store_close(store);
    }
}

static int open_fails(const struct place *place, const char *words)
{
    struct store *store = NULL;
    struct tc_err err;
    int code = store_open(tc_str_of(place->path), &store, &err);
    assert_null(store);
    assert_non_null(strstr(err.text, words));
    assert_non_null(strstr(err.text, place->path));
    return code;
}

static void what_is_no_store_of_this_version_is_refused(void **state)
{
    const struct place *place = *state;
    store_close(opened(place));
    change(place, "PRAGMA user_version = 99");
    assert_int_equal(open_fails(place, "newer"), TC_EVERSION);
    change(place, "PRAGMA user_version = 2; PRAGMA application_id = 7");
    assert_int_equal(open_fails(place, "another program"), TC_ECORRUPT);
    change(place, "PRAGMA application_id = 0x746f6373; DELETE FROM meta WHERE key = 'epoch'");
    assert_int_equal(open_fails(place, "epoch"), TC_ECORRUPT);
    FILE *file = fopen(place->path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("not a database at all\n", file);
    fclose(file);
    assert_int_equal(open_fails(place, "--accept-data-loss"), TC_ECORRUPT);
}

static void rows_that_differ_from_the_counters_are_damage(void **state)
{
    static const struct {
        const char *damage, *repair;
    } cases[] = {
        {"UPDATE meta SET value = 1 WHERE key = 'hhead'",
         "UPDATE meta SET value = 2 WHERE key = 'hhead'"},
        {"UPDATE meta SET value = 3 WHERE key = 'hhead'",
         "UPDATE meta SET value = 2 WHERE key = 'hhead'"},
        {"INSERT INTO meta VALUES('hfirst', 2)", "DELETE FROM meta WHERE key = 'hfirst'"},
        {"INSERT INTO meta VALUES('first', 2)", "DELETE FROM meta WHERE key = 'first'"},
        {"DELETE FROM alert WHERE seq = 2", ""},
    };
    const struct place *place = *state;
    struct store *store = opened(place);
    bool fresh = false;
    begin(store);
    put_hit(store, "a", &fresh);
    put_hit(store, "b", &fresh);
    put_alert(store, "news/one/high/", NOON);
    put_alert(store, "news/one/high/", NOON);
    commit(store);
    store_close(store);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        store_close(opened(place));
        change(place, cases[i].damage);
        assert_int_equal(open_fails(place, "counted"), TC_ECORRUPT);
        change(place, cases[i].repair);
    }
}

// What version 1 lacked is taken out of a store of today.
static const char back_to_1[] =
    "DROP TABLE seen; DROP TABLE hour; DROP TABLE run; DROP INDEX article_hseq;"
    "ALTER TABLE article DROP COLUMN hseq;"
    "DROP TABLE consumer; CREATE TABLE consumer(name TEXT PRIMARY KEY,"
    "cursor INTEGER NOT NULL, start INTEGER NOT NULL, seen INTEGER NOT "
    "NULL) STRICT, WITHOUT ROWID; INSERT INTO consumer "
    "VALUES('desk', 1, 0, 7); PRAGMA user_version = 1";

static int expect_desk(void *context, const struct store_consumer *consumer, struct tc_err *err)
{
    (void)err;
    assert_true(tc_str_eq(consumer->name, TC_STR("desk")));
    assert_int_equal(consumer->cursor, 1);
    assert_true(tc_id_eq(consumer->epoch, *(const struct tc_id *)context));
    assert_int_equal(consumer->lease.len + consumer->owner.len + consumer->filters.len, 0);
    return TC_EEXIST; // seen
}

static void a_store_of_version_1_is_upgraded_with_all_that_is_in_it(void **state)
{
    const struct place *place = *state;
    struct store *store = opened(place);
    struct store_alert alert;
    bool fresh = false;
    begin(store);
    put_hit(store, "a", &fresh);
    put_alert(store, "news/one/high/", NOON);
    assert_int_equal(
        store_put_article(store, TC_STR("wire"), TC_STR("a"), 1, TC_STR("{}"), 1, NULL), TC_OK);
    commit(store);
    struct tc_id epoch = store_marks(store)->epoch;
    store_close(store);
    change(place, back_to_1);
    store = opened(place);
    assert_true(tc_id_eq(store_marks(store)->epoch, epoch));
    assert_int_equal(store_marks(store)->first, 1);
    assert_int_equal(store_marks(store)->hfirst, 1);
    assert_int_equal(store_each_consumer(store, expect_desk, &epoch, NULL), TC_EEXIST);
    assert_int_equal(store_walk(store, 0, (tc_str){"", 0}, NULL), TC_OK);
    assert_int_equal(store_walk_next(store, &alert, NULL), TC_OK);
    begin(store);
    put_hit(store, "a", &fresh);
    assert_false(fresh);
    assert_int_equal(put_hit(store, "b", &fresh), 2);
    commit(store);
    store_close(store);
    store_close(opened(place)); // once is enough
}

static void a_definition_is_found_by_its_hash(void **state)
{
    struct store *store = opened(*state);
    struct tc_buf out = {0};
    struct tc_id hash = tc_id_of_bytes(TC_STR("{}"));
    assert_int_equal(store_watch(store, hash, &out, NULL), TC_ENOENT);
    begin(store);
    assert_int_equal(store_put_watch(store, hash, TC_STR("a/b"), TC_STR("{}"), NOON, NULL), TC_OK);
    assert_int_equal(store_put_watch(store, hash, TC_STR("a/b"), TC_STR("{}"), NOON, NULL), TC_OK);
    commit(store);
    assert_int_equal(store_watch_count(store), 1);
    assert_int_equal(store_watch(store, hash, &out, NULL), TC_OK);
    assert_string_equal(out.ptr, "{}");
    tc_buf_done(&out);
    store_close(store);
}

static void what_sqlite_is_told_holds(void **state)
{
    static const struct {
        const char *pragma;
        int64_t value;
    } settings[] = {
        {"PRAGMA synchronous", 2}, // FULL: the promise
        {"PRAGMA wal_autocheckpoint", 8000},
        {"PRAGMA cache_size", -65536},
        {"PRAGMA journal_size_limit", STORE_LOG_BYTES},
        {"PRAGMA secure_delete", 0},
        {"PRAGMA foreign_keys", 1},
        {"PRAGMA mmap_size", 0},
        {"PRAGMA trusted_schema", 0},
        {"PRAGMA application_id", STORE_APPLICATION},
        {"PRAGMA user_version", STORE_SCHEMA},
        {"SELECT journal_mode = 'wal' FROM pragma_journal_mode", 1},
    };
    struct store *store = opened(*state);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        int64_t value = -1;
        assert_int_equal(store_integer(store, settings[i].pragma, &value, NULL), TC_OK);
        if (value != settings[i].value)
            print_error("%s is %lld\n", settings[i].pragma, (long long)value);
        assert_int_equal(value, settings[i].value);
    }
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_have_no_hole_after_duplicates_and_rollbacks, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_store_that_is_opened_again_goes_on_in_its_epoch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(commits_that_store_something_are_counted_by_runs, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(time_never_runs_against_the_numbers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_walk_of_one_topic_leaves_the_others_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_change_of_any_column_is_noticed_and_the_rest_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_store_of_this_version_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(rows_that_differ_from_the_counters_are_damage, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_store_of_version_1_is_upgraded_with_all_that_is_in_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_sqlite_is_told_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_definition_is_found_by_its_hash, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
