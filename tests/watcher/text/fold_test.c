#include "watcher/text/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

#include "common/utf8.h"
#include "watcher/text/unicode.h"
#include "watcher/text/utf8.h"

// "0044 0323" to UTF-8.
static tc_str spell(char *codes, char *out)
{
    size_t len = 0;
    char *rest = NULL;
    for (char *code = strtok_r(codes, " ", &rest); code; code = strtok_r(NULL, " ", &rest))
        len += tc_utf8_put((uint32_t)strtoul(code, NULL, 16), out + len);
    return (tc_str){out, len};
}

static void assert_same(tc_str have, tc_str want, const char *line)
{
    if (!tc_str_eq(have, want))
        print_message("differs: %s\n", line);
    assert_true(tc_str_eq(have, want));
}

// One row is ours: a dotted capital I folds to i without the dot.
static void case_folding_is_full(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_SHARED "/corpus/unicode/case-folding.txt", "r");
    char line[256];
    size_t lines = 0;
    if (!file) {
        print_message("skipped: no shared corpus\n");
        skip();
    }
    while (fgets(line, sizeof line, file)) {
        char code[16], kind, to[64], from_bytes[32], want_bytes[64], have_bytes[64], nfc[64];
        if (sscanf(line, "%15[^;]; %c; %63[^;];", code, &kind, to) != 3 ||
            (kind != 'C' && kind != 'F') || strcmp(code, "0130") == 0)
            continue;
        tc_str from = spell(code, from_bytes), want = spell(to, want_bytes);
        want = (tc_str){nfc, utf8_nfc(want, nfc, sizeof nfc)};
        tc_str have = {have_bytes, fold_case(from, FOLD_PLAIN, have_bytes, sizeof have_bytes)};
        // Folding may decompose what NFC puts together again (the iota of Greek).
        have = (tc_str){from_bytes, utf8_nfc(have, from_bytes, sizeof from_bytes)};
        assert_same(have, want, line);
        lines++;
    }
    fclose(file);
    assert_true(lines > 1400);
}

static void nfc_follows_the_unicode_test(void **state)
{
    (void)state;
    gzFile file = gzopen(TEST_SHARED "/corpus/unicode/normalization.txt.gz", "r");
    char line[1024];
    size_t lines = 0;
    if (!file) {
        print_message("skipped: no shared corpus\n");
        skip();
    }
    while (gzgets(file, line, sizeof line)) {
        char source[256], composed[256], source_bytes[256], want_bytes[256], have[256];
        if (sscanf(line, "%255[^;];%255[^;];", source, composed) != 2)
            continue;
        tc_str from = spell(source, source_bytes), want = spell(composed, want_bytes);
        assert_same((tc_str){have, utf8_nfc(from, have, sizeof have)}, want, line);
        lines++;
    }
    gzclose(file);
    assert_true(lines > 5000);
}

// What no quick check flags must be in NFC already, otherwise the fast way would be wrong.
static void a_surface_is_composed_however_it_was_written(void **state)
{
    (void)state;
    gzFile file = gzopen(TEST_SHARED "/corpus/unicode/normalization.txt.gz", "r");
    char line[1024];
    if (!file) {
        print_message("skipped: no shared corpus\n");
        skip();
    }
    while (gzgets(file, line, sizeof line)) {
        char source[256], composed[256], source_bytes[256], want_bytes[256];
        char have[1024], again[1024];
        if (sscanf(line, "%255[^;];%255[^;];", source, composed) != 2)
            continue;
        tc_str from = spell(source, source_bytes), want = spell(composed, want_bytes);
        tc_str surface = {have, fold_surface(from, false, have, sizeof have)};
        tc_str of_composed = {again, fold_surface(want, false, again, sizeof again)};
        assert_same(surface, of_composed, line);
    }
    gzclose(file);
}

static void bytes_that_are_no_utf8_read_as_one_sign_per_place(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len, places;
    } rows[] = {
        {"abc", 3, 0},
        {"a\xff"
         "b",
         3, 1},
        {"\xc3", 1, 1},
        {"\xe4\xba", 2, 1},
        {"\xe4\xba\xba", 3, 0},
        {"\xed\xa0\x80", 3, 3},
        {"\xf0\x9f\x93", 3, 1},
        {"\xc0\xaf", 2, 2},
        {"\xf4\x90\x80\x80", 4, 4},
        {"\x80\x80", 2, 2},
        {"\xef\xbf\xbd", 3, 0},
        {"12345678\xfe", 9, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(utf8_bad((tc_str){rows[i].bytes, rows[i].len}), rows[i].places);
}

static void walking_back_finds_the_same_characters(void **state)
{
    (void)state;
    tc_str text = TC_STR("aé人📌\xff\xe4\xba"
                         "z");
    const char *starts[16], *end = text.ptr + text.len;
    size_t count = 0;
    uint32_t cp;
    for (const char *p = text.ptr; p < end; p += utf8_next(p, end, &cp))
        starts[count++] = p;
    for (const char *p = end; p > text.ptr;) {
        p = utf8_back(text.ptr, p);
        assert_ptr_equal(p, starts[--count]);
    }
    assert_int_equal(count, 0);
}

// The table of characters and fold.c each know the vowels; they must know the same.
static void toned_vowels_are_flagged(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        bool moves =
            fold_moves_tone(cp, 'a') || fold_moves_tone(cp, 'e') || fold_moves_tone(cp, 'y');
        assert_int_equal((unicode_cell_of(cp) & UNICODE_TONED) != 0, moves);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_folding_is_full),
        cmocka_unit_test(nfc_follows_the_unicode_test),
        cmocka_unit_test(a_surface_is_composed_however_it_was_written),
        cmocka_unit_test(bytes_that_are_no_utf8_read_as_one_sign_per_place),
        cmocka_unit_test(walking_back_finds_the_same_characters),
        cmocka_unit_test(toned_vowels_are_flagged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
