// queue - a bounded queue of pointers between threads.
//
// The giver forgets what it pushed. Many may push and many may pop. Closing wakes everybody:
// pushes are refused, pops drain what is left and then say so.
//
//   memory   `capacity` pointers, allocated once
//   source   ring buffer under one mutex with two conditions
#ifndef TC_QUEUE_H
#define TC_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tc_queue;

struct tc_queue *tc_queue_new(size_t capacity);
void tc_queue_free(struct tc_queue *queue); // must be empty or its items are the caller's loss

// Waits for room. False (and the item is still yours) when the queue is closed.
bool tc_queue_push(struct tc_queue *queue, void *item);

// Does not wait. False when there is no room or the queue is closed.
bool tc_queue_try_push(struct tc_queue *queue, void *item);

// Waits at most timeout_ms (-1 for ever, 0 not at all). NULL on time-out, or when closed and empty.
void *tc_queue_pop(struct tc_queue *queue, int timeout_ms);

void tc_queue_close(struct tc_queue *queue);
bool tc_queue_closed(const struct tc_queue *queue);
size_t tc_queue_length(const struct tc_queue *queue);

// A descriptor (eventfd) that is readable while something may be in the queue, for threads that
// also poll sockets. Made on the first call; belongs to the queue. After it polls readable, call
// tc_queue_calm() and then pop with timeout 0 until NULL. -1 when no descriptor can be had.
int tc_queue_fd(struct tc_queue *queue);
void tc_queue_calm(struct tc_queue *queue);

#endif
