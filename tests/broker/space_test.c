#include "broker/space.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { RESERVE = 3 * 1024 * 1024 };

struct place {
    char folder[32], path[64], ballast[80];
    struct store *store;
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/tocsin-space-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/broker.db", place->folder);
    snprintf(place->ballast, sizeof place->ballast, "%s.ballast", place->path);
    assert_int_equal(store_open(tc_str_of(place->path), &place->store, NULL), TC_OK);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    store_close(place->store);
    unlink(place->path);
    unlink(place->ballast);
    rmdir(place->folder);
    free(place);
    return 0;
}

static struct space *opened(const struct place *place, uint64_t reserve)
{
    struct space *space = NULL;
    assert_int_equal(space_open(tc_str_of(place->path), reserve, false, &space, NULL), TC_OK);
    return space;
}

static void the_reserve_is_really_on_the_disk(void **state)
{
    const struct place *place = *state;
    struct stat status;
    struct space *space = opened(place, RESERVE);
    assert_true(space_state(space)->held_back);
    assert_int_equal(stat(place->ballast, &status), 0);
    assert_int_equal(status.st_size, RESERVE);
    assert_true((uint64_t)status.st_blocks * 512 >= RESERVE);
    space_close(space);
    assert_int_equal(access(place->ballast, F_OK), 0); // for the next one
    space = opened(place, RESERVE / 3);                // another size
    assert_int_equal(stat(place->ballast, &status), 0);
    assert_int_equal(status.st_size, RESERVE / 3);
    space_close(space);
    space = opened(place, 0);
    assert_int_equal(access(place->ballast, F_OK), -1);
    space_close(space);
}

// tests/system/store_test.py fills a real disk.
static void a_write_that_failed_for_another_reason_gives_nothing_up(void **state)
{
    const struct place *place = *state;
    struct space *space = opened(place, RESERVE);
    assert_false(space_turn(space, place->store, 0));
    assert_true(space_state(space)->free_bytes > 0);
    space_met_full(space);
    assert_false(space_turn(space, place->store, 1));
    assert_false(space_state(space)->low);
    assert_int_equal(access(place->ballast, F_OK), 0);
    space_close(space);
}

static void more_than_there_is_makes_it_low(void **state)
{
    const struct place *place = *state;
    struct space *space = opened(place, (uint64_t)1 << 60);
    assert_false(space_state(space)->held_back);
    assert_true(space_state(space)->low);
    assert_false(space_turn(space, place->store, 0));
    assert_true(space_state(space)->low);
    space_close(space);
}

static void network_file_systems_have_names_and_local_ones_none(void **state)
{
    (void)state;
    assert_string_equal(space_network(0x6969), "NFS");
    assert_string_equal(space_network((long)0xff534d42), "CIFS");
    assert_null(space_network(0xef53));     // ext4
    assert_null(space_network(0x01021994)); // tmpfs
    assert_null(space_network(0x794c7630)); // overlayfs
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_reserve_is_really_on_the_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_write_that_failed_for_another_reason_gives_nothing_up,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_than_there_is_makes_it_low, set_up, tear_down),
        cmocka_unit_test(network_file_systems_have_names_and_local_ones_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
