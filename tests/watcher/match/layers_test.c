// layers_test - watches laid over a compiled set match as if they had been compiled at once.
//
// A list of watches is edited at random for many rounds: some are added, removed, replaced by others, moved;
// now and then everything is merged. After every round random texts are matched with the layers and with a
// matcher of the whole list, with the index and without. The seed is printed; TEST_SEED repeats a run.
#include "tests/watcher/match/try.h"
#include "watcher/match/expressions.h"
#include "watcher/match/layers.h"
#include "watcher/match/matcher_body.h"

#include <time.h>

enum { ROUNDS = 60, WATCHES_MOST = 200, EDITS_MOST = 6, TEXTS = 8, WORDS = 40 };

static const char *const vocabulary[] = {"kalo", "kami", "lomi", "lonu", "nupe", "peka",
                                         "mire", "sato", "kam",  "lom",  "vatu", "wero"};
enum { VOCABULARY = sizeof vocabulary / sizeof *vocabulary };

static uint64_t chance;

static int below(int limit)
{
    chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((chance >> 33) % (uint64_t)limit);
}

static const char *word(int most)
{
    return vocabulary[below(most)];
}

struct stage {
    struct tc_arena *arena;
    const struct watch *watches[WATCHES_MOST]; // the list of now
    size_t count;
    struct watch_list *list; // of now
    struct layers *layers;
    struct matcher *whole;           // compiled at once
    size_t tops, gones, moves, hits; // what the rounds have met
    size_t expressed[2];             // hits of watches with expressions, in the base and on top
};

static const struct watch *any_watch(struct stage *stage)
{
    static const char *const shapes[] = {"%s",
                                         "%s AND %s",
                                         "\"%s %s\"",
                                         "%s NEAR/3 %s",
                                         "%s OR %s",
                                         "TITLE(%s) OR (%s AND NOT kami)",
                                         "%.3s*",
                                         "/%.3s[aiou]{1,2}/",
                                         "/%.3s[a-z]{1,3} %.2s/ AND NOT %s",
                                         "(%s OR /%.4s[. ]{1,2}k/) NEAR/4 %s"};
    char query[200], name[40];
    struct watch *watch = tc_arena_take(stage->arena, sizeof *watch);
    static int number;
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    int drawn = below(SHAPES);
    const char *shape = shapes[drawn];
    snprintf(name, sizeof name, "n/w%d", number++);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
    // Of few words, so that the same expressions come again: compiling one is slow.
    int most = drawn >= SHAPES - 3 ? 3 : VOCABULARY;
    snprintf(query, sizeof query, shape, word(most), word(most), word(most));
#pragma GCC diagnostic pop
    *watch =
        try_watch(tc_arena_str(stage->arena, tc_str_of(name)).ptr, try_query(query, stage->arena));
    watch->expressions = drawn >= SHAPES - 3;
    return watch;
}

static void edit(struct stage *stage)
{
    size_t at = stage->count ? (size_t)below((int)stage->count) : 0;
    switch (stage->count < 10 ? 0 : below(5)) {
    case 0:
    case 1: // add
        if (stage->count == WATCHES_MOST)
            return;
        memmove(stage->watches + at + 1, stage->watches + at,
                (stage->count - at) * sizeof(const struct watch *));
        stage->watches[at] = any_watch(stage);
        stage->count++;
        break;
    case 2: // remove
        stage->count--;
        memmove(stage->watches + at, stage->watches + at + 1,
                (stage->count - at) * sizeof(const struct watch *));
        break;
    case 3: stage->watches[at] = any_watch(stage); break; // replace
    default: {                                            // move
        const struct watch *moved = stage->watches[at];
        stage->watches[at] = stage->watches[0];
        stage->watches[0] = moved;
        stage->moves++;
    }
    }
}

static void lay(struct stage *stage, struct matcher *base)
{
    struct layers *next = NULL;
    struct tc_err err;
    const struct watch **copy = tc_new((stage->count + 1) * sizeof(const struct watch *));
    memcpy(copy, stage->watches, stage->count * sizeof(const struct watch *));
    struct watch_list *list = watch_list_new(copy, stage->count, NULL, NULL);
    assert_int_equal(layers_new(base, list, NULL, &next, &err), TC_OK);
    struct matcher *before =
        stage->whole; // compiled expressions are taken over, which saves most of the time
    assert_int_equal(watch_list_compile(list, NULL, before, &stage->whole, &err), TC_OK);
    matcher_drop(before);
    watch_list_drop(list);
    layers_drop(stage->layers);
    stage->layers = next;
    stage->tops += layers_top(next);
    stage->gones += layers_gone(next);
}

static struct article *any_article(void)
{
    char text[WORDS * 10] = "";
    size_t len = 0;
    for (int i = 0; i < WORDS; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", word(VOCABULARY),
                                below(9) == 0 ? ".\n\n" : " ");
    return try_plain(text);
}

static void expect_same(struct stage *stage, const struct layers_hit *hits, size_t count,
                        const struct scan_hit *wanted, size_t wanted_count)
{
    assert_int_equal(count, wanted_count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(hits[i].segment, wanted[i].segment);
        assert_int_equal(hits[i].watch, wanted[i].watch);
        assert_ptr_equal(layers_watch(stage->layers, hits[i].watch),
                         stage->watches[wanted[i].watch]);
        if (layers_watch(stage->layers, hits[i].watch)->expressions)
            stage->expressed[hits[i].on_top]++;
    }
    stage->hits += count;
}

static void match_one(struct stage *stage, struct layers_scan *scan, struct scan *plain)
{
    struct article *article = any_article();
    const struct text *text = NULL;
    const struct layers_hit *hits = NULL;
    const struct scan_hit *wanted = NULL;
    struct tc_hit one, other;
    assert_int_equal(text_read(article, &try_settings, &text, NULL), TC_OK);
    size_t count = layers_run(scan, stage->layers, text, &hits);
    size_t wanted_count = scan_run(plain, stage->whole, text, &wanted);
    expect_same(stage, hits, count, wanted, wanted_count);
    for (size_t i = 0; i < count; i++) { // hits are filled from the layer that has them
        layers_hit_fill(scan, stage->layers, text, &hits[i], &one);
        scan_hit_fill(plain, stage->whole, text, &wanted[i], &other);
        assert_true(tc_id_eq(one.id, other.id));
        assert_true(tc_str_eq(one.excerpt, other.excerpt));
    }
    count = layers_run_all(scan, stage->layers, text, &hits);
    expect_same(stage, hits, count, wanted, wanted_count);
    article_free(article);
}

static void layers_match_as_one_compiled_set(void **state)
{
    struct stage *stage = *state;
    struct layers_scan *scan = layers_scan_new();
    struct scan *plain = scan_new();
    struct matcher *base = NULL;
    for (int round = 0; round < ROUNDS; round++) {
        for (int edits = 1 + below(EDITS_MOST); edits; edits--)
            edit(stage);
        lay(stage, base);
        for (int i = 0; i < TEXTS; i++)
            match_one(stage, scan, plain);
        // A merge: what is compiled at once becomes the base of the next rounds.
        if (!base || below(8) == 0) {
            matcher_drop(base);
            base = matcher_hold(stage->whole);
        }
    }
    matcher_drop(base);
    assert_true(stage->tops > 20 && stage->gones > 20 && stage->moves > 5 && stage->hits > 1000);
    assert_true(stage->expressed[false] > 100 && stage->expressed[true] > 100);
    layers_scan_free(scan);
    scan_free(plain);
}

static void a_set_that_is_mostly_new_is_compiled_as_one(void **state)
{
    struct stage *stage = *state;
    struct tc_err err;
    struct layers *next = NULL;
    enum { MANY = 5000 };
    const struct watch **copy = tc_new(MANY * sizeof(const struct watch *));
    edit(stage);
    lay(stage, NULL);
    for (size_t i = 0; i < MANY; i++)
        copy[i] = any_watch(stage);
    struct watch_list *list = watch_list_new(copy, MANY, NULL, NULL);
    assert_int_equal(layers_new(layers_base(stage->layers), list, NULL, &next, &err), TC_OK);
    assert_int_equal(layers_top(next), 0);
    assert_int_equal(layers_gone(next), 0);
    assert_ptr_not_equal(layers_base(next), layers_base(stage->layers));
    layers_drop(next);
    watch_list_drop(list);
}

// ---- the limit of expressions ---------------------------------------------------------------

static struct watch_list *some(const struct watch *const *watches, size_t from, size_t to)
{
    const struct watch **copy = tc_new((to - from) * sizeof(const struct watch *));
    memcpy(copy, watches + from, (to - from) * sizeof(const struct watch *));
    return watch_list_new(copy, to - from, NULL, NULL);
}

// Lays watches `from`..`to` over a base of the first EXPRESSIONS_MOST.
static int lay_some(const struct layers *first, const struct watch *const *watches, size_t from,
                    size_t to, struct layers **out, struct tc_err *err)
{
    struct watch_list *list = some(watches, from, to);
    int code = layers_new(layers_base(first), list, NULL, out, err);
    watch_list_drop(list);
    return code;
}

static void the_limit_of_expressions_holds_for_all_layers_together(void **state)
{
    enum { ALL = EXPRESSIONS_MOST + 2 };
    struct stage *stage = *state;
    struct tc_err err;
    struct layers *first = NULL, *next = NULL;
    const struct watch **watches = tc_new(ALL * sizeof(const struct watch *));
    for (int i = 0; i < ALL; i++) {
        char query[40];
        struct watch *watch = tc_arena_take(stage->arena, sizeof *watch);
        snprintf(query, sizeof query, "/number%d/", i);
        *watch = try_watch("n/numbered", try_query(query, stage->arena));
        watches[i] = watch;
    }
    struct watch_list *list = some(watches, 0, EXPRESSIONS_MOST);
    assert_int_equal(layers_new(NULL, list, NULL, &first, &err), TC_OK);
    // In each layer there are few enough, in both not.
    assert_int_equal(lay_some(first, watches, 1, ALL, &next, &err), TC_EFULL);
    assert_string_equal(err.text, "the watches have 10001 different regular expressions, at most "
                                  "10000 are allowed");
    // Two came for two that went, which the base still has.
    assert_int_equal(lay_some(first, watches, 2, ALL, &next, &err), TC_OK);
    assert_int_equal(layers_base(next)->terms.expressions.count, EXPRESSIONS_MOST);
    layers_drop(next);
    layers_drop(first);
    watch_list_drop(list);
    free(watches);
}

static int make(void **state)
{
    struct stage *stage = tc_new(sizeof *stage);
    stage->arena = tc_arena_new();
    *state = stage;
    return 0;
}

static int clean(void **state)
{
    struct stage *stage = *state;
    layers_drop(stage->layers);
    matcher_drop(stage->whole);
    tc_arena_free(stage->arena);
    free(stage);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(layers_match_as_one_compiled_set, make, clean),
        cmocka_unit_test_setup_teardown(a_set_that_is_mostly_new_is_compiled_as_one, make, clean),
        cmocka_unit_test_setup_teardown(the_limit_of_expressions_holds_for_all_layers_together,
                                        make, clean),
    };
    const char *seed = getenv("TEST_SEED");
    chance = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
    print_message("TEST_SEED=%llu\n", (unsigned long long)chance);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
