#include "broker/settings.h"

#include "common/clock.h"

#include "tests/mutation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

struct rig {
    struct tc_arena *arena;
    struct tc_diags *diags;
    struct settings settings;
};

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    setenv("TOCSIN_RUNTIME_DIR", "/run/test", 1);
    setenv("XDG_STATE_HOME", "/var/test", 1);
    rig->arena = tc_arena_new();
    rig->diags = tc_diags_new();
    assert_int_equal(settings_default(rig->arena, &rig->settings, NULL), TC_OK);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    tc_arena_free(rig->arena);
    tc_diags_free(rig->diags);
    free(rig);
    return 0;
}

static int reading(struct rig *rig, const char *text)
{
    return settings_read_text(TC_STR("broker.yaml"), tc_str_of(text), rig->arena, rig->diags,
                              &rig->settings);
}

static void assert_text(tc_str got, const char *wanted)
{
    if (!tc_str_eq(got, tc_str_of(wanted)))
        print_error("\"%.*s\" is not \"%s\"\n", TC_ARG(got), wanted ? wanted : "");
    assert_true(tc_str_eq(got, tc_str_of(wanted)));
}

static void without_a_word_the_defaults_hold(void **state)
{
    struct rig *rig = *state;
    for (int i = 0; i < 2; i++) {
        assert_text(rig->settings.store, "/var/test/tocsin/broker.db");
        assert_text(rig->settings.fetch, "ipc:///run/test/fetch.sock");
        assert_text(rig->settings.live, "ipc:///run/test/live.sock");
        assert_int_equal(rig->settings.log, TC_INFO);
        assert_false(rig->settings.insecure_loopback);
        assert_int_equal(reading(rig, i ? "" : "# only a comment\n"), TC_OK);
    }
}

static void a_relative_store_counts_from_the_folder_of_the_file(void **state)
{
    static const struct {
        const char *file, *text, *store;
    } cases[] = {
        {"/etc/tocsin/broker.yaml", "store: news.db\n", "/etc/tocsin/news.db"},
        {"/etc/tocsin/broker.yaml", "store: ../news.db\n", "/etc/tocsin/../news.db"},
        {"/etc/tocsin/broker.yaml", "store: /data/news.db\n", "/data/news.db"},
        {"config/broker.yaml", "store: news.db\n", "config/news.db"},
        {"broker.yaml", "store: news.db\n", "news.db"},
    };
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(settings_read_text(tc_str_of(cases[i].file), tc_str_of(cases[i].text),
                                            rig->arena, rig->diags, &rig->settings),
                         TC_OK);
        assert_text(rig->settings.store, cases[i].store);
    }
}

static void every_key_is_read(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(reading(rig, "store: /data/news.db\n"
                                  "listen:\n"
                                  "  fetch: tcp://127.0.0.1:5561\n"
                                  "  live: ipc:///tmp/live.sock\n"
                                  "insecure_loopback: true\n"
                                  "live_except: [health/, a/b/]\n"
                                  "log: debug\n"
                                  "retain: 400d\nprotect_consumers: 2h\n"
                                  "disk_reserve: 1MiB\nnetwork_storage: true\n"
                                  "http: 127.0.0.1:5580\n"
                                  "http_hosts: [broker.example]\n"),
                     TC_OK);
    assert_text(rig->settings.store, "/data/news.db");
    assert_int_equal(rig->settings.retain.keep_ns, 400 * 24 * 3600 * TC_SECOND);
    assert_int_equal(rig->settings.disk_reserve, 1024 * 1024);
    assert_true(rig->settings.network_storage);
    assert_int_equal(rig->settings.retain.protect_ns, 2 * 3600 * TC_SECOND);
    assert_text(rig->settings.fetch, "tcp://127.0.0.1:5561");
    assert_text(rig->settings.live, "ipc:///tmp/live.sock");
    assert_int_equal(rig->settings.live_except_count, 2);
    assert_text(rig->settings.live_except[1], "a/b/");
    assert_int_equal(rig->settings.log, TC_DEBUG);
    assert_text(rig->settings.http.address, "127.0.0.1:5580");
    assert_int_equal(rig->settings.http.host_count, 1);
    assert_text(rig->settings.http.hosts[0], "broker.example");
    assert_true(rig->settings.insecure_loopback);
}

static void with_keys_a_tcp_port_may_be_anywhere(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(reading(rig, "keys: keys\n"
                                  "listen: {fetch: 'tcp://*:5561', live: 'tcp://10.0.0.1:5562'}\n"),
                     TC_OK);
    assert_text(rig->settings.keys, "keys");
    assert_text(rig->settings.fetch, "tcp://*:5561");
}

static void each_mistake_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text, *words;
        int line;
    } cases[] = {
        {"log: info\nstor: x\n", "stor", 2},
        {"store: a\nstore: b\n", "store", 2},
        {"store: [a]\n", "", 1},
        {"store: ''\n", "path is empty", 1},
        {"listen: here\n", "fetch", 1},
        {"listen: {fetch: here}\n", "no endpoint", 1},
        {"listen: {fetch: 'ipc://'}\n", "no endpoint", 1},
        {"listen:\n  fetch: tcp://0.0.0.0:5561\n", "keys", 2},
        {"listen:\n  fetch: tcp://*:5561\n", "keys", 2},
        {"listen:\n  fetch: tcp://10.0.0.1:5561\ninsecure_loopback: true\n", "keys", 2},
        {"listen:\n  fetch: tcp://127.0.0.1:5561\n", "loopback", 2},
        {"listen: {fetch: 'ipc:///x', live: 'ipc:///x'}\n", "one endpoint", 1},
        {"listen: {web: 'ipc:///x'}\n", "web", 1},
        {"live_except: health/\n", "list", 1},
        {"live_except: [health]\n", "ends in", 1},
        {"log: loud\n", "debug", 1},
        {"retain: always\n", "no duration", 1},
        {"retain: 5m\n", "between 1h", 1},
        {"retain: 4000w\nprotect_consumers: 7d\nretain: 4d", "retain", 3},
        {"protect_consumers: forever\n", "no duration", 1},
        {"disk_reserve: much\n", "", 1},
        {"network_storage: perhaps\n", "", 1},
        {"keys: ''\n", "path is empty", 1},
        {"keys: [a]\n", "", 1},
        {"insecure_loopback: true\nkeys: keys\n", "every tcp endpoint is guarded", 2},
        {"http: 5580\n", "no ADDRESS:PORT", 1},
        {"http: [a]\n", "", 1},
        {"http_hosts: broker\n", "list of at most", 1},
        {"http_hosts: ['broker:80']\n", "no port", 1},
        {"insecure_loopback: maybe\n", "", 1},
        {"- a list\n", "map", 1},
        {"just words\n", "map", 1},
        {"store: {\n", "", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *fresh = NULL;
        set_up(&fresh);
        struct rig *rig = fresh;
        if (reading(rig, cases[i].text) != TC_EPARSE || !tc_diags_count(rig->diags))
            print_error("case %zu: %s", i, cases[i].text);
        assert_true(tc_diags_count(rig->diags) >= 1);
        const struct tc_diag *diag = tc_diags_at(rig->diags, 0);
        if (cases[i].line)
            assert_int_equal(diag->line, cases[i].line);
        tc_str words = tc_str_of(cases[i].words);
        if (words.len && !memmem(diag->message.ptr, diag->message.len, words.ptr, words.len))
            print_error("case %zu: %.*s\n", i, TC_ARG(diag->message));
        assert_true(!words.len ||
                    memmem(diag->message.ptr, diag->message.len, words.ptr, words.len));
        tear_down(&fresh);
    }
}

static void all_mistakes_are_reported_at_once(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(reading(rig, "stor: x\nlisten: {fetch: udp, live: 'tcp://*:1'}\nlog: loud\n"
                                  "retain: 1m\n"),
                     TC_EPARSE);
    assert_int_equal(tc_diags_errors(rig->diags), 5);
}

static void a_file_that_is_not_there_is_said(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(settings_read("/nowhere/broker.yaml", rig->arena, rig->diags, &rig->settings),
                     TC_EIO);
    assert_int_equal(tc_diags_errors(rig->diags), 1);
}

// MUTATIONS (default 300) with MUTATION_SEED.
static void a_mistake_is_refused_with_its_line_and_what_is_none_is_taken(void **state)
{
    static const char *const lines[] = {
        "store: /a/broker.db",      "retain: 400d",
        "protect_consumers: 7d",    "disk_reserve: 96MiB",
        "network_storage: false",   "keys: keys",
        "live_except: [a/]",        "log: info",
        "http: 127.0.0.1:5580",     "http_hosts: [a.example]",
        "insecure_loopback: false", "listen: {fetch: 'ipc:///a', live: 'ipc:///b'}",
    };
    const char *seed = getenv("MUTATION_SEED"), *most = getenv("MUTATIONS");
    uint64_t number = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
    struct chance chance = chance_of(number);
    int wrong = 0, count = most ? atoi(most) : 300;
    printf("MUTATION_SEED=%llu\n", (unsigned long long)number);
    for (int i = 0; i < count; i++) {
        struct mutation made = mutation_make(&chance, lines, sizeof lines / sizeof *lines);
        struct tc_buf shown = {0};
        char place[32];
        void *rig = NULL;
        set_up(&rig);
        int code = reading(rig, made.text.ptr);
        tc_diags_print(((struct rig *)rig)->diags, false, &shown);
        snprintf(place, sizeof place, "broker.yaml:%d:", made.wrong_line);
        if ((code == TC_OK) != (made.wrong_line == 0) ||
            (made.wrong_line && !strstr(shown.ptr, place)))
            fail_msg("line %d, code %d:\n%s%s", made.wrong_line, code, made.text.ptr,
                     shown.ptr ? shown.ptr : "");
        wrong += made.wrong_line != 0;
        tear_down(&rig);
        tc_buf_done(&shown);
        tc_buf_done(&made.text);
    }
    (void)state;
    assert_true(wrong > 0 && wrong < count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistake_is_refused_with_its_line_and_what_is_none_is_taken),
        cmocka_unit_test_setup_teardown(without_a_word_the_defaults_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_relative_store_counts_from_the_folder_of_the_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_key_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_keys_a_tcp_port_may_be_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_mistake_is_refused_with_its_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_mistakes_are_reported_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_there_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
