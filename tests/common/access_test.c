#include "common/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "common/zap.h"

// Three keys that zmq_curve_keypair() made once.
#define KEY_A "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define KEY_B "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define KEY_C "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"

struct place {
    struct tc_diags *diags;
    struct tc_access *access;
    struct tc_buf shown;
};

static int make(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    place->diags = tc_diags_new();
    *state = place;
    return 0;
}

static int clean(void **state)
{
    struct place *place = *state;
    tc_access_drop(place->access);
    tc_diags_free(place->diags);
    tc_buf_done(&place->shown);
    free(place);
    return 0;
}

static int reading(struct place *place, const char *text)
{
    return tc_access_read_text(TC_STR("access.yaml"), tc_str_of(text), place->diags,
                               &place->access);
}

static const char list[] = "peers:\n"
                           "  - {name: desk, key: '" KEY_A "', roles: [subscriber], read: [a/b/]}\n"
                           "  - {name: all, key: '" KEY_B "', roles: [subscriber, admin]}\n"
                           "  - name: wire\n"
                           "    key: '" KEY_C "'\n"
                           "    roles: [watcher]\n"
                           "    write: [a/b/, health/]\n";

static const struct tc_peer *peer_of(const struct place *place, const char *key)
{
    const struct tc_peer *peer = tc_access_find(place->access, tc_str_of(key));
    assert_non_null(peer);
    return peer;
}

static void a_key_finds_its_peer_and_no_other(void **state)
{
    struct place *place = *state;
    assert_int_equal(reading(place, list), TC_OK);
    assert_int_equal(tc_access_count(place->access), 3);
    assert_true(tc_str_eq(peer_of(place, KEY_A)->name, TC_STR("desk")));
    assert_true(tc_str_eq(peer_of(place, KEY_B)->name, TC_STR("all")));
    assert_true(tc_str_eq(peer_of(place, KEY_C)->name, TC_STR("wire")));
    assert_null(tc_access_find(place->access, TC_STR("")));
    assert_null(tc_access_find(place->access, TC_STR("desk")));
    assert_null(tc_access_find(place->access, tc_str_cut(TC_STR(KEY_A), 0, 39)));
}

static void topics_are_compared_by_whole_segments(void **state)
{
    static const struct {
        const char *topic;
        bool desk, all, wire;
    } cases[] = {
        {"a/b/high/", true, true, true},
        {"a/b/", true, true, true},
        {"a/bc/high/", false, true, false},
        {"a/", false, true, false},
        {"a/b", false, true, false},
        {"", false, true, false},
        {"b/a/b/", false, true, false},
        {"health/flu/low/", false, true, true},
        {"healthy/flu/low/", false, true, false},
        {"A/b/high/", false, true, false},
    };
    struct place *place = *state;
    assert_int_equal(reading(place, list), TC_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tc_str topic = tc_str_of(cases[i].topic);
        assert_int_equal(tc_peer_reads(peer_of(place, KEY_A), topic), cases[i].desk);
        assert_int_equal(tc_peer_reads(peer_of(place, KEY_B), topic), cases[i].all);
        assert_int_equal(tc_peer_writes(peer_of(place, KEY_C), topic), cases[i].wire);
        assert_false(tc_peer_writes(peer_of(place, KEY_A), topic));
        assert_false(tc_peer_reads(peer_of(place, KEY_C), topic));
        assert_true(tc_peer_reads(NULL, topic));
    }
}

static void each_door_lets_in_its_roles(void **state)
{
    static const unsigned roles[] = {TC_ROLE_WATCHER, TC_ROLE_SUBSCRIBER, TC_ROLE_ADMIN,
                                     TC_ROLE_PUBLISHER};
    static const bool in[][4] = {[TC_DOOR_FETCH] = {true, true, true, false},
                                 [TC_DOOR_LIVE] = {false, true, false, false},
                                 [TC_DOOR_INTAKE] = {false, false, false, true}};
    const tc_str some = TC_STR("a/");
    (void)state;
    for (size_t door = 0; door < 3; door++) {
        for (size_t i = 0; i < 4; i++) {
            const struct tc_peer peer = {.roles = roles[i]};
            const struct tc_peer narrow = {.roles = roles[i], .read = &some, .read_count = 1};
            assert_int_equal(tc_door_admits((enum tc_door)door, &peer), in[door][i]);
            assert_int_equal(tc_door_admits((enum tc_door)door, &narrow),
                             in[door][i] && door != TC_DOOR_LIVE);
        }
        assert_false(tc_door_admits((enum tc_door)door, NULL));
        assert_false(tc_door_admits((enum tc_door)door, &(struct tc_peer){0}));
    }
}

static void all_mistakes_are_told_at_once_with_their_places(void **state)
{
    static const char *const expected[] = {
        "access.yaml:2:44: error[E0115]: unknown key \"raed\"",
        "access.yaml:2:12: error[E0117]: a name is",
        "access.yaml:2:20: error[E0117]: this is no public key",
        "access.yaml:2:37: error[E0117]: there is no role \"king\"",
        "access.yaml:3:5: error[E0117]: this peer has no \"roles\"",
        "access.yaml:6:12: error[E0117]: \"roles\" is a list",
        "access.yaml:7:12: error[E0117]: topics are named, but not the role watcher",
        "access.yaml:8:12: error[E0117]: this is no topic prefix",
        "access.yaml:9:11: error[E0117]: this is no topic prefix",
        "access.yaml:10:11: error[E0117]: line 4 has the same name already",
        "access.yaml:11:10: error[E0117]: line 5 has the same key already",
        "access.yaml:13:11: error[E0117]: topic prefixes are a list",
        "access.yaml:14:5: error[E0117]: a peer is a map",
        "access.yaml:15:1: error[E0115]: unknown key \"peer\"",
    };
    struct place *place = *state;
    assert_int_equal(reading(place, "peers:\n"
                                    "  - {name: X, key: 'short', roles: [king], raed: [a/]}\n"
                                    "  - {name: b, key: '" KEY_B "'}\n"
                                    "  - name: c\n"
                                    "    key: '" KEY_C "'\n"
                                    "    roles: []\n"
                                    "    write: [a/]\n"
                                    "    read: [a, a/b/,\n"
                                    "          '/']\n"
                                    "  - name: c\n"
                                    "    key: '" KEY_C "'\n"
                                    "    roles: [subscriber]\n"
                                    "    read: []\n"
                                    "  - words\n"
                                    "peer: []\n"),
                     TC_EPARSE);
    tc_diags_sort(place->diags);
    tc_diags_print(place->diags, false, &place->shown);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (!strstr(place->shown.ptr, expected[i]))
            print_error("missing \"%s\" in:\n%s", expected[i], place->shown.ptr);
        assert_non_null(strstr(place->shown.ptr, expected[i]));
    }
    assert_null(place->access);
}

static void an_empty_list_lets_nobody_in_and_an_empty_file_is_a_mistake(void **state)
{
    struct place *place = *state;
    assert_int_equal(reading(place, "peers: []\n"), TC_OK);
    assert_null(tc_access_find(place->access, TC_STR(KEY_A)));
    assert_int_equal(reading(place, ""), TC_EPARSE);
    assert_int_equal(reading(place, "peers: all\n"), TC_EPARSE);
    assert_int_equal(tc_access_read("/nowhere/access.yaml", place->diags, &place->access), TC_EIO);
}

#define ACCESS_TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACCESS_TEST(a_key_finds_its_peer_and_no_other),
        ACCESS_TEST(topics_are_compared_by_whole_segments),
        ACCESS_TEST(each_door_lets_in_its_roles),
        ACCESS_TEST(all_mistakes_are_told_at_once_with_their_places),
        ACCESS_TEST(an_empty_list_lets_nobody_in_and_an_empty_file_is_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
