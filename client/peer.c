#include "client/peer.h"
#include "client/parse.h"
#include "common/clock.h"

#include <jansson.h>

// A question on its way.
struct asking {
    uint64_t on;       // the connection that it went out on; 0: none
    int64_t silent_at; // when that is given up for another one
};

void peer_init(struct peer *peer, void *context, const char *endpoint, const char *name)
{
    *peer = (struct peer){.context = context, .endpoint = endpoint, .name = name};
}

void peer_done(struct peer *peer)
{
    wire_close(&peer->wire);
    json_decref(peer->answer);
    tc_frames_free(peer->frames);
    tc_buf_done(&peer->header);
    tc_buf_done(&peer->kept);
    peer->answer = NULL;
    peer->frames = NULL;
}

void peer_reset(struct peer *peer)
{
    wire_close(&peer->wire);
}

struct tc_json *peer_question(struct peer *peer)
{
    tc_buf_clear(&peer->header);
    peer->closed = false;
    peer->json = tc_json_on(&peer->header);
    tc_json_open(&peer->json, '{');
    tc_json_put_u64(&peer->json, "rid", ++peer->rid);
    return &peer->json;
}

static int connect_peer(struct peer *peer, struct tc_err *err)
{
    if (peer->wire.socket)
        return TC_OK;
    if (!peer->frames && !(peer->frames = tc_frames_new()))
        return tc_fail(err, TC_ENOMEM, "no memory for a message");
    int code = wire_open(&peer->wire, peer->context, TC_SOCK_DEALER, peer->curve, err);
    if (code == TC_OK)
        code = wire_connect(&peer->wire, peer->endpoint, err);
    if (code != TC_OK)
        wire_close(&peer->wire);
    return code;
}

int peer_wait(struct peer *peer, int64_t until, bool sending, struct tc_err *err)
{
    int code = connect_peer(peer, err);
    if (code == TC_OK)
        code = wire_wait(&peer->wire, until, sending, err);
    if (code != TC_OK)
        return code;
    code = wire_refused(&peer->wire, peer->endpoint, peer->name, false, err);
    if (code != TC_OK)
        wire_close(&peer->wire); // this socket would never try again
    return code;
}

int peer_seal(struct peer *peer, tc_str body, struct tc_err *err)
{
    if (!peer->closed)
        tc_json_close(&peer->json, '}');
    peer->closed = true;
    if (peer->header.failed)
        return tc_fail(err, TC_ENOMEM, "no memory for a request");
    if (peer->header.len > TC_HEADER_BYTES)
        return tc_fail(err, TC_EFULL, "a request of %zu bytes; at most %d go in one header",
                       peer->header.len, TC_HEADER_BYTES);
    if (body.len > PEER_BODY_BYTES)
        return tc_fail(err, TC_EFULL, "a text of %zu bytes; at most %d go in one message", body.len,
                       PEER_BODY_BYTES);
    return TC_OK;
}

int peer_send(struct peer *peer, const char *command, tc_str body, struct tc_err *err)
{
    void *socket = peer->wire.socket;
    int code = peer_seal(peer, body, err);
    if (code != TC_OK)
        return code;
    if (!peer->wire.up)
        return tc_fail(err, TC_EBUSY, "not connected to %s", peer->endpoint);
    code = tc_frame_send(socket, TC_STR("T1"), true, err);
    if (code == TC_OK)
        code = tc_frame_send(socket, tc_str_of(command), true, err);
    if (code == TC_OK)
        code = tc_frame_send(socket, tc_buf_view(&peer->header), body.ptr != NULL, err);
    if (code == TC_OK && body.ptr)
        code = tc_frame_send(socket, body, false, err);
    return code;
}

// Takes the message that was received apart.
static int understand(struct peer *peer, struct tc_err *err)
{
    struct tc_request parts = {0};
    json_t *header = NULL;
    int code = tc_frames_request(peer->frames, &parts, err);
    if (code == TC_OK)
        code = parse_object(parts.header, &header, err);
    if (code == TC_ENOMEM)
        return code;
    if (code != TC_OK) {
        tc_err_prefix(err, "the %s at %s speaks another protocol", peer->name, peer->endpoint);
        return TC_EPROTO;
    }
    json_decref(peer->answer);
    peer->answer = header;
    peer->command = parts.command;
    peer->text = parts.header;
    peer->payload = parts.payload;
    return TC_OK;
}

int peer_take(struct peer *peer, struct tc_err *err)
{
    int code = tc_frames_receive(peer->frames, peer->wire.socket, err);
    return code == TC_OK ? understand(peer, err) : code;
}

int peer_receive(struct peer *peer, struct tc_err *err)
{
    uint64_t rid = 0;
    do {
        int code = peer_take(peer, err);
        if (code != TC_OK)
            return code;
    } while (!tc_json_get_u64(peer->answer, "rid", &rid) || rid != peer->rid);
    return TC_OK;
}

int peer_keep_answer(struct peer *peer, const char **out, struct tc_err *err)
{
    tc_buf_clear(&peer->kept);
    tc_buf_str(&peer->kept, peer->text);
    if (peer->kept.failed)
        return tc_fail(err, TC_ENOMEM, "no memory for an answer");
    *out = peer->kept.ptr;
    return TC_OK;
}

int peer_silent(const struct peer *peer, struct tc_err *err)
{
    if (wire_refused(&peer->wire, peer->endpoint, peer->name, true, err) != TC_OK)
        return TC_EPROTO;
    return tc_fail(err, TC_ETIMEOUT, "no %s answers at %s; is tocsin-%s running?", peer->name,
                   peer->endpoint, peer->name);
}

int peer_refused(const struct peer *peer, struct tc_err *err)
{
    tc_str code = tc_json_get_str(peer->answer, "code");
    tc_str reason = tc_json_get_str(peer->answer, "reason");
    return tc_fail(err, TC_EPROTO, "the %s refused: %.*s (%.*s)", peer->name, TC_ARG(reason),
                   TC_ARG(code));
}

// Looks for the answer, and sends the question if it has not gone out on this connection. In this
// order: the answer may be there although the connection has just gone. TC_ENOENT: not there yet.
static int ask_once(struct peer *peer, const char *command, tc_str body, struct asking *asking,
                    struct tc_err *err)
{
    int code = asking->on ? peer_receive(peer, err) : TC_ENOENT;
    if (code != TC_ENOENT || !peer->wire.up || asking->on == peer->wire.times_up)
        return code;
    code = peer_send(peer, command, body, err);
    if (code != TC_OK)
        return code == TC_EBUSY ? TC_ENOENT : code;
    asking->on = peer->wire.times_up;
    asking->silent_at = tc_mono_ns() + PEER_SILENCE_MS * TC_MS;
    return TC_ENOENT;
}

int peer_ask(struct peer *peer, const char *command, tc_str body, int64_t until, struct tc_err *err)
{
    struct asking asking = {.silent_at = INT64_MAX};
    int code = peer_seal(peer, body, err); // what cannot be sent is said even when nobody is there
    while (code == TC_OK || code == TC_ESTOP) {
        code = ask_once(peer, command, body, &asking, err);
        if (code != TC_ENOENT)
            break;
        int64_t now = tc_mono_ns();
        if (now >= until)
            return peer_silent(peer, err);
        if (now >= asking.silent_at) {
            peer_reset(peer);
            asking = (struct asking){.silent_at = INT64_MAX};
        }
        const int64_t wake = asking.silent_at < until ? asking.silent_at : until;
        code = peer_wait(peer, wake, asking.on != peer->wire.times_up, err);
    }
    if (code == TC_OK && tc_str_eq(peer->command, TC_STR("ERR")))
        return peer_refused(peer, err);
    return code;
}
