// filter - which alerts a stream wants: topics and labels.
//
//   memory   one copy of the texts
//   safe     for libtocsin
#ifndef FILTER_H
#define FILTER_H

#include "client/event.h"
#include "common/json.h"

enum { FILTER_TOPIC_BYTES = 200 };

struct filter {
    char **texts; // as given: "china-ai/", "label.desk=asia"
    size_t count;
    size_t topics; // how many are topics
};

// Copies and checks `count` filters. On failure *filter is untouched.
//   TC_EINVAL  names the one that is neither a topic nor a label
//   TC_EFULL   more than TOCSIN_FILTERS_MOST
//   TC_ENOMEM
int filter_init(struct filter *filter, const char *const *texts, size_t count, struct tc_err *err);
void filter_done(struct filter *filter);

// The topic at `index`, without a ptr when that filter is a label.
tc_str filter_topic(const struct filter *filter, size_t index);

// Adds "filters":[...] to a request, when there are any.
void filter_write(const struct filter *filter, struct tc_json *json);

// Does the alert have, for every label key named, one of its values? (Topics are the socket's.)
bool filter_labels_pass(const struct filter *filter, const struct event *event);

#endif
