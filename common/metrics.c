#include "common/metrics.h"

#include "common/clock.h"
#include "common/json.h"

#include <inttypes.h>
#include <jansson.h>

static const char *type_of(enum tc_metric_kind kind)
{
    return kind == TC_METRIC_COUNTER     ? "counter"
           : kind == TC_METRIC_HISTOGRAM ? "histogram"
                                         : "gauge";
}

static void add_head(struct tc_buf *out, const struct tc_metric *metric)
{
    tc_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                type_of(metric->kind));
}

// A value of a label, escaped as the format wants it.
static void add_label(struct tc_buf *out, const char *label, tc_str value)
{
    tc_buf_addf(out, "{%s=\"", label);
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\n') {
            tc_buf_puts(out, "\\n");
            continue;
        }
        if (value.ptr[i] == '"' || value.ptr[i] == '\\')
            tc_buf_byte(out, '\\');
        tc_buf_byte(out, value.ptr[i]);
    }
    tc_buf_puts(out, "\"}");
}

// --- values ---

// The text of the value; false when `object` has none.
static bool write_value(const struct tc_metric *metric, const json_t *object, struct tc_buf *out)
{
    const json_t *member = json_object_get(object, metric->key);
    tc_str text = tc_json_get_str(object, metric->key);
    uint64_t number = 0;
    int64_t wall_ns = 0;
    switch (metric->kind) {
    case TC_METRIC_COUNTER:
    case TC_METRIC_GAUGE:
        if (!tc_json_get_u64(object, metric->key, &number))
            return false;
        tc_buf_addf(out, " %" PRIu64 "\n", number);
        return true;
    case TC_METRIC_MICROS:
        tc_buf_addf(out, " %.6f\n", (double)json_integer_value(member) / 1e6);
        return json_is_integer(member);
    case TC_METRIC_FLAG:
        tc_buf_addf(out, " %d\n", json_is_true(member));
        return json_is_boolean(member);
    case TC_METRIC_STATE:
        tc_buf_addf(out, " %d\n", tc_str_eq(text, tc_str_of(metric->means)));
        return text.len && !tc_str_eq(text, TC_STR("none"));
    case TC_METRIC_TIME:
        if (!tc_time_read(text, &wall_ns))
            return false;
        tc_buf_addf(out, " %" PRId64 ".%03d\n", wall_ns / TC_SECOND,
                    (int)(wall_ns % TC_SECOND / TC_MS));
        return true;
    case TC_METRIC_INFO: tc_buf_puts(out, " 1\n"); return text.len > 0;
    case TC_METRIC_HISTOGRAM: return false;
    }
    return false;
}

static void add_one(struct tc_buf *out, const struct tc_metric *metric, const json_t *object,
                    tc_str label)
{
    struct tc_buf value = {0};
    if (write_value(metric, object, &value)) {
        tc_buf_puts(out, metric->name);
        if (metric->label)
            add_label(out, metric->label, label);
        tc_buf_str(out, tc_buf_view(&value));
    }
    tc_buf_done(&value);
}

// --- histograms ---

static double seconds(const json_t *us)
{
    return (double)json_integer_value(us) / 1e6;
}

static void add_histogram(struct tc_buf *out, const struct tc_metric *metric, const json_t *object)
{
    const json_t *bounds = json_object_get(object, "us"),
                 *counts = json_object_get(object, "count");
    json_int_t total = 0;
    for (size_t i = 0; i < json_array_size(counts); i++) {
        total += json_integer_value(json_array_get(counts, i));
        if (i < json_array_size(bounds))
            tc_buf_addf(out, "%s_bucket{le=\"%g\"} %" JSON_INTEGER_FORMAT "\n", metric->name,
                        seconds(json_array_get(bounds, i)), total);
    }
    tc_buf_addf(out, "%s_bucket{le=\"+Inf\"} %" JSON_INTEGER_FORMAT "\n", metric->name, total);
    tc_buf_addf(out, "%s_sum %.6f\n", metric->name, seconds(json_object_get(object, "sum_us")));
    tc_buf_addf(out, "%s_count %" JSON_INTEGER_FORMAT "\n", metric->name, total);
}

// --- a metric ---

static void add_samples(struct tc_buf *out, const struct tc_metric *metric, const json_t *stats)
{
    const json_t *list = metric->list ? json_object_get(stats, metric->list) : NULL;
    const json_t *histogram = json_object_get(stats, metric->key);
    if (!metric->list && metric->kind != TC_METRIC_HISTOGRAM)
        add_one(out, metric, stats, tc_json_get_str(stats, metric->key));
    else if (!metric->list && json_is_object(histogram))
        add_histogram(out, metric, histogram);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        add_one(out, metric, row, tc_json_get_str(row, "name"));
    }
}

void tc_metrics_add(struct tc_buf *out, const struct tc_metric *metrics, size_t count,
                    const json_t *stats)
{
    struct tc_buf samples = {0};
    for (size_t i = 0; i < count; i++) {
        tc_buf_clear(&samples);
        add_samples(&samples, &metrics[i], stats);
        if (samples.len) {
            add_head(out, &metrics[i]);
            tc_buf_str(out, tc_buf_view(&samples));
        }
    }
    tc_buf_done(&samples);
}
