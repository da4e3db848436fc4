// wire - one connecting socket that knows whether anybody is at the other end.
//
// A ZeroMQ socket hides connections; who must tell its user "nobody answers", or must not leave a
// question in a dead peer's queue, needs to see them. A monitor (common/monitor.h) reports them.
//
//   threads  the handle's
//   safe     for libtocsin
#ifndef WIRE_H
#define WIRE_H

#include "common/err.h"
#include "common/monitor.h"
#include "common/sock.h"

struct wire {
    void *socket;
    struct tc_monitor monitor;
    bool guarded;      // by keys
    bool up;           // a peer has finished the handshake and has not gone
    uint64_t times_up; // handshakes so far
};

// Makes the socket, not yet connected, so that options and subscriptions can be set first. `curve` are the
// keys for the peer, NULL for none.
//   TC_EPROTO
int wire_open(struct wire *wire, void *context, enum tc_sock_kind kind,
              const struct tc_curve *curve, struct tc_err *err);

//   TC_EINVAL  the endpoint is malformed
int wire_connect(struct wire *wire, const char *endpoint, struct tc_err *err);

// Waits until a message is there or a connection was made or lost, at most to `until` (mono ns); with
// `sending`, also until one can be sent: the handshake is reported a moment before that.
//   TC_ESTOP   a signal arrived
//   TC_EPROTO
int wire_wait(struct wire *wire, int64_t until, bool sending, struct tc_err *err);

// Whether the last handshake failed for a reason that waiting does not mend: TC_EPROTO and a sentence with
// what to do, else TC_OK. A peer that hangs up may only be starting: that counts when it is `late`. `name`
// is the peer's, "broker".
int wire_refused(const struct wire *wire, const char *endpoint, const char *name, bool late,
                 struct tc_err *err);

// Closes the socket; wire_open() may make another one. Half-open and closed wires are fine.
void wire_close(struct wire *wire);

#endif
