#include "broker/story/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct tc_id story_id(const char *source, const char *id, unsigned version)
{
    char record[256];
    struct tc_event_article *article = NULL;
    struct story story;
    snprintf(record, sizeof record,
             "{\"id\":\"%s\",\"source\":\"%s\",\"version\":%u,\"seen\":\"2025-03-01\","
             "\"language\":\"de\",\"segments\":[]}",
             id, source, version);
    assert_int_equal(tc_event_article_open(tc_str_of(record), &article, NULL), TC_OK);
    story_of(article, &story);
    assert_true(tc_str_eq(story.first, tc_str_of(id)));
    assert_true(tc_str_eq(story.language, TC_STR("de")));
    assert_int_equal(story.articles, 1);
    assert_true(story.sure);
    tc_event_article_free(article);
    return story.id;
}

static void versions_of_an_article_are_one_story_and_articles_are_several(void **state)
{
    struct tc_id story = story_id("wire", "a", 1);
    (void)state;
    assert_true(tc_id_eq(story, story_id("wire", "a", 2)));
    assert_false(tc_id_eq(story, story_id("wire", "b", 1)));
    assert_false(tc_id_eq(story, story_id("press", "a", 1)));
    assert_false(tc_id_eq(story_id("ab", "c", 1), story_id("a", "bc", 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_of_an_article_are_one_story_and_articles_are_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
