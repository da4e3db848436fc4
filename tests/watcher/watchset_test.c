#include "watcher/watchset.h"

#include "watcher/match/expressions.h"

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
    const char *kept; // folder of last good versions, "" for none
    struct watchset *set;
    struct tc_diags *diags; // of the last load
    struct tc_err err;
};

static int make(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    scratch_make(&stage->scratch);
    stage->kept = "";
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

// Loads *.jsonl and w.yaml of the folder; what was loaded before is in force.
static int load(struct stage *stage)
{
    char lines[SCRATCH_PATH], yaml[SCRATCH_PATH];
    struct watchset *next = NULL;
    snprintf(lines, sizeof lines, "%s", scratch_path(&stage->scratch, "*.jsonl"));
    snprintf(yaml, sizeof yaml, "%s", scratch_path(&stage->scratch, "w.yaml"));
    const tc_str globs[] = {tc_str_of(lines), tc_str_of(yaml)};
    size_t count = scratch_has(&stage->scratch, "w.yaml") ? 2 : 1;
    tc_diags_free(stage->diags);
    stage->diags = tc_diags_new();
    int code = watchset_load(globs, count, &text, stage->set, tc_str_of(stage->kept), NULL,
                             stage->diags, &next, &stage->err);
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
    assert_int_equal(watchset_watches(stage->set), 2); // "two" stays in force
    assert_non_null(strstr(watchset_file(stage->set, 1).why, "watch demo/one is in "));
}

static void an_older_version_gives_way_to_what_has_its_watch_now(void **state)
{
    struct stage *stage = *state;
    put(stage, "a.jsonl", ONE("one"));
    put(stage, "b.jsonl", ONE("two"));
    assert_int_equal(load(stage), TC_OK);
    put(stage, "a.jsonl", ONE("one") ONE("two"));
    put(stage, "b.jsonl", BROKEN);
    assert_int_equal(load(stage), TC_OK);
    assert_int_equal(watchset_watches(stage->set), 2);
    assert_false(watchset_file(stage->set, 0).stale);
    assert_int_equal(watchset_file(stage->set, 1).watches, 0);
}

static void put_expressions(struct stage *stage, const char *name, int from, int count)
{
    struct tc_buf lines = {0};
    for (int i = from; i < from + count; i++)
        tc_buf_addf(&lines, "{\"namespace\":\"demo\",\"name\":\"w%d\",\"match\":\"/number%d/\"}\n",
                    i, i);
    put(stage, name, lines.ptr);
    tc_buf_done(&lines);
}

static void more_expressions_than_all_files_may_have_are_refused_as_a_whole(void **state)
{
    enum { HALF = EXPRESSIONS_MOST / 2 };
    struct stage *stage = *state;
    put(stage, "a.jsonl", ONE("one"));
    put(stage, "b.jsonl", ONE("two"));
    assert_int_equal(load(stage), TC_OK);
    put_expressions(stage, "a.jsonl", 0, HALF);
    put_expressions(stage, "b.jsonl", HALF, HALF + 1);
    assert_int_equal(load(stage), TC_EPARSE);
    assert_non_null(strstr(stage->err.text, "watch \"demo/w10000\": with it all watches have more "
                                            "than 10000 different regular expressions"));
    assert_string_equal(tc_diags_at(stage->diags, 0)->code, "E0117");
    assert_int_equal(watchset_watches(stage->set), 2); // "one" and "two" stay in force
    put(stage, "a.jsonl", ONE("one") ONE("three"));
    put_expressions(stage, "b.jsonl", HALF, 1);
    assert_int_equal(load(stage), TC_OK);
    assert_int_equal(watchset_watches(stage->set), 3);
}

// ---- remembered over restarts -----------------------------------------------------------

static int remember_one(struct stage *stage, size_t index)
{
    struct watchset_memo *memo = watchset_memo_new(stage->set, index, tc_str_of(stage->kept));
    int code = memo ? watchset_memo_write(memo, &stage->err) : TC_OK;
    watchset_memo_free(memo);
    return code;
}

static int remember_all(struct stage *stage)
{
    int code = TC_OK;
    for (size_t i = 0; i < watchset_count(stage->set) && code == TC_OK; i++)
        code = remember_one(stage, i);
    return code;
}

// Begins anew, as a restart does; what was in force is remembered in the folder "kept".
static void restart(struct stage *stage)
{
    static char kept[SCRATCH_PATH];
    snprintf(kept, sizeof kept, "%s", scratch_path(&stage->scratch, "kept"));
    stage->kept = kept;
    if (stage->set)
        assert_int_equal(remember_all(stage), TC_OK);
    watchset_free(stage->set);
    stage->set = NULL;
}

#define LISTED                                                                                     \
    "tocsin: 1\nnamespace: demo\ninclude: [lists/words.yaml]\nwatches:\n"                          \
    "  - name: listed\n    match: '@words'\n    tests: [{text: 'a gale', expect: hit}]\n"
#define WORDS(word) "tocsin: 1\nlists:\n  words: [" word "]\n"

static void a_broken_file_starts_with_its_last_good_version(void **state)
{
    struct stage *stage = *state;
    put(stage, "a.jsonl", ONE("one") ONE("two"));
    assert_int_equal(load(stage), TC_OK);
    restart(stage);
    put(stage, "a.jsonl", BROKEN);
    assert_int_equal(load(stage), TC_OK);
    assert_int_equal(watchset_watches(stage->set), 2);
    assert_true(watchset_file(stage->set, 0).since_wall_ns > 0);
    assert_non_null(strstr(watchset_file(stage->set, 0).why, "a.jsonl:1:"));
    assert_true(tc_diags_errors(stage->diags) > 0);
    restart(stage); // a stale file does not replace what is remembered
    assert_int_equal(load(stage), TC_OK);
    assert_int_equal(watchset_watches(stage->set), 2);
    restart(stage);
    put(stage, "b.jsonl", BROKEN); // this one never was good
    assert_int_equal(load(stage), TC_EPARSE);
}

static void a_failed_test_and_a_broken_list_count_as_well(void **state)
{
    struct stage *stage = *state;
    mkdir(scratch_path(&stage->scratch, "lists"), 0700);
    put(stage, "lists/words.yaml", WORDS("gale"));
    put(stage, "w.yaml", LISTED);
    assert_int_equal(load(stage), TC_OK);
    restart(stage);
    static const char *const broken[] = {WORDS("breeze"), "tocsin: 1\nlists: [", NULL};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        if (broken[i])
            put(stage, "lists/words.yaml", broken[i]);
        else
            remove(scratch_path(&stage->scratch, "lists/words.yaml"));
        assert_int_equal(load(stage), TC_OK);
        assert_int_equal(watchset_watches(stage->set), 1);
        assert_int_equal(watchset_stale(stage->set), 1);
        restart(stage);
    }
    put(stage, "lists/words.yaml", WORDS("gale, storm"));
    assert_int_equal(load(stage), TC_OK);
    assert_int_equal(watchset_stale(stage->set), 0);
    struct tc_id newer = layers_watch(watchset_layers(stage->set), 0)->hash;
    restart(stage); // the newer list is remembered now
    put(stage, "w.yaml", "nonsense");
    assert_int_equal(load(stage), TC_OK);
    assert_true(tc_id_eq(newer, layers_watch(watchset_layers(stage->set), 0)->hash));
}

static void a_file_that_changes_while_it_is_copied_is_not_remembered(void **state)
{
    struct stage *stage = *state;
    put(stage, "a.jsonl", ONE("one"));
    assert_int_equal(load(stage), TC_OK);
    restart(stage);
    assert_int_equal(load(stage), TC_OK);
    put(stage, "a.jsonl", ONE("other")); // not what is in force
    assert_int_equal(remember_all(stage), TC_EINVAL);
    put(stage, "a.jsonl", BROKEN);
    watchset_free(stage->set);
    stage->set = NULL;
    assert_int_equal(load(stage), TC_OK);
    struct layers *layers = watchset_layers(stage->set);
    assert_true(tc_str_eq(layers_watch(layers, 0)->name, TC_STR("demo/one")));
}

static void a_pattern_that_names_nothing_is_a_warning(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(load(stage), TC_OK);
    assert_int_equal(tc_diags_warnings(stage->diags), 1);
    assert_null(watchset_layers(stage->set));
}

static void layers_live_on_while_they_are_held(void **state)
{
    struct stage *stage = *state;
    put(stage, "a.jsonl", ONE("one"));
    assert_int_equal(load(stage), TC_OK);
    struct layers *held = layers_hold(watchset_layers(stage->set));
    put(stage, "a.jsonl", ONE("two"));
    assert_int_equal(load(stage), TC_OK);
    assert_true(tc_str_eq(layers_watch(held, 0)->name, TC_STR("demo/one")));
    layers_drop(held);
}

#define WATCHSET_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHSET_TEST(at_the_start_every_file_has_to_be_good),
        WATCHSET_TEST(a_file_that_breaks_keeps_its_last_good_version),
        WATCHSET_TEST(a_name_that_an_earlier_file_has_is_refused),
        WATCHSET_TEST(more_expressions_than_all_files_may_have_are_refused_as_a_whole),
        WATCHSET_TEST(an_older_version_gives_way_to_what_has_its_watch_now),
        WATCHSET_TEST(a_broken_file_starts_with_its_last_good_version),
        WATCHSET_TEST(a_failed_test_and_a_broken_list_count_as_well),
        WATCHSET_TEST(a_file_that_changes_while_it_is_copied_is_not_remembered),
        WATCHSET_TEST(a_pattern_that_names_nothing_is_a_warning),
        WATCHSET_TEST(layers_live_on_while_they_are_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
