#include "common/zap.h"

#include "common/fault.h"
#include "common/frame.h"
#include "common/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

// Frames of a question: version, id, domain, address, identity, mechanism, and for CURVE the key.
enum { VERSION, ID, DOMAIN_NAME, ADDRESS, IDENTITY, MECHANISM, CREDENTIAL, QUESTION_FRAMES };

enum { KEY_BYTES = 32, ADDRESS_BYTES = 64 };

struct tc_zap {
    void *order;               // of the opener: the next access list, or NULL to end
    void *ordered, *questions; // of the thread
    struct tc_access *access;  // of the thread, once it runs
    struct tc_frames *frames;
    pthread_t thread;
    bool started;
};

static const char *const domains[] = {
    [TC_DOOR_FETCH] = "tocsin.fetch",
    [TC_DOOR_LIVE] = "tocsin.live",
    [TC_DOOR_INTAKE] = "tocsin.intake",
};

enum { DOORS = sizeof domains / sizeof *domains };

const char *tc_door_domain(enum tc_door door)
{
    return domains[door];
}

bool tc_door_admits(enum tc_door door, const struct tc_peer *peer)
{
    static const unsigned at_fetch = TC_ROLE_WATCHER | TC_ROLE_SUBSCRIBER | TC_ROLE_ADMIN;
    if (!peer)
        return false;
    switch (door) {
    case TC_DOOR_FETCH: return (peer->roles & at_fetch) != 0;
    case TC_DOOR_LIVE: return tc_peer_is(peer, TC_ROLE_SUBSCRIBER) && peer->read_count == 0;
    case TC_DOOR_INTAKE: return tc_peer_is(peer, TC_ROLE_PUBLISHER);
    }
    return false;
}

// ---- the thread ---------------------------------------------------------------------------

static bool admits(const struct tc_zap *zap, tc_str *user, char *text)
{
    tc_str domain = tc_frames_at(zap->frames, DOMAIN_NAME);
    tc_str key = tc_frames_at(zap->frames, CREDENTIAL);
    if (tc_frames_count(zap->frames) != QUESTION_FRAMES || key.len != KEY_BYTES ||
        !tc_str_eq(tc_frames_at(zap->frames, MECHANISM), TC_STR("CURVE")))
        return false;
    zmq_z85_encode(text, (const uint8_t *)key.ptr, KEY_BYTES);
    *user = tc_str_of(text);
    if (tc_fault_strikes("zap.admits"))
        return true; // what the self-test of common/probe.c has to find
    for (size_t i = 0; i < DOORS; i++) {
        if (tc_str_eq(domain, tc_str_of(domains[i])))
            return tc_door_admits((enum tc_door)i, tc_access_find(zap->access, *user));
    }
    return false;
}

static void answer(const struct tc_zap *zap)
{
    char text[TC_KEY_TEXT + 1];
    tc_str user = {"", 0};
    bool in = admits(zap, &user, text);
    const tc_str frames[] = {TC_STR("1.0"),
                             tc_frames_at(zap->frames, ID),
                             in ? TC_STR("200") : TC_STR("400"),
                             in ? TC_STR("OK") : TC_STR("no access"),
                             in ? user : TC_STR(""),
                             TC_STR("")};
    size_t count = sizeof frames / sizeof *frames;
    for (size_t i = 0; i < count; i++)
        tc_frame_send(zap->questions, frames[i], i + 1 < count, NULL);
}

// False when the thread is to end.
static bool take_order(struct tc_zap *zap)
{
    struct tc_access *next = NULL;
    if (zmq_recv(zap->ordered, &next, sizeof next, 0) != sizeof next)
        return false;
    if (!next)
        return false;
    tc_access_drop(zap->access);
    zap->access = next;
    return true;
}

static void *run(void *context)
{
    struct tc_zap *zap = context;
    zmq_pollitem_t items[] = {{zap->questions, 0, ZMQ_POLLIN, 0}, {zap->ordered, 0, ZMQ_POLLIN, 0}};
    bool on = true;
    while (on && (zmq_poll(items, 2, -1) >= 0 || errno == EINTR)) {
        if (items[1].revents)
            on = take_order(zap);
        if (on && items[0].revents &&
            tc_frames_receive(zap->frames, zap->questions, NULL) == TC_OK) {
            if (tc_fault_strikes("zap.dies"))
                on = false; // in the middle of a question
            else
                answer(zap);
        }
    }
    zmq_close(zap->questions);
    zap->questions = NULL;
    return NULL;
}

// ---- opening and closing ------------------------------------------------------------------

static void *pair(void *context, const char *address, bool bind)
{
    static const int no_linger = 0;
    void *socket = zmq_socket(context, ZMQ_PAIR);
    if (socket && zmq_setsockopt(socket, ZMQ_LINGER, &no_linger, sizeof no_linger) == 0 &&
        (bind ? zmq_bind(socket, address) : zmq_connect(socket, address)) == 0)
        return socket;
    if (socket)
        zmq_close(socket);
    return NULL;
}

static bool open_sockets(struct tc_zap *zap, void *context)
{
    static const int no_linger = 0;
    char address[ADDRESS_BYTES];
    snprintf(address, sizeof address, "inproc://zap-order-%p", (void *)zap);
    zap->ordered = pair(context, address, true);
    zap->order = pair(context, address, false);
    zap->questions = zmq_socket(context, ZMQ_REP);
    return zap->ordered && zap->order && zap->questions &&
           zmq_setsockopt(zap->questions, ZMQ_LINGER, &no_linger, sizeof no_linger) == 0 &&
           zmq_bind(zap->questions, "inproc://zeromq.zap.01") == 0;
}

int tc_zap_open(void *context, struct tc_access *access, struct tc_zap **out, struct tc_err *err)
{
    struct tc_zap *zap = tc_new(sizeof *zap);
    int code = TC_OK, reason = 0;
    zap->access = tc_access_hold(access);
    zap->frames = tc_frames_new();
    if (!zap->frames || !open_sockets(zap, context))
        code = tc_fail(err, TC_EPROTO, "cannot start the handler of keys: %s", zmq_strerror(errno));
    if (code == TC_OK && (reason = pthread_create(&zap->thread, NULL, run, zap)) != 0)
        code = tc_fail(err, TC_EFULL, "cannot start a thread: %s", strerror(reason));
    if (code != TC_OK) {
        tc_zap_close(zap);
        return code;
    }
    zap->started = true;
    pthread_setname_np(zap->thread, "zap");
    *out = zap;
    return TC_OK;
}

static void order(struct tc_zap *zap, struct tc_access *next)
{
    if (zmq_send(zap->order, &next, sizeof next, ZMQ_DONTWAIT) < 0)
        tc_access_drop(next); // a dead thread reads nothing: the self-test ends the daemon
}

void tc_zap_swap(struct tc_zap *zap, struct tc_access *access)
{
    order(zap, tc_access_hold(access));
}

// Lists that a dead thread did not take wait in its socket.
static void drop_orders(struct tc_zap *zap)
{
    struct tc_access *next = NULL;
    while (zap->ordered && zmq_recv(zap->ordered, &next, sizeof next, ZMQ_DONTWAIT) == sizeof next)
        tc_access_drop(next);
}

void tc_zap_close(struct tc_zap *zap)
{
    if (!zap)
        return;
    if (zap->started) {
        order(zap, NULL);
        pthread_join(zap->thread, NULL);
    }
    drop_orders(zap);
    void *const sockets[] = {zap->order, zap->ordered, zap->questions};
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++) {
        if (sockets[i])
            zmq_close(sockets[i]);
    }
    tc_access_drop(zap->access);
    tc_frames_free(zap->frames);
    free(zap);
}
