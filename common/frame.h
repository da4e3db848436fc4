// frame - multipart messages, taken apart and put together.
//
// A tocsin request is  [envelope ...] "T1" COMMAND header payload*  (docs/protocol.md). The
// envelope is every frame before "T1": one routing id from a DEALER, and an empty one more from
// a REQ. It is kept and sent back with the answer.
//
//   memory   one zmq_msg_t per frame, at most TC_FRAMES_MOST; copying to a tc_buf only when asked
//   threads  the socket's
//   safe     for libtocsin
#ifndef TC_FRAME_H
#define TC_FRAME_H

#include "common/err.h"
#include "common/str.h"

enum { TC_FRAMES_MOST = 1024, TC_HEADER_BYTES = 16 * 1024 };

struct tc_frames; // one received message

struct tc_frames *tc_frames_new(void); // NULL without memory; tc_frames_free() ends it
void tc_frames_free(struct tc_frames *frames);

// Receives one whole message without waiting, replacing what was there.
//   TC_ENOENT  nothing to receive
//   TC_EFULL   more than TC_FRAMES_MOST frames; the message is thrown away whole
//   TC_EPROTO  the socket failed (zmq_strerror in the text)
int tc_frames_receive(struct tc_frames *frames, void *socket, struct tc_err *err);

size_t tc_frames_count(const struct tc_frames *frames);
tc_str tc_frames_at(const struct tc_frames *frames, size_t index); // views the message

// Who sent it: the User-Id that the ZAP handler gave the connection, empty on a socket without keys. Read
// from the last frame: behind zmq_poll libzmq 4.3.4 knows none for frame 0, the routing id. Views the
// message.
tc_str tc_frames_user(const struct tc_frames *frames);

// Splits a request: *envelope frames come before "T1", *command is the frame behind it,
// *header the next, payload starts at index *payload.
//   TC_EPROTO  no "T1" among the first eight frames, or nothing behind it, or a header that is
//              larger than TC_HEADER_BYTES
struct tc_request {
    size_t envelope; // number of frames
    tc_str command, header;
    size_t payload; // index of the first payload frame; == count when there is none
};
int tc_frames_request(const struct tc_frames *frames, struct tc_request *out, struct tc_err *err);

// Sends one frame (copying it); `more` when another follows. Never waits.
//   TC_EBUSY   no peer, or its queue is full
//   TC_EPROTO  the socket failed
int tc_frame_send(void *socket, tc_str bytes, bool more, struct tc_err *err);

// Sends the first `count` frames of a message, all with more to follow: the envelope of an answer.
int tc_frames_send_envelope(void *socket, const struct tc_frames *frames, size_t count,
                            struct tc_err *err);

#endif
