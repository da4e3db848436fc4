#include "watcher/outbox/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/clock.h"

static int64_t now; // the tests' clock
static struct link *subject;

static int make(void **state)
{
    (void)state;
    now = 1000 * TC_SECOND;
    subject = link_new(42, now);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    link_free(subject);
    return 0;
}

static void pass_ms(int64_t ms)
{
    now += ms * TC_MS;
}

static struct link_order expect(enum link_act act)
{
    struct link_order order = link_next(subject, now);
    assert_int_equal(order.act, act);
    return order;
}

static uint64_t say_hello(void)
{
    expect(LINK_OPEN);
    link_opened(subject, now);
    struct link_order hello = expect(LINK_SAY_HELLO);
    link_sent(subject, &hello, true, now);
    return hello.rid;
}

static void get_ready(void)
{
    link_welcome(subject, say_hello(), 64, now);
    assert_int_equal(link_state(subject), LINK_READY);
}

// Sends a new batch of items first .. first + count - 1 and gives its order.
static struct link_order put(uint64_t first, size_t count)
{
    uint64_t items[LINK_BATCH_ITEMS];
    struct link_order order = expect(LINK_NEW);
    for (size_t i = 0; i < count; i++)
        items[i] = first + i;
    link_put(subject, &order, items, count, now);
    return order;
}

static void put_all(size_t batches)
{
    for (size_t i = 0; i < batches; i++)
        put(1 + 10 * i, 10);
    expect(LINK_NEW);
    link_empty(subject);
    expect(LINK_WAIT);
}

static void ack(uint64_t number, size_t count, bool expected)
{
    struct link_batch batch;
    link_heard(subject, now);
    assert_int_equal(link_ack(subject, number, count, now, &batch), expected);
    if (expected)
        assert_int_equal(batch.number, number);
}

static void expect_again(uint64_t number)
{
    struct link_order order = expect(LINK_AGAIN);
    assert_int_equal(order.batch->number, number);
    link_sent(subject, &order, true, now);
}

static void keep_alive_for_ms(int64_t ms)
{
    for (int64_t passed = 0; passed < ms; passed += 1000) {
        pass_ms(1000);
        struct link_order order = link_next(subject, now);
        if (order.act == LINK_BEAT)
            link_sent(subject, &order, true, now);
        link_heard(subject, now);
    }
}

static void batches_count_from_one_and_follow_each_other(void **state)
{
    (void)state;
    get_ready();
    struct link_order first = put(1, 3), second = put(7, 2);
    assert_int_equal(first.number, 1);
    assert_int_equal(first.after, 0);
    assert_int_equal(first.most, 64);
    assert_int_equal(second.number, 2);
    assert_int_equal(second.after, 3);
    expect(LINK_NEW);
    link_empty(subject);
    expect(LINK_WAIT);
    ack(1, 3, true);
    ack(1, 3, false); // repeated
    ack(2, 2, true);
    link_wake(subject);
    assert_int_equal(expect(LINK_NEW).after, 8);
}

static void the_window_is_bounded(void **state)
{
    (void)state;
    get_ready();
    for (size_t i = 0; i < LINK_WINDOW; i++)
        put(1 + i, 1);
    expect(LINK_WAIT);
    ack(1, 1, true);
    expect(LINK_NEW);
}

static void silence_sends_all_again_and_doubles_the_wait(void **state)
{
    (void)state;
    get_ready();
    put_all(3);
    int first = link_wait_ms(subject, now);
    assert_in_range(first, 800, 1000);
    pass_ms(first - 1);
    expect(LINK_WAIT);
    keep_alive_for_ms(1000);
    for (uint64_t n = 1; n <= 3; n++)
        expect_again(n);
    expect(LINK_WAIT);
    int64_t sent = now;
    struct link_order order;
    do { // the second time-out is about two seconds
        pass_ms(50);
        link_heard(subject, now);
        order = link_next(subject, now);
        if (order.act == LINK_BEAT)
            link_sent(subject, &order, true, now);
    } while (order.act != LINK_AGAIN);
    assert_in_range((now - sent) / TC_MS, 1600, 2450);
    ack(1, 10, true);
}

static void an_answer_whose_predecessor_was_lost_waits_for_it(void **state)
{
    (void)state;
    get_ready();
    put_all(3);
    ack(2, 10, false);
    ack(3, 10, false);
    keep_alive_for_ms(2000);
    for (uint64_t n = 1; n <= 3; n++)
        expect_again(n);
    for (uint64_t n = 1; n <= 3; n++)
        ack(n, 10, true);
    expect(LINK_WAIT);
}

static void a_heartbeat_of_an_unknown_session_begins_another(void **state)
{
    (void)state;
    get_ready();
    link_empty(subject);
    pass_ms(1000);
    struct link_order beat = expect(LINK_BEAT);
    link_sent(subject, &beat, true, now);
    link_nak(subject, &(struct link_nak){.rid = beat.rid, .reason = LINK_SESSION}, now);
    assert_int_equal(link_state(subject), LINK_DOWN);
}

static void a_late_answer_to_the_first_sending_counts(void **state)
{
    (void)state;
    get_ready();
    put_all(1);
    keep_alive_for_ms(2000);
    expect_again(1);
    ack(1, 10, true);
    keep_alive_for_ms(5000);
    expect(LINK_WAIT);
}

static void a_gap_goes_back_to_the_oldest(void **state)
{
    (void)state;
    get_ready();
    struct link_order first = put(1, 10);
    put(11, 10);
    link_nak(subject, &(struct link_nak){.rid = first.rid, .reason = LINK_GAP, .expected = 1}, now);
    expect_again(1);
    expect_again(2);
    // the refusal of the second batch's first sending comes late and changes nothing
    link_nak(subject, &(struct link_nak){.rid = first.rid + 1, .reason = LINK_GAP, .expected = 1},
             now);
    expect(LINK_NEW);
}

static void a_gap_elsewhere_begins_a_new_session(void **state)
{
    (void)state;
    get_ready();
    struct link_order first = put(1, 10);
    link_nak(subject, &(struct link_nak){.rid = first.rid, .reason = LINK_GAP, .expected = 9}, now);
    assert_int_equal(link_state(subject), LINK_DOWN);
    pass_ms(5000);
    get_ready();
    struct link_order again = expect(LINK_NEW);
    assert_int_equal(again.number, 1);
    assert_int_equal(again.after, 0);
}

static void unknown_watches_are_defined_before_the_batch_goes_again(void **state)
{
    struct tc_id need[2] = {{{1}}, {{2}}};
    (void)state;
    get_ready();
    struct link_order first = put(1, 10);
    put(11, 10);
    link_nak(
        subject,
        &(struct link_nak){.rid = first.rid, .reason = LINK_WATCH, .need = need, .need_count = 2},
        now);
    struct link_order define = expect(LINK_DEFINE);
    assert_int_equal(define.need_count, 2);
    assert_true(tc_id_eq(define.need[1], need[1]));
    link_sent(subject, &define, true, now);
    expect(LINK_WAIT);
    link_defined(subject, define.rid + 7); // somebody else's
    expect(LINK_WAIT);
    link_defined(subject, define.rid);
    expect_again(1);
    expect_again(2);
}

static void a_full_disk_at_the_broker_is_waited_out(void **state)
{
    (void)state;
    get_ready();
    struct link_order first = put(1, 10);
    link_nak(subject, &(struct link_nak){.rid = first.rid, .reason = LINK_DISK, .retry_ms = 700},
             now);
    expect(LINK_WAIT);
    assert_int_equal(link_wait_ms(subject, now), 700);
    pass_ms(700);
    expect_again(1);
}

static void a_senseless_pause_is_cut(void **state)
{
    (void)state;
    get_ready();
    struct link_order first = put(1, 10);
    link_nak(subject,
             &(struct link_nak){.rid = first.rid, .reason = LINK_DISK, .retry_ms = UINT64_MAX},
             now);
    for (int i = 0; i < LINK_TIMEOUT_MOST_MS / 1000; i++) { // heartbeats go on meanwhile
        pass_ms(1000);
        struct link_order beat = expect(LINK_BEAT);
        link_sent(subject, &beat, true, now);
        link_heard(subject, now);
    }
    expect_again(1);
}

static void three_missed_heartbeats_begin_a_new_session(void **state)
{
    (void)state;
    get_ready();
    put_all(1);
    for (int i = 0; i < 3; i++) {
        pass_ms(1000);
        struct link_order beat = expect(LINK_BEAT);
        link_sent(subject, &beat, true, now);
    }
    assert_int_equal(link_state(subject), LINK_READY);
    pass_ms(500);
    get_ready();
    assert_int_equal(expect(LINK_NEW).after, 0); // all that waits goes again
}

static void hello_is_repeated_more_and_more_slowly(void **state)
{
    int64_t last_wait = 0;
    (void)state;
    for (int i = 0; i < 10; i++) {
        int64_t begin = now;
        say_hello();
        expect(LINK_WAIT);
        while (link_next(subject, now).act == LINK_WAIT)
            pass_ms(10);
        int64_t wait = (now - begin) / TC_MS;
        assert_true(wait > last_wait || wait >= 24 * 1000);
        assert_true(wait <= 36 * 1000 + 10);
        last_wait = wait;
    }
}

static void without_a_connection_hello_waits_for_one(void **state)
{
    (void)state;
    expect(LINK_OPEN);
    link_opened(subject, now);
    for (int i = 0; i < 100; i++) {
        struct link_order hello = expect(LINK_SAY_HELLO);
        link_sent(subject, &hello, false, now);
        expect(LINK_WAIT);
        assert_int_equal(link_wait_ms(subject, now), LINK_UNSENT_MS);
        pass_ms(LINK_UNSENT_MS);
    }
    assert_int_equal(link_state(subject), LINK_HELLO);
}

static void who_is_replaced_asks_politely_and_seldom_until_it_is_let_in(void **state)
{
    (void)state;
    get_ready();
    struct link_order first = put(1, 1);
    link_nak(subject, &(struct link_nak){.rid = first.rid, .reason = LINK_REPLACED}, now);
    for (int i = 0; i < 20; i++) {
        assert_true(link_replaced(subject));
        expect(LINK_WAIT);
        int wait = link_wait_ms(subject, now);
        assert_in_range(wait, LINK_YIELD_MS - LINK_YIELD_MS / 5, LINK_YIELD_MS + LINK_YIELD_MS / 5);
        pass_ms(wait);
        expect(LINK_OPEN);
        link_opened(subject, now);
        struct link_order hello = expect(LINK_SAY_HELLO);
        assert_true(hello.yield);
        link_sent(subject, &hello, true, now);
        if (i < 19)
            link_nak(subject, &(struct link_nak){.rid = hello.rid, .reason = LINK_REPLACED}, now);
        else
            assert_true(link_welcome(subject, hello.rid, 64, now));
    }
    assert_false(link_replaced(subject));
    assert_int_equal(expect(LINK_NEW).number, 1);
    link_refused(subject, now);
    pass_ms(60 * 1000);
    expect(LINK_OPEN);
    link_opened(subject, now);
    assert_false(expect(LINK_SAY_HELLO).yield); // we have the name again
}

static void a_session_that_ended_does_not_come_back_at_once(void **state)
{
    (void)state;
    get_ready();
    struct link_order first = put(1, 1);
    link_nak(subject, &(struct link_nak){.rid = first.rid, .reason = LINK_SESSION}, now);
    expect(LINK_WAIT);
    assert_true(link_wait_ms(subject, now) >= 800);
}

static void what_the_broker_cannot_read_is_found_by_single_items(void **state)
{
    struct link_batch batch;
    (void)state;
    get_ready();
    struct link_order first = put(1, 10);
    assert_false(link_error(subject, first.rid, now, &batch));
    pass_ms(5000);
    get_ready();
    struct link_order single = expect(LINK_NEW);
    assert_int_equal(single.most, 1);
    link_put(subject, &single, (const uint64_t[]){1}, 1, now);
    assert_true(link_error(subject, single.rid, now, &batch));
    assert_int_equal(batch.items[0], 1);
}

static void an_answer_of_another_size_ends_the_session(void **state)
{
    (void)state;
    get_ready();
    put(1, 10);
    ack(1, 9, false);
    assert_int_equal(link_state(subject), LINK_DOWN);
}

static void answers_to_nothing_change_nothing(void **state)
{
    struct link_batch batch;
    (void)state;
    link_welcome(subject, 1, 64, now);
    link_defined(subject, 0);
    link_nak(subject, &(struct link_nak){.rid = 0, .reason = LINK_SESSION}, now);
    assert_false(link_error(subject, 0, now, &batch));
    ack(0, 0, false);
    assert_int_equal(link_state(subject), LINK_DOWN);
    get_ready();
    link_nak(subject, &(struct link_nak){.rid = 0, .reason = LINK_SESSION}, now);
    assert_int_equal(link_state(subject), LINK_READY);
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(batches_count_from_one_and_follow_each_other),
        LINK_TEST(the_window_is_bounded),
        LINK_TEST(silence_sends_all_again_and_doubles_the_wait),
        LINK_TEST(an_answer_whose_predecessor_was_lost_waits_for_it),
        LINK_TEST(a_heartbeat_of_an_unknown_session_begins_another),
        LINK_TEST(a_late_answer_to_the_first_sending_counts),
        LINK_TEST(a_gap_goes_back_to_the_oldest),
        LINK_TEST(a_gap_elsewhere_begins_a_new_session),
        LINK_TEST(unknown_watches_are_defined_before_the_batch_goes_again),
        LINK_TEST(a_full_disk_at_the_broker_is_waited_out),
        LINK_TEST(a_senseless_pause_is_cut),
        LINK_TEST(three_missed_heartbeats_begin_a_new_session),
        LINK_TEST(hello_is_repeated_more_and_more_slowly),
        LINK_TEST(without_a_connection_hello_waits_for_one),
        LINK_TEST(who_is_replaced_asks_politely_and_seldom_until_it_is_let_in),
        LINK_TEST(a_session_that_ended_does_not_come_back_at_once),
        LINK_TEST(what_the_broker_cannot_read_is_found_by_single_items),
        LINK_TEST(an_answer_of_another_size_ends_the_session),
        LINK_TEST(answers_to_nothing_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
