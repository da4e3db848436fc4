// web - the broker's pages: health and metrics, on a thread of their own (common/pages.h).
//
// It has no state and reads no store: it asks the loop by STATS as any client does, over inproc. What comes
// that way may only read (request.h, `inside`), whatever a page will ask for later.
//
//   threads  that of its pages; opening and closing are the broker's
#ifndef WEB_H
#define WEB_H

#include "common/pages.h"

#define WEB_INSIDE "inproc://inside" // where the loop listens for us

struct web;

// Listens. `context` (ZeroMQ's) and `settings` are borrowed until web_close(). Gives *out.
//   as tc_http_open
int web_open(void *context, const struct tc_http_settings *settings, struct web **out,
             struct tc_err *err);
void web_close(struct web *web); // NULL is fine

struct tc_pages *web_pages(const struct web *web); // to be run on a thread; dies with `web`

#endif
