// hello - a watcher comes, and stays: HELLO and HB.
//
// HELLO begins a session and tells the watcher where the history stands. A history that lacks what
// the watcher was told of asks for it (docs/protocol.md, "resubmit"). The newest watcher of a name has
// it: the one before is told so at its next request, and comes back only when the other is silent.
//
//   memory   none of its own
//   threads  the broker's loop
#ifndef HELLO_H
#define HELLO_H

#include "broker/request.h"
#include "broker/sessions.h"
#include "broker/store.h"

// What an operator should hear of a HELLO: an event of the log and a sentence; none when it is empty.
struct hello_news {
    const char *event;
    struct tc_err words;
};

// Each answers one request: *answer is filled in, ERR or NAK included. What they return otherwise is
// the store's failure (store.h).
int hello_take(struct sessions *sessions, struct store *store, const struct request *request,
               int64_t now_wall_ns, int64_t now_mono_ns, struct answer *answer,
               struct hello_news *news, struct tc_err *err);
int hello_beat(struct sessions *sessions, const struct store *store, const struct request *request,
               int64_t now_wall_ns, int64_t now_mono_ns, struct answer *answer, struct tc_err *err);

#endif
