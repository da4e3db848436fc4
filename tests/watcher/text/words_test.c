#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unicode/uchar.h>

#include "common/utf8.h"
#include "tests/watcher/text/reading.h"
#include "watcher/text/words.h"

struct row {
    const char *text, *words;
};

static void check_as(const struct row *rows, size_t count, const char *lang, bool surface,
                     enum text_words mode)
{
    char line[4096];
    for (size_t i = 0; i < count; i++) {
        struct reading *reading =
            reading_of((tc_str){0}, tc_str_of(rows[i].text), false, lang, mode);
        assert_string_equal(reading_line(reading, surface, line, sizeof line), rows[i].words);
        reading_done(reading);
    }
}
#define CHECK(rows) check_as(rows, sizeof(rows) / sizeof *(rows), "en", false, TEXT_WORDS_TOCSIN)

static void letters_marks_and_digits_in_a_row_are_words(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Chinese AI experts", "chinese ai experts"},
        {"KI-Koryphäen KI -Fachkräfte", "ki koryphäen ki fachkräfte"},
        {"June/July, and\xe2\x80\x94or", "june july and or"},
        {"COVID19 3G", "covid19 3g"},
        {"snake_case _emphasis_ a__b", "snake_case emphasis a__b"},
        {"Москва, Ελλάδα", "москва ελλάδα"},
        {"end.Start example.com", "end start example com"},
        {"", ""},
        {"*** --- ...", ""},
    };
    CHECK(rows);
}

static void an_apostrophe_makes_two_words_at_one_place(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"China's growth", "china's/china growth"},
        {"China\xe2\x80\x99s growth", "china's/china growth"},
        {"l'IA et d\xe2\x80\x99"
         "abord",
         "l'ia/ia et d'abord/abord"},
        {"dell'AI", "dell'ai/ai"},
        {"don't O'Brien", "don't o'brien"},
        {"l'Or\xc3\xa9"
         "al's",
         "l'oréal's/l'oréal/oréal's/oréal"},
        {"the 'two sessions' pickin' up", "the two sessions pickin up"},
        {"1990's", "1990's/1990"},
    };
    CHECK(rows);
}

static void initialisms_lose_their_dots(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"the U.S. and U.S.A. in D.C.", "the us and usa in dc"},
        {"U.S.-China U.S.'s", "us china us s"},
        {"e.g. z.B. a.m.", "eg zb am"},
        {"J.K.Rowling", "jk rowling"},
        {"\xd0\xa1.\xd0\xa8.\xd0\x90.", "сша"},
        {"Plan B. Then", "plan b then"},
    };
    CHECK(rows);
    static const struct row exact[] = {{"U.S. us", "US us"}};
    check_as(exact, 1, "en", true, TEXT_WORDS_TOCSIN);
}

static void numbers_keep_their_inner_signs(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"at 6,022 and 2.5, 12:01.", "at 6,022 and 2.5 12:01"},
        {"17/2 1-2 3.5.2025", "17 2 1 2 3.5.2025"},
        {"a,b c:d", "a b c d"},
        {"1,", "1"},
    };
    CHECK(rows);
}

static void words_with_signs_stay_whole(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"C++ C# F# .NET", "c++ c# f# .net"},
        {"C++, (C#)", "c++ c#"},
        {"S&P 500, AT&T; R&D", "s&p 500 at&t r&d"},
        {"Marks&Spencer a & b", "marks spencer a b"},
        {"$1bn 5% \xe2\x82\xac"
         "20 20\xe2\x82\xac US$5",
         "$1bn 5% €20 20€ us $5"},
        {"#hashtag a#b #1", "#hashtag/hashtag a b #1/1"},
        {"# alone % $", "alone"},
        {"ASP.NET", "asp net"},
    };
    CHECK(rows);
}

static void links_and_mail_addresses_are_no_words(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"see https://www.wsj.com/world/china-ai-us (here)", "see here"},
        {"write to yoko.kubota@wsj.com.", "write to"},
        {"www.example.org/us, us", "us"},
        {"at wsj.com/world/china now", "at now"},
        {"Amazon.com said and/or 9.8/10", "amazon com said and or 9.8 10"},
        {"a: b@ c@d", "a b c d"},
    };
    CHECK(rows);
    struct reading *reading =
        reading_of((tc_str){0}, TC_STR("A (https://e.org/a_(b)), mail me@e.org!"), false, "",
                   TEXT_WORDS_TOCSIN);
    assert_int_equal(reading->text->url_count, 2);
    assert_true(tc_str_eq(reading->text->urls[0], TC_STR("https://e.org/a_(b)")));
    assert_true(tc_str_eq(reading->text->urls[1], TC_STR("me@e.org")));
    reading_done(reading);
}

static void scripts_without_spaces_give_a_word_per_character(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"人工智能", "人 工 智 能"},
        {"3月15日", "3 月 15 日"},
        {"カメラのAI化", "カ メ ラ の ai 化"},
        {"ﾊﾞｽ", "バ ス"},
        {"ภาษาไทย", "ภ า ษ า ไ ท ย"},
        {"ก็ดี", "ก็ ดี"},
        {"ລາວ", "ລ າ ວ"},
        {"삼성전자는 한국", "삼성전자는 한국"},
    };
    CHECK(rows);
}

static void forms_fold_case_width_and_invisible_characters(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Straße STRASSE", "strasse strasse"},
        {"ＡＩ１２", "ai12"},
        {"co\xc2\xadop zero\xe2\x80\x8bwidth \xef\xbb\xbf"
         "bom",
         "coop zerowidth bom"},
        {"caf\x65\xcc\x81", "café"},
        {"İstanbul ISTANBUL", "istanbul istanbul"},
        {"ĐÀ Nẵng đa", "đà nẵng đa"},
        {"Dvořák", "dvořák"},
    };
    CHECK(rows);
}

static void old_and_new_vietnamese_tone_placement_are_equal(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"hòa", "hoà"},
        {"HÒA", "HOÀ"},
        {"thúy", "thuý"},
        {"khỏe", "khoẻ"},
        {"hủy", "huỷ"},
        {"h\x6f\xcc\x80"
         "a",
         "hoà"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        for (int surface = 0; surface < 2; surface++) {
            char old_line[64], new_line[64];
            struct reading *old =
                reading_of((tc_str){0}, tc_str_of(pairs[i][0]), false, "vi", TEXT_WORDS_TOCSIN);
            struct reading *new =
                reading_of((tc_str){0}, tc_str_of(pairs[i][1]), false, "vi", TEXT_WORDS_TOCSIN);
            assert_string_equal(reading_line(old, surface, old_line, sizeof old_line),
                                reading_line(new, surface, new_line, sizeof new_line));
            reading_done(old);
            reading_done(new);
        }
    static const struct row kept[] = {{"tránh tranh", "tránh tranh"}, {"nações", "nações"}};
    CHECK(kept);
}

static void turkish_text_is_found_in_both_foldings(void **state)
{
    (void)state;
    static const struct row rows[] = {{"ISI Ankara", "isi/ısı ankara"}};
    check_as(rows, 1, "tr", false, TEXT_WORDS_TOCSIN);
    static const struct row others[] = {{"ISI", "isi"}};
    check_as(others, 1, "de", false, TEXT_WORDS_TOCSIN);
}

static void the_other_ways_to_cut_are_plain(void **state)
{
    (void)state;
    static const struct row standard[] = {
        {"The U.S. can't KI-Forscher AT&T", "the u.s can't ki forscher at t"},
        {"人工智能 カメラ ひら", "人 工 智 能 カメラ ひ ら"},
        {"a_b 3.5 x:y", "a_b 3.5 x:y"},
        {"Straße", "straße"},
    };
    check_as(standard, sizeof standard / sizeof *standard, "en", false, TEXT_WORDS_STANDARD);
    static const struct row ascii[] = {{"Can't 3.5 a_b Äpfel", "can t 3 5 a b pfel"}};
    check_as(ascii, 1, "en", false, TEXT_WORDS_ASCII);
}

// ---- the Unicode word break test ---------------------------------------------------------------

enum { PIECES_MOST = 32 };

struct pieces {
    char text[256];
    size_t len, count;
    size_t from[PIECES_MOST], to[PIECES_MOST];
    bool word[PIECES_MOST];
};

static bool counts_as_word(uint32_t cp)
{
    switch (unicode_class(unicode_cell_of(cp))) {
    case CLASS_LETTER:
    case CLASS_HEBREW:
    case CLASS_DIGIT:
    case CLASS_SINGLE:
    case CLASS_COMPLEX:
    case CLASS_KATAKANA: return true;
    default: return u_hasBinaryProperty((UChar32)cp, UCHAR_EXTENDED_PICTOGRAPHIC);
    }
}

// "÷ 0061 × 2060 ÷": pieces between ÷, in bytes.
static void read_pieces(char *line, struct pieces *out)
{
    *out = (struct pieces){0};
    for (char *part = strtok(line, " \n"); part; part = strtok(NULL, " \n")) {
        if (strcmp(part, "÷") == 0) {
            out->count += out->len > out->from[out->count];
            out->from[out->count] = out->len;
        } else if (strcmp(part, "×") != 0) {
            uint32_t cp = (uint32_t)strtoul(part, NULL, 16);
            out->len += tc_utf8_put(cp, out->text + out->len);
            out->to[out->count] = out->len;
            out->word[out->count] = out->word[out->count] || counts_as_word(cp);
        }
    }
}

// How the words of ours and the pieces of a line differ; NULL when they are the same.
static const char *compare_pieces(const struct pieces *want, enum text_words mode)
{
    struct words words;
    struct words_span span;
    words_init(&words, (tc_str){want->text, want->len}, mode, false);
    for (size_t i = 0; i < want->count; i++) {
        if (!want->word[i])
            continue;
        if (!words_next(&words, &span))
            return "a piece is no word";
        if ((size_t)(span.start - want->text) != want->from[i])
            return "a word begins elsewhere";
        if ((size_t)(span.end - want->text) != want->to[i])
            return "a word ends elsewhere";
    }
    return words_next(&words, &span) ? "a word more" : NULL;
}

// Where we cut otherwise than the test, on purpose: lines with such a sign may differ.
struct refined {
    const char *sign, *reason;
};

static const struct refined standard[] = {
    {"÷ 1F1E8", "a letter of a flag behind a whole flag is paired by Lucene from the left again"},
    {"200D × 1F6D1", "a joiner with nothing before it joins nothing in Lucene"},
    {NULL, NULL},
};

static const struct refined ours[] = {
    {"231A", "an emoji is no word"},
    {"1F6D1", "an emoji is no word"},
    {"1F476", "an emoji is no word"},
    {"1F1E6", "a flag is no word"},
    {"0027", "China's is China too, l'IA is IA, and a'1 is one word"},
    {"003A", "a colon is part of 10:30, and of no word of letters"},
    {"005F", "an underscore joins nothing: snake_case is two words"},
    {NULL, NULL},
};

static size_t differing_lines(enum text_words mode, const struct refined *refined, size_t *lines)
{
    FILE *file = fopen(TEST_SHARED "/corpus/unicode/word-break.txt", "r");
    char line[1024], cut[1024];
    size_t differing = 0;
    if (!file) {
        print_message("skipped: no shared corpus\n");
        skip();
    }
    for (*lines = 0; fgets(line, sizeof line, file); ++*lines) {
        struct pieces want;
        bool meant = false;
        strcpy(cut, line);
        read_pieces(cut, &want);
        const char *how = compare_pieces(&want, mode);
        if (!how)
            continue;
        for (const struct refined *row = refined; row->sign; row++)
            meant = meant || strstr(line, row->sign);
        if (!meant)
            fail_msg("%s: %s", how, line);
        differing++;
    }
    fclose(file);
    return differing;
}

static void words_standard_follows_the_unicode_test(void **state)
{
    (void)state;
    size_t lines, differing = differing_lines(TEXT_WORDS_STANDARD, standard, &lines);
    assert_int_equal(lines, 895);
    assert_int_equal(differing, 4);
}

static void our_words_follow_the_unicode_test_but_where_they_are_refined(void **state)
{
    (void)state;
    size_t lines, differing = differing_lines(TEXT_WORDS_TOCSIN, ours, &lines);
    assert_int_equal(lines, 895);
    assert_in_range(differing, 1, 120);
}

static void a_run_longer_than_a_word_may_be_is_cut(void **state)
{
    (void)state;
    static char run[5 * WORDS_SPAN_MOST];
    memset(run, 'x', sizeof run);
    struct words words;
    struct words_span span;
    words_init(&words, (tc_str){run, sizeof run}, TEXT_WORDS_TOCSIN, false);
    size_t count = 0;
    while (words_next(&words, &span)) {
        assert_true(span.end - span.start <= WORDS_SPAN_MOST);
        count++;
    }
    assert_int_equal(count, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_marks_and_digits_in_a_row_are_words),
        cmocka_unit_test(an_apostrophe_makes_two_words_at_one_place),
        cmocka_unit_test(initialisms_lose_their_dots),
        cmocka_unit_test(numbers_keep_their_inner_signs),
        cmocka_unit_test(words_with_signs_stay_whole),
        cmocka_unit_test(links_and_mail_addresses_are_no_words),
        cmocka_unit_test(scripts_without_spaces_give_a_word_per_character),
        cmocka_unit_test(forms_fold_case_width_and_invisible_characters),
        cmocka_unit_test(old_and_new_vietnamese_tone_placement_are_equal),
        cmocka_unit_test(turkish_text_is_found_in_both_foldings),
        cmocka_unit_test(the_other_ways_to_cut_are_plain),
        cmocka_unit_test(words_standard_follows_the_unicode_test),
        cmocka_unit_test(our_words_follow_the_unicode_test_but_where_they_are_refined),
        cmocka_unit_test(a_run_longer_than_a_word_may_be_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
