// event - an event's JSON as the caller of the library sees it.
//
//   memory   one event's text and its JSON tree, until the next one
//   safe     for libtocsin
#ifndef EVENT_H
#define EVENT_H

#include "common/buf.h"
#include "common/err.h"

#include <tocsin/tocsin.h>

struct json_t;

struct event {
    struct tc_buf text; // as it came, zero-ended
    struct json_t *tree;
};

// Reads an event and fills in *out, whose texts view `event` until the next call or event_done().
//   TC_EPARSE  not the JSON of an event
//   TC_ENOMEM
int event_read(struct event *event, tc_str json, struct tocsin_event *out, struct tc_err *err);
void event_done(struct event *event);

// Does the alert read last carry the label `key` with the value `value`?
bool event_has_label(const struct event *event, tc_str key, tc_str value);

// An event that is none of the alerts: every text is "".
struct tocsin_event event_notice(enum tocsin_kind kind);

#endif
