#include "broker/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { WORDS_MOST = 4 };

static struct filter *made(const char *const *words)
{
    struct filter *filter = filter_new();
    for (size_t i = 0; i < WORDS_MOST && words[i]; i++)
        assert_int_equal(filter_add(filter, tc_str_of(words[i]), NULL), TC_OK);
    return filter;
}

static void an_alert_passes_one_topic_and_one_value_of_each_key(void **state)
{
    static const struct {
        const char *words[WORDS_MOST];
        const char *topic, *labels;
        bool passes;
    } cases[] = {
        {{NULL}, "china/a/high/", "{}", true},
        {{"china/"}, "china/a/high/", "{}", true},
        {{"china/"}, "china-sea/a/high/", "{}", false},
        {{"china/a/"}, "china/ab/high/", "{}", false},
        {{"x/", "china/"}, "china/a/high/", "{}", true},
        {{"label.desk=asia"}, "a/b/c/", "{\"desk\":\"asia\"}", true},
        {{"label.desk=asia"}, "a/b/c/", "{\"a\":\"b\",\"desk\":\"asia\"}", true},
        {{"label.desk=asia"}, "a/b/c/", "{\"mydesk\":\"asia\"}", false},
        {{"label.desk=asia"}, "a/b/c/", "{\"desk\":\"asia2\"}", false},
        {{"label.desk=asia"}, "a/b/c/", "{\"x\\\"desk\":\"asia\"}", false},
        {{"label.desk=asia"}, "a/b/c/", "{\"x\":\"{\\\"desk\\\":\\\"asia\\\"\"}", false},
        {{"label.desk="}, "a/b/c/", "{\"desk\":\"\"}", true},
        {{"label.desk=a\"b"}, "a/b/c/", "{\"desk\":\"a\\\"b\"}", true},
        {{"label.desk=a=b"}, "a/b/c/", "{\"desk\":\"a=b\"}", true},
        {{"label.desk=asia", "label.desk=sea"}, "a/b/c/", "{\"desk\":\"sea\"}", true},
        {{"label.desk=asia", "label.land=cn"}, "a/b/c/", "{\"desk\":\"asia\"}", false},
        {{"a/", "label.desk=asia", "label.land=cn"},
         "a/b/c/",
         "{\"desk\":\"asia\",\"land\":\"cn\"}",
         true},
        {{"b/", "label.desk=asia"}, "a/b/c/", "{\"desk\":\"asia\"}", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct filter *filter = made(cases[i].words);
        bool passes = filter_passes(filter, tc_str_of(cases[i].topic), tc_str_of(cases[i].labels));
        if (passes != cases[i].passes)
            print_error("case %zu\n", i);
        assert_int_equal(passes, cases[i].passes);
        filter_free(filter);
    }
}

static void words_that_are_no_filter_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",       "china", "/",           "China/",     "a//",         "a b/",
        "label.", "~/hb/", "label.=asia", "label.desk", "label.a b=c", "label.\"x\"=c",
    };
    struct filter *filter = filter_new();
    struct tc_err err;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(filter_add(filter, tc_str_of(wrong[i]), &err), TC_EPARSE);
    assert_true(filter_passes(filter, TC_STR("a/b/c/"), TC_STR("{}")));
    filter_free(filter);
}

static void only_one_whole_topic_uses_the_index(void **state)
{
    static const struct {
        const char *words[WORDS_MOST], *topic;
    } cases[] = {
        {{"a/b/c/"}, "a/b/c/"}, {{"a/b/c/", "label.x=y"}, "a/b/c/"},
        {{"a/b/"}, ""},         {{"a/b/c/", "a/b/d/"}, ""},
        {{NULL}, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct filter *filter = made(cases[i].words);
        assert_true(tc_str_eq(filter_one_topic(filter), tc_str_of(cases[i].topic)));
        filter_free(filter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert_passes_one_topic_and_one_value_of_each_key),
        cmocka_unit_test(words_that_are_no_filter_are_refused),
        cmocka_unit_test(only_one_whole_topic_uses_the_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
