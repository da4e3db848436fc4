#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/watcher/text/mix.h"
#include "tests/watcher/text/reading.h"

static struct reading *page(const char *text)
{
    return reading_of((tc_str){0}, tc_str_of(text), true, "", TEXT_WORDS_TOCSIN);
}

static struct reading *article(const char *title, const char *body)
{
    return reading_of(tc_str_of(title), tc_str_of(body), false, "", TEXT_WORDS_TOCSIN);
}

static void the_title_is_the_first_paragraph_of_an_article(void **state)
{
    (void)state;
    struct reading *reading = article("China warns experts", "They stay home. All of them.\nOk.");
    const struct text_segment *segment = reading->text->segments;
    assert_int_equal(reading->text->segment_count, 1);
    assert_int_equal(segment->title_words, 3);
    assert_int_equal(segment->paragraph_count, 3);
    assert_int_equal(segment->sentence_count, 4);
    assert_int_equal(segment->lead_paragraph, 1);
    assert_int_equal(segment->paragraphs[0].field, TC_FIELD_TITLE);
    assert_int_equal(segment->paragraphs[1].field, TC_FIELD_BODY);
    assert_int_equal(segment->words[3].start, 0);
    assert_int_equal(segment->words[3].position, 3);
    assert_int_equal(segment->words[3].paragraph, 1);
    assert_int_equal(segment->words[6].sentence, 2);
    assert_int_equal(segment->first_line, 0);
    reading_done(reading);
}

static void an_article_without_words_is_one_segment_without_words(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n\n\n", "--- * ---", "https://example.org/a"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int is_page = 0; is_page < 2; is_page++) {
            struct reading *reading = is_page ? page(texts[i]) : article("", texts[i]);
            assert_int_equal(reading->text->segment_count, 1);
            assert_int_equal(reading->text->segments->word_count, 0);
            assert_int_equal(reading->text->segments->title_words, 0);
            assert_int_equal(reading->text->segments->paragraph_count, 0);
            assert_int_equal(reading->text->segments->lead_paragraph, 0);
            reading_done(reading);
        }
}

static void hard_wrapped_text_is_unwrapped(void **state)
{
    (void)state;
    char line[1024];
    struct reading *reading = article("", "Officials in the capital said on Monday that the\n"
                                          "ministry had advised researchers to stay home and\n"
                                          "to report their plans. Nobody was\n"
                                          "forced.\n"
                                          "    A second paragraph begins with an indent and it\n"
                                          "runs on to this line.\n\n"
                                          "A third one stands behind a blank line.\n Reuter");
    const struct text_segment *segment = reading->text->segments;
    assert_int_equal(segment->paragraph_count, 4);
    assert_int_equal(segment->sentence_count, 5);
    assert_non_null(strstr(reading_line(reading, false, line, sizeof line), "the ministry"));
    reading_done(reading);
}

static void lines_of_other_texts_are_paragraphs(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Chips to be banned from March\nPrices of copper rise again\nMinister to resign on Monday\n"
        "Voters go to the polls today",
        "It rained.\nThe dam broke.\nHelp came late.\nNobody died.",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct reading *reading = article("", texts[i]);
        assert_int_equal(reading->text->segments->paragraph_count, 4);
        reading_done(reading);
    }
}

static void double_blank_lines_cut_a_page(void **state)
{
    (void)state;
    struct reading *reading = page("Skip to content\n\n\n"
                                   "First story has a headline\nIt tells something.\n\n\n"
                                   "Second story also has one\nBy Jane Roe\nIt ends here.\n\n\n"
                                   "Top Stories\n");
    assert_int_equal(reading->text->segment_count, 2);
    const struct text_segment *first = &reading->text->segments[0], *second = first + 1;
    assert_true(tc_str_eq(first->title, TC_STR("First story has a headline")));
    assert_true(tc_str_eq(second->title, TC_STR("Second story also has one")));
    assert_int_equal(first->first_line, 1);
    assert_int_equal(first->last_line, 5);
    assert_int_equal(second->first_line, 8);
    assert_int_equal(second->last_line, 13);
    assert_int_equal(second->number, 1);
    assert_int_equal(second->words[0].position, 0);
    assert_int_equal(second->paragraphs[0].field, TC_FIELD_BODY);
    assert_int_equal(second->lead_paragraph, 2); // title, byline, lead
    reading_done(reading);
    reading = article("", "One.\n\n\nTwo.");
    assert_int_equal(reading->text->segment_count, 1);
    reading_done(reading);
}

static void a_title_is_no_date_byline_or_navigation(void **state)
{
    (void)state;
    static const struct {
        const char *page, *title;
    } rows[] = {
        {"By Staff, Agencies and Others\nUpdated March 1, 2025 12:01 am ET\n2 hours ago\n"
         "China advises experts to stay",
         "China advises experts to stay"},
        {"Zum Hauptinhalt Zur Navigation\n\nKI-Forscher sollen nicht reisen",
         "KI-Forscher sollen nicht reisen"},
        {"Cập nhật ngày 1 tháng 3 năm 2025\nTrung Quốc khuyên các chuyên gia",
         "Trung Quốc khuyên các chuyên gia"},
        {"2025年3月1日\n中国建议人工智能专家避免赴美", "中国建议人工智能专家避免赴美"},
        {"Von Musk bis Trump: wer reist noch", "Von Musk bis Trump: wer reist noch"},
        {"Copyright office rules on AI works", "Copyright office rules on AI works"},
        {"作者：王小明 李大明\n中国建议专家避免赴美", "中国建议专家避免赴美"},
        {"Too short here", ""},
        {"Big News Wire Service\n4 hours ago\n- Big News Wire Service\nMinister quits after the "
         "vote",
         "Minister quits after the vote"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reading *reading = page(rows[i].page);
        tc_str title = reading->text->segments->title;
        if (!tc_str_eq(title, tc_str_of(rows[i].title)))
            print_message("have: %.*s\n", TC_ARG(title));
        assert_true(tc_str_eq(title, tc_str_of(rows[i].title)));
        reading_done(reading);
    }
}

static void languages_are_stated_or_seen_from_the_letters(void **state)
{
    (void)state;
    static const struct {
        const char *stated, *body, *lang;
        bool sure;
    } rows[] = {
        {"de-AT", "Anything", "de", true},
        {"", "Officials said nothing", "", false},
        {"", "中国政府建议人工智能领域的主要专家避免前往美国旅行", "zh", true},
        {"", "東京株式市場", "zh", false},
        {"", "日本の政府は専門家に助言した", "ja", true},
        {"", "정부는 전문가들에게 조언했다", "ko", true},
        {"", "รัฐบาลแนะนำผู้เชี่ยวชาญ", "th", true},
        {"", "Η κυβέρνηση συμβούλευσε", "el", true},
        {"", "Chính quyền Trung Quốc đang chỉ đạo các doanh nhân hàng đầu", "vi", true},
        {"", "Правительство посоветовало", "", false},
        {"", "Ngày 2 tháng 3, Mr. Smith came to Boston with the others", "", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reading *reading = reading_of((tc_str){0}, tc_str_of(rows[i].body), false,
                                             rows[i].stated, TEXT_WORDS_TOCSIN);
        const struct text_segment *segment = reading->text->segments;
        assert_string_equal(segment->paragraphs[0].lang, rows[i].lang);
        assert_int_equal(segment->paragraphs[0].lang_sure, rows[i].sure);
        assert_string_equal(segment->lang, rows[i].lang);
        reading_done(reading);
    }
}

static void bad_bytes_are_counted_and_read_around(void **state)
{
    (void)state;
    char line[256];
    struct reading *reading = article("", "good \xff\xfe bad\xc3 words");
    assert_int_equal(reading->text->repaired, 3);
    assert_string_equal(reading_line(reading, false, line, sizeof line), "good bad words");
    reading_done(reading);
}

// ---- properties --------------------------------------------------------------------------------

static tc_str original(const struct reading *reading, const struct text_segment *segment,
                       const struct text_word *word)
{
    bool title = segment->paragraphs[word->paragraph].field == TC_FIELD_TITLE;
    return tc_str_cut(title ? reading->article.title : reading->article.body, word->start,
                      word->end);
}

// What must hold for every article, whatever its bytes.
static void assert_whole(const struct reading *reading)
{
    for (uint32_t s = 0; s < reading->text->segment_count; s++) {
        const struct text_segment *segment = &reading->text->segments[s];
        uint32_t word = 0, sentence = 0;
        assert_int_equal(segment->number, s);
        assert_true(segment->title_words <= segment->word_count);
        assert_true(segment->lead_paragraph <= segment->paragraph_count);
        for (uint32_t p = 0; p < segment->paragraph_count; p++) {
            const struct text_paragraph *paragraph = &segment->paragraphs[p];
            assert_int_equal(paragraph->first, word);
            while (sentence < segment->sentence_count &&
                   segment->sentences[sentence].first < word + paragraph->count) {
                const struct text_sentence *at = &segment->sentences[sentence];
                for (uint32_t w = at->first; w < at->first + at->count; w++) {
                    const struct text_word *have = &segment->words[w];
                    assert_int_equal(have->sentence, sentence);
                    assert_int_equal(have->paragraph, p);
                    assert_true(have->start >= at->start && have->end <= at->end);
                    assert_true(have->start < have->end && have->surface_len > 0);
                }
                assert_true(at->start >= paragraph->start && at->end <= paragraph->end);
                sentence++;
            }
            word += paragraph->count;
        }
        assert_int_equal(word, segment->word_count);
        assert_int_equal(sentence, segment->sentence_count);
        for (uint32_t w = 1; w < segment->word_count; w++)
            assert_true(segment->words[w].position - segment->words[w - 1].position <= 1);
    }
}

// The original bytes of every word, read as a query, give that word.
static void assert_offsets(const struct reading *reading)
{
    const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    for (uint32_t s = 0; s < reading->text->segment_count; s++) {
        const struct text_segment *segment = &reading->text->segments[s];
        for (uint32_t w = 0; w < segment->word_count; w++) {
            const struct text_word *word = &segment->words[w];
            const struct text_query_word *words;
            size_t count = text_query_words(original(reading, segment, word), &settings,
                                            reading->article.arena, &words, NULL);
            assert_int_equal(count, 1);
            assert_true(tc_str_eq(words->folded, (tc_str){word->folded, word->folded_len}));
            assert_true(tc_str_eq(words->surface, (tc_str){word->surface, word->surface_len}));
        }
    }
}

static void the_seeds_are_read_as_a_person_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        uint32_t segments;
        const char *titles[4];
        uint32_t paragraphs[4];
    } rows[] = {
        {"seed-000.txt",
         1,
         {"China Advises AI Experts to Avoid US Travel over Security Risks : WSJ"},
         {32}},
        {"seed-001.txt",
         1,
         {"date 2025-03-01 China Advises AI Experts to Avoid US Travel Amid Security Concerns"},
         {9}},
        {"seed-002.txt", 1, {"Chính quyền Trung Quốc đang chỉ đạo các doanh nhân"}, {55}},
        {"seed-003.txt",
         1,
         {"Künstliche Intelligenz: Chinesische KI-Koryphäen sollen US-Reisen vermeiden"},
         {15}},
        {"seed-004.txt",
         4,
         {"As DeepSeek shakes up global tech sector, ",
          "After 3 up days, S&P 500 falls on trade announcement",
          "China's orchard of AI, chip grads", "Alibaba's Joe Tsai says open-sourcing"},
         {16, 5, 5, 5}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[512];
        size_t len = 0;
        snprintf(path, sizeof path, "%s/seeds/%s", TEST_SHARED, rows[i].file);
        char *bytes = reading_file(path, &len);
        if (!bytes) {
            print_message("skipped: no shared seeds\n");
            skip();
        }
        struct reading *reading =
            reading_of((tc_str){0}, (tc_str){bytes, len}, true, "", TEXT_WORDS_TOCSIN);
        assert_int_equal(reading->text->segment_count, rows[i].segments);
        for (uint32_t s = 0; s < rows[i].segments; s++) {
            const struct text_segment *segment = &reading->text->segments[s];
            assert_true(tc_str_starts(segment->title, tc_str_of(rows[i].titles[s])));
            assert_int_equal(segment->paragraph_count, rows[i].paragraphs[s]);
        }
        assert_whole(reading);
        assert_offsets(reading);
        reading_done(reading);
        free(bytes);
    }
}

static void random_bytes_give_whole_texts(void **state)
{
    (void)state;
    char bytes[700];
    uint32_t seed = 20250301;
    for (size_t round = 0; round < 3000; round++) {
        size_t want = 16 + mix_next(&seed) % 600;
        size_t len = mix_text(&seed, round % 4, want, bytes);
        struct reading *reading =
            reading_of((tc_str){bytes, len / 3}, (tc_str){bytes, len}, round & 4,
                       round & 8 ? "tr" : "", (enum text_words)(round / 16 % 3));
        assert_whole(reading);
        reading_done(reading);
    }
}

static void the_arena_stays_within_its_bound(void **state)
{
    (void)state;
    enum { BYTES = 1 << 20, BLOCK = 2 << 20 }; // the arena's newest block is never full
    static const char *const patterns[] = {
        "a ",      "#a", "a\n", "人", "ò ", "ΐ ", "l'a's ", "a. ", "A.B. C", "A ", "a b c d.\n\n\n",
        "x@y.zz ", "I "};
    char *text = malloc(BYTES);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        size_t len = strlen(patterns[i]);
        for (size_t at = 0; at < BYTES; at++)
            text[at] = patterns[i][at % len];
        for (int is_page = 0; is_page < 2; is_page++) {
            struct reading *reading =
                reading_of((tc_str){0}, (tc_str){text, BYTES}, is_page, "", TEXT_WORDS_TOCSIN);
            size_t held = tc_arena_held(reading->article.arena);
            if (held > (size_t)TEXT_ARENA_PER_BYTE * BYTES + BLOCK)
                print_message("%s: %zu bytes per byte\n", patterns[i], held / BYTES);
            assert_true(held <= (size_t)TEXT_ARENA_PER_BYTE * BYTES + BLOCK);
            reading_done(reading);
        }
    }
    free(text);
}

static void no_word_of_an_endless_run_is_lost(void **state)
{
    (void)state;
    enum { BYTES = 100 * 1000 };
    char *text = malloc(BYTES);
    memset(text, 'x', BYTES);
    struct reading *reading =
        reading_of((tc_str){0}, (tc_str){text, BYTES}, false, "", TEXT_WORDS_TOCSIN);
    const struct text_segment *segment = reading->text->segments;
    assert_int_equal(segment->words[segment->word_count - 1].end, BYTES);
    reading_done(reading);
    free(text);
}

static void more_words_than_the_limit_are_refused(void **state)
{
    (void)state;
    const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    const struct text *text = NULL;
    struct tc_err err;
    size_t len = ((size_t)TEXT_WORDS_MOST + 10) * 2;
    char *bytes = malloc(len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = i % 2 ? ' ' : 'a';
    struct article many = {.arena = tc_arena_new(), .body = {bytes, len}};
    assert_int_equal(text_read(&many, &settings, &text, &err), TC_EFULL);
    assert_null(text);
    tc_arena_free(many.arena);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_title_is_the_first_paragraph_of_an_article),
        cmocka_unit_test(an_article_without_words_is_one_segment_without_words),
        cmocka_unit_test(hard_wrapped_text_is_unwrapped),
        cmocka_unit_test(lines_of_other_texts_are_paragraphs),
        cmocka_unit_test(double_blank_lines_cut_a_page),
        cmocka_unit_test(a_title_is_no_date_byline_or_navigation),
        cmocka_unit_test(languages_are_stated_or_seen_from_the_letters),
        cmocka_unit_test(bad_bytes_are_counted_and_read_around),
        cmocka_unit_test(the_seeds_are_read_as_a_person_reads_them),
        cmocka_unit_test(random_bytes_give_whole_texts),
        cmocka_unit_test(the_arena_stays_within_its_bound),
        cmocka_unit_test(no_word_of_an_endless_run_is_lost),
        cmocka_unit_test(more_words_than_the_limit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
