#include "watcher/outbox/tap.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <zmq.h>

#include <cmocka.h>

#include "common/hit.h"
#include "common/sock.h"

#define RECORD_WITH(more)                                                                          \
    "{\"id\":\"a\",\"source\":\"s\",\"version\":1," more                                           \
    "\"seen\":\"2025-03-01T05:01:00Z\",\"segments\":[{\"number\":0}]}"
#define RECORD RECORD_WITH("")

#define NOW INT64_C(1740805320000000000) // 2025-03-01T05:02:00Z

static void *context, *subscriber;
static struct tap *tap;

static int make(void **state)
{
    int timeout = 50;
    struct tc_err err;
    (void)state;
    context = zmq_ctx_new();
    if (tap_open(context, NULL, TC_STR("inproc://tap"), &tap, &err) != TC_OK ||
        tc_sock_open(context, TC_SOCK_SUB, TC_STR("inproc://tap"), false, &subscriber, &err) !=
            TC_OK ||
        tc_sock_subscribe(subscriber, TC_STR("demo/"), &err) != TC_OK)
        return -1;
    zmq_setsockopt(subscriber, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    tap_close(tap);
    tc_sock_close(subscriber);
    zmq_ctx_term(context);
    return 0;
}

enum { SHADOW = 9001, PAUSED, RETIRED, EXPIRED }; // numbers of watches that are not live

static tc_str definition(int number, char *out, size_t size, struct tc_id *hash)
{
    static const char *const others[] = {"shadow", "paused", "retired",
                                         "live\",\"expires\":\"2025-03-01T00:00:00Z"};
    int len = snprintf(out, size,
                       "{\"name\":\"demo/w%d\",\"severity\":\"info\",\"status\":\"%s\","
                       "\"labels\":{},\"annotations\":{},\"alert\":{},\"query\":\"x\"}",
                       number, number < SHADOW ? "live" : others[number - SHADOW]);
    tc_str text = {out, (size_t)len};
    *hash = tc_id_of_bytes(text);
    return text;
}

static int define(int number)
{
    char text[256];
    struct tc_id hash;
    tc_str body = definition(number, text, sizeof text, &hash);
    return tap_define(tap, hash, body, NULL);
}

static void add_hit(struct tc_buf *frame, int number)
{
    char text[256], watch[32];
    struct tc_hit hit = {.severity = TC_STR("info"), .score = NAN, .excerpt = TC_STR("words")};
    definition(number, text, sizeof text, &hit.watch_hash);
    snprintf(watch, sizeof watch, "demo/w%d", number);
    hit.watch = tc_str_of(watch);
    hit.id = tc_hit_id(hit.watch, TC_STR("s"), TC_STR("a"), 1, 0);
    tc_hits_add(frame, &hit);
}

// Publishes hits of two watches until the subscriber hears of one; gives its topic.
static void publish_until_heard(int one, int two, char *topic, size_t size)
{
    struct tc_buf frame = {0};
    int len = -1;
    tc_hits_begin(&frame);
    add_hit(&frame, one);
    add_hit(&frame, two);
    tc_hits_finish(&frame, TC_STR(RECORD));
    for (int i = 0; len < 0 && i < 1000; i++) { // the subscription needs its time
        assert_int_equal(tap_publish(tap, TC_STR(RECORD), tc_buf_view(&frame), NOW, NULL), TC_OK);
        len = zmq_recv(subscriber, topic, size - 1, 0);
    }
    assert_true(len >= 0);
    topic[len] = '\0';
    tc_buf_done(&frame);
}

static void hits_of_watches_that_are_not_defined_are_left_out(void **state)
{
    char topic[256], event[4096];
    (void)state;
    assert_int_equal(define(2), TC_OK);
    publish_until_heard(1, 2, topic, sizeof topic);
    assert_string_equal(topic, "demo/w2/info/");
    int len = zmq_recv(subscriber, event, sizeof event - 1, 0);
    assert_true(len > 0);
    event[len] = '\0';
    assert_non_null(strstr(event, "\"type\":\"org.tocsin.hit.v1\""));
    assert_non_null(strstr(event, "\"stored\":false"));
}

static void more_watches_than_are_kept_do_no_harm(void **state)
{
    char topic[256];
    (void)state;
    for (int i = 0; i < TAP_WATCHES_MOST + 10; i++)
        assert_int_equal(define(i), TC_OK);
    assert_int_equal(define(1), TC_OK);
    publish_until_heard(1, 1, topic, sizeof topic);
    assert_string_equal(topic, "demo/w1/info/");
}

static void what_is_no_definition_and_no_frame_is_refused(void **state)
{
    struct tc_err err;
    (void)state;
    assert_int_equal(tap_define(tap, tc_id_random(), TC_STR("{}"), &err), TC_EPARSE);
    assert_int_equal(tap_publish(tap, TC_STR("{}"), TC_STR(""), 1, &err), TC_EPARSE);
    assert_int_equal(tap_publish(tap, TC_STR(RECORD), TC_STR("\x01"), 1, &err), TC_EPROTO);
}

// Publishes a hit that must not be heard, then one that must.
static void expect_quiet(int watch, const char *record)
{
    struct tc_buf frame = {0};
    char topic[256];
    tc_hits_begin(&frame);
    add_hit(&frame, watch);
    tc_hits_finish(&frame, tc_str_of(record));
    assert_int_equal(tap_publish(tap, tc_str_of(record), tc_buf_view(&frame), NOW, NULL), TC_OK);
    tc_buf_done(&frame);
    publish_until_heard(2, 2, topic, sizeof topic);
    assert_string_equal(topic, "demo/w2/info/");
    while (zmq_recv(subscriber, topic, sizeof topic, 0) >= 0) // the event, and more of the same
        continue;
}

static void what_the_broker_keeps_back_is_not_shown(void **state)
{
    static const char *const records[] = {
        RECORD_WITH("\"status\":\"withheld\","),
        RECORD_WITH("\"status\":\"canceled\","),
        RECORD_WITH("\"embargoed_until\":\"2025-03-01T05:02:01Z\","),
    };
    char topic[256];
    (void)state;
    for (int number = SHADOW; number <= EXPIRED; number++)
        assert_int_equal(define(number), TC_OK);
    assert_int_equal(define(1), TC_OK);
    assert_int_equal(define(2), TC_OK);
    publish_until_heard(2, 2, topic, sizeof topic);
    while (zmq_recv(subscriber, topic, sizeof topic, 0) >= 0)
        continue;
    for (int number = SHADOW; number <= EXPIRED; number++)
        expect_quiet(number, RECORD);
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        expect_quiet(1, records[i]);
}

#define TAP_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TAP_TEST(hits_of_watches_that_are_not_defined_are_left_out),
        TAP_TEST(what_the_broker_keeps_back_is_not_shown),
        TAP_TEST(more_watches_than_are_kept_do_no_harm),
        TAP_TEST(what_is_no_definition_and_no_frame_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
