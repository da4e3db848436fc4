// survey - watch files on a corpus: what their words are like there, and what each watch costs.
//
// The cost of a watch is how often the index leads to it: a candidate is one watch tried on one segment.
//
//   threads  one
#ifndef SURVEY_H
#define SURVEY_H

#include "common/err.h"
#include "watcher/rules/rules.h"

struct survey;

// Reads the files (without a word about their mistakes: a file with errors is left out) and matches
// the corpus. Gives *out (survey_free ends it).
//   TC_ENOENT TC_EIO  there is no corpus, it cannot be read, or holds no article; err says so
//   TC_EINVAL         the watches cannot be compiled
int survey_new(char *const *files, size_t count, const char *corpus, struct survey **out,
               struct tc_err *err);
void survey_free(struct survey *survey);

// For rules_set_census().
const struct rules_census *survey_census(const struct survey *survey);

struct survey_options {
    bool json, colour;
    double budget; // candidates per 1,000 articles; 0: none
};

// Prints what the watches cost, dearest first. Returns how many are above the budget.
size_t survey_report(const struct survey *survey, const struct survey_options *options);

#endif
