// parse - JSON from outside, with running out of memory told apart from bad text.
//
//   safe     for libtocsin
#ifndef PARSE_H
#define PARSE_H

#include "common/err.h"
#include "common/str.h"

struct json_t;

// Reads one JSON object. Gives *out; json_decref() ends it.
//   TC_EPARSE  no JSON, or no object
//   TC_ENOMEM
int parse_object(tc_str text, struct json_t **out, struct tc_err *err);

// The member's text, "" when it is absent or no string. Zero-ended; views the object, which may be
// NULL.
const char *parse_text(const struct json_t *object, const char *key);

#endif
