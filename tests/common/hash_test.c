#include "common/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_id(struct tc_id id, const char *expected)
{
    char text[TC_ID_TEXT_BYTES];
    tc_id_text(id, text);
    assert_string_equal(text, expected);
}

static void a_document_is_known_by_sha_256(void **state)
{
    (void)state; // FIPS 180-4, examples
    assert_id(tc_id_of_bytes(TC_STR("abc")), "ba7816bf8f01cfea414140de5dae2223");
    assert_id(tc_id_of_bytes((tc_str){NULL, 0}), "e3b0c44298fc1c149afbf4c8996fb924");
}

static void parts_are_told_apart_by_their_lengths(void **state)
{
    const tc_str one[] = {TC_STR("ab"), TC_STR("c")}, other[] = {TC_STR("a"), TC_STR("bc")};
    const tc_str empty_behind[] = {TC_STR("ab"), TC_STR("c"), {NULL, 0}};
    (void)state;
    assert_false(tc_id_eq(tc_id_of(one, 2), tc_id_of(other, 2)));
    assert_false(tc_id_eq(tc_id_of(one, 2), tc_id_of(empty_behind, 3)));
    assert_true(tc_id_eq(tc_id_of(one, 2), tc_id_of(one, 2)));
    // sha256 of 02000000 "ab" 01000000 "c", made with another program
    assert_id(tc_id_of(one, 2), "60014a36d7b05b0730e42a8b96faa1ff");
}

static void the_checksum_is_that_of_zlib_and_goes_on(void **state)
{
    (void)state;
    assert_int_equal(tc_crc32(0, TC_STR("123456789")), 0xcbf43926);
    assert_int_equal(tc_crc32(tc_crc32(0, TC_STR("1234")), TC_STR("56789")), 0xcbf43926);
    assert_int_equal(tc_crc32(0xcbf43926, (tc_str){"", 0}), 0xcbf43926);
    assert_int_equal(tc_crc32(0xcbf43926, (tc_str){NULL, 0}), 0xcbf43926);
}

static void random_ids_differ(void **state)
{
    (void)state;
    assert_false(tc_id_eq(tc_id_random(), tc_id_random()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_known_by_sha_256),
        cmocka_unit_test(parts_are_told_apart_by_their_lengths),
        cmocka_unit_test(the_checksum_is_that_of_zlib_and_goes_on),
        cmocka_unit_test(random_ids_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
