#include "broker/web.h"

#include "common/frame.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/sock.h"

#include <jansson.h>
#include <stdlib.h>

struct web {
    struct tc_health_process process;
    struct tc_pages *pages;
    struct tc_frames *frames;
    void *dealer;
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
    {METRIC "notices_total", TC_METRIC_COUNTER, "notices",
     .help = "Later versions of articles that have hit, which hit nothing, since the start."},
    {METRIC "recovered_hits_total", TC_METRIC_COUNTER, "recovered",
     .help = "Hits that watchers sent again because this history had lost them, since the start."},
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
    {METRIC "read_only", TC_METRIC_FLAG, "read_only",
     .help = "1 while nothing is stored because there is too little room on the disk."},
    {METRIC "disk_free_bytes", TC_METRIC_GAUGE, "disk_free_bytes",
     .help = "Room on the disk that the history lies on."},
    {METRIC "database_free_bytes", TC_METRIC_GAUGE, "database_free_bytes",
     .help = "Room inside the history's file, which is used before the file grows."},
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

static void hear(void *context, struct tc_health *health)
{
    struct web *web = context;
    struct tc_request answer;
    struct tc_err err;
    while (tc_frames_receive(web->frames, web->dealer, &err) == TC_OK) {
        bool stats = tc_frames_request(web->frames, &answer, &err) == TC_OK &&
                     tc_str_eq(answer.command, TC_STR("STATS"));
        tc_health_heard(health, stats ? answer.header : (tc_str){"", 0});
    }
}

static void unready(void *context, const json_t *stats, struct tc_buf *why)
{
    (void)context;
    if (json_is_true(json_object_get(stats, "stopping")))
        tc_buf_puts(why, "the broker is ending");
    else if (json_is_true(json_object_get(stats, "read_only")))
        tc_buf_puts(why, "there is too little room on the disk: nothing is stored until there is "
                         "more; reading goes on");
    else if (json_is_true(json_object_get(stats, "disk_full")))
        tc_buf_puts(why, "the disk is full: nothing is stored until there is room and a watcher "
                         "tries again; reading goes on");
}

// --- opening ---

static int open_inside(struct web *web, void *context, const struct tc_http_settings *settings,
                       struct tc_err *err)
{
    if (!web->frames)
        return tc_fail(err, TC_ENOMEM, "no memory for http");
    int code = tc_sock_open(context, TC_SOCK_DEALER, TC_STR(WEB_INSIDE), false, &web->dealer, err);
    struct tc_pages_loop loop = {web->dealer, -1, hear};
    return code == TC_OK ? tc_pages_open(settings, &web->process, &loop, &web->pages, err) : code;
}

int web_open(void *context, const struct tc_http_settings *settings, struct web **out,
             struct tc_err *err)
{
    struct web *web = tc_new(sizeof *web);
    web->process = (struct tc_health_process){
        web, "broker", ask, unready, metrics, sizeof metrics / sizeof *metrics,
    };
    web->frames = tc_frames_new();
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
    tc_pages_close(web->pages);
    tc_sock_close(web->dealer);
    tc_frames_free(web->frames);
    free(web);
}

struct tc_pages *web_pages(const struct web *web)
{
    return web->pages;
}
