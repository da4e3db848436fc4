#include "watcher/outbox/tap.h"

#include <stdlib.h>

#include "common/event.h"
#include "common/frame.h"
#include "common/mem.h"
#include "common/sock.h"

enum { PLACES = 2 * TAP_WATCHES_MOST }; // a power of two, never more than half full

struct place {
    struct tc_id hash;
    struct tc_event_watch *watch; // NULL: free
};

struct tap {
    void *socket;
    struct place *places;
    size_t count;
    struct tc_arena *arena; // of the hit in hand
    struct tc_buf topic, event;
};

int tap_open(void *zmq_context, const struct tc_curve *curve, tc_str endpoint, struct tap **out,
             struct tc_err *err)
{
    struct tap *tap = tc_new(sizeof *tap);
    int code =
        tc_sock_open_guarded(zmq_context, TC_SOCK_PUB, curve, endpoint, true, &tap->socket, err);
    tap->places = tc_new(PLACES * sizeof *tap->places);
    tap->arena = tc_arena_new();
    if (code == TC_OK)
        *out = tap;
    else
        tap_close(tap);
    return code;
}

void *tap_socket(const struct tap *tap)
{
    return tap->socket;
}

static void forget_watches(struct tap *tap)
{
    for (size_t i = 0; i < PLACES; i++) {
        tc_event_watch_free(tap->places[i].watch);
        tap->places[i].watch = NULL;
    }
    tap->count = 0;
}

void tap_close(struct tap *tap)
{
    if (!tap)
        return;
    forget_watches(tap);
    tc_sock_close(tap->socket);
    tc_arena_free(tap->arena);
    tc_buf_done(&tap->topic);
    tc_buf_done(&tap->event);
    free(tap->places);
    free(tap);
}

// Where the watch is, or the free place where it belongs. The hash is one already.
static struct place *find(struct tap *tap, struct tc_id hash)
{
    uint32_t at = 0;
    memcpy(&at, hash.bytes, sizeof at);
    for (;; at++) {
        struct place *place = &tap->places[at % PLACES];
        if (!place->watch || tc_id_eq(place->hash, hash))
            return place;
    }
}

int tap_define(struct tap *tap, struct tc_id hash, tc_str definition, struct tc_err *err)
{
    struct place *place = find(tap, hash);
    if (place->watch)
        return TC_OK;
    if (tap->count == TAP_WATCHES_MOST) {
        forget_watches(tap);
        place = find(tap, hash);
    }
    int code = tc_event_watch_open(definition, &place->watch, err);
    if (code != TC_OK)
        return code;
    place->hash = hash;
    tap->count++;
    return TC_OK;
}

static void publish_one(struct tap *tap, const struct tc_event_article *article,
                        const struct tc_hit *hit, int64_t now_wall_ns)
{
    const struct tc_event_watch *watch = find(tap, hit->watch_hash)->watch;
    struct tc_event event = {.type = TC_EVENT_HIT, .id = hit->id, .time_wall_ns = now_wall_ns};
    if (!watch || tc_event_watch_quiet(watch, now_wall_ns))
        return;
    tc_buf_clear(&tap->topic);
    tc_buf_clear(&tap->event);
    tc_event_topic(hit, &tap->topic);
    tc_event_add(&tap->event, &event, watch, article, hit);
    // A PUB socket takes everything and drops for those who are slow.
    if (tc_frame_send(tap->socket, tc_buf_view(&tap->topic), true, NULL) == TC_OK)
        tc_frame_send(tap->socket, tc_buf_view(&tap->event), false, NULL);
}

static int publish_all(struct tap *tap, const struct tc_event_article *article,
                       struct tc_hits *hits, int64_t now_wall_ns, struct tc_err *err)
{
    for (;;) {
        tc_str bytes = {"", 0};
        struct tc_hit hit;
        int code = tc_hits_next(hits, &bytes, err);
        if (code != TC_OK)
            return code == TC_ENOENT ? TC_OK : code;
        tc_arena_empty(tap->arena);
        code = tc_hit_decode(bytes, tap->arena, &hit, err);
        if (code != TC_OK)
            return code;
        publish_one(tap, article, &hit, now_wall_ns);
    }
}

int tap_publish(struct tap *tap, tc_str record, tc_str hits, int64_t now_wall_ns,
                struct tc_err *err)
{
    struct tc_event_article *article = NULL;
    struct tc_hits walk;
    int code = tc_event_article_open(record, &article, err);
    if (code == TC_OK)
        code = tc_hits_open(hits, record, &walk, err);
    if (code == TC_OK && !tc_event_article_quiet(article, now_wall_ns))
        code = publish_all(tap, article, &walk, now_wall_ns, err);
    tc_event_article_free(article);
    return code;
}
