// random_test - the matcher against a reading of the language that is as plain as can be (plain.h).
//
// Random watches are matched on random articles, with the index and without, and answered by trying
// everything; contest.h compares. The seed is printed; TEST_SEED repeats a run.
//
// Half of the rounds have queries in the shapes that most watches have. These are matched by programs and never
// reach the evaluator, so the test also looks which kinds of clauses had a part in what matched.

#include "tests/watcher/match/contest.h"
#include "watcher/match/matcher_body.h"
#include "watcher/match/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { ROUNDS = 60 };

// ---- which clauses had a part --------------------------------------------------------------

static bool had_part[PROGRAM_NOT];
static bool was_proven, was_paired;

static void note_program(const struct matcher *matcher, uint32_t act)
{
    uint32_t terms;
    if (!(act & INDEX_RUN)) {
        was_proven = true;
        return;
    }
    const uint32_t *code = matcher->index->code + index_at(act) + 1;
    for (; *code != PROGRAM_END; code += 1 + program_operands(*code, &terms))
        had_part[program_kind(*code)] = true;
}

static void note_hit(const struct matcher *matcher, uint32_t watch)
{
    const struct index_part *part = &matcher->index->segment;
    for (uint32_t term = 0; term < matcher->index->term_count; term++) {
        struct index_row row = index_row(part, term);
        for (uint32_t i = 0; i < row.count; i++) {
            if (index_watch(matcher->index, row.acts[i]) != watch)
                continue;
            was_paired |= row.needs[i] < VIEW_PAIRS;
            note_program(matcher, row.acts[i]);
        }
    }
}

// ---- rounds --------------------------------------------------------------------------------

static uint64_t seed(void)
{
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static int rounds(int count, bool shapes)
{
    struct contest contest;
    int wrong = 0;
    contest_open(&contest, seed());
    contest.saw = note_hit;
    for (int i = 0; i < count && wrong < 5; i++)
        wrong += contest_round(&contest, shapes);
    assert_true(wrong || contest.hits > contest.pairs / 20);
    contest_done(&contest);
    return wrong;
}

static void random_watches_match_as_a_plain_reading_says(void **state)
{
    (void)state;
    assert_int_equal(rounds(ROUNDS, false), 0);
}

static void programs_of_common_shapes_match_as_a_plain_reading_says(void **state)
{
    (void)state;
    static const enum program_kind kinds[] = {PROGRAM_ALL,    PROGRAM_ANY,   PROGRAM_NONE,
                                              PROGRAM_PHRASE, PROGRAM_NEAR,  PROGRAM_ONEAR,
                                              PROGRAM_NODE,   PROGRAM_EVERY, PROGRAM_SOME};
    memset(had_part, 0, sizeof had_part);
    was_proven = was_paired = false;
    assert_int_equal(rounds(2 * ROUNDS, true), 0);
    assert_true(was_proven);
    assert_true(was_paired);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!had_part[kinds[i]])
            fail_msg("no match went through clauses of kind %d", (int)kinds[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_watches_match_as_a_plain_reading_says),
        cmocka_unit_test(programs_of_common_shapes_match_as_a_plain_reading_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
