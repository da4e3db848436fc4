#include "common/metrics.h"

#include "common/json.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect(const struct tc_metric *metric, const char *stats, const char *text)
{
    struct tc_buf out = {0};
    json_t *object = NULL;
    assert_int_equal(tc_json_read(tc_str_of(stats), &object, NULL), TC_OK);
    tc_metrics_add(&out, metric, 1, object);
    tc_buf_byte(&out, '\0');
    assert_string_equal(out.ptr, text);
    json_decref(object);
    tc_buf_done(&out);
}

static void each_kind_shows_its_value(void **state)
{
    static const struct tc_metric count = {"n_total", TC_METRIC_COUNTER, "n", .help = "So many."},
                                  flag = {"f", TC_METRIC_FLAG, "f", .help = "F."},
                                  link = {"up", TC_METRIC_STATE, "link", .help = "U.",
                                          .means = "up"},
                                  since = {"t_seconds", TC_METRIC_TIME, "t", .help = "T."};
    (void)state;
    expect(&count, "{\"n\":18446744073709}",
           "# HELP n_total So many.\n# TYPE n_total counter\nn_total 18446744073709\n");
    expect(&flag, "{\"f\":true}", "# HELP f F.\n# TYPE f gauge\nf 1\n");
    expect(&flag, "{\"f\":false}", "# HELP f F.\n# TYPE f gauge\nf 0\n");
    expect(&link, "{\"link\":\"up\"}", "# HELP up U.\n# TYPE up gauge\nup 1\n");
    expect(&link, "{\"link\":\"down\"}", "# HELP up U.\n# TYPE up gauge\nup 0\n");
    expect(&since, "{\"t\":\"1970-01-01T00:01:00.250Z\"}",
           "# HELP t_seconds T.\n# TYPE t_seconds gauge\nt_seconds 60.250\n");
}

static void what_is_missing_or_something_else_is_left_out(void **state)
{
    static const struct tc_metric metrics[] = {
        {"a", TC_METRIC_GAUGE, "a", .help = "A."},
        {"b", TC_METRIC_FLAG, "a", .help = "B."},
        {"c", TC_METRIC_STATE, "c", .help = "C.", .means = "up"},
        {"d", TC_METRIC_TIME, "a", .help = "D."},
        {"e", TC_METRIC_INFO, "a", .help = "E.", .label = "e"},
        {"f", TC_METRIC_HISTOGRAM, "a", .help = "F."},
        {"g", TC_METRIC_GAUGE, "n", .help = "G.", .label = "g", .list = "rows"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        expect(&metrics[i], "{}", "");
        expect(&metrics[i], "{\"a\":null,\"c\":\"none\",\"rows\":[]}", "");
    }
}

static void labels_are_escaped(void **state)
{
    static const struct tc_metric info = {"i", TC_METRIC_INFO, "v", .help = "I.", .label = "v"},
                                  rows = {"r",          TC_METRIC_GAUGE, "n",
                                          .help = "R.", .label = "x",    .list = "rows"};
    (void)state;
    expect(&info, "{\"v\":\"a\\\"b\\\\c\\nd\"}",
           "# HELP i I.\n# TYPE i gauge\ni{v=\"a\\\"b\\\\c\\nd\"} 1\n");
    expect(&rows, "{\"rows\":[{\"name\":\"p\",\"n\":1},{\"name\":\"q\"},{\"name\":\"s\",\"n\":3}]}",
           "# HELP r R.\n# TYPE r gauge\nr{x=\"p\"} 1\nr{x=\"s\"} 3\n");
}

static void buckets_of_a_histogram_add_up(void **state)
{
    static const struct tc_metric metric = {"h_seconds", TC_METRIC_HISTOGRAM, "h", .help = "H."};
    (void)state;
    expect(&metric, "{\"h\":{\"us\":[100,2500000],\"count\":[2,3,4],\"sum_us\":1500000}}",
           "# HELP h_seconds H.\n# TYPE h_seconds histogram\n"
           "h_seconds_bucket{le=\"0.0001\"} 2\nh_seconds_bucket{le=\"2.5\"} 5\n"
           "h_seconds_bucket{le=\"+Inf\"} 9\nh_seconds_sum 1.500000\nh_seconds_count 9\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_shows_its_value),
        cmocka_unit_test(what_is_missing_or_something_else_is_left_out),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(buckets_of_a_histogram_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
