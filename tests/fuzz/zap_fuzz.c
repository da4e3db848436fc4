// Any frames as a question to the handler of keys, cut at line ends: it says no to all but the one key that it
// knows, asked about as libzmq asks, and answers every question.

#include "common/frame.h"
#include "common/zap.h"

#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#define KNOWN "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

enum { PARTS_MOST = 8 };

static void *context, *asker;
static struct tc_zap *zap;
static struct tc_access *list;

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void clean_up(void)
{
    zmq_close(asker);
    tc_zap_close(zap);
    tc_access_drop(list);
    zmq_ctx_term(context);
}

static void open_once(void)
{
    static const int no_linger = 0;
    struct tc_diags *diags = NULL;
    if (zap)
        return;
    diags = tc_diags_new();
    context = zmq_ctx_new();
    need(tc_access_read_text(
             TC_STR("f"), TC_STR("peers:\n  - {name: a, key: '" KNOWN "', roles: [subscriber]}\n"),
             diags, &list) == TC_OK);
    need(tc_zap_open(context, list, &zap, NULL) == TC_OK);
    asker = zmq_socket(context, ZMQ_REQ);
    zmq_setsockopt(asker, ZMQ_LINGER, &no_linger, sizeof no_linger);
    need(zmq_connect(asker, "inproc://zeromq.zap.01") == 0);
    tc_diags_free(diags);
    atexit(clean_up);
}

// What the handler says to these frames: "200" or "400".
static bool admitted(const tc_str *parts, size_t count)
{
    char status[8] = "";
    int more = 1;
    size_t size = sizeof more, frames = 0;
    for (size_t i = 0; i < count; i++)
        need(tc_frame_send(asker, parts[i], i + 1 < count, NULL) == TC_OK);
    for (; more; frames++) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        need(zmq_msg_recv(&part, asker, 0) >= 0);
        if (frames == 2)
            snprintf(status, sizeof status, "%.*s", (int)zmq_msg_size(&part),
                     (const char *)zmq_msg_data(&part));
        zmq_msg_close(&part);
        zmq_getsockopt(asker, ZMQ_RCVMORE, &more, &size);
    }
    need(frames == 6 && (strcmp(status, "200") == 0 || strcmp(status, "400") == 0));
    return status[0] == '2';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tc_str rest = {(const char *)data, size}, parts[PARTS_MOST] = {{"", 0}};
    uint8_t known[32];
    size_t count = 0;
    open_once();
    zmq_z85_decode(known, KNOWN);
    while (count < PARTS_MOST && tc_str_next(&rest, '\n', &parts[count]))
        count++;
    bool in = admitted(parts, count ? count : 1);
    if (in) // then only so
        need(count == 7 && tc_str_eq(parts[5], TC_STR("CURVE")) &&
             tc_str_eq(parts[6], (tc_str){(const char *)known, sizeof known}));
    const tc_str good[] = {TC_STR("1.0"),
                           TC_STR("1"),
                           TC_STR("tocsin.fetch"),
                           TC_STR("::1"),
                           TC_STR(""),
                           TC_STR("CURVE"),
                           {(const char *)known, sizeof known}};
    need(admitted(good, 7)); // it still works
    return 0;
}
