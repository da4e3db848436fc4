// The link to the broker against a real ROUTER socket; the test plays the broker.
#include "watcher/outbox/submit.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <zmq.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/frame.h"
#include "common/json.h"
#include "common/sock.h"
#include "tests/watcher/scratch.h"

enum { PATIENCE_MS = 20000 };

struct stage {
    struct scratch scratch;
    char endpoint[SCRATCH_PATH];
    void *zmq, *router;
    struct outbox *outbox;
    struct submit *submit;
    struct tc_frames *frames; // the request in hand
    struct tc_request request;
    json_t *header;
    struct tc_err err;
    size_t refusals, ups, downs, resubmits, replaced;
};

static void tell(void *context, const char *event, const struct tc_err *err)
{
    struct stage *stage = context;
    (void)err;
    stage->refusals += strcmp(event, "link.refused") == 0;
    stage->ups += strcmp(event, "link.up") == 0;
    stage->downs += strcmp(event, "link.down") == 0;
    stage->replaced += strcmp(event, "link.replaced") == 0;
    stage->resubmits += strcmp(event, "link.resubmit") == 0;
}

static void ok(struct stage *stage, int code)
{
    if (code != TC_OK)
        fail_msg("%s", stage->err.text);
}

static void open_broker(struct stage *stage)
{
    ok(stage, tc_sock_open(stage->zmq, TC_SOCK_ROUTER, tc_str_of(stage->endpoint), true,
                           &stage->router, &stage->err));
}

static void open_submit(struct stage *stage)
{
    struct outbox_settings settings = {.dir = tc_str_of(stage->scratch.root),
                                       .horizon_ns = OUTBOX_HORIZON_NS,
                                       .horizon_bytes = OUTBOX_HORIZON_BYTES};
    ok(stage, outbox_open(&settings, &stage->outbox, &stage->err));
    ok(stage, submit_open(stage->zmq, NULL, tc_str_of(stage->endpoint), TC_STR("watcher"),
                          stage->outbox, tell, stage, &stage->submit, &stage->err));
}

static int make(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    scratch_make(&stage->scratch);
    snprintf(stage->endpoint, sizeof stage->endpoint, "ipc://%s/broker.sock", stage->scratch.root);
    stage->zmq = zmq_ctx_new();
    stage->frames = tc_frames_new();
    open_broker(stage);
    open_submit(stage);
    *state = stage;
    return 0;
}

static int clean(void **state)
{
    struct stage *stage = *state;
    submit_close(stage->submit);
    outbox_close(stage->outbox);
    tc_sock_close(stage->router);
    json_decref(stage->header);
    tc_frames_free(stage->frames);
    zmq_ctx_term(stage->zmq);
    scratch_remove(&stage->scratch);
    free(stage);
    return 0;
}

static void add(struct stage *stage, const char *id)
{
    struct outbox_article article = {.source = TC_STR("wire"),
                                     .id = tc_str_of(id),
                                     .version = 1,
                                     .content = tc_id_of_bytes(tc_str_of(id)),
                                     .header = tc_str_of(id),
                                     .hits = TC_STR("hits")};
    ok(stage, outbox_begin(stage->outbox, &stage->err));
    ok(stage, outbox_add(stage->outbox, &article, &stage->err));
    ok(stage, outbox_commit(stage->outbox, &stage->err));
    submit_wake(stage->submit);
}

// Lets the watcher work until a request other than HB (unless that is wanted) has come, which must be `command`.
static void expect(struct stage *stage, const char *command)
{
    int64_t until = tc_mono_ns() + PATIENCE_MS * TC_MS;
    while (tc_mono_ns() < until) {
        zmq_pollitem_t items[] = {{.socket = stage->router, .events = ZMQ_POLLIN},
                                  {.socket = submit_socket(stage->submit), .events = ZMQ_POLLIN}};
        ok(stage, submit_turn(stage->submit, &stage->err));
        items[1].socket = submit_socket(stage->submit);
        zmq_poll(items, items[1].socket ? 2 : 1, submit_wait_ms(stage->submit, tc_mono_ns()));
        if (tc_frames_receive(stage->frames, stage->router, NULL) != TC_OK)
            continue;
        ok(stage, tc_frames_request(stage->frames, &stage->request, &stage->err));
        json_decref(stage->header);
        stage->header = NULL;
        ok(stage, tc_json_read(stage->request.header, &stage->header, &stage->err));
        if (tc_str_eq(stage->request.command, TC_STR("HB")) && strcmp(command, "HB") != 0)
            continue;
        assert_true(tc_str_eq(stage->request.command, tc_str_of(command)));
        return;
    }
    fail_msg("%s did not come", command);
}

static uint64_t number(struct stage *stage, const char *key)
{
    uint64_t value = 0;
    assert_true(tc_json_get_u64(stage->header, key, &value));
    return value;
}

static tc_str payload(struct stage *stage, size_t index)
{
    return tc_frames_at(stage->frames, stage->request.payload + index);
}

// Answers the request in hand; `members` go behind its rid.
static void answer(struct stage *stage, const char *reply, const char *members)
{
    char header[2048];
    int len = snprintf(header, sizeof header, "{\"rid\":%llu%s}",
                       (unsigned long long)number(stage, "rid"), members);
    ok(stage,
       tc_frames_send_envelope(stage->router, stage->frames, stage->request.envelope, &stage->err));
    ok(stage, tc_frame_send(stage->router, TC_STR("T1"), true, &stage->err));
    ok(stage, tc_frame_send(stage->router, tc_str_of(reply), true, &stage->err));
    ok(stage, tc_frame_send(stage->router, (tc_str){header, (size_t)len}, false, &stage->err));
}

#define WELCOME(epoch)                                                                             \
    ",\"epoch\":\"" epoch "\",\"head\":0,\"hhead\":0,\"first\":1,"                                 \
    "\"limits\":{\"batch_articles\":64,\"batch_bytes\":1048576}"

static void welcome(struct stage *stage)
{
    expect(stage, "HELLO");
    answer(stage, "WELCOME", WELCOME("00112233445566778899aabbccddeeff"));
}

static void hear_verdicts(struct stage *stage)
{
    int64_t until = tc_mono_ns() + PATIENCE_MS * TC_MS;
    while (!submit_any(stage->submit) && tc_mono_ns() < until) {
        zmq_pollitem_t item = {.socket = submit_socket(stage->submit), .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, submit_wait_ms(stage->submit, tc_mono_ns()));
        ok(stage, submit_turn(stage->submit, &stage->err));
    }
}

// Lets verdicts arrive and writes them, as the keeper does.
static void write_verdicts(struct stage *stage)
{
    hear_verdicts(stage);
    ok(stage, outbox_begin(stage->outbox, &stage->err));
    ok(stage, submit_write(stage->submit, 1000, &stage->err));
    ok(stage, outbox_commit(stage->outbox, &stage->err));
    submit_written(stage->submit);
}

static void what_waits_is_sent_and_what_is_stored_waits_no_more(void **state)
{
    struct stage *stage = *state;
    add(stage, "one");
    add(stage, "two");
    welcome(stage);
    expect(stage, "PUT");
    assert_int_equal(number(stage, "batch"), 1);
    assert_int_equal(number(stage, "n"), 2);
    assert_true(tc_str_eq(payload(stage, 0), TC_STR("one")));
    assert_true(tc_str_eq(payload(stage, 1), TC_STR("hits")));
    assert_true(tc_str_eq(payload(stage, 2), TC_STR("two")));
    answer(stage, "ACK",
           ",\"batch\":1,\"items\":[{\"stored\":1,\"duplicate\":0,\"hseq\":1},"
           "{\"stored\":2,\"duplicate\":0,\"hseq\":3}]");
    write_verdicts(stage);
    assert_int_equal(outbox_counts(stage->outbox).waiting, 0);
    assert_int_equal(outbox_counts(stage->outbox).acked, 2);
    assert_true(submit_up(stage->submit));
    assert_int_equal(stage->ups, 1);
}

static void the_next_hello_names_what_was_acknowledged_last(void **state)
{
    struct stage *stage = *state;
    add(stage, "one");
    expect(stage, "HELLO");
    assert_null(json_object_get(stage->header, "last_acked"));
    welcome(stage);
    expect(stage, "PUT");
    answer(stage, "ACK",
           ",\"batch\":1,\"items\":[{\"stored\":1,\"duplicate\":0,\"hseq\":17}],"
           "\"run\":\"0123456789abcdef0123456789abcdef\",\"commit\":5");
    write_verdicts(stage);
    submit_close(stage->submit);
    outbox_close(stage->outbox);
    stage->submit = NULL;
    open_submit(stage);
    expect(stage, "HELLO");
    const json_t *last = json_object_get(stage->header, "last_acked");
    uint64_t hseq = 0;
    assert_true(tc_json_get_u64(last, "hseq", &hseq));
    assert_int_equal(hseq, 17);
    assert_true(tc_json_get_u64(last, "commit", &hseq));
    assert_int_equal(hseq, 5);
    assert_true(
        tc_str_eq(tc_json_get_str(last, "run"), TC_STR("0123456789abcdef0123456789abcdef")));
    assert_true(
        tc_str_eq(tc_json_get_str(last, "epoch"), TC_STR("00112233445566778899aabbccddeeff")));
}

static void what_was_sent_before_a_restart_is_sent_again(void **state)
{
    struct stage *stage = *state;
    add(stage, "one");
    welcome(stage);
    expect(stage, "PUT");
    submit_close(stage->submit); // the answer is lost with the process
    outbox_close(stage->outbox);
    stage->submit = NULL;
    open_submit(stage);
    welcome(stage);
    expect(stage, "PUT");
    assert_int_equal(number(stage, "batch"), 1);
    assert_true(tc_str_eq(payload(stage, 0), TC_STR("one")));
    answer(stage, "ACK", ",\"batch\":1,\"items\":[{\"stored\":0,\"duplicate\":1,\"hseq\":1}]");
    write_verdicts(stage);
    assert_int_equal(outbox_counts(stage->outbox).acked, 1);
}

static void what_another_history_confirmed_is_sent_to_the_new_one(void **state)
{
    struct stage *stage = *state;
    add(stage, "one");
    welcome(stage);
    expect(stage, "PUT");
    answer(stage, "ACK", ",\"batch\":1,\"items\":[{\"stored\":1,\"duplicate\":0,\"hseq\":17}]");
    hear_verdicts(stage); // and the broker is replaced before they are written
    add(stage, "two");
    expect(stage, "PUT");
    answer(stage, "NAK", ",\"reason\":\"session\"");
    expect(stage, "HELLO");
    answer(stage, "WELCOME", WELCOME("ffeeddccbbaa99887766554433221100"));
    expect(stage, "PUT");
    assert_int_equal(number(stage, "n"), 2);
    assert_true(tc_str_eq(payload(stage, 0), TC_STR("one")));
    assert_true(tc_str_eq(payload(stage, 2), TC_STR("two")));
}

static bool recovered(struct stage *stage)
{
    return json_is_true(json_object_get(stage->header, "recovered"));
}

static void what_the_history_lacks_is_sent_again_before_what_is_new(void **state)
{
    struct stage *stage = *state;
    add(stage, "one");
    add(stage, "two");
    welcome(stage);
    expect(stage, "PUT");
    assert_false(recovered(stage));
    answer(stage, "ACK",
           ",\"batch\":1,\"items\":[{\"stored\":1,\"duplicate\":0,\"hseq\":1},"
           "{\"stored\":1,\"duplicate\":0,\"hseq\":2}],"
           "\"run\":\"0123456789abcdef0123456789abcdef\",\"commit\":5");
    write_verdicts(stage);
    add(stage, "three");
    expect(stage, "PUT");
    answer(stage, "ACK",
           ",\"batch\":2,\"items\":[{\"stored\":1,\"duplicate\":0,\"hseq\":3}],"
           "\"run\":\"0123456789abcdef0123456789abcdef\",\"commit\":6");
    hear_verdicts(stage); // not written when the broker is replaced
    add(stage, "four");
    expect(stage, "PUT");
    answer(stage, "NAK", ",\"batch\":3,\"reason\":\"session\",\"retry_ms\":0");
    expect(stage, "HELLO");
    answer(stage, "WELCOME",
           WELCOME("00112233445566778899aabbccddeeff") ",\"resubmit\":{\"since\":3}");
    expect(stage, "PUT");
    assert_true(recovered(stage));
    assert_int_equal(number(stage, "n"), 2);
    assert_true(tc_str_eq(payload(stage, 0), TC_STR("one")));
    assert_int_equal(stage->resubmits, 1);
    assert_int_equal(outbox_counts(stage->outbox).resubmitted, 2);
    expect(stage, "PUT");
    assert_false(recovered(stage));
    assert_int_equal(number(stage, "n"), 2);
    assert_true(tc_str_eq(payload(stage, 0), TC_STR("three")));
    assert_true(tc_str_eq(payload(stage, 2), TC_STR("four")));
    expect(stage, "PUT"); // the first again: it was not answered
    assert_int_equal(number(stage, "batch"), 1);
    assert_true(recovered(stage));
}

static void who_has_nothing_to_put_says_hello_to_a_new_broker_too(void **state)
{
    struct stage *stage = *state;
    welcome(stage);
    expect(stage, "HB");
    answer(stage, "NAK", ",\"reason\":\"session\"");
    expect(stage, "HELLO");
}

static void two_of_one_name_are_told_of_once(void **state)
{
    struct stage *stage = *state;
    expect(stage, "HELLO");
    assert_int_equal(number(stage, "life"), 1);
    assert_false(json_is_true(json_object_get(stage->header, "yield")));
    answer(stage, "NAK", ",\"reason\":\"replaced\",\"retry_ms\":10000");
    expect(stage, "HELLO");
    assert_int_equal(number(stage, "life"), 2);
    assert_true(json_is_true(json_object_get(stage->header, "yield")));
    assert_true(submit_replaced(stage->submit));
    assert_int_equal(stage->replaced, 1);
    answer(stage, "WELCOME", WELCOME("00112233445566778899aabbccddeeff"));
    expect(stage, "HB");
    assert_false(submit_replaced(stage->submit));
}

static void a_rejected_article_is_buried_with_its_reason(void **state)
{
    struct stage *stage = *state;
    add(stage, "one");
    add(stage, "two");
    welcome(stage);
    expect(stage, "PUT");
    answer(stage, "ACK",
           ",\"batch\":1,\"items\":[{\"rejected\":\"the HITS frame is cut off\"},"
           "{\"stored\":1,\"duplicate\":0,\"hseq\":1}]");
    write_verdicts(stage);
    assert_int_equal(outbox_counts(stage->outbox).dead, 1);
    assert_int_equal(outbox_counts(stage->outbox).acked, 1);
}

static void a_watch_that_the_broker_does_not_know_is_explained(void **state)
{
    struct stage *stage = *state;
    char members[200], hex[TC_ID_TEXT_BYTES];
    tc_str definition = TC_STR("{\"name\":\"a/b\"}");
    struct tc_id hash = tc_id_of_bytes(definition);
    ok(stage, outbox_define(stage->outbox, hash, definition, &stage->err));
    add(stage, "one");
    welcome(stage);
    expect(stage, "PUT");
    tc_id_text(hash, hex);
    snprintf(members, sizeof members,
             ",\"batch\":1,\"reason\":\"watch\",\"retry_ms\":0,\"need\":[\"%s\"]", hex);
    answer(stage, "NAK", members);
    expect(stage, "WATCH");
    assert_int_equal(number(stage, "n"), 1);
    assert_true(tc_str_eq(payload(stage, 0), definition));
    answer(stage, "OK", "");
    expect(stage, "PUT");
    assert_int_equal(number(stage, "batch"), 1);
    assert_int_equal(stage->refusals, 0);
}

static void an_unanswered_batch_is_sent_again_as_it_was(void **state)
{
    struct stage *stage = *state;
    add(stage, "one");
    welcome(stage);
    expect(stage, "PUT");
    uint64_t first = number(stage, "rid");
    add(stage, "two");
    expect(stage, "PUT"); // batch 2
    assert_int_equal(number(stage, "batch"), 2);
    expect(stage, "PUT");
    assert_int_equal(number(stage, "batch"), 1);
    assert_int_equal(number(stage, "n"), 1);
    assert_true(number(stage, "rid") > first);
    assert_true(tc_str_eq(payload(stage, 0), TC_STR("one")));
}

static void a_broker_that_comes_back_is_found_again(void **state)
{
    struct stage *stage = *state;
    welcome(stage);
    add(stage, "one");
    expect(stage, "PUT");
    tc_sock_close(stage->router); // its session, and whatever it has not stored, is gone
    open_broker(stage);
    expect(stage, "PUT");
    answer(stage, "NAK", ",\"batch\":1,\"reason\":\"session\",\"retry_ms\":0");
    welcome(stage);
    expect(stage, "PUT");
    assert_int_equal(number(stage, "batch"), 1);
    assert_int_equal(stage->downs, 1);
    assert_int_equal(stage->ups, 2);
}

static void an_item_that_breaks_a_batch_is_found_and_buried(void **state)
{
    struct stage *stage = *state;
    add(stage, "one");
    add(stage, "two");
    welcome(stage);
    expect(stage, "PUT");
    assert_int_equal(number(stage, "n"), 2);
    answer(stage, "ERR", ",\"code\":\"payload\",\"reason\":\"nonsense\"");
    welcome(stage);
    expect(stage, "PUT");
    assert_int_equal(number(stage, "n"), 1);
    answer(stage, "ERR", ",\"code\":\"payload\",\"reason\":\"nonsense\"");
    write_verdicts(stage);
    assert_int_equal(outbox_counts(stage->outbox).dead, 1);
    assert_int_equal(outbox_counts(stage->outbox).waiting, 1);
}

static void a_malformed_endpoint_is_refused(void **state)
{
    struct stage *stage = *state;
    struct submit *submit = NULL;
    assert_int_equal(submit_open(stage->zmq, NULL, TC_STR("nonsense"), TC_STR("w"), stage->outbox,
                                 tell, stage, &submit, &stage->err),
                     TC_EINVAL);
}

#define SUBMIT_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUBMIT_TEST(what_waits_is_sent_and_what_is_stored_waits_no_more),
        SUBMIT_TEST(the_next_hello_names_what_was_acknowledged_last),
        SUBMIT_TEST(what_was_sent_before_a_restart_is_sent_again),
        SUBMIT_TEST(what_another_history_confirmed_is_sent_to_the_new_one),
        SUBMIT_TEST(what_the_history_lacks_is_sent_again_before_what_is_new),
        SUBMIT_TEST(who_has_nothing_to_put_says_hello_to_a_new_broker_too),
        SUBMIT_TEST(two_of_one_name_are_told_of_once),
        SUBMIT_TEST(a_rejected_article_is_buried_with_its_reason),
        SUBMIT_TEST(a_watch_that_the_broker_does_not_know_is_explained),
        SUBMIT_TEST(an_unanswered_batch_is_sent_again_as_it_was),
        SUBMIT_TEST(a_broker_that_comes_back_is_found_again),
        SUBMIT_TEST(an_item_that_breaks_a_batch_is_found_and_buried),
        SUBMIT_TEST(a_malformed_endpoint_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
