#include "watcher/source/socket.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "common/sock.h"

// A host that answers by what the body says: "bad", "again", "full", "late" (kept until released).
struct host {
    struct source_host host;
    void *zmq, *client;
    struct intake *intake;
    pthread_t thread;
    struct tc_queue *taken; // bodies, zero-ended
    struct article *late;
    atomic_size_t refused;
};

static bool body_is(const struct article *article, const char *word)
{
    return tc_str_eq(article->body, tc_str_of(word));
}

static bool offer(void *context, struct article *article)
{
    struct host *host = context;
    if (body_is(article, "full"))
        return false;
    if (body_is(article, "late"))
        host->late = article; // before the test hears of it
    tc_queue_push(host->taken, strndup(article->body.ptr, article->body.len));
    if (host->late == article)
        return true;
    if (body_is(article, "bad"))
        source_answer(article, SOURCE_REJECTED, 0, "it is bad\xff");
    else if (body_is(article, "again"))
        source_answer(article, SOURCE_DUPLICATE, 0, NULL);
    else
        source_answer(article, SOURCE_ACCEPTED, 3, NULL);
    return true;
}

static void trouble(void *context, const char *event, const struct tc_err *err)
{
    struct host *host = context;
    (void)event;
    tc_queue_push(host->taken, strdup(err->text));
}

static void stats(void *context, struct tc_json *json)
{
    (void)context;
    tc_json_put_u64(json, "articles", 7);
}

static void *run(void *context)
{
    struct host *host = context;
    intake_run(host->intake);
    return NULL;
}

static void start(struct host *host, bool answers, int client)
{
    struct tc_err err;
    int timeout = 10000, linger = 0;
    if (intake_open(host->zmq, TC_STR("inproc://intake"), answers, TC_STR("intake"), &host->host,
                    &host->intake, &err) != TC_OK)
        fail_msg("%s", err.text);
    host->client = zmq_socket(host->zmq, client);
    zmq_setsockopt(host->client, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    zmq_setsockopt(host->client, ZMQ_LINGER, &linger, sizeof linger);
    assert_int_equal(zmq_connect(host->client, "inproc://intake"), 0);
    assert_int_equal(pthread_create(&host->thread, NULL, run, host), 0);
}

static void refused(void *context)
{
    struct host *host = context;
    host->refused++;
}

static int make(void **state)
{
    struct host *host = calloc(1, sizeof *host);
    host->zmq = zmq_ctx_new();
    host->taken = tc_queue_new(1000);
    host->host = (struct source_host){.context = host,
                                      .give = offer,
                                      .offer = offer,
                                      .trouble = trouble,
                                      .refused = refused,
                                      .stats = stats,
                                      .stop_fd = eventfd(0, 0),
                                      .max_article_bytes = 1000};
    *state = host;
    return 0;
}

static int clean(void **state)
{
    struct host *host = *state;
    char *body = NULL;
    eventfd_write(host->host.stop_fd, 1);
    pthread_join(host->thread, NULL);
    intake_close(host->intake);
    zmq_close(host->client);
    zmq_ctx_term(host->zmq);
    while ((body = tc_queue_pop(host->taken, 0)))
        free(body);
    tc_queue_free(host->taken);
    close(host->host.stop_fd);
    free(host);
    return 0;
}

// Sends the frames given, ended by NULL.
static void say(struct host *host, const char *const *frames)
{
    for (; *frames; frames++)
        assert_true(zmq_send(host->client, *frames, strlen(*frames), frames[1] ? ZMQ_SNDMORE : 0) >=
                    0);
}

#define SAY(host, ...) say(host, (const char *const[]){__VA_ARGS__, NULL})

static void hear(struct host *host, char *out, size_t size)
{
    int len = zmq_recv(host->client, out, size - 1, 0);
    assert_true(len >= 0 && (size_t)len < size);
    out[len] = '\0';
}

static void expect(struct host *host, const char *reply, const char *header)
{
    char text[4096];
    hear(host, text, sizeof text);
    assert_string_equal(text, "T1");
    hear(host, text, sizeof text);
    assert_string_equal(text, reply);
    hear(host, text, sizeof text);
    if (!strstr(text, header))
        fail_msg("%s: got %s, expected %s", reply, text, header);
}

static void each_outcome_has_its_answer(void **state)
{
    static const struct {
        const char *header, *body, *reply, *answer;
    } cases[] = {
        {"{\"rid\":1,\"article\":{\"id\":\"a\"}}", "good", "ACCEPTED",
         "{\"rid\":1,\"id\":\"a\",\"hits\":3}"},
        {"{\"rid\":2,\"article\":{\"id\":\"a\"}}", "again", "DUPLICATE",
         "{\"rid\":2,\"id\":\"a\"}"},
        {"{\"rid\":3,\"article\":{\"id\":\"a\"}}", "bad", "REJECTED",
         "{\"rid\":3,\"reason\":\"it is bad\"}"},
        {"{\"rid\":4,\"article\":{\"id\":\"a\"}}", "full", "BUSY", "{\"rid\":4,\"retry_ms\":200}"},
        {"{\"rid\":5,\"article\":{\"id\":[]}}", "good", "REJECTED", "\"id\\\" is no text"},
        {"{\"article\":{\"text\":\"good\"}}", NULL, "ACCEPTED", "\"hits\":3"},
        {"{\"rid\":6,\"article\":{\"title\":\"\"}}", NULL, "REJECTED", "the article is empty"},
        {"{\"rid\":7,\"article\":7}", NULL, "ERR", "\"code\":\"header\""},
        {"{\"rid\":8,\"artikel\":{}}", NULL, "ERR", "unknown key \\\"artikel\\\""},
        {"{\"rid\":-8,\"article\":{}}", NULL, "ERR", "\\\"rid\\\" is no whole number"},
        {"not JSON", NULL, "ERR", "not JSON"},
    };
    struct host *host = *state;
    start(host, true, ZMQ_DEALER);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SAY(host, "T1", "ARTICLE", cases[i].header, cases[i].body);
        expect(host, cases[i].reply, cases[i].answer);
    }
    assert_int_equal(host->refused, 2); // the host itself refused "bad"
}

static void a_REQ_socket_gets_its_envelope_back(void **state)
{
    struct host *host = *state;
    start(host, true, ZMQ_REQ);
    SAY(host, "T1", "ARTICLE", "{\"rid\":1,\"article\":{\"text\":\"good\"}}");
    expect(host, "ACCEPTED", "\"rid\":1");
    SAY(host, "T1", "STATS", "{\"rid\":2}");
    expect(host, "STATS", "{\"rid\":2,\"articles\":7}");
}

static void what_is_no_request_is_answered_with_an_error(void **state)
{
    struct host *host = *state;
    start(host, true, ZMQ_DEALER);
    SAY(host, "T1", "FETCH", "{}");
    expect(host, "ERR", "\"code\":\"unsupported\"");
    SAY(host, "hello");
    expect(host, "ERR", "no frame");
    SAY(host, "T1", "ARTICLE", "{\"article\":{}}", "one", "two");
    expect(host, "ERR", "\"code\":\"payload\"");
    SAY(host, "T1", "STATS", "{\"x\":1}");
    expect(host, "ERR", "unknown key");
}

static void a_request_waits_for_its_outcome_while_others_pass(void **state)
{
    struct host *host = *state;
    start(host, true, ZMQ_DEALER);
    SAY(host, "T1", "ARTICLE", "{\"rid\":1,\"article\":{\"id\":\"slow\"}}", "late");
    SAY(host, "T1", "ARTICLE", "{\"rid\":2,\"article\":{\"id\":\"fast\"}}", "good");
    expect(host, "ACCEPTED", "\"rid\":2");
    free(
        tc_queue_pop(host->taken, 10000)); // the queue orders our look at `late` behind its setting
    source_answer(host->late, SOURCE_ACCEPTED, 0, NULL);
    expect(host, "ACCEPTED", "{\"rid\":1,\"id\":\"slow\",\"hits\":0}");
}

static void what_is_undone_at_the_end_is_answered_BUSY(void **state)
{
    struct host *host = *state;
    start(host, true, ZMQ_DEALER);
    SAY(host, "T1", "ARTICLE", "{\"rid\":1,\"article\":{}}", "late");
    free(tc_queue_pop(host->taken, 10000));
    assert_int_equal(eventfd_write(host->host.stop_fd, 1), 0);
    source_answer(host->late, SOURCE_UNDONE, 0, "stopping");
    expect(host, "BUSY", "\"rid\":1");
}

static void the_pull_socket_takes_the_same_and_tells_the_log(void **state)
{
    struct host *host = *state;
    start(host, false, ZMQ_PUSH);
    SAY(host, "T1", "ARTICLE", "{\"article\":{}}", "good");
    SAY(host, "T1", "ARTICLE", "{\"article\":{}}", "bad");
    SAY(host, "nonsense");
    static const char *const expected[] = {"good", "bad"};
    for (size_t i = 0; i < 2; i++) {
        char *text = tc_queue_pop(host->taken, 10000);
        assert_string_equal(text, expected[i]);
        free(text);
    }
    bool told_bad = false, told_nonsense = false;
    for (size_t i = 0; i < 2; i++) {
        char *text = tc_queue_pop(host->taken, 10000);
        told_bad |= strncmp(text, "it is bad", 9) == 0;
        told_nonsense |= strstr(text, "no tocsin request") != NULL;
        free(text);
    }
    assert_true(told_bad && told_nonsense);
}

#define SOCKET_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SOCKET_TEST(each_outcome_has_its_answer),
        SOCKET_TEST(a_REQ_socket_gets_its_envelope_back),
        SOCKET_TEST(what_is_no_request_is_answered_with_an_error),
        SOCKET_TEST(a_request_waits_for_its_outcome_while_others_pass),
        SOCKET_TEST(what_is_undone_at_the_end_is_answered_BUSY),
        SOCKET_TEST(the_pull_socket_takes_the_same_and_tells_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
