// The public functions: what they refuse, and how long they wait for nobody.
#include <tocsin/tocsin.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    // Nobody listens there.
    const struct tocsin_options options = {.fetch = "ipc:///tmp/tocsin-nobody/fetch",
                                           .live = "ipc:///tmp/tocsin-nobody/live",
                                           .intake = "ipc:///tmp/tocsin-nobody/intake",
                                           .timeout_ms = 50};
    struct tocsin *tocsin = NULL;
    assert_int_equal(tocsin_open(&options, &tocsin), TOCSIN_OK);
    *state = tocsin;
    return 0;
}

static int tear_down(void **state)
{
    tocsin_close(*state);
    return 0;
}

static void endpoints_default_to_the_runtime_folder(void **state)
{
    struct tocsin *tocsin = NULL;
    setenv("TOCSIN_RUNTIME_DIR", "/somewhere", 1);
    setenv("TOCSIN_LIVE", "tcp://192.0.2.1:5562", 1);
    assert_int_equal(tocsin_open(NULL, &tocsin), TOCSIN_OK);
    assert_string_equal(tocsin_fetch_endpoint(tocsin), "ipc:///somewhere/fetch.sock");
    assert_string_equal(tocsin_intake_endpoint(tocsin), "ipc:///somewhere/intake.sock");
    assert_string_equal(tocsin_live_endpoint(tocsin), "tcp://192.0.2.1:5562");
    tocsin_close(tocsin);
    unsetenv("TOCSIN_LIVE");
    (void)state;
}

static void a_handle_opened_wrongly_is_none(void **state)
{
    struct tocsin *tocsin = NULL;
    const struct tocsin_options negative = {.timeout_ms = -1}, empty = {.fetch = ""};
    assert_int_equal(tocsin_open(&negative, &tocsin), TOCSIN_EINVAL);
    assert_int_equal(tocsin_open(&empty, &tocsin), TOCSIN_EINVAL);
    assert_null(tocsin);
    tocsin_close(NULL);
    (void)state;
}

static void filters_that_are_none_are_refused_by_name(void **state)
{
    static const char *const wrong[] = {
        "china",       "China/",    "/china/", "",      "label.desk",
        "label.=asia", "desk=asia", "a b/",    "\xff/", "label.",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct tocsin_stream stream = {.filters = &wrong[i], .filter_count = 1};
        assert_int_equal(tocsin_follow(*state, &stream), TOCSIN_EINVAL);
        assert_non_null(strstr(tocsin_error(*state), wrong[i]));
        assert_int_equal(tocsin_subscribe(*state, &stream), TOCSIN_EINVAL);
    }
}

static void too_many_filters_are_refused(void **state)
{
    const char *filters[TOCSIN_FILTERS_MOST + 1];
    for (size_t i = 0; i <= TOCSIN_FILTERS_MOST; i++)
        filters[i] = "a/";
    struct tocsin_stream stream = {.filters = filters, .filter_count = TOCSIN_FILTERS_MOST};
    assert_int_equal(tocsin_follow(*state, &stream), TOCSIN_OK);
    stream.filter_count++;
    assert_int_equal(tocsin_follow(*state, &stream), TOCSIN_EFULL);
}

static void consumer_names_and_starts_are_checked(void **state)
{
    static const char *const wrong[] = {
        "", "a b", "d\xc3\xa9sk", "a/b",
        "x234567890123456789012345678901234567890123456789012345678901234"};
    const struct tocsin_stream number = {.start = TOCSIN_FROM_AFTER, .after = 7};
    const struct tocsin_stream no_time = {.start = TOCSIN_FROM_SINCE, .since = "yesterday"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(tocsin_consume(*state, wrong[i], NULL), TOCSIN_EINVAL);
    assert_int_equal(tocsin_consume(*state, NULL, NULL), TOCSIN_EINVAL);
    assert_int_equal(tocsin_consume(*state, "desk", &number), TOCSIN_EINVAL);
    assert_int_equal(tocsin_follow(*state, &no_time), TOCSIN_EINVAL);
    assert_int_equal(tocsin_consume(*state, "desk.2_A-b", NULL), TOCSIN_OK);
}

static void calls_out_of_order_are_refused(void **state)
{
    struct tocsin_event event;
    assert_int_equal(tocsin_next(*state, 0, &event), TOCSIN_EINVAL);
    assert_int_equal(tocsin_settle(*state, 0), TOCSIN_EINVAL);
    assert_int_equal(tocsin_acknowledge(*state, 1), TOCSIN_EINVAL);
    assert_int_equal(tocsin_follow(*state, NULL), TOCSIN_OK);
    assert_int_equal(tocsin_acknowledge(*state, 1), TOCSIN_EINVAL);
    assert_string_equal(tocsin_error(*state), "only a tocsin_consume() stream has a cursor");
}

static void nobody_answering_is_said_within_the_time_limit(void **state)
{
    const char *json = NULL;
    struct tocsin_receipt receipt;
    assert_int_equal(tocsin_status(*state, TOCSIN_BROKER, &json), TOCSIN_ETIMEOUT);
    assert_string_equal(tocsin_error(*state), "no broker answers at "
                                              "ipc:///tmp/tocsin-nobody/fetch; is tocsin-broker "
                                              "running?");
    assert_int_equal(tocsin_publish(*state, "{\"id\":\"1\",\"text\":\"x\"}", 21, NULL, 0, &receipt),
                     TOCSIN_ETIMEOUT);
    assert_int_equal(tocsin_submit(*state, "{\"id\":\"1\",\"text\":\"x\"}", 21, NULL, 0),
                     TOCSIN_OK);
    assert_int_equal(tocsin_collect(*state, &receipt), TOCSIN_ETIMEOUT);
    assert_int_equal(tocsin_publish(*state, "{\"id\":\"1\",\"text\":\"x\"}", 21, NULL, 0, &receipt),
                     TOCSIN_EINVAL); // one is on the way
    assert_int_equal(tocsin_consume(*state, "desk", NULL), TOCSIN_OK);
    assert_int_equal(tocsin_acknowledge(*state, 1), TOCSIN_EINVAL); // without a lease
    assert_int_equal(tocsin_subscribe(*state, NULL), TOCSIN_OK);
    assert_int_equal(tocsin_settle(*state, 60), TOCSIN_ETIMEOUT);
}

// Each has a connection of its own, made before libzmq is done with the one before.
static void a_handle_begins_one_stream_after_the_other(void **state)
{
    for (int i = 0; i < 200; i++) {
        struct tocsin_event event;
        assert_int_equal(tocsin_query(*state, NULL), TOCSIN_OK);
        assert_true(tocsin_next(*state, 0, &event) >= TOCSIN_OK);
    }
}

static void an_article_that_is_none_is_refused_before_it_is_sent(void **state)
{
    struct tocsin_receipt receipt;
    static const char *const wrong[] = {"", "{", "[]", "{\"id\":1,\"id\":2}", "\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(tocsin_publish(*state, wrong[i], strlen(wrong[i]), NULL, 0, &receipt),
                         TOCSIN_EPARSE);
    char *large = calloc(1, 20000);
    memset(large, ' ', 19999);
    memcpy(large, "{\"title\":\"", 10);
    memset(large + 10, 'x', 19000);
    memcpy(large + 19010, "\"}", 2);
    assert_int_equal(tocsin_publish(*state, large, strlen(large), "text", 4, &receipt),
                     TOCSIN_EFULL);
    free(large);
}

static void a_malformed_endpoint_is_said(void **state)
{
    const struct tocsin_options options = {.fetch = "nonsense", .timeout_ms = 50};
    struct tocsin *tocsin = NULL;
    const char *json = NULL;
    assert_int_equal(tocsin_open(&options, &tocsin), TOCSIN_OK);
    assert_int_equal(tocsin_status(tocsin, TOCSIN_BROKER, &json), TOCSIN_EINVAL);
    assert_non_null(strstr(tocsin_error(tocsin), "'nonsense'"));
    tocsin_close(tocsin);
    (void)state;
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FACT(endpoints_default_to_the_runtime_folder),
        FACT(a_handle_opened_wrongly_is_none),
        FACT(filters_that_are_none_are_refused_by_name),
        FACT(too_many_filters_are_refused),
        FACT(consumer_names_and_starts_are_checked),
        FACT(calls_out_of_order_are_refused),
        FACT(nobody_answering_is_said_within_the_time_limit),
        FACT(a_handle_begins_one_stream_after_the_other),
        FACT(an_article_that_is_none_is_refused_before_it_is_sent),
        FACT(a_malformed_endpoint_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
