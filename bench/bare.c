// bare - what SQLite and libzmq do without us: the measure for bench/delivery.py.
//
//   bench-bare rows FILE HITS BATCH HIT_BYTES EVENT_BYTES   hits a second as bare INSERTs, a commit each BATCH
//   bench-bare fetch ENDPOINT ALERTS EVENT_BYTES            messages of 500 frames asked for over ROUTER and DEALER
//
// `rows` writes the rows of hit and alert that the broker writes, into tables that the broker's own code made,
// with the settings of broker/store_open.c, and nothing else: no checks, no JSON, no sockets. `fetch` sends the frames of a
// FETCH of 500 without a store behind it. One line of JSON on standard output.
#include "broker/store.h"
#include "common/clock.h"
#include "common/mem.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum { FRAMES = 500, WATCHES = 200 };

static void die(const char *what)
{
    fprintf(stderr, "bench-bare: %s\n", what);
    exit(2);
}

static size_t number(const char *text)
{
    uint64_t value = 0;
    if (!tc_str_u64(tc_str_of(text), &value) || value == 0)
        die("an argument is no number");
    return (size_t)value;
}

// ---- rows ---------------------------------------------------------------------------------

struct rows {
    sqlite3 *db;
    sqlite3_stmt *hit, *alert;
    size_t count, batch, hit_bytes, event_bytes;
    char *bytes; // as many as the larger body
};

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(db));
}

static void step(sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE)
        die(sqlite3_errmsg(sqlite3_db_handle(statement)));
    sqlite3_reset(statement);
}

static void open_rows(struct rows *rows, const char *path)
{
    struct store *store = NULL;
    struct tc_err err;
    if (store_open(tc_str_of(path), &store, &err) != TC_OK)
        die(err.text);
    store_close(store);
    if (sqlite3_open(path, &rows->db) != SQLITE_OK)
        die("cannot open the file");
    run(rows->db, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000;"
                  "PRAGMA cache_size = -65536; PRAGMA secure_delete = OFF;");
    if (sqlite3_prepare_v2(rows->db,
                           "INSERT INTO hit(hseq, id, watch, source, article, version, segment, "
                           "crc, body) VALUES(?1, ?2, ?3, 'bench', ?4, 1, 0, 1, ?5)",
                           -1, &rows->hit, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(
            rows->db,
            "INSERT INTO alert(seq, id, topic, labels, story, hseq, stored_at, crc, body) "
            "VALUES(?1, ?2, ?3, '{\"desk\":\"asia\"}', ?2, ?1, ?4, 1, ?5)",
            -1, &rows->alert, NULL) != SQLITE_OK)
        die(sqlite3_errmsg(rows->db));
}

static void put_row(const struct rows *rows, size_t number, const struct tc_id *id)
{
    char watch[32], topic[48], article[48];
    int watch_len = snprintf(watch, sizeof watch, "bench/watch-%zu", number % WATCHES);
    int topic_len = snprintf(topic, sizeof topic, "%s/high/", watch);
    int article_len =
        snprintf(article, sizeof article, "0123456789abcdef0123456789abcdef-%zu", number);
    sqlite3_bind_int64(rows->hit, 1, (sqlite3_int64)number);
    sqlite3_bind_blob(rows->hit, 2, id, sizeof *id, SQLITE_STATIC);
    sqlite3_bind_text(rows->hit, 3, watch, watch_len, SQLITE_STATIC);
    sqlite3_bind_text(rows->hit, 4, article, article_len, SQLITE_STATIC);
    sqlite3_bind_blob(rows->hit, 5, rows->bytes, (int)rows->hit_bytes, SQLITE_STATIC);
    step(rows->hit);
    sqlite3_bind_int64(rows->alert, 1, (sqlite3_int64)number);
    sqlite3_bind_blob(rows->alert, 2, id, sizeof *id, SQLITE_STATIC);
    sqlite3_bind_text(rows->alert, 3, topic, topic_len, SQLITE_STATIC);
    sqlite3_bind_int64(rows->alert, 4, (sqlite3_int64)number);
    sqlite3_bind_blob(rows->alert, 5, rows->bytes, (int)rows->event_bytes, SQLITE_STATIC);
    step(rows->alert);
}

static int bench_rows(char **argv)
{
    struct rows rows = {.count = number(argv[3]),
                        .batch = number(argv[4]),
                        .hit_bytes = number(argv[5]),
                        .event_bytes = number(argv[6])};
    struct tc_id *ids = tc_new(rows.count * sizeof *ids);
    for (size_t i = 0; i < rows.count; i++) {
        tc_str part = {(const char *)&i, sizeof i};
        ids[i] = tc_id_of(&part, 1);
    }
    rows.bytes = tc_new(rows.hit_bytes + rows.event_bytes);
    memset(rows.bytes, 'x', rows.hit_bytes + rows.event_bytes);
    open_rows(&rows, argv[2]);
    int64_t start = tc_mono_ns();
    for (size_t done = 0; done < rows.count;) {
        run(rows.db, "BEGIN IMMEDIATE");
        for (size_t i = 0; i < rows.batch && done < rows.count; i++, done++)
            put_row(&rows, done + 1, &ids[done]);
        run(rows.db, "COMMIT");
    }
    double seconds = (double)(tc_mono_ns() - start) / (double)TC_SECOND;
    printf("{\"hits\":%zu,\"batch\":%zu,\"rows_s\":%.3f,\"rows_hits_per_s\":%.0f}\n", rows.count,
           rows.batch, seconds, (double)rows.count / seconds);
    sqlite3_finalize(rows.hit);
    sqlite3_finalize(rows.alert);
    sqlite3_close(rows.db);
    free(rows.bytes);
    free(ids);
    return 0;
}

// ---- fetch --------------------------------------------------------------------------------

struct server {
    void *socket;
    size_t answers, bytes;
};

static void *serve(void *context)
{
    struct server *server = context;
    char *event = tc_new(server->bytes);
    for (size_t i = 0; i < server->answers; i++) {
        char peer[64], ask[64];
        int peer_len = zmq_recv(server->socket, peer, sizeof peer, 0);
        if (peer_len < 0 || zmq_recv(server->socket, ask, sizeof ask, 0) < 0)
            die("the server cannot receive");
        zmq_send(server->socket, peer, (size_t)peer_len, ZMQ_SNDMORE);
        zmq_send(server->socket, "T1", 2, ZMQ_SNDMORE);
        for (size_t frame = 0; frame < FRAMES; frame++)
            zmq_send(server->socket, event, server->bytes, frame + 1 < FRAMES ? ZMQ_SNDMORE : 0);
    }
    free(event);
    return NULL;
}

static int bench_fetch(char **argv)
{
    void *context = zmq_ctx_new();
    struct server server = {zmq_socket(context, ZMQ_ROUTER), number(argv[3]) / FRAMES + 1,
                            number(argv[4])};
    void *client = zmq_socket(context, ZMQ_DEALER);
    pthread_t thread;
    uint64_t events = 0;
    if (zmq_bind(server.socket, argv[2]) != 0 || zmq_connect(client, argv[2]) != 0 ||
        pthread_create(&thread, NULL, serve, &server) != 0)
        die("cannot bind or connect");
    int64_t start = tc_mono_ns();
    for (size_t i = 0; i < server.answers; i++) {
        int more = 1;
        zmq_send(client, "ask", 3, 0);
        for (size_t part = 0; more; part++) {
            zmq_msg_t message;
            zmq_msg_init(&message);
            if (zmq_msg_recv(&message, client, 0) < 0)
                die("the client cannot receive");
            more = zmq_msg_more(&message);
            events += part > 0;
            zmq_msg_close(&message);
        }
    }
    double seconds = (double)(tc_mono_ns() - start) / (double)TC_SECOND;
    pthread_join(thread, NULL);
    zmq_close(client);
    zmq_close(server.socket);
    zmq_ctx_term(context);
    printf("{\"frames\":%llu,\"event_bytes\":%zu,\"raw_frames_per_s\":%.0f}\n",
           (unsigned long long)events, server.bytes, (double)events / seconds);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 7 && strcmp(argv[1], "rows") == 0)
        return bench_rows(argv);
    if (argc == 5 && strcmp(argv[1], "fetch") == 0)
        return bench_fetch(argv);
    fputs("usage: bench-bare rows FILE HITS BATCH HIT_BYTES EVENT_BYTES\n"
          "       bench-bare fetch ENDPOINT ALERTS EVENT_BYTES\n",
          stderr);
    return 2;
}
