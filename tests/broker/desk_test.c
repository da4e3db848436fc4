#include "tests/broker/rig.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static struct rig rig;
    rig_open(&rig);
    rig_begin(&rig);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_close(*state);
    return 0;
}

static void who_asks_from_inside_may_only_read(void **state)
{
    static const struct {
        const char *command, *header, *reply;
    } cases[] = {
        {"STATS", "{}", "STATS"},
        {"FETCH", "{\"after\":0}", "BATCH"},
        {"FETCH", "{\"consumer\":\"desk\"}", "ERR"},
        {"ACK", "{\"consumer\":\"desk\",\"seq\":0}", "ERR"},
        {"HELLO", "{\"role\":\"watcher\",\"name\":\"x\",\"session\":\"" RIG_SESSION "\"}", "ERR"},
        {"HB", "{\"session\":\"" RIG_SESSION "\"}", "ERR"},
        {"PUT", "{}", "ERR"},
        {"WATCH", "{}", "ERR"},
    };
    struct rig *rig = *state;
    rig->inside = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct rig_answer *answer = rig_ask(rig, cases[i].command, cases[i].header);
        assert_string_equal(answer->reply, cases[i].reply);
        if (strcmp(answer->reply, "ERR") == 0)
            assert_string_equal(rig_text(answer, "code"), "denied");
    }
    rig->inside = false;
    const struct rig_answer *answer = rig_ask(rig, "STATS", "{}");
    assert_int_equal(json_array_size(json_object_get(answer->header, "consumers")), 0);
}

static void stats_say_that_the_broker_ends(void **state)
{
    struct rig *rig = *state;
    const struct rig_answer *answer = rig_ask(rig, "STATS", "{}");
    assert_true(json_is_false(json_object_get(answer->header, "stopping")));
    desk_stopping(rig->desk);
    answer = rig_ask(rig, "STATS", "{}");
    assert_true(json_is_true(json_object_get(answer->header, "stopping")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_asks_from_inside_may_only_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stats_say_that_the_broker_ends, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
