#include "common/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * TC_SECOND + now.tv_nsec;
}

int64_t tc_wall_ns(void)
{
    return now_ns(CLOCK_REALTIME);
}

int64_t tc_mono_ns(void)
{
    return now_ns(CLOCK_MONOTONIC);
}

int64_t tc_thread_cpu_ns(void)
{
    return now_ns(CLOCK_THREAD_CPUTIME_ID);
}

void tc_time_text(int64_t wall_ns, char *out)
{
    int64_t seconds = wall_ns / TC_SECOND, rest = wall_ns % TC_SECOND;
    if (rest < 0)
        seconds--, rest += TC_SECOND;
    time_t when = (time_t)seconds;
    struct tm utc;
    if (!gmtime_r(&when, &utc))
        utc = (struct tm){.tm_year = 70, .tm_mday = 1};
    size_t used = strftime(out, TC_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + used, TC_TIME_BYTES - used, ".%03dZ", (int)(rest / TC_MS));
}

// Takes exactly `digits` digits off the front.
static bool take_number(tc_str *rest, size_t digits, int *out)
{
    uint64_t value = 0;
    if (rest->len < digits || !tc_str_u64(tc_str_cut(*rest, 0, digits), &value))
        return false;
    *out = (int)value;
    *rest = tc_str_cut(*rest, digits, rest->len);
    return true;
}

static bool take_byte(tc_str *rest, const char *any)
{
    if (!rest->len || !rest->ptr[0] || !strchr(any, rest->ptr[0]))
        return false;
    *rest = tc_str_cut(*rest, 1, rest->len);
    return true;
}

static bool take_fraction(tc_str *rest, int64_t *ns)
{
    int64_t unit = TC_SECOND;
    size_t digits = 0;
    while (rest->len && rest->ptr[0] >= '0' && rest->ptr[0] <= '9') {
        unit /= 10;
        *ns += (rest->ptr[0] - '0') * unit;
        *rest = tc_str_cut(*rest, 1, rest->len);
        digits++;
    }
    return digits > 0;
}

static bool take_zone(tc_str *rest, int *minutes)
{
    int hour = 0, minute = 0;
    if (!rest->len || take_byte(rest, "Zz"))
        return true;
    int sign = rest->ptr[0] == '-' ? -1 : 1;
    if (!take_byte(rest, "+-") || !take_number(rest, 2, &hour))
        return false;
    take_byte(rest, ":");
    if (!take_number(rest, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *minutes = sign * (hour * 60 + minute);
    return true;
}

static bool take_clock(tc_str *rest, struct tm *utc, int64_t *ns, int *zone_minutes)
{
    if (!take_byte(rest, "Tt "))
        return false;
    if (!take_number(rest, 2, &utc->tm_hour) || !take_byte(rest, ":") ||
        !take_number(rest, 2, &utc->tm_min))
        return false;
    if (take_byte(rest, ":")) {
        if (!take_number(rest, 2, &utc->tm_sec))
            return false;
        if (take_byte(rest, ".,") && !take_fraction(rest, ns))
            return false;
    }
    bool end_of_day = utc->tm_hour == 24 && !utc->tm_min && !utc->tm_sec;
    return (utc->tm_hour <= 23 || end_of_day) && utc->tm_min <= 59 && utc->tm_sec <= 60 &&
           take_zone(rest, zone_minutes);
}

static int days_of(int month, int year)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

bool tc_time_read(tc_str text, int64_t *wall_ns)
{
    tc_str rest = tc_str_trim(text);
    struct tm utc = {0};
    int64_t ns = 0;
    int zone_minutes = 0, year = 0, month = 0;
    if (!take_number(&rest, 4, &year))
        return false;
    bool hyphens = take_byte(&rest, "-"); // both or none: 20250301 is a day too
    if (!take_number(&rest, 2, &month) || take_byte(&rest, "-") != hyphens ||
        !take_number(&rest, 2, &utc.tm_mday))
        return false;
    if (year < 1678 || year > 2261 || month < 1 || month > 12 || utc.tm_mday < 1 ||
        utc.tm_mday > days_of(month, year))
        return false; // years that nanoseconds in 64 bits cannot hold are refused
    if (rest.len && !take_clock(&rest, &utc, &ns, &zone_minutes))
        return false;
    if (rest.len)
        return false;
    utc.tm_year = year - 1900;
    utc.tm_mon = month - 1;
    *wall_ns = ((int64_t)timegm(&utc) - zone_minutes * 60) * TC_SECOND + ns;
    return true;
}

bool tc_duration_read(tc_str text, int64_t *ns)
{
    static const struct {
        const char *unit;
        int64_t ns;
    } units[] = {
        {"ms", TC_MS},           {"s", TC_SECOND},         {"m", 60 * TC_SECOND},
        {"h", 3600 * TC_SECOND}, {"d", 86400 * TC_SECOND}, {"w", 7 * 86400 * TC_SECOND},
    };
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    uint64_t count = 0;
    if (!tc_str_u64(tc_str_cut(text, 0, digits), &count))
        return false;
    tc_str unit = tc_str_cut(text, digits, text.len);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!tc_str_eq(unit, tc_str_of(units[i].unit)))
            continue;
        return count <= INT64_MAX && !__builtin_mul_overflow((int64_t)count, units[i].ns, ns);
    }
    return false;
}
