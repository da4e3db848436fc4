// wire - one connecting socket that knows whether anybody is at the other end.
//
// A ZeroMQ socket hides connections; who must tell its user "nobody answers", or must not leave a
// question in a dead peer's queue, needs to see them. libzmq reports them through a monitor, a
// PAIR socket of our own thread (no thread more).
//
// Traps kept out: the monitor is set up before the connect, or the first connection is missed; it is
// stopped before it is closed, because libzmq's I/O thread waits for ever on a monitor without a
// reader; and its queue has no limit, because the same happens when the queue is full.
//
//   threads  the handle's
//   safe     for libtocsin
#ifndef WIRE_H
#define WIRE_H

#include "common/err.h"
#include "common/sock.h"

struct wire {
    void *socket, *monitor;
    unsigned opened;   // sockets so far; names the monitor's address
    bool up;           // a peer has finished the handshake and has not gone
    uint64_t times_up; // handshakes so far
};

// Makes the socket, not yet connected, so that options and subscriptions can be set first.
//   TC_EPROTO
int wire_open(struct wire *wire, void *context, enum tc_sock_kind kind, struct tc_err *err);

//   TC_EINVAL  the endpoint is malformed
int wire_connect(struct wire *wire, const char *endpoint, struct tc_err *err);

// Waits until a message is there or a connection was made or lost, at most to `until` (mono ns); with
// `sending`, also until one can be sent: the handshake is reported a moment before that.
//   TC_ESTOP   a signal arrived
//   TC_EPROTO
int wire_wait(struct wire *wire, int64_t until, bool sending, struct tc_err *err);

// Closes the socket; wire_open() may make another one. Half-open and closed wires are fine.
void wire_close(struct wire *wire);

#endif
