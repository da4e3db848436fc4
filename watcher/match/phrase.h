// phrase - where words, phrases and windows of words stand.
//
// The leaves of the evaluation. A phrase stands at neighbouring positions of one paragraph; a window
// ("a b c"~n) holds all its words in any order, with at most n others between them.
//
//   cost     linear in the places of the words asked for
//   threads  one, as eval
#ifndef PHRASE_H
#define PHRASE_H

#include "watcher/match/eval.h"

// Whether every word of the phrase stands in the text at all.
bool phrase_possible(const struct eval *eval, const struct plan_node *node);

// Each adds the places within the range to `out`, sorted.
void phrase_word(struct eval *eval, uint32_t term, struct range range, struct spans *out);
void phrase_window(struct eval *eval, const struct plan_node *node, struct range range,
                   struct spans *out);

// The same for a phrase; only the first place when `one`.
void phrase_spans(struct eval *eval, const struct plan_node *node, struct range range,
                  struct spans *out, bool one);

#endif
