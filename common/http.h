// http - a small HTTP server inside a daemon: GET and HEAD, one request a connection.
//
// It runs in its owner's loop: wait for tc_http_fd() at most tc_http_wait_ms(), then call tc_http_turn().
// A handler is called with each request that passed the checks, and answers at once or, from the same
// thread, later; meanwhile the request waits without holding anybody up.
//
// Nobody can hold it. A connection serves one request and lives TC_HTTP_LIFE_MS at the most; its memory
// is bounded; and when connections become many, the oldest that has not finished asking makes room. So
// who sends a whole request is served, however many others are slow.
//
//   checks   Host and Origin (http_settings.h), method, size of the header
//   memory   TC_HTTP_CONNECTIONS times TC_HTTP_MEMORY_BYTES and an answer
//   threads  one at a time; opening may be another thread's
#ifndef TC_HTTP_H
#define TC_HTTP_H

#include "common/err.h"
#include "common/http_settings.h"

#include <stdint.h>

enum {
    TC_HTTP_CONNECTIONS = 128,
    TC_HTTP_CROWDED = 96,             // from so many on the oldest that has not asked yet is closed
    TC_HTTP_MEMORY_BYTES = 16 * 1024, // a header larger than that is refused
    TC_HTTP_LIFE_MS = 10 * 1000,
};

struct tc_http;
struct tc_http_call; // a request that has not been answered

// `path` views the request: it is gone when the call is answered.
typedef void tc_http_handler(void *context, tc_str path, struct tc_http_call *call);

// Listens at settings->address. `settings` and `context` are borrowed until tc_http_close(). Gives *out.
//   TC_EBUSY   the address is in use
//   TC_EINVAL  it is none of this machine
//   TC_EIO     refused otherwise
int tc_http_open(const struct tc_http_settings *settings, tc_http_handler *handler, void *context,
                 struct tc_http **out, struct tc_err *err);

// Closes all connections; what still waits is told that the daemon ends. NULL is fine.
void tc_http_close(struct tc_http *http);

// Where it listens, as ADDRESS:PORT with the port that the system chose if it was 0.
tc_str tc_http_listens(const struct tc_http *http);

int tc_http_fd(const struct tc_http *http);
int tc_http_wait_ms(const struct tc_http *http, int64_t now_mono_ns); // -1: for ever
void tc_http_turn(struct tc_http *http, int64_t now_mono_ns);

// Answers (copying the body); the call is not to be used any more.
void tc_http_answer(struct tc_http_call *call, unsigned status, const char *type, tc_str body);

#endif
