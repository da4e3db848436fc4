// web - the watcher's pages: health and metrics, on a thread of their own (common/pages.h).
//
// The loop that is asked is the keeper's: every article goes through it. What it answers is a beat; the
// numbers are those of STATS.
//
//   threads  that of its pages; opening and closing are the pipeline's
#ifndef WEB_H
#define WEB_H

#include "common/json.h"
#include "common/pages.h"
#include "common/pulse.h"
#include "watcher/settings.h"

struct web;

// Listens at settings->http. All is borrowed until web_close(); `stats` adds the members of STATS and may
// be called from any thread. Gives *out.
//   as tc_http_open
int web_open(const struct settings *settings, const struct tc_pulse *pulse,
             void (*stats)(void *context, struct tc_json *json), void *context, struct web **out,
             struct tc_err *err);
void web_close(struct web *web); // NULL is fine

struct tc_pages *web_pages(const struct web *web); // to be run on a thread; dies with `web`

#endif
