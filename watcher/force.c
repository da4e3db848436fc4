#include "watcher/force.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/utf8.h"
#include "watcher/frequencies.h"

enum {
    STATS_FILES_BYTES =
        8 * 1024,           // of the STATS answer: a header has at most 16 KiB, and one file more
    STATS_TEXT_BYTES = 512, // than this, every byte of it escaped, has room
    WATCH_NAME_BYTES = 128, // namespace/name and a zero byte
};

struct force {
    struct tc_queue *counted; // of struct counts
    struct layers **retired;  // swapped out, perhaps still held by articles
    size_t retired_count, retired_room;
    atomic_uint_fast64_t audited, audit_misses;
    pthread_mutex_t mutex; // guards all below
    struct watchset *watches;
    struct layers *running; // of the watches; NULL: there are none
    uint64_t texts;         // whose word frequencies their base was compiled with; 0: guessed
    char missed[WATCH_NAME_BYTES]; // that the audit found wrong last; empty: none
};

static struct layers *held_layers(const struct watchset *watches)
{
    struct layers *layers = watchset_layers(watches);
    return layers ? layers_hold(layers) : NULL;
}

struct force *force_new(struct watchset *watches, uint64_t texts)
{
    struct force *force = tc_new(sizeof *force);
    pthread_mutex_init(&force->mutex, NULL);
    force->counted = tc_queue_new(FREQUENCIES_QUEUE);
    force->watches = watches;
    force->running = held_layers(watches);
    force->texts = texts;
    return force;
}

void force_free(struct force *force)
{
    struct counts *counts = NULL;
    if (!force)
        return;
    while ((counts = tc_queue_pop(force->counted, 0)))
        counts_free(counts);
    force_tidy(force);
    layers_drop(force->running);
    watchset_free(force->watches);
    free(force->retired);
    tc_queue_free(force->counted);
    pthread_mutex_destroy(&force->mutex);
    free(force);
}

// ---- swapping -----------------------------------------------------------------------------

static void retire(struct force *force, struct layers *layers)
{
    if (!layers)
        return;
    force->retired = tc_room(force->retired, force->retired_count, &force->retired_room,
                             sizeof(struct layers *));
    force->retired[force->retired_count++] = layers;
}

void force_swap(struct force *force, struct watchset *watches)
{
    struct layers *layers = held_layers(watches);
    pthread_mutex_lock(&force->mutex);
    struct watchset *before = force->watches;
    struct layers *ran = force->running;
    force->watches = watches;
    force->running = layers;
    pthread_mutex_unlock(&force->mutex);
    retire(force, ran);
    watchset_free(before);
}

void force_relay(struct force *force, struct layers *layers, uint64_t texts)
{
    pthread_mutex_lock(&force->mutex);
    struct layers *ran = force->running;
    force->running = layers_hold(layers);
    force->texts = texts;
    watchset_relay(force->watches, layers);
    pthread_mutex_unlock(&force->mutex);
    retire(force, ran);
}

void force_set_texts(struct force *force, uint64_t texts)
{
    pthread_mutex_lock(&force->mutex);
    force->texts = texts;
    pthread_mutex_unlock(&force->mutex);
}

bool force_tidy(struct force *force)
{
    size_t left = 0;
    for (size_t i = 0; i < force->retired_count; i++) {
        if (layers_alone(force->retired[i]))
            layers_drop(force->retired[i]);
        else
            force->retired[left++] = force->retired[i];
    }
    force->retired_count = left;
    return left > 0;
}

const struct watchset *force_watches(const struct force *force)
{
    return force->watches; // only the main thread changes it
}

// ---- what scanners need -------------------------------------------------------------------

struct layers *force_layers(struct force *force)
{
    pthread_mutex_lock(&force->mutex);
    struct layers *layers = force->running ? layers_hold(force->running) : NULL;
    pthread_mutex_unlock(&force->mutex);
    return layers;
}

struct tc_queue *force_counted(struct force *force)
{
    return force->counted;
}

void force_audited(struct force *force)
{
    atomic_fetch_add(&force->audited, 1);
}

void force_missed(struct force *force, tc_str watch)
{
    atomic_fetch_add(&force->audit_misses, 1);
    pthread_mutex_lock(&force->mutex);
    snprintf(force->missed, sizeof force->missed, "%.*s", TC_ARG(watch));
    pthread_mutex_unlock(&force->mutex);
}

// ---- STATS --------------------------------------------------------------------------------

// Names of files are bytes and may be long; what is sent is UTF-8 and short.
static void put_short(struct tc_json *json, const char *key, tc_str text)
{
    tc_str cut = tc_utf8_cut(text, STATS_TEXT_BYTES);
    tc_json_put_str(json, key, tc_str_cut(cut, 0, tc_utf8_valid(cut)));
}

static void put_file(struct tc_json *json, const struct watchset_file *file)
{
    tc_json_open(json, '{');
    put_short(json, "file", file->path);
    tc_json_put_u64(json, "watches", file->watches);
    if (file->since_wall_ns) {
        char since[TC_TIME_BYTES];
        tc_time_text(file->since_wall_ns, since);
        tc_json_put_str(json, "since", tc_str_of(since));
    }
    if (file->why)
        put_short(json, "error", tc_str_of(file->why));
    tc_json_close(json, '}');
}

// As many files as there is room for, those first that are not what is on disk.
static void put_files(struct force *force, struct tc_json *json)
{
    size_t begin = json->buf->len, count = watchset_count(force->watches), broken = 0;
    for (size_t i = 0; i < count; i++)
        broken += watchset_file(force->watches, i).stale;
    tc_json_put_u64(json, "files_broken", broken);
    tc_json_key(json, "files");
    tc_json_open(json, '[');
    for (size_t i = 0; i < 2 * count && json->buf->len - begin < STATS_FILES_BYTES; i++) {
        struct watchset_file file = watchset_file(force->watches, i < count ? i : i - count);
        if (file.stale == (i < count))
            put_file(json, &file);
    }
    tc_json_close(json, ']');
}

static void put_watches(struct force *force, struct tc_json *json)
{
    const struct layers *running = force->running;
    tc_json_put_u64(json, "watches", running ? layers_count(running) : 0);
    tc_json_put_u64(json, "watches_on_top", running ? layers_top(running) : 0);
    tc_json_put_str(json, "frequencies", force->texts ? TC_STR("counted") : TC_STR("guessed"));
    tc_json_put_u64(json, "frequencies_articles", force->texts);
    tc_json_put_u64(json, "audited_total", force->audited);
    tc_json_put_u64(json, "audit_misses_total", force->audit_misses);
    if (force->missed[0])
        tc_json_put_str(json, "audit_missed", tc_str_of(force->missed));
}

void force_put(struct force *force, struct tc_json *json)
{
    pthread_mutex_lock(&force->mutex);
    put_watches(force, json);
    put_files(force, json);
    pthread_mutex_unlock(&force->mutex);
}
