#include "broker/consumers.h"

#include "common/clock.h"
#include "tests/broker/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

// A store with a hundred alerts, so that cursors have something to point at.
static int set_up(void **state)
{
    struct rig *rig = malloc(sizeof *rig);
    rig_open(rig);
    rig_begin(rig);
    rig_put(rig, "watcher", 1, "article", 100);
    assert_int_equal(rig_turn(rig), TC_OK);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_close(*state);
    free(*state);
    return 0;
}

static struct consumers *opened(struct rig *rig)
{
    struct consumers *consumers = NULL;
    assert_int_equal(consumers_open(rig->store, &consumers, NULL), TC_OK);
    return consumers;
}

static int add(struct consumers *consumers, const char *name, uint64_t cursor)
{
    struct consumer row = {.filters = "", .cursor = cursor, .start = cursor};
    struct tc_err err;
    snprintf(row.name, sizeof row.name, "%s", name);
    return consumers_put(consumers, &row, &err);
}

static uint64_t cursor_of(struct consumers *consumers, const char *name)
{
    return consumers_find(consumers, tc_str_of(name))->cursor;
}

static uint64_t move(struct consumers *consumers, const char *name, uint64_t seq)
{
    return consumers_move(consumers, tc_str_of(name), seq, 1, TC_SECOND);
}

static void begin(struct rig *rig)
{
    assert_int_equal(store_begin(rig->store, NULL), TC_OK);
}

static void commit(struct rig *rig, struct consumers *consumers)
{
    assert_int_equal(store_commit(rig->store, NULL), TC_OK);
    consumers_committed(consumers);
}

static void a_repeated_or_older_acknowledgement_changes_nothing(void **state)
{
    static const struct {
        uint64_t ack, cursor;
    } steps[] = {{7, 7}, {7, 7}, {3, 7}, {9, 9}, {0, 9}};
    struct rig *rig = *state;
    struct consumers *consumers = opened(rig);
    begin(rig);
    assert_int_equal(add(consumers, "desk", 0), TC_OK);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        assert_int_equal(move(consumers, "desk", steps[i].ack), steps[i].cursor);
    assert_int_equal(consumers_flush(consumers, TC_SECOND, NULL), TC_OK);
    commit(rig, consumers);
    consumers_close(consumers);
    consumers = opened(rig);
    assert_int_equal(cursor_of(consumers, "desk"), 9);
    assert_null(consumers_find(consumers, TC_STR("des")));
    consumers_close(consumers);
}

static void what_moved_is_due_within_a_second_and_written_once(void **state)
{
    struct rig *rig = *state;
    struct consumers *consumers = opened(rig);
    begin(rig);
    assert_int_equal(add(consumers, "desk", 0), TC_OK);
    commit(rig, consumers);
    assert_int_equal(consumers_due_mono_ns(consumers), INT64_MAX);
    move(consumers, "desk", 4);
    move(consumers, "desk", 5);
    assert_int_equal(consumers_due_mono_ns(consumers), 2 * TC_SECOND);
    begin(rig);
    assert_int_equal(consumers_flush(consumers, 2 * TC_SECOND, NULL), TC_OK);
    assert_true(store_changed(rig->store));
    commit(rig, consumers);
    assert_int_equal(consumers_due_mono_ns(consumers), INT64_MAX);
    begin(rig);
    assert_int_equal(consumers_flush(consumers, 3 * TC_SECOND, NULL), TC_OK);
    assert_false(store_changed(rig->store));
    store_rollback(rig->store);
    consumers_close(consumers);
}

static void many_cursors_are_written_in_several_turns(void **state)
{
    struct rig *rig = *state;
    struct consumers *consumers = opened(rig);
    char name[16];
    size_t turns = 0;
    begin(rig);
    for (int i = 0; i < CONSUMERS_FLUSH_ROWS + 10; i++) {
        snprintf(name, sizeof name, "c%d", i);
        assert_int_equal(add(consumers, name, 0), TC_OK);
    }
    commit(rig, consumers);
    for (int i = 0; i < CONSUMERS_FLUSH_ROWS + 10; i++) {
        snprintf(name, sizeof name, "c%d", i);
        move(consumers, name, 7);
    }
    for (; consumers_due_mono_ns(consumers) != INT64_MAX; turns++) {
        begin(rig);
        assert_int_equal(consumers_flush(consumers, 2 * TC_SECOND, NULL), TC_OK);
        commit(rig, consumers);
    }
    assert_int_equal(turns, 2);
    consumers_close(consumers);
    consumers = opened(rig);
    for (size_t i = 0; i < consumers_count(consumers); i++)
        assert_int_equal(consumers_at(consumers, i)->cursor, 7);
    consumers_close(consumers);
}

static void a_rollback_forgets_new_names_and_keeps_what_was_acknowledged(void **state)
{
    struct rig *rig = *state;
    struct consumers *consumers = opened(rig);
    begin(rig);
    assert_int_equal(add(consumers, "kept", 5), TC_OK);
    commit(rig, consumers);
    begin(rig);
    move(consumers, "kept", 50);
    assert_int_equal(consumers_flush(consumers, TC_SECOND, NULL), TC_OK);
    assert_int_equal(add(consumers, "lost", 5), TC_OK);
    store_rollback(rig->store);
    assert_int_equal(consumers_reload(consumers, NULL), TC_OK);
    assert_int_equal(consumers_count(consumers), 1);
    assert_int_equal(cursor_of(consumers, "kept"), 50);
    assert_true(consumers_due_mono_ns(consumers) != INT64_MAX);
    begin(rig);
    assert_int_equal(consumers_flush(consumers, TC_SECOND, NULL), TC_OK);
    commit(rig, consumers);
    consumers_close(consumers);
    consumers = opened(rig);
    assert_int_equal(cursor_of(consumers, "kept"), 50);
    consumers_close(consumers);
}

static void names_are_kept_in_order_whatever_the_order_of_arrival(void **state)
{
    static const char *const names[] = {"m", "z", "a", "m2", "b", "Z"};
    static const char *const sorted[] = {"Z", "a", "b", "m", "m2", "z"};
    struct rig *rig = *state;
    struct consumers *consumers = opened(rig);
    begin(rig);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(add(consumers, names[i], i), TC_OK);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(consumers_at(consumers, i)->name, sorted[i]);
        assert_int_equal(cursor_of(consumers, names[i]), i);
    }
    assert_int_equal(consumers_behind(consumers, TC_STR("b")), 3);
    assert_int_equal(consumers_behind(consumers, TC_STR("c")), 3);
    assert_int_equal(consumers_drop(consumers, TC_STR("b"), NULL), TC_OK);
    assert_null(consumers_find(consumers, TC_STR("b")));
    assert_int_equal(cursor_of(consumers, "m"), 0);
    assert_int_equal(consumers_count(consumers), 5);
    store_rollback(rig->store);
    consumers_close(consumers);
}

static void the_number_of_consumers_is_limited(void **state)
{
    struct rig *rig = *state;
    struct consumers *consumers = opened(rig);
    char name[16];
    begin(rig);
    for (int i = 0; i < CONSUMERS_MOST; i++) {
        snprintf(name, sizeof name, "c%d", i);
        assert_int_equal(add(consumers, name, 0), TC_OK);
    }
    assert_int_equal(add(consumers, "more", 0), TC_ENOMEM);
    assert_int_equal(add(consumers, "c1", 9), TC_OK);
    store_rollback(rig->store);
    consumers_close(consumers);
}

static void an_acknowledgement_of_what_is_not_there_is_refused(void **state)
{
    struct rig *rig = *state;
    const struct rig_answer *answer = rig_ask(rig, "ACK", "{\"consumer\":\"c\",\"seq\":101}");
    assert_string_equal(answer->reply, "ERR");
    assert_string_equal(rig_text(answer, "code"), "header");
    answer = rig_ask(rig, "ACK", "{\"consumer\":\"c\",\"seq\":100}");
    assert_string_equal(answer->reply, "OK");
    assert_int_equal(rig_number(answer, "cursor"), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_repeated_or_older_acknowledgement_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_moved_is_due_within_a_second_and_written_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_cursors_are_written_in_several_turns, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_rollback_forgets_new_names_and_keeps_what_was_acknowledged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_kept_in_order_whatever_the_order_of_arrival,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_number_of_consumers_is_limited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_acknowledgement_of_what_is_not_there_is_refused, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
