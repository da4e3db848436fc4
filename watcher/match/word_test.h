// word_test - what is asked of one word beside spelling: by `dialect: lucene` a regular expression or a
// range, by the switches under `text:` that it is equal under a form.
//
//   threads  shared once made
#ifndef WORD_TEST_H
#define WORD_TEST_H

#include "common/str.h"
#include "watcher/match/regexp/regexp.h"
#include "watcher/match/word_form.h"

struct word_test {
    const struct regexp *regexp; // NULL: a range, or a form
    tc_str low, high;            // compared by bytes, as code points sort
    bool no_low, no_high;        // that end is open: [* TO x]
    bool with_low, with_high;    // the end itself belongs to it

    bool by_form;          // looked up among word_forms, never tried by itself
    struct word_form form; // of this word:
    tc_str word;           // folded
    bool wild;
    tc_str left; // what is left of it
};

// Not for tests by form.
bool word_test_holds(const struct word_test *test, tc_str word);

#endif
