// census - the words of a corpus, counted, and the warnings about queries that need the figures.
//
//   W0201  a short word in capitals: how often the corpus has it so, and otherwise
//   W0204  a wildcard that stands for more than CENSUS_EXPANSION words
//   W0206  a word that stands in more than one article of CENSUS_FREQUENT, alone in a branch
//
//   memory   about 100 bytes a distinct word
//   threads  one
#ifndef CENSUS_H
#define CENSUS_H

#include "watcher/rules/rules.h"

enum {
    CENSUS_EXPANSION = 200,
    CENSUS_SHOWN = 5, // words of an expansion that a warning names
    CENSUS_FREQUENT = 10,
    CENSUS_ARTICLES_LEAST = 100, // fewer say nothing about how frequent a word is
};

struct census;

struct census *census_new(void);
void census_free(struct census *census);

void census_add(struct census *census, const struct text *text);

// What rules_set_census() takes: views the census. Nothing is added from now on.
const struct rules_census *census_ready(struct census *census);

uint64_t census_words(const struct census *census); // running words

// Writes a number in groups of three: 12,345.
struct tc_buf;
void census_put_number(uint64_t number, struct tc_buf *out);

#endif
