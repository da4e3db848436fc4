#include "common/frame.h"

#include "common/sock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000, PARTS_MOST = 12 };

struct pair {
    void *context, *router, *dealer;
    struct tc_frames *frames;
};

static int set_up(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    tc_str endpoint = TC_STR("inproc://pair");
    pair->context = zmq_ctx_new();
    pair->frames = tc_frames_new();
    *state = pair;
    if (tc_sock_open(pair->context, TC_SOCK_ROUTER, endpoint, true, &pair->router, NULL) != TC_OK)
        return -1;
    return tc_sock_open(pair->context, TC_SOCK_DEALER, endpoint, false, &pair->dealer, NULL);
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    tc_frames_free(pair->frames);
    tc_frames_free(NULL);
    tc_sock_close(pair->router);
    tc_sock_close(pair->dealer);
    zmq_ctx_term(pair->context);
    free(pair);
    return 0;
}

static int receive(struct pair *pair, void *socket, struct tc_err *err)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    zmq_poll(&item, 1, PATIENCE_MS);
    return tc_frames_receive(pair->frames, socket, err);
}

static void send_all(void *socket, const tc_str *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(tc_frame_send(socket, parts[i], i + 1 < count, NULL), TC_OK);
}

static void nothing_to_receive_is_said(void **state)
{
    struct pair *pair = *state;
    assert_int_equal(tc_frames_receive(pair->frames, pair->router, NULL), TC_ENOENT);
    assert_int_equal(tc_frames_count(pair->frames), 0);
    assert_int_equal(tc_frames_at(pair->frames, 0).len, 0);
}

static void a_request_is_split_wherever_its_mark_stands(void **state)
{
    static const struct {
        const char *parts[PARTS_MOST];
        bool ok;
        size_t envelope, payload, count; // with the routing id in front
    } cases[] = {
        {{"T1", "PUT", "{}", "a", "b"}, true, 1, 4, 6},
        {{"", "T1", "PUT", "{}"}, true, 2, 5, 5},
        {{"T1", "PUT", "{}"}, true, 1, 4, 4},
        {{"T1", "PUT"}, false, 0, 0, 0},
        {{"T1"}, false, 0, 0, 0},
        {{"T2", "PUT", "{}"}, false, 0, 0, 0},
        {{"", "", "", "", "", "", "T1", "PUT", "{}"}, true, 7, 10, 10},
        {{"", "", "", "", "", "", "", "T1", "PUT", "{}"}, false, 0, 0, 0},
        {{"PUT", "{}", "T1"}, false, 0, 0, 0},
        {{""}, false, 0, 0, 0},
    };
    struct pair *pair = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tc_str parts[PARTS_MOST];
        size_t count = 0;
        struct tc_request request = {0};
        struct tc_err err = {0};
        for (; count < PARTS_MOST && cases[i].parts[count]; count++)
            parts[count] = tc_str_of(cases[i].parts[count]);
        send_all(pair->dealer, parts, count);
        assert_int_equal(receive(pair, pair->router, &err), TC_OK);
        int code = tc_frames_request(pair->frames, &request, &err);
        assert_int_equal(code, cases[i].ok ? TC_OK : TC_EPROTO);
        if (code != TC_OK) {
            assert_true(err.text[0] != '\0');
            continue;
        }
        assert_int_equal(request.envelope, cases[i].envelope);
        assert_int_equal(request.payload, cases[i].payload);
        assert_int_equal(tc_frames_count(pair->frames), cases[i].count);
        assert_true(tc_str_eq(request.command, TC_STR("PUT")));
        assert_true(tc_str_eq(request.header, TC_STR("{}")));
    }
}

static void a_header_has_a_limit(void **state)
{
    static char large[TC_HEADER_BYTES + 1];
    struct pair *pair = *state;
    for (size_t more = 0; more <= 1; more++) {
        tc_str parts[] = {TC_STR("T1"), TC_STR("PUT"), {large, TC_HEADER_BYTES + more}};
        struct tc_request request;
        send_all(pair->dealer, parts, 3);
        assert_int_equal(receive(pair, pair->router, NULL), TC_OK);
        assert_int_equal(tc_frames_request(pair->frames, &request, NULL), more ? TC_EPROTO : TC_OK);
    }
}

static void the_envelope_brings_the_answer_back(void **state)
{
    const tc_str asked[] = {{"", 0}, TC_STR("T1"), TC_STR("HB"), TC_STR("{}")};
    struct pair *pair = *state;
    struct tc_request request;
    send_all(pair->dealer, asked, 4);
    assert_int_equal(receive(pair, pair->router, NULL), TC_OK);
    assert_int_equal(tc_frames_request(pair->frames, &request, NULL), TC_OK);
    assert_int_equal(tc_frames_send_envelope(pair->router, pair->frames, request.envelope, NULL),
                     TC_OK);
    assert_int_equal(tc_frame_send(pair->router, TC_STR("T1"), false, NULL), TC_OK);
    assert_int_equal(receive(pair, pair->dealer, NULL), TC_OK);
    assert_int_equal(tc_frames_count(pair->frames), 2);
    assert_int_equal(tc_frames_at(pair->frames, 0).len, 0);
    assert_true(tc_str_eq(tc_frames_at(pair->frames, 1), TC_STR("T1")));
}

static void too_many_frames_are_thrown_away_whole(void **state)
{
    struct pair *pair = *state;
    for (size_t i = 0; i < 2 * TC_FRAMES_MOST; i++)
        assert_int_equal(tc_frame_send(pair->dealer, TC_STR("x"), true, NULL), TC_OK);
    assert_int_equal(tc_frame_send(pair->dealer, TC_STR("end"), false, NULL), TC_OK);
    assert_int_equal(tc_frame_send(pair->dealer, TC_STR("next"), false, NULL), TC_OK);
    assert_int_equal(receive(pair, pair->router, NULL), TC_EFULL);
    assert_int_equal(tc_frames_count(pair->frames), 0);
    assert_int_equal(receive(pair, pair->router, NULL), TC_OK);
    assert_int_equal(tc_frames_count(pair->frames), 2);
    assert_true(tc_str_eq(tc_frames_at(pair->frames, 1), TC_STR("next")));
}

static void as_many_frames_as_are_allowed_arrive(void **state)
{
    struct pair *pair = *state;
    for (size_t i = 1; i < TC_FRAMES_MOST; i++) // the routing id is one more
        assert_int_equal(tc_frame_send(pair->dealer, TC_STR("x"), i + 1 < TC_FRAMES_MOST, NULL),
                         TC_OK);
    assert_int_equal(receive(pair, pair->router, NULL), TC_OK);
    assert_int_equal(tc_frames_count(pair->frames), TC_FRAMES_MOST);
}

static void sending_to_nobody_is_busy(void **state)
{
    struct pair *pair = *state;
    void *lonely = NULL;
    assert_int_equal(tc_frame_send(pair->router, TC_STR("unknown peer"), true, NULL), TC_EBUSY);
    assert_int_equal(tc_sock_open(pair->context, TC_SOCK_DEALER,
                                  TC_STR("ipc:///tmp/tocsin-nobody-binds-this"), false, &lonely,
                                  NULL),
                     TC_OK);
    assert_int_equal(tc_frame_send(lonely, TC_STR("x"), false, NULL), TC_EBUSY);
    assert_int_equal(tc_frames_receive(pair->frames, NULL, NULL), TC_EPROTO);
    tc_sock_close(lonely);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_to_receive_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_is_split_wherever_its_mark_stands, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_header_has_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_envelope_brings_the_answer_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_frames_are_thrown_away_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_many_frames_as_are_allowed_arrive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sending_to_nobody_is_busy, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
