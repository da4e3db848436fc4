#include "broker/stats.h"

#include "common/clock.h"

#include <jansson.h>

static void put_gauges(const struct gauges *gauges, struct tc_json *json)
{
    int64_t ahead_ns = gauges->clock_ahead_ns;
    tc_json_put_u64(json, "clock_off_seconds",
                    (uint64_t)(ahead_ns < 0 ? -ahead_ns : ahead_ns) / TC_SECOND);
    tc_json_put_bool(json, "clock_doubted", gauges->clock_doubted);
    tc_json_put_bool(json, "read_only", gauges->read_only);
    tc_json_put_u64(json, "disk_free_bytes", gauges->disk_free_bytes);
    tc_json_put_u64(json, "loop_longest_us", (uint64_t)gauges->loop_longest_ns / 1000);
}

static void put_marks(const struct stats *stats, struct tc_json *json)
{
    const struct store_marks *marks = store_committed(stats->store);
    const struct intake_counts *counts = &stats->intake->counts;
    tc_json_put_str(json, "version", TC_STR(TOCSIN_VERSION));
    answer_put_id(json, "epoch", marks->epoch);
    tc_json_put_u64(json, "head", marks->head);
    tc_json_put_u64(json, "hhead", marks->hhead);
    tc_json_put_u64(json, "first", marks->first);
    answer_put_time(json, "started", stats->started_wall_ns);
    answer_put_time(json, "time", stats->now_wall_ns);
    tc_json_put_u64(json, "hits", marks->hhead);
    tc_json_put_u64(json, "alerts", marks->head);
    tc_json_put_u64(json, "duplicates", counts->duplicates);
    tc_json_put_u64(json, "rejected", counts->rejected);
    tc_json_put_u64(json, "silent", counts->silent);
    tc_json_put_u64(json, "notices", counts->notices);
    tc_json_put_u64(json, "recovered", counts->recovered);
    tc_json_put_u64(json, "damaged", stats->damaged);
    tc_json_put_u64(json, "watches", watches_count(stats->watches));
    tc_json_put_u64(json, "live_sent", stats->live_sent);
    tc_json_put_u64(json, "parked", stats->parked);
    tc_json_put_u64(json, "database_bytes", store_bytes(stats->store));
    tc_json_put_u64(json, "database_free_bytes", store_free_bytes(stats->store));
    tc_json_put_bool(json, "stopping", stats->stopping);
    tc_json_put_bool(json, "disk_full", stats->disk_full);
    put_gauges(stats->gauges, json);
}

static void put_watchers(const struct stats *stats, struct tc_json *json)
{
    const struct sessions *sessions = &stats->intake->sessions;
    tc_json_key(json, "watchers");
    tc_json_open(json, '[');
    for (size_t i = 0; i < sessions->count && i < STATS_WATCHERS; i++) {
        const struct session *session = &sessions->rows[i];
        tc_json_open(json, '{');
        tc_json_put_str(json, "name", tc_str_of(session->name));
        answer_put_id(json, "session", session->id);
        tc_json_put_u64(json, "batch", session->batch);
        answer_put_time(json, "seen", session->seen_wall_ns);
        tc_json_close(json, '}');
    }
    tc_json_close(json, ']');
}

static void put_consumers(const struct stats *stats, struct tc_json *json)
{
    const struct store_marks *marks = store_committed(stats->store);
    uint64_t head = marks->head, gone = marks->first - 1;
    tc_json_key(json, "consumers");
    tc_json_open(json, '[');
    for (size_t i = 0; i < consumers_count(stats->consumers) && i < STATS_CONSUMERS; i++) {
        const struct consumer *consumer = consumers_at(stats->consumers, i);
        tc_json_open(json, '{');
        tc_json_put_str(json, "name", tc_str_of(consumer->name));
        tc_json_put_u64(json, "cursor", consumer->cursor);
        tc_json_put_u64(json, "lag", head > consumer->cursor ? head - consumer->cursor : 0);
        tc_json_put_u64(json, "gap", gone > consumer->cursor ? gone - consumer->cursor : 0);
        answer_put_time(json, "seen", consumer->seen_wall_ns);
        tc_json_put_bool(json, "leased", consumer->leased);
        tc_json_close(json, '}');
    }
    tc_json_close(json, ']');
}

int stats_answer(const struct stats *stats, const struct request *request, struct answer *answer,
                 struct tc_err *err)
{
    static const char *const known[] = {NULL};
    json_t *header = NULL;
    int code = request_header(request, known, answer, &header, err);
    json_decref(header);
    if (code != TC_OK)
        return code;
    struct tc_json json = answer_begin(answer, "STATS");
    put_marks(stats, &json);
    put_watchers(stats, &json);
    put_consumers(stats, &json);
    tc_json_close(&json, '}');
    return TC_OK;
}
