// log - one line per event on standard error, logfmt, stable dotted names.
//
//   tc_log(TC_WARN, "outbox.full", "articles=%zu limit=%zu", n, limit);
//   level=warn event=outbox.full articles=50000 limit=50000
//
// Values with blanks are quoted by the caller through TC_LOG_TEXT. Only the top of a program
// (main, pipeline, broker) logs; rooms return errors. Any thread may call; a line is one write.
#ifndef TC_LOG_H
#define TC_LOG_H

#include "common/err.h"
#include "common/str.h"

enum tc_level { TC_DEBUG, TC_INFO, TC_WARN, TC_ERROR };

// Lines below this level are left out. Default TC_INFO. Set once, before threads start.
void tc_log_level(enum tc_level lowest);

// "debug", "info", "warn", "error".
bool tc_log_level_read(tc_str name, enum tc_level *out);

// `event` is plain words with dots; `format` gives key=value pairs, NULL for none.
void tc_log(enum tc_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The same with reason="..." (and at="file:line:column") of `err` at its end.
void tc_log_err(enum tc_level level, const char *event, const struct tc_err *err);

enum { TC_LOG_TEXT_BYTES = 256 };

// A value as logfmt wants it: quoted, control characters and quotes escaped, cut at 250 bytes.
// Gives `out` back, which holds TC_LOG_TEXT_BYTES.
const char *tc_log_text(tc_str value, char *out);

#endif
