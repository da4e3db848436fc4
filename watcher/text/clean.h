// clean - lines of a page that tell nothing: navigation, bylines, dates.
//
// Such a line is never the title or the lead. It stays in the text: nothing is dropped here.
// Phrases are compared folded, so one row serves every spelling.
//
//   cost     a fold and a walk through a table of about 100 phrases, for lines up to CLEAN_BYTES
//   threads  any
#ifndef CLEAN_H
#define CLEAN_H

#include "common/str.h"

enum { CLEAN_BYTES = 160 }; // a longer line is text

enum clean_kind { CLEAN_TEXT, CLEAN_NAVIGATION, CLEAN_BYLINE, CLEAN_DATE };

enum clean_kind clean_line(tc_str line);

#endif
