#include "common/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void order_is_by_bytes_and_then_by_length(void **state)
{
    static const struct {
        tc_str a, b;
        int sign;
    } cases[] = {
        {{"", 0}, {NULL, 0}, 0},          {TC_STR("a"), TC_STR("b"), -1},
        {TC_STR("b"), TC_STR("a"), 1},    {TC_STR("a"), TC_STR("ab"), -1},
        {TC_STR("\xff"), TC_STR("a"), 1}, {TC_STR("a\0b"), TC_STR("a\0c"), -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int order = tc_str_cmp(cases[i].a, cases[i].b);
        assert_int_equal((order > 0) - (order < 0), cases[i].sign);
        assert_int_equal(tc_str_eq(cases[i].a, cases[i].b), cases[i].sign == 0);
    }
}

static void a_cut_never_leaves_its_string(void **state)
{
    tc_str text = TC_STR("abcdef");
    (void)state;
    assert_true(tc_str_eq(tc_str_cut(text, 1, 3), TC_STR("bc")));
    assert_true(tc_str_eq(tc_str_cut(text, 4, 99), TC_STR("ef")));
    assert_int_equal(tc_str_cut(text, 99, 100).len, 0);
    assert_int_equal(tc_str_cut(text, 5, 2).len, 0);
    assert_int_equal(tc_str_cut((tc_str){NULL, 0}, 0, 9).len, 0);
}

static void starts_and_ends_compare_whole_bytes(void **state)
{
    (void)state;
    assert_true(tc_str_starts(TC_STR("china/x"), TC_STR("china/")));
    assert_false(tc_str_starts(TC_STR("china-sea/"), TC_STR("china/")));
    assert_false(tc_str_starts(TC_STR("a"), TC_STR("ab")));
    assert_true(tc_str_ends(TC_STR("x.jsonl"), TC_STR(".jsonl")));
    assert_false(tc_str_ends(TC_STR("l"), TC_STR(".jsonl")));
    assert_true(tc_str_ends(TC_STR("x"), (tc_str){NULL, 0}));
}

static void trimming_takes_ascii_white_space_only(void **state)
{
    (void)state;
    assert_true(tc_str_eq(tc_str_trim(TC_STR(" \t\r\n a b \v\f")), TC_STR("a b")));
    assert_int_equal(tc_str_trim(TC_STR(" \n ")).len, 0);
    assert_true(tc_str_eq(tc_str_trim(TC_STR("\xc2\xa0x")), TC_STR("\xc2\xa0x")));
}

static void parts_come_with_the_empty_one_at_the_end(void **state)
{
    static const char *const expected[] = {"a", "", "b", ""};
    tc_str rest = TC_STR("a,,b,"), part = {0};
    size_t count = 0;
    (void)state;
    while (tc_str_next(&rest, ',', &part)) {
        assert_true(count < 4);
        assert_true(tc_str_eq(part, tc_str_of(expected[count++])));
    }
    assert_int_equal(count, 4);
}

static void numbers_are_digits_that_fit(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},
        {"007", true, 7},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1x", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 0;
        assert_int_equal(tc_str_u64(tc_str_of(cases[i].text), &value), cases[i].ok);
        assert_true(value == cases[i].value);
    }
}

static void hex_goes_there_and_back(void **state)
{
    const unsigned char bytes[] = {0x00, 0x7f, 0x80, 0xff, 0xa5};
    unsigned char back[sizeof bytes];
    char text[2 * sizeof bytes + 1];
    (void)state;
    tc_hex(bytes, sizeof bytes, text);
    assert_string_equal(text, "007f80ffa5");
    assert_true(tc_unhex(TC_STR("007F80FFA5"), back, sizeof back));
    assert_memory_equal(bytes, back, sizeof bytes);
    assert_false(tc_unhex(TC_STR("007f80ffa"), back, sizeof back));
    assert_false(tc_unhex(TC_STR("007f80ffag"), back, sizeof back));
    assert_false(tc_unhex(TC_STR("007f80ffa5a5"), back, sizeof back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_by_bytes_and_then_by_length),
        cmocka_unit_test(a_cut_never_leaves_its_string),
        cmocka_unit_test(starts_and_ends_compare_whole_bytes),
        cmocka_unit_test(trimming_takes_ascii_white_space_only),
        cmocka_unit_test(parts_come_with_the_empty_one_at_the_end),
        cmocka_unit_test(numbers_are_digits_that_fit),
        cmocka_unit_test(hex_goes_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
