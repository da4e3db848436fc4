// matcher_test - the compiled set: what the index saves, who may use it, when it goes.

#include "tests/watcher/match/try.h"
#include "watcher/match/matcher_body.h"

#include <pthread.h>

enum { MANY = 2000, THREADS = 4, TEXTS = 40 };

struct set { // watches over invented words, n of them
    struct tc_arena *arena;
    struct watch *watches;
    struct matcher *matcher;
};

static struct set set_of(size_t count)
{
    struct set set = {tc_arena_new(), tc_new(count * sizeof *set.watches), NULL};
    static const char *const forms[][2] = {{"the AND wordy", ""},
                                           {"\"the wordy", "\""},
                                           {"the NEAR/3 wordy", ""},
                                           {"nothing OR wordy", "*"},
                                           {"SENTENCE(the AND (nothing OR wordless", "))"}};
    for (size_t i = 0; i < count; i++) {
        char query[128];
        snprintf(query, sizeof query, "%s%zu%s", forms[i % 5][0], i / 5, forms[i % 5][1]);
        set.watches[i] = try_watch("test/watch", try_query(query, set.arena));
    }
    set.matcher = try_matcher(set.watches, count);
    return set;
}

static void set_done(struct set *set)
{
    matcher_drop(set->matcher);
    free(set->watches);
    tc_arena_free(set->arena);
}

static void an_article_tries_only_watches_that_its_words_lead_to(void **state)
{
    (void)state;
    struct set set = set_of(MANY);
    struct article *article = try_plain("The wordy7 came, the wordless9 went.");
    struct scan *scan = scan_new();
    const struct scan_hit *hits;
    size_t count = scan_run(scan, set.matcher, try_text(article), &hits);
    assert_true(count >= 5);
    assert_true(scan_stats(scan).candidates < count + 5);
    assert_int_equal(scan_stats(scan).hits, count);
    for (size_t i = 1; i < count; i++)
        assert_true(hits[i - 1].watch < hits[i].watch); // load order
    scan_free(scan);
    article_free(article);
    set_done(&set);
}

static void the_rarest_part_is_the_anchor(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        size_t entries, pages, always; // how many words lead to the watch
    } rows[] = {
        {"the AND extraordinary", 1, 0, 0},
        {"(the OR a) AND extraordinary", 2, 0, 0}, // with each of the two as the second word
        {"(the OR \"a b\") AND extraordinary", 1, 0, 0},
        {"one OR two OR two OR three", 3, 0, 0},
        {"ANY/2(extraordinary, circumstances, an)", 2, 0, 0},
        {"ANY/3(one, two, three)", 1, 0, 0},
        {"one EXCEPT \"extraordinary one\"", 1, 0, 0},
        {"PAGE(one OR two)", 0, 2, 0},
        {"PAGE(extraordinary) AND extraordinarily", 1, 0, 0},
        {"SENTENCE(ATLEAST/2(one OR t*o))", 2, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tc_arena *arena = tc_arena_new();
        struct watch watch = try_watch("test/watch", try_query(rows[i].query, arena));
        struct matcher *matcher = try_matcher(&watch, 1);
        const struct index *index = matcher->index;
        if (index->segment.entry_count != rows[i].entries ||
            index->page.entry_count != rows[i].pages || index->always_count != rows[i].always)
            fail_msg("%s: %zu entries, %zu of the page, %zu always", rows[i].query,
                     index->segment.entry_count, index->page.entry_count, index->always_count);
        matcher_drop(matcher);
        tc_arena_free(arena);
    }
}

static void a_score_that_needs_two_terms_has_no_entry_for_the_third(void **state)
{
    (void)state;
    struct tc_arena *arena = tc_arena_new();
    struct watch_term terms[] = {{try_query("extraordinary", arena), 5},
                                 {try_query("circumstances", arena), 5},
                                 {try_query("the", arena), 5},
                                 {try_query("never", arena), -20}};
    struct watch watch = {.name = TC_STR("t/s"), .terms = terms, .term_count = 4};
    static const struct {
        double threshold;
        size_t entries, always;
    } rows[] = {{5, 3, 0}, {6, 2, 0}, {11, 1, 0}, {16, 0, 0}, {0, 0, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        watch.threshold = rows[i].threshold;
        struct matcher *matcher = try_matcher(&watch, 1);
        assert_int_equal(matcher->index->segment.entry_count, rows[i].entries);
        assert_int_equal(matcher->index->always_count, rows[i].always);
        matcher_drop(matcher);
    }
    tc_arena_free(arena);
}

static void a_list_is_laid_out_once_for_all_its_users(void **state)
{
    (void)state;
    struct tc_arena *arena = tc_arena_new();
    struct query_list_entry entries[64];
    for (int i = 0; i < 64; i++) {
        char word[16];
        snprintf(word, sizeof word, "word%d", i);
        entries[i] = (struct query_list_entry){{NULL, 0}, try_query(word, arena)};
    }
    struct query_list list = {TC_STR("many"), entries, 64, 1};
    const struct query_list *known[] = {&list};
    struct query_lists lists = {known, 1};
    struct watch watches[8];
    for (int i = 0; i < 8; i++)
        watches[i] = try_watch("t/w", try_query_with("@many AND extraordinary", &lists, arena));
    struct matcher *matcher = try_matcher(watches, 8);
    assert_true(matcher->plan.node_count < 2 * 64 + 8 * 3 + 1);
    assert_int_equal(matcher->index->list_count, 1 + 64);
    matcher_drop(matcher);
    tc_arena_free(arena);
}

static int dropped;

static void drop_owner(void *owner)
{
    assert_ptr_equal(owner, &dropped);
    dropped++;
}

static void the_owner_is_let_go_with_the_last_reference(void **state)
{
    (void)state;
    struct tc_arena *arena = tc_arena_new();
    struct watch watch = try_watch("t/w", try_query("ferry", arena));
    struct matcher *matcher = NULL;
    struct tc_err err;
    dropped = 0;
    assert_int_equal(matcher_new(&watch, 1, drop_owner, &dropped, &matcher, &err), TC_OK);
    assert_int_equal(matcher_count(matcher), 1);
    assert_ptr_equal(matcher_watch(matcher, 0), &watch);
    assert_true(matcher_bytes(matcher) > 0);
    assert_ptr_equal(matcher_hold(matcher), matcher);
    matcher_drop(matcher);
    assert_int_equal(dropped, 0);
    matcher_drop(matcher);
    assert_int_equal(dropped, 1);
    matcher_drop(NULL);
    tc_arena_free(arena);
}

static void a_set_without_watches_matches_nothing(void **state)
{
    (void)state;
    struct matcher *matcher = try_matcher(NULL, 0);
    struct article *article = try_plain("A ferry.");
    struct scan *scan = scan_new();
    assert_int_equal(try_run(scan, matcher, try_text(article), NULL), 0);
    scan_free(scan);
    article_free(article);
    matcher_drop(matcher);
}

// ---- threads -------------------------------------------------------------------------------

struct job {
    const struct set *set;
    uint64_t sums[TEXTS]; // of the watches that matched
};

static void *scan_texts(void *argument)
{
    struct job *job = argument;
    struct scan *scan = scan_new();
    struct matcher *matcher = matcher_hold(job->set->matcher);
    for (int i = 0; i < TEXTS; i++) {
        char body[256];
        snprintf(body, sizeof body, "The wordy%d. It met the wordy%d, not the wordless%d.", i * 3,
                 i * 5, i * 7);
        struct article *article = try_plain(body);
        const struct scan_hit *hits;
        size_t count = scan_run(scan, matcher, try_text(article), &hits);
        for (size_t k = 0; k < count; k++)
            job->sums[i] = job->sums[i] * 31 + hits[k].watch + 1;
        article_free(article);
    }
    matcher_drop(matcher);
    scan_free(scan);
    return NULL;
}

static void threads_that_share_a_set_find_the_same(void **state)
{
    (void)state;
    struct set set = set_of(MANY);
    struct job alone = {&set, {0}}, jobs[THREADS];
    pthread_t threads[THREADS];
    scan_texts(&alone);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){&set, {0}};
        assert_int_equal(pthread_create(&threads[i], NULL, scan_texts, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_memory_equal(jobs[i].sums, alone.sums, sizeof alone.sums);
    }
    assert_true(alone.sums[1] != 0);
    set_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_article_tries_only_watches_that_its_words_lead_to),
        cmocka_unit_test(the_rarest_part_is_the_anchor),
        cmocka_unit_test(a_score_that_needs_two_terms_has_no_entry_for_the_third),
        cmocka_unit_test(a_list_is_laid_out_once_for_all_its_users),
        cmocka_unit_test(the_owner_is_let_go_with_the_last_reference),
        cmocka_unit_test(a_set_without_watches_matches_nothing),
        cmocka_unit_test(threads_that_share_a_set_find_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
