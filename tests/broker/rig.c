#include "tests/broker/rig.h"

#include "common/clock.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void need(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "rig: %s\n", what);
    abort();
}

static void keep_answer(void *context, const struct answer *answer)
{
    struct rig *rig = context;
    need(rig->count < RIG_ANSWERS && answer->count <= RIG_FRAMES, "too many answers");
    struct rig_answer *kept = &rig->answers[rig->count++];
    tc_str peer = answer_envelope_at(answer, 0);
    snprintf(kept->peer, sizeof kept->peer, "%.*s", TC_ARG(peer));
    snprintf(kept->reply, sizeof kept->reply, "%s", answer->reply);
    need(tc_json_read(tc_buf_view(&answer->header), &kept->header, NULL) == TC_OK,
         "an answer's header is not JSON");
    kept->header_bytes = answer->header.len;
    kept->count = answer->count;
    for (size_t i = 0; i < answer->count; i++) {
        tc_buf_str(&kept->frames, answer_frame_at(answer, i));
        kept->ends[i] = kept->frames.len;
    }
}

static void keep_published(void *context, tc_str topic, tc_str body)
{
    struct rig *rig = context;
    (void)body;
    snprintf(rig->published, sizeof rig->published, "%.*s", TC_ARG(topic));
}

static uint64_t none_published(void *context)
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

static void forget(struct rig *rig)
{
    for (size_t i = 0; i < rig->count; i++) {
        json_decref(rig->answers[i].header);
        tc_buf_done(&rig->answers[i].frames);
    }
    memset(rig->answers, 0, sizeof rig->answers);
    rig->count = 0;
}

static void open_both(struct rig *rig)
{
    struct tc_err err = {0};
    need(store_open(tc_str_of(rig->path), &rig->store, &err) == TC_OK, err.text);
    rig->backup = backup_new(rig->store);
    struct desk_out out = {rig,    keep_answer,  keep_published, none_published,
                           ignore, &rig->gauges, rig->backup,    3600 * TC_SECOND};
    need(desk_open(rig->store, &out, rig->wall_ns, &rig->desk, &err) == TC_OK, err.text);
}

void rig_open(struct rig *rig)
{
    const char *temporary = getenv("TMPDIR");
    memset(rig, 0, sizeof *rig);
    snprintf(rig->folder, sizeof rig->folder, "%s/tocsin-rig-XXXXXX",
             temporary && strlen(temporary) < 40 ? temporary : "/tmp");
    need(mkdtemp(rig->folder), "no temporary folder");
    snprintf(rig->path, sizeof rig->path, "%s/broker.db", rig->folder);
    need(tc_time_read(TC_STR("2025-03-01T05:00:00Z"), &rig->wall_ns), "a time");
    rig->mono_ns = TC_SECOND;
    open_both(rig);
}

static void close_both(struct rig *rig)
{
    desk_close(rig->desk);
    backup_free(rig->backup);
    store_close(rig->store);
    rig->desk = NULL;
    rig->backup = NULL;
    rig->store = NULL;
}

void rig_close(struct rig *rig)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    close_both(rig);
    forget(rig);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", rig->path, ends[i]);
        unlink(path);
    }
    rmdir(rig->folder);
}

void rig_stop(struct rig *rig)
{
    close_both(rig);
}

void rig_start(struct rig *rig)
{
    open_both(rig);
}

void rig_restart(struct rig *rig)
{
    close_both(rig);
    open_both(rig);
}

void rig_send(struct rig *rig, const char *peer, const char *command, const char *header,
              const tc_str *payload, size_t count)
{
    tc_str envelope[] = {tc_str_of(peer)};
    struct request request = {
        .command = tc_str_of(command),
        .header = tc_str_of(header),
        .payload = payload,
        .payload_count = count,
        .envelope = envelope,
        .envelope_count = 1,
        .inside = rig->inside,
        .peer = rig->peer,
    };
    desk_take(rig->desk, &request, rig->wall_ns, rig->mono_ns);
}

int rig_turn(struct rig *rig)
{
    struct tc_err err;
    forget(rig);
    return desk_finish(rig->desk, rig->mono_ns, &err);
}

const struct rig_answer *rig_ask(struct rig *rig, const char *command, const char *header)
{
    rig_send(rig, "asker", command, header, NULL, 0);
    need(rig_turn(rig) == TC_OK, "the turn failed");
    need(rig->count > 0, "no answer");
    return &rig->answers[0];
}

void rig_begin(struct rig *rig)
{
    tc_str definition = TC_STR(RIG_DEFINITION);
    rig_ask(rig, "HELLO",
            "{\"role\":\"watcher\",\"name\":\"rig\",\"session\":\"" RIG_SESSION "\"}");
    rig_send(rig, "watcher", "WATCH", "{\"session\":\"" RIG_SESSION "\",\"n\":1}", &definition, 1);
    need(rig_turn(rig) == TC_OK && strcmp(rig->answers[0].reply, "OK") == 0, "no WATCH");
}

void rig_frames(const char *id, unsigned segments, struct tc_buf *record, struct tc_buf *hits)
{
    tc_buf_addf(record,
                "{\"id\":\"%s\",\"source\":\"wire\",\"version\":1,\"title\":\"Title %s\","
                "\"seen\":\"2025-03-01T04:59:00Z\",\"segments\":[{\"number\":0}]}",
                id, id);
    tc_hits_begin(hits);
    for (unsigned segment = 0; segment < segments; segment++) {
        struct tc_hit hit = {
            .id = tc_hit_id(TC_STR("news/one"), TC_STR("wire"), tc_str_of(id), 1, segment),
            .watch_hash = tc_id_of_bytes(TC_STR(RIG_DEFINITION)),
            .watch = TC_STR("news/one"),
            .severity = TC_STR("high"),
            .segment = segment,
            .score = __builtin_nan(""),
            .excerpt = TC_STR("a sentence"),
        };
        tc_hits_add(hits, &hit);
    }
    tc_hits_finish(hits, tc_buf_view(record));
}

void rig_put(struct rig *rig, const char *peer, unsigned batch, const char *id, unsigned segments)
{
    struct tc_buf record = {0}, hits = {0};
    char header[128];
    rig_frames(id, segments, &record, &hits);
    snprintf(header, sizeof header,
             "{\"rid\":%u,\"session\":\"" RIG_SESSION "\",\"batch\":%u,\"n\":1}", batch, batch);
    tc_str frames[] = {tc_buf_view(&record), tc_buf_view(&hits)};
    rig_send(rig, peer, "PUT", header, frames, 2);
    tc_buf_done(&record);
    tc_buf_done(&hits);
}

uint64_t rig_number(const struct rig_answer *answer, const char *key)
{
    uint64_t value = 0;
    need(tc_json_get_u64(answer->header, key, &value), key);
    return value;
}

const char *rig_text(const struct rig_answer *answer, const char *key)
{
    return tc_json_get_str(answer->header, key).ptr;
}

uint64_t rig_sequence(const struct rig_answer *answer, size_t index)
{
    json_t *event = NULL;
    uint64_t seq = 0;
    tc_str bytes = tc_str_cut(tc_buf_view(&answer->frames), index ? answer->ends[index - 1] : 0,
                              answer->ends[index]);
    need(tc_json_read(bytes, &event, NULL) == TC_OK, "an event is not JSON");
    need(tc_str_u64(tc_json_get_str(event, "sequence"), &seq), "an event has no sequence");
    json_decref(event);
    return seq;
}
