#include "client/wire.h"
#include "common/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <zmq.h>

enum { ADDRESS_BYTES = 48 };

// A socket that was closed keeps its monitor's address until libzmq's own thread has reaped it, also
// when this wire is a new one at the place of an old one: then the next number is free.
static int monitor_at_free_address(struct wire *wire, char address[ADDRESS_BYTES])
{
    static const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED;
    int failed;
    do {
        snprintf(address, ADDRESS_BYTES, "inproc://%p-%u", (void *)wire, ++wire->opened);
        failed = zmq_socket_monitor(wire->socket, address, events);
    } while (failed && errno == EADDRINUSE);
    return failed;
}

static int monitor_open(struct wire *wire, void *context, struct tc_err *err)
{
    static const int no_limit = 0;
    char address[ADDRESS_BYTES];
    wire->monitor = zmq_socket(context, ZMQ_PAIR);
    if (!wire->monitor ||
        zmq_setsockopt(wire->monitor, ZMQ_RCVHWM, &no_limit, sizeof no_limit) != 0 ||
        monitor_at_free_address(wire, address) != 0 || zmq_connect(wire->monitor, address) != 0)
        return tc_fail(err, TC_EPROTO, "cannot watch a connection: %s", zmq_strerror(errno));
    return TC_OK;
}

int wire_open(struct wire *wire, void *context, enum tc_sock_kind kind, struct tc_err *err)
{
    int code = tc_sock_open(context, kind, tc_str_of(""), false, &wire->socket, err);
    if (code == TC_OK)
        code = monitor_open(wire, context, err);
    if (code != TC_OK)
        wire_close(wire);
    return code;
}

int wire_connect(struct wire *wire, const char *endpoint, struct tc_err *err)
{
    if (!tc_sock_allow_ipv6(wire->socket, tc_str_of(endpoint)) ||
        zmq_connect(wire->socket, endpoint) != 0)
        return tc_fail(err, TC_EINVAL, "cannot connect to '%s': %s", endpoint, zmq_strerror(errno));
    return TC_OK;
}

void wire_close(struct wire *wire)
{
    if (wire->socket)
        zmq_socket_monitor(wire->socket, NULL, 0);
    tc_sock_close(wire->monitor);
    tc_sock_close(wire->socket);
    wire->socket = wire->monitor = NULL;
    wire->up = false;
}

// Takes in every report that waits. One has two frames: event number (16 bits, in the host's order)
// with a value, and the endpoint.
static void listen_to_monitor(struct wire *wire)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, wire->monitor, ZMQ_DONTWAIT) >= 0) {
        uint16_t event = 0;
        if (zmq_msg_size(&frame) >= sizeof event)
            memcpy(&event, zmq_msg_data(&frame), sizeof event);
        if (zmq_msg_more(&frame))
            zmq_msg_recv(&frame, wire->monitor, 0);
        wire->up = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
        wire->times_up += wire->up;
    }
    zmq_msg_close(&frame);
}

// Milliseconds to `until`, rounded up so that a wait does not end just before it.
static long milliseconds_left(int64_t until)
{
    int64_t left = until - tc_mono_ns();
    if (left <= 0)
        return 0;
    left = left / TC_MS + 1;
    return left > INT_MAX ? INT_MAX : (long)left;
}

int wire_wait(struct wire *wire, int64_t until, bool sending, struct tc_err *err)
{
    const short events = ZMQ_POLLIN | (sending && wire->up ? ZMQ_POLLOUT : 0);
    zmq_pollitem_t items[] = {{.socket = wire->socket, .events = events},
                              {.socket = wire->monitor, .events = ZMQ_POLLIN}};
    if (zmq_poll(items, 2, milliseconds_left(until)) < 0)
        return errno == EINTR ? tc_fail(err, TC_ESTOP, "interrupted by a signal")
                              : tc_fail(err, TC_EPROTO, "cannot wait: %s", zmq_strerror(errno));
    if (items[1].revents)
        listen_to_monitor(wire);
    return TC_OK;
}
