#include "watcher/watchset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/watcher/scratch.h"

static const struct text_settings text = {TEXT_WORDS_TOCSIN};

#define ONE(name) "{\"namespace\":\"demo\",\"name\":\"" name "\",\"match\":\"word\"}\n"
#define BROKEN "{\"namespace\":\"demo\",\"name\":\"x\",\"match\":\"(word\"}\n"

struct stage {
    struct scratch scratch;
    struct watchset *set;
    struct tc_diags *diags; // of the last load
    struct tc_err err;
};

static int make(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    scratch_make(&stage->scratch);
    *state = stage;
    return 0;
}

static int clean(void **state)
{
    struct stage *stage = *state;
    watchset_free(stage->set);
    tc_diags_free(stage->diags);
    scratch_remove(&stage->scratch);
    free(stage);
    return 0;
}

// Loads *.jsonl of the folder; what was loaded before is in force.
static int load(struct stage *stage)
{
    char pattern[SCRATCH_PATH];
    struct watchset *next = NULL;
    snprintf(pattern, sizeof pattern, "%s", scratch_path(&stage->scratch, "*.jsonl"));
    tc_str glob = tc_str_of(pattern);
    tc_diags_free(stage->diags);
    stage->diags = tc_diags_new();
    int code = watchset_load(&glob, 1, &text, stage->set, stage->diags, &next, &stage->err);
    if (code == TC_OK) {
        watchset_free(stage->set);
        stage->set = next;
    }
    return code;
}

static void put(struct stage *stage, const char *name, const char *lines)
{
    scratch_text(&stage->scratch, name, lines);
}

static void at_the_start_every_file_has_to_be_good(void **state)
{
    struct stage *stage = *state;
    put(stage, "a.jsonl", ONE("one"));
    put(stage, "b.jsonl", BROKEN);
    assert_int_equal(load(stage), TC_EPARSE);
    assert_null(stage->set);
    put(stage, "b.jsonl", ONE("two"));
    assert_int_equal(load(stage), TC_OK);
    assert_int_equal(watchset_watches(stage->set), 2);
    assert_int_equal(watchset_stale(stage->set), 0);
}

static void a_file_that_breaks_keeps_its_last_good_version(void **state)
{
    struct stage *stage = *state;
    put(stage, "a.jsonl", ONE("one"));
    put(stage, "b.jsonl", ONE("two") ONE("three"));
    assert_int_equal(load(stage), TC_OK);
    put(stage, "a.jsonl", ONE("one") ONE("four"));
    put(stage, "b.jsonl", BROKEN);
    put(stage, "c.jsonl", BROKEN);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(load(stage), TC_OK);
        assert_int_equal(watchset_watches(stage->set), 4);
        assert_int_equal(watchset_stale(stage->set), 2);
        assert_false(watchset_file(stage->set, 0).stale);
        assert_int_equal(watchset_file(stage->set, 1).watches, 2);
        assert_non_null(strstr(watchset_file(stage->set, 1).why, "b.jsonl:1:"));
        assert_int_equal(watchset_file(stage->set, 2).watches, 0);
        assert_true(tc_diags_errors(stage->diags) >= 2);
    }
    put(stage, "b.jsonl", ONE("two"));
    remove(scratch_path(&stage->scratch, "c.jsonl"));
    assert_int_equal(load(stage), TC_OK);
    assert_int_equal(watchset_watches(stage->set), 3);
    assert_int_equal(watchset_stale(stage->set), 0);
}

static void a_name_that_an_earlier_file_has_is_refused(void **state)
{
    struct stage *stage = *state;
    put(stage, "a.jsonl", ONE("one"));
    put(stage, "b.jsonl", ONE("two"));
    assert_int_equal(load(stage), TC_OK);
    put(stage, "b.jsonl", ONE("three") ONE("one"));
    assert_int_equal(load(stage), TC_OK);
    assert_int_equal(watchset_watches(stage->set), 1);
    assert_non_null(strstr(watchset_file(stage->set, 1).why, "watch demo/one is in "));
}

static void a_pattern_that_names_nothing_is_a_warning(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(load(stage), TC_OK);
    assert_int_equal(tc_diags_warnings(stage->diags), 1);
    assert_null(watchset_matcher(stage->set));
}

static void a_matcher_lives_on_while_it_is_held(void **state)
{
    struct stage *stage = *state;
    put(stage, "a.jsonl", ONE("one"));
    assert_int_equal(load(stage), TC_OK);
    struct matcher *held = matcher_hold(watchset_matcher(stage->set));
    put(stage, "a.jsonl", ONE("two"));
    assert_int_equal(load(stage), TC_OK);
    assert_true(tc_str_eq(matcher_watch(held, 0)->name, TC_STR("demo/one")));
    matcher_drop(held);
}

#define WATCHSET_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHSET_TEST(at_the_start_every_file_has_to_be_good),
        WATCHSET_TEST(a_file_that_breaks_keeps_its_last_good_version),
        WATCHSET_TEST(a_name_that_an_earlier_file_has_is_refused),
        WATCHSET_TEST(a_pattern_that_names_nothing_is_a_warning),
        WATCHSET_TEST(a_matcher_lives_on_while_it_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
