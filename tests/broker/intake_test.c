#include "broker/intake.h"

#include "common/clock.h"
#include "tests/broker/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

static int set_up(void **state)
{
    struct rig *rig = malloc(sizeof *rig);
    rig_open(rig);
    rig_begin(rig);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_close(*state);
    free(*state);
    return 0;
}

static uint64_t item_number(const struct rig_answer *answer, const char *key)
{
    uint64_t value = 999;
    tc_json_get_u64(json_array_get(json_object_get(answer->header, "items"), 0), key, &value);
    return value;
}

static void all_batches_of_a_turn_share_one_commit_and_are_answered_in_order(void **state)
{
    struct rig *rig = *state;
    rig_put(rig, "a", 1, "one", 2);
    rig_put(rig, "a", 2, "two", 3);
    assert_int_equal(rig->count, 1); // still WATCH's: nothing is answered before the commit
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig->count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(rig->answers[i].reply, "ACK");
        assert_int_equal(rig_number(&rig->answers[i], "batch"), i + 1);
        assert_int_equal(rig_number(&rig->answers[i], "rid"), i + 1);
        assert_int_equal(item_number(&rig->answers[i], "stored"), i + 2);
    }
    assert_int_equal(item_number(&rig->answers[1], "hseq"), 5);
}

static void a_repeated_batch_stores_nothing_again(void **state)
{
    struct rig *rig = *state;
    for (int i = 0; i < 3; i++) {
        rig_put(rig, "a", 1, "one", 2);
        assert_int_equal(rig_turn(rig), TC_OK);
        assert_int_equal(item_number(&rig->answers[0], "stored"), i ? 0 : 2);
        assert_int_equal(item_number(&rig->answers[0], "duplicate"), i ? 2 : 0);
        assert_int_equal(item_number(&rig->answers[0], "hseq"), 2);
    }
    assert_int_equal(store_marks(rig->store)->hhead, 2);
    assert_int_equal(store_marks(rig->store)->head, 2);
}

static void a_hole_between_batches_is_refused_and_a_repeat_is_not(void **state)
{
    static const struct {
        unsigned batch;
        const char *reply;
        uint64_t expected;
    } steps[] = {{2, "NAK", 1}, {0, "NAK", 1}, {1, "ACK", 0}, {3, "NAK", 2}, {1, "ACK", 0},
                 {2, "ACK", 0}, {1, "ACK", 0}, {4, "NAK", 3}, {3, "ACK", 0}};
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        rig_put(rig, "a", steps[i].batch, "one", 1);
        assert_int_equal(rig_turn(rig), TC_OK);
        assert_string_equal(rig->answers[0].reply, steps[i].reply);
        if (steps[i].expected) {
            assert_string_equal(rig_text(&rig->answers[0], "reason"), "batch");
            assert_int_equal(rig_number(&rig->answers[0], "expected_batch"), steps[i].expected);
        }
    }
}

static void a_newer_session_of_a_name_ends_the_older(void **state)
{
    struct rig *rig = *state;
    rig_ask(
        rig, "HELLO",
        "{\"role\":\"watcher\",\"name\":\"rig\",\"session\":\"ffffffffffffffffffffffffffffffff\"}");
    rig_put(rig, "a", 1, "one", 1);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_string_equal(rig->answers[0].reply, "NAK");
    assert_string_equal(rig_text(&rig->answers[0], "reason"), "replaced");
    const struct rig_answer *beat = rig_ask(rig, "HB", "{\"session\":\"" RIG_SESSION "\"}");
    assert_string_equal(beat->reply, "NAK");
    assert_string_equal(rig_text(beat, "reason"), "replaced");
    rig_put(rig, "a", 1, "one", 1);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(store_marks(rig->store)->hhead, 0);
}

// Says HELLO as session `session` (a digit) of instance `instance` (a digit, 0: none).
static bool welcome(struct rig *rig, int session, int instance, int life, bool yield)
{
    char header[300], more[100] = "";
    if (instance)
        snprintf(more, sizeof more, ",\"instance\":\"%032d\",\"life\":%d", instance, life);
    snprintf(header, sizeof header,
             "{\"role\":\"watcher\",\"name\":\"twin\",\"session\":\"%032d\"%s%s}", session, more,
             yield ? ",\"yield\":true" : "");
    const struct rig_answer *answer = rig_ask(rig, "HELLO", header);
    if (strcmp(answer->reply, "WELCOME") == 0)
        return true;
    assert_string_equal(answer->reply, "NAK");
    assert_string_equal(rig_text(answer, "reason"), "replaced");
    assert_int_equal(rig_number(answer, "retry_ms"), SESSION_ALIVE_MS);
    return false;
}

static bool beats(struct rig *rig, int session)
{
    char header[100];
    snprintf(header, sizeof header, "{\"session\":\"%032d\"}", session);
    return strcmp(rig_ask(rig, "HB", header)->reply, "HB") == 0;
}

static void who_was_replaced_is_let_in_again_when_the_other_is_gone(void **state)
{
    struct rig *rig = *state;
    assert_true(welcome(rig, 1, 1, 1, false));
    assert_true(welcome(rig, 2, 2, 1, false));
    for (int second = 0; second < 60; second++) { // the other beats
        rig->mono_ns += TC_SECOND;
        assert_true(beats(rig, 2));
        assert_false(beats(rig, 1));
        assert_false(welcome(rig, 3, 1, 2 + second, true));
    }
    rig->wall_ns += 3600 * TC_SECOND; // a jump of the clock does not make it look gone
    assert_false(welcome(rig, 3, 1, 70, true));
    rig->mono_ns += SESSION_ALIVE_MS * TC_MS;
    assert_true(welcome(rig, 3, 1, 71, true));
    assert_true(beats(rig, 3));
}

static void greetings_of_dead_connections_take_nothing_away(void **state)
{
    struct rig *rig = *state;
    assert_true(welcome(rig, 3, 1, 3, false)); // the newest comes first
    assert_false(welcome(rig, 1, 1, 1, false));
    assert_false(welcome(rig, 2, 1, 2, false));
    assert_true(beats(rig, 3));
    assert_true(welcome(rig, 3, 1, 3, false)); // the same again
    assert_true(welcome(rig, 4, 1, 4, false)); // and a newer one at any time
    assert_true(beats(rig, 4));
}

static void a_watcher_that_tells_no_instance_begins_anew_whenever_it_comes(void **state)
{
    struct rig *rig = *state;
    for (int session = 1; session < 100; session++) {
        assert_true(welcome(rig, session, 0, 0, false));
        assert_true(beats(rig, session));
        assert_true(session == 1 || !beats(rig, session - 1));
    }
}

// What the broker asks for when a watcher names this as its last_acked: 0 for nothing.
static uint64_t resubmit_since(struct rig *rig, const char *epoch, uint64_t hseq, const char *run,
                               uint64_t commit)
{
    char header[400], place[120] = "";
    uint64_t since = 0;
    if (run)
        snprintf(place, sizeof place, ",\"run\":\"%s\",\"commit\":%llu", run,
                 (unsigned long long)commit);
    snprintf(header, sizeof header,
             "{\"role\":\"watcher\",\"name\":\"rig\",\"session\":\"" RIG_SESSION "\","
             "\"last_acked\":{\"epoch\":\"%s\",\"hseq\":%llu%s}}",
             epoch, (unsigned long long)hseq, place);
    const struct rig_answer *answer = rig_ask(rig, "HELLO", header);
    assert_string_equal(answer->reply, "WELCOME");
    tc_json_get_u64(json_object_get(answer->header, "resubmit"), "since", &since);
    return since;
}

static void a_history_asks_for_what_it_lacks_even_when_it_has_grown_beyond_that(void **state)
{
    static const char other[] = "0123456789abcdef0123456789abcdef";
    struct rig *rig = *state;
    char epoch[TC_ID_TEXT_BYTES], run[TC_ID_TEXT_BYTES], next[TC_ID_TEXT_BYTES];
    for (unsigned batch = 1; batch <= 3; batch++) {
        rig_put(rig, "a", batch, batch == 1 ? "one" : batch == 2 ? "two" : "three", 1);
        assert_int_equal(rig_turn(rig), TC_OK);
    }
    snprintf(epoch, sizeof epoch, "%s", rig_text(&rig->answers[0], "epoch"));
    snprintf(run, sizeof run, "%s", rig_text(&rig->answers[0], "run"));
    assert_int_equal(rig_number(&rig->answers[0], "commit"), 3);
    rig_put(rig, "a", 3, "three", 1); // a duplicate is as safe as its first coming
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig_number(&rig->answers[0], "commit"), 3);
    assert_int_equal(resubmit_since(rig, epoch, 3, run, 3), 0);
    assert_int_equal(resubmit_since(rig, epoch, 9, run, 5), 4);
    assert_int_equal(resubmit_since(rig, epoch, 1, other, 1), 1);
    assert_int_equal(resubmit_since(rig, other, 3, run, 3), 0); // a backup that was put in place
    assert_int_equal(resubmit_since(rig, other, 9, run, 9), 4);
    assert_int_equal(resubmit_since(rig, other, 1, NULL, 0), 1);
    assert_int_equal(resubmit_since(rig, epoch, 3, NULL, 0), 0);
    assert_int_equal(resubmit_since(rig, epoch, 4, NULL, 0), 1);

    rig_restart(rig); // as with an older copy that ended here
    rig_begin(rig);
    rig_put(rig, "a", 1, "four", 20);
    assert_int_equal(rig_turn(rig), TC_OK);
    snprintf(next, sizeof next, "%s", rig_text(&rig->answers[0], "run"));
    assert_string_not_equal(run, next);
    assert_int_equal(resubmit_since(rig, epoch, 5, run, 5), 4); // although hit 5 is there
    assert_int_equal(resubmit_since(rig, epoch, 3, run, 3), 0);
    assert_int_equal(resubmit_since(rig, epoch, 23, next, 4), 0);
}

static void what_is_recovered_says_so_and_only_what_is_new_is_stored(void **state)
{
    struct rig *rig = *state;
    struct tc_buf record = {0}, hits = {0};
    rig_put(rig, "a", 1, "one", 1);
    assert_int_equal(rig_turn(rig), TC_OK);
    rig_frames("one", 3, &record, &hits);
    tc_str frames[] = {tc_buf_view(&record), tc_buf_view(&hits)};
    rig_send(rig, "a", "PUT",
             "{\"session\":\"" RIG_SESSION "\",\"batch\":2,\"n\":1,\"recovered\":true}", frames, 2);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(item_number(&rig->answers[0], "stored"), 2);
    assert_int_equal(item_number(&rig->answers[0], "duplicate"), 1);
    assert_int_equal(rig_number(rig_ask(rig, "STATS", "{}"), "recovered"), 2);
    const struct rig_answer *batch = rig_ask(rig, "FETCH", "{}");
    assert_int_equal(batch->count, 3);
    for (size_t i = 0; i < 3; i++) {
        tc_str event =
            tc_str_cut(tc_buf_view(&batch->frames), i ? batch->ends[i - 1] : 0, batch->ends[i]);
        assert_int_equal(tc_event_recovered(event), i > 0);
    }
    rig_send(rig, "a", "PUT",
             "{\"session\":\"" RIG_SESSION "\",\"batch\":3,\"n\":1,\"recovered\":1}", frames, 2);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_string_equal(rig_text(&rig->answers[0], "code"), "header");
    tc_buf_done(&record);
    tc_buf_done(&hits);
}

static void a_heartbeat_of_an_unknown_session_is_told_so(void **state)
{
    struct rig *rig = *state;
    assert_string_equal(rig_ask(rig, "HB", "{\"session\":\"" RIG_SESSION "\"}")->reply, "HB");
    rig_restart(rig);
    const struct rig_answer *answer =
        rig_ask(rig, "HB", "{\"rid\":7,\"session\":\"" RIG_SESSION "\"}");
    assert_string_equal(answer->reply, "NAK");
    assert_string_equal(rig_text(answer, "reason"), "session");
    assert_int_equal(rig_number(answer, "rid"), 7);
}

static void definitions_and_hits_survive_a_restart(void **state)
{
    struct rig *rig = *state;
    rig_put(rig, "a", 1, "one", 1);
    assert_int_equal(rig_turn(rig), TC_OK);
    rig_restart(rig);
    rig_ask(rig, "HELLO",
            "{\"role\":\"watcher\",\"name\":\"rig\",\"session\":\"" RIG_SESSION "\"}");
    assert_int_equal(rig_number(&rig->answers[0], "hhead"), 1);
    rig_put(rig, "a", 1, "two", 1);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_string_equal(rig->answers[0].reply, "ACK");
    assert_int_equal(item_number(&rig->answers[0], "hseq"), 2);
}

static void a_definition_that_is_none_is_refused_and_its_neighbours_too(void **state)
{
    struct rig *rig = *state;
    tc_str bodies[] = {TC_STR("{\"name\":\"a/b\",\"severity\":\"low\"}"), TC_STR("{}")};
    rig_send(rig, "a", "WATCH", "{\"session\":\"" RIG_SESSION "\",\"n\":2}", bodies, 2);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_string_equal(rig->answers[0].reply, "ERR");
    assert_string_equal(rig_text(&rig->answers[0], "code"), "payload");
    assert_non_null(strstr(rig_text(&rig->answers[0], "reason"), "definition 1"));
    assert_int_equal(store_watch_count(rig->store), 1);
}

static void a_batch_of_several_articles_has_a_limit_in_bytes(void **state)
{
    struct rig *rig = *state;
    size_t large = INTAKE_BATCH_BYTES;
    char *bytes = calloc(1, large);
    tc_str frames[] = {TC_STR("{}"), {bytes, large}, TC_STR("{}"), TC_STR("")};
    rig_send(rig, "a", "PUT", "{\"session\":\"" RIG_SESSION "\",\"batch\":1,\"n\":2}", frames, 4);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_string_equal(rig_text(&rig->answers[0], "code"), "limit");
    free(bytes);
}

static void a_notice_is_kept_once_and_makes_no_alert(void **state)
{
    struct rig *rig = *state;
    rig_put(rig, "a", 1, "one", 0);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_string_equal(rig->answers[0].reply, "ACK");
    assert_int_equal(item_number(&rig->answers[0], "stored"), 0);
    assert_int_equal(item_number(&rig->answers[0], "hseq"), 0);
    assert_int_equal(rig_number(&rig->answers[0], "commit"), 1); // it counts: it can be lost, too
    rig_put(rig, "a", 1, "one", 0);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(rig_number(&rig->answers[0], "commit"), 1);
    assert_int_equal(store_marks(rig->store)->hhead, 0);
    assert_int_equal(store_marks(rig->store)->head, 0);
    assert_int_equal(rig_number(rig_ask(rig, "STATS", "{}"), "notices"), 2);
}

static void each_cut_of_a_batch_is_rejected_not_stored(void **state)
{
    struct rig *rig = *state;
    struct tc_buf record = {0}, hits = {0};
    unsigned batch = 1;
    rig_frames("one", 1, &record, &hits);
    for (size_t cut = 0; cut < hits.len; cut += 3) {
        char header[96];
        tc_str frames[] = {tc_buf_view(&record), {hits.ptr, cut}};
        snprintf(header, sizeof header, "{\"session\":\"" RIG_SESSION "\",\"batch\":%u,\"n\":1}",
                 batch++);
        rig_send(rig, "a", "PUT", header, frames, 2);
        assert_int_equal(rig_turn(rig), TC_OK);
        assert_string_equal(rig->answers[0].reply, "ACK");
        assert_int_equal(item_number(&rig->answers[0], "stored"), 999);
    }
    assert_int_equal(store_marks(rig->store)->hhead, 0);
    assert_int_equal(rig_number(rig_ask(rig, "STATS", "{}"), "rejected"), batch - 1);
    tc_buf_done(&record);
    tc_buf_done(&hits);
}

static void the_longest_answers_fit_their_header(void **state)
{
    struct rig *rig = *state;
    tc_str frames[2 * INTAKE_ARTICLES_MOST];
    char nasty[200], header[128];
    struct tc_buf record = {0}, hits = {0};
    memset(nasty, '"', sizeof nasty);
    for (size_t i = 0; i < INTAKE_ARTICLES_MOST; i++) {
        frames[2 * i] = (tc_str){nasty, sizeof nasty};
        frames[2 * i + 1] = TC_STR("");
    }
    snprintf(header, sizeof header, "{\"session\":\"" RIG_SESSION "\",\"batch\":1,\"n\":%d}",
             INTAKE_ARTICLES_MOST);
    rig_send(rig, "a", "PUT", header, frames, 2 * INTAKE_ARTICLES_MOST);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_int_equal(json_array_size(json_object_get(rig->answers[0].header, "items")),
                     INTAKE_ARTICLES_MOST);
    assert_true(rig->answers[0].header_bytes <= 16 * 1024);

    tc_buf_puts(&record, "{\"id\":\"x\",\"source\":\"wire\",\"version\":1,"
                         "\"seen\":\"2025-03-01\",\"segments\":[]}");
    tc_hits_begin(&hits);
    for (unsigned segment = 0; segment < 2 * INTAKE_NEED_MOST; segment++) {
        struct tc_hit hit = {.watch = TC_STR("a/b"), .severity = TC_STR("low"), .segment = segment};
        hit.id = tc_hit_id(hit.watch, TC_STR("wire"), TC_STR("x"), 1, segment);
        hit.watch_hash = hit.id;
        tc_hits_add(&hits, &hit);
    }
    tc_hits_finish(&hits, tc_buf_view(&record));
    tc_str pair[] = {tc_buf_view(&record), tc_buf_view(&hits)};
    rig_send(rig, "a", "PUT", "{\"session\":\"" RIG_SESSION "\",\"batch\":2,\"n\":1}", pair, 2);
    assert_int_equal(rig_turn(rig), TC_OK);
    assert_string_equal(rig_text(&rig->answers[0], "reason"), "watch");
    assert_int_equal(json_array_size(json_object_get(rig->answers[0].header, "need")),
                     INTAKE_NEED_MOST);
    assert_true(rig->answers[0].header_bytes <= 16 * 1024);
    tc_buf_done(&record);
    tc_buf_done(&hits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            all_batches_of_a_turn_share_one_commit_and_are_answered_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeated_batch_stores_nothing_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hole_between_batches_is_refused_and_a_repeat_is_not,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_newer_session_of_a_name_ends_the_older, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_history_asks_for_what_it_lacks_even_when_it_has_grown_beyond_that, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_recovered_says_so_and_only_what_is_new_is_stored,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_was_replaced_is_let_in_again_when_the_other_is_gone,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(greetings_of_dead_connections_take_nothing_away, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_watcher_that_tells_no_instance_begins_anew_whenever_it_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_heartbeat_of_an_unknown_session_is_told_so, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(definitions_and_hits_survive_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_definition_that_is_none_is_refused_and_its_neighbours_too,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_batch_of_several_articles_has_a_limit_in_bytes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_notice_is_kept_once_and_makes_no_alert, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_longest_answers_fit_their_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_cut_of_a_batch_is_rejected_not_stored, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
