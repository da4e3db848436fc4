#include "watcher/web.h"

#include "common/mem.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

struct web {
    const struct settings *settings;                    // borrowed
    const struct tc_pulse *pulse;                       // likewise
    void (*stats)(void *context, struct tc_json *json); // likewise, with the next
    void *context;
    struct tc_health_process process;
    struct tc_pages *pages;
    struct tc_buf text; // of STATS
};

#define METRIC "tocsin_watcher_"

static const struct tc_metric metrics[] = {
    {METRIC "build_info", TC_METRIC_INFO, "version", .help = "The version that runs.",
     .label = "version"},
    {METRIC "name_info", TC_METRIC_INFO, "name",
     .help = "The watcher's name, as the broker's metrics have it.", .label = "watcher"},
    {METRIC "start_time_seconds", TC_METRIC_TIME, "started", .help = "When the watcher started."},
    {METRIC "articles_total", TC_METRIC_COUNTER, "articles",
     .help = "Articles accepted: matched, and safe on disk."},
    {METRIC "hits_total", TC_METRIC_COUNTER, "hits", .help = "Hits found in them."},
    {METRIC "duplicate_articles_total", TC_METRIC_COUNTER, "duplicates",
     .help = "Articles that had been accepted before with the same content."},
    {METRIC "rejected_articles_total", TC_METRIC_COUNTER, "rejected",
     .help = "Articles that could not be read."},
    {METRIC "match_duration_seconds", TC_METRIC_HISTOGRAM, "matching",
     .help = "Time to read and match an article."},
    {METRIC "outbox_waiting_items", TC_METRIC_GAUGE, "outbox_waiting",
     .help = "Items that wait for the broker's confirmation: articles with hits, mostly one each."},
    {METRIC "outbox_oldest_seconds", TC_METRIC_GAUGE, "outbox_oldest_seconds",
     .help = "How long the item that waits longest has been in the outbox; 0 when none waits."},
    {METRIC "resubmitted_items_total", TC_METRIC_COUNTER, "resubmitted",
     .help = "Items sent again because the broker had lost what it confirmed, since the start."},
    {METRIC "outbox_dead_letters", TC_METRIC_GAUGE, "outbox_dead",
     .help = "Items that the broker refused for good and that are kept."},
    {METRIC "outbox_dead_letters_dropped_total", TC_METRIC_COUNTER, "outbox_dead_dropped",
     .help = "Such items that were removed to make room for newer ones."},
    {METRIC "blocked", TC_METRIC_FLAG, "blocked",
     .help = "1 while no article is taken: too much waits, or the outbox cannot be written."},
    {METRIC "link_up", TC_METRIC_STATE, "link",
     .help = "1 while the broker answers; missing when there is to be no broker.", .means = "up"},
    {METRIC "watches", TC_METRIC_GAUGE, "watches", .help = "Watches in force."},
    {METRIC "watches_on_top", TC_METRIC_GAUGE, "watches_on_top",
     .help = "Watches changed since all were last compiled together."},
    {METRIC "broken_watch_files", TC_METRIC_GAUGE, "files_broken",
     .help = "Watch files whose last good version is in force instead of what is on disk."},
    {METRIC "frequency_articles", TC_METRIC_GAUGE, "frequencies_articles",
     .help = "Articles whose counted words the watches were compiled with; 0 means guessed."},
    {METRIC "audited_articles_total", TC_METRIC_COUNTER, "audited_total",
     .help = "Articles that were matched the slow way as well."},
    {METRIC "audit_misses_total", TC_METRIC_COUNTER, "audit_misses_total",
     .help = "Differences found by that; each is a mistake of ours."},
};

// --- the keeper is asked ---

static void ask(void *context)
{
    const struct web *web = context;
    tc_pulse_ask(web->pulse);
}

static void hear(void *context, struct tc_health *health)
{
    struct web *web = context;
    if (!tc_pulse_heard(web->pulse))
        return;
    tc_buf_clear(&web->text);
    struct tc_json json = tc_json_on(&web->text);
    tc_json_open(&json, '{');
    web->stats(web->context, &json);
    tc_json_close(&json, '}');
    tc_health_heard(health, tc_buf_view(&web->text));
}

static void unready(void *context, const json_t *stats, struct tc_buf *why)
{
    const struct web *web = context;
    uint64_t waiting = 0, most = web->settings->max_outbox_articles;
    tc_json_get_u64(stats, "outbox_waiting", &waiting);
    bool down = tc_str_eq(tc_json_get_str(stats, "link"), TC_STR("down"));
    bool replaced = tc_str_eq(tc_json_get_str(stats, "link"), TC_STR("replaced"));
    bool blocked = json_is_true(json_object_get(stats, "blocked"));
    if (blocked && waiting >= most - most / 5) // as keeper.c opens and closes the door
        tc_buf_addf(why,
                    "too much waits for the broker: %" PRIu64 " items, the limit is %" PRIu64 "%s",
                    waiting, most, down ? ", and the broker does not answer" : "");
    else if (blocked)
        tc_buf_puts(why, "the outbox cannot be written; outbox.stuck in the log says why");
    else if (down)
        tc_buf_addf(why, "the broker at %.*s does not answer; hits are kept",
                    TC_ARG(web->settings->broker));
    else if (replaced)
        tc_buf_addf(why, "another watcher is connected to %.*s under our name; hits are kept",
                    TC_ARG(web->settings->broker));
}

// --- opening ---

int web_open(const struct settings *settings, const struct tc_pulse *pulse,
             void (*stats)(void *context, struct tc_json *json), void *context, struct web **out,
             struct tc_err *err)
{
    struct web *web = tc_new(sizeof *web);
    web->settings = settings;
    web->pulse = pulse;
    web->stats = stats;
    web->context = context;
    web->process = (struct tc_health_process){
        web, "watcher", ask, unready, metrics, sizeof metrics / sizeof *metrics,
    };
    struct tc_pages_loop loop = {NULL, pulse->beats, hear};
    int code = tc_pages_open(&settings->http, &web->process, &loop, &web->pages, err);
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
    tc_buf_done(&web->text);
    free(web);
}

struct tc_pages *web_pages(const struct web *web)
{
    return web->pages;
}
