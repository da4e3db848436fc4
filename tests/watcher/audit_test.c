#include "watcher/audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct told {
    int missed, wrong;
    uint32_t last;
};

static void tell(void *context, enum audit_fault fault, const struct layers_hit *hit)
{
    struct told *told = context;
    told->missed += fault == AUDIT_MISSED;
    told->wrong += fault == AUDIT_FALSE;
    told->last = hit->watch;
}

static void every_difference_is_told_with_its_watch(void **state)
{
    (void)state;
    enum { HITS = 4 };
    static const struct {
        struct layers_hit found[HITS], all[HITS];
        size_t found_count, all_count;
        int missed, wrong;
        uint32_t last;
    } cases[] = {
        {{{0, 1, {0}, false}}, {{0, 1, {0}, false}}, 1, 1, 0, 0, 0},
        {{{0, 0, {0}, false}}, {{0, 0, {0}, false}}, 0, 0, 0, 0, 0},
        {{{0, 1, {0}, false}}, {{0, 1, {0}, false}, {0, 7, {0}, false}}, 1, 2, 1, 0, 7},
        {{{0, 1, {0}, false}, {0, 2, {0}, true}}, {{0, 1, {0}, false}}, 2, 1, 0, 1, 2},
        {{{0, 1, {0}, false}, {0, 3, {0}, false}},
         {{0, 1, {0}, false}, {1, 3, {0}, false}},
         2,
         2,
         1,
         1,
         3},
        {{{0, 0, {0}, false}}, {{0, 4, {0}, false}, {1, 5, {0}, false}}, 0, 2, 2, 0, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct told told = {0};
        size_t faults = audit_compare(cases[i].found, cases[i].found_count, cases[i].all,
                                      cases[i].all_count, tell, &told);
        assert_int_equal(faults, cases[i].missed + cases[i].wrong);
        assert_int_equal(told.missed, cases[i].missed);
        assert_int_equal(told.wrong, cases[i].wrong);
        assert_int_equal(told.last, cases[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_difference_is_told_with_its_watch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
