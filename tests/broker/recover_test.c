#include "broker/recover.h"

#include "broker/verify.h"
#include "broker/wal.h"
#include "common/clock.h"
#include "tests/broker/rig.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

enum { ARTICLES = 100, PAGE = 4096, PATH = 256 };

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

static const struct rig_answer *put(struct rig *rig, unsigned batch, unsigned number)
{
    char id[16];
    snprintf(id, sizeof id, "a%u", number);
    rig_put(rig, "watcher", batch, id, 1);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_string_equal(rig->answers[0].reply, "ACK");
    return &rig->answers[0];
}

static uint64_t item(const struct rig_answer *answer, const char *key)
{
    uint64_t value = 0;
    const json_t *items = json_object_get(answer->header, "items");
    assert_true(tc_json_get_u64(json_array_get(items, 0), key, &value));
    return value;
}

static void run(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void tell(void *context, const char *sentence)
{
    (void)context;
    print_error("%s\n", sentence);
}

static struct verify_report whole(const char *path)
{
    struct verify_to to = {NULL, tell, NULL};
    struct verify_report report;
    struct tc_err err = {0};
    if (verify_store(path, true, &to, &report, &err) != TC_OK)
        print_error("%s\n", err.text);
    assert_int_equal(report.faults, 0);
    return report;
}

static void remove_all(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".recovered", ".recovering"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char name[PATH];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

// Closes the broker's store, damages it, recovers it and opens it again.
static struct recover_report recovered(struct rig *rig, const char *damage)
{
    struct recover_report report;
    struct tc_err err = {0};
    char why[TC_ERR_TEXT_BYTES];
    bool needed = false;
    rig_stop(rig);
    run(rig->path, damage);
    assert_int_equal(recover_needed(rig->path, &needed, why, &err), TC_OK);
    assert_true(needed);
    if (recover_store(rig->path, rig->wall_ns, &report, &err) != TC_OK)
        print_error("%s\n", err.text);
    whole(rig->path);
    remove_all(report.kept);
    rig_start(rig);
    return report;
}

static void begin_again(struct rig *rig)
{
    rig_ask(rig, "HELLO",
            "{\"role\":\"watcher\",\"name\":\"rig\",\"session\":\"" RIG_SESSION "\"}");
}

static void a_store_in_order_is_left_alone(void **state)
{
    struct rig *rig = *state;
    char why[TC_ERR_TEXT_BYTES];
    bool needed = true;
    put(rig, 1, 1);
    assert_int_equal(recover_needed(rig->path, &needed, why, NULL), TC_OK);
    assert_false(needed);
    assert_int_equal(recover_needed("/tmp/tocsin-no-such.db", &needed, why, NULL), TC_OK);
    assert_false(needed);
}

static void what_is_whole_goes_over_dense_in_a_new_epoch(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 1; i <= ARTICLES; i++)
        put(rig, i, i);
    rig_ask(rig, "ACK", "{\"consumer\":\"desk\",\"seq\":50}");
    struct tc_id epoch = store_marks(rig->store)->epoch;
    struct recover_report report =
        recovered(rig, "UPDATE alert SET body = x'00' WHERE seq IN (7, 8, 100);"
                       "UPDATE hit SET body = x'00' WHERE hseq IN (20, 21)");
    assert_int_equal(report.alerts, ARTICLES - 3);
    assert_int_equal(report.alerts_lost, 3);
    assert_int_equal(report.hits, ARTICLES - 5); // two damaged, three whose alert is lost
    assert_int_equal(report.consumers, 1);
    assert_int_equal(store_marks(rig->store)->head, ARTICLES - 3);
    assert_false(tc_id_eq(store_marks(rig->store)->epoch, epoch));
    const struct rig_answer *answer = rig_ask(rig, "FETCH", "{\"after\":0,\"max_n\":500}");
    assert_int_equal(answer->count, ARTICLES - 3);
    for (size_t i = 0; i < answer->count; i++)
        assert_int_equal(rig_sequence(answer, i), i + 1);
    answer = rig_ask(rig, "STATS", "{}");
    const json_t *desk = json_array_get(json_object_get(answer->header, "consumers"), 0);
    assert_int_equal(json_integer_value(json_object_get(desk, "cursor")), 48);
}

static void hits_that_come_again_make_the_alerts_that_are_missing_and_no_others(void **state)
{
    static const struct {
        unsigned article;
        uint64_t stored;
    } again[] = {{7, 1}, {20, 0}, {50, 0}, {100, 1}};
    struct rig *rig = *state;
    for (unsigned i = 1; i <= ARTICLES; i++)
        put(rig, i, i);
    recovered(rig, "UPDATE alert SET body = x'00' WHERE seq IN (7, 100);"
                   "UPDATE hit SET body = x'00' WHERE hseq = 20");
    begin_again(rig);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t head = store_marks(rig->store)->head;
        assert_int_equal(item(put(rig, i + 1, again[i].article), "stored"), again[i].stored);
        assert_int_equal(store_marks(rig->store)->head, head + again[i].stored);
    }
    rig_stop(rig);
    whole(rig->path);
    rig_start(rig);
}

static void lost_marks_lose_no_rows(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 1; i <= ARTICLES; i++)
        put(rig, i, i);
    struct recover_report report = recovered(rig, "DELETE FROM meta");
    assert_int_equal(report.alerts, ARTICLES);
    assert_int_equal(report.hits, ARTICLES);
}

static void overwrite(const char *path, long at, int byte, size_t count)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    for (size_t i = 0; i < count; i++)
        fputc(byte, file);
    fclose(file);
}

static void a_file_that_is_no_database_any_more_gives_an_empty_store(void **state)
{
    struct rig *rig = *state;
    struct recover_report report;
    put(rig, 1, 1);
    rig_stop(rig);
    overwrite(rig->path, 0, 0x5a, PAGE);
    assert_int_equal(recover_store(rig->path, rig->wall_ns, &report, NULL), TC_OK);
    assert_int_equal(report.alerts, 0);
    assert_int_equal(access(report.kept, F_OK), 0);
    remove_all(report.kept);
    whole(rig->path);
    rig_start(rig);
}

static void a_recovery_that_was_cut_off_is_ended(void **state)
{
    struct rig *rig = *state;
    struct recover_report report;
    struct tc_err err;
    char name[PATH], fresh[PATH];
    put(rig, 1, 1);
    rig_stop(rig);
    // As it is after the note was written and before anything was renamed.
    snprintf(name, sizeof name, "%s.recovering", rig->path);
    snprintf(fresh, sizeof fresh, "%s.recovered", rig->path);
    FILE *file = fopen(name, "w");
    fprintf(file, "%s.damaged-once", rig->path);
    fclose(file);
    char sql[2 * PATH];
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", fresh);
    run(rig->path, sql);
    overwrite(rig->path, 0, 0x5a, PAGE);
    struct store *store = NULL;
    assert_int_equal(store_open(tc_str_of(rig->path), &store, &err), TC_ECORRUPT);
    assert_non_null(strstr(err.text, "cut off"));
    assert_int_equal(recover_store(rig->path, rig->wall_ns, &report, NULL), TC_OK);
    assert_non_null(strstr(report.kept, ".damaged-once"));
    assert_false(recover_begun(rig->path));
    remove_all(report.kept);
    assert_int_equal(whole(rig->path).alerts, 1);
    rig_start(rig);
}

// --- the log ---

// A copy of the files as they are while the broker runs: as after kill -9.
static void copy_file(const char *from, const char *to)
{
    char command[3 * PATH];
    snprintf(command, sizeof command, "cp %s %s", from, to);
    assert_int_equal(system(command), 0);
}

static void copy_both(const struct rig *rig, char *path)
{
    char from[PATH], to[PATH];
    snprintf(path, PATH, "%s-copy", rig->path);
    snprintf(from, sizeof from, "%s-wal", rig->path);
    snprintf(to, sizeof to, "%s-wal", path);
    copy_file(rig->path, path);
    copy_file(from, to);
}

static long size_of(const char *path)
{
    FILE *file = fopen(path, "r");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    return size;
}

static void a_log_that_was_cut_off_is_fine_and_one_with_a_flipped_bit_is_not(void **state)
{
    struct rig *rig = *state;
    char path[PATH], log[PATH];
    struct tc_err err = {0};
    for (unsigned i = 1; i <= 20; i++)
        put(rig, i, i);
    copy_both(rig, path);
    snprintf(log, sizeof log, "%s-wal", path);
    long size = size_of(log);
    for (long cut = size; cut > 0; cut -= 1777) { // a crash may end it anywhere
        assert_int_equal(truncate(log, cut), 0);
        if (wal_check(path, &err) != TC_OK)
            print_error("cut at %ld: %s\n", cut, err.text);
        assert_int_equal(wal_check(path, &err), TC_OK);
    }
    for (long at = 0; at < size * 3 / 4; at += 4999) {
        copy_both(rig, path);
        overwrite(log, at, 0xa5, 1);
        if (wal_check(path, &err) == TC_OK)
            print_error("flip at %ld was not seen\n", at);
        assert_int_equal(wal_check(path, &err), TC_ECORRUPT);
    }
    remove_all(path);
}

static void a_file_that_was_cut_off_is_refused_at_once(void **state)
{
    struct rig *rig = *state;
    struct store *store = NULL;
    struct tc_err err = {0};
    for (unsigned i = 1; i <= ARTICLES; i++)
        put(rig, i, i);
    rig_stop(rig);
    long size = size_of(rig->path);
    assert_int_equal(truncate(rig->path, size - 3 * PAGE), 0);
    assert_int_equal(store_open(tc_str_of(rig->path), &store, &err), TC_ECORRUPT);
    assert_non_null(strstr(err.text, "cut off"));
    assert_non_null(strstr(err.text, "--accept-data-loss"));
    struct recover_report report;
    assert_int_equal(recover_store(rig->path, rig->wall_ns, &report, NULL), TC_OK);
    assert_true(report.alerts + report.hits > ARTICLES);
    remove_all(report.kept);
    whole(rig->path);
    rig_start(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_in_order_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_whole_goes_over_dense_in_a_new_epoch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            hits_that_come_again_make_the_alerts_that_are_missing_and_no_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lost_marks_lose_no_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_database_any_more_gives_an_empty_store,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_recovery_that_was_cut_off_is_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_log_that_was_cut_off_is_fine_and_one_with_a_flipped_bit_is_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_cut_off_is_refused_at_once, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
