// lang - the language of a paragraph, as far as its letters tell.
//
// A stated language is taken as it is. Otherwise the script decides where it belongs to one
// language, and Vietnamese by the letters that only it has. A guess is marked sure only when
// its letters are the clear majority, because a list of another language is then left out.
//
//   cost     looks at the first LANG_SAMPLE bytes of a paragraph
//   threads  any
#ifndef LANG_H
#define LANG_H

#include "watcher/text/text.h"

enum { LANG_SAMPLE = 1024 };

struct lang {
    char name[TEXT_LANG_BYTES]; // empty: unknown
    bool sure;
};

// The primary subtag of a stated language ("zh-Hans" is "zh"), sure; empty when there is none.
struct lang lang_stated(tc_str tag);

struct lang lang_of(tc_str paragraph);

#endif
