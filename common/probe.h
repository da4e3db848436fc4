// probe - the self-test of the doors: a stranger knocks, and must be refused.
//
// With libzmq 4.3.4 a server with keys lets everybody in when its handler is gone or an option is missing
// (measured; docs/protocol.md, "Keys"). So a key made at random connects to each endpoint after it was
// bound, after each reload and every minute, and wants to hear "refused" from the handler itself. Being let in is fatal
// at once; no answer, PROBE_TRIES times in a row, too: then the handler is dead, and nobody else could
// come in either.
//
// Nothing here waits: tc_probe_turn() looks, and is called at least once a second.
//
//   cost     one handshake an endpoint a minute
//   threads  the opener's
#ifndef TC_PROBE_H
#define TC_PROBE_H

#include "common/keys.h"
#include "common/sock.h"

#include <stdint.h>

enum {
    TC_PROBE_EVERY_MS = 60 * 1000,
    TC_PROBE_SILENCE_MS = 3000, // a handshake on loopback takes about a millisecond
    TC_PROBE_TRIES = 3,
    TC_PROBE_DOORS = 64,
};

struct tc_probe;

// `server` (copied) is the public key behind all endpoints. Gives the probe; tc_probe_free() ends it.
struct tc_probe *tc_probe_new(void *context, const struct tc_key *server);
void tc_probe_free(struct tc_probe *probe); // NULL is fine

// Adds an endpoint that is bound ("tcp://0.0.0.0:5561" is reached by loopback) and the kind of socket that
// connects to it.
//   TC_EFULL  more than TC_PROBE_DOORS
int tc_probe_add(struct tc_probe *probe, enum tc_sock_kind kind, tc_str endpoint,
                 struct tc_err *err);

// Begins a test at the next turn, whatever the time.
void tc_probe_now(struct tc_probe *probe);

// One look. TC_OK also while a test is under way.
//   TC_EPROTO  a stranger was let in, or nobody answers: close the doors and end
int tc_probe_turn(struct tc_probe *probe, int64_t now_mono_ns, struct tc_err *err);

// Runs one whole test; waits at most PROBE_TRIES times PROBE_SILENCE_MS. For the start, before anybody is
// served.
int tc_probe_wait(struct tc_probe *probe, struct tc_err *err);

#endif
