#include "watcher/match/cost.h"

#include "tests/watcher/match/try.h"

enum { WATCHES = 5 };

struct trial {
    struct tc_arena *arena;
    struct watch watches[WATCHES];
    struct matcher *matcher;
    struct scan *scan;
    struct cost *cost;
};

static struct trial begin(void)
{
    struct trial trial = {.arena = tc_arena_new(), .scan = scan_new()};
    static const char *const queries[] = {"storm", "harbour AND ferry", "PAGE(storm AND calm)",
                                          "sto* OR ferry"};
    static const char *const names[] = {"t/word", "t/two", "t/page", "t/wild"};
    for (size_t i = 0; i < 4; i++)
        trial.watches[i] = try_watch(names[i], try_query(queries[i], trial.arena));
    trial.watches[4] = try_watch("t/all", NULL);
    trial.watches[4].all_articles = true;
    trial.matcher = try_matcher(trial.watches, WATCHES);
    trial.cost = cost_new(trial.matcher);
    return trial;
}

static void look(struct trial *trial, const char *text)
{
    struct article *article = try_plain(text);
    const struct text *read = try_text(article);
    const struct scan_hit *hits;
    scan_run(trial->scan, trial->matcher, read, &hits);
    cost_add(trial->cost, trial->scan, read);
    article_free(article);
}

static void end(struct trial *trial)
{
    cost_free(trial->cost);
    matcher_drop(trial->matcher);
    scan_free(trial->scan);
    tc_arena_free(trial->arena);
}

static void the_tries_of_all_watches_are_the_candidates_of_the_scan(void **state)
{
    struct trial trial = begin();
    uint64_t sum = 0;
    (void)state;
    look(&trial, "A storm closed the harbour. The storm went on.");
    look(&trial, "The ferry waits in the harbour.");
    look(&trial, "Calm.\nAnother storm, another ferry.");
    look(&trial, "Nothing.");
    for (size_t i = 0; i < WATCHES; i++)
        sum += cost_tries(trial.cost, i);
    assert_int_equal(sum, scan_stats(trial.scan).candidates);
    assert_int_equal(cost_tries(trial.cost, 0), 2);
    assert_int_equal(cost_tries(trial.cost, 1), 1);
    assert_int_equal(cost_tries(trial.cost, 4), 4);
    end(&trial);
}

static void only_a_watch_without_words_has_no_key(void **state)
{
    struct trial trial = begin();
    (void)state;
    for (size_t i = 0; i < WATCHES; i++)
        assert_int_equal(cost_has_key(trial.cost, i), i != 4);
    end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tries_of_all_watches_are_the_candidates_of_the_scan),
        cmocka_unit_test(only_a_watch_without_words_has_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
