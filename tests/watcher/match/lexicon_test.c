// lexicon_test - every word that was added is found, no other is.

#include "tests/watcher/match/try.h"
#include "watcher/match/counts.h"
#include "watcher/match/terms.h"

enum { WORDS = 40000, LONGEST = 40 };

// Word number n: its length goes through 1 .. LONGEST, and neighbours share beginnings and ends.
static tc_str word(uint32_t number, char *room)
{
    size_t len = 0, wanted = 1 + number % LONGEST;
    uint32_t rest = number / LONGEST;
    while (len < wanted && rest) {
        room[len++] = (char)('a' + rest % 26);
        rest /= 26;
    }
    while (len < wanted)
        room[len++] = 'z';
    return (tc_str){room, len};
}

static uint32_t find(const struct terms *terms, tc_str text)
{
    struct lexicon_key key = lexicon_pack(text.ptr, text.len);
    return lexicon_find(&terms->folded, &terms->words, key, lexicon_hash(key, terms->folded.seed));
}

static uint32_t add(struct terms *terms, tc_str text)
{
    struct query_word asked = {.folded = text, .surface = text};
    return terms_of(terms, &asked, false);
}

static void every_word_added_is_found_and_no_other(void **state)
{
    (void)state;
    struct terms terms;
    char room[LONGEST];
    uint32_t *numbers = tc_new(WORDS * sizeof *numbers);
    terms_init(&terms, 11, NULL);
    for (uint32_t i = 0; i < WORDS; i += 2)
        numbers[i] = add(&terms, word(i, room));
    for (uint32_t i = 0; i < WORDS; i += 2)
        assert_int_equal(add(&terms, word(i, room)), numbers[i]); // known by now
    uint32_t *map = terms_seal(&terms);
    size_t others = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        uint32_t term = find(&terms, word(i, room));
        if (i % 2 == 0)
            assert_int_equal(term, map[numbers[i]]);
        else
            others += term == TERM_NONE; // but for short words that are spelt the same
    }
    assert_true(others > WORDS / 2 - WORDS / 10);
    free(map);
    free(numbers);
    terms_done(&terms);
}

static void full_buckets_lead_further(void **state)
{
    (void)state;
    struct terms terms;
    char room[LONGEST];
    size_t full = 0;
    terms_init(&terms, 5, NULL);
    for (uint32_t i = 0; i < WORDS; i++)
        add(&terms, word(i, room));
    free(terms_seal(&terms));
    for (uint32_t i = 0; i <= terms.folded.bucket_mask; i++)
        full += terms.folded.buckets[i].tags[LEXICON_SLOTS - 1] != 0;
    assert_true(full > 0);
    for (uint32_t i = 0; i < WORDS; i++)
        assert_int_not_equal(find(&terms, word(i, room)), TERM_NONE);
    terms_done(&terms);
}

static void lengths_around_the_short_ones_are_told_apart(void **state)
{
    (void)state;
    static const char alike[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct terms terms;
    uint32_t numbers[sizeof alike];
    terms_init(&terms, 3, NULL);
    for (size_t len = 1; len < sizeof alike; len++)
        numbers[len] = add(&terms, (tc_str){alike, len});
    uint32_t *map = terms_seal(&terms);
    for (size_t len = 1; len < sizeof alike; len++) {
        assert_int_equal(find(&terms, (tc_str){alike, len}), map[numbers[len]]);
        for (size_t other = 1; other < len; other++)
            assert_int_not_equal(numbers[len], numbers[other]);
    }
    assert_int_equal(find(&terms, TC_STR("aaaaaaaaaaaaaaab")), TERM_NONE);
    assert_int_equal(find(&terms, TC_STR("aaaaaaaaaaaaaaaaaaaab")), TERM_NONE);
    free(map);
    terms_done(&terms);
}

static void frequent_words_get_low_numbers_and_are_no_anchors(void **state)
{
    (void)state;
    struct counts counts;
    struct terms terms;
    counts_init(&counts);
    struct article *article = try_plain("Zirconium said, zirconium says; to to to.");
    counts_add(&counts, try_text(article));
    counts_add(&counts, try_text(article));
    article_free(article);
    article = try_plain("zirconium alone");
    counts_add(&counts, try_text(article));
    assert_true(counts_share(&counts, TC_STR("zirconium")) > 0.8f);
    assert_true(counts_share(&counts, TC_STR("to")) <
                0.7f); // once a text, however often it stands there
    assert_true(counts_share(&counts, TC_STR("never")) > 0);
    terms_init(&terms, 3, &counts);
    uint32_t rare = add(&terms, TC_STR("to")), frequent = add(&terms, TC_STR("zirconium"));
    uint32_t *map = terms_seal(&terms);
    assert_int_equal(map[frequent], 1);
    assert_int_equal(map[rare], 2);
    free(map);
    terms_done(&terms);
    article_free(article);
    counts_done(&counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_added_is_found_and_no_other),
        cmocka_unit_test(full_buckets_lead_further),
        cmocka_unit_test(lengths_around_the_short_ones_are_told_apart),
        cmocka_unit_test(frequent_words_get_low_numbers_and_are_no_anchors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
