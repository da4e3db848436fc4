#include "common/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void an_empty_buffer_is_an_empty_text(void **state)
{
    struct tc_buf buf = {0};
    (void)state;
    assert_int_equal(tc_buf_view(&buf).len, 0);
    assert_non_null(tc_buf_view(&buf).ptr);
    tc_buf_done(&buf);
    tc_buf_done(&buf);
}

static void what_is_added_stands_in_order_and_ends_in_zero(void **state)
{
    struct tc_buf buf = {0};
    (void)state;
    tc_buf_puts(&buf, "a");
    tc_buf_str(&buf, TC_STR("b\0c"));
    tc_buf_byte(&buf, 'd');
    tc_buf_addf(&buf, "%d-%s", 42, "x");
    tc_buf_str(&buf, (tc_str){NULL, 0});
    assert_true(tc_str_eq(tc_buf_view(&buf), TC_STR("ab\0cd42-x")));
    assert_int_equal(buf.ptr[buf.len], 0);
    tc_buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    tc_buf_done(&buf);
}

static void integers_are_little_endian(void **state)
{
    static const unsigned char expected[] = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f,
                                             0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08};
    struct tc_buf buf = {0};
    (void)state;
    tc_buf_u8(&buf, 0x01);
    tc_buf_u16(&buf, 0x0203);
    tc_buf_u32(&buf, 0x04050607);
    tc_buf_u64(&buf, UINT64_C(0x08090a0b0c0d0e0f));
    assert_int_equal(buf.len, sizeof expected);
    assert_memory_equal(buf.ptr, expected, sizeof expected);
    tc_buf_done(&buf);
}

static void growing_keeps_the_bytes(void **state)
{
    struct tc_buf buf = {0};
    (void)state;
    for (int i = 0; i < 100000; i++)
        tc_buf_byte(&buf, (char)i);
    assert_int_equal(buf.len, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buf.ptr[i], (char)i);
    tc_buf_done(&buf);
}

static void a_failed_reservation_stops_all_adding(void **state)
{
    struct tc_buf buf = {0};
    (void)state;
    tc_buf_puts(&buf, "kept");
    assert_null(tc_buf_reserve(&buf, SIZE_MAX - 2));
    assert_true(buf.failed);
    tc_buf_puts(&buf, "lost");
    tc_buf_addf(&buf, "%d", 1);
    assert_true(tc_str_eq(tc_buf_view(&buf), TC_STR("kept")));
    tc_buf_clear(&buf);
    tc_buf_puts(&buf, "again");
    assert_true(tc_str_eq(tc_buf_view(&buf), TC_STR("again")));
    tc_buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_text),
        cmocka_unit_test(what_is_added_stands_in_order_and_ends_in_zero),
        cmocka_unit_test(integers_are_little_endian),
        cmocka_unit_test(growing_keeps_the_bytes),
        cmocka_unit_test(a_failed_reservation_stops_all_adding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
