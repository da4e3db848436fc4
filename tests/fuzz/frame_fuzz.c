// Any bytes as a multipart message, cut at zero bytes: taken apart, and its envelope sent back.

#include "common/frame.h"
#include "common/sock.h"

#include <stdlib.h>
#include <zmq.h>

static void *context, *router, *dealer;

static void connect_once(void)
{
    tc_str endpoint = TC_STR("inproc://fuzz");
    if (context)
        return;
    context = zmq_ctx_new();
    if (tc_sock_open(context, TC_SOCK_ROUTER, endpoint, true, &router, NULL) != TC_OK ||
        tc_sock_open(context, TC_SOCK_DEALER, endpoint, false, &dealer, NULL) != TC_OK)
        abort();
}

static void answer(const struct tc_frames *frames)
{
    struct tc_request request;
    if (tc_frames_request(frames, &request, NULL) != TC_OK)
        return;
    if (request.payload > tc_frames_count(frames) || request.header.len > TC_HEADER_BYTES)
        abort();
    if (tc_frames_send_envelope(router, frames, request.envelope, NULL) != TC_OK ||
        tc_frame_send(router, request.command, false, NULL) != TC_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tc_frames *frames = tc_frames_new();
    tc_str rest = {(const char *)data, size}, part = {0};
    connect_once();
    while (size && tc_str_next(&rest, '\0', &part)) {
        if (tc_frame_send(dealer, part, rest.ptr != NULL, NULL) != TC_OK)
            abort();
    }
    if (tc_frames_receive(frames, router, NULL) == TC_OK)
        answer(frames);
    tc_frames_receive(frames, dealer, NULL);
    tc_frames_free(frames);
    return 0;
}
