// Any bytes as requests to the broker's desk over a real store: several in one turn, cut at line
// ends into command, header and payload frames. Every answer must be JSON of at most 16 KiB, and
// nothing that the desk refuses may end the turn.

#include "broker/desk.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PARTS_MOST = 8, HEADER_BYTES = 16 * 1024 };

static struct store *store;
static struct desk *desk;
static char folder[] = "/tmp/tocsin-fuzz-XXXXXX", path[64];
static int64_t mono_ns;

static void check_answer(void *context, const struct answer *answer)
{
    json_t *header = NULL;
    (void)context;
    if (!answer->reply || answer->header.len > HEADER_BYTES ||
        tc_json_read(tc_buf_view(&answer->header), &header, NULL) != TC_OK)
        abort();
    json_decref(header);
    for (size_t i = 0; i < answer->count; i++) {
        json_t *event = NULL;
        if (tc_json_read(answer_frame_at(answer, i), &event, NULL) != TC_OK)
            abort();
        json_decref(event);
    }
}

static void check_published(void *context, tc_str topic, tc_str body)
{
    (void)context;
    if (!tc_str_starts(topic, TC_STR("~/echo/")) || !tc_str_ends(topic, TC_STR("/")) || !body.len)
        abort();
}

static uint64_t none(void *context)
{
    (void)context;
    return 0;
}

static void ignore(void *context, const char *event, const char *reason)
{
    (void)context;
    (void)event;
    (void)reason;
}

static void clean_up(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    desk_close(desk);
    store_close(store);
    for (size_t i = 0; i < 3; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    rmdir(folder);
}

static const struct gauges gauges;

static void open_once(void)
{
    if (desk)
        return;
    if (!mkdtemp(folder))
        abort();
    snprintf(path, sizeof path, "%s/broker.db", folder);
    if (store_open(tc_str_of(path), &store, NULL) != TC_OK)
        abort();
    // Without a backup: that would write where the input says.
    struct desk_out out = {NULL,    check_answer, check_published, none, ignore,
                           &gauges, NULL,         INT32_MAX};
    if (desk_open(store, &out, 0, &desk, NULL) != TC_OK)
        abort();
    atexit(clean_up);
}

// The parts of a request stand on lines of their own; an empty line ends it.
static bool take_request(tc_str *rest)
{
    tc_str parts[PARTS_MOST] = {{"", 0}, {"", 0}}, line = {0}, envelope[] = {TC_STR("peer")};
    size_t count = 0;
    bool more = false;
    while ((more = tc_str_next(rest, '\n', &line)) && line.len && count < PARTS_MOST)
        parts[count++] = line;
    struct request request = {
        .command = parts[0],
        .header = parts[1],
        .payload = parts + 2,
        .payload_count = count > 2 ? count - 2 : 0,
        .envelope = envelope,
        .envelope_count = 1,
    };
    if (count)
        desk_take(desk, &request, 0, mono_ns);
    return more;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tc_str rest = {(const char *)data, size};
    open_once();
    while (take_request(&rest))
        ;
    if (desk_finish(desk, mono_ns, NULL) != TC_OK)
        abort();
    mono_ns += INT64_C(1000000000);
    return 0;
}
