#include "broker/retain.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define HOUR (INT64_C(3600) * TC_SECOND)
#define DAY (24 * HOUR)
#define NOBODY UINT64_MAX

// A store with retention, in a time of our own.
struct rig {
    char folder[32], path[64];
    struct store *store;
    struct retain *retain;
    struct retain_settings settings;
    struct age_reading now;
    unsigned made;
};

static void open_both(struct rig *rig)
{
    assert_int_equal(store_open(tc_str_of(rig->path), &rig->store, NULL), TC_OK);
    assert_int_equal(retain_open(rig->store, &rig->settings, &rig->now, &rig->retain, NULL), TC_OK);
}

static void close_both(struct rig *rig)
{
    retain_close(rig->retain);
    store_close(rig->store);
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    snprintf(rig->folder, sizeof rig->folder, "/tmp/tocsin-retain-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->path, sizeof rig->path, "%s/broker.db", rig->folder);
    rig->settings = (struct retain_settings){.keep_ns = 10 * DAY, .protect_ns = 7 * DAY};
    rig->now = (struct age_reading){20000 * DAY, DAY, {{1}}};
    open_both(rig);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    struct rig *rig = *state;
    close_both(rig);
    for (size_t i = 0; i < 3; i++) {
        char path[80];
        snprintf(path, sizeof path, "%s%s", rig->path, ends[i]);
        unlink(path);
    }
    rmdir(rig->folder);
    free(rig);
    return 0;
}

static struct store_hit hit_named(const char *name)
{
    tc_str part = tc_str_of(name);
    return (struct store_hit){.id = tc_id_of(&part, 1),
                              .watch = TC_STR("news/one"),
                              .source = TC_STR("wire"),
                              .article = part,
                              .version = 1,
                              .body = TC_STR("HIT")};
}

static bool put_hit(struct rig *rig, unsigned number)
{
    char name[16];
    bool fresh = false;
    uint64_t hseq = 0;
    snprintf(name, sizeof name, "a%u", number);
    struct store_hit hit = hit_named(name);
    assert_int_equal(store_put_hit(rig->store, &hit, &fresh, &hseq, NULL), TC_OK);
    assert_int_equal(
        store_put_article(rig->store, hit.source, hit.article, 1, TC_STR("{}"), hseq, NULL), TC_OK);
    return fresh;
}

// So many hits with an alert each.
static void put(struct rig *rig, unsigned count)
{
    assert_int_equal(store_begin(rig->store, NULL), TC_OK);
    for (unsigned i = 0; i < count; i++) {
        struct store_alert alert = {
            .topic = TC_STR("news/one/high/"), .labels = TC_STR("{}"), .body = TC_STR("{}")};
        assert_true(put_hit(rig, rig->made++));
        alert.hseq = store_marks(rig->store)->hhead;
        store_next_alert(rig->store, rig->now.wall_ns, &alert);
        assert_int_equal(store_put_alert(rig->store, &alert, NULL), TC_OK);
    }
    assert_int_equal(store_commit(rig->store, NULL), TC_OK);
}

// The tick that is due, and all that it leaves to do.
static void turn(struct rig *rig, uint64_t lowest)
{
    do
        assert_int_equal(retain_turn(rig->retain, &rig->now, lowest, NULL), TC_OK);
    while (retain_wait_ns(rig->retain, &rig->now) == 0);
}

static void pass(struct rig *rig, int64_t ns, uint64_t lowest)
{
    rig->now.wall_ns += ns;
    rig->now.boot_ns += ns;
    turn(rig, lowest);
}

static int64_t count(struct rig *rig, const char *table)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    char sql[64];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return value;
}

static void what_is_older_goes_and_what_is_younger_stays(void **state)
{
    struct rig *rig = *state;
    turn(rig, NOBODY);
    put(rig, 20);
    pass(rig, 6 * DAY, NOBODY);
    put(rig, 3);
    pass(rig, 4 * DAY - 2 * HOUR, NOBODY);
    assert_int_equal(store_marks(rig->store)->first, 1); // not yet
    pass(rig, 4 * HOUR, NOBODY);
    assert_int_equal(store_marks(rig->store)->first, 1); // the note after them is six days old
    pass(rig, 6 * DAY, NOBODY);
    assert_int_equal(store_marks(rig->store)->first, 21);
    assert_int_equal(store_marks(rig->store)->hfirst, 21);
    assert_int_equal(count(rig, "alert"), 3);
    assert_int_equal(count(rig, "hit"), 3);
    assert_int_equal(count(rig, "article"), 3);
    assert_int_equal(count(rig, "seen"), 20);
}

static void a_removed_hit_that_comes_again_is_a_duplicate_until_its_id_goes(void **state)
{
    struct rig *rig = *state;
    turn(rig, NOBODY);
    put(rig, 20);
    pass(rig, DAY, NOBODY);
    pass(rig, 11 * DAY, NOBODY);
    assert_int_equal(store_marks(rig->store)->first, 21); // none is left
    close_both(rig);
    open_both(rig);
    turn(rig, NOBODY);
    assert_int_equal(store_begin(rig->store, NULL), TC_OK);
    assert_false(put_hit(rig, 7));
    assert_int_equal(store_marks(rig->store)->hhead, 20);
    assert_int_equal(store_commit(rig->store, NULL), TC_OK);
    pass(rig, RETAIN_IDS_DAYS * DAY, NOBODY);
    assert_int_equal(count(rig, "seen"), 0);
    assert_int_equal(store_begin(rig->store, NULL), TC_OK);
    assert_true(put_hit(rig, 7));
    assert_int_equal(store_marks(rig->store)->hhead, 21);
    assert_int_equal(store_commit(rig->store, NULL), TC_OK);
}

static void a_consumer_is_waited_for_but_not_for_ever(void **state)
{
    struct rig *rig = *state;
    turn(rig, NOBODY);
    put(rig, 20);
    pass(rig, DAY, 5);
    pass(rig, 11 * DAY, 5);
    assert_int_equal(store_marks(rig->store)->first, 6); // what it has dealt with goes
    pass(rig, DAY, 8);
    assert_int_equal(store_marks(rig->store)->first, 9);
    pass(rig, 6 * DAY, 8);
    assert_int_equal(store_marks(rig->store)->first, 21); // seven days more, then it has a gap
}

static void a_jump_of_the_clock_makes_nothing_old(void **state)
{
    static const int64_t jumps[] = {HOUR, DAY, 3650 * DAY, -HOUR, -DAY, -3650 * DAY};
    struct rig *rig = *state;
    turn(rig, NOBODY);
    put(rig, 20);
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        rig->now.wall_ns += jumps[i];
        pass(rig, HOUR, NOBODY);
        assert_int_equal(retain_ahead_ns(rig->retain), jumps[i]);
        assert_true(retain_doubts(rig->retain) == (llabs(jumps[i]) > DAY));
        close_both(rig); // nor when the broker was away meanwhile
        rig->now.boot_ns += HOUR;
        rig->now.wall_ns += HOUR - jumps[i];
        open_both(rig);
        turn(rig, NOBODY);
        assert_int_equal(retain_ahead_ns(rig->retain), 0);
        assert_int_equal(store_marks(rig->store)->first, 1);
    }
    close_both(rig);
    rig->now = (struct age_reading){rig->now.wall_ns + 3650 * DAY, HOUR, {{2}}}; // a boot
    open_both(rig);
    turn(rig, NOBODY);
    assert_int_equal(store_marks(rig->store)->first, 1);
    assert_true(retain_doubts(rig->retain));
    pass(rig, 11 * DAY, NOBODY); // what has really passed counts all the same
    assert_int_equal(store_marks(rig->store)->first, 21);
}

static void a_person_can_say_that_the_clock_is_right(void **state)
{
    struct rig *rig = *state;
    turn(rig, NOBODY);
    put(rig, 20);
    pass(rig, DAY, NOBODY);
    close_both(rig);
    rig->now = (struct age_reading){rig->now.wall_ns + 30 * DAY, HOUR, {{2}}};
    open_both(rig);
    turn(rig, NOBODY);
    assert_int_equal(store_marks(rig->store)->first, 1);
    close_both(rig);
    rig->settings.trust_clock = true;
    open_both(rig);
    turn(rig, NOBODY);
    assert_false(retain_doubts(rig->retain));
    assert_int_equal(store_marks(rig->store)->first, 21);
}

static void a_clock_that_was_ahead_and_is_corrected_lets_retention_go_on(void **state)
{
    struct rig *rig = *state;
    turn(rig, NOBODY);
    put(rig, 20);
    pass(rig, DAY, NOBODY);
    close_both(rig);
    rig->now.wall_ns -= 3650 * DAY;
    rig->settings.trust_clock = true;
    open_both(rig);
    turn(rig, NOBODY);
    assert_int_equal(store_marks(rig->store)->first, 1);
    pass(rig, 11 * DAY, NOBODY);
    assert_int_equal(store_marks(rig->store)->first, 21);
}

static void what_is_kept_for_ever_is_not_removed(void **state)
{
    struct rig *rig = *state;
    close_both(rig);
    rig->settings.keep_ns = 0;
    open_both(rig);
    put(rig, 3);
    for (int i = 0; i < 10; i++)
        pass(rig, 365 * DAY, NOBODY);
    assert_int_equal(store_marks(rig->store)->first, 1);
    close_both(rig); // a limit that comes later finds how old everything is
    rig->settings.keep_ns = 400 * DAY;
    open_both(rig);
    turn(rig, NOBODY);
    assert_int_equal(store_marks(rig->store)->first, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_older_goes_and_what_is_younger_stays, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_removed_hit_that_comes_again_is_a_duplicate_until_its_id_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_consumer_is_waited_for_but_not_for_ever, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_jump_of_the_clock_makes_nothing_old, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_person_can_say_that_the_clock_is_right, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_clock_that_was_ahead_and_is_corrected_lets_retention_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_kept_for_ever_is_not_removed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
