// template - the body that a webhook wants, made of an alert.
//
//   {"text": "{{severity}}: {{title}} {{url}}"}
//
// A name in double braces is replaced by the alert's field, escaped as inside a JSON text; {{event}}
// by the whole event, a JSON object. The names: seq id topic time watch severity article source title
// url language published excerpt story event.
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "common/buf.h"
#include "common/err.h"

#include <tocsin/tocsin.h>

enum { TEMPLATE_BYTES_MOST = 64 * 1024 };

// Reads a file into `out` and checks its names.
//   TC_EIO     cannot be read, or is larger than TEMPLATE_BYTES_MOST
//   TC_EPARSE  an unknown name, or braces that do not close; with its place
int template_read(const char *path, struct tc_buf *out, struct tc_err *err);

// Adds the text with the alert's fields to `out`. It was checked.
void template_fill(tc_str text, const struct tocsin_event *alert, struct tc_buf *out);

#endif
