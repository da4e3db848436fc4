#include "common/json.h"

#include <jansson.h>
#include <math.h>

static void separate(struct tc_json *json)
{
    if (json->comma)
        tc_buf_byte(json->buf, ',');
    json->comma = true;
}

void tc_json_open(struct tc_json *json, char bracket)
{
    separate(json);
    tc_buf_byte(json->buf, bracket);
    json->comma = false;
}

void tc_json_close(struct tc_json *json, char bracket)
{
    tc_buf_byte(json->buf, bracket);
    json->comma = true;
}

// Bytes that JSON wants escaped: control characters, the quote and the backslash.
static bool plain(unsigned char byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\';
}

static const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);

// Whether one of eight bytes is `byte`: only of these does the subtraction of one carry into a top bit
// that was not set.
static uint64_t has(uint64_t eight, unsigned char byte)
{
    uint64_t apart = eight ^ (ones * byte);
    return (apart - ones) & ~apart & tops;
}

// How many bytes from `from` on need no escape.
static size_t plain_length(tc_str s, size_t from)
{
    size_t at = from;
    uint64_t eight;
    for (; at + sizeof eight <= s.len; at += sizeof eight) {
        memcpy(&eight, s.ptr + at, sizeof eight);
        uint64_t control = (eight - ones * 0x20) & ~eight & tops;
        if (control | has(eight, '"') | has(eight, '\\'))
            break;
    }
    while (at < s.len && plain((unsigned char)s.ptr[at]))
        at++;
    return at - from;
}

static void escape(struct tc_buf *buf, tc_str s)
{
    tc_buf_byte(buf, '"');
    for (size_t at = 0; at < s.len; at++) {
        size_t len = plain_length(s, at);
        tc_buf_add(buf, s.ptr + at, len);
        at += len;
        if (at == s.len)
            break;
        unsigned char byte = (unsigned char)s.ptr[at];
        switch (byte) {
        case '"': tc_buf_puts(buf, "\\\""); break;
        case '\\': tc_buf_puts(buf, "\\\\"); break;
        case '\n': tc_buf_puts(buf, "\\n"); break;
        case '\r': tc_buf_puts(buf, "\\r"); break;
        case '\t': tc_buf_puts(buf, "\\t"); break;
        default: tc_buf_addf(buf, "\\u%04x", byte);
        }
    }
    tc_buf_byte(buf, '"');
}

void tc_json_key_str(struct tc_json *json, tc_str key)
{
    separate(json);
    escape(json->buf, key);
    tc_buf_byte(json->buf, ':');
    json->comma = false;
}

void tc_json_key(struct tc_json *json, const char *key)
{
    separate(json);
    tc_buf_byte(json->buf, '"');
    tc_buf_puts(json->buf, key);
    tc_buf_puts(json->buf, "\":");
    json->comma = false;
}

void tc_json_str(struct tc_json *json, tc_str value)
{
    separate(json);
    escape(json->buf, value);
}

void tc_json_u64(struct tc_json *json, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    separate(json);
    tc_buf_add(json->buf, digits + at, sizeof digits - at);
}

void tc_json_i64(struct tc_json *json, int64_t value)
{
    separate(json);
    tc_buf_addf(json->buf, "%lld", (long long)value);
}

void tc_json_bool(struct tc_json *json, bool value)
{
    separate(json);
    tc_buf_puts(json->buf, value ? "true" : "false");
}

void tc_json_null(struct tc_json *json)
{
    separate(json);
    tc_buf_puts(json->buf, "null");
}

void tc_json_real(struct tc_json *json, double value)
{
    if (!isfinite(value)) {
        tc_json_null(json);
        return;
    }
    separate(json);
    tc_buf_addf(json->buf, "%.6g", value);
}

void tc_json_raw(struct tc_json *json, tc_str value)
{
    separate(json);
    tc_buf_str(json->buf, value);
}

void tc_json_put_str(struct tc_json *json, const char *key, tc_str value)
{
    tc_json_key(json, key);
    tc_json_str(json, value);
}

void tc_json_put_u64(struct tc_json *json, const char *key, uint64_t value)
{
    tc_json_key(json, key);
    tc_json_u64(json, value);
}

void tc_json_put_bool(struct tc_json *json, const char *key, bool value)
{
    tc_json_key(json, key);
    tc_json_bool(json, value);
}

// A zero byte is nowhere part of JSON, but jansson 2.14 overlooks one behind a number.
static int refuse_zero_byte(tc_str text, const char *zero, struct tc_err *err)
{
    int line = 1;
    const char *start = text.ptr;
    for (const char *at = text.ptr; at < zero; at++) {
        if (*at == '\n') {
            line++;
            start = at + 1;
        }
    }
    return tc_fail(err, TC_EPARSE, "not JSON: a zero byte (line %d, column %d)", line,
                   (int)(zero - start) + 1);
}

int tc_json_read(tc_str text, json_t **out, struct tc_err *err)
{
    json_error_t wrong;
    const char *zero = text.len ? memchr(text.ptr, '\0', text.len) : NULL;
    if (zero)
        return refuse_zero_byte(text, zero, err);
    json_t *value = json_loadb(text.ptr ? text.ptr : "", text.len,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &wrong);
    if (!value)
        return tc_fail(err, TC_EPARSE, "not JSON: %s (line %d, column %d)", wrong.text, wrong.line,
                       wrong.column);
    *out = value;
    return TC_OK;
}

tc_str tc_json_get_str(const json_t *object, const char *key)
{
    const json_t *member = json_object_get(object, key);
    if (!json_is_string(member))
        return (tc_str){"", 0};
    return (tc_str){json_string_value(member), json_string_length(member)};
}

bool tc_json_get_u64(const json_t *object, const char *key, uint64_t *out)
{
    const json_t *member = json_object_get(object, key);
    if (!json_is_integer(member) || json_integer_value(member) < 0)
        return false;
    *out = (uint64_t)json_integer_value(member);
    return true;
}

int tc_json_only(const json_t *object, const char *const *known, struct tc_err *err)
{
    const char *key;
    json_t *member;
    // The iterator does not write; jansson's macro only lacks the const.
    json_object_foreach ((json_t *)(uintptr_t)object, key, member) {
        bool found = false;
        for (const char *const *name = known; *name && !found; name++)
            found = strcmp(*name, key) == 0;
        if (!found)
            return tc_fail(err, TC_EPARSE, "unknown key \"%s\"", key);
    }
    return TC_OK;
}
