#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/watcher/text/reading.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_end_at_their_signs),
        cmocka_unit_test(a_full_stop_of_a_word_ends_no_sentence),
        cmocka_unit_test(a_sentence_goes_on_in_small_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
