#include "watcher/source/article.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/json.h"

static struct article *read_ok(const char *json)
{
    struct article *article = NULL;
    struct tc_err err;
    if (article_from_json(tc_str_of(json), TC_STR("here"), ARTICLE_BYTES, &article, &err) != TC_OK)
        fail_msg("%s: %s", json, err.text);
    return article;
}

static void assert_str(tc_str got, const char *expected)
{
    if (!tc_str_eq(got, tc_str_of(expected)))
        fail_msg("got \"%.*s\", expected \"%s\"", TC_ARG(got), expected);
}

static void json_feed_names_and_plain_names_say_the_same(void **state)
{
    static const char *const texts[] = {
        "{\"id\":\"a\",\"title\":\"T\",\"content_text\":\"B\",\"language\":\"de\","
        "\"date_published\":\"2025-03-01T05:01:00Z\",\"authors\":[{\"name\":\"X\"},{\"name\":\"Y\"}"
        "]}",
        "{\"id\":\"a\",\"title\":\"T\",\"text\":\"B\",\"lang\":\"de\","
        "\"published\":\"2025-03-01 06:01:00+01:00\",\"author\":\"X, Y\"}",
        "{\"id\":\"a\",\"title\":\"T\",\"body\":\"B\",\"lang\":\"de\",\"unknown\":{\"x\":[1]},"
        "\"published\":\"2025-03-01T05:01:00\",\"authors\":[\"X\",\"Y\"],\"url\":null}",
    };
    struct tc_id first = {0};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct article *article = read_ok(texts[i]);
        assert_str(article->body, "B");
        assert_str(article->lang, "de");
        assert_str(article->author, "X, Y");
        assert_int_equal(article->published_wall_ns, INT64_C(1740805260000000000));
        if (i == 0)
            first = article->content;
        assert_true(tc_id_eq(first, article->content));
        article_free(article);
    }
}

static void the_id_is_stated_or_the_address_or_a_hash(void **state)
{
    static const struct {
        const char *json, *id;
    } cases[] = {
        {"{\"id\":\"x/1\",\"url\":\"http://e/\",\"text\":\"b\"}", "x/1"},
        {"{\"id\":17,\"text\":\"b\"}", "17"},
        {"{\"id\":1.5,\"text\":\"b\"}", "1.5"},
        {"{\"id\":\"\",\"url\":\"http://e/\",\"text\":\"b\"}", "http://e/"},
        {"{\"url\":\"http://e/\",\"text\":\"b\"}", "http://e/"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct article *article = read_ok(cases[i].json);
        assert_str(article->id, cases[i].id);
        article_free(article);
    }
    struct article *one = read_ok("{\"title\":\"t\",\"text\":\"b\",\"lang\":\"en\"}");
    struct article *two = read_ok("{\"title\":\"t\",\"text\":\"b\",\"lang\":\"de\"}");
    assert_int_equal(one->id.len, 32);
    assert_true(tc_str_eq(one->id, two->id));
    assert_false(tc_id_eq(one->content, two->content));
    article_free(one);
    article_free(two);
}

static void every_mistake_is_refused_with_its_reason(void **state)
{
    static const struct {
        const char *json;
        int code;
        const char *reason;
    } cases[] = {
        {"{\"text\":", TC_EPARSE, "not JSON"},
        {"{\"text\":\"\xff\"}", TC_EPARSE, "not JSON"},
        {"[1]", TC_EPARSE, "no object"},
        {"{}", TC_EPARSE, "the article is empty"},
        {"{\"text\":\"\"}", TC_EPARSE, "the article is empty"},
        {"{\"text\":7}", TC_EPARSE, "\"text\" is no text"},
        {"{\"text\":\"b\",\"title\":[]}", TC_EPARSE, "\"title\" is no text"},
        {"{\"text\":\"b\",\"id\":true}", TC_EPARSE, "\"id\" is no text"},
        {"{\"text\":\"b\",\"version\":[2]}", TC_EPARSE, "\"version\" is neither"},
        {"{\"text\":\"b\",\"status\":\"dead\"}", TC_EPARSE, "\"status\" is none of"},
        {"{\"text\":\"b\",\"page\":1}", TC_EPARSE, "\"page\""},
        {"{\"text\":\"b\",\"tags\":\"x\"}", TC_EPARSE, "\"tags\" is no list"},
        {"{\"text\":\"b\",\"tags\":[1]}", TC_EPARSE, "\"tags\" holds"},
        {"{\"text\":\"b\",\"authors\":[3]}", TC_EPARSE, "author"},
        {"{\"text\":\"b\",\"embargoed_until\":\"soon\"}", TC_EPARSE, "\"embargoed_until\""},
        {"{\"title\":\"t\",\"content_html\":\"<p>b\"}", TC_EPARSE,
         "HTML pages are read by a later version"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct article *article = NULL;
        struct tc_err err;
        int code =
            article_from_json(tc_str_of(cases[i].json), TC_STR("s"), ARTICLE_BYTES, &article, &err);
        assert_int_equal(code, cases[i].code);
        if (!strstr(err.text, cases[i].reason))
            fail_msg("%s: %s", cases[i].json, err.text);
        assert_null(article);
    }
}

static void a_version_that_is_no_whole_number_counts_as_not_stated(void **state)
{
    static const struct {
        const char *version;
        uint64_t number;
    } cases[] = {
        {"7", 7},
        {"\"7\"", 7},
        {"\"007\"", 7},
        {"\"20250301123000\"", 20250301123000},
        {"9007199254740992", ARTICLE_VERSION_MOST},
        {"9007199254740993", 1},
        {"\"99999999999999999999999\"", 1},
        {"0", 1},
        {"-3", 1},
        {"1.5", 1},
        {"\"1.2\"", 1},
        {"\"+2\"", 1},
        {"\"second\"", 1},
        {"\"\"", 1},
        {"null", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[128];
        snprintf(json, sizeof json, "{\"text\":\"b\",\"version\":%s}", cases[i].version);
        struct article *article = read_ok(json);
        assert_int_equal(article->version, cases[i].number);
        article_free(article);
    }
}

static void limits_have_names(void **state)
{
    struct article *article = NULL;
    struct tc_err err;
    char json[8192], value[6000];
    (void)state;
    memset(value, 'x', sizeof value);
    snprintf(json, sizeof json, "{\"text\":\"b\",\"title\":\"%.5000s\"}", value);
    assert_int_equal(article_from_json(tc_str_of(json), TC_STR("s"), ARTICLE_BYTES, &article, &err),
                     TC_EFULL);
    assert_string_equal(err.text, "\"title\" is longer than 4096 bytes");
    snprintf(json, sizeof json, "{\"text\":\"%.60s\",\"title\":\"%.60s\"}", value, value);
    assert_int_equal(article_from_json(tc_str_of(json), TC_STR("s"), 100, &article, &err),
                     TC_EFULL);
    assert_string_equal(err.text, "the article is larger than 100 bytes (max_article_bytes)");
    assert_int_equal(
        article_from_parts(TC_STR("{}"), (tc_str){value, 101}, TC_STR("s"), 100, &article, &err),
        TC_EFULL);
    assert_int_equal(
        article_from_text(TC_STR("a.txt"), (tc_str){value, 101}, TC_STR("s"), 100, &article, &err),
        TC_EFULL);
    snprintf(json, sizeof json, "{\"text\":\"b\",\"url\":\"%.1000s\"}", value);
    assert_int_equal(article_from_json(tc_str_of(json), TC_STR("s"), ARTICLE_BYTES, &article, &err),
                     TC_EFULL);
    assert_non_null(strstr(err.text, "no \"id\""));
}

static void a_date_that_cannot_be_read_counts_as_not_stated(void **state)
{
    (void)state;
    struct article *article = read_ok("{\"text\":\"b\",\"published\":\"last Tuesday\","
                                      "\"modified\":\"2025-03-01 and more\"}");
    assert_int_equal(article->published_wall_ns, 0);
    assert_int_equal(article->modified_wall_ns, 0);
    article_free(article);
}

static void a_body_frame_takes_the_place_of_text_keys(void **state)
{
    struct article *article = NULL;
    struct tc_err err;
    (void)state;
    assert_int_equal(
        article_from_parts(TC_STR("{\"id\":\"a\",\"content_html\":\"<p>\",\"text\":7}"),
                           TC_STR("the body"), TC_STR("s"), 100, &article, &err),
        TC_OK);
    assert_str(article->body, "the body");
    assert_false(article->page);
    article_free(article);
}

static void a_text_file_is_a_page_called_by_its_name(void **state)
{
    struct article *article = NULL;
    struct tc_err err;
    (void)state;
    assert_int_equal(article_from_text(TC_STR("/some/where/page.txt"), TC_STR("One\xff"),
                                       TC_STR("inbox"), 100, &article, &err),
                     TC_OK);
    assert_str(article->id, "page.txt");
    assert_str(article->source, "inbox");
    assert_str(article->body, "One\xff");
    assert_true(article->page);
    article_free(article);
    assert_int_equal(
        article_from_text(TC_STR("a.txt"), TC_STR(" \n"), TC_STR("s"), 100, &article, &err),
        TC_EPARSE);
    assert_string_equal(err.text, "the file is empty");
    assert_int_equal(
        article_from_text(TC_STR("\xff.txt"), TC_STR("x"), TC_STR("s"), 100, &article, &err),
        TC_EPARSE);
}

static void the_record_holds_what_is_known_and_no_text(void **state)
{
    struct tc_buf out = {0};
    struct tc_json json = tc_json_on(&out);
    (void)state;
    struct article *article =
        read_ok("{\"id\":\"a\",\"source\":\"Wire\",\"version\":2,\"status\":\"withheld\","
                "\"title\":\"T \\\"q\\\"\",\"text\":\"secret\",\"tags\":[\"x\",\"y\"],"
                "\"lang\":\"en\",\"embargoed_until\":\"2025-03-01T05:01:00Z\"}");
    article_record(article, &json);
    tc_json_close(&json, '}');
    assert_string_equal(out.ptr,
                        "{\"id\":\"a\",\"source\":\"Wire\",\"version\":2,\"status\":\"withheld\","
                        "\"title\":\"T \\\"q\\\"\",\"language\":\"en\",\"tags\":[\"x\",\"y\"],"
                        "\"embargoed_until\":\"2025-03-01T05:01:00.000Z\"}");
    article_free(article);
    tc_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_feed_names_and_plain_names_say_the_same),
        cmocka_unit_test(the_id_is_stated_or_the_address_or_a_hash),
        cmocka_unit_test(every_mistake_is_refused_with_its_reason),
        cmocka_unit_test(a_version_that_is_no_whole_number_counts_as_not_stated),
        cmocka_unit_test(limits_have_names),
        cmocka_unit_test(a_date_that_cannot_be_read_counts_as_not_stated),
        cmocka_unit_test(a_body_frame_takes_the_place_of_text_keys),
        cmocka_unit_test(a_text_file_is_a_page_called_by_its_name),
        cmocka_unit_test(the_record_holds_what_is_known_and_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
