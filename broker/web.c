#include "broker/web.h"

#include "common/clock.h"
#include "common/frame.h"
#include "common/health.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/sock.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

struct web {
    struct tc_health_process process;
    struct tc_health *health;
    struct tc_http *http;
    struct tc_frames *frames;
    void *dealer;
    int stop_fd;
};

#define METRIC "tocsin_broker_"
#define WATCHERS .label = "watcher", .list = "watchers"
#define CONSUMERS .label = "consumer", .list = "consumers"

static const struct tc_metric metrics[] = {
    {METRIC "build_info", TC_METRIC_INFO, "version", .help = "The version that runs.",
     .label = "version"},
    {METRIC "epoch_info", TC_METRIC_INFO, "epoch",
     .help = "The epoch of the history; another one means another history.", .label = "epoch"},
    {METRIC "start_time_seconds", TC_METRIC_TIME, "started", .help = "When the broker started."},
    {METRIC "hits_total", TC_METRIC_COUNTER, "hits",
     .help = "Hits stored since the history began."},
    {METRIC "alerts_total", TC_METRIC_COUNTER, "alerts",
     .help = "Alerts made since the history began; also the number of the last one."},
    {METRIC "first_alert_number", TC_METRIC_GAUGE, "first",
     .help = "Number of the oldest alert kept."},
    {METRIC "duplicate_hits_total", TC_METRIC_COUNTER, "duplicates",
     .help = "Hits that were stored already, since the start."},
    {METRIC "rejected_articles_total", TC_METRIC_COUNTER, "rejected",
     .help = "Articles of watchers that were refused for good, since the start."},
    {METRIC "silent_hits_total", TC_METRIC_COUNTER, "silent",
     .help = "Hits stored without an alert, since the start."},
    {METRIC "damaged_rows_total", TC_METRIC_COUNTER, "damaged",
     .help = "Alerts left out of answers because their checksum is wrong, since the start."},
    {METRIC "live_alerts_total", TC_METRIC_COUNTER, "live_sent",
     .help = "Alerts given to the live feed, since the start."},
    {METRIC "watches", TC_METRIC_GAUGE, "watches",
     .help = "Definitions of watches in the history."},
    {METRIC "parked_fetches", TC_METRIC_GAUGE, "parked",
     .help = "FETCH requests that wait for an alert."},
    {METRIC "database_bytes", TC_METRIC_GAUGE, "database_bytes",
     .help = "Size of the history on disk."},
    {METRIC "disk_full", TC_METRIC_FLAG, "disk_full",
     .help = "1 while the disk was full when it was last written to."},
    {METRIC "clock_off_seconds", TC_METRIC_GAUGE, "clock_off_seconds",
     .help = "How far the wall clock is from the one by which retention counts."},
    {METRIC "clock_doubted", TC_METRIC_FLAG, "clock_doubted",
     .help = "1 while that is more than can be explained: see --trust-clock."},
    {METRIC "loop_longest_seconds", TC_METRIC_MICROS, "loop_longest_us",
     .help = "Longest time at a stretch that the loop was busy, in the last minute or two."},
    {METRIC "watcher_seen_timestamp_seconds", TC_METRIC_TIME, "seen",
     .help = "When the watcher's session was last heard of.", WATCHERS},
    {METRIC "consumer_lag_alerts", TC_METRIC_GAUGE, "lag",
     .help = "Alerts behind the last one that the consumer acknowledged, of any topic.", CONSUMERS},
    {METRIC "consumer_gap_alerts", TC_METRIC_GAUGE, "gap",
     .help = "Alerts that retention removed before the consumer acknowledged them.", CONSUMERS},
    {METRIC "consumer_seen_timestamp_seconds", TC_METRIC_TIME, "seen",
     .help = "When the consumer was last heard of.", CONSUMERS},
};

// --- the loop is asked ---

// A question that does not get away is one that is not answered.
static void ask(void *context)
{
    struct web *web = context;
    if (tc_frame_send(web->dealer, TC_STR("T1"), true, NULL) == TC_OK &&
        tc_frame_send(web->dealer, TC_STR("STATS"), true, NULL) == TC_OK)
        tc_frame_send(web->dealer, TC_STR("{}"), false, NULL);
}

static void hear(struct web *web)
{
    struct tc_request answer;
    struct tc_err err;
    while (tc_frames_receive(web->frames, web->dealer, &err) == TC_OK) {
        bool stats = tc_frames_request(web->frames, &answer, &err) == TC_OK &&
                     tc_str_eq(answer.command, TC_STR("STATS"));
        tc_health_heard(web->health, stats ? answer.header : (tc_str){"", 0});
    }
}

static void unready(void *context, const json_t *stats, struct tc_buf *why)
{
    (void)context;
    if (json_is_true(json_object_get(stats, "stopping")))
        tc_buf_puts(why, "the broker is ending");
    else if (json_is_true(json_object_get(stats, "disk_full")))
        tc_buf_puts(why, "the disk is full: nothing is stored until there is room and a watcher "
                         "tries again; reading goes on");
}

// --- opening ---

static int open_inside(struct web *web, void *context, const struct tc_http_settings *settings,
                       struct tc_err *err)
{
    if (!web->frames || web->stop_fd < 0)
        return tc_fail(err, TC_EFULL, "no memory or descriptors for http");
    int code = tc_sock_open(context, TC_SOCK_DEALER, TC_STR(WEB_INSIDE), false, &web->dealer, err);
    return code == TC_OK ? tc_http_open(settings, tc_health_call, web->health, &web->http, err)
                         : code;
}

int web_open(void *context, const struct tc_http_settings *settings, struct web **out,
             struct tc_err *err)
{
    struct web *web = tc_new(sizeof *web);
    web->process = (struct tc_health_process){
        web, "broker", ask, unready, metrics, sizeof metrics / sizeof *metrics,
    };
    web->health = tc_health_new(&web->process);
    web->frames = tc_frames_new();
    web->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int code = open_inside(web, context, settings, err);
    if (code != TC_OK) {
        web_close(web);
        return code;
    }
    *out = web;
    return TC_OK;
}

void web_close(struct web *web)
{
    if (!web)
        return;
    tc_http_close(web->http);
    tc_health_free(web->health);
    tc_sock_close(web->dealer);
    tc_frames_free(web->frames);
    if (web->stop_fd >= 0)
        close(web->stop_fd);
    free(web);
}

tc_str web_listens(const struct web *web)
{
    return tc_http_listens(web->http);
}

// --- the thread ---

static long wait_ms(const struct web *web)
{
    int64_t now = tc_mono_ns();
    int http = tc_http_wait_ms(web->http, now), health = tc_health_wait_ms(web->health, now);
    return http < 0 || (health >= 0 && health < http) ? health : http;
}

void web_run(struct web *web)
{
    zmq_pollitem_t items[] = {
        {web->dealer, 0, ZMQ_POLLIN, 0},
        {NULL, tc_http_fd(web->http), ZMQ_POLLIN, 0},
        {NULL, web->stop_fd, ZMQ_POLLIN, 0},
    };
    do {
        if (zmq_poll(items, 3, wait_ms(web)) < 0 && errno != EINTR)
            return;
        hear(web);
        tc_health_turn(web->health, tc_mono_ns());
        tc_http_turn(web->http, tc_mono_ns());
    } while (!items[2].revents);
}

void web_stop(struct web *web)
{
    (void)!eventfd_write(web->stop_fd, 1);
}
