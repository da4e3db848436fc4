// guard - the keys of a daemon: its own, whom it lets in, the handler and the self-test.
//
// A daemon reads its folder (`keys:`) before anything is bound, opens the guard with its context, binds
// guarded sockets by tc_guard_curve(), tells them by tc_guard_bound(), proves the doors, and then turns at
// least once a second.
//
//   threads  the opener's, besides the thread of zap.h
#ifndef TC_GUARD_H
#define TC_GUARD_H

#include "common/access.h"
#include "common/sock.h"
#include "common/zap.h"

#include <stdint.h>

// Reads server.secret and access.yaml. Gives *out, which tc_server_keys_free() ends.
//   TC_EPARSE  mistakes were added to diags
struct tc_server_keys {
    struct tc_curve curve;
    struct tc_access *access;
};
int tc_server_keys_read(const char *folder, struct tc_diags *diags, struct tc_server_keys **out);
// The same for a reload: mistakes are printed on standard error and logged as keys.refused.
int tc_server_keys_log(const char *folder, struct tc_server_keys **out);
void tc_server_keys_free(struct tc_server_keys *keys); // wipes; NULL is fine

// Adds what is wrong with a key file to the mistakes. Returns TC_EPARSE.
int tc_guard_mistake(tc_str folder, struct tc_diags *diags, const struct tc_err *err);

// Why an endpoint must not be opened: a tcp port without keys is anybody's on this machine, and beyond
// loopback anybody's at all. NULL when it may; `*help` says what to write.
const char *tc_guard_unsafe(tc_str endpoint, bool keys, bool insecure_loopback, const char **help);

struct tc_guard;

// Copies the keys. Gives *out.
int tc_guard_open(void *context, const struct tc_server_keys *keys, struct tc_guard **out,
                  struct tc_err *err);
void tc_guard_close(struct tc_guard *guard); // behind the sockets; NULL is fine

// What tc_sock_open_guarded() needs for a door; lives with the guard. NULL for no guard.
const struct tc_curve *tc_guard_curve(const struct tc_guard *guard, enum tc_door door);

// A socket of a door was bound to `endpoint`: it is tested from now on, if it is tcp. `kind` is the socket's
// own. A NULL guard is fine.
int tc_guard_bound(struct tc_guard *guard, void *socket, enum tc_sock_kind kind, tc_str endpoint,
                   struct tc_err *err);

// Tests all doors once; before anybody is served.
//   TC_EPROTO  as tc_probe_turn()
int tc_guard_prove(struct tc_guard *guard, struct tc_err *err);

// Goes on testing; never waits. The same failure.
int tc_guard_turn(struct tc_guard *guard, int64_t now_mono_ns, struct tc_err *err);

// Takes the access list of `keys` from now on, and tests the doors again. The server's own key stays what it
// was until the daemon starts again.
void tc_guard_reload(struct tc_guard *guard, const struct tc_server_keys *keys);

// The entry of who sent a message of a guarded socket, NULL when it is none of ours any more.
const struct tc_peer *tc_guard_peer(const struct tc_guard *guard, tc_str user);

#endif
