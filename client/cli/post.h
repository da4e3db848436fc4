// post - hands an alert to a URL: HTTP POST, by libcurl, which this module alone knows.
//
// 2xx is success. 408, 425, 429, 5xx and every failure of the network mean later, Retry-After is
// kept; anything else, a redirection too, means never. One connection is kept for all alerts.
//
//   memory   the body of one alert, HANDOVER_WHY_BYTES of an answer
//   waits    at most the time limit for each alert; a signal does not end it
#ifndef POST_H
#define POST_H

#include "client/cli/handover.h"
#include "common/err.h"

#include <tocsin/tocsin.h>

enum { POST_TIMEOUT_MS = 30000, POST_CONNECT_MS = 10000 };

struct post_order {
    const char *url;           // or "@FILE", whose first line is it: a URL may be a secret
    const char *header_file;   // lines "Name: value"; NULL none
    const char *template_file; // of the body; NULL: the event as it is
    int timeout_ms;
};

struct post;

// Gives *out, which post_close() ends. Connects nothing yet.
//   TC_EINVAL  no URL that can be posted to
//   TC_EPARSE  a line of a file, with its place
//   TC_EIO     a file cannot be read
//   TC_ENOMEM
int post_open(const struct post_order *order, struct post **out, struct tc_err *err);
void post_close(struct post *post);

// Posts it once.
void post_run(struct post *post, const struct tocsin_event *alert, struct handover *out);

#endif
