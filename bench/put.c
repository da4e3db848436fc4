// put - hits per second through PUT, answered after their fsync.
//
//   bench-put ENDPOINT [HITS [BATCH [WINDOW]]]
//
// Plays one watcher against a broker that runs: BATCH articles of one hit each in a PUT, WINDOW
// batches on the way. Then reads everything back by FETCH. The frames are made before the clock
// starts, so that the broker is measured and not this program. One line of JSON on standard output.
#include "common/clock.h"
#include "common/event.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/sock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum { WATCHES = 200, WAIT_MS = 60000 };

struct article {
    struct tc_buf record, hits;
};

struct bench {
    void *context, *socket;
    struct tc_buf definitions[WATCHES];
    char names[WATCHES][32];
    struct article *articles;
    size_t count, batch, window;
    char session[TC_ID_TEXT_BYTES];
};

static void die(const char *what)
{
    fprintf(stderr, "bench-put: %s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(2);
}

static void send_part(const struct bench *bench, tc_str bytes, bool more)
{
    if (zmq_send(bench->socket, bytes.ptr, bytes.len, more ? ZMQ_SNDMORE : 0) < 0)
        die("sending");
}

// Receives one answer; gives its header (json_decref ends it) and adds the bytes of its payload.
static json_t *receive(const struct bench *bench, const char *reply, size_t *payload)
{
    json_t *header = NULL;
    int more = 1;
    for (size_t i = 0; more; i++) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, bench->socket, 0) < 0)
            die("waiting for an answer");
        tc_str bytes = {zmq_msg_data(&part), zmq_msg_size(&part)};
        if (i == 1 && !tc_str_eq(bytes, tc_str_of(reply)))
            die("an answer is not what was expected");
        if (i == 2 && tc_json_read(bytes, &header, NULL) != TC_OK)
            die("reading an answer");
        if (i > 2)
            *payload += bytes.len;
        more = zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
    return header;
}

static void request(const struct bench *bench, const char *command, const char *header, bool more)
{
    send_part(bench, TC_STR("T1"), true);
    send_part(bench, tc_str_of(command), true);
    send_part(bench, tc_str_of(header), more);
}

// --- what is sent ---

static void make_definitions(struct bench *bench)
{
    for (size_t i = 0; i < WATCHES; i++) {
        snprintf(bench->names[i], sizeof bench->names[i], "bench/watch-%zu", i);
        tc_buf_addf(
            &bench->definitions[i],
            "{\"name\":\"%s\",\"severity\":\"high\",\"status\":\"live\",\"labels\":{\"desk\":"
            "\"asia\"},\"annotations\":{\"summary\":\"a watch of the bench\"},\"alert\":{},"
            "\"query\":\"avoid AND travel\"}",
            bench->names[i]);
    }
}

static void make_article(struct bench *bench, size_t number, const char *run)
{
    struct article *article = &bench->articles[number];
    struct tc_buf id = {0};
    size_t watch = number % WATCHES;
    tc_buf_addf(&id, "%s-%zu", run, number);
    tc_buf_addf(
        &article->record,
        "{\"id\":\"%s\",\"source\":\"bench\",\"version\":1,\"url\":\"https://example.org/"
        "%zu\",\"title\":\"Experts are told to avoid travel, part %zu\",\"language\":\"en\","
        "\"seen\":\"2025-03-01T05:01:00.000Z\",\"segments\":[{\"number\":0}]}",
        id.ptr, number, number);
    const struct tc_match matches[] = {
        {TC_STR("advice"), TC_FIELD_BODY, 120, 132, TC_STR("avoid travel")},
        {TC_STR("where"), TC_FIELD_BODY, 140, 153, TC_STR("United States")},
    };
    struct tc_hit hit = {
        .id = tc_hit_id(tc_str_of(bench->names[watch]), TC_STR("bench"), tc_buf_view(&id), 1, 0),
        .watch_hash = tc_id_of_bytes(tc_buf_view(&bench->definitions[watch])),
        .watch = tc_str_of(bench->names[watch]),
        .severity = TC_STR("high"),
        .score = __builtin_nan(""),
        .matches = matches,
        .match_count = 2,
        .excerpt = TC_STR("Authorities told leading researchers last week to " TC_MARK_OPEN
                          "avoid travel" TC_MARK_CLOSE " to the " TC_MARK_OPEN
                          "United States" TC_MARK_CLOSE " unless it cannot be put off."),
    };
    tc_hits_begin(&article->hits);
    tc_hits_add(&article->hits, &hit);
    tc_hits_finish(&article->hits, tc_buf_view(&article->record));
    tc_buf_done(&id);
}

static void hello(struct bench *bench)
{
    char header[256];
    size_t payload = 0;
    tc_id_text(tc_id_random(), bench->session);
    snprintf(header, sizeof header, "{\"role\":\"watcher\",\"name\":\"bench\",\"session\":\"%s\"}",
             bench->session);
    request(bench, "HELLO", header, false);
    json_decref(receive(bench, "WELCOME", &payload));
    snprintf(header, sizeof header, "{\"session\":\"%s\",\"n\":%d}", bench->session, WATCHES);
    request(bench, "WATCH", header, true);
    for (size_t i = 0; i < WATCHES; i++)
        send_part(bench, tc_buf_view(&bench->definitions[i]), i + 1 < WATCHES);
    json_decref(receive(bench, "OK", &payload));
}

static void send_batch(const struct bench *bench, size_t number)
{
    char header[128];
    size_t from = number * bench->batch;
    size_t n = bench->count - from < bench->batch ? bench->count - from : bench->batch;
    snprintf(header, sizeof header, "{\"session\":\"%s\",\"batch\":%zu,\"n\":%zu}", bench->session,
             number + 1, n);
    request(bench, "PUT", header, true);
    for (size_t i = from; i < from + n; i++) {
        send_part(bench, tc_buf_view(&bench->articles[i].record), true);
        send_part(bench, tc_buf_view(&bench->articles[i].hits), i + 1 < from + n);
    }
}

static size_t stored_in(const json_t *header)
{
    const json_t *items = json_object_get(header, "items");
    uint64_t all = 0, stored = 0;
    for (size_t i = 0; i < json_array_size(items); i++) {
        if (tc_json_get_u64(json_array_get(items, i), "stored", &stored))
            all += stored;
    }
    return (size_t)all;
}

static int earlier(const void *a, const void *b)
{
    const int64_t *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

// How long the batches took from sending to their answer, in ms: of each thousand, the `at`-th.
static double percentile(int64_t *took, size_t count, size_t at)
{
    qsort(took, count, sizeof *took, earlier);
    return (double)took[(count - 1) * at / 1000] / (double)TC_MS;
}

// Gives the seconds it took to have all hits acknowledged; took[]: of each batch, from sending to its answer.
static double put_all(const struct bench *bench, int64_t *took)
{
    size_t batches = (bench->count + bench->batch - 1) / bench->batch;
    size_t sent = 0, stored = 0, payload = 0;
    int64_t start = tc_mono_ns();
    for (size_t done = 0; done < batches; done++) {
        while (sent < batches && sent - done < bench->window) {
            took[sent] = tc_mono_ns();
            send_batch(bench, sent++);
        }
        json_t *header = receive(bench, "ACK", &payload);
        took[done] = tc_mono_ns() - took[done];
        stored += stored_in(header);
        json_decref(header);
    }
    if (stored != bench->count) {
        fprintf(stderr, "bench-put: %zu of %zu hits were stored\n", stored, bench->count);
        exit(2);
    }
    return (double)(tc_mono_ns() - start) / (double)TC_SECOND;
}

// Reads the whole history in FETCHes of 500; gives the seconds.
static double fetch_all(const struct bench *bench, uint64_t *events, size_t *bytes)
{
    uint64_t after = 0, head = 1, n = 0;
    int64_t start = tc_mono_ns();
    while (after < head) {
        char text[96];
        snprintf(text, sizeof text, "{\"after\":%llu,\"max_n\":500}", (unsigned long long)after);
        request(bench, "FETCH", text, false);
        json_t *header = receive(bench, "BATCH", bytes);
        if (!tc_json_get_u64(header, "next_after", &after) ||
            !tc_json_get_u64(header, "head", &head) || !tc_json_get_u64(header, "n", &n))
            die("reading a BATCH");
        *events += n;
        json_decref(header);
    }
    return (double)(tc_mono_ns() - start) / (double)TC_SECOND;
}

static size_t argument(int argc, char **argv, int at, size_t otherwise)
{
    uint64_t value = 0;
    return argc > at && tc_str_u64(tc_str_of(argv[at]), &value) && value ? (size_t)value
                                                                         : otherwise;
}

int main(int argc, char **argv)
{
    struct bench bench = {
        .count = argument(argc, argv, 2, 200000),
        .batch = argument(argc, argv, 3, 64),
        .window = argument(argc, argv, 4, 32),
    };
    struct tc_err err;
    char run[TC_ID_TEXT_BYTES];
    int wait_ms = WAIT_MS;
    uint64_t events = 0;
    size_t bytes = 0;
    if (argc < 2 || bench.batch > 64) {
        fputs("usage: bench-put ENDPOINT [HITS [BATCH [WINDOW]]]   (BATCH at most 64)\n", stderr);
        return 2;
    }
    bench.context = zmq_ctx_new();
    struct tc_curve curve;
    const char *folder = getenv("TOCSIN_KEYS"); // for a tcp endpoint
    if (folder && tc_keys_client(folder, "broker.public", &curve, &err) != TC_OK)
        die(err.text);
    if (tc_sock_open_guarded(bench.context, TC_SOCK_DEALER, folder ? &curve : NULL,
                             tc_str_of(argv[1]), false, &bench.socket, &err) != TC_OK)
        die(err.text);
    zmq_setsockopt(bench.socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    bench.articles = tc_new(bench.count * sizeof *bench.articles);
    tc_id_text(tc_id_random(), run);
    make_definitions(&bench);
    for (size_t i = 0; i < bench.count; i++)
        make_article(&bench, i, run);
    hello(&bench);
    size_t batches = (bench.count + bench.batch - 1) / bench.batch;
    int64_t *took = tc_new(batches * sizeof *took);
    double put_s = put_all(&bench, took), fetch_s = fetch_all(&bench, &events, &bytes);
    printf("{\"hits\":%zu,\"batch\":%zu,\"window\":%zu,\"put_s\":%.3f,\"put_hits_per_s\":%.0f,"
           "\"ack_p50_ms\":%.3f,\"ack_p99_ms\":%.3f,\"hit_bytes\":%zu,"
           "\"fetched\":%llu,\"event_bytes\":%.0f,\"fetch_s\":%.3f,\"fetch_alerts_per_s\":%.0f}\n",
           bench.count, bench.batch, bench.window, put_s, (double)bench.count / put_s,
           percentile(took, batches, 500), percentile(took, batches, 990),
           bench.articles[0].hits.len, (unsigned long long)events, (double)bytes / (double)events,
           fetch_s, (double)events / fetch_s);
    tc_sock_close(bench.socket);
    zmq_ctx_term(bench.context);
    for (size_t i = 0; i < bench.count; i++) {
        tc_buf_done(&bench.articles[i].record);
        tc_buf_done(&bench.articles[i].hits);
    }
    for (size_t i = 0; i < WATCHES; i++)
        tc_buf_done(&bench.definitions[i]);
    free(bench.articles);
    free(took);
    return 0;
}
