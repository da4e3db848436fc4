#include "client/wire.h"
#include "common/clock.h"

#include <errno.h>
#include <limits.h>
#include <zmq.h>

int wire_open(struct wire *wire, void *context, enum tc_sock_kind kind,
              const struct tc_curve *curve, struct tc_err *err)
{
    int code = tc_sock_open(context, kind, tc_str_of(""), false, &wire->socket, err);
    wire->guarded = curve != NULL;
    if (code == TC_OK && curve)
        code = tc_keys_set(wire->socket, curve, err);
    if (code == TC_OK)
        code = tc_monitor_open(&wire->monitor, context, wire->socket, err);
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
    tc_monitor_close(&wire->monitor, wire->socket);
    tc_sock_close(wire->socket);
    wire->socket = NULL;
    wire->up = false;
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
                              {.socket = wire->monitor.pair, .events = ZMQ_POLLIN}};
    if (zmq_poll(items, 2, milliseconds_left(until)) < 0)
        return errno == EINTR ? tc_fail(err, TC_ESTOP, "interrupted by a signal")
                              : tc_fail(err, TC_EPROTO, "cannot wait: %s", zmq_strerror(errno));
    tc_monitor_listen(&wire->monitor);
    wire->up = wire->monitor.up;
    wire->times_up = wire->monitor.times_up;
    return TC_OK;
}

int wire_refused(const struct wire *wire, const char *endpoint, const char *name, bool late,
                 struct tc_err *err)
{
    enum tc_refusal refusal = wire->monitor.refusal;
    bool silently = refusal == TC_REFUSED_SILENTLY;
    if (refusal == TC_NOT_REFUSED || (silently && !(late && tc_sock_is_tcp(tc_str_of(endpoint)))))
        return TC_OK;
    if (silently && !wire->guarded) // it may hang up before it has said which mechanism it wants
        refusal = TC_REFUSED_PLAIN;
    return tc_fail(err, TC_EPROTO, "the %s at %s %s", name, endpoint, tc_refusal_text(refusal));
}
