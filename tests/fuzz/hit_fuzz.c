// Any bytes as one HIT, and as the hits of a frame whose checksum is right. What is decoded is
// encoded to the same bytes.

#include "common/hit.h"

#include <stdlib.h>

static void check_hit(tc_str bytes, struct tc_arena *arena)
{
    struct tc_hit hit;
    struct tc_buf again = {0};
    if (tc_hit_decode(bytes, arena, &hit, NULL) != TC_OK)
        return;
    tc_hit_encode(&hit, &again);
    if (!tc_str_eq(tc_buf_view(&again), bytes))
        abort();
    tc_buf_done(&again);
}

static void check_frame(tc_str bytes, struct tc_arena *arena)
{
    struct tc_hits hits;
    tc_str hit;
    if (tc_hits_open(bytes, TC_STR("{}"), &hits, NULL) != TC_OK)
        return;
    while (tc_hits_next(&hits, &hit, NULL) == TC_OK)
        check_hit(hit, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tc_arena *arena = tc_arena_new();
    struct tc_buf frame = {0};
    tc_str bytes = {(const char *)data, size};
    check_hit(bytes, arena);
    check_frame(bytes, arena);
    tc_buf_u8(&frame, TC_HIT_FORMAT);
    tc_buf_u32(&frame, 0);
    tc_buf_str(&frame, bytes);
    tc_hits_finish(&frame, TC_STR("{}"));
    check_frame(tc_buf_view(&frame), arena);
    tc_buf_done(&frame);
    tc_arena_free(arena);
    return 0;
}
