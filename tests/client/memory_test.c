// Memory that runs out at every single allocation of libtocsin, one after the other: each time the
// library says TOCSIN_ENOMEM, leaks nothing, and goes on when asked again.
//
// The linker puts our malloc in the place of the library's (--wrap). libzmq and jansson keep theirs:
// the one aborts without memory, the other drops bytes of a text without a word (2.14).
#include "tests/client/scripted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
char *__wrap_strdup(const char *text);

static unsigned long until_failure; // 0: none fails
static bool failed;

static bool fails(void)
{
    if (until_failure == 0 || --until_failure > 0)
        return false;
    failed = true;
    return true;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    return fails() ? NULL : __real_realloc(memory, bytes);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

// Runs `call` with its allocation `n` failing, and again, with memory, when that happened.
#define WITHOUT_MEMORY(n, code, call)                                                              \
    do {                                                                                           \
        failed = false;                                                                            \
        until_failure = (n);                                                                       \
        (code) = (call);                                                                           \
        until_failure = 0;                                                                         \
        if (failed) {                                                                              \
            assert_int_equal((code), TOCSIN_ENOMEM);                                               \
            (code) = (call);                                                                       \
        }                                                                                          \
    } while (0)

static void opening_a_handle(void **state)
{
    unsigned long n = 0;
    do {
        struct tocsin *tocsin = NULL;
        int code;
        WITHOUT_MEMORY(++n, code, tocsin_open(NULL, &tocsin));
        assert_int_equal(code, TOCSIN_OK);
        tocsin_close(tocsin);
    } while (failed);
    assert_true(n > 4);
    (void)state;
}

static const char *const filters[] = {"a/b/", "label.desk=odd"};
static const struct tocsin_stream stream = {.filters = filters, .filter_count = 2};

static void beginning_a_stream(void **state)
{
    unsigned long n = 0;
    do {
        struct tocsin *tocsin = NULL;
        int code;
        assert_int_equal(tocsin_open(NULL, &tocsin), TOCSIN_OK);
        WITHOUT_MEMORY(++n, code, tocsin_consume(tocsin, "desk", &stream));
        assert_int_equal(code, TOCSIN_OK);
        tocsin_close(tocsin);
    } while (failed);
    assert_true(n > 3);
    (void)state;
}

static void answer_with_one_alert(struct scripted *broker)
{
    const char *events[] = {scripted_event(1, EPOCH_A), NULL};
    scripted_answer(broker, "BATCH", "\"epoch\":\"" EPOCH_A "\",\"head\":1,\"next_after\":1",
                    events);
}

// The allocation `n` between the answer and the alert fails. What was lost by it is asked again, and
// the alert comes once. False when there were fewer allocations.
static bool receive_one(struct scripted *broker, unsigned long n)
{
    struct tocsin_event event = {0};
    int code = TOCSIN_NOTHING;
    assert_int_equal(tocsin_follow(broker->tocsin, NULL), TOCSIN_OK);
    scripted_expect(broker, "FETCH");
    answer_with_one_alert(broker);
    failed = false;
    until_failure = n;
    while (code != TOCSIN_OK || event.kind != TOCSIN_ALERT) {
        code = tocsin_next(broker->tocsin, 5, &event);
        if (code < 0)
            if (!failed || code != TOCSIN_ENOMEM)
                fail_msg("allocation %lu: %d %s", n, code, tocsin_error(broker->tocsin));
        if (scripted_asked(broker))
            answer_with_one_alert(broker);
    }
    until_failure = 0;
    assert_string_equal(event.title, "Title 1");
    return failed;
}

static void receiving_an_alert(void **state)
{
    unsigned long n = 0;
    bool more = true;
    while (more) {
        struct scripted broker;
        scripted_open(&broker);
        more = receive_one(&broker, ++n);
        scripted_close(&broker);
    }
    assert_true(n > 1);
    (void)state;
}

static void handing_in_an_article(void **state)
{
    static const char article[] = "{\"id\":\"1\",\"title\":\"t\",\"text\":\"x\",\"tags\":[\"a\"]}";
    const struct tocsin_options options = {.intake = "ipc:///tmp/tocsin-nobody/intake",
                                           .timeout_ms = 1};
    struct tocsin_receipt receipt;
    struct tocsin *tocsin = NULL;
    unsigned long n = 0;
    do {
        int code;
        assert_int_equal(tocsin_open(&options, &tocsin), TOCSIN_OK);
        WITHOUT_MEMORY(++n, code,
                       tocsin_publish(tocsin, article, sizeof article - 1, NULL, 0, &receipt));
        assert_int_equal(code, TOCSIN_ETIMEOUT);
        WITHOUT_MEMORY(n, code, tocsin_submit(tocsin, article, sizeof article - 1, NULL, 0));
        assert_int_equal(code, TOCSIN_OK);
        assert_int_equal(tocsin_collect(tocsin, &receipt), TOCSIN_ETIMEOUT);
        tocsin_close(tocsin);
    } while (failed);
    assert_true(n > 1);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_a_handle),
        cmocka_unit_test(beginning_a_stream),
        cmocka_unit_test(receiving_an_alert),
        cmocka_unit_test(handing_in_an_article),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
