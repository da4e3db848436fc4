#include "broker/alert/policy.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct policy_decision decided(const char *watch_more, const char *article_more,
                                      const char *now)
{
    char definition[256], record[256];
    struct tc_event_watch *watch = NULL;
    struct tc_event_article *article = NULL;
    struct tc_hit hit = {.watch = TC_STR("a/b"), .severity = TC_STR("high")};
    struct story story;
    int64_t now_ns = 0;
    snprintf(definition, sizeof definition, "{\"name\":\"a/b\",\"severity\":\"high\"%s}",
             watch_more);
    snprintf(record, sizeof record,
             "{\"id\":\"x\",\"source\":\"wire\",\"version\":1,\"seen\":\"2025-03-01T05:00:00Z\","
             "\"segments\":[]%s}",
             article_more);
    assert_int_equal(tc_event_watch_open(tc_str_of(definition), &watch, NULL), TC_OK);
    assert_int_equal(tc_event_article_open(tc_str_of(record), &article, NULL), TC_OK);
    assert_true(tc_time_read(tc_str_of(now), &now_ns));
    story_of(article, &story);
    struct policy_decision decision = policy_decide(&hit, &story, article, watch, now_ns);
    tc_event_watch_free(watch);
    tc_event_article_free(article);
    return decision;
}

static void only_live_watches_on_pages_that_may_be_shown_make_alerts(void **state)
{
    static const struct {
        const char *watch, *article, *now;
        enum policy_verdict verdict;
        const char *reason;
    } cases[] = {
        {"", "", "2025-03-01", POLICY_ALERT, "first"},
        {",\"status\":\"live\"", "", "2025-03-01", POLICY_ALERT, "first"},
        {",\"status\":\"shadow\"", "", "2025-03-01", POLICY_SILENT, "shadow"},
        {",\"status\":\"paused\"", "", "2025-03-01", POLICY_SILENT, "paused"},
        {",\"status\":\"retired\"", "", "2025-03-01", POLICY_SILENT, "retired"},
        {",\"status\":\"of a later version\"", "", "2025-03-01", POLICY_SILENT, "retired"},
        {",\"expires\":\"2025-03-02\"", "", "2025-03-01T23:59:59Z", POLICY_ALERT, "first"},
        {",\"expires\":\"2025-03-02\"", "", "2025-03-02T00:00:00Z", POLICY_SILENT, "expired"},
        {"", ",\"status\":\"usable\"", "2025-03-01", POLICY_ALERT, "first"},
        {"", ",\"status\":\"withheld\"", "2025-03-01", POLICY_SILENT, "withheld"},
        {"", ",\"status\":\"canceled\"", "2025-03-01", POLICY_SILENT, "withheld"},
        {"", ",\"embargoed_until\":\"2025-03-01T06:00:00Z\"", "2025-03-01T05:59:59Z", POLICY_SILENT,
         "embargoed"},
        {"", ",\"embargoed_until\":\"2025-03-01T06:00:00Z\"", "2025-03-01T06:00:00Z", POLICY_ALERT,
         "first"},
        {",\"status\":\"shadow\"", ",\"embargoed_until\":\"2199-01-01\"", "2025-03-01",
         POLICY_SILENT, "shadow"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct policy_decision decision = decided(cases[i].watch, cases[i].article, cases[i].now);
        assert_int_equal(decision.verdict, cases[i].verdict);
        assert_string_equal(decision.reason, cases[i].reason);
    }
}

static void an_alert_is_the_first_of_its_kind(void **state)
{
    struct policy_decision decision = decided("", "", "2025-03-01");
    (void)state;
    assert_string_equal(decision.type, TC_EVENT_ALERT);
    assert_string_equal(decision.kind, "alert");
    assert_int_equal(decision.ordinal, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_live_watches_on_pages_that_may_be_shown_make_alerts),
        cmocka_unit_test(an_alert_is_the_first_of_its_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
