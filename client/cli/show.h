// show - alerts for people.
//
//   2025-03-01 05:01:00  high  china-ai/travel-advice  #42
//   China tells AI experts to avoid the United States
//   Example Wire · en · https://example.org/1
//       Experts were told to ⟦avoid travel⟧ to the ⟦United States⟧.
//
// What comes from outside never reaches the terminal as a control character.
#ifndef SHOW_H
#define SHOW_H

#include "common/buf.h"

#include <tocsin/tocsin.h>

struct show {
    bool colour; // matched words stand out by colour; without, they keep their ⟦ ⟧
    int width;   // columns to wrap at
};

// How standard output wants it: colours and width of the terminal.
struct show show_for_stdout(void);

// Adds the lines of an alert, and an empty one, to `out`.
void show_alert(const struct show *show, const struct tocsin_event *alert, struct tc_buf *out);

// Adds UTF-8 text, wrapped, every line behind `indent` blanks; ⟦ ⟧ as above. Breaks between words and
// between the characters of scripts without blanks; counts columns, not characters.
void show_text(const struct show *show, const char *text, int indent, struct tc_buf *out);

// Adds text on one line without control characters.
void show_plain(const char *text, struct tc_buf *out);

// RFC 3339 as "2025-03-01 05:01:00" in local time; what is no time is given as it is.
void show_time(const char *rfc3339, struct tc_buf *out);

// The colour of a severity ("critical", "high", "medium", ...).
const char *show_severity(const char *severity);

#endif
