// The live feed: what is given, what is noticed to be lost.
#include "tests/client/scripted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BEAT(epoch, head) "{\"epoch\":\"" epoch "\",\"head\":" #head ",\"time\":\"x\"}"

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

static void alert(struct scripted *broker, unsigned seq)
{
    scripted_publish(broker, "a/b/high/", scripted_event(seq, EPOCH_A));
}

// The next event that is not about the connection.
static struct tocsin_event next(struct scripted *broker)
{
    struct tocsin_event event = scripted_next(broker);
    return event.kind == TOCSIN_CONNECTED ? scripted_next(broker) : event;
}

static void next_is_alert(struct scripted *broker, uint64_t seq)
{
    struct tocsin_event event = next(broker);
    assert_int_equal(event.kind, TOCSIN_ALERT);
    assert_int_equal(event.seq, seq);
}

// Subscribes to everything and has seen a first heartbeat.
static void listen(struct scripted *broker)
{
    assert_int_equal(tocsin_subscribe(broker->tocsin, NULL), TOCSIN_OK);
    scripted_expect_subscription(broker, "");
    scripted_publish(broker, "~/hb/", BEAT(EPOCH_A, 3));
}

static void alerts_come_in_order_and_nothing_else_is_told(void **state)
{
    struct scripted *broker = *state;
    struct tocsin_event event;
    listen(broker);
    alert(broker, 4);
    alert(broker, 5);
    next_is_alert(broker, 4);
    next_is_alert(broker, 5);
    scripted_publish(broker, "~/hb/", BEAT(EPOCH_A, 5));
    scripted_publish(broker, "~/hb/", BEAT(EPOCH_A, 5));
    assert_int_equal(tocsin_next(broker->tocsin, 50, &event), TOCSIN_NOTHING);
}

static void a_jump_in_the_numbers_is_told_before_the_alert(void **state)
{
    struct scripted *broker = *state;
    listen(broker);
    alert(broker, 4);
    alert(broker, 8);
    next_is_alert(broker, 4);
    struct tocsin_event lost = scripted_next_is(broker, TOCSIN_LOST);
    assert_int_equal(lost.from, 5);
    assert_int_equal(lost.to, 7);
    assert_int_equal(lost.count, 3);
    next_is_alert(broker, 8);
}

static void a_lost_tail_is_told_by_the_second_heartbeat(void **state)
{
    struct scripted *broker = *state;
    listen(broker);
    scripted_publish(broker, "~/hb/", BEAT(EPOCH_A, 6));
    scripted_publish(broker, "~/hb/", BEAT(EPOCH_A, 6));
    struct tocsin_event lost = next(broker);
    assert_int_equal(lost.kind, TOCSIN_LOST);
    assert_int_equal(lost.from, 4);
    assert_int_equal(lost.to, 6);
}

static void a_heartbeat_may_overtake_alerts_without_alarm(void **state)
{
    struct scripted *broker = *state;
    listen(broker);
    scripted_publish(broker, "~/hb/", BEAT(EPOCH_A, 5));
    alert(broker, 4);
    alert(broker, 5);
    scripted_publish(broker, "~/hb/", BEAT(EPOCH_A, 5));
    next_is_alert(broker, 4);
    next_is_alert(broker, 5);
}

static void with_topics_a_missing_number_is_no_loss(void **state)
{
    struct scripted *broker = *state;
    static const char *const filters[] = {"a/b/"};
    const struct tocsin_stream stream = {.filters = filters, .filter_count = 1};
    assert_int_equal(tocsin_subscribe(broker->tocsin, &stream), TOCSIN_OK);
    scripted_expect_subscription(broker, "a/b/");
    alert(broker, 4);
    alert(broker, 8);
    next_is_alert(broker, 4);
    next_is_alert(broker, 8);
}

static void labels_are_looked_at_here(void **state)
{
    struct scripted *broker = *state;
    static const char *const filters[] = {"label.desk=odd"};
    const struct tocsin_stream stream = {.filters = filters, .filter_count = 1};
    assert_int_equal(tocsin_subscribe(broker->tocsin, &stream), TOCSIN_OK);
    scripted_expect_subscription(broker, "");
    for (unsigned seq = 1; seq <= 4; seq++)
        alert(broker, seq);
    next_is_alert(broker, 1);
    next_is_alert(broker, 3);
}

static void another_history_is_told(void **state)
{
    struct scripted *broker = *state;
    listen(broker);
    alert(broker, 4);
    next_is_alert(broker, 4);
    scripted_publish(broker, "~/hb/", BEAT(EPOCH_B, 0));
    assert_string_equal(scripted_next_is(broker, TOCSIN_EPOCH).epoch, EPOCH_B);
    scripted_publish(broker, "a/b/high/", scripted_event(1, EPOCH_B));
    next_is_alert(broker, 1);
}

static void a_broker_that_goes_is_told_and_its_return_too(void **state)
{
    struct scripted *broker = *state;
    listen(broker);
    alert(broker, 4);
    next_is_alert(broker, 4);
    scripted_down(broker);
    scripted_next_is(broker, TOCSIN_DISCONNECTED);
    scripted_up(broker);
    scripted_next_is(broker, TOCSIN_CONNECTED);
    scripted_expect_subscription(broker, "");
    alert(broker, 6);
    assert_int_equal(scripted_next_is(broker, TOCSIN_LOST).from, 5);
    next_is_alert(broker, 6);
}

static void nonsense_is_skipped_with_an_error(void **state)
{
    struct scripted *broker = *state;
    struct tocsin_event event;
    listen(broker);
    alert(broker, 4);
    next_is_alert(broker, 4);
    scripted_publish(broker, "a/b/high/", "[]");
    scripted_publish(broker, "~/hb/", "{");
    alert(broker, 5);
    assert_int_equal(tocsin_next(broker->tocsin, 5000, &event), TOCSIN_EPROTO);
    assert_int_equal(tocsin_next(broker->tocsin, 5000, &event), TOCSIN_EPROTO);
    next_is_alert(broker, 5);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FACT(alerts_come_in_order_and_nothing_else_is_told),
        FACT(a_jump_in_the_numbers_is_told_before_the_alert),
        FACT(a_lost_tail_is_told_by_the_second_heartbeat),
        FACT(a_heartbeat_may_overtake_alerts_without_alarm),
        FACT(with_topics_a_missing_number_is_no_loss),
        FACT(labels_are_looked_at_here),
        FACT(another_history_is_told),
        FACT(a_broker_that_goes_is_told_and_its_return_too),
        FACT(nonsense_is_skipped_with_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
