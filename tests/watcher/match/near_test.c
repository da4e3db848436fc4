// near_test - how places lie to each other, on words that are nothing but positions.

#include "common/mem.h"
#include "watcher/match/near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WORDS = 4000, PARAGRAPH = 1000 };

static struct text_word words[WORDS]; // word n at position n, 1000 words a paragraph

static int begin(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WORDS; i++) {
        words[i].position = i;
        words[i].paragraph = i / PARAGRAPH;
    }
    return 0;
}

// Spans from pairs of numbers, ended by a pair that goes backwards.
static struct spans spans_of(const uint32_t *pairs)
{
    struct spans spans = {0};
    for (; pairs[0] <= pairs[1]; pairs += 2)
        near_add(&spans, (struct span){pairs[0], pairs[1]});
    near_sort(words, &spans);
    return spans;
}

#define SPANS(...) spans_of((const uint32_t[]){__VA_ARGS__, 1, 0})

static void spans_are_sorted_and_doubles_go(void **state)
{
    (void)state;
    struct spans spans = SPANS(5, 6, 1, 9, 5, 5, 1, 2, 5, 6);
    assert_int_equal(spans.count, 4);
    assert_int_equal(spans.at[0].last, 2);
    assert_int_equal(spans.at[1].last, 9);
    assert_int_equal(spans.at[2].last, 5);
    assert_int_equal(spans.at[3].last, 6);
    near_done(&spans);
}

static void near_holds_up_to_its_distance_and_not_beyond(void **state)
{
    (void)state;
    static const struct {
        uint32_t a[2], b[2], distance;
        enum near_order order;
        bool near;
    } rows[] = {
        {{10, 10}, {14, 14}, 3, NEAR_EITHER, true},
        {{10, 10}, {14, 14}, 2, NEAR_EITHER, false},
        {{14, 14}, {10, 10}, 3, NEAR_EITHER, true},
        {{14, 14}, {10, 10}, 3, NEAR_FIRST_BEFORE, false},
        {{10, 12}, {13, 13}, 0, NEAR_FIRST_BEFORE, true},
        {{999, 999}, {1000, 1000}, 5, NEAR_EITHER, false}, // two paragraphs
        {{10, 12}, {11, 11}, 5, NEAR_EITHER, false},       // overlapping, no gaps
        {{10, 10}, {10, 10}, 5, NEAR_EITHER, false},
        {{10, 10}, {999, 999}, UINT32_MAX, NEAR_EITHER, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct near near = {words, rows[i].order, rows[i].distance, false, false};
        struct spans a = SPANS(rows[i].a[0], rows[i].a[1]), b = SPANS(rows[i].b[0], rows[i].b[1]);
        struct spans pairs = {0};
        near_pairs(&near, &a, &b, &pairs);
        if (near_any(&near, &a, &b) != rows[i].near || (pairs.count > 0) != rows[i].near)
            fail_msg("row %zu", i);
        near_done(&pairs);
        near_done(&a);
        near_done(&b);
    }
}

static void a_span_in_the_gap_of_a_group_is_near_it(void **state)
{
    (void)state;
    struct near near = {words, NEAR_EITHER, 0, true, false};
    struct spans group = SPANS(10, 14), inside = SPANS(12, 12), at_end = SPANS(14, 14);
    assert_true(near_any(&near, &group, &inside));
    assert_false(near_any(&near, &group, &at_end));
    near_done(&group);
    near_done(&inside);
    near_done(&at_end);
}

static void partners_are_found_on_both_sides(void **state)
{
    (void)state;
    struct near near = {words, NEAR_EITHER, 1, false, false};
    struct spans a = SPANS(10, 10, 20, 20, 30, 30), b = SPANS(12, 12, 29, 29), out = {0};
    near_firsts(&near, &a, &b, &out);
    assert_int_equal(out.count, 2);
    assert_int_equal(out.at[1].first, 30);
    out.count = 0;
    near_seconds(&near, &a, &b, &out);
    assert_int_equal(out.count, 2);
    out.count = 0;
    near_without(&near, &a, &b, &out);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.at[0].first, 20);
    near_done(&a);
    near_done(&b);
    near_done(&out);
}

static void except_asks_whether_any_b_holds_the_whole_a(void **state)
{
    (void)state;
    struct spans a = SPANS(10, 10, 20, 22, 40, 41),
                 b = SPANS(5, 12, 20, 21, 21, 22, 39, 44, 40, 40);
    struct spans out = {0};
    near_except(words, &a, &b, &out);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.at[0].first, 20);
    near_done(&a);
    near_done(&b);
    near_done(&out);
}

static void the_most_that_do_not_overlap_are_counted(void **state)
{
    (void)state;
    struct spans none = {0}, chain = SPANS(1, 2, 2, 3, 3, 4, 4, 5), wide = SPANS(1, 9, 2, 3, 5, 6);
    assert_int_equal(near_apart(words, &none), 0);
    assert_int_equal(near_apart(words, &chain), 2);
    assert_int_equal(near_apart(words, &wide), 2);
    near_done(&chain);
    near_done(&wide);
}

static void the_closest_pair_is_told_whatever_the_distance(void **state)
{
    (void)state;
    struct near near = {words, NEAR_EITHER, 2, false, false};
    struct spans a = SPANS(10, 10, 500, 500), b = SPANS(20, 20, 1500, 1500),
                 far = SPANS(1500, 1500);
    assert_int_equal(near_closest(&near, &a, &b), 9);
    assert_int_equal(near_closest(&near, &a, &far), SIZE_MAX);
    near_done(&a);
    near_done(&b);
    near_done(&far);
}

// Every word is an a and a b: half a million pairs in each paragraph. What is kept must still
// reach every word that some pair begins or ends at.
static void too_many_pairs_are_thinned_without_losing_an_end(void **state)
{
    (void)state;
    struct near near = {words, NEAR_EITHER, PARAGRAPH, false, false};
    struct spans all = {0}, pairs = {0};
    for (uint32_t i = 0; i < 2 * PARAGRAPH; i++)
        near_add(&all, (struct span){i, i});
    near_pairs(&near, &all, &all, &pairs);
    assert_true(pairs.count < NEAR_SPANS_MOST * 2);
    bool *begins = tc_new(WORDS), *ends = tc_new(WORDS);
    for (size_t i = 0; i < pairs.count; i++) {
        begins[pairs.at[i].first] = true;
        ends[pairs.at[i].last] = true;
        assert_int_equal(words[pairs.at[i].first].paragraph, words[pairs.at[i].last].paragraph);
    }
    for (uint32_t i = 0; i + 1 < PARAGRAPH; i++)
        assert_true(begins[i] && ends[i + 1]);
    free(begins);
    free(ends);
    near_done(&all);
    near_done(&pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_sorted_and_doubles_go),
        cmocka_unit_test(near_holds_up_to_its_distance_and_not_beyond),
        cmocka_unit_test(a_span_in_the_gap_of_a_group_is_near_it),
        cmocka_unit_test(partners_are_found_on_both_sides),
        cmocka_unit_test(except_asks_whether_any_b_holds_the_whole_a),
        cmocka_unit_test(the_most_that_do_not_overlap_are_counted),
        cmocka_unit_test(the_closest_pair_is_told_whatever_the_distance),
        cmocka_unit_test(too_many_pairs_are_thinned_without_losing_an_end),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
