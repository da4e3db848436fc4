// scripted - a broker that says what a test wants, in the test's own thread.
//
// A ROUTER on a socket in a temporary folder. The library under test is pulled, so one thread can
// play both sides: let the library ask (tocsin_next() with a short time), receive the question,
// answer it, let the library take the answer.
#ifndef SCRIPTED_H
#define SCRIPTED_H

#include <tocsin/tocsin.h>

#include <stdbool.h>

#define EPOCH_A "0123456789abcdef0123456789abcdef"
#define EPOCH_B "fedcba9876543210fedcba9876543210"

struct scripted {
    void *context, *router, *pub;
    char folder[64], fetch[96], live[96];
    struct tocsin *tocsin; // a handle that is connected to it; patience 1 s
    char asked[4096];      // header of the last question
    char command[32];
};

void scripted_open(struct scripted *scripted);
void scripted_close(struct scripted *scripted);

// The broker goes, and comes back on the same path.
void scripted_down(struct scripted *scripted);
void scripted_up(struct scripted *scripted);

// Pulls the library until it has asked `command`; the question is then in `asked`. Events that come
// meanwhile fail the test.
void scripted_expect(struct scripted *scripted, const char *command);

// Takes a question in, when one is there.
bool scripted_asked(struct scripted *scripted);

// Answers the question: `header` without its braces and rid; then event frames, NULL-ended.
void scripted_answer(struct scripted *scripted, const char *reply, const char *header,
                     const char *const *events);

// The JSON of an event; the memory is the test's until the next 8 calls.
const char *scripted_event(unsigned seq, const char *epoch);

// Pulls the library until its subscription to `topic` has arrived.
void scripted_expect_subscription(struct scripted *scripted, const char *topic);

// A live message.
void scripted_publish(struct scripted *scripted, const char *topic, const char *json);

// The next event of the library; fails the test when none comes.
struct tocsin_event scripted_next(struct scripted *scripted);

// The same, and it must be of this kind.
struct tocsin_event scripted_next_is(struct scripted *scripted, enum tocsin_kind kind);

#endif
