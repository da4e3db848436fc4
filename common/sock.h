// sock - ZeroMQ sockets with the options that must always be set.
//
// Measured traps of libzmq 4.3.4 that this file keeps out of the tree: default LINGER is endless;
// ZMTP heartbeats abort processes (never set); without TCP keepalive a SUB can go deaf for ever;
// a second bind on one ipc path steals the traffic (take tc_lock first, see daemon.h).
//
//   threads  a socket belongs to one thread
//   safe     for libtocsin
#ifndef TC_SOCK_H
#define TC_SOCK_H

#include "common/err.h"
#include "common/keys.h"
#include "common/str.h"

enum tc_sock_kind {
    TC_SOCK_ROUTER, // submit/fetch, intake: binds, MAXMSGSIZE 4 MiB, ROUTER_MANDATORY
    TC_SOCK_DEALER, // connects, IMMEDIATE 1
    TC_SOCK_XPUB,   // live: binds, SNDHWM 100000, MAXMSGSIZE 512, XPUB_VERBOSER off
    TC_SOCK_PUB,    // tap
    TC_SOCK_SUB,    // RCVHWM 100000, SNDHWM 0
    TC_SOCK_PULL,   // intake without answers, MAXMSGSIZE as ROUTER
    TC_SOCK_PUSH,
};

enum { TC_SOCK_LIVE_HWM = 100000, TC_SOCK_MESSAGE_BYTES = 4 * 1024 * 1024 };

// Opens a socket with LINGER 0, TCP keepalive 10/5/3, reconnect 100 ms to 5 s, handshake 5 s and
// what the kind needs; binds or connects it to `endpoint` when that is not empty.
// Gives *out; tc_sock_close() ends it.
//   TC_EINVAL  the endpoint is malformed, or an ipc path is longer than 107 bytes
//   TC_EBUSY   the address is in use (names it)
//   TC_EPROTO  libzmq refused for another reason
int tc_sock_open(void *context, enum tc_sock_kind kind, tc_str endpoint, bool bind, void **out,
                 struct tc_err *err);
void tc_sock_close(void *socket); // NULL is fine

// The same, guarded by keys when `curve` is not NULL and the endpoint is tcp: on ipc the modes of the file
// and its folder guard.
int tc_sock_open_guarded(void *context, enum tc_sock_kind kind, const struct tc_curve *curve,
                         tc_str endpoint, bool bind, void **out, struct tc_err *err);

// Binds an open socket that is not attached yet. Errors as tc_sock_open(); behind TC_EBUSY it may be tried
// again.
int tc_sock_bind(void *socket, tc_str endpoint, struct tc_err *err);

int tc_sock_connect(void *socket, tc_str endpoint, struct tc_err *err);

bool tc_sock_is_tcp(tc_str endpoint);

// A tcp endpoint whose address nobody beyond this machine reaches.
bool tc_sock_is_loopback(tc_str endpoint);

// Allows IPv6 when the endpoint is an IPv6 address ("tcp://[::1]:5561"); tc_sock_open() does it itself.
// Not for names and "*": with IPv6 allowed libzmq would look for localhost at ::1 alone.
bool tc_sock_allow_ipv6(void *socket, tc_str endpoint);

// Adds a subscription. An empty topic subscribes to everything.
//   TC_EINVAL  longer than 200 bytes (longer ones are lost on the wire in 4.3.4)
int tc_sock_subscribe(void *socket, tc_str topic, struct tc_err *err);

#endif
