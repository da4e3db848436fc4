#include "broker/alert/policy.h"

static struct policy_decision silent(const char *reason)
{
    return (struct policy_decision){.verdict = POLICY_SILENT, .reason = reason};
}

struct policy_decision policy_decide(const struct tc_hit *hit, const struct story *story,
                                     const struct tc_event_article *article,
                                     const struct tc_event_watch *watch, int64_t now_wall_ns)
{
    (void)hit;   // later: severity decides between story and article
    (void)story; // later: a story that was told already makes an update, or nothing
    const char *quiet = tc_event_watch_quiet(watch, now_wall_ns);
    if (!quiet)
        quiet = tc_event_article_quiet(article, now_wall_ns);
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
