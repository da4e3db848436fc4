// submit - sends what waits in the outbox to the broker, and hears what became of it.
//
// link.c decides what to say, this file says it over a DEALER socket. Nothing here writes to the
// outbox by itself: what the broker confirmed is kept as verdicts until submit_write() is called inside
// a transaction, which it shares with new articles. A verdict that is lost with the process is heard
// again: the batch is sent once more and answered with "duplicate".
//
// One thing is written at once: a broker whose history is shorter than it said asks in WELCOME for what
// it lost, and the outbox makes that wait again before the first PUT.
//
//   memory   SUBMIT_VERDICTS_MOST verdicts
//   threads  the outbox thread
#ifndef SUBMIT_H
#define SUBMIT_H

#include "common/keys.h"
#include "watcher/outbox/link.h"
#include "watcher/outbox/outbox.h"

enum {
    SUBMIT_VERDICTS_MOST = 4096, // then nothing more is sent until they are written
    SUBMIT_VERDICTS_EARLY = 512, // so many are worth a transaction of their own
    SUBMIT_VERDICTS_AGE_MS = 50, // and so are older ones
};

struct submit;

// Told of what an operator wants to know, one sentence: "link.up", "link.down", "link.refused",
// "link.resubmit", "link.replaced".
typedef void submit_tell(void *context, const char *event, const struct tc_err *err);

// `name` is the watcher's; `curve` (copied) are its keys for a tcp endpoint, NULL for none; context, outbox and `told` are borrowed until submit_close. Does not connect
// yet. Gives *out.
//   TC_EINVAL  the endpoint is malformed
int submit_open(void *zmq_context, const struct tc_curve *curve, tc_str endpoint, tc_str name,
                struct outbox *outbox, submit_tell *tell, void *told, struct submit **out,
                struct tc_err *err);
void submit_close(struct submit *submit); // NULL is fine

// The socket to poll for reading, NULL while there is none. Ask again after each submit_turn.
void *submit_socket(const struct submit *submit);

// How long submit_turn may be left alone when the socket is silent.
int submit_wait_ms(const struct submit *submit, int64_t now_mono_ns);

// There is something new in the outbox.
void submit_wake(struct submit *submit);

// Reads all answers and sends what is due. Errors are the outbox's; those of the network are not
// errors but the daily weather.
int submit_turn(struct submit *submit, struct tc_err *err);

// Whether verdicts are waiting that want a transaction now, or (any) at all.
bool submit_due(const struct submit *submit, int64_t now_mono_ns);
bool submit_any(const struct submit *submit);

// Writes all verdicts; call it in a transaction, and submit_written() after its commit.
int submit_write(struct submit *submit, int64_t now_wall_ns, struct tc_err *err);
void submit_written(struct submit *submit);

bool submit_up(const struct submit *submit);
bool submit_replaced(const struct submit *submit); // another watcher has our name

#endif
