#include "watcher/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/buf.h"
#include "tests/watcher/scratch.h"

struct bench {
    struct scratch scratch;
    struct tc_arena *arena;
    struct tc_diags *diags;
    struct settings *settings;
    struct tc_buf shown;
    struct tc_err err;
};

static int make(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    scratch_make(&bench->scratch);
    bench->arena = tc_arena_new();
    bench->diags = tc_diags_new();
    setenv("TOCSIN_RUNTIME_DIR", "/run/here", 1);
    setenv("XDG_STATE_HOME", "/var/there", 1);
    *state = bench;
    return 0;
}

static int clean(void **state)
{
    struct bench *bench = *state;
    tc_diags_free(bench->diags);
    tc_arena_free(bench->arena);
    tc_buf_done(&bench->shown);
    scratch_remove(&bench->scratch);
    free(bench);
    return 0;
}

static int read_text(struct bench *bench, const char *text)
{
    tc_str file = tc_str_of(scratch_text(&bench->scratch, "watcher.yaml", text));
    return settings_read(file, bench->arena, bench->diags, &bench->settings, &bench->err);
}

static void expect_str(tc_str got, const char *expected)
{
    if (!tc_str_eq(got, tc_str_of(expected)))
        fail_msg("got \"%.*s\", expected \"%s\"", TC_ARG(got), expected);
}

static const char *in_scratch(struct bench *bench, const char *name)
{
    return scratch_path(&bench->scratch, name);
}

static void without_a_file_the_intake_is_on_and_a_warning_says_so(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(
        settings_read((tc_str){"", 0}, bench->arena, bench->diags, &bench->settings, &bench->err),
        TC_OK);
    assert_int_equal(tc_diags_warnings(bench->diags), 1);
    expect_str(bench->settings->name, "watcher");
    expect_str(bench->settings->state, "/var/there/tocsin");
    expect_str(bench->settings->broker, "ipc:///run/here/fetch.sock");
    expect_str(bench->settings->tap, "ipc:///run/here/tap.sock");
    assert_int_equal(bench->settings->watch_count, 0);
    assert_int_equal(bench->settings->source_count, 1);
    expect_str(bench->settings->sources[0].endpoint, "ipc:///run/here/intake.sock");
}

static void paths_count_from_the_folder_of_the_file(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(read_text(bench, "state: st\n"
                                      "watches: [w/*.yaml, /etc/w.yaml]\n"
                                      "sources:\n"
                                      "  - folder: box/inbox/\n"
                                      "  - lines: [wire.jsonl, '-']\n"
                                      "    name: wire\n"),
                     TC_OK);
    const struct settings *settings = bench->settings;
    expect_str(settings->state, in_scratch(bench, "st"));
    expect_str(settings->watches[0], in_scratch(bench, "w/*.yaml"));
    expect_str(settings->watches[1], "/etc/w.yaml");
    expect_str(settings->sources[0].paths[0], in_scratch(bench, "box/inbox/"));
    expect_str(settings->sources[0].name, "inbox");
    expect_str(settings->sources[1].paths[0], in_scratch(bench, "wire.jsonl"));
    expect_str(settings->sources[1].paths[1], "-");
    expect_str(settings->sources[1].name, "wire");
}

static void a_named_watcher_has_sockets_and_state_of_its_own(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(
        read_text(bench, "name: second\nthreads: 3\naudit: 100\nwatch_files: true\nlog: debug\n"
                         "max_article_bytes: 64KiB\nmax_outbox_articles: 10\n"
                         "keep_acknowledged: 2h\nkeep_acknowledged_bytes: 1MiB\n"),
        TC_OK);
    const struct settings *settings = bench->settings;
    expect_str(settings->tap, "ipc:///run/here/second-tap.sock");
    expect_str(settings->sources[0].endpoint, "ipc:///run/here/second-intake.sock");
    expect_str(settings->broker, "ipc:///run/here/fetch.sock");
    expect_str(settings->state, "/var/there/tocsin/second");
    assert_int_equal(settings->threads, 3);
    assert_int_equal(settings->audit, 100);
    assert_true(settings->watch_files);
    assert_int_equal(settings->max_article_bytes, 64 * 1024);
    assert_int_equal(settings->max_outbox_articles, 10);
    assert_int_equal(settings->keep_acknowledged_ns, 7200 * INT64_C(1000000000));
    assert_int_equal(settings->keep_acknowledged_bytes, 1024 * 1024);
    assert_int_equal(settings->log, TC_DEBUG);
}

static void endpoints_may_be_none_or_default(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(
        read_text(
            bench,
            "insecure_loopback: true\nbroker: none\ntap: none\nsources:\n  - socket: default\n"
            "  - pull: tcp://127.0.0.1:5573\n"),
        TC_OK);
    assert_int_equal(bench->settings->broker.len, 0);
    assert_int_equal(bench->settings->tap.len, 0);
    expect_str(bench->settings->sources[0].endpoint, "ipc:///run/here/intake.sock");
    expect_str(bench->settings->sources[1].endpoint, "tcp://127.0.0.1:5573");
}

static void all_mistakes_are_told_at_once_with_their_places(void **state)
{
    static const char *const expected[] = {
        ":1:7: error[E0117]: a name is 1 to 63",
        ":2:1: error[E0115]: unknown key \"wathces\"",
        ":3:10: error[E0117]",
        ":4:7: error[E0117]: \"5580\" is no ADDRESS:PORT",
        ":5:9: error[E0117]: this is no endpoint",
        ":6:6: error[E0117]: the log level",
        ":8:11: error[E0117]: feeds and archives are not in this version",
        ":9:5: error[E0117]: a source is one of lines, folder, socket, pull",
        ":10:13: error[E0117]: a source has only one kind",
        ":12:11: error[E0117]: this is no endpoint",
        ":13:20: error[E0117]: an article may have",
    };
    struct bench *bench = *state;
    assert_int_equal(read_text(bench, "name: No Good\n"
                                      "wathces: []\n"
                                      "threads: many\n"
                                      "http: 5580\n"
                                      "broker: localhost\n"
                                      "log: loud\n"
                                      "sources:\n"
                                      "  - feed: http://e/\n"
                                      "  - inbox\n"
                                      "  - folder: a\n"
                                      "    lines: b\n"
                                      "  - pull: default\n"
                                      "max_article_bytes: 12B\n"),
                     TC_EPARSE);
    tc_diags_sort(bench->diags);
    tc_diags_print(bench->diags, false, &bench->shown);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (!strstr(bench->shown.ptr, expected[i]))
            fail_msg("missing \"%s\" in:\n%s", expected[i], bench->shown.ptr);
    }
    assert_null(bench->settings);
}

static void a_file_that_is_not_there_or_no_map_is_refused(void **state)
{
    struct bench *bench = *state;
    assert_int_not_equal(settings_read(TC_STR("/nowhere/w.yaml"), bench->arena, bench->diags,
                                       &bench->settings, &bench->err),
                         TC_OK);
    assert_int_equal(read_text(bench, "- a\n- b\n"), TC_EPARSE);
    assert_null(bench->settings);
}

#define SETTINGS_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SETTINGS_TEST(without_a_file_the_intake_is_on_and_a_warning_says_so),
        SETTINGS_TEST(paths_count_from_the_folder_of_the_file),
        SETTINGS_TEST(a_named_watcher_has_sockets_and_state_of_its_own),
        SETTINGS_TEST(endpoints_may_be_none_or_default),
        SETTINGS_TEST(all_mistakes_are_told_at_once_with_their_places),
        SETTINGS_TEST(a_file_that_is_not_there_or_no_map_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
