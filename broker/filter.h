// filter - which alerts a FETCH wants: topics and labels.
//
// An alert passes when it has one of the topics, if any are named, and for each label key that is
// named one of its values. A topic is a prefix that ends in "/".
//
//   memory   copies its words
//   cost     a memcmp a topic, a search of the alert's labels a label
#ifndef FILTER_H
#define FILTER_H

#include "common/buf.h"
#include "common/err.h"

struct filter;
struct json_t;

enum { FILTER_WORDS_MOST = 64 };

struct filter *filter_new(void);
void filter_free(struct filter *filter);

// Adds "china-ai/" or "label.desk=asia".
//   TC_EPARSE  neither
int filter_add(struct filter *filter, tc_str word, struct tc_err *err);

// Adds the words of a JSON list.
//   TC_EPARSE  no list, or a word that is none
//   TC_ENOMEM  more than FILTER_WORDS_MOST
int filter_add_list(struct filter *filter, const struct json_t *list, struct tc_err *err);

// Lets nothing through but topics that begin with one of `prefixes` (copied), whatever is asked for.
void filter_restrict(struct filter *filter, const tc_str *prefixes, size_t count);

// `labels` is a JSON object of texts without blanks, as the store keeps it.
bool filter_passes(const struct filter *filter, tc_str topic, tc_str labels);

// The one whole topic (namespace/watch/severity/) that it asks for, when it asks for exactly one;
// else empty. The store has an index for that.
tc_str filter_one_topic(const struct filter *filter);

#endif
