// pages - the thread that serves a daemon's pages: HTTP (http.h) with health and metrics (health.h).
//
// It asks the daemon's loop, waits for the answer beside the requests, and has no state of its own. How the
// loop is asked and how its answer is taken is the daemon's business (struct tc_pages_loop).
//
//   threads  tc_pages_run's while that runs; opening and closing are the daemon's
#ifndef TC_PAGES_H
#define TC_PAGES_H

#include "common/health.h"

struct tc_pages;

// Where answers of the loop arrive: a ZeroMQ socket, or a descriptor when that is NULL.
struct tc_pages_loop {
    void *socket;
    int fd;
    // Takes what has arrived and hands it to tc_health_heard(); the context is the process's.
    void (*hear)(void *context, struct tc_health *health);
};

// Listens. `settings` and `process` are borrowed until tc_pages_close(). Gives *out.
//   as tc_http_open
int tc_pages_open(const struct tc_http_settings *settings, const struct tc_health_process *process,
                  const struct tc_pages_loop *loop, struct tc_pages **out, struct tc_err *err);
void tc_pages_close(struct tc_pages *pages); // NULL is fine

tc_str tc_pages_listens(const struct tc_pages *pages); // ADDRESS:PORT

void tc_pages_run(struct tc_pages *pages); // until tc_pages_stop(), which any thread may call
void tc_pages_stop(struct tc_pages *pages);

#endif
