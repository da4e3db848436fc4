// broker - the loop: sockets, signals, turns.
//
// One thread, one SQLite connection, one zmq_poll over ROUTER, XPUB and the signals. A turn drains
// what has arrived (for at most BROKER_TURN_MS, and BROKER_ITEMS items or BROKER_BYTES), commits it with
// one fsync, answers, publishes, runs the FETCHes that wait. Nothing is delayed on purpose: under load
// turns grow by themselves, one request alone is answered at once.
//
// bench/put.sh measures it.
#ifndef BROKER_H
#define BROKER_H

#include "broker/settings.h"
#include "common/guard.h"

enum {
    BROKER_TURN_MS = 3, // of taking requests; the commit and FETCHes come on top
    BROKER_ITEMS = 4000,
    BROKER_BYTES = 4 * 1024 * 1024,
    BROKER_DRAIN_MS = 5000
};

struct broker;

// Takes the locks, opens the store, binds the sockets. `signals` is a signalfd (common/daemon.h),
// both are borrowed until broker_close(). `keys` are
// copied; NULL when the settings name none. Gives *out.
//   TC_EBUSY     another process has the store or an endpoint
//   TC_EVERSION, TC_ECORRUPT, TC_EIO  the store, as in store.h
//   TC_EINVAL, TC_EPROTO  an endpoint cannot be bound
int broker_open(const struct settings *settings, const struct tc_server_keys *keys, int signals,
                struct broker **out, struct tc_err *err);

// Serves until SIGTERM or SIGINT, then ends what has arrived, within BROKER_DRAIN_MS.
//   TC_OK        asked to stop
//   TC_EIO, TC_ECORRUPT  the disk failed; nothing unsafe was answered
//   TC_EPROTO    the self-test of the keys failed (common/probe.h); the sockets are closed
int broker_run(struct broker *broker, struct tc_err *err);

void broker_close(struct broker *broker); // checkpoints the store

#endif
