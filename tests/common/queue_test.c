#include "common/queue.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { GIVERS = 3, TAKERS = 3, EACH = 20000 };

static int items[8];

static void items_come_out_in_order_and_the_ring_wraps(void **state)
{
    struct tc_queue *queue = tc_queue_new(3);
    (void)state;
    for (int round = 0; round < 10; round++) {
        assert_true(tc_queue_push(queue, &items[0]));
        assert_true(tc_queue_try_push(queue, &items[1]));
        assert_int_equal(tc_queue_length(queue), 2);
        assert_ptr_equal(tc_queue_pop(queue, 0), &items[0]);
        assert_ptr_equal(tc_queue_pop(queue, -1), &items[1]);
        assert_null(tc_queue_pop(queue, 0));
    }
    tc_queue_free(queue);
    tc_queue_free(NULL);
}

static void a_full_queue_takes_no_more(void **state)
{
    struct tc_queue *queue = tc_queue_new(2);
    (void)state;
    assert_true(tc_queue_try_push(queue, &items[0]));
    assert_true(tc_queue_try_push(queue, &items[1]));
    assert_false(tc_queue_try_push(queue, &items[2]));
    tc_queue_pop(queue, 0);
    assert_true(tc_queue_try_push(queue, &items[2]));
    tc_queue_free(queue);
}

static void a_closed_queue_drains_and_then_says_so(void **state)
{
    struct tc_queue *queue = tc_queue_new(2);
    (void)state;
    tc_queue_push(queue, &items[0]);
    assert_false(tc_queue_closed(queue));
    tc_queue_close(queue);
    assert_true(tc_queue_closed(queue));
    assert_false(tc_queue_push(queue, &items[1]));
    assert_false(tc_queue_try_push(queue, &items[1]));
    assert_ptr_equal(tc_queue_pop(queue, -1), &items[0]);
    assert_null(tc_queue_pop(queue, -1));
    tc_queue_free(queue);
}

static void waiting_ends_with_the_time(void **state)
{
    struct tc_queue *queue = tc_queue_new(1);
    (void)state;
    assert_null(tc_queue_pop(queue, 5));
    tc_queue_free(queue);
}

static bool is_readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 1;
}

static void the_descriptor_is_readable_while_something_waits(void **state)
{
    struct tc_queue *queue = tc_queue_new(4);
    (void)state;
    tc_queue_push(queue, &items[0]);
    int fd = tc_queue_fd(queue); // asked for after the first item
    assert_int_equal(tc_queue_fd(queue), fd);
    assert_true(is_readable(fd));
    tc_queue_calm(queue);
    assert_false(is_readable(fd));
    assert_ptr_equal(tc_queue_pop(queue, 0), &items[0]);
    tc_queue_push(queue, &items[1]);
    tc_queue_push(queue, &items[2]);
    assert_true(is_readable(fd));
    tc_queue_calm(queue);
    tc_queue_calm(queue);
    tc_queue_close(queue);
    assert_true(is_readable(fd));
    tc_queue_free(queue);
}

static void *give(void *queue)
{
    for (int i = 0; i < EACH; i++) {
        if (!tc_queue_push(queue, &items[i % 8]))
            return NULL;
    }
    return queue;
}

static void *count_taken(void *queue)
{
    uintptr_t count = 0;
    while (tc_queue_pop(queue, -1))
        count++;
    return (void *)count;
}

static void many_threads_lose_nothing(void **state)
{
    struct tc_queue *queue = tc_queue_new(7);
    pthread_t givers[GIVERS], takers[TAKERS];
    uintptr_t taken = 0;
    (void)state;
    for (int i = 0; i < TAKERS; i++)
        assert_int_equal(pthread_create(&takers[i], NULL, count_taken, queue), 0);
    for (int i = 0; i < GIVERS; i++)
        assert_int_equal(pthread_create(&givers[i], NULL, give, queue), 0);
    for (int i = 0; i < GIVERS; i++) {
        void *gave = NULL;
        pthread_join(givers[i], &gave);
        assert_ptr_equal(gave, queue);
    }
    tc_queue_close(queue);
    for (int i = 0; i < TAKERS; i++) {
        void *count = NULL;
        pthread_join(takers[i], &count);
        taken += (uintptr_t)count;
    }
    assert_int_equal(taken, GIVERS * EACH);
    tc_queue_free(queue);
}

static void closing_wakes_a_giver_that_waits_for_room(void **state)
{
    struct tc_queue *queue = tc_queue_new(1);
    pthread_t giver;
    void *gave = queue;
    (void)state;
    assert_int_equal(pthread_create(&giver, NULL, give, queue), 0);
    assert_non_null(tc_queue_pop(queue, -1)); // it has begun
    tc_queue_close(queue);
    pthread_join(giver, &gave);
    assert_null(gave);
    tc_queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order_and_the_ring_wraps),
        cmocka_unit_test(a_full_queue_takes_no_more),
        cmocka_unit_test(a_closed_queue_drains_and_then_says_so),
        cmocka_unit_test(waiting_ends_with_the_time),
        cmocka_unit_test(the_descriptor_is_readable_while_something_waits),
        cmocka_unit_test(many_threads_lose_nothing),
        cmocka_unit_test(closing_wakes_a_giver_that_waits_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
