// peer - one connection for requests: ask, and get the answer.
//
// A question is sent only while the peer is connected, and asked again when the connection is lost,
// so none waits in the queue of a peer that has gone. When a peer is connected but silent, the
// socket is thrown away and another one made. All questions of the protocol may be asked twice
// without harm.
//
//   memory   one received message and its header
//   threads  the handle's
//   safe     for libtocsin
#ifndef PEER_H
#define PEER_H

#include "client/wire.h"
#include "common/buf.h"
#include "common/frame.h"
#include "common/json.h"

// A peer that is connected and says nothing for PEER_SILENCE_MS is asked again on a new connection:
// its machine may have died without a word.
enum { PEER_BODY_BYTES = TC_SOCK_MESSAGE_BYTES, PEER_SILENCE_MS = 15000 };

struct peer {
    void *context;                // borrowed until peer_done()
    const char *endpoint;         // borrowed until peer_done()
    const char *name;             // "broker" or "watcher", for messages
    const struct tc_curve *curve; // borrowed likewise; NULL: no keys
    struct wire wire;
    uint64_t rid;         // number of the last question
    struct tc_buf header; // of the question being made
    struct tc_json json;  // writes it
    bool closed;          // it is whole

    // The last answer, until the next one comes:
    struct tc_frames *frames;
    struct json_t *answer; // its header
    tc_str command;
    tc_str text;        // its header, as it came
    size_t payload;     // index of its first payload frame
    struct tc_buf kept; // see peer_keep_answer()
};

// Fills in a peer without connecting it. peer_done() ends it.
void peer_init(struct peer *peer, void *context, const char *endpoint, const char *name);
void peer_done(struct peer *peer);

// Begins a question: {"rid":N in peer->header. The caller adds members through the emitter it
// receives, and then sends or asks.
struct tc_json *peer_question(struct peer *peer);

// Waits for a message, a connection, or the loss of one, at most to `until` (mono ns); with `sending`
// also until a question can be sent. Connects first if need be.
//   TC_ESTOP   a signal arrived
//   TC_EPROTO  also when the peer refuses our key
//   TC_EINVAL, TC_ENOMEM
int peer_wait(struct peer *peer, int64_t until, bool sending, struct tc_err *err);

// Sends the question. `body` is one frame more, without a ptr none.
//   TC_EBUSY   not connected; nothing was sent
//   TC_EFULL   the header is larger than TC_HEADER_BYTES, or the body than PEER_BODY_BYTES
//   TC_ENOMEM, TC_EPROTO
int peer_send(struct peer *peer, const char *command, tc_str body, struct tc_err *err);

// Closes the question's header and holds it and the body against the limits; sending does it too.
//   TC_EFULL, TC_ENOMEM  as in peer_send()
int peer_seal(struct peer *peer, tc_str body, struct tc_err *err);

// Receives an answer, to whichever question, without waiting, into the members above.
//   as peer_receive()
int peer_take(struct peer *peer, struct tc_err *err);

// The same, but answers to older questions are dropped.
//   TC_ENOENT  none there
//   TC_EPROTO  it was nonsense, and is dropped
//   TC_ENOMEM
int peer_receive(struct peer *peer, struct tc_err *err);

// Begins anew on another socket at the next call: the peer was silent for too long.
void peer_reset(struct peer *peer);

// Sends the question and waits for its answer, at most to `until`. A signal does not end it.
//   TC_ETIMEOUT  as peer_silent()
//   TC_EPROTO    the answer is ERR (its reason is the sentence), or nonsense
//   and what sending says
int peer_ask(struct peer *peer, const char *command, tc_str body, int64_t until,
             struct tc_err *err);

// Copies the answer's header, zero-ended; lives until the next copy.
//   TC_ENOMEM
int peer_keep_answer(struct peer *peer, const char **out, struct tc_err *err);

// "no broker answers at ENDPOINT; is tocsin-broker running?" Returns TC_ETIMEOUT; TC_EPROTO when
// keys are the likely cause, which it then names.
int peer_silent(const struct peer *peer, struct tc_err *err);

// The reason of an answer ERR as an error. Returns TC_EPROTO.
int peer_refused(const struct peer *peer, struct tc_err *err);

#endif
