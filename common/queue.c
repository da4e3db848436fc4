#include "common/queue.h"

#include "common/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct tc_queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled, emptied; // filled uses the monotonic clock
    void **ring;
    size_t capacity, head; // head: the oldest item
    _Atomic size_t count;  // changed under the mutex, read without
    _Atomic bool closed;   // likewise
    int fd;                // -1 until asked for
};

struct tc_queue *tc_queue_new(size_t capacity)
{
    struct tc_queue *queue = tc_new(sizeof *queue);
    pthread_condattr_t monotonic;
    queue->capacity = capacity ? capacity : 1;
    queue->ring = tc_grow(NULL, queue->capacity, sizeof *queue->ring);
    queue->fd = -1;
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->filled, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&queue->emptied, NULL);
    return queue;
}

void tc_queue_free(struct tc_queue *queue)
{
    if (!queue)
        return;
    if (queue->fd >= 0)
        close(queue->fd);
    pthread_cond_destroy(&queue->filled);
    pthread_cond_destroy(&queue->emptied);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->ring);
    free(queue);
}

// Makes the descriptor readable; called under the mutex. The counter cannot overflow: it would
// take 2^64 pushes between two calms.
static void ring_bell(struct tc_queue *queue)
{
    if (queue->fd >= 0)
        (void)!eventfd_write(queue->fd, 1);
}

static void put(struct tc_queue *queue, void *item)
{
    queue->ring[(queue->head + queue->count) % queue->capacity] = item;
    queue->count++;
    ring_bell(queue);
    pthread_cond_signal(&queue->filled);
}

static void *take(struct tc_queue *queue)
{
    void *item = queue->ring[queue->head];
    queue->head = (queue->head + 1) % queue->capacity;
    queue->count--;
    pthread_cond_signal(&queue->emptied);
    return item;
}

bool tc_queue_push(struct tc_queue *queue, void *item)
{
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == queue->capacity && !queue->closed)
        pthread_cond_wait(&queue->emptied, &queue->mutex);
    bool open = !queue->closed;
    if (open)
        put(queue, item);
    pthread_mutex_unlock(&queue->mutex);
    return open;
}

bool tc_queue_try_push(struct tc_queue *queue, void *item)
{
    pthread_mutex_lock(&queue->mutex);
    bool room = queue->count < queue->capacity && !queue->closed;
    if (room)
        put(queue, item);
    pthread_mutex_unlock(&queue->mutex);
    return room;
}

static struct timespec deadline_after(int timeout_ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += timeout_ms / 1000;
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

void *tc_queue_pop(struct tc_queue *queue, int timeout_ms)
{
    struct timespec deadline = {0};
    void *item = NULL;
    int waited = 0;
    if (timeout_ms > 0)
        deadline = deadline_after(timeout_ms);
    pthread_mutex_lock(&queue->mutex);
    while (!queue->count && !queue->closed && timeout_ms != 0 && waited != ETIMEDOUT) {
        if (timeout_ms < 0)
            pthread_cond_wait(&queue->filled, &queue->mutex);
        else
            waited = pthread_cond_timedwait(&queue->filled, &queue->mutex, &deadline);
    }
    if (queue->count)
        item = take(queue);
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

void tc_queue_close(struct tc_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    ring_bell(queue);
    pthread_cond_broadcast(&queue->filled);
    pthread_cond_broadcast(&queue->emptied);
    pthread_mutex_unlock(&queue->mutex);
}

bool tc_queue_closed(const struct tc_queue *queue)
{
    return queue->closed;
}

size_t tc_queue_length(const struct tc_queue *queue)
{
    return queue->count;
}

int tc_queue_fd(struct tc_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    if (queue->fd < 0) {
        queue->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (queue->count || queue->closed)
            ring_bell(queue);
    }
    pthread_mutex_unlock(&queue->mutex);
    return queue->fd;
}

void tc_queue_calm(struct tc_queue *queue)
{
    eventfd_t rings;
    (void)!eventfd_read(queue->fd, &rings); // EAGAIN: it was calm
}
