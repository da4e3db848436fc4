// metrics - what STATS says, in the text format of Prometheus.
//
// Each daemon has one table; a row names a metric and the member of STATS that it shows. So STATS,
// `tocsin status` and the metrics cannot tell different things, and a test holds the table in
// docs/operating.md against what is really sent.
//
// What STATS does not have is left out, not sent as 0. Lists (consumers, watchers) are as long as STATS
// makes them, which is bounded, so the number of series is, too.
#ifndef TC_METRICS_H
#define TC_METRICS_H

#include "common/buf.h"

struct json_t;

enum tc_metric_kind {
    TC_METRIC_COUNTER,   // a number
    TC_METRIC_GAUGE,     // a number
    TC_METRIC_MICROS,    // a number of microseconds, in seconds
    TC_METRIC_FLAG,      // true or false, as 1 or 0
    TC_METRIC_STATE,     // a text: 1 when it is `means`, else 0; not shown when it is "none"
    TC_METRIC_TIME,      // RFC 3339, as seconds since 1970
    TC_METRIC_INFO,      // a text, as the label `label` of the value 1
    TC_METRIC_HISTOGRAM, // {"us":[bound ...],"count":[... and one above all],"sum_us":N}, in seconds
};

struct tc_metric {
    const char *name;
    enum tc_metric_kind kind;
    const char *key;
    const char *help;  // one line, without backslashes
    const char *means; // STATE
    const char *label; // INFO, and rows of a list
    const char *list;  // NULL, or the list of objects with `key` in each and "name" for the label
};

// Adds all rows that `stats` (an object) has.
void tc_metrics_add(struct tc_buf *out, const struct tc_metric *metrics, size_t count,
                    const struct json_t *stats);

#endif
