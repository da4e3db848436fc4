// zap - the handler that libzmq asks whether a key may come in (ZeroMQ RFC 27), on its own thread.
//
// It looks into an immutable access list; a reload hands it the next one by message. A door is the ZAP
// domain of a socket: at each, other roles are let in. The User-Id of an accepted connection is its public
// key, by which tc_access_find() finds what it may do: so an exchanged or removed key loses its rights with
// the reload, whatever its name and however long it is connected.
//
//   threads  its own; open, swap and close belong to the thread that opened it
#ifndef TC_ZAP_H
#define TC_ZAP_H

#include "common/access.h"

enum tc_door {
    TC_DOOR_FETCH,  // watcher, subscriber, admin; what each command needs is the broker's to check
    TC_DOOR_LIVE,   // subscriber, and one who may read all topics: a live feed cannot be filtered
    TC_DOOR_INTAKE, // publisher
};

const char *tc_door_domain(enum tc_door door); // "tocsin.fetch"

// Whether a peer may come in. Without a peer nobody may.
bool tc_door_admits(enum tc_door door, const struct tc_peer *peer);

struct tc_zap;

// Starts the thread; it answers when this returns. Holds `access`. Gives *out. Open it before any socket
// of the context is bound.
//   TC_EPROTO, TC_EFULL
int tc_zap_open(void *context, struct tc_access *access, struct tc_zap **out, struct tc_err *err);

// From the next connection on `access` counts; holds it.
void tc_zap_swap(struct tc_zap *zap, struct tc_access *access);

void tc_zap_close(struct tc_zap *zap); // NULL is fine

#endif
