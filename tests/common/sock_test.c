#include "common/sock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000 };

struct place {
    void *context;
    char folder[64];
    char endpoint[128];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/tocsin-sock-XXXXXX");
    place->context = zmq_ctx_new();
    if (!mkdtemp(place->folder))
        return -1;
    snprintf(place->endpoint, sizeof place->endpoint, "ipc://%s/a.sock", place->folder);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    zmq_ctx_term(place->context);
    unlink(place->endpoint + strlen("ipc://"));
    rmdir(place->folder);
    free(place);
    return 0;
}

static int int_option(void *socket, int option)
{
    int value = -99;
    size_t size = sizeof value;
    assert_int_equal(zmq_getsockopt(socket, option, &value, &size), 0);
    return value;
}

static int64_t message_limit(void *socket)
{
    int64_t value = 0;
    size_t size = sizeof value;
    assert_int_equal(zmq_getsockopt(socket, ZMQ_MAXMSGSIZE, &value, &size), 0);
    return value;
}

static void every_kind_has_the_options_that_must_be_set(void **state)
{
    static const struct {
        enum tc_sock_kind kind;
        int type, send_hwm, receive_hwm, immediate;
        int64_t limit;
    } cases[] = {
        {TC_SOCK_ROUTER, ZMQ_ROUTER, 1000, 1000, 0, TC_SOCK_MESSAGE_BYTES},
        {TC_SOCK_DEALER, ZMQ_DEALER, 1000, 1000, 1, -1},
        {TC_SOCK_XPUB, ZMQ_XPUB, TC_SOCK_LIVE_HWM, 1000, 0, 512},
        {TC_SOCK_PUB, ZMQ_PUB, TC_SOCK_LIVE_HWM, 1000, 0, 512},
        {TC_SOCK_SUB, ZMQ_SUB, 0, TC_SOCK_LIVE_HWM, 0, -1},
        {TC_SOCK_PULL, ZMQ_PULL, 1000, 1000, 0, TC_SOCK_MESSAGE_BYTES},
        {TC_SOCK_PUSH, ZMQ_PUSH, 1000, 1000, 1, -1},
    };
    struct place *place = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *socket = NULL;
        assert_int_equal(
            tc_sock_open(place->context, cases[i].kind, (tc_str){"", 0}, false, &socket, NULL),
            TC_OK);
        assert_int_equal(int_option(socket, ZMQ_TYPE), cases[i].type);
        assert_int_equal(int_option(socket, ZMQ_SNDHWM), cases[i].send_hwm);
        assert_int_equal(int_option(socket, ZMQ_RCVHWM), cases[i].receive_hwm);
        assert_int_equal(int_option(socket, ZMQ_IMMEDIATE), cases[i].immediate);
        assert_true(message_limit(socket) == cases[i].limit);
        assert_int_equal(int_option(socket, ZMQ_LINGER), 0);
        assert_int_equal(int_option(socket, ZMQ_TCP_KEEPALIVE), 1);
        assert_int_equal(int_option(socket, ZMQ_TCP_KEEPALIVE_IDLE), 10);
        assert_int_equal(int_option(socket, ZMQ_TCP_KEEPALIVE_INTVL), 5);
        assert_int_equal(int_option(socket, ZMQ_TCP_KEEPALIVE_CNT), 3);
        assert_int_equal(int_option(socket, ZMQ_RECONNECT_IVL), 100);
        assert_int_equal(int_option(socket, ZMQ_RECONNECT_IVL_MAX), 5000);
        assert_int_equal(int_option(socket, ZMQ_HANDSHAKE_IVL), 5000);
        assert_int_equal(int_option(socket, ZMQ_HEARTBEAT_IVL), 0);
        tc_sock_close(socket);
    }
    tc_sock_close(NULL);
}

static void an_ipv6_address_can_be_bound_and_connected(void **state)
{
    const struct place *place = *state;
    char endpoint[64];
    size_t size = sizeof endpoint;
    void *server = NULL, *client = NULL;
    int code =
        tc_sock_open(place->context, TC_SOCK_PULL, TC_STR("tcp://[::1]:*"), true, &server, NULL);
    if (code != TC_OK) {
        print_message("this machine has no IPv6\n");
        skip();
    }
    assert_int_equal(zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    assert_int_equal(
        tc_sock_open(place->context, TC_SOCK_PUSH, tc_str_of(endpoint), false, &client, NULL),
        TC_OK);
    zmq_pollitem_t item = {.socket = server, .events = ZMQ_POLLIN};
    assert_int_equal(zmq_send(client, "x", 1, 0), 1);
    assert_int_equal(zmq_poll(&item, 1, PATIENCE_MS), 1);
    tc_sock_close(client);
    tc_sock_close(server);
}

static void wrong_endpoints_are_refused_with_their_reason(void **state)
{
    static const struct {
        const char *endpoint;
        int code;
    } cases[] = {
        {"nonsense", TC_EINVAL},
        {"http://localhost", TC_EINVAL},
        {"tcp://127.0.0.1", TC_EINVAL},
        {"ipc:///nowhere/at/all/a.sock", TC_EPROTO},
    };
    struct place *place = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tc_err err = {0};
        void *socket = NULL;
        int code = tc_sock_open(place->context, TC_SOCK_ROUTER, tc_str_of(cases[i].endpoint), true,
                                &socket, &err);
        if (code != cases[i].code)
            fail_msg("%s: %d %s", cases[i].endpoint, code, err.text);
        assert_non_null(strstr(err.text, cases[i].endpoint));
        assert_null(socket);
    }
}

static void an_ipc_path_longer_than_the_kernel_takes_is_refused(void **state)
{
    struct place *place = *state;
    struct tc_err err = {0};
    char endpoint[128];
    void *socket = NULL;
    memset(endpoint, 'x', sizeof endpoint);
    memcpy(endpoint, "ipc:///", 7);
    tc_str longest = {endpoint, 6 + 107}, longer = {endpoint, 6 + 108};
    assert_int_equal(tc_sock_open(place->context, TC_SOCK_ROUTER, longer, true, &socket, &err),
                     TC_EINVAL);
    assert_non_null(strstr(err.text, "108 bytes"));
    // A path of 107 bytes passes; nobody binds it, a client may wait for it.
    assert_int_equal(tc_sock_open(place->context, TC_SOCK_DEALER, longest, false, &socket, &err),
                     TC_OK);
    tc_sock_close(socket);
}

static void an_address_in_use_is_named(void **state)
{
    struct place *place = *state;
    struct tc_err err = {0};
    void *first = NULL, *second = NULL;
    char endpoint[64];
    size_t size = sizeof endpoint;
    assert_int_equal(tc_sock_open(place->context, TC_SOCK_ROUTER, TC_STR("tcp://127.0.0.1:*"), true,
                                  &first, &err),
                     TC_OK);
    assert_int_equal(zmq_getsockopt(first, ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
    assert_int_equal(
        tc_sock_open(place->context, TC_SOCK_ROUTER, tc_str_of(endpoint), true, &second, &err),
        TC_EBUSY);
    assert_non_null(strstr(err.text, endpoint));
    tc_sock_close(first);
}

static void a_bound_ipc_file_is_for_owner_and_group(void **state)
{
    struct place *place = *state;
    struct stat found;
    void *socket = NULL;
    mode_t before = umask(0);
    assert_int_equal(
        tc_sock_open(place->context, TC_SOCK_PUB, tc_str_of(place->endpoint), true, &socket, NULL),
        TC_OK);
    umask(before);
    assert_int_equal(stat(place->endpoint + strlen("ipc://"), &found), 0);
    assert_int_equal(found.st_mode & 0777, 0660);
    tc_sock_close(socket);
}

static void a_subscription_arrives_and_long_ones_are_refused(void **state)
{
    struct place *place = *state;
    char topic[201], got[256];
    void *publisher = NULL, *subscriber = NULL;
    memset(topic, 't', sizeof topic);
    tc_str endpoint = tc_str_of(place->endpoint);
    assert_int_equal(tc_sock_open(place->context, TC_SOCK_XPUB, endpoint, true, &publisher, NULL),
                     TC_OK);
    assert_int_equal(tc_sock_open(place->context, TC_SOCK_SUB, endpoint, false, &subscriber, NULL),
                     TC_OK);
    assert_int_equal(tc_sock_subscribe(subscriber, (tc_str){topic, 201}, NULL), TC_EINVAL);
    assert_int_equal(tc_sock_subscribe(subscriber, (tc_str){topic, 200}, NULL), TC_OK);
    zmq_pollitem_t item = {.socket = publisher, .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&item, 1, PATIENCE_MS), 1);
    assert_int_equal(zmq_recv(publisher, got, sizeof got, 0), 201);
    assert_memory_equal(got + 1, topic, 200);
    assert_int_equal(tc_sock_subscribe(subscriber, (tc_str){NULL, 0}, NULL), TC_OK);
    assert_int_equal(tc_sock_subscribe(publisher, TC_STR("x"), NULL), TC_EPROTO);
    tc_sock_close(publisher);
    tc_sock_close(subscriber);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_kind_has_the_options_that_must_be_set, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_ipv6_address_can_be_bound_and_connected, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(wrong_endpoints_are_refused_with_their_reason, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_ipc_path_longer_than_the_kernel_takes_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_address_in_use_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bound_ipc_file_is_for_owner_and_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_subscription_arrives_and_long_ones_are_refused, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
