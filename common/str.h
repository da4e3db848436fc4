// str - bytes with a length, passed by value.
//
// A tc_str views memory that somebody else owns. It need not end in a zero byte and may
// hold any byte. An empty string has len 0; ptr may then be NULL.
//
//   safe     for libtocsin
#ifndef TC_STR_H
#define TC_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct tc_str {
    const char *ptr;
    size_t len;
} tc_str;

#define TC_STR(literal) ((tc_str){("" literal), sizeof(literal) - 1})
#define TC_ARG(s) (int)(s).len, (s).ptr // for "%.*s"

static inline tc_str tc_str_of(const char *zero_ended) // NULL is the empty string
{
    return (tc_str){zero_ended, zero_ended ? strlen(zero_ended) : 0};
}

static inline bool tc_str_eq(tc_str a, tc_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool tc_str_starts(tc_str s, tc_str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool tc_str_ends(tc_str s, tc_str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

// Bytes from..to of s; both are cut to its length.
static inline tc_str tc_str_cut(tc_str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (tc_str){s.ptr ? s.ptr + from : s.ptr, to - from};
}

// Order by bytes, as memcmp: negative, 0, positive.
int tc_str_cmp(tc_str a, tc_str b);

// Without ASCII white space at both ends.
tc_str tc_str_trim(tc_str s);

// Takes the part before the first `separator` off *rest. False when nothing is left.
bool tc_str_next(tc_str *rest, char separator, tc_str *part);

// The whole of s as a decimal number. False when it is not one or does not fit.
bool tc_str_u64(tc_str s, uint64_t *out);

// Writes len bytes as 2*len lower-case hex digits and a zero byte.
void tc_hex(const void *bytes, size_t len, char *out);

// Reads exactly len bytes from 2*len hex digits of either case.
bool tc_unhex(tc_str hex, void *out, size_t len);

#endif
