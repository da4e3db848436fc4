#include "tests/client/scripted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

enum { SHORT_MS = 5, LIMIT_MS = 20000, TURNS_MOST = LIMIT_MS / SHORT_MS, PATIENCE_MS = 1000 };

static void *bound(void *context, int kind, const char *endpoint)
{
    static const int no_linger = 0;
    void *socket = zmq_socket(context, kind);
    assert_non_null(socket);
    zmq_setsockopt(socket, ZMQ_LINGER, &no_linger, sizeof no_linger);
    assert_int_equal(zmq_bind(socket, endpoint), 0);
    return socket;
}

void scripted_up(struct scripted *scripted)
{
    scripted->context = zmq_ctx_new();
    scripted->router = bound(scripted->context, ZMQ_ROUTER, scripted->fetch);
    scripted->pub = bound(scripted->context, ZMQ_XPUB, scripted->live);
}

// Ends the whole context, which waits until the sockets' files are gone: closed alone, they would
// be removed some time later, and perhaps be those of the next broker.
void scripted_down(struct scripted *scripted)
{
    if (!scripted->context)
        return;
    zmq_close(scripted->router);
    zmq_close(scripted->pub);
    zmq_ctx_term(scripted->context);
    scripted->context = NULL;
}

void scripted_open(struct scripted *scripted)
{
    *scripted = (struct scripted){.folder = "/tmp/tocsin-XXXXXX"};
    assert_non_null(mkdtemp(scripted->folder));
    snprintf(scripted->fetch, sizeof scripted->fetch, "ipc://%s/fetch", scripted->folder);
    snprintf(scripted->live, sizeof scripted->live, "ipc://%s/live", scripted->folder);
    scripted_up(scripted);
    const struct tocsin_options options = {.fetch = scripted->fetch,
                                           .live = scripted->live,
                                           .intake = scripted->fetch,
                                           .timeout_ms = PATIENCE_MS};
    assert_int_equal(tocsin_open(&options, &scripted->tocsin), TOCSIN_OK);
}

void scripted_close(struct scripted *scripted)
{
    tocsin_close(scripted->tocsin);
    scripted_down(scripted);
    rmdir(scripted->folder);
}

// Receives one frame as text; true when another follows.
static bool receive_text(void *socket, char *out, size_t bytes)
{
    int more = 0;
    size_t size = sizeof more;
    int got = zmq_recv(socket, out, bytes - 1, 0);
    assert_true(got >= 0 && (size_t)got < bytes);
    out[got] = '\0';
    zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
    return more != 0;
}

// Takes a question in. The routing id is kept at the head of the answer, which is begun here.
static void take_question(struct scripted *scripted)
{
    char frame[4096], routing[256];
    int got = zmq_recv(scripted->router, routing, sizeof routing, 0);
    assert_true(got > 0);
    zmq_send(scripted->router, routing, (size_t)got, ZMQ_SNDMORE);
    assert_true(receive_text(scripted->router, frame, sizeof frame));
    assert_string_equal(frame, "T1");
    assert_true(receive_text(scripted->router, scripted->command, sizeof scripted->command));
    bool more = receive_text(scripted->router, scripted->asked, sizeof scripted->asked);
    while (more)
        more = receive_text(scripted->router, frame, sizeof frame);
}

bool scripted_asked(struct scripted *scripted)
{
    zmq_pollitem_t item = {.socket = scripted->router, .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, 0) <= 0)
        return false;
    take_question(scripted);
    return true;
}

void scripted_expect(struct scripted *scripted, const char *command)
{
    struct tocsin_event event;
    for (int turn = 0; turn < TURNS_MOST; turn++) {
        if (scripted_asked(scripted)) {
            assert_string_equal(scripted->command, command);
            return;
        }
        assert_int_equal(tocsin_next(scripted->tocsin, SHORT_MS, &event), TOCSIN_NOTHING);
    }
    fail_msg("%s was never asked", command);
}

void scripted_answer(struct scripted *scripted, const char *reply, const char *header,
                     const char *const *events)
{
    unsigned long rid = 0;
    char text[4096];
    assert_int_equal(sscanf(scripted->asked, "{\"rid\":%lu", &rid), 1);
    snprintf(text, sizeof text, "{\"rid\":%lu%s%s}", rid, header[0] ? "," : "", header);
    zmq_send(scripted->router, "T1", 2, ZMQ_SNDMORE);
    zmq_send(scripted->router, reply, strlen(reply), ZMQ_SNDMORE);
    zmq_send(scripted->router, text, strlen(text), events && *events ? ZMQ_SNDMORE : 0);
    for (; events && *events; events++)
        zmq_send(scripted->router, *events, strlen(*events), events[1] ? ZMQ_SNDMORE : 0);
}

const char *scripted_event(unsigned seq, const char *epoch)
{
    static char ring[8][512];
    static unsigned next;
    char *out = ring[next++ % 8];
    snprintf(out, sizeof ring[0],
             "{\"specversion\":\"1.0\",\"id\":\"id-%u\",\"subject\":\"a/b/high/\","
             "\"sequence\":\"%020u\",\"epoch\":\"%s\",\"time\":\"2025-03-01T05:01:00.000Z\","
             "\"data\":{\"watch\":{\"name\":\"a/b\",\"severity\":\"high\",\"labels\":"
             "{\"desk\":\"%s\"}},\"article\":{\"id\":\"x\",\"title\":\"Title %u\"},"
             "\"excerpt\":\"\"}}",
             seq, seq, epoch, seq % 2 ? "odd" : "even", seq);
    return out;
}

// A subscription reaches an XPUB as a message: 1, then the topic.
static bool took_subscription(struct scripted *scripted, const char *topic)
{
    char message[256];
    int got = 0;
    while ((got = zmq_recv(scripted->pub, message, sizeof message, ZMQ_DONTWAIT)) > 0)
        if (message[0] == 1 && (size_t)got == 1 + strlen(topic) &&
            !memcmp(message + 1, topic, strlen(topic)))
            return true;
    return false;
}

void scripted_expect_subscription(struct scripted *scripted, const char *topic)
{
    struct tocsin_event event;
    for (int turn = 0; turn < TURNS_MOST; turn++) {
        if (took_subscription(scripted, topic))
            return;
        int code = tocsin_next(scripted->tocsin, SHORT_MS, &event);
        assert_true(code == TOCSIN_NOTHING ||
                    (code == TOCSIN_OK && event.kind == TOCSIN_CONNECTED));
    }
    fail_msg("no subscription to '%s' came", topic);
}

void scripted_publish(struct scripted *scripted, const char *topic, const char *json)
{
    zmq_send(scripted->pub, topic, strlen(topic), ZMQ_SNDMORE);
    zmq_send(scripted->pub, json, strlen(json), 0);
}

struct tocsin_event scripted_next(struct scripted *scripted)
{
    struct tocsin_event event = {0};
    int code = tocsin_next(scripted->tocsin, LIMIT_MS, &event);
    if (code != TOCSIN_OK)
        fail_msg("no event came: %d %s", code, tocsin_error(scripted->tocsin));
    return event;
}

struct tocsin_event scripted_next_is(struct scripted *scripted, enum tocsin_kind kind)
{
    struct tocsin_event event = scripted_next(scripted);
    assert_int_equal(event.kind, kind);
    return event;
}
