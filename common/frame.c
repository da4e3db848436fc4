#include "common/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <zmq.h>

enum { ENVELOPE_MOST = 8 }; // frames looked at in search of "T1"

// The messages stand in one array that never moves: libzmq wants no copies made behind its back.
struct tc_frames {
    size_t count;
    zmq_msg_t list[TC_FRAMES_MOST];
};

struct tc_frames *tc_frames_new(void)
{
    return calloc(1, sizeof(struct tc_frames));
}

static void clear(struct tc_frames *frames)
{
    for (size_t i = 0; i < frames->count; i++)
        zmq_msg_close(&frames->list[i]);
    frames->count = 0;
}

void tc_frames_free(struct tc_frames *frames)
{
    if (!frames)
        return;
    clear(frames);
    free(frames);
}

static int receive_frame(zmq_msg_t *frame, void *socket)
{
    int got = 0;
    zmq_msg_init(frame);
    do
        got = zmq_msg_recv(frame, socket, ZMQ_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got;
}

// Takes what is left of a message that does not fit off the socket, so that the next receive
// begins with a message and not in the middle of one.
static void drain(void *socket)
{
    bool more = true;
    while (more) {
        zmq_msg_t frame;
        more = receive_frame(&frame, socket) >= 0 && zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
}

int tc_frames_receive(struct tc_frames *frames, void *socket, struct tc_err *err)
{
    bool more = true;
    clear(frames);
    while (more) {
        if (frames->count == TC_FRAMES_MOST) {
            drain(socket);
            clear(frames);
            return tc_fail(err, TC_EFULL, "a message has more than %d frames", TC_FRAMES_MOST);
        }
        zmq_msg_t *frame = &frames->list[frames->count];
        if (receive_frame(frame, socket) < 0) {
            int reason = errno;
            zmq_msg_close(frame);
            clear(frames);
            if (reason == EAGAIN)
                return tc_fail(err, TC_ENOENT, "no message is waiting");
            return tc_fail(err, TC_EPROTO, "cannot receive: %s", zmq_strerror(reason));
        }
        frames->count++;
        more = zmq_msg_more(frame);
    }
    return TC_OK;
}

size_t tc_frames_count(const struct tc_frames *frames)
{
    return frames->count;
}

tc_str tc_frames_at(const struct tc_frames *frames, size_t index)
{
    if (index >= frames->count)
        return (tc_str){"", 0};
    // libzmq's reading functions lack the const.
    zmq_msg_t *frame = (zmq_msg_t *)(uintptr_t)&frames->list[index];
    return (tc_str){zmq_msg_data(frame), zmq_msg_size(frame)};
}

tc_str tc_frames_user(const struct tc_frames *frames)
{
    if (frames->count < 2)
        return (tc_str){"", 0};
    const char *user =
        zmq_msg_gets(&frames->list[frames->count - 1], "User-Id"); // a draft name in zmq.h
    return user ? tc_str_of(user) : (tc_str){"", 0};
}

int tc_frames_request(const struct tc_frames *frames, struct tc_request *out, struct tc_err *err)
{
    size_t mark = 0;
    while (mark < frames->count && mark < ENVELOPE_MOST &&
           !tc_str_eq(tc_frames_at(frames, mark), TC_STR("T1")))
        mark++;
    if (mark >= frames->count || mark >= ENVELOPE_MOST)
        return tc_fail(err, TC_EPROTO, "the message is no tocsin request: it has no frame \"T1\"");
    if (mark + 2 >= frames->count)
        return tc_fail(err, TC_EPROTO, "the request ends before its command and header");
    tc_str header = tc_frames_at(frames, mark + 2);
    if (header.len > TC_HEADER_BYTES)
        return tc_fail(err, TC_EPROTO, "the header has %zu bytes, more than %d", header.len,
                       TC_HEADER_BYTES);
    *out = (struct tc_request){
        .envelope = mark,
        .command = tc_frames_at(frames, mark + 1),
        .header = header,
        .payload = mark + 3,
    };
    return TC_OK;
}

int tc_frame_send(void *socket, tc_str bytes, bool more, struct tc_err *err)
{
    int sent = 0;
    do
        sent = zmq_send(socket, bytes.ptr, bytes.len, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return TC_OK;
    if (errno == EAGAIN || errno == EHOSTUNREACH)
        return tc_fail(err, TC_EBUSY, "cannot send now: %s", zmq_strerror(errno));
    return tc_fail(err, TC_EPROTO, "cannot send: %s", zmq_strerror(errno));
}

int tc_frames_send_envelope(void *socket, const struct tc_frames *frames, size_t count,
                            struct tc_err *err)
{
    int code = TC_OK;
    for (size_t i = 0; i < count && code == TC_OK; i++)
        code = tc_frame_send(socket, tc_frames_at(frames, i), true, err);
    return code;
}
