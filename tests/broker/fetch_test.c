#include "broker/fetch.h"

#include "common/clock.h"
#include "tests/broker/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int set_up(void **state)
{
    struct rig *rig = malloc(sizeof *rig);
    rig_open(rig);
    rig_begin(rig);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_close(*state);
    free(*state);
    return 0;
}

static void put(struct rig *rig, unsigned batch, unsigned hits)
{
    char id[32];
    snprintf(id, sizeof id, "article-%u", batch);
    rig_put(rig, "watcher", batch, id, hits);
}

static void send(struct rig *rig, const char *peer, const char *header)
{
    rig_send(rig, peer, "FETCH", header, NULL, 0);
}

static void a_waiting_fetch_is_answered_by_the_commit_that_brings_an_alert(void **state)
{
    struct rig *rig = *state;
    send(rig, "a", "{\"rid\":7,\"wait_ms\":1000}");
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig->count, 0);
    assert_int_equal(desk_next_mono_ns(rig->desk), rig->mono_ns + TC_SECOND);
    put(rig, 1, 2);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig->count, 2);
    assert_string_equal(rig->answers[1].peer, "a");
    assert_int_equal(rig_number(&rig->answers[1], "rid"), 7);
    assert_int_equal(rig->answers[1].count, 2);
    assert_int_equal(desk_next_mono_ns(rig->desk), INT64_MAX);
}

static void a_waiting_fetch_is_answered_empty_when_its_time_is_up(void **state)
{
    struct rig *rig = *state;
    send(rig, "a", "{\"wait_ms\":1000}");
    assert_int_equal(rig_turn(rig), TC_OK);
    rig->mono_ns += TC_SECOND - 1;
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig->count, 0);
    rig->mono_ns += 1;
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig->count, 1);
    assert_int_equal(rig_number(&rig->answers[0], "n"), 0);
}

static void
alerts_that_the_filter_leaves_out_do_not_end_the_wait_and_are_not_read_again(void **state)
{
    struct rig *rig = *state;
    send(rig, "a", "{\"wait_ms\":1000,\"filters\":[\"label.desk=sport\"]}");
    put(rig, 1, 3);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig->count, 1); // the PUT's
    rig->mono_ns += TC_SECOND;
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig_number(&rig->answers[0], "next_after"), 3);
    assert_int_equal(rig_number(&rig->answers[0], "scanned"), 0);
}

static void a_newer_fetch_of_a_connection_supersedes_the_waiting_one_only(void **state)
{
    struct rig *rig = *state;
    send(rig, "a", "{\"rid\":1,\"wait_ms\":1000}");
    send(rig, "b", "{\"rid\":2,\"wait_ms\":1000}");
    send(rig, "a", "{\"rid\":3,\"wait_ms\":1000}");
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig->count, 1);
    assert_string_equal(rig_text(&rig->answers[0], "code"), "superseded");
    assert_int_equal(rig_number(&rig->answers[0], "rid"), 1);
    put(rig, 1, 1);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig->count, 3);
}

static void one_run_reads_a_bounded_number_of_rows_and_says_where_it_stopped(void **state)
{
    struct rig *rig = *state;
    put(rig, 1, FETCH_ROWS + 10);
    assert_int_equal(rig_turn(rig), TC_OK);
    const struct rig_answer *answer =
        rig_ask(rig, "FETCH", "{\"filters\":[\"label.desk=sport\"],\"wait_ms\":1000}");
    assert_int_equal(rig_number(answer, "n"), 0);
    assert_int_equal(rig_number(answer, "scanned"), FETCH_ROWS);
    assert_int_equal(rig_number(answer, "next_after"), FETCH_ROWS);
    answer = rig_ask(rig, "FETCH", "{\"after\":1000,\"max_n\":500}");
    assert_int_equal(answer->count, 10);
    assert_int_equal(rig_sequence(answer, 0), FETCH_ROWS + 1);
}

static void many_searches_share_the_budget_of_a_turn_and_each_has_its_turn(void **state)
{
    struct rig *rig = *state;
    char peer[8];
    put(rig, 1, FETCH_ROWS);
    assert_int_equal(rig_turn(rig), TC_OK);
    for (int i = 0; i < 5; i++) {
        snprintf(peer, sizeof peer, "p%d", i);
        send(rig, peer, "{\"filters\":[\"label.desk=sport\"]}");
    }
    for (size_t turn = 1; turn <= 5; turn++) {
        assert_int_equal(rig_turn(rig), TC_OK);
        assert_int_equal(rig->count, 1);
        assert_int_equal(desk_next_mono_ns(rig->desk), turn < 5 ? 0 : INT64_MAX);
    }
}

static void bytes_are_bounded_but_one_event_always_goes(void **state)
{
    struct rig *rig = *state;
    put(rig, 1, 20);
    assert_int_equal(rig_turn(rig), TC_OK);
    const struct rig_answer *answer = rig_ask(rig, "FETCH", "{\"max_bytes\":1}");
    assert_int_equal(answer->count, 1);
    answer = rig_ask(rig, "FETCH", "{\"after\":1,\"max_bytes\":2000}");
    assert_true(answer->count >= 1 && answer->frames.len <= 2000);
    assert_int_equal(rig_number(answer, "next_after"), 1 + answer->count);
}

static void parked_fetches_have_a_limit(void **state)
{
    struct rig *rig = *state;
    char peer[8];
    for (int i = 0; i <= FETCH_PARKED_MOST; i++) {
        snprintf(peer, sizeof peer, "p%d", i);
        send(rig, peer, "{\"wait_ms\":1000}");
    }
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig->count, 1);
    assert_string_equal(rig_text(&rig->answers[0], "code"), "limit");
    assert_int_equal(rig_number(rig_ask(rig, "STATS", "{}"), "parked"), FETCH_PARKED_MOST);
}

static void where_a_fetch_begins(void **state)
{
    static const struct {
        const char *header;
        uint64_t first; // sequence of the first event, 0: none
    } cases[] = {
        {"{}", 1},
        {"{\"after\":\"earliest\"}", 1},
        {"{\"after\":\"latest\"}", 0},
        {"{\"after\":0}", 1},
        {"{\"after\":2}", 3},
        {"{\"after\":99}", 0},
        {"{\"since\":\"2025-03-01T05:00:00Z\"}", 1},
        {"{\"since\":\"2025-03-01T05:00:01Z\"}", 3},
        {"{\"since\":\"2025-03-01T07:00:01+02:00\"}", 3},
        {"{\"since\":\"2025-03-01T05:00:02Z\"}", 0},
        {"{\"consumer\":\"c1\",\"after\":\"cursor\"}", 1},
        {"{\"consumer\":\"c2\"}", 1},
        {"{\"consumer\":\"c3\",\"start\":\"latest\"}", 0},
        {"{\"consumer\":\"c4\",\"since\":\"2025-03-01T05:00:01Z\"}", 3},
        {"{\"consumer\":\"c5\",\"after\":2}", 3},
    };
    struct rig *rig = *state;
    put(rig, 1, 2);
    assert_int_equal(rig_turn(rig), TC_OK);
    rig->wall_ns += TC_SECOND;
    put(rig, 2, 2);
    assert_int_equal(rig_turn(rig), TC_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct rig_answer *answer = rig_ask(rig, "FETCH", cases[i].header);
        assert_string_equal(answer->reply, "BATCH");
        assert_int_equal(answer->count ? rig_sequence(answer, 0) : 0, cases[i].first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            many_searches_share_the_budget_of_a_turn_and_each_has_its_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_waiting_fetch_is_answered_by_the_commit_that_brings_an_alert, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_waiting_fetch_is_answered_empty_when_its_time_is_up,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            alerts_that_the_filter_leaves_out_do_not_end_the_wait_and_are_not_read_again, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            a_newer_fetch_of_a_connection_supersedes_the_waiting_one_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            one_run_reads_a_bounded_number_of_rows_and_says_where_it_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_are_bounded_but_one_event_always_goes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(parked_fetches_have_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(where_a_fetch_begins, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
