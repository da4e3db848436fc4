#include "broker/alert/policy.h"

static struct policy_decision silent(const char *reason)
{
    return (struct policy_decision){.verdict = POLICY_SILENT, .reason = reason};
}

// Only "live" delivers: a status that a newer watcher invents must not start to.
static const char *watch_is_quiet(const struct tc_event_watch *watch, int64_t now_wall_ns)
{
    tc_str status = tc_event_watch_status(watch);
    int64_t expires_ns = tc_event_watch_expires_ns(watch);
    if (tc_str_eq(status, TC_STR("shadow")))
        return "shadow";
    if (tc_str_eq(status, TC_STR("paused")))
        return "paused";
    if (!tc_str_eq(status, TC_STR("live")))
        return "retired";
    return expires_ns && now_wall_ns >= expires_ns ? "expired" : NULL;
}

static const char *article_is_quiet(const struct tc_event_article *article, int64_t now_wall_ns)
{
    if (!tc_str_eq(tc_event_article_status(article), TC_STR("usable")))
        return "withheld";
    return now_wall_ns < tc_event_article_embargo_ns(article) ? "embargoed" : NULL;
}

struct policy_decision policy_decide(const struct tc_hit *hit, const struct story *story,
                                     const struct tc_event_article *article,
                                     const struct tc_event_watch *watch, int64_t now_wall_ns)
{
    (void)hit;   // later: severity decides between story and article
    (void)story; // later: a story that was told already makes an update, or nothing
    const char *quiet = watch_is_quiet(watch, now_wall_ns);
    if (!quiet)
        quiet = article_is_quiet(article, now_wall_ns);
    if (quiet)
        return silent(quiet);
    return (struct policy_decision){
        .verdict = POLICY_ALERT,
        .type = TC_EVENT_ALERT,
        .kind = "alert",
        .ordinal = 1,
        .reason = "first",
    };
}
