// health - the pages for machines: /healthz, /readyz, /metrics.
//
// Whatever page is asked for, the daemon's loop is asked for its STATS; a loop that does not answer within
// TC_HEALTH_PATIENCE_MS is what /healthz is there to find, and a number that the loop did not give just now
// is no number. One question is on its way at most, however many ask.
//
//   /healthz  200 when the loop answers
//   /readyz   200 when it also can do its work
//   /metrics  STATS as metrics (metrics.h)
//
// Otherwise 503 with one sentence.
//
//   threads  that of its tc_http
#ifndef TC_HEALTH_H
#define TC_HEALTH_H

#include "common/http.h"
#include "common/metrics.h"

enum {
    TC_HEALTH_PATIENCE_MS = 2000, // an fsync of a busy disk takes a second; health checks wait five
    TC_HEALTH_AGAIN_MS = 10000,   // then an unanswered question is put again
};

struct tc_health_process {
    void *context;
    const char *name; // for sentences: "broker"
    // Asks the loop; tc_health_heard() brings the answer.
    void (*ask)(void *context);
    // Why it cannot do its work, a sentence; adds nothing when it can.
    void (*unready)(void *context, const struct json_t *stats, struct tc_buf *why);
    const struct tc_metric *metrics;
    size_t metric_count;
};

struct tc_health;

struct tc_health *tc_health_new(const struct tc_health_process *process); // borrowed
void tc_health_free(struct tc_health *health); // NULL is fine; calls that wait are tc_http's to end

// A request came: the handler for tc_http_open(), `context` being the health.
void tc_health_call(void *context, tc_str path, struct tc_http_call *call);

// The loop has answered: with the header of STATS, or with what is none.
void tc_health_heard(struct tc_health *health, tc_str stats);

int tc_health_wait_ms(const struct tc_health *health, int64_t now_mono_ns); // -1: for ever
void tc_health_turn(struct tc_health *health, int64_t now_mono_ns);

#endif
