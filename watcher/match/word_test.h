// word_test - what `dialect: lucene` asks of one word beside spelling: a regular expression, a range.
//
//   threads  shared once made
#ifndef WORD_TEST_H
#define WORD_TEST_H

#include "common/str.h"
#include "watcher/match/regexp.h"

struct word_test {
    const struct regexp *regexp; // NULL: a range
    tc_str low, high;            // compared by bytes, as code points sort
    bool no_low, no_high;        // that end is open: [* TO x]
    bool with_low, with_high;    // the end itself belongs to it
};

bool word_test_holds(const struct word_test *test, tc_str word);

#endif
