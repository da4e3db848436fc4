#include "common/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void only_well_formed_utf8_is_valid(void **state)
{
    static const struct {
        tc_str text;
        size_t valid;
    } cases[] = {
        {TC_STR("plain ASCII, longer than a word"), 31},
        {TC_STR("tr\xc3\xa1nh \xc4\x91\xe1\xba\xbfn M\xe1\xbb\xb9"), 18},
        {TC_STR("\xf0\x9f\x98\x80"), 4},
        {TC_STR("\xf4\x8f\xbf\xbf"), 4},
        {TC_STR("a\xc0\xaf"), 1},         // overlong
        {TC_STR("a\xe0\x9f\xbf"), 1},     // overlong
        {TC_STR("a\xf0\x8f\xbf\xbf"), 1}, // overlong
        {TC_STR("a\xed\xa0\x80"), 1},     // surrogate
        {TC_STR("a\xf4\x90\x80\x80"), 1}, // above U+10FFFF
        {TC_STR("a\xf5\x80\x80\x80"), 1},
        {TC_STR("a\x80"), 1},
        {TC_STR("a\xe1\xba"), 1}, // cut off
        {TC_STR("12345678\xff"), 8},
        {TC_STR("1234567\xff"
                "8"),
         7},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(tc_utf8_valid(cases[i].text), cases[i].valid);
}

static void every_character_goes_there_and_back(void **state)
{
    (void)state;
    for (uint32_t character = 0; character <= 0x10ffff; character++) {
        char bytes[4];
        size_t at = 0;
        if (character >= 0xd800 && character <= 0xdfff)
            continue;
        tc_str text = {bytes, tc_utf8_put(character, bytes)};
        assert_int_equal(tc_utf8_next(text, &at), character);
        assert_int_equal(at, text.len);
    }
}

static void a_bad_byte_is_passed_alone(void **state)
{
    tc_str text = TC_STR("\xe1\xba"
                         "a");
    size_t at = 0;
    (void)state;
    assert_int_equal(tc_utf8_next(text, &at), 0xfffd);
    assert_int_equal(at, 1);
    assert_int_equal(tc_utf8_count(text), 3);
}

static void a_cut_ends_between_characters(void **state)
{
    tc_str text = TC_STR("a\xe1\xba\xbf"
                         "b");
    (void)state;
    assert_int_equal(tc_utf8_cut(text, 0).len, 0);
    assert_int_equal(tc_utf8_cut(text, 2).len, 1);
    assert_int_equal(tc_utf8_cut(text, 3).len, 1);
    assert_int_equal(tc_utf8_cut(text, 4).len, 4);
    assert_int_equal(tc_utf8_cut(text, 99).len, 5);
}

static void marks_are_narrow_and_han_is_wide(void **state)
{
    (void)state;
    assert_int_equal(tc_utf8_width('a'), 1);
    assert_int_equal(tc_utf8_width(0x1ef9), 1);  // y with tilde
    assert_int_equal(tc_utf8_width(0x0303), 0);  // combining tilde
    assert_int_equal(tc_utf8_width(0x4e2d), 2);  // han
    assert_int_equal(tc_utf8_width(0xac00), 2);  // hangul
    assert_int_equal(tc_utf8_width(0xff21), 2);  // full-width A
    assert_int_equal(tc_utf8_width(0x1f600), 2); // emoji
    assert_int_equal(tc_utf8_width(0x200b), 0);
    assert_int_equal(tc_utf8_width(0x10ffff), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_well_formed_utf8_is_valid),
        cmocka_unit_test(every_character_goes_there_and_back),
        cmocka_unit_test(a_bad_byte_is_passed_alone),
        cmocka_unit_test(a_cut_ends_between_characters),
        cmocka_unit_test(marks_are_narrow_and_han_is_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
