// stem - what is left of a word without its endings: reisen and Reise are both "reis".
//
// Algorithms, no dictionaries: irregular forms (went, gone) stay apart, and now and then two words that
// have nothing to do with each other share a stem (universe, university).
//
//   memory   a few hundred bytes a language that has been asked for
//   threads  one: each thread has its own
//   source   libstemmer (Snowball)
#ifndef STEM_H
#define STEM_H

#include "common/str.h"

enum { STEM_LANGUAGES_MOST = 32 };

// The number of a language, by its two letters; -1 when there are no stems for it.
int stem_language(tc_str code);

// The two letters of a language's number, and all of them, for messages.
const char *stem_code(int language);
const char *stem_codes(void);

struct stemmers;

struct stemmers *stemmers_new(void);
void stemmers_free(struct stemmers *stemmers);

// The stem of a folded word. Views the stemmers until their next call.
tc_str stem_of(struct stemmers *stemmers, int language, tc_str folded);

#endif
