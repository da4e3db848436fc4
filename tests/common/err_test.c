#include "common/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_failure_gives_its_code_back(void **state)
{
    struct tc_err err = {.file = "old", .line = 3};
    (void)state;
    assert_int_equal(tc_fail(&err, TC_EFULL, "%d of %d", 3, 2), TC_EFULL);
    assert_int_equal(err.code, TC_EFULL);
    assert_string_equal(err.text, "3 of 2");
    assert_string_equal(err.file, "");
    assert_int_equal(err.line, 0);
    assert_int_equal(tc_fail(NULL, TC_EIO, "nobody listens"), TC_EIO);
}

static void a_place_travels_with_the_failure(void **state)
{
    struct tc_err err = {0};
    (void)state;
    assert_int_equal(tc_fail_at(&err, TC_EPARSE, "w.yaml", 7, 30, "wrong"), TC_EPARSE);
    assert_int_equal(tc_err_prefix(&err, "reading %s", "watches"), TC_EPARSE);
    assert_string_equal(err.text, "reading watches: wrong");
    assert_string_equal(err.file, "w.yaml");
    assert_int_equal(err.line, 7);
    assert_int_equal(err.column, 30);
    assert_int_equal(tc_err_prefix(NULL, "x"), TC_EIO);
}

static void texts_that_are_too_long_are_cut(void **state)
{
    static char text[2 * TC_ERR_TEXT_BYTES];
    struct tc_err err = {0};
    (void)state;
    memset(text, 'x', sizeof text - 1);
    tc_fail_at(&err, TC_EPARSE, text, 1, 1, "%s", text);
    assert_int_equal(strlen(err.text), TC_ERR_TEXT_BYTES - 1);
    assert_int_equal(strlen(err.file), TC_ERR_FILE_BYTES - 1);
    tc_err_prefix(&err, "before");
    assert_int_equal(strlen(err.text), TC_ERR_TEXT_BYTES - 1);
    tc_err_prefix(&err, "%s", text);
    assert_int_equal(strlen(err.text), TC_ERR_TEXT_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_gives_its_code_back),
        cmocka_unit_test(a_place_travels_with_the_failure),
        cmocka_unit_test(texts_that_are_too_long_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
