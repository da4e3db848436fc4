#include "broker/consumers.h"

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

static void a_repeated_or_older_acknowledgement_changes_nothing(void **state)
{
    static const struct {
        uint64_t ack, cursor;
    } steps[] = {{7, 7}, {7, 7}, {3, 7}, {9, 9}, {0, 9}};
    struct rig *rig = *state;
    struct consumers *consumers = opened(rig);
    uint64_t cursor = 0;
    assert_int_equal(store_begin(rig->store, NULL), TC_OK);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_int_equal(consumers_move(consumers, TC_STR("desk"), steps[i].ack, 1, &cursor, NULL),
                         TC_OK);
        assert_int_equal(cursor, steps[i].cursor);
    }
    assert_int_equal(store_commit(rig->store, NULL), TC_OK);
    consumers_close(consumers);
    consumers = opened(rig);
    assert_int_equal(consumers_find(consumers, TC_STR("desk"))->cursor, 9);
    assert_null(consumers_find(consumers, TC_STR("des")));
    consumers_close(consumers);
}

static void a_rolled_back_move_is_forgotten(void **state)
{
    struct rig *rig = *state;
    struct consumers *consumers = opened(rig);
    uint64_t cursor = 0;
    assert_int_equal(store_begin(rig->store, NULL), TC_OK);
    assert_int_equal(consumers_add(consumers, TC_STR("kept"), 5, 1, NULL), TC_OK);
    assert_int_equal(consumers_add(consumers, TC_STR("kept"), 5, 1, NULL), TC_EEXIST);
    assert_int_equal(store_commit(rig->store, NULL), TC_OK);
    assert_int_equal(store_begin(rig->store, NULL), TC_OK);
    assert_int_equal(consumers_move(consumers, TC_STR("kept"), 50, 1, &cursor, NULL), TC_OK);
    assert_int_equal(consumers_add(consumers, TC_STR("lost"), 5, 1, NULL), TC_OK);
    store_rollback(rig->store);
    assert_int_equal(consumers_reload(consumers, NULL), TC_OK);
    assert_int_equal(consumers_count(consumers), 1);
    assert_int_equal(consumers_find(consumers, TC_STR("kept"))->cursor, 5);
    consumers_close(consumers);
}

static void names_are_kept_in_order_whatever_the_order_of_arrival(void **state)
{
    static const char *const names[] = {"m", "z", "a", "m2", "b", "Z"};
    static const char *const sorted[] = {"Z", "a", "b", "m", "m2", "z"};
    struct rig *rig = *state;
    struct consumers *consumers = opened(rig);
    assert_int_equal(store_begin(rig->store, NULL), TC_OK);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(consumers_add(consumers, tc_str_of(names[i]), i, 1, NULL), TC_OK);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(consumers_at(consumers, i)->name, sorted[i]);
        assert_int_equal(consumers_find(consumers, tc_str_of(names[i]))->cursor, i);
    }
    store_rollback(rig->store);
    consumers_close(consumers);
}

static void the_number_of_consumers_is_limited(void **state)
{
    struct rig *rig = *state;
    struct consumers *consumers = opened(rig);
    struct tc_err err;
    char name[16];
    assert_int_equal(store_begin(rig->store, NULL), TC_OK);
    for (int i = 0; i < CONSUMERS_MOST; i++) {
        snprintf(name, sizeof name, "c%d", i);
        assert_int_equal(consumers_add(consumers, tc_str_of(name), 0, 1, NULL), TC_OK);
    }
    assert_int_equal(consumers_add(consumers, TC_STR("more"), 0, 1, &err), TC_ENOMEM);
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
        cmocka_unit_test_setup_teardown(a_rolled_back_move_is_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_kept_in_order_whatever_the_order_of_arrival,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_number_of_consumers_is_limited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_acknowledgement_of_what_is_not_there_is_refused, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
