#include "common/health.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"

#include <jansson.h>
#include <stdlib.h>

enum { OK = 200, NOT_FOUND = 404, UNAVAILABLE = 503 };

static const char plain[] = "text/plain; charset=utf-8";
static const char prometheus[] = "text/plain; version=0.0.4; charset=utf-8";

enum page { HEALTHZ, READYZ, METRICS, PAGES };
static const char *const paths[PAGES] = {"/healthz", "/readyz", "/metrics"};

struct waiting {
    struct tc_http_call *call;
    enum page page;
    int64_t since_mono_ns;
};

struct tc_health {
    const struct tc_health_process *process; // borrowed
    struct waiting waiting[TC_HTTP_CONNECTIONS];
    size_t count;
    int64_t asked_mono_ns; // the first question since an answer; 0: none is open
    int64_t again_mono_ns; // when it is put again
    struct tc_buf body;
};

struct tc_health *tc_health_new(const struct tc_health_process *process)
{
    struct tc_health *health = tc_new(sizeof *health);
    health->process = process;
    return health;
}

void tc_health_free(struct tc_health *health)
{
    if (!health)
        return;
    tc_buf_done(&health->body);
    free(health);
}

static void ask(struct tc_health *health, int64_t now_mono_ns)
{
    if (health->asked_mono_ns && now_mono_ns < health->again_mono_ns)
        return;
    if (!health->asked_mono_ns)
        health->asked_mono_ns = now_mono_ns;
    health->again_mono_ns = now_mono_ns + TC_HEALTH_AGAIN_MS * TC_MS;
    health->process->ask(health->process->context);
}

void tc_health_call(void *context, tc_str path, struct tc_http_call *call)
{
    struct tc_health *health = context;
    int64_t now = tc_mono_ns();
    for (size_t page = 0; page < PAGES; page++) {
        if (!tc_str_eq(path, tc_str_of(paths[page])))
            continue;
        health->waiting[health->count++] = (struct waiting){call, (enum page)page, now};
        ask(health, now);
        return;
    }
    tc_http_answer(call, NOT_FOUND, plain, TC_STR("there are /healthz, /readyz and /metrics\n"));
}

// --- answers ---

static void answer(struct tc_health *health, const struct waiting *waiting, unsigned status)
{
    bool metrics = waiting->page == METRICS && status == OK;
    tc_http_answer(waiting->call, status, metrics ? prometheus : plain, tc_buf_view(&health->body));
}

static void answer_ready(struct tc_health *health, const struct waiting *waiting,
                         const json_t *stats)
{
    health->process->unready(health->process->context, stats, &health->body);
    bool ready = health->body.len == 0;
    tc_buf_puts(&health->body, ready ? "ready\n" : "\n");
    answer(health, waiting, ready ? OK : UNAVAILABLE);
}

static void answer_heard(struct tc_health *health, const struct waiting *waiting,
                         const json_t *stats)
{
    const struct tc_health_process *process = health->process;
    tc_buf_clear(&health->body);
    if (waiting->page == HEALTHZ) {
        tc_buf_puts(&health->body, "ok\n");
        answer(health, waiting, OK);
    } else if (!json_is_object(stats)) {
        tc_buf_addf(&health->body, "the %s does not say where it stands\n", process->name);
        answer(health, waiting, UNAVAILABLE);
    } else if (waiting->page == READYZ) {
        answer_ready(health, waiting, stats);
    } else {
        tc_metrics_add(&health->body, process->metrics, process->metric_count, stats);
        answer(health, waiting, OK);
    }
}

void tc_health_heard(struct tc_health *health, tc_str text)
{
    json_t *stats = NULL;
    health->asked_mono_ns = 0;
    if (health->count && tc_json_read(text, &stats, NULL) != TC_OK)
        stats = NULL;
    for (size_t i = 0; i < health->count; i++)
        answer_heard(health, &health->waiting[i], stats);
    health->count = 0;
    json_decref(stats);
}

static void answer_unheard(struct tc_health *health, const struct waiting *waiting,
                           int64_t now_mono_ns)
{
    tc_buf_clear(&health->body);
    tc_buf_addf(&health->body, "the %s's loop has not answered for %lld s\n", health->process->name,
                (long long)((now_mono_ns - health->asked_mono_ns) / TC_SECOND));
    answer(health, waiting, UNAVAILABLE);
}

// --- turns ---

// They wait in the order in which they came.
int tc_health_wait_ms(const struct tc_health *health, int64_t now_mono_ns)
{
    if (!health->count)
        return -1;
    int64_t left = health->waiting[0].since_mono_ns + TC_HEALTH_PATIENCE_MS * TC_MS - now_mono_ns;
    return left > 0 ? (int)((left + TC_MS - 1) / TC_MS) : 0;
}

void tc_health_turn(struct tc_health *health, int64_t now_mono_ns)
{
    size_t gone = 0;
    while (gone < health->count &&
           health->waiting[gone].since_mono_ns + TC_HEALTH_PATIENCE_MS * TC_MS <= now_mono_ns)
        answer_unheard(health, &health->waiting[gone++], now_mono_ns);
    health->count -= gone;
    memmove(health->waiting, health->waiting + gone, health->count * sizeof *health->waiting);
}
