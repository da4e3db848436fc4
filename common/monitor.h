// monitor - what happens to the connections of one socket: made, lost, refused.
//
// libzmq hides connections and says nothing when a server refuses a key: it tries again for ever. It
// reports through a PAIR socket of our own thread, which this file reads (no thread more).
//
// Traps kept out: open it before the connect, or the first connection is missed; it is stopped before it is
// closed, because libzmq's I/O thread waits for ever on a monitor without a reader; and its queue has
// no limit, because the same happens when the queue is full.
//
//   threads  the socket's
//   safe     for libtocsin
#ifndef TC_MONITOR_H
#define TC_MONITOR_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

// Why a handshake failed last. Behind the first two libzmq 4.3.4 gives the connection up for good, without a
// word (measured): only another socket tries again.
enum tc_refusal {
    TC_NOT_REFUSED,
    TC_REFUSED_KEY,     // the server knows us not, or not at this door: said by the server itself
    TC_REFUSED_PLAIN,   // one side uses keys, the other does not
    TC_REFUSED_SILENTLY // hung up in the handshake: a wrong server key looks like that, a restart too
};

struct tc_monitor {
    void *pair;
    unsigned opened;   // monitors so far; names the address
    bool up;           // a peer has finished the handshake and has not gone
    uint64_t times_up; // handshakes so far
    enum tc_refusal refusal;
};

// Watches a socket (borrowed until tc_monitor_close). The structure's address names the monitor.
//   TC_EPROTO
int tc_monitor_open(struct tc_monitor *monitor, void *context, void *socket, struct tc_err *err);

// Takes in every report that waits.
void tc_monitor_listen(struct tc_monitor *monitor);

// Before the socket is closed. Keeps `times_up`. Half-open and closed monitors are fine.
void tc_monitor_close(struct tc_monitor *monitor, void *socket);

// What a refusal probably means and what to do, as the end of a sentence that names the server;
// NULL for TC_NOT_REFUSED.
const char *tc_refusal_text(enum tc_refusal refusal);

#endif
