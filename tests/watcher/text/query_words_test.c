#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/watcher/text/reading.h"

static const struct text_settings tocsin = {.words = TEXT_WORDS_TOCSIN};

// Words of an entry on a line: "+" in front of a glued one, "*" in front of a wild one.
static const char *line_of(struct tc_arena *arena, tc_str entry, bool surface, size_t *lost)
{
    const struct text_query_word *words;
    size_t count = text_query_words(entry, &tocsin, arena, &words, lost);
    tc_str line = TC_STR("");
    for (size_t i = 0; i < count; i++) {
        tc_str form = surface ? words[i].surface : words[i].folded;
        line = tc_arena_printf(arena, "%.*s%s%s%s%.*s", TC_ARG(line), i ? " " : "",
                               words[i].glued ? "+" : "", words[i].wild ? "*" : "", TC_ARG(form));
    }
    return line.ptr;
}

static void entries_are_cut_as_texts_are(void **state)
{
    (void)state;
    static const struct {
        const char *entry, *words;
    } rows[] = {
        {"DeepSeek", "deepseek"},
        {"KI-Koryphäen", "ki +koryphäen"},
        {"United States", "united states"},
        {"人工智能", "人 +工 +智 +能"},
        {"China's", "china's"},
        {"U.S.", "us"},
        {"S&P 500", "s&p 500"},
        {"C++", "c++"},
        {"#ki", "#ki"},
        {"3月", "3 +月"},
        {"semiconductor*", "*semiconductor*"},
        {"wom?n", "*wom?n"},
        {"*verbot*", "**verbot*"},
        {"AI expert*", "ai *expert*"},
        {"Vereinigte* Staaten", "*vereinigte* staaten"},
        {"Straße*", "*strasse*"},
        {"hóa*", "*hoá*"},
        {"人*", "人 +**"},
        {"a\\*b", "a +b"},
        {"...", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tc_arena *arena = tc_arena_new();
        assert_string_equal(line_of(arena, tc_str_of(rows[i].entry), false, NULL), rows[i].words);
        tc_arena_free(arena);
    }
}

static void signs_that_no_word_can_hold_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *entry;
        size_t lost;
    } rows[] = {
        {"foo+bar", 3}, {"foo bar", 7}, {"C++", 3},  {"a = b", 2}, {"Smith, John", 11},
        {"=US", 0},     {"a\\*b", 1},   {"50 %", 3}, {"5%", 2},    {"@usa", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tc_arena *arena = tc_arena_new();
        size_t lost = 99;
        line_of(arena, tc_str_of(rows[i].entry), false, &lost);
        assert_int_equal(lost, rows[i].lost);
        tc_arena_free(arena);
    }
}

static void offsets_lead_back_to_the_entry(void **state)
{
    (void)state;
    struct tc_arena *arena = tc_arena_new();
    const struct text_query_word *words;
    tc_str entry = TC_STR("Zo\\ë* \xef\xbc\xa1\xef\xbc\xa9-chip?");
    assert_int_equal(text_query_words(entry, &tocsin, arena, &words, NULL), 3);
    assert_int_equal(words[0].from, 0);
    assert_int_equal(words[0].to, 6);
    assert_int_equal(words[1].from, 7);
    assert_int_equal(words[1].to, 13);
    assert_true(tc_str_eq(words[1].surface, TC_STR("AI")));
    assert_int_equal(words[2].to, entry.len);
    tc_arena_free(arena);
}

static void every_word_of_a_text_is_a_word_of_a_query(void **state)
{
    (void)state;
    static const char text[] = "China's KI -Fachkräfte U.S.A. l'IA S&P 6,022 $1bn 5% C++ .NET "
                               "人工智能 hòa STRASSE a_b";
    struct reading *reading =
        reading_of((tc_str){0}, tc_str_of(text), false, "", TEXT_WORDS_TOCSIN);
    const struct text_segment *segment = reading->text->segments;
    for (uint32_t i = 0; i < segment->word_count; i++) {
        const struct text_word *word = &segment->words[i];
        const struct text_query_word *words;
        tc_str raw = {text + word->start, word->end - word->start};
        assert_int_equal(text_query_words(raw, &tocsin, reading->article.arena, &words, NULL), 1);
        assert_true(tc_str_eq(words->folded, (tc_str){word->folded, word->folded_len}));
        assert_true(tc_str_eq(words->surface, (tc_str){word->surface, word->surface_len}));
    }
    reading_done(reading);
}

static void wildcards_count_characters(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *word;
        bool match;
    } rows[] = {
        {"wom?n", "women", true},
        {"wom?n", "womn", false},
        {"wom?n", "womään", false},
        {"k?che", "küche", true},
        {"ban*", "ban", true},
        {"ban*", "bans", true},
        {"*verbot*", "einreiseverbote", true},
        {"*verbot", "verbote", false},
        {"a*b*c", "aXbXbc", true},
        {"a*b*c", "aXbX", false},
        {"*", "", true},
        {"?", "人", true},
        {"??", "人", false},
        {"", "", true},
        {"", "a", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(text_wild_match(tc_str_of(rows[i].pattern), tc_str_of(rows[i].word)),
                         rows[i].match);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_cut_as_texts_are),
        cmocka_unit_test(signs_that_no_word_can_hold_are_named),
        cmocka_unit_test(offsets_lead_back_to_the_entry),
        cmocka_unit_test(every_word_of_a_text_is_a_word_of_a_query),
        cmocka_unit_test(wildcards_count_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
