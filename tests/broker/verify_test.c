#include "broker/verify.h"

#include "common/clock.h"
#include "tests/broker/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <sqlite3.h>

enum { ARTICLES = 400, BIG_PAGE = 4096 };

struct told {
    char first[200];
    size_t count;
    struct verify_report report;
};

static int set_up(void **state)
{
    static struct rig rig;
    rig_open(&rig);
    rig_begin(&rig);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_close(*state);
    return 0;
}

static void put(struct rig *rig, unsigned from, unsigned count)
{
    for (unsigned i = from; i < from + count; i++) {
        char id[16];
        snprintf(id, sizeof id, "a%u", i);
        rig_put(rig, "watcher", i + 1, id, 2);
        assert_int_equal(rig_turn(rig), TC_OK);
        assert_string_equal(rig->answers[0].reply, "ACK");
    }
}

static void tell(void *context, const char *sentence)
{
    struct told *told = context;
    if (told->count++ == 0)
        snprintf(told->first, sizeof told->first, "%s", sentence);
}

static struct told verified(const struct rig *rig)
{
    struct told told = {.count = 0};
    struct verify_to to = {&told, tell, NULL};
    struct tc_err err;
    assert_int_equal(verify_store(rig->path, true, &to, &told.report, &err), TC_OK);
    return told;
}

static void change(const struct rig *rig, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

// A copy of the store, under copy.path.
static struct rig copied(const struct rig *rig)
{
    struct rig copy = *rig;
    char sql[160];
    snprintf(copy.path, sizeof copy.path, "%s/copy.db", rig->folder);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", copy.path);
    change(rig, sql);
    return copy;
}

static void a_store_in_order_has_no_fault_also_while_it_is_written(void **state)
{
    struct rig *rig = *state;
    put(rig, 0, 20);
    struct told told = verified(rig);
    assert_string_equal(told.first, "");
    assert_int_equal(told.report.faults, 0);
    assert_int_equal(told.report.hits, 40);
    assert_int_equal(told.report.alerts, 40);
    assert_int_equal(told.report.articles, 20);
    assert_int_equal(told.report.watches, 1);
    assert_true(told.report.pages);
}

static void each_damage_is_named(void **state)
{
    static const struct {
        const char *damage, *words;
    } cases[] = {
        {"UPDATE alert SET labels = '{\"desk\":\"asib\"}' WHERE seq = 3",
         "alert 3 fails its checksum"},
        {"UPDATE hit SET body = x'00' WHERE hseq = 3", "hit 3 fails its checksum"},
        {"UPDATE article SET record = x'00' WHERE id = 'a1'",
         "article a1 of wire, version 1, fails its checksum"},
        {"UPDATE watch SET definition = x'00'", "a definition of watch news/one"},
        {"DELETE FROM alert WHERE seq = 3", "alert 3 is missing"},
        {"DELETE FROM alert WHERE seq > 38", "alerts 39 to 40 are missing"},
        {"DELETE FROM alert WHERE seq < 3", "alerts 1 to 2 are missing"},
        {"DELETE FROM hit WHERE hseq BETWEEN 4 AND 6", "hits 4 to 6 are missing"},
        {"DELETE FROM article WHERE id = 'a3'", "its article a3 of wire is missing"},
        {"UPDATE meta SET value = 39 WHERE key = 'head'", "there is alert 40"},
        {"UPDATE meta SET value = 39 WHERE key = 'hhead'", "there is hit 40"},
        {"INSERT INTO seen SELECT 0, id, crc FROM hit WHERE hseq = 7", "hit 7 is stored twice"},
        {"INSERT INTO consumer(name, cursor, start, seen) VALUES('desk', 41, 0, 0)",
         "consumer desk has acknowledged alert 41"},
    };
    struct rig *rig = *state;
    put(rig, 0, 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig copy = copied(rig);
        change(&copy, cases[i].damage);
        struct told told = verified(&copy);
        if (!strstr(told.first, cases[i].words))
            print_error("%s: %s\n", cases[i].damage, told.first);
        assert_non_null(strstr(told.first, cases[i].words));
        remove(copy.path);
    }
}

// Whatever page is overwritten is noticed, and everything else is still read.
static void a_lost_page_costs_what_is_on_it(void **state)
{
    struct rig *rig = *state;
    put(rig, 0, ARTICLES);
    struct rig copy = copied(rig);
    FILE *file = fopen(copy.path, "r+");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long pages = ftell(file) / BIG_PAGE;
    char kept[BIG_PAGE], bad[BIG_PAGE];
    memset(bad, 0x5a, sizeof bad);
    assert_true(pages > 100);
    for (long page = 2; page < pages; page += 7) {
        fseek(file, page * BIG_PAGE, SEEK_SET);
        assert_int_equal(fread(kept, 1, sizeof kept, file), sizeof kept);
        fseek(file, page * BIG_PAGE, SEEK_SET);
        fwrite(bad, 1, sizeof bad, file);
        fflush(file);
        struct verify_report report;
        struct told told = {.count = 0};
        struct verify_to to = {&told, tell, NULL};
        int code = verify_store(copy.path, true, &to, &report, NULL);
        assert_true(code != TC_OK || report.faults > 0);
        if (code == TC_OK) // a page of rows, or one that leads to a hundred such
            assert_true(report.hits + report.alerts >= ARTICLES);
        fseek(file, page * BIG_PAGE, SEEK_SET);
        fwrite(kept, 1, sizeof kept, file);
        fflush(file);
    }
    fclose(file);
    assert_int_equal(verified(&copy).report.faults, 0);
    remove(copy.path);
}

static bool at_once(void *context)
{
    (void)context;
    return true;
}

static void what_cannot_be_read_and_a_stop_are_said(void **state)
{
    struct rig *rig = *state;
    struct verify_report report;
    struct told told = {.count = 0};
    struct verify_to to = {&told, tell, at_once};
    struct tc_err err;
    put(rig, 0, ARTICLES);
    put(rig, ARTICLES, ARTICLES);
    assert_int_equal(verify_store(rig->path, true, &to, &report, &err), TC_ESTOP);
    assert_int_equal(verify_store("/nowhere.db", true, &to, &report, &err), TC_ENOENT);
    assert_non_null(strstr(err.text, "/nowhere.db"));
    change(rig, "PRAGMA user_version = 99");
    assert_int_equal(verify_store(rig->path, true, &to, &report, &err), TC_EVERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_in_order_has_no_fault_also_while_it_is_written,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_damage_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_page_costs_what_is_on_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_and_a_stop_are_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
