#include "watcher/frequencies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/watcher/scratch.h"

static const struct text_settings settings = {TEXT_WORDS_TOCSIN};

static void note(struct sampler *sampler, const char *body)
{
    struct article *article = NULL;
    const struct text *text = NULL;
    assert_int_equal(article_from_text(TC_STR("a.txt"), tc_str_of(body), TC_STR("s"), ARTICLE_BYTES,
                                       &article, NULL),
                     TC_OK);
    assert_int_equal(text_read(article, &settings, &text, NULL), TC_OK);
    sampler_note(sampler, text);
    article_free(article);
}

// Lets `count` texts go by and adds up what the sampler hands over.
static void go_by(struct frequencies *frequencies, const char *common, const char *rare, int count)
{
    struct tc_queue *queue = tc_queue_new(FREQUENCIES_QUEUE);
    struct sampler *sampler = sampler_new(queue);
    struct counts *counts = NULL;
    for (int i = 0; i < count; i++) {
        note(sampler, i % 8 ? common : rare);
        while ((counts = tc_queue_pop(queue, 0)))
            frequencies_add(frequencies, counts);
    }
    sampler_free(sampler);
    tc_queue_free(queue);
}

static void words_are_counted_and_come_to_be_worth_compiling_for(void **state)
{
    (void)state;
    struct frequencies *frequencies = frequencies_new();
    go_by(frequencies, "the tree stands", "the rock stands", SAMPLER_FIRST);
    assert_false(frequencies_worth(frequencies));
    assert_null(frequencies_counts(frequencies));
    go_by(frequencies, "the tree stands", "the rock stands", SAMPLER_ALL);
    assert_true(frequencies_worth(frequencies));
    const struct counts *counts = frequencies_counts(frequencies);
    assert_true(counts_share(counts, TC_STR("the")) > 0.99f);
    assert_true(counts_share(counts, TC_STR("rock")) > 0.11f &&
                counts_share(counts, TC_STR("rock")) < 0.14f);
    assert_true(counts_share(counts, TC_STR("absent")) < 0.01f);
    frequencies_used(frequencies);
    assert_false(frequencies_worth(frequencies));
    frequencies_free(frequencies);
}

static void other_words_are_worth_compiling_for_again_and_the_same_are_not(void **state)
{
    (void)state;
    struct frequencies *frequencies = frequencies_new();
    while (frequencies_texts(frequencies) < FREQUENCIES_SURE)
        go_by(frequencies, "the tree stands", "the rock stands", SAMPLER_ALL);
    frequencies_used(frequencies);
    for (int i = 0; i < 4; i++)
        go_by(frequencies, "the tree stands", "the rock stands", SAMPLER_ALL);
    assert_false(frequencies_worth(frequencies));
    for (int i = 0; i < 16; i++)
        go_by(frequencies, "ein Baum steht", "ein Fels steht", SAMPLER_ALL);
    assert_true(frequencies_worth(frequencies));
    frequencies_free(frequencies);
}

static void what_is_long_ago_is_forgotten(void **state)
{
    (void)state;
    struct frequencies *frequencies = frequencies_new();
    struct counts *old = counts_new(), *new = counts_new();
    old->texts = FREQUENCIES_FORGET;
    counts_put(old, TC_STR("tree"), FREQUENCIES_FORGET);
    counts_put(old, TC_STR("once"), 1);
    frequencies_add(frequencies, old);
    new->texts = 1;
    counts_put(new, TC_STR("rock"), 1);
    frequencies_add(frequencies, new);
    const struct counts *counts = frequencies_counts(frequencies);
    assert_true(counts->texts <= FREQUENCIES_FORGET / 2 + 1);
    assert_true(counts_share(counts, TC_STR("tree")) > 0.99f);
    assert_int_equal(counts->count, 1); // words met once are gone
    frequencies_free(frequencies);
}

static void the_file_gives_back_what_was_counted(void **state)
{
    (void)state;
    struct scratch scratch;
    struct tc_err err;
    char path[SCRATCH_PATH];
    scratch_make(&scratch);
    snprintf(path, sizeof path, "%s", scratch_path(&scratch, "frequencies"));
    struct frequencies *one = frequencies_new(), *other = frequencies_new();
    assert_int_equal(frequencies_load(other, path, &err), TC_ENOENT);
    go_by(one, "der Baum \xe6\x9d\x8e steht", "der Fels steht", SAMPLER_ALL);
    assert_int_equal(frequencies_save(one, path, &err), TC_OK);
    assert_int_equal(frequencies_load(other, path, &err), TC_OK);
    assert_int_equal(frequencies_texts(other), frequencies_texts(one));
    static const char *const words[] = {"der", "baum", "fels", "\xe6\x9d\x8e"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_true(counts_share(frequencies_counts(other), tc_str_of(words[i])) ==
                    counts_share(frequencies_counts(one), tc_str_of(words[i])));
    static const char *const broken[] = {"",
                                         "nonsense\n",
                                         "tocsin frequencies 1\n",
                                         "tocsin frequencies 1\nx\n",
                                         "tocsin frequencies 1\n5\n6 more\n",
                                         "tocsin frequencies 1\n5\n2cut"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        scratch_text(&scratch, "frequencies", broken[i]);
        assert_int_equal(frequencies_load(other, path, &err), TC_EPARSE);
        assert_int_equal(frequencies_texts(other), frequencies_texts(one)); // as it was
    }
    frequencies_free(one);
    frequencies_free(other);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_counted_and_come_to_be_worth_compiling_for),
        cmocka_unit_test(other_words_are_worth_compiling_for_again_and_the_same_are_not),
        cmocka_unit_test(what_is_long_ago_is_forgotten),
        cmocka_unit_test(the_file_gives_back_what_was_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
