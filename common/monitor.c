#include "common/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

enum { ADDRESS_BYTES = 64 };

// A socket that was closed keeps its monitor's address until libzmq's own thread has reaped it, also
// when this monitor is a new one at the place of an old one: then the next number is free.
static int monitor_at_free_address(struct tc_monitor *monitor, void *socket, char *address)
{
    static const int events =
        ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
        ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
    int failed;
    do {
        snprintf(address, ADDRESS_BYTES, "inproc://monitor-%p-%u", (void *)monitor,
                 ++monitor->opened);
        failed = zmq_socket_monitor(socket, address, events);
    } while (failed && errno == EADDRINUSE);
    return failed;
}

int tc_monitor_open(struct tc_monitor *monitor, void *context, void *socket, struct tc_err *err)
{
    static const int no_limit = 0;
    char address[ADDRESS_BYTES];
    monitor->pair = zmq_socket(context, ZMQ_PAIR);
    if (!monitor->pair ||
        zmq_setsockopt(monitor->pair, ZMQ_RCVHWM, &no_limit, sizeof no_limit) != 0 ||
        monitor_at_free_address(monitor, socket, address) != 0 ||
        zmq_connect(monitor->pair, address) != 0)
        return tc_fail(err, TC_EPROTO, "cannot watch a connection: %s", zmq_strerror(errno));
    return TC_OK;
}

static void take(struct tc_monitor *monitor, uint16_t event)
{
    monitor->up = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    monitor->times_up += monitor->up;
    switch (event) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: monitor->refusal = TC_NOT_REFUSED; break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: monitor->refusal = TC_REFUSED_KEY; break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: monitor->refusal = TC_REFUSED_PLAIN; break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        if (monitor->refusal == TC_NOT_REFUSED)
            monitor->refusal = TC_REFUSED_SILENTLY;
        break;
    default: break;
    }
}

// A report has two frames: event number (16 bits, in the host's order) with a value, and the endpoint.
void tc_monitor_listen(struct tc_monitor *monitor)
{
    zmq_msg_t frame;
    if (!monitor->pair)
        return;
    zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, monitor->pair, ZMQ_DONTWAIT) >= 0) {
        uint16_t event = 0;
        if (zmq_msg_size(&frame) >= sizeof event)
            memcpy(&event, zmq_msg_data(&frame), sizeof event);
        if (zmq_msg_more(&frame))
            zmq_msg_recv(&frame, monitor->pair, 0);
        take(monitor, event);
    }
    zmq_msg_close(&frame);
}

void tc_monitor_close(struct tc_monitor *monitor, void *socket)
{
    if (socket)
        zmq_socket_monitor(socket, NULL, 0);
    if (monitor->pair)
        zmq_close(monitor->pair);
    monitor->pair = NULL;
    monitor->up = false;
    monitor->refusal = TC_NOT_REFUSED;
}

const char *tc_refusal_text(enum tc_refusal refusal)
{
    switch (refusal) {
    case TC_REFUSED_KEY:
        return "refuses our key: its access.yaml does not name it, or not with a role for this "
               "door";
    case TC_REFUSED_PLAIN:
        return "and we do not agree on keys: one side uses them, the other does not (keys: or "
               "TOCSIN_KEYS)";
    case TC_REFUSED_SILENTLY:
        return "hangs up: its public key that we have is probably not its own, or it expects none";
    case TC_NOT_REFUSED: break;
    }
    return NULL;
}
