// policy - what a stored hit becomes: an alert, or nothing.
//
// Decided once, in the transaction that stores the hit, and kept as a fact. The order of the
// questions is the order of reasons: a watch that is not live is silent even for an embargoed page.
// In this version every hit of a live watch on a page that may be shown makes one alert.
//
//   threads  none: a pure function; `now` is an argument
#ifndef POLICY_H
#define POLICY_H

#include "broker/story/story.h"
#include "common/event.h"

enum policy_verdict {
    POLICY_ALERT,
    POLICY_SILENT, // stored as a hit; the reason says why it is nothing else
};

struct policy_decision {
    enum policy_verdict verdict;
    const char *type;   // of the event; TC_EVENT_ALERT
    const char *kind;   // for the alert's id: "alert"
    uint64_t ordinal;   // among the alerts of this hit, from 1
    const char *reason; // static text, for a trace: "first", "shadow", "paused", "expired", ...
};

struct policy_decision policy_decide(const struct tc_hit *hit, const struct story *story,
                                     const struct tc_event_article *article,
                                     const struct tc_event_watch *watch, int64_t now_wall_ns);

#endif
