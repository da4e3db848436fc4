// json - writing JSON (our own emitter) and reading it strictly (jansson).
//
// The emitter appends to a tc_buf and keeps track of commas; strings must be valid UTF-8 and
// come out escaped. Reading accepts exactly RFC 8259: no repeated names, no trailing text.
//
//   memory   the buffer; tc_json_read() gives a jansson value
//   safe     for libtocsin
#ifndef TC_JSON_H
#define TC_JSON_H

#include "common/buf.h"
#include "common/err.h"

struct json_t; // jansson's; include <jansson.h> to look inside

struct tc_json {
    struct tc_buf *buf; // borrowed until the last call
    bool comma;         // the next value or key needs a comma first
};

// An emitter at the end of `buf`.
static inline struct tc_json tc_json_on(struct tc_buf *buf)
{
    return (struct tc_json){buf, false};
}

void tc_json_open(struct tc_json *json, char bracket);   // '{' or '['
void tc_json_close(struct tc_json *json, char bracket);  // '}' or ']'
void tc_json_key(struct tc_json *json, const char *key); // plain ASCII, not escaped
void tc_json_key_str(struct tc_json *json, tc_str key);  // any text, escaped
void tc_json_str(struct tc_json *json, tc_str value);
void tc_json_u64(struct tc_json *json, uint64_t value);
void tc_json_i64(struct tc_json *json, int64_t value);
void tc_json_bool(struct tc_json *json, bool value);
void tc_json_null(struct tc_json *json);
void tc_json_real(struct tc_json *json, double value); // null when it is not finite
void tc_json_raw(struct tc_json *json, tc_str value);  // one JSON value, put in as it is

// Key and value in one call.
void tc_json_put_str(struct tc_json *json, const char *key, tc_str value);
void tc_json_put_u64(struct tc_json *json, const char *key, uint64_t value);
void tc_json_put_bool(struct tc_json *json, const char *key, bool value);

// Reads one JSON value. Gives *out (json_decref ends it).
//   TC_EPARSE  not JSON; the sentence names line and column
int tc_json_read(tc_str text, struct json_t **out, struct tc_err *err);

// The member's text, an empty string when it is absent or no string. Views the object.
tc_str tc_json_get_str(const struct json_t *object, const char *key);

// The member as a non-negative integer. False when it is absent, negative or no integer.
bool tc_json_get_u64(const struct json_t *object, const char *key, uint64_t *out);

// Checks that every member's name is in `known` (NULL-ended).
//   TC_EPARSE  names the unknown member
int tc_json_only(const struct json_t *object, const char *const *known, struct tc_err *err);

#endif
