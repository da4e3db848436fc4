#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/watcher/text/mix.h"
#include "watcher/text/letters.h"
#include "watcher/text/unicode.h"
#include "watcher/text/utf8.h"

#include <stdlib.h>

enum { ROUNDS = 6000, LONGEST = 700, SEED = 20250301 };

// Exactly as long as the text, so that a byte read too far is seen by the sanitizer.
static char *exact_copy(const char *bytes, size_t len)
{
    char *copy = malloc(len ? len : 1);
    memcpy(copy, bytes, len);
    return copy;
}

static bool same_planes(const struct marks *a, const struct marks *b)
{
    size_t bytes = (a->text.len / MARKS_WINDOW + 1) * sizeof *a->core;
    return memcmp(a->core, b->core, bytes) == 0 && memcmp(a->blank, b->blank, bytes) == 0 &&
           memcmp(a->line, b->line, bytes) == 0 && memcmp(a->stop, b->stop, bytes) == 0 &&
           memcmp(a->careful, b->careful, bytes) == 0 && memcmp(a->high, b->high, bytes) == 0 &&
           memcmp(a->lead, b->lead, bytes) == 0 && a->lines == b->lines && a->words == b->words &&
           a->ascii == b->ascii && a->doubtful == b->doubtful &&
           memcmp(a->small, b->small, a->text.len) == 0;
}

static void both_ways_to_make_them_agree(void **state)
{
    (void)state;
    char bytes[LONGEST + 32];
    uint32_t seed = SEED;
    if (!marks_can(MARKS_AVX2)) {
        print_message("skipped: no AVX2\n");
        skip();
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint32_t begun = seed;
        size_t len = mix_text(&seed, round % 4, mix_next(&seed) % LONGEST, bytes);
        char *text = exact_copy(bytes, len);
        struct tc_arena *arena = tc_arena_new();
        struct marks table, avx2;
        bool signs = round % 5 != 0;
        marks_make((tc_str){text, len}, MARKS_TABLE, signs, arena, &table);
        marks_make((tc_str){text, len}, MARKS_AVX2, signs, arena, &avx2);
        if (!same_planes(&table, &avx2))
            print_message("seed %u, kind %u\n", begun, round % 4);
        assert_true(same_planes(&table, &avx2));
        tc_arena_free(arena);
        free(text);
    }
}

static bool bit(const uint64_t *plane, size_t at)
{
    return plane[at / MARKS_WINDOW] >> at % MARKS_WINDOW & 1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool joins_digits(tc_str text, size_t at)
{
    return (text.ptr[at] == '.' || text.ptr[at] == ',') && at > 0 && at + 1 < text.len &&
           is_digit(text.ptr[at - 1]) && is_digit(text.ptr[at + 1]);
}

// Each plane, byte by byte, from what marks.h says it is.
static void assert_plain_meaning(const struct marks *marks)
{
    tc_str text = marks->text;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        enum unicode_class class = c < 0x80 ? unicode_class(unicode_ascii((char)c)) : CLASS_MARK;
        bool joined = joins_digits(text, i);
        assert_int_equal(bit(marks->core, i),
                         class == CLASS_LETTER || class == CLASS_DIGIT || joined);
        assert_int_equal(bit(marks->blank, i), class == CLASS_SPACE);
        assert_int_equal(bit(marks->line, i), c == '\n');
        assert_int_equal(bit(marks->high, i), c >= 0x80);
        assert_int_equal(bit(marks->lead, i), c >= 0xC0);
        assert_int_equal(bit(marks->stop, i),
                         c >= 0x80 || (c == '.' && !joined) || c == '!' || c == '?');
        if (c >= 0x80)
            assert_true(bit(marks->careful, i));
    }
    assert_int_equal(marks->doubtful, utf8_bad(text) > 0);
}

static void planes_say_what_stands_where(void **state)
{
    (void)state;
    char bytes[LONGEST + 32];
    uint32_t seed = SEED + 1;
    for (unsigned round = 0; round < ROUNDS / 4; round++) {
        size_t len = mix_text(&seed, round % 4, mix_next(&seed) % LONGEST, bytes);
        struct tc_arena *arena = tc_arena_new();
        struct marks marks;
        marks_make((tc_str){bytes, len}, MARKS_TABLE, true, arena, &marks);
        assert_plain_meaning(&marks);
        tc_arena_free(arena);
    }
}

static void signs_that_may_belong_to_a_word_are_careful(void **state)
{
    (void)state;
    // In the second string, x stands below each careful byte.
    static const char *const rows[][2] = {
        {"China's 6,022 a,b", "     x         x "},
        {"well-known --x", "              "},
        {"end. Next, (one) \"two\"!", "                       "},
        {"U.S. .NET www. now. C++", " x   x       x    x  xx"},
        {"a_b @c x/y 5% $1 &#+:", " x  x   x   x x  xxxx"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tc_arena *arena = tc_arena_new();
        struct marks marks;
        marks_make(tc_str_of(rows[i][0]), MARKS_TABLE, true, arena, &marks);
        for (size_t k = 0; k < marks.text.len; k++)
            assert_int_equal(bit(marks.careful, k), rows[i][1][k] == 'x');
        tc_arena_free(arena);
    }
}

static void letters_become_core_and_fold_in_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *small;
        bool careful;
    } rows[] = {
        {"Đà Nẵng", "đà nẵng", false},
        {"GRÖSSE", "grösse", false},
        {"МОСКВА", "москва", false},
        {"hòa", "hòa", true},
        {"hòn", "hòn", false},
        {"İzmir", "İzmir", true},
        {"é's", "é's", true},
        {"é, „ö“", "é, „ö“", false},
        {"人工。智能", "人工。智能", false},
        {"e\xcc\x81", "e\xcc\x81", true},
        {"5 €", "5 €", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tc_arena *arena = tc_arena_new();
        struct marks marks;
        marks_make(tc_str_of(rows[i].text), MARKS_TABLE, true, arena, &marks);
        letters_mark(&marks, arena);
        assert_memory_equal(marks.small, rows[i].small, marks.text.len);
        assert_int_equal(marks_find(marks.careful, 0, marks.text.len) < marks.text.len,
                         rows[i].careful);
        tc_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_to_make_them_agree),
        cmocka_unit_test(planes_say_what_stands_where),
        cmocka_unit_test(signs_that_may_belong_to_a_word_are_careful),
        cmocka_unit_test(letters_become_core_and_fold_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
