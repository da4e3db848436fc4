// crowd - many durable consumers and many live subscribers of one broker, in one process.
//
//   bench-crowd FETCH LIVE CONSUMERS SUBSCRIBERS
//
// Prints "ready" when every consumer is attached and every subscription stands. Then each line N on
// standard input says that N alerts were stored since: when every consumer has them, and every subscriber
// too or nothing came for a while, one line of JSON tells what came and how late, counted from the
// time that stands in each alert's title ("sent NANOSECONDS"). crowd.py is the other half.
#include "common/clock.h"
#include "common/frame.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/sock.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zmq.h>

enum { GROUPS = 4, WAIT_MS = 20000, QUIET_MS = 3000, LOOK_MS = 20 };

struct samples {
    uint32_t *us;
    size_t count, capacity;
};

struct client {
    void *socket;
    bool durable, ready;
    char name[32], lease[TC_ID_TEXT_BYTES];
    uint64_t after, got;
};

struct group {
    pthread_t thread;
    pthread_mutex_t mutex; // held while messages are taken, and while they are counted
    struct client *clients;
    zmq_pollitem_t *items;
    size_t count;
    struct tc_frames *frames;
    struct samples durable, live;
    int64_t last_live_ns;
};

struct crowd {
    struct group groups[GROUPS];
    size_t consumers, subscribers;
};

static void die(const char *what)
{
    fprintf(stderr, "bench-crowd: %s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(2);
}

static void add_sample(struct samples *samples, tc_str event)
{
    static const char mark[] = "\"title\":\"sent ";
    const char *at = memmem(event.ptr, event.len, mark, sizeof mark - 1);
    if (!at)
        return;
    int64_t late_ns = tc_wall_ns() - strtoll(at + sizeof mark - 1, NULL, 10);
    samples->us = tc_room(samples->us, samples->count, &samples->capacity, sizeof *samples->us);
    samples->us[samples->count++] = late_ns > 0 ? (uint32_t)(late_ns / 1000) : 0;
}

static void send_request(struct client *client, const char *command, const char *header)
{
    struct tc_err err;
    if (tc_frame_send(client->socket, TC_STR("T1"), true, &err) != TC_OK ||
        tc_frame_send(client->socket, tc_str_of(command), true, &err) != TC_OK ||
        tc_frame_send(client->socket, tc_str_of(header), false, &err) != TC_OK)
        die(err.text);
}

static void fetch(struct client *client)
{
    char header[256];
    snprintf(header, sizeof header,
             "{\"consumer\":\"%s\",\"lease\":\"%s\",\"after\":%llu,\"ack\":%llu,\"max_n\":500,"
             "\"wait_ms\":%d}",
             client->name, client->lease, (unsigned long long)client->after,
             (unsigned long long)client->after, WAIT_MS);
    send_request(client, "FETCH", header);
}

static void attach(struct client *client)
{
    char header[128];
    snprintf(header, sizeof header, "{\"consumer\":\"%s\",\"start\":\"latest\"}", client->name);
    send_request(client, "ATTACH", header);
}

static void take_answer(struct group *group, struct client *client)
{
    struct tc_request answer;
    json_t *header = NULL;
    struct tc_err err;
    if (tc_frames_request(group->frames, &answer, &err) != TC_OK ||
        tc_json_read(answer.header, &header, &err) != TC_OK)
        die(err.text);
    if (tc_str_eq(answer.command, TC_STR("LEASE"))) {
        snprintf(client->lease, sizeof client->lease, "%s", tc_json_get_str(header, "token").ptr);
        tc_json_get_u64(header, "cursor", &client->after);
        client->ready = true;
    } else if (tc_str_eq(answer.command, TC_STR("BATCH"))) {
        for (size_t i = answer.payload; i < tc_frames_count(group->frames); i++, client->got++)
            add_sample(&group->durable, tc_frames_at(group->frames, i));
        tc_json_get_u64(header, "next_after", &client->after);
    } else {
        fprintf(stderr, "bench-crowd: %.*s\n", TC_ARG(answer.header));
        exit(2);
    }
    json_decref(header);
    fetch(client);
}

static void take_live(struct group *group, struct client *client)
{
    client->ready = true; // a heartbeat, at the latest
    if (tc_str_starts(tc_frames_at(group->frames, 0), TC_STR("~/")))
        return;
    add_sample(&group->live, tc_frames_at(group->frames, 1));
    client->got++;
    group->last_live_ns = tc_mono_ns();
}

static void *run_group(void *context)
{
    struct group *group = context;
    for (;;) {
        if (zmq_poll(group->items, (int)group->count, LOOK_MS) < 0)
            die("waiting");
        pthread_mutex_lock(&group->mutex);
        for (size_t i = 0; i < group->count; i++) {
            struct client *client = &group->clients[i];
            while (group->items[i].revents &&
                   tc_frames_receive(group->frames, client->socket, NULL) == TC_OK) {
                if (client->durable)
                    take_answer(group, client);
                else
                    take_live(group, client);
            }
        }
        pthread_mutex_unlock(&group->mutex);
    }
    return NULL;
}

// --- opening ---

static void open_client(void *context, const char *endpoint, struct client *client)
{
    struct tc_err err;
    int hwm = 0; // what is lost then is lost by the broker
    enum tc_sock_kind kind = client->durable ? TC_SOCK_DEALER : TC_SOCK_SUB;
    if (tc_sock_open(context, kind, (tc_str){"", 0}, false, &client->socket, &err) != TC_OK)
        die(err.text);
    if (!client->durable)
        zmq_setsockopt(client->socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
    if (!client->durable && tc_sock_subscribe(client->socket, TC_STR(""), &err) != TC_OK)
        die(err.text);
    if (tc_sock_connect(client->socket, tc_str_of(endpoint), &err) != TC_OK)
        die(err.text);
}

// A DEALER takes nothing before it is connected.
static void await_connection(struct client *client)
{
    zmq_pollitem_t item = {client->socket, 0, ZMQ_POLLOUT, 0};
    if (zmq_poll(&item, 1, WAIT_MS) != 1)
        die("connecting");
    attach(client);
}

static void open_group(struct crowd *crowd, size_t number, char **argv)
{
    struct group *group = &crowd->groups[number];
    size_t all = crowd->consumers + crowd->subscribers;
    void *context = zmq_ctx_new();
    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int)all + 10);
    group->clients = tc_new((all / GROUPS + 1) * sizeof *group->clients);
    group->items = tc_new((all / GROUPS + 1) * sizeof *group->items);
    group->frames = tc_frames_new();
    pthread_mutex_init(&group->mutex, NULL);
    for (size_t i = number; i < all; i += GROUPS) {
        struct client *client = &group->clients[group->count];
        client->durable = i < crowd->consumers;
        snprintf(client->name, sizeof client->name, "crowd-%zu", i);
        open_client(context, argv[client->durable ? 1 : 2], client);
        group->items[group->count++] = (zmq_pollitem_t){client->socket, 0, ZMQ_POLLIN, 0};
    }
    for (size_t i = 0; i < group->count; i++) {
        if (group->clients[i].durable)
            await_connection(&group->clients[i]);
    }
    if (pthread_create(&group->thread, NULL, run_group, group) != 0)
        die("starting a thread");
}

// --- counting ---

static bool all_ready(struct crowd *crowd)
{
    bool ready = true;
    for (size_t g = 0; g < GROUPS; g++) {
        struct group *group = &crowd->groups[g];
        pthread_mutex_lock(&group->mutex);
        for (size_t i = 0; i < group->count; i++)
            ready = ready && group->clients[i].ready;
        pthread_mutex_unlock(&group->mutex);
    }
    return ready;
}

// True when all have `wanted`, or only subscribers have not and nothing comes any more.
static bool all_done(struct crowd *crowd, uint64_t wanted)
{
    bool durable = true, live = true, quiet = true;
    for (size_t g = 0; g < GROUPS; g++) {
        struct group *group = &crowd->groups[g];
        pthread_mutex_lock(&group->mutex);
        for (size_t i = 0; i < group->count; i++) {
            bool has = group->clients[i].got >= wanted;
            durable = durable && (has || !group->clients[i].durable);
            live = live && (has || group->clients[i].durable);
        }
        quiet = quiet && tc_mono_ns() > group->last_live_ns + QUIET_MS * TC_MS;
        pthread_mutex_unlock(&group->mutex);
    }
    return durable && (live || quiet);
}

static int by_size(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

// Takes the samples of all groups and prints their number and how late they were.
static void print_samples(struct crowd *crowd, const char *name, bool durable)
{
    struct samples all = {0};
    for (size_t g = 0; g < GROUPS; g++) {
        struct samples *one = durable ? &crowd->groups[g].durable : &crowd->groups[g].live;
        pthread_mutex_lock(&crowd->groups[g].mutex);
        for (size_t i = 0; i < one->count; i++) {
            all.us = tc_room(all.us, all.count, &all.capacity, sizeof *all.us);
            all.us[all.count++] = one->us[i];
        }
        one->count = 0;
        pthread_mutex_unlock(&crowd->groups[g].mutex);
    }
    if (all.count)
        qsort(all.us, all.count, sizeof *all.us, by_size);
    printf("\"%s\":{\"received\":%zu", name, all.count);
    if (all.count)
        printf(",\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f", all.us[all.count / 2] / 1e3,
               all.us[all.count - 1 - all.count / 100] / 1e3, all.us[all.count - 1] / 1e3);
    putchar('}');
    free(all.us);
}

static void report(struct crowd *crowd, uint64_t wanted)
{
    uint64_t lost = 0;
    for (size_t g = 0; g < GROUPS; g++) {
        struct group *group = &crowd->groups[g];
        pthread_mutex_lock(&group->mutex);
        for (size_t i = 0; i < group->count; i++) {
            if (!group->clients[i].durable && group->clients[i].got < wanted)
                lost += wanted - group->clients[i].got;
            group->clients[i].got = 0;
        }
        pthread_mutex_unlock(&group->mutex);
    }
    printf("{\"alerts\":%llu,\"live_lost\":%llu,", (unsigned long long)wanted,
           (unsigned long long)lost);
    print_samples(crowd, "live", false);
    putchar(',');
    print_samples(crowd, "durable", true);
    puts("}");
    fflush(stdout);
}

static size_t number(const char *text)
{
    uint64_t value = 0;
    if (!tc_str_u64(tc_str_of(text), &value)) {
        fputs("usage: bench-crowd FETCH LIVE CONSUMERS SUBSCRIBERS\n", stderr);
        exit(2);
    }
    return (size_t)value;
}

int main(int argc, char **argv)
{
    static struct crowd crowd;
    struct rlimit limit;
    char line[64];
    if (argc != 5)
        number("");
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    crowd.consumers = number(argv[3]);
    crowd.subscribers = number(argv[4]);
    for (size_t i = 0; i < GROUPS; i++)
        open_group(&crowd, i, argv);
    while (!all_ready(&crowd))
        usleep(LOOK_MS * 1000);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        uint64_t wanted = strtoull(line, NULL, 10);
        while (!all_done(&crowd, wanted))
            usleep(LOOK_MS * 1000);
        report(&crowd, wanted);
    }
    _exit(0); // the threads wait in their sockets
}
