#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void times_are_read_as_rfc_3339(void **state)
{
    static const struct {
        const char *text;
        const char *back; // NULL: refused
    } cases[] = {
        {"2025-03-01T05:01:00Z", "2025-03-01T05:01:00.000Z"},
        {"2025-03-01T05:01:00.123456Z", "2025-03-01T05:01:00.123Z"},
        {"2025-03-01 05:01", "2025-03-01T05:01:00.000Z"},
        {"2025-03-01", "2025-03-01T00:00:00.000Z"},
        {"2025-03-01T05:01:00+07:00", "2025-02-28T22:01:00.000Z"},
        {"2025-03-01T05:01:00-0330", "2025-03-01T08:31:00.000Z"},
        {"2024-02-29t00:00:00z", "2024-02-29T00:00:00.000Z"},
        {" 1969-12-31T23:59:59.5Z\n", "1969-12-31T23:59:59.500Z"},
        {"20250301", "2025-03-01T00:00:00.000Z"},
        {"2025-0301", NULL},
        {"202503-01", NULL},
        {"2025030", NULL},
        {"2023-02-29", NULL},
        {"2100-02-29", NULL},
        {"2025-13-01", NULL},
        {"2025-00-01", NULL},
        {"2025-01-32", NULL},
        {"2025-04-31", NULL},
        {"2025-03-01T25:00:00Z", NULL},
        {"2025-03-01T24:30:00Z", NULL},
        {"2025-03-01T05:60:00Z", NULL},
        {"2025-03-01T05:01:00.Z", NULL},
        {"2025-03-01T05:01:00Zx", NULL},
        {"2025-03-01T05:01:00+7", NULL},
        {"2025-3-1", NULL},
        {"", NULL},
        {"yesterday", NULL},
        {"9999-01-01", NULL},
        {"1600-01-01", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t wall_ns = 0;
        bool read = tc_time_read(tc_str_of(cases[i].text), &wall_ns);
        if (read != (cases[i].back != NULL))
            fail_msg("%s: %s", cases[i].text, read ? "accepted" : "refused");
        if (read) {
            char text[TC_TIME_BYTES];
            tc_time_text(wall_ns, text);
            assert_string_equal(text, cases[i].back);
        }
    }
}

static void durations_need_their_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t ns; // -1: refused
    } cases[] = {
        {"250ms", 250 * TC_MS},
        {"30s", 30 * TC_SECOND},
        {"5m", 300 * TC_SECOND},
        {"2h", 7200 * TC_SECOND},
        {"3d", 3 * 86400 * TC_SECOND},
        {"1w", 7 * 86400 * TC_SECOND},
        {"0s", 0},
        {"5", -1},
        {"s", -1},
        {"", -1},
        {"-5s", -1},
        {"5 s", -1},
        {"5S", -1},
        {"1.5h", -1},
        {"400d", 400 * 86400 * TC_SECOND},
        {"99999999999999999999s", -1},
        {"9223372036854775807w", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns = -1;
        bool read = tc_duration_read(tc_str_of(cases[i].text), &ns);
        if (read != (cases[i].ns >= 0))
            fail_msg("%s: %s", cases[i].text, read ? "accepted" : "refused");
        if (read)
            assert_true(ns == cases[i].ns);
    }
}

static void the_monotonic_clock_never_goes_back(void **state)
{
    int64_t before = tc_mono_ns();
    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t now = tc_mono_ns();
        assert_true(now >= before);
        before = now;
    }
    assert_true(tc_wall_ns() > INT64_C(1700000000) * TC_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_as_rfc_3339),
        cmocka_unit_test(durations_need_their_unit),
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
