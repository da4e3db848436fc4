// Streams out of the history, against a broker that says what brokers rarely say.
#include "tests/client/scripted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    struct scripted *broker = calloc(1, sizeof *broker);
    scripted_open(broker);
    *state = broker;
    return 0;
}

static int tear_down(void **state)
{
    scripted_close(*state);
    free(*state);
    return 0;
}

#define BATCH(head, next) "\"epoch\":\"" EPOCH_A "\",\"head\":" #head ",\"next_after\":" #next

static const char *const no_events[] = {NULL};

static void expect_in_question(const struct scripted *broker, const char *words)
{
    if (!strstr(broker->asked, words))
        fail_msg("'%s' is not in %s", words, broker->asked);
}

// Follows from the beginning, with the first FETCH answered: it stands at number 0.
static void follow(struct scripted *broker)
{
    assert_int_equal(tocsin_follow(broker->tocsin, NULL), TOCSIN_OK);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "BATCH", BATCH(0, 0), no_events);
    assert_int_equal(scripted_next_is(broker, TOCSIN_CONNECTED).seq, 0);
}

static void the_first_question_does_not_wait_and_pins_the_place(void **state)
{
    struct scripted *broker = *state;
    const struct tocsin_stream stream = {.start = TOCSIN_FROM_NOW};
    assert_int_equal(tocsin_follow(broker->tocsin, &stream), TOCSIN_OK);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"after\":\"latest\"");
    expect_in_question(broker, "\"wait_ms\":0");
    scripted_answer(broker, "BATCH", BATCH(7, 7), no_events);
    assert_int_equal(scripted_next_is(broker, TOCSIN_CONNECTED).seq, 7);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"after\":7,\"epoch\":\"" EPOCH_A "\"");
}

static void an_alert_has_its_fields(void **state)
{
    struct scripted *broker = *state;
    const char *events[] = {scripted_event(1, EPOCH_A), NULL};
    follow(broker);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "BATCH", BATCH(1, 1), events);
    struct tocsin_event alert = scripted_next_is(broker, TOCSIN_ALERT);
    assert_int_equal(alert.seq, 1);
    assert_string_equal(alert.topic, "a/b/high/");
    assert_string_equal(alert.watch, "a/b");
    assert_string_equal(alert.title, "Title 1");
    assert_string_equal(alert.url, "");
    assert_string_equal(alert.epoch, EPOCH_A);
    assert_string_equal(alert.json, events[0]);
    assert_int_equal(alert.json_bytes, strlen(events[0]));
}

static void after_a_lost_connection_it_goes_on_at_its_number(void **state)
{
    struct scripted *broker = *state;
    const char *events[] = {scripted_event(3, EPOCH_A), NULL};
    follow(broker);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "BATCH", BATCH(3, 3), events);
    scripted_next_is(broker, TOCSIN_ALERT);
    scripted_expect(broker, "FETCH");
    scripted_down(broker);
    scripted_next_is(broker, TOCSIN_DISCONNECTED);
    scripted_up(broker);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"after\":3");
    scripted_answer(broker, "BATCH", BATCH(3, 3), no_events);
    scripted_next_is(broker, TOCSIN_CONNECTED);
}

static void an_alert_that_comes_twice_is_given_once(void **state)
{
    struct scripted *broker = *state;
    const char *events[] = {scripted_event(1, EPOCH_A), scripted_event(1, EPOCH_A),
                            scripted_event(2, EPOCH_A), NULL};
    follow(broker);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "BATCH", BATCH(2, 2), events);
    assert_int_equal(scripted_next_is(broker, TOCSIN_ALERT).seq, 1);
    assert_int_equal(scripted_next_is(broker, TOCSIN_ALERT).seq, 2);
}

static void gaps_and_damage_are_told_before_the_alerts(void **state)
{
    struct scripted *broker = *state;
    const char *events[] = {scripted_event(12, EPOCH_A), NULL};
    follow(broker);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "BATCH",
                    BATCH(12, 12) ",\"gap\":{\"from\":1,\"to\":9,\"count\":9},\"damaged\":[10,11]",
                    events);
    struct tocsin_event gap = scripted_next_is(broker, TOCSIN_GAP);
    assert_int_equal(gap.from, 1);
    assert_int_equal(gap.to, 9);
    assert_int_equal(gap.count, 9);
    assert_int_equal(scripted_next_is(broker, TOCSIN_DAMAGED).seq, 10);
    assert_int_equal(scripted_next_is(broker, TOCSIN_DAMAGED).seq, 11);
    assert_int_equal(scripted_next_is(broker, TOCSIN_ALERT).seq, 12);
}

static void another_history_is_told_and_read_from_its_beginning(void **state)
{
    struct scripted *broker = *state;
    const char *events[] = {scripted_event(1, EPOCH_B), NULL};
    follow(broker);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "ERR",
                    "\"code\":\"epoch\",\"reason\":\"another history\",\"epoch\":\"" EPOCH_B "\"",
                    no_events);
    assert_string_equal(scripted_next_is(broker, TOCSIN_EPOCH).epoch, EPOCH_B);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"after\":\"earliest\"");
    scripted_answer(broker, "BATCH", "\"epoch\":\"" EPOCH_B "\",\"head\":1,\"next_after\":1",
                    events);
    assert_int_equal(scripted_next_is(broker, TOCSIN_ALERT).seq, 1);
}

static void a_query_ends_at_what_was_newest_when_it_began(void **state)
{
    struct scripted *broker = *state;
    const char *first[] = {scripted_event(1, EPOCH_A), NULL};
    const char *second[] = {scripted_event(2, EPOCH_A), scripted_event(3, EPOCH_A), NULL};
    struct tocsin_event event;
    assert_int_equal(tocsin_query(broker->tocsin, NULL), TOCSIN_OK);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "BATCH", BATCH(3, 1), first);
    scripted_next_is(broker, TOCSIN_CONNECTED);
    scripted_next_is(broker, TOCSIN_ALERT);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"wait_ms\":0");
    scripted_answer(broker, "BATCH", BATCH(9, 3), second);
    scripted_next_is(broker, TOCSIN_ALERT);
    scripted_next_is(broker, TOCSIN_ALERT);
    scripted_next_is(broker, TOCSIN_END);
    assert_int_equal(tocsin_next(broker->tocsin, 0, &event), TOCSIN_EINVAL);
}

static void filters_go_with_the_question(void **state)
{
    struct scripted *broker = *state;
    static const char *const filters[] = {"china-ai/", "label.desk=asia"};
    const struct tocsin_stream stream = {.filters = filters, .filter_count = 2};
    assert_int_equal(tocsin_follow(broker->tocsin, &stream), TOCSIN_OK);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"filters\":[\"china-ai/\",\"label.desk=asia\"]");
}

#define LEASE "11112222333344445555666677778888"
#define LEASED(epoch, cursor_epoch, cursor)                                                        \
    "\"token\":\"" LEASE "\",\"epoch\":\"" epoch "\",\"cursor_epoch\":\"" cursor_epoch             \
    "\",\"head\":9,\"cursor\":" #cursor

// Consumes as "desk" whose cursor is 5, with the newest alert 5.
static void consume(struct scripted *broker)
{
    assert_int_equal(tocsin_consume(broker->tocsin, "desk", NULL), TOCSIN_OK);
    scripted_expect(broker, "ATTACH");
    scripted_answer(broker, "LEASE", LEASED(EPOCH_A, EPOCH_A, 5), no_events);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "BATCH", BATCH(5, 5), no_events);
    scripted_next_is(broker, TOCSIN_CONNECTED);
}

static void a_consumer_attaches_and_then_asks_by_number_under_its_lease(void **state)
{
    struct scripted *broker = *state;
    static const char *const filters[] = {"a/b/"};
    const struct tocsin_stream stream = {
        .start = TOCSIN_FROM_NOW, .filters = filters, .filter_count = 1};
    assert_int_equal(tocsin_consume(broker->tocsin, "desk", &stream), TOCSIN_OK);
    scripted_expect(broker, "ATTACH");
    expect_in_question(broker, "\"consumer\":\"desk\",\"start\":\"latest\",\"filters\":[\"a/b/\"]");
    scripted_answer(broker, "LEASE", LEASED(EPOCH_A, EPOCH_A, 5), no_events);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"after\":5,\"epoch\":\"" EPOCH_A
                               "\",\"consumer\":\"desk\",\"lease\":\"" LEASE "\",\"ack\":5");
    expect_in_question(broker, "\"wait_ms\":0");
    scripted_answer(broker, "BATCH", BATCH(5, 5), no_events);
    scripted_next_is(broker, TOCSIN_CONNECTED);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"wait_ms\":20000");
}

static void without_filters_those_that_the_name_kept_are_cleared(void **state)
{
    struct scripted *broker = *state;
    assert_int_equal(tocsin_consume(broker->tocsin, "desk", NULL), TOCSIN_OK);
    scripted_expect(broker, "ATTACH");
    expect_in_question(broker, "\"filters\":[]");
}

static void a_lost_connection_keeps_the_lease(void **state)
{
    struct scripted *broker = *state;
    consume(broker);
    scripted_expect(broker, "FETCH");
    scripted_down(broker);
    scripted_next_is(broker, TOCSIN_DISCONNECTED);
    scripted_up(broker);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"lease\":\"" LEASE "\"");
    expect_in_question(broker, "\"wait_ms\":0");
}

static void a_cursor_moves_over_what_the_filters_left_out_unless_an_alert_is_pending(void **state)
{
    struct scripted *broker = *state;
    const char *events[] = {scripted_event(8, EPOCH_A), NULL};
    consume(broker);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "BATCH", BATCH(7, 7), no_events);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"ack\":7");
    scripted_answer(broker, "BATCH", BATCH(9, 9), events);
    scripted_next_is(broker, TOCSIN_ALERT);
    scripted_expect(broker, "FETCH"); // 8 is not acknowledged, so neither is 9
    assert_null(strstr(broker->asked, "\"ack\""));
}

static void who_is_fenced_is_told_once_and_the_stream_has_ended(void **state)
{
    struct scripted *broker = *state;
    struct tocsin_event event;
    consume(broker);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "ERR", "\"code\":\"fenced\",\"reason\":\"taken over\"", no_events);
    scripted_next_is(broker, TOCSIN_FENCED);
    assert_int_equal(tocsin_next(broker->tocsin, 0, &event), TOCSIN_EINVAL);
    assert_non_null(strstr(tocsin_error(broker->tocsin), "another process"));
    assert_int_equal(tocsin_acknowledge(broker->tocsin, 5), TOCSIN_EINVAL);
}

static void
a_consumer_of_a_replaced_history_attaches_anew_is_told_and_goes_on_at_its_cursor(void **state)
{
    struct scripted *broker = *state;
    consume(broker);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "ERR",
                    "\"code\":\"epoch\",\"reason\":\"another history\",\"epoch\":\"" EPOCH_B "\"",
                    no_events);
    scripted_expect(broker, "ATTACH");
    scripted_answer(broker, "LEASE", LEASED(EPOCH_B, EPOCH_A, 5), no_events);
    assert_string_equal(scripted_next_is(broker, TOCSIN_EPOCH).epoch, EPOCH_B);
    scripted_expect(broker, "SEEK");
    expect_in_question(broker, "\"lease\":\"" LEASE "\",\"after\":5,\"epoch\":\"" EPOCH_B);
    scripted_answer(broker, "OK", "\"cursor\":5", no_events);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"after\":5,\"epoch\":\"" EPOCH_B);
}

static void
a_cursor_of_another_history_is_told_though_nobody_was_there_when_it_changed(void **state)
{
    struct scripted *broker = *state;
    assert_int_equal(tocsin_consume(broker->tocsin, "desk", NULL), TOCSIN_OK);
    scripted_expect(broker, "ATTACH");
    scripted_answer(broker, "LEASE", LEASED(EPOCH_B, EPOCH_A, 5), no_events);
    assert_string_equal(scripted_next_is(broker, TOCSIN_EPOCH).epoch, EPOCH_B);
    scripted_expect(broker, "SEEK");
}

static void behind_a_gap_it_goes_on_where_the_history_begins(void **state)
{
    struct scripted *broker = *state;
    consume(broker);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "BATCH", BATCH(30, 5) ",\"gap\":{\"from\":6,\"to\":20,\"count\":15}",
                    no_events);
    assert_int_equal(scripted_next_is(broker, TOCSIN_GAP).count, 15);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"after\":20");
    expect_in_question(broker, "\"ack\":20");
}

static void a_query_behind_a_gap_does_not_end_there(void **state)
{
    struct scripted *broker = *state;
    const struct tocsin_stream stream = {.start = TOCSIN_FROM_AFTER, .after = 5};
    assert_int_equal(tocsin_query(broker->tocsin, &stream), TOCSIN_OK);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "BATCH", BATCH(30, 5) ",\"gap\":{\"from\":6,\"to\":20,\"count\":15}",
                    no_events);
    scripted_next_is(broker, TOCSIN_CONNECTED);
    scripted_next_is(broker, TOCSIN_GAP);
    scripted_expect(broker, "FETCH");
    expect_in_question(broker, "\"after\":20");
}

static void before_the_lease_nothing_can_be_acknowledged_or_sought(void **state)
{
    struct scripted *broker = *state;
    assert_int_equal(tocsin_consume(broker->tocsin, "desk", NULL), TOCSIN_OK);
    assert_int_equal(tocsin_acknowledge(broker->tocsin, 5), TOCSIN_EINVAL);
    assert_int_equal(tocsin_seek(broker->tocsin, NULL), TOCSIN_EINVAL);
    assert_int_equal(tocsin_detach(broker->tocsin), TOCSIN_EINVAL);
    assert_int_equal(tocsin_follow(broker->tocsin, NULL), TOCSIN_OK);
    assert_int_equal(tocsin_seek(broker->tocsin, NULL), TOCSIN_EINVAL);
}

static void a_refusal_is_an_error_with_the_brokers_reason(void **state)
{
    struct scripted *broker = *state;
    struct tocsin_event event;
    assert_int_equal(tocsin_follow(broker->tocsin, NULL), TOCSIN_OK);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "ERR", "\"code\":\"header\",\"reason\":\"no such key\"", no_events);
    assert_int_equal(tocsin_next(broker->tocsin, 5000, &event), TOCSIN_EPROTO);
    assert_string_equal(tocsin_error(broker->tocsin), "the broker refused: no such key (header)");
}

static void an_event_that_is_none_is_skipped_with_an_error(void **state)
{
    struct scripted *broker = *state;
    struct tocsin_event event;
    const char *events[] = {"{\"sequence\":", scripted_event(2, EPOCH_A), NULL};
    follow(broker);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "BATCH", BATCH(2, 2), events);
    assert_int_equal(tocsin_next(broker->tocsin, 5000, &event), TOCSIN_EPROTO);
    assert_int_equal(scripted_next_is(broker, TOCSIN_ALERT).seq, 2);
}

static void an_answer_that_is_none_is_an_error(void **state)
{
    struct scripted *broker = *state;
    struct tocsin_event event;
    assert_int_equal(tocsin_follow(broker->tocsin, NULL), TOCSIN_OK);
    scripted_expect(broker, "FETCH");
    scripted_answer(broker, "BATCH", "\"epoch\":7", no_events);
    assert_int_equal(tocsin_next(broker->tocsin, 5000, &event), TOCSIN_EPROTO);
    scripted_expect(broker, "FETCH");
}

static void a_broker_that_was_never_there_is_told_once(void **state)
{
    struct scripted *broker = *state;
    struct tocsin_event event;
    scripted_down(broker);
    assert_int_equal(tocsin_follow(broker->tocsin, NULL), TOCSIN_OK);
    scripted_next_is(broker, TOCSIN_DISCONNECTED);
    assert_int_equal(tocsin_next(broker->tocsin, 400, &event), TOCSIN_NOTHING);
    scripted_up(broker);
    scripted_expect(broker, "FETCH");
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FACT(the_first_question_does_not_wait_and_pins_the_place),
        FACT(an_alert_has_its_fields),
        FACT(after_a_lost_connection_it_goes_on_at_its_number),
        FACT(an_alert_that_comes_twice_is_given_once),
        FACT(gaps_and_damage_are_told_before_the_alerts),
        FACT(another_history_is_told_and_read_from_its_beginning),
        FACT(a_query_ends_at_what_was_newest_when_it_began),
        FACT(filters_go_with_the_question),
        FACT(a_consumer_attaches_and_then_asks_by_number_under_its_lease),
        FACT(without_filters_those_that_the_name_kept_are_cleared),
        FACT(a_lost_connection_keeps_the_lease),
        FACT(a_cursor_moves_over_what_the_filters_left_out_unless_an_alert_is_pending),
        FACT(who_is_fenced_is_told_once_and_the_stream_has_ended),
        FACT(a_consumer_of_a_replaced_history_attaches_anew_is_told_and_goes_on_at_its_cursor),
        FACT(a_cursor_of_another_history_is_told_though_nobody_was_there_when_it_changed),
        FACT(behind_a_gap_it_goes_on_where_the_history_begins),
        FACT(a_query_behind_a_gap_does_not_end_there),
        FACT(before_the_lease_nothing_can_be_acknowledged_or_sought),
        FACT(a_refusal_is_an_error_with_the_brokers_reason),
        FACT(an_event_that_is_none_is_skipped_with_an_error),
        FACT(an_answer_that_is_none_is_an_error),
        FACT(a_broker_that_was_never_there_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
