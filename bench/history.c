// history - makes a broker's store of a given size, for bench/history.py.
//
//   bench-history STORE GIB
//
// Through the broker's own store, hits of 200 watches with an alert each, about as large as real ones.
// What it prints is one line of JSON.
#include "broker/store.h"
#include "common/clock.h"
#include "common/hit.h"

#include <stdio.h>
#include <stdlib.h>

enum { WATCHES = 200, IN_ONE = 4000, RECORD_BYTES = 500, HIT_BYTES = 400, EVENT_BYTES = 1300 };

static struct tc_err err;

static void need(int code)
{
    if (code == TC_OK)
        return;
    fprintf(stderr, "bench-history: %s\n", err.text);
    exit(2);
}

static char padding[EVENT_BYTES];

static void put(struct store *store, uint64_t number, int64_t wall_ns, struct tc_buf *event)
{
    char watch[32], article[32], topic[48], id[TC_ID_TEXT_BYTES];
    snprintf(watch, sizeof watch, "bench/watch-%d", (int)(number % WATCHES));
    snprintf(article, sizeof article, "article-%llu", (unsigned long long)number);
    snprintf(topic, sizeof topic, "%s/high/", watch);
    struct store_hit hit = {
        .id = tc_hit_id(tc_str_of(watch), TC_STR("bench"), tc_str_of(article), 1, 0),
        .watch = tc_str_of(watch),
        .source = TC_STR("bench"),
        .article = tc_str_of(article),
        .version = 1,
        .body = {padding, HIT_BYTES},
    };
    struct store_alert alert = {.id = hit.id,
                                .topic = tc_str_of(topic),
                                .labels = TC_STR("{\"desk\":\"asia\"}"),
                                .story = hit.id};
    bool fresh = false;
    need(store_put_hit(store, &hit, &fresh, &alert.hseq, &err));
    need(store_put_article(store, hit.source, hit.article, 1, (tc_str){padding, RECORD_BYTES},
                           alert.hseq, &err));
    store_next_alert(store, wall_ns, &alert);
    tc_id_text(alert.id, id);
    tc_buf_clear(event);
    tc_buf_addf(event,
                "{\"id\":\"%s\",\"subject\":\"%s\",\"sequence\":\"%020llu\",\"data\":\"%.*s\"}", id,
                topic, (unsigned long long)alert.seq, EVENT_BYTES - 150, padding);
    alert.body = tc_buf_view(event);
    need(store_put_alert(store, &alert, &err));
}

int main(int argc, char **argv)
{
    struct store *store = NULL;
    struct tc_buf event = {0};
    if (argc != 3) {
        fputs("usage: bench-history STORE GIB\n", stderr);
        return 2;
    }
    uint64_t bytes = strtoull(argv[2], NULL, 10) << 30;
    int64_t start = tc_mono_ns(), wall_ns = tc_wall_ns() - 300 * 86400 * TC_SECOND;
    memset(padding, 'x', sizeof padding);
    need(store_open(tc_str_of(argv[1]), &store, &err));
    while (store_bytes(store) < bytes) {
        need(store_begin(store, &err));
        for (int i = 0; i < IN_ONE; i++)
            put(store, store_marks(store)->hhead + 1, wall_ns += 8 * TC_SECOND, &event);
        need(store_commit(store, &err));
    }
    double seconds = (double)(tc_mono_ns() - start) / (double)TC_SECOND;
    printf("{\"alerts\":%llu,\"bytes\":%llu,\"seconds\":%.1f}\n",
           (unsigned long long)store_marks(store)->head, (unsigned long long)store_bytes(store),
           seconds);
    store_close(store);
    tc_buf_done(&event);
    return 0;
}
