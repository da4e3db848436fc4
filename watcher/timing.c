#include "watcher/timing.h"

// From a short agency item against few watches to a long page against a million.
static const unsigned bounds_us[TIMING_BOUNDS] = {
    100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000,
};

void timing_add(struct timing *timing, int64_t ns)
{
    uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;
    size_t i = 0;
    while (i < TIMING_BOUNDS && us > bounds_us[i])
        i++;
    atomic_fetch_add_explicit(&timing->counts[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&timing->sum_us, us, memory_order_relaxed);
}

void timing_put(struct timing *timing, struct tc_json *json)
{
    tc_json_key(json, "matching");
    tc_json_open(json, '{');
    tc_json_key(json, "us");
    tc_json_open(json, '[');
    for (size_t i = 0; i < TIMING_BOUNDS; i++)
        tc_json_u64(json, bounds_us[i]);
    tc_json_close(json, ']');
    tc_json_key(json, "count");
    tc_json_open(json, '[');
    for (size_t i = 0; i <= TIMING_BOUNDS; i++)
        tc_json_u64(json, timing->counts[i]);
    tc_json_close(json, ']');
    tc_json_put_u64(json, "sum_us", timing->sum_us);
    tc_json_close(json, '}');
}
