// tap - hits as events on a PUB socket, for subscribers without a broker.
//
// What the broker would keep back is kept back here too: hits of watches that are not live, or have
// expired, and of articles that are withheld or under embargo. Nobody hears of them later by the tap.
//
// Called after the outbox has committed the hits, so an event never tells of something that is then
// lost. Otherwise the tap promises nothing: a slow subscriber loses messages.
//
//   memory   TAP_WATCHES_MOST watches opened once (about 1 KiB each), then begun anew
//   threads  the outbox thread
//   source   docs/protocol.md, "Live messages"
#ifndef TAP_H
#define TAP_H

#include "common/err.h"
#include "common/hash.h"
#include "common/keys.h"
#include "common/str.h"

enum { TAP_WATCHES_MOST = 4096 };

struct tap;

// Binds `endpoint` (lock it first), guarded by `curve` when it is tcp; NULL: no keys. Gives *out. Errors as
// tc_sock_open.
int tap_open(void *zmq_context, const struct tc_curve *curve, tc_str endpoint, struct tap **out,
             struct tc_err *err);
void *tap_socket(const struct tap *tap); // to be asked where it is bound
void tap_close(struct tap *tap);         // NULL is fine

// Makes a watch known whose hits will come. Costs a look-up when it is known already.
//   TC_EPARSE  the definition is not one
int tap_define(struct tap *tap, struct tc_id hash, tc_str definition, struct tc_err *err);

// Publishes the hits of one HITS frame that may be told at `now_wall_ns`, with the article's record.
// Hits of watches that were not defined are left out. Nothing here waits.
//   TC_EPARSE, TC_EPROTO, TC_ECORRUPT  the frames are not what they should be
int tap_publish(struct tap *tap, tc_str record, tc_str hits, int64_t now_wall_ns,
                struct tc_err *err);

#endif
