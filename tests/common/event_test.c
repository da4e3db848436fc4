#include "common/event.h"

#include "common/clock.h"
#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static const char record[] =
    "{\"id\":\"a\\\"b\",\"source\":\"wire\",\"version\":3,\"url\":\"https://example.org/\","
    "\"title\":\"Reisewarnung \xe2\x80\x93 \\u00fcber\",\"language\":\"de\",\"sketch\":\"kept\","
    "\"published\":\"2025-03-01T04:00:00Z\",\"seen\":\"2025-03-01T05:01:00.5Z\",\"segments\":["
    "{\"number\":0},{\"number\":4,\"title\":\"Vier\",\"language\":\"de\"}]}";
static const char definition[] =
    "{\"name\":\"china-ai/"
    "advice\",\"severity\":\"high\",\"labels\":{\"desk\":\"asia\",\"q\":\"\\\"\"},"
    "\"annotations\":{\"summary\":\"s\"}}";

struct rig {
    struct tc_event_article *article;
    struct tc_event_watch *watch;
    struct tc_hit hit;
    struct tc_match matches[2];
    struct tc_buf out;
};

static struct rig rig;

static int set_up(void **state)
{
    (void)state;
    rig = (struct rig){0};
    assert_int_equal(tc_event_article_open(tc_str_of(record), &rig.article, NULL), TC_OK);
    assert_int_equal(tc_event_watch_open(tc_str_of(definition), &rig.watch, NULL), TC_OK);
    rig.matches[0] =
        (struct tc_match){TC_STR("advice"), TC_FIELD_BODY, 120, 132, TC_STR("avoid \"travel\"")};
    rig.matches[1] = (struct tc_match){{"", 0}, TC_FIELD_TITLE, 0, 5, TC_STR("Reise")};
    rig.hit = (struct tc_hit){
        .id = tc_hit_id(TC_STR("china-ai/advice"), TC_STR("wire"), TC_STR("a\"b"), 3, 4),
        .watch_hash = tc_event_watch_hash(rig.watch),
        .watch = TC_STR("china-ai/advice"),
        .severity = TC_STR("high"),
        .segment = 4,
        .score = __builtin_nan(""),
        .matches = rig.matches,
        .match_count = 2,
        .excerpt = TC_STR("line\nbreak " TC_MARK_OPEN "avoid" TC_MARK_CLOSE),
    };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tc_event_article_free(rig.article);
    tc_event_watch_free(rig.watch);
    tc_buf_done(&rig.out);
    return 0;
}

static json_t *built(const struct tc_event *event)
{
    json_t *parsed = NULL;
    tc_buf_clear(&rig.out);
    tc_event_add(&rig.out, event, rig.watch, rig.article, &rig.hit);
    assert_int_equal(tc_json_read(tc_buf_view(&rig.out), &parsed, NULL), TC_OK);
    return parsed;
}

static void assert_member(const json_t *object, const char *key, const char *wanted)
{
    tc_str got = tc_json_get_str(object, key);
    if (!tc_str_eq(got, tc_str_of(wanted)))
        print_error("%s: \"%.*s\" is not \"%s\"\n", key, TC_ARG(got), wanted);
    assert_true(tc_str_eq(got, tc_str_of(wanted)));
}

static void a_hit_of_the_tap_says_that_it_is_not_stored(void **state)
{
    struct tc_event event = {.type = TC_EVENT_HIT,
                             .id = rig.hit.id,
                             .time_wall_ns = tc_event_article_seen_ns(rig.article)};
    json_t *parsed = built(&event);
    char id[TC_ID_TEXT_BYTES];
    (void)state;
    tc_id_text(rig.hit.id, id);
    assert_member(parsed, "specversion", "1.0");
    assert_member(parsed, "id", id);
    assert_member(parsed, "type", "org.tocsin.hit.v1");
    assert_member(parsed, "source", "/watches/china-ai/advice");
    assert_member(parsed, "subject", "china-ai/advice/high/");
    assert_member(parsed, "time", "2025-03-01T05:01:00.500Z");
    assert_member(parsed, "datacontenttype", "application/json");
    assert_true(json_is_false(json_object_get(parsed, "stored")));
    assert_null(json_object_get(parsed, "sequence"));
    assert_null(json_object_get(parsed, "epoch"));
    assert_null(json_object_get(json_object_get(parsed, "data"), "story"));
    json_decref(parsed);
}

static void an_alert_carries_sequence_epoch_and_story(void **state)
{
    tc_str languages[] = {TC_STR("de"), TC_STR("en")};
    struct tc_event_story story = {.first = TC_STR("first \"id\""),
                                   .articles = 5,
                                   .sources = 4,
                                   .languages = languages,
                                   .language_count = 2};
    struct tc_event event = {.type = TC_EVENT_ALERT, .seq = 42, .story = &story};
    json_t *parsed = built(&event);
    const json_t *told = json_object_get(json_object_get(parsed, "data"), "story");
    (void)state;
    assert_member(parsed, "sequence", "00000000000000000042");
    assert_member(parsed, "epoch", "00000000000000000000000000000000");
    assert_null(json_object_get(parsed, "stored"));
    assert_member(told, "first", "first \"id\"");
    assert_int_equal(json_integer_value(json_object_get(told, "articles")), 5);
    assert_int_equal(json_array_size(json_object_get(told, "languages")), 2);
    json_decref(parsed);
}

static void data_holds_the_article_the_watch_the_segment_and_the_matches(void **state)
{
    struct tc_event event = {.type = TC_EVENT_ALERT, .seq = 1};
    json_t *parsed = built(&event);
    const json_t *data = json_object_get(parsed, "data");
    const json_t *article = json_object_get(data, "article");
    const json_t *watch = json_object_get(data, "watch");
    const json_t *matches = json_object_get(data, "matches");
    char hash[TC_ID_TEXT_BYTES];
    (void)state;
    tc_id_text(tc_id_of_bytes(tc_str_of(definition)), hash);
    assert_member(article, "id", "a\"b");
    assert_member(article, "title",
                  "Reisewarnung \xe2\x80\x93 \xc3\xbc"
                  "ber");
    assert_int_equal(json_integer_value(json_object_get(article, "version")), 3);
    assert_null(json_object_get(article, "sketch"));
    assert_null(json_object_get(article, "segments"));
    assert_member(watch, "version", hash);
    assert_member(json_object_get(watch, "labels"), "q", "\"");
    assert_member(json_object_get(watch, "annotations"), "summary", "s");
    assert_member(json_object_get(data, "segment"), "title", "Vier");
    assert_member(json_array_get(matches, 0), "words", "avoid \"travel\"");
    assert_member(json_array_get(matches, 1), "field", "title");
    assert_null(json_object_get(json_array_get(matches, 1), "clause"));
    assert_member(data, "excerpt", "line\nbreak " TC_MARK_OPEN "avoid" TC_MARK_CLOSE);
    assert_null(json_object_get(data, "score"));
    json_decref(parsed);
}

static void a_segment_that_the_record_does_not_list_has_its_number(void **state)
{
    struct tc_event event = {.type = TC_EVENT_ALERT, .seq = 1};
    (void)state;
    rig.hit.segment = 9;
    rig.hit.score = 2.5;
    json_t *parsed = built(&event);
    const json_t *data = json_object_get(parsed, "data");
    const json_t *segment = json_object_get(data, "segment");
    assert_int_equal(json_integer_value(json_object_get(segment, "number")), 9);
    assert_true(json_real_value(json_object_get(data, "score")) == 2.5);
    json_decref(parsed);
}

static void records_that_are_none_are_refused_by_name(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "JSON"},
        {"[]", "object"},
        {"{\"source\":\"s\",\"version\":1,\"seen\":\"2025-01-01\",\"segments\":[]}", "id"},
        {"{\"id\":7,\"source\":\"s\",\"version\":1,\"seen\":\"2025-01-01\",\"segments\":[]}", "id"},
        {"{\"id\":\"a\",\"source\":\"\",\"version\":1}", "source"},
        {"{\"id\":\"a\",\"source\":\"s\",\"version\":-1}", "version"},
        {"{\"id\":\"a\",\"source\":\"s\",\"version\":1,\"seen\":\"noon\"}", "seen"},
        {"{\"id\":\"a\",\"source\":\"s\",\"version\":1,\"seen\":\"2025-01-01\"}", "segments"},
        {"{\"id\":\"a\",\"source\":\"s\",\"version\":1,\"seen\":\"2025-01-01\",\"segments\":[{}]}",
         "number"},
        {"{\"id\":\"a\",\"source\":\"s\",\"version\":1,\"seen\":\"2025-01-01\","
         "\"embargoed_until\":\"x\",\"segments\":[]}",
         "embargoed_until"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tc_event_article *article = NULL;
        struct tc_err err;
        assert_int_equal(tc_event_article_open(tc_str_of(cases[i].text), &article, &err),
                         TC_EPARSE);
        assert_null(article);
        assert_non_null(strstr(err.text, cases[i].words));
    }
}

static void definitions_that_are_none_are_refused_by_name(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"nothing", "JSON"},
        {"7", "object"},
        {"{\"severity\":\"high\"}", "name"},
        {"{\"name\":\"a\",\"severity\":\"high\"}", "name"},
        {"{\"name\":\"a/b/c\",\"severity\":\"high\"}", "name"},
        {"{\"name\":\"A/b\",\"severity\":\"high\"}", "name"},
        {"{\"name\":\"a/b\"}", "severity"},
        {"{\"name\":\"a/b\",\"severity\":\"high\",\"labels\":[]}", "labels"},
        {"{\"name\":\"a/b\",\"severity\":\"high\",\"annotations\":{\"x\":{}}}", "annotations"},
        {"{\"name\":\"a/b\",\"severity\":\"high\",\"expires\":\"soon\"}", "expires"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tc_event_watch *watch = NULL;
        struct tc_err err;
        assert_int_equal(tc_event_watch_open(tc_str_of(cases[i].text), &watch, &err), TC_EPARSE);
        assert_null(watch);
        assert_non_null(strstr(err.text, cases[i].words));
    }
}

static void an_alerts_id_depends_on_its_cause_and_ordinal_alone(void **state)
{
    struct tc_id id = tc_event_alert_id(TC_STR("a/b"), rig.hit.id, "alert", 1);
    (void)state;
    assert_true(tc_id_eq(id, tc_event_alert_id(TC_STR("a/b"), rig.hit.id, "alert", 1)));
    assert_false(tc_id_eq(id, tc_event_alert_id(TC_STR("a/b"), rig.hit.id, "alert", 2)));
    assert_false(tc_id_eq(id, tc_event_alert_id(TC_STR("a/b"), rig.hit.id, "updated", 1)));
    assert_false(tc_id_eq(id, tc_event_alert_id(TC_STR("a/c"), rig.hit.id, "alert", 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_hit_of_the_tap_says_that_it_is_not_stored, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_alert_carries_sequence_epoch_and_story, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            data_holds_the_article_the_watch_the_segment_and_the_matches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_segment_that_the_record_does_not_list_has_its_number,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(records_that_are_none_are_refused_by_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(definitions_that_are_none_are_refused_by_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_alerts_id_depends_on_its_cause_and_ordinal_alone, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
