#include "common/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    struct tc_arena *arena = tc_arena_new();
    char *before = NULL;
    (void)state;
    for (size_t bytes = 1; bytes < 3000; bytes += 7) {
        char *piece = tc_arena_take(arena, bytes);
        assert_int_equal((uintptr_t)piece % _Alignof(int64_t), 0);
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(piece[i], 0);
        memset(piece, 0xa5, bytes);
        assert_ptr_not_equal(piece, before);
        before = piece;
    }
    tc_arena_free(arena);
}

static void a_piece_larger_than_a_block_fits(void **state)
{
    struct tc_arena *arena = tc_arena_new();
    char *large = tc_arena_bytes(arena, 5 << 20);
    (void)state;
    memset(large, 1, 5 << 20);
    assert_true(tc_arena_held(arena) >= 5 << 20);
    tc_arena_empty(arena);
    assert_true(tc_arena_held(arena) < 1 << 20);
    tc_arena_free(arena);
    tc_arena_free(NULL);
}

static void copies_end_in_a_zero_byte(void **state)
{
    struct tc_arena *arena = tc_arena_new();
    tc_str copy = tc_arena_str(arena, TC_STR("a\0b"));
    (void)state;
    assert_true(tc_str_eq(copy, TC_STR("a\0b")));
    assert_int_equal(copy.ptr[copy.len], 0);
    assert_int_equal(tc_arena_str(arena, (tc_str){NULL, 0}).len, 0);
    tc_str text = tc_arena_printf(arena, "%s/%d", "x", 7);
    assert_true(tc_str_eq(text, TC_STR("x/7")));
    assert_int_equal(text.ptr[text.len], 0);
    tc_arena_free(arena);
}

static void an_emptied_arena_is_used_again_without_growing(void **state)
{
    struct tc_arena *arena = tc_arena_new();
    size_t held = 0;
    (void)state;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 10000; i++)
            tc_arena_take(arena, 10);
        if (round > 10) // by then its largest block holds a whole round
            assert_int_equal(tc_arena_held(arena), held);
        tc_arena_empty(arena);
        held = tc_arena_held(arena);
        assert_true(held <= 1 << 20);
    }
    tc_arena_free(arena);
}

// From some megabytes on pages are asked for ahead; what is carved stays what was written.
static void a_large_arena_keeps_what_is_written(void **state)
{
    enum { PIECES = 24 * 1024, BYTES = 1000 };
    struct tc_arena *arena = tc_arena_new();
    unsigned char **pieces = tc_arena_take(arena, PIECES * sizeof(unsigned char *));
    (void)state;
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = tc_arena_take(arena, BYTES);
        assert_int_equal(pieces[i][BYTES - 1], 0);
        memset(pieces[i], (int)(i % 251), BYTES);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t k = 0; k < BYTES; k += BYTES - 1)
            assert_int_equal(pieces[i][k], i % 251);
    }
    tc_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(a_piece_larger_than_a_block_fits),
        cmocka_unit_test(copies_end_in_a_zero_byte),
        cmocka_unit_test(an_emptied_arena_is_used_again_without_growing),
        cmocka_unit_test(a_large_arena_keeps_what_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
