#include "broker/age.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HOUR (INT64_C(3600) * TC_SECOND)
#define DAY (24 * HOUR)
#define WALL (INT64_C(20000) * DAY)

static const struct tc_id first_boot = {{1}}, second_boot = {{2}};

static struct age at_noon(void)
{
    struct age age;
    struct age_reading now = {WALL, 5 * DAY, first_boot};
    age_begin(&age, &now);
    return age;
}

static void within_a_boot_only_the_time_that_passed_counts(void **state)
{
    static const int64_t jumps[] = {0, HOUR, -HOUR, DAY, -DAY, 3650 * DAY, -3650 * DAY};
    (void)state;
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        struct age age = at_noon();
        struct age_reading now = {WALL + HOUR + jumps[i], 5 * DAY + HOUR, first_boot};
        age_go(&age, &now, 40 * DAY);
        assert_int_equal(age.clock_ns, WALL + HOUR);
        assert_int_equal(age_ahead_ns(&age), jumps[i]);
        now.wall_ns += HOUR - jumps[i]; // and back again
        now.boot_ns += HOUR;
        age_go(&age, &now, 40 * DAY);
        assert_int_equal(age.clock_ns, WALL + 2 * HOUR);
        assert_int_equal(age_ahead_ns(&age), 0);
    }
}

static void over_a_boot_the_wall_clock_is_believed_up_to_a_limit(void **state)
{
    static const struct {
        int64_t off, believed;
    } cases[] = {
        {3 * DAY, 3 * DAY},
        {40 * DAY, 40 * DAY},
        {3650 * DAY, 40 * DAY + HOUR},
        {-3650 * DAY, HOUR}, // since the boot an hour has passed for certain
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct age age = at_noon();
        struct age_reading now = {WALL + cases[i].off, HOUR, second_boot};
        age_go(&age, &now, 40 * DAY);
        assert_int_equal(age.clock_ns, WALL + cases[i].believed);
        assert_int_equal(age_ahead_ns(&age), cases[i].off - cases[i].believed);
    }
}

static void the_machine_tells_one_boot_and_a_clock_that_goes(void **state)
{
    struct age_reading one, two;
    (void)state;
    age_read(&one);
    age_read(&two);
    assert_true(tc_id_eq(one.boot, two.boot));
    assert_true(one.boot_ns > 0 && two.boot_ns >= one.boot_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_a_boot_only_the_time_that_passed_counts),
        cmocka_unit_test(over_a_boot_the_wall_clock_is_believed_up_to_a_limit),
        cmocka_unit_test(the_machine_tells_one_boot_and_a_clock_that_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
