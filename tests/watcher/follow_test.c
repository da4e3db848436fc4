#include "watcher/follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/clock.h"
#include "tests/watcher/scratch.h"

// Events are in the queue when the call that makes them returns, so nothing here waits.

struct stage {
    struct scratch scratch;
    struct follow *follow;
    int64_t now;
};

static int make(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct tc_err err;
    scratch_make(&stage->scratch);
    stage->now = TC_SECOND;
    assert_int_equal(follow_open(&stage->follow, &err), TC_OK);
    assert_int_equal(follow_glob(stage->follow, scratch_path(&stage->scratch, "*.yaml"), &err),
                     TC_OK);
    *state = stage;
    return 0;
}

static int clean(void **state)
{
    struct stage *stage = *state;
    follow_close(stage->follow);
    scratch_remove(&stage->scratch);
    free(stage);
    return 0;
}

// How long after now the change is due; -1: there is none.
static int64_t due_ms(struct stage *stage)
{
    follow_take(stage->follow, stage->now);
    int64_t due = follow_due_ns(stage->follow);
    return due == INT64_MAX ? -1 : (due - stage->now) / TC_MS;
}

static void expect_one_change(struct stage *stage)
{
    assert_int_equal(due_ms(stage), FOLLOW_QUIET_MS);
    follow_seen(stage->follow);
    assert_int_equal(due_ms(stage), -1);
}

static void rename_to(struct stage *stage, const char *from, const char *to)
{
    char path[SCRATCH_PATH];
    snprintf(path, sizeof path, "%s", scratch_path(&stage->scratch, from));
    assert_int_equal(rename(path, scratch_path(&stage->scratch, to)), 0);
}

static void a_file_written_renamed_or_removed_is_a_change_and_others_are_not(void **state)
{
    struct stage *stage = *state;
    scratch_text(&stage->scratch, "w.yaml", "a");
    expect_one_change(stage);
    scratch_text(&stage->scratch, "w.yaml.swp", "a");
    scratch_text(&stage->scratch, ".hidden.yaml", "a");
    scratch_text(&stage->scratch, "outbox.db", "a");
    assert_int_equal(due_ms(stage), -1);
    rename_to(stage, "w.yaml.swp", "w.yaml");
    expect_one_change(stage);
    rename_to(stage, "w.yaml", "away");
    expect_one_change(stage);
    rename_to(stage, "away", "w.yaml");
    expect_one_change(stage);
    remove(scratch_path(&stage->scratch, "w.yaml"));
    expect_one_change(stage);
}

static void a_file_that_is_being_written_is_waited_for(void **state)
{
    struct stage *stage = *state;
    FILE *file = fopen(scratch_path(&stage->scratch, "w.yaml"), "w");
    fputs("half", file);
    fflush(file);
    assert_int_equal(due_ms(stage), FOLLOW_WRITING_MS);
    fclose(file);
    assert_int_equal(due_ms(stage), FOLLOW_QUIET_MS);
}

static void a_burst_is_one_change_and_does_not_put_it_off_for_ever(void **state)
{
    struct stage *stage = *state;
    int64_t begun = stage->now;
    scratch_text(&stage->scratch, "w.yaml", "a");
    assert_int_equal(due_ms(stage), FOLLOW_QUIET_MS);
    for (; stage->now - begun < FOLLOW_BURST_MS * TC_MS; stage->now += 10 * TC_MS) {
        scratch_text(&stage->scratch, "w.yaml", "b");
        assert_true(due_ms(stage) <= FOLLOW_QUIET_MS);
    }
    assert_true(due_ms(stage) <= 0);
}

static void folders_that_come_and_links_that_turn_are_followed(void **state)
{
    struct stage *stage = *state;
    struct tc_err err;
    char pattern[SCRATCH_PATH], target[SCRATCH_PATH];
    snprintf(pattern, sizeof pattern, "%s", scratch_path(&stage->scratch, "later/*.jsonl"));
    assert_int_equal(follow_glob(stage->follow, pattern, &err), TC_OK);
    mkdir(scratch_path(&stage->scratch, "later"), 0700);
    expect_one_change(stage);
    assert_int_equal(follow_glob(stage->follow, pattern, &err), TC_OK); // as after a reload
    scratch_text(&stage->scratch, "later/w.jsonl", "a");
    expect_one_change(stage);
    // What is mounted from outside comes as links that are turned to another folder.
    snprintf(target, sizeof target, "%s", scratch_path(&stage->scratch, "later"));
    assert_int_equal(symlink(target, scratch_path(&stage->scratch, "..data")), 0);
    expect_one_change(stage);
}

static void a_linked_file_is_followed_where_it_lies(void **state)
{
    struct stage *stage = *state;
    struct tc_err err;
    char target[SCRATCH_PATH];
    mkdir(scratch_path(&stage->scratch, "far"), 0700);
    snprintf(target, sizeof target, "%s", scratch_text(&stage->scratch, "far/real", "a"));
    assert_int_equal(symlink(target, scratch_path(&stage->scratch, "link.yaml")), 0);
    due_ms(stage);
    follow_seen(stage->follow);
    assert_int_equal(follow_file(stage->follow, scratch_path(&stage->scratch, "link.yaml"), &err),
                     TC_OK);
    scratch_text(&stage->scratch, "far/real", "b");
    expect_one_change(stage);
}

#define FOLLOW_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLLOW_TEST(a_file_written_renamed_or_removed_is_a_change_and_others_are_not),
        FOLLOW_TEST(a_file_that_is_being_written_is_waited_for),
        FOLLOW_TEST(a_burst_is_one_change_and_does_not_put_it_off_for_ever),
        FOLLOW_TEST(folders_that_come_and_links_that_turn_are_followed),
        FOLLOW_TEST(a_linked_file_is_followed_where_it_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
