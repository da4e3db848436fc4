#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/utf8.h"
#include "tests/watcher/text/reading.h"
#include "watcher/text/unicode.h"

struct row {
    const char *text;
    const char *sentences[6];
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct reading *reading =
            reading_of((tc_str){0}, tc_str_of(rows[i].text), false, "", TEXT_WORDS_TOCSIN);
        const struct text_segment *segment = reading->text->segments;
        uint32_t want = 0;
        for (; rows[i].sentences[want]; want++) {
            assert_true(want < segment->sentence_count);
            const struct text_sentence *sentence = &segment->sentences[want];
            tc_str have = tc_str_cut(reading->article.body, sentence->start, sentence->end);
            if (!tc_str_eq(have, tc_str_of(rows[i].sentences[want])))
                print_message("have: %.*s\n", TC_ARG(have));
            assert_true(tc_str_eq(have, tc_str_of(rows[i].sentences[want])));
        }
        assert_int_equal(segment->sentence_count, want);
        reading_done(reading);
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void sentences_end_at_their_signs(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"One went. Two came! Three? Four\xe2\x80\xa6 Five",
         {"One went.", "Two came!", "Three?", "Four\xe2\x80\xa6", "Five"}},
        {"He said \"no.\" Then he left.", {"He said \"no.\"", "Then he left."}},
        {"(It rose.) It fell.", {"(It rose.)", "It fell."}},
        {"中国表示。美国说！对吗？是", {"中国表示。", "美国说！", "对吗？", "是"}},
        {"他说：“好。”然后走了。", {"他说：“好。”", "然后走了。"}},
        {"First line\nsecond line", {"First line", "second line"}},
        {"", {0}},
        {"... !!! ???", {0}},
    };
    CHECK(rows);
}

static void a_full_stop_of_a_word_ends_no_sentence(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"In the U.S. The law", {"In the U.S. The law"}},
        {"Met on Feb. 17 in Beijing. Then", {"Met on Feb. 17 in Beijing.", "Then"}},
        {"Mr. Xi met Dr. Li. Both left.", {"Mr. Xi met Dr. Li.", "Both left."}},
        {"John F. Kennedy spoke.", {"John F. Kennedy spoke."}},
        {"It rose 2.5 to 6.1. It fell.", {"It rose 2.5 to 6.1.", "It fell."}},
        {"Apple Inc. vs. Samsung, e.g. Here", {"Apple Inc. vs. Samsung, e.g. Here"}},
        {"Am 17. Februar kam er. Dann", {"Am 17. Februar kam er.", "Dann"}},
        {"See No. 5 there. I said no. Fine", {"See No. 5 there.", "I said no.", "Fine"}},
        {"Rund 2 Mrd. Euro und 3 Mio. Dollar. Dann",
         {"Rund 2 Mrd. Euro und 3 Mio. Dollar.", "Dann"}},
        {"Der Verein e. V. sagt, z. B. Holz", {"Der Verein e. V. sagt, z. B. Holz"}},
        {"We took plan b. Then it rained", {"We took plan b.", "Then it rained"}},
        {"Maj. Gen. Li and Atty. Ross met", {"Maj. Gen. Li and Atty. Ross met"}},
        {"about 3 p.m. on Friday", {"about 3 p.m. on Friday"}},
        {"as of approx. noon", {"as of approx. noon"}},
    };
    CHECK(rows);
}

static void a_sentence_goes_on_in_small_letters(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"the xyz. corporation said", {"the xyz. corporation said"}},
        {"open source is that \xe2\x80\xa6 it will grow",
         {"open source is that \xe2\x80\xa6 it will grow"}},
        {"Really? he asked", {"Really?", "he asked"}},
    };
    CHECK(rows);
}

// ---- the Unicode sentence break test -----------------------------------------------------------

// "0061 × 002E ÷ 0020" to text; gives the number of pieces that hold a letter or digit.
static size_t read_pieces(char *line, char *text, size_t *len)
{
    size_t count = 0;
    bool word = false;
    *len = 0;
    for (char *part = strtok(line, " \n"); part; part = strtok(NULL, " \n")) {
        if (strcmp(part, "÷") == 0) {
            count += word;
            word = false;
        } else if (strcmp(part, "×") != 0) {
            uint32_t cp = (uint32_t)strtoul(part, NULL, 16);
            enum unicode_class class = unicode_class(unicode_cell_of(cp));
            word = word || class == CLASS_LETTER || class == CLASS_DIGIT || class == CLASS_SINGLE;
            *len += tc_utf8_put(cp, text + *len);
        }
    }
    return count;
}

// One difference is meant: a full stop with no white space behind ends no sentence, not even
// before Han (5B57, 5B83).
static void sentences_follow_the_unicode_test_where_rules_are_the_same(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_SHARED "/corpus/unicode/sentence-break.txt", "r");
    char line[1024], copy[1024], text[512];
    size_t lines = 0;
    if (!file) {
        print_message("skipped: no shared corpus\n");
        skip();
    }
    while (fgets(line, sizeof line, file)) {
        size_t len;
        strcpy(copy, line);
        size_t want = read_pieces(line, text, &len);
        struct reading *reading =
            reading_of((tc_str){0}, (tc_str){text, len}, false, "", TEXT_WORDS_TOCSIN);
        if (!strstr(copy, "÷ 5B"))
            assert_int_equal(reading->text->segments->sentence_count, want);
        reading_done(reading);
        lines++;
    }
    fclose(file);
    assert_true(lines > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_end_at_their_signs),
        cmocka_unit_test(a_full_stop_of_a_word_ends_no_sentence),
        cmocka_unit_test(a_sentence_goes_on_in_small_letters),
        cmocka_unit_test(sentences_follow_the_unicode_test_where_rules_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
