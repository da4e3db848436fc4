// Consumers at the desk: who may go on, from where, and what the one before is told.
#include "broker/lease.h"

#include "common/clock.h"
#include "tests/broker/rig.h"

#include <jansson.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NO_LEASE "00000000000000000000000000000000"

// A store with ten alerts.
static int set_up(void **state)
{
    struct rig *rig = malloc(sizeof *rig);
    rig_open(rig);
    rig_begin(rig);
    rig_put(rig, "watcher", 1, "article", 10);
    assert_int_equal(rig_turn(rig), TC_OK);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_close(*state);
    free(*state);
    return 0;
}

// Asks with a header in which @ stands for `lease`.
static const struct rig_answer *ask(struct rig *rig, const char *command, const char *header,
                                    const char *lease)
{
    char text[1024], *end = text;
    for (const char *from = header; *from; from++) {
        if (from[0] == '@')
            end += sprintf(end, "%s", lease);
        else
            *end++ = *from;
    }
    *end = '\0';
    return rig_ask(rig, command, text);
}

static void expect_refused(const struct rig_answer *answer, const char *code)
{
    if (strcmp(answer->reply, "ERR") != 0 || strcmp(rig_text(answer, "code"), code) != 0)
        fail_msg("%s %s: %s", answer->reply, rig_text(answer, "code"), rig_text(answer, "reason"));
}

static void expect_cursor(const struct rig_answer *answer, uint64_t cursor)
{
    if (strcmp(answer->reply, "ERR") == 0)
        fail_msg("%s", rig_text(answer, "reason"));
    assert_int_equal(rig_number(answer, "cursor"), cursor);
}

static void attach(struct rig *rig, const char *header, char *lease)
{
    const struct rig_answer *answer = rig_ask(rig, "ATTACH", header);
    assert_string_equal(answer->reply, "LEASE");
    snprintf(lease, TC_ID_TEXT_BYTES, "%s", rig_text(answer, "token"));
}

static void who_attaches_reads_and_acknowledges_and_the_one_before_is_fenced(void **state)
{
    struct rig *rig = *state;
    char first[TC_ID_TEXT_BYTES], second[TC_ID_TEXT_BYTES];
    attach(rig, "{\"consumer\":\"desk\"}", first);
    assert_int_equal(
        ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\",\"max_n\":4}", first)->count, 4);
    expect_cursor(ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":4}", first), 4);
    attach(rig, "{\"consumer\":\"desk\"}", second);
    assert_string_not_equal(first, second);
    expect_refused(ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\"}", first), "fenced");
    expect_refused(ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":9}", first),
                   "fenced");
    expect_refused(ask(rig, "SEEK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"after\":0}", first),
                   "fenced");
    expect_refused(ask(rig, "DETACH", "{\"consumer\":\"desk\",\"lease\":\"@\"}", first), "fenced");
    const struct rig_answer *answer =
        ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\"}", second);
    assert_int_equal(rig_sequence(answer, 0), 5);
}

static void a_waiting_fetch_of_the_one_before_is_answered_fenced(void **state)
{
    struct rig *rig = *state;
    char first[TC_ID_TEXT_BYTES], second[TC_ID_TEXT_BYTES], header[256];
    attach(rig, "{\"consumer\":\"desk\",\"start\":\"latest\"}", first);
    snprintf(header, sizeof header,
             "{\"rid\":5,\"consumer\":\"desk\",\"lease\":\"%s\",\"wait_ms\":9000}", first);
    rig_send(rig, "old", "FETCH", header, NULL, 0);
    rig_send(rig, "other", "FETCH", "{\"rid\":6,\"after\":\"latest\",\"wait_ms\":9000}", NULL, 0);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig->count, 0);
    attach(rig, "{\"consumer\":\"desk\"}", second);
    assert_int_equal(rig->count, 2);
    assert_string_equal(rig->answers[1].peer, "old");
    expect_refused(&rig->answers[1], "fenced");
    assert_int_equal(rig_number(&rig->answers[1], "rid"), 5);
    assert_int_equal(rig_number(rig_ask(rig, "STATS", "{}"), "parked"), 1);
}

static void of_two_that_attach_and_ask_in_one_turn_the_later_has_it(void **state)
{
    struct rig *rig = *state;
    char first[TC_ID_TEXT_BYTES], header[256];
    attach(rig, "{\"consumer\":\"desk\"}", first);
    snprintf(header, sizeof header, "{\"consumer\":\"desk\",\"lease\":\"%s\"}", first);
    rig_send(rig, "old", "FETCH", header, NULL, 0);
    rig_send(rig, "new", "ATTACH", "{\"consumer\":\"desk\"}", NULL, 0);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig->count, 2);
    assert_string_equal(rig->answers[0].reply, "LEASE");
    expect_refused(&rig->answers[1], "fenced");
}

static void a_lease_survives_a_restart(void **state)
{
    struct rig *rig = *state;
    char first[TC_ID_TEXT_BYTES], second[TC_ID_TEXT_BYTES];
    attach(rig, "{\"consumer\":\"desk\"}", first);
    attach(rig, "{\"consumer\":\"desk\"}", second);
    rig_restart(rig);
    expect_refused(ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\"}", first), "fenced");
    expect_cursor(ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":3}", second), 3);
}

static void without_a_lease_a_name_is_read_only_while_nobody_holds_it(void **state)
{
    struct rig *rig = *state;
    char lease[TC_ID_TEXT_BYTES];
    expect_cursor(rig_ask(rig, "ACK", "{\"consumer\":\"desk\",\"seq\":2}"), 2);
    attach(rig, "{\"consumer\":\"desk\"}", lease);
    expect_refused(rig_ask(rig, "ACK", "{\"consumer\":\"desk\",\"seq\":3}"), "fenced");
    expect_refused(rig_ask(rig, "FETCH", "{\"consumer\":\"desk\"}"), "fenced");
    expect_refused(rig_ask(rig, "FETCH", "{\"consumer\":\"desk\",\"after\":0}"), "fenced");
    expect_cursor(ask(rig, "DETACH", "{\"consumer\":\"desk\",\"lease\":\"@\"}", lease), 2);
    expect_cursor(rig_ask(rig, "ACK", "{\"consumer\":\"desk\",\"seq\":3}"), 3);
    expect_refused(ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":4}", lease),
                   "fenced");
    expect_refused(rig_ask(rig, "FETCH", "{\"consumer\":\"no\",\"lease\":\"" NO_LEASE "\"}"),
                   "fenced");
}

static void filters_stay_with_the_name(void **state)
{
    struct rig *rig = *state;
    char lease[TC_ID_TEXT_BYTES];
    attach(rig, "{\"consumer\":\"desk\",\"filters\":[\"label.desk=sport\"]}", lease);
    rig_restart(rig);
    const struct rig_answer *answer =
        ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\"}", lease);
    assert_int_equal(answer->count, 0);
    assert_int_equal(rig_number(answer, "next_after"), 10);
    answer =
        ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\",\"filters\":[\"news/\"]}", lease);
    assert_int_equal(answer->count, 10);
    attach(rig, "{\"consumer\":\"desk\"}", lease); // says nothing of filters: they stay
    assert_int_equal(ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\"}", lease)->count, 0);
    attach(rig, "{\"consumer\":\"desk\",\"filters\":[]}", lease);
    assert_int_equal(ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\"}", lease)->count,
                     10);
    expect_refused(rig_ask(rig, "ATTACH", "{\"consumer\":\"desk\",\"filters\":[\"x\"]}"), "header");
}

static void seek_goes_back_and_to_places_that_have_names(void **state)
{
    static const struct {
        const char *where;
        uint64_t cursor;
    } cases[] = {
        {"\"after\":7", 7},
        {"\"after\":2", 2},
        {"\"after\":\"latest\"", 10},
        {"\"after\":\"earliest\"", 0},
        {"\"since\":\"2199-01-01T00:00:00Z\"", 10},
    };
    struct rig *rig = *state;
    char lease[TC_ID_TEXT_BYTES], header[128];
    attach(rig, "{\"consumer\":\"desk\"}", lease);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(header, sizeof header, "{\"consumer\":\"desk\",\"lease\":\"@\",%s}",
                 cases[i].where);
        expect_cursor(ask(rig, "SEEK", header, lease), cases[i].cursor);
    }
    expect_refused(ask(rig, "SEEK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"after\":11}", lease),
                   "header");
    expect_refused(ask(rig, "SEEK", "{\"consumer\":\"desk\",\"lease\":\"@\"}", lease), "header");
    expect_refused(rig_ask(rig, "SEEK", "{\"consumer\":\"nobody\",\"after\":1}"), "header");
    ask(rig, "SEEK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"after\":3}", lease);
    rig_restart(rig);
    const struct rig_answer *answer =
        ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\"}", lease);
    assert_int_equal(rig_sequence(answer, 0), 4);
}

static void change(struct rig *rig, const char *sql)
{
    sqlite3 *db = NULL;
    desk_close(rig->desk);
    store_close(rig->store);
    rig->desk = NULL;
    rig->store = NULL;
    assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    rig_restart(rig);
}

static void a_cursor_of_another_history_waits_for_seek(void **state)
{
    struct rig *rig = *state;
    char lease[TC_ID_TEXT_BYTES];
    attach(rig, "{\"consumer\":\"desk\"}", lease);
    change(rig, "UPDATE meta SET value = x'000102030405060708090a0b0c0d0e0f' WHERE key = 'epoch'");
    const struct rig_answer *answer =
        ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\"}", lease);
    expect_refused(answer, "epoch");
    assert_string_equal(rig_text(answer, "epoch"), "000102030405060708090a0b0c0d0e0f");
    expect_refused(ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":1}", lease),
                   "epoch");
    answer = rig_ask(rig, "ATTACH", "{\"consumer\":\"desk\"}");
    assert_string_equal(answer->reply, "LEASE");
    assert_string_not_equal(rig_text(answer, "cursor_epoch"), rig_text(answer, "epoch"));
    snprintf(lease, sizeof lease, "%s", rig_text(answer, "token"));
    expect_refused(rig_ask(rig, "ATTACH", "{\"consumer\":\"desk\",\"epoch\":\"" NO_LEASE "\"}"),
                   "epoch");
    expect_cursor(ask(rig, "SEEK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"after\":0}", lease),
                  0);
    assert_int_equal(ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\"}", lease)->count,
                     10);
}

static void behind_a_gap_nothing_comes_until_the_client_says_that_it_knows(void **state)
{
    struct rig *rig = *state;
    const struct rig_answer *answer = rig_ask(rig, "ACK", "{\"consumer\":\"desk\",\"seq\":2}");
    assert_string_equal(answer->reply, "OK");
    assert_int_equal(desk_settle(rig->desk, rig->mono_ns, NULL), TC_OK);
    change(rig, "DELETE FROM alert WHERE seq <= 6; INSERT INTO meta VALUES('first', 7)");
    answer = rig_ask(rig, "FETCH", "{\"consumer\":\"desk\",\"wait_ms\":1000}");
    const json_t *gap = json_object_get(answer->header, "gap");
    assert_int_equal(answer->count, 0);
    assert_int_equal(rig_number(answer, "next_after"), 2);
    assert_int_equal(json_integer_value(json_object_get(gap, "from")), 3);
    assert_int_equal(json_integer_value(json_object_get(gap, "to")), 6);
    assert_int_equal(json_integer_value(json_object_get(gap, "count")), 4);
    answer = rig_ask(rig, "FETCH", "{\"consumer\":\"desk\",\"allow_gap\":true}");
    assert_int_equal(answer->count, 4);
    assert_non_null(json_object_get(answer->header, "gap"));
    expect_cursor(rig_ask(rig, "SEEK", "{\"consumer\":\"desk\",\"after\":\"earliest\"}"), 6);
    answer = rig_ask(rig, "FETCH", "{\"consumer\":\"desk\"}");
    assert_int_equal(answer->count, 4);
    assert_null(json_object_get(answer->header, "gap"));
    answer = rig_ask(rig, "FETCH", "{\"after\":\"earliest\"}");
    assert_int_equal(answer->count, 4);
}

static void an_acknowledgement_costs_no_commit_of_its_own_and_goes_with_the_next(void **state)
{
    struct rig *rig = *state;
    char lease[TC_ID_TEXT_BYTES];
    attach(rig, "{\"consumer\":\"desk\"}", lease);
    expect_cursor(ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":3}", lease), 3);
    assert_int_equal(desk_next_mono_ns(rig->desk), rig->mono_ns + TC_SECOND);
    rig_restart(rig); // as a crash: nobody has settled
    expect_cursor(ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":1}", lease), 1);
    rig->mono_ns += TC_SECOND;
    assert_int_equal(rig_turn(rig), TC_OK); // its time has come
    assert_int_equal(desk_next_mono_ns(rig->desk), INT64_MAX);
    rig_restart(rig);
    expect_cursor(ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":0}", lease), 1);
    ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":4}", lease);
    rig_begin(rig);
    rig_put(rig, "watcher", 1, "more", 1); // another commit takes it along
    assert_int_equal(rig_turn(rig), TC_OK);
    rig_restart(rig);
    expect_cursor(ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":0}", lease), 4);
    expect_cursor(
        ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":5,\"sync\":true}", lease),
        5);
    rig_restart(rig);
    expect_cursor(ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":0}", lease), 5);
}

static void fetch_can_acknowledge_what_came_before(void **state)
{
    struct rig *rig = *state;
    char lease[TC_ID_TEXT_BYTES];
    attach(rig, "{\"consumer\":\"desk\"}", lease);
    const struct rig_answer *answer =
        ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\",\"ack\":4}", lease);
    assert_int_equal(rig_sequence(answer, 0), 5);
    expect_refused(ask(rig, "FETCH", "{\"consumer\":\"desk\",\"lease\":\"@\",\"ack\":11}", lease),
                   "header");
    expect_cursor(ask(rig, "ACK", "{\"consumer\":\"desk\",\"lease\":\"@\",\"seq\":0}", lease), 4);
}

static void a_name_belongs_to_the_key_that_made_it(void **state)
{
    static const struct tc_peer anna = {.name = TC_STR("anna"), .roles = TC_ROLE_SUBSCRIBER};
    static const struct tc_peer ben = {.name = TC_STR("ben"), .roles = TC_ROLE_SUBSCRIBER};
    static const struct tc_peer boss = {.name = TC_STR("boss"),
                                        .roles = TC_ROLE_SUBSCRIBER | TC_ROLE_ADMIN};
    static const char *const commands[] = {"ATTACH", "FETCH", "ACK", "SEEK", "DETACH"};
    static const char *const headers[] = {
        "{\"consumer\":\"desk\"}", "{\"consumer\":\"desk\"}", "{\"consumer\":\"desk\",\"seq\":1}",
        "{\"consumer\":\"desk\",\"after\":1}", "{\"consumer\":\"desk\"}"};
    struct rig *rig = *state;
    char lease[TC_ID_TEXT_BYTES];
    rig->peer = &anna;
    assert_string_equal(rig_ask(rig, "FETCH", headers[1])->reply, "BATCH");
    rig->peer = &ben;
    for (size_t i = 0; i < 5; i++)
        expect_refused(rig_ask(rig, commands[i], headers[i]), "denied");
    expect_refused(rig_ask(rig, "CONSUMERS", "{}"), "denied");
    rig_restart(rig);
    expect_refused(rig_ask(rig, "FETCH", headers[1]), "denied");
    rig->peer = &boss; // an admin may take over, and give free
    attach(rig, headers[0], lease);
    expect_cursor(rig_ask(rig, "CONSUMERS", "{\"do\":\"release\",\"consumer\":\"desk\"}"), 0);
    rig->peer = &ben; // the first that comes has it now
    assert_string_equal(rig_ask(rig, "FETCH", headers[1])->reply, "BATCH");
    rig->peer = &anna;
    expect_refused(rig_ask(rig, "FETCH", headers[1]), "denied");
    rig->peer = NULL; // the machine's own users may do everything
    expect_cursor(rig_ask(rig, "ACK", "{\"consumer\":\"desk\",\"seq\":1}"), 1);
    assert_string_equal(rig_ask(rig, "FETCH", "{\"consumer\":\"local\"}")->reply, "BATCH");
    rig->peer = &anna;
    expect_refused(rig_ask(rig, "FETCH", "{\"consumer\":\"local\"}"), "denied");
}

static void consumers_are_listed_in_pages_and_dropped(void **state)
{
    struct rig *rig = *state;
    char header[96], lease[TC_ID_TEXT_BYTES];
    for (int i = 0; i < 120; i++) {
        snprintf(header, sizeof header, "{\"consumer\":\"c%03d\",\"seq\":%d}", i, i % 10);
        assert_string_equal(rig_ask(rig, "ACK", header)->reply, "OK");
    }
    const struct rig_answer *answer = rig_ask(rig, "CONSUMERS", "{}");
    assert_int_equal(answer->count, 100);
    assert_int_equal(rig_number(answer, "count"), 120);
    assert_string_equal(rig_text(answer, "next"), "c099");
    answer = rig_ask(rig, "CONSUMERS", "{\"after\":\"c099\"}");
    assert_int_equal(answer->count, 20);
    assert_null(json_object_get(answer->header, "next"));
    attach(rig, "{\"consumer\":\"c007\"}", lease);
    assert_string_equal(rig_ask(rig, "CONSUMERS", "{\"do\":\"drop\",\"consumer\":\"c007\"}")->reply,
                        "OK");
    expect_refused(ask(rig, "FETCH", "{\"consumer\":\"c007\",\"lease\":\"@\"}", lease), "fenced");
    expect_refused(rig_ask(rig, "CONSUMERS", "{\"do\":\"drop\",\"consumer\":\"c007\"}"), "header");
    expect_refused(rig_ask(rig, "CONSUMERS", "{\"do\":\"sing\",\"consumer\":\"c008\"}"), "header");
    rig_restart(rig);
    assert_int_equal(rig_number(rig_ask(rig, "CONSUMERS", "{}"), "count"), 119);
}

int main(void)
{
#define FACT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FACT(who_attaches_reads_and_acknowledges_and_the_one_before_is_fenced),
        FACT(a_waiting_fetch_of_the_one_before_is_answered_fenced),
        FACT(of_two_that_attach_and_ask_in_one_turn_the_later_has_it),
        FACT(a_lease_survives_a_restart),
        FACT(without_a_lease_a_name_is_read_only_while_nobody_holds_it),
        FACT(filters_stay_with_the_name),
        FACT(seek_goes_back_and_to_places_that_have_names),
        FACT(a_cursor_of_another_history_waits_for_seek),
        FACT(behind_a_gap_nothing_comes_until_the_client_says_that_it_knows),
        FACT(an_acknowledgement_costs_no_commit_of_its_own_and_goes_with_the_next),
        FACT(fetch_can_acknowledge_what_came_before),
        FACT(a_name_belongs_to_the_key_that_made_it),
        FACT(consumers_are_listed_in_pages_and_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
