// field - the fields of an article's metadata as Lucene has them, and leaves that ask for them.
//
// The author is words; language, day of publication (UTC, yyyymmdd) and source are one word each, as
// written. There is no index of them: a leaf is tried on the few words there are.
//
//   memory   the words in the article's arena, made when first asked for
//   threads  one, as eval
#ifndef FIELD_H
#define FIELD_H

#include "watcher/match/eval.h"

bool field_holds(struct eval *eval, const struct query_node *node);

#endif
