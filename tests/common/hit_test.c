#include "common/hit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct tc_match matches[] = {
    {TC_STR("advice"), TC_FIELD_BODY, 120, 133, TC_STR("avoid travel")},
    {{"", 0}, TC_FIELD_TITLE, 0, 4, TC_STR("M\xe1\xbb\xb9")},
};

static struct tc_hit sample(void)
{
    return (struct tc_hit){
        .id = {{1, 2, 3}},
        .watch_hash = {{4, 5, 6}},
        .watch = TC_STR("china-ai/travel-advice"),
        .severity = TC_STR("high"),
        .segment = 7,
        .score = 11.5,
        .matches = matches,
        .match_count = 2,
        .excerpt = TC_STR("told to " TC_MARK_OPEN "avoid travel" TC_MARK_CLOSE),
    };
}

static void assert_same(const struct tc_hit *a, const struct tc_hit *b)
{
    assert_true(tc_id_eq(a->id, b->id));
    assert_true(tc_id_eq(a->watch_hash, b->watch_hash));
    assert_true(tc_str_eq(a->watch, b->watch));
    assert_true(tc_str_eq(a->severity, b->severity));
    assert_int_equal(a->segment, b->segment);
    assert_true(a->score == b->score || (isnan(a->score) && isnan(b->score)));
    assert_int_equal(a->match_count, b->match_count);
    for (size_t i = 0; i < a->match_count; i++) {
        assert_true(tc_str_eq(a->matches[i].clause, b->matches[i].clause));
        assert_true(tc_str_eq(a->matches[i].words, b->matches[i].words));
        assert_int_equal(a->matches[i].field, b->matches[i].field);
        assert_int_equal(a->matches[i].start, b->matches[i].start);
        assert_int_equal(a->matches[i].end, b->matches[i].end);
    }
    assert_true(tc_str_eq(a->excerpt, b->excerpt));
}

static void a_hit_goes_there_and_back(void **state)
{
    struct tc_arena *arena = tc_arena_new();
    struct tc_buf bytes = {0};
    struct tc_hit hit = sample(), back;
    (void)state;
    tc_hit_encode(&hit, &bytes);
    assert_int_equal(tc_hit_decode(tc_buf_view(&bytes), arena, &back, NULL), TC_OK);
    assert_same(&hit, &back);
    tc_buf_clear(&bytes);
    hit.score = NAN;
    hit.match_count = 0;
    tc_hit_encode(&hit, &bytes);
    assert_int_equal(tc_hit_decode(tc_buf_view(&bytes), arena, &back, NULL), TC_OK);
    assert_same(&hit, &back);
    tc_buf_done(&bytes);
    tc_arena_free(arena);
}

static void the_layout_is_that_of_the_protocol(void **state)
{
    static const unsigned char expected[] = {
        1, 2,   3,   0,   0,   0, 0,   0,    0,   0,   0, 0, 0, 0,   0,   0,   // id
        4, 5,   6,   0,   0,   0, 0,   0,    0,   0,   0, 0, 0, 0,   0,   0,   // watch hash
        7, 0,   0,   0,                                                        // segment
        0, 0,   0,   0,   0,   0, 0,   0x40,                                   // 2.0
        3, 0,   'a', '/', 'b', 4, 'h', 'i',  'g', 'h', 1, 0,                   // watch, severity
        1, 'c', 3,   2,   1,   0, 0,   9,    0,   0,   0, 2, 0, 'x', 'y', 0, 0 // match, excerpt
    };
    struct tc_match match = {TC_STR("c"), TC_FIELD_META, 258, 9, TC_STR("xy")};
    struct tc_hit hit = sample();
    struct tc_buf bytes = {0};
    (void)state;
    hit.watch = TC_STR("a/b");
    hit.score = 2.0;
    hit.matches = &match;
    hit.match_count = 1;
    hit.excerpt = (tc_str){"", 0};
    tc_hit_encode(&hit, &bytes);
    assert_int_equal(bytes.len, sizeof expected);
    assert_memory_equal(bytes.ptr, expected, sizeof expected);
    tc_buf_done(&bytes);
}

static void every_cut_and_every_byte_too_many_is_refused(void **state)
{
    struct tc_arena *arena = tc_arena_new();
    struct tc_buf bytes = {0};
    struct tc_hit hit = sample(), back = {.segment = 99};
    (void)state;
    tc_hit_encode(&hit, &bytes);
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(tc_hit_decode((tc_str){bytes.ptr, len}, arena, &back, NULL), TC_EPROTO);
    tc_buf_byte(&bytes, 0);
    assert_int_equal(tc_hit_decode(tc_buf_view(&bytes), arena, &back, NULL), TC_EPROTO);
    assert_int_equal(back.segment, 99);
    tc_buf_done(&bytes);
    tc_arena_free(arena);
}

static void wrong_values_are_refused(void **state)
{
    const struct tc_match wrong[] = {
        {{"", 0}, (enum tc_field)4, 0, 1, TC_STR("x")},
        {{"", 0}, TC_FIELD_BODY, 2, 1, TC_STR("x")},
        {{"", 0}, TC_FIELD_BODY, 0, 1, TC_STR("\xff")},
    };
    struct tc_arena *arena = tc_arena_new();
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct tc_hit hit = sample(), back;
        struct tc_buf bytes = {0};
        hit.matches = &wrong[i];
        hit.match_count = 1;
        tc_hit_encode(&hit, &bytes);
        assert_int_equal(tc_hit_decode(tc_buf_view(&bytes), arena, &back, NULL), TC_EPROTO);
        tc_buf_done(&bytes);
    }
    tc_arena_free(arena);
}

static void later_matches_and_longer_texts_are_left_out(void **state)
{
    static struct tc_match many[TC_HIT_MATCHES_MOST + 1];
    static char clause[300];
    struct tc_arena *arena = tc_arena_new();
    struct tc_hit hit = sample(), back;
    struct tc_buf bytes = {0};
    (void)state;
    memset(clause, 'c', sizeof clause);
    many[0].clause = (tc_str){clause, sizeof clause};
    hit.matches = many;
    hit.match_count = TC_HIT_MATCHES_MOST + 1;
    tc_hit_encode(&hit, &bytes);
    assert_int_equal(tc_hit_decode(tc_buf_view(&bytes), arena, &back, NULL), TC_OK);
    assert_int_equal(back.match_count, TC_HIT_MATCHES_MOST);
    assert_int_equal(back.matches[0].clause.len, 255);
    tc_buf_done(&bytes);
    tc_arena_free(arena);
}

static void a_frame_brings_its_hits_in_order(void **state)
{
    tc_str header = TC_STR("{\"id\":\"x\"}"), bytes = {0};
    struct tc_arena *arena = tc_arena_new();
    struct tc_buf frame = {0};
    struct tc_hits hits;
    (void)state;
    tc_hits_begin(&frame);
    for (uint32_t i = 0; i < 300; i++) {
        struct tc_hit hit = sample();
        hit.segment = i;
        tc_hits_add(&frame, &hit);
    }
    tc_hits_finish(&frame, header);
    assert_int_equal(tc_hits_open(tc_buf_view(&frame), header, &hits, NULL), TC_OK);
    assert_int_equal(hits.count, 300);
    for (uint32_t i = 0; i < 300; i++) {
        struct tc_hit hit;
        assert_int_equal(tc_hits_next(&hits, &bytes, NULL), TC_OK);
        assert_int_equal(tc_hit_decode(bytes, arena, &hit, NULL), TC_OK);
        assert_int_equal(hit.segment, i);
    }
    assert_int_equal(tc_hits_next(&hits, &bytes, NULL), TC_ENOENT);
    tc_buf_done(&frame);
    tc_arena_free(arena);
}

static void an_empty_frame_has_no_hits(void **state)
{
    struct tc_buf frame = {0};
    struct tc_hits hits;
    tc_str bytes = {0};
    (void)state;
    tc_hits_begin(&frame);
    tc_hits_finish(&frame, (tc_str){NULL, 0});
    assert_int_equal(tc_hits_open(tc_buf_view(&frame), (tc_str){NULL, 0}, &hits, NULL), TC_OK);
    assert_int_equal(tc_hits_next(&hits, &bytes, NULL), TC_ENOENT);
    tc_buf_done(&frame);
}

static void every_flipped_bit_of_a_frame_is_seen(void **state)
{
    tc_str header = TC_STR("{\"id\":\"x\"}");
    struct tc_buf frame = {0};
    struct tc_hit hit = sample();
    struct tc_hits hits;
    (void)state;
    tc_hits_begin(&frame);
    tc_hits_add(&frame, &hit);
    tc_hits_finish(&frame, header);
    for (size_t bit = 0; bit < frame.len * 8; bit++) {
        frame.ptr[bit / 8] = (char)(frame.ptr[bit / 8] ^ (1 << bit % 8));
        assert_int_not_equal(tc_hits_open(tc_buf_view(&frame), header, &hits, NULL), TC_OK);
        frame.ptr[bit / 8] = (char)(frame.ptr[bit / 8] ^ (1 << bit % 8));
    }
    assert_int_equal(tc_hits_open(tc_buf_view(&frame), TC_STR("{\"id\":\"y\"}"), &hits, NULL),
                     TC_ECORRUPT);
    for (size_t len = 0; len < frame.len; len++)
        assert_int_not_equal(tc_hits_open((tc_str){frame.ptr, len}, header, &hits, NULL), TC_OK);
    tc_buf_done(&frame);
}

static void the_id_depends_on_each_part_and_nothing_else(void **state)
{
    struct tc_id id = tc_hit_id(TC_STR("a/b"), TC_STR("s"), TC_STR("x"), 1, 0);
    const tc_str parts[] = {TC_STR("a"), TC_STR("b"), TC_STR("s"),
                            TC_STR("x"), TC_STR("1"), TC_STR("0")};
    (void)state;
    assert_true(tc_id_eq(id, tc_id_of(parts, 6)));
    assert_false(tc_id_eq(id, tc_hit_id(TC_STR("a/c"), TC_STR("s"), TC_STR("x"), 1, 0)));
    assert_false(tc_id_eq(id, tc_hit_id(TC_STR("b/b"), TC_STR("s"), TC_STR("x"), 1, 0)));
    assert_false(tc_id_eq(id, tc_hit_id(TC_STR("a/b"), TC_STR("t"), TC_STR("x"), 1, 0)));
    assert_false(tc_id_eq(id, tc_hit_id(TC_STR("a/b"), TC_STR("s"), TC_STR("y"), 1, 0)));
    assert_false(tc_id_eq(id, tc_hit_id(TC_STR("a/b"), TC_STR("s"), TC_STR("x"), 2, 0)));
    assert_false(tc_id_eq(id, tc_hit_id(TC_STR("a/b"), TC_STR("s"), TC_STR("x"), 1, 1)));
}

static void fields_have_names(void **state)
{
    (void)state;
    assert_string_equal(tc_field_name(TC_FIELD_TITLE), "title");
    assert_string_equal(tc_field_name(TC_FIELD_META), "meta");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hit_goes_there_and_back),
        cmocka_unit_test(the_layout_is_that_of_the_protocol),
        cmocka_unit_test(every_cut_and_every_byte_too_many_is_refused),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(later_matches_and_longer_texts_are_left_out),
        cmocka_unit_test(a_frame_brings_its_hits_in_order),
        cmocka_unit_test(an_empty_frame_has_no_hits),
        cmocka_unit_test(every_flipped_bit_of_a_frame_is_seen),
        cmocka_unit_test(the_id_depends_on_each_part_and_nothing_else),
        cmocka_unit_test(fields_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
