#include "watcher/match/word_test.h"

bool word_test_holds(const struct word_test *test, tc_str word)
{
    if (test->regexp)
        return regexp_matches(test->regexp, word);
    int low = test->no_low ? 1 : tc_str_cmp(word, test->low);
    int high = test->no_high ? -1 : tc_str_cmp(word, test->high);
    return (low > 0 || (low == 0 && test->with_low)) &&
           (high < 0 || (high == 0 && test->with_high));
}
