// pipeline - the watcher at work: sources, scanners and the keeper, each on its thread.
//
//   sources --door--> keeper --scan--> scanners --done--> keeper --> outbox, tap, broker
//
// Only this file starts and joins threads.
//
//   threads  all functions belong to the main thread
#ifndef PIPELINE_H
#define PIPELINE_H

#include "common/diag.h"
#include "common/guard.h"
#include "watcher/force.h"
#include "watcher/helper.h"
#include "watcher/settings.h"

struct pipeline;

// What a folder of keys gives a watcher; either may be absent.
struct watcher_keys {
    struct tc_server_keys *server; // for ports that it opens
    struct tc_curve broker;        // for its link, when has_broker
    bool has_broker;
};

// Opens everything that `settings` name: outbox, sockets, sources. `settings`, the watches to match with and
// the helper, which gets its thread, are borrowed until pipeline_close(); so is `progress_fd`, an eventfd that is
// written when pipeline_state() may have changed.
// With `once` sockets are not opened, and lines and folders are read to their end. Gives *out.
//   TC_EBUSY   a socket or the outbox belongs to another process (names both)
//   others as outbox_open, tc_sock_open, folder_open, stream_open
// `keys` (copied) are those of settings->keys.
int pipeline_open(const struct settings *settings, const struct watcher_keys *keys, bool once,
                  struct force *force, struct helper *helper, int progress_fd,
                  struct pipeline **out, struct tc_err *err);

// Starts all threads; they are ready when this returns.
int pipeline_start(struct pipeline *pipeline, struct tc_err *err);

enum pipeline_state { PIPELINE_WORKING, PIPELINE_DONE, PIPELINE_FAILED };

// DONE: all sources have ended, and everything is acknowledged by the broker (without one: written).
// FAILED: the outbox cannot go on; the reason was logged.
enum pipeline_state pipeline_state(const struct pipeline *pipeline);

// Whether items wait and the broker at `settings->broker` does not answer; how many, in *waiting.
bool pipeline_awaits_broker(const struct pipeline *pipeline, uint64_t *waiting);

// Goes on with the self-test of the keys; at least once a second. Never waits.
//   TC_EPROTO  it failed (common/probe.h): close everything and end
int pipeline_guard_turn(struct pipeline *pipeline, struct tc_err *err);
bool pipeline_guarded(const struct pipeline *pipeline);

// From now on these keys count at the doors. Who is connected to the tap or an intake stays: libzmq can put
// nobody out.
void pipeline_guard_reload(struct pipeline *pipeline, const struct tc_server_keys *keys);

// Ends the sources, finishes what is on the way, joins all threads, frees. NULL is fine. Gives what the
// outbox failed with, if it did, be it with its last words.
int pipeline_close(struct pipeline *pipeline);

#endif
