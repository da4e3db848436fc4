#include "common/guard.h"

#include "common/buf.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

enum { DOORS = TC_DOOR_INTAKE + 1, ENDPOINT_BYTES = 512 };

struct tc_guard {
    struct tc_curve curves[DOORS];
    struct tc_access *access;
    struct tc_zap *zap;
    struct tc_probe *probe;
};

// ---- reading ------------------------------------------------------------------------------

int tc_guard_mistake(tc_str folder, struct tc_diags *diags, const struct tc_err *err)
{
    tc_diags_add(diags, &(struct tc_diag){
                            .severity = TC_DIAG_ERROR,
                            .code = "E0117",
                            .file = folder,
                            .message = tc_str_of(err->text),
                            .help = TC_STR("`tocsin keygen` makes keys; "
                                           "docs/operating.md, \"Keys\""),
                        });
    return TC_EPARSE;
}

int tc_server_keys_read(const char *folder, struct tc_diags *diags, struct tc_server_keys **out)
{
    char path[TC_KEY_PATH_BYTES];
    struct tc_server_keys *keys = tc_new(sizeof *keys);
    struct tc_err err;
    int code = tc_keys_server(folder, &keys->curve, &err);
    if (code != TC_OK)
        tc_guard_mistake(tc_str_of(folder), diags, &err);
    snprintf(path, sizeof path, "%s/access.yaml", folder);
    if (tc_access_read(path, diags, &keys->access) != TC_OK || code != TC_OK) {
        tc_server_keys_free(keys);
        return TC_EPARSE;
    }
    *out = keys;
    return TC_OK;
}

int tc_server_keys_log(const char *folder, struct tc_server_keys **out)
{
    struct tc_diags *diags = tc_diags_new();
    struct tc_buf text = {0};
    struct tc_err err;
    int code = tc_server_keys_read(folder, diags, out);
    tc_diags_print(diags, isatty(STDERR_FILENO), &text);
    fwrite(tc_buf_view(&text).ptr, 1, text.len, stderr);
    if (code != TC_OK && tc_diags_result(diags, &err) != TC_OK)
        tc_log_err(TC_ERROR, "keys.refused", &err);
    tc_buf_done(&text);
    tc_diags_free(diags);
    return code;
}

void tc_server_keys_free(struct tc_server_keys *keys)
{
    if (!keys)
        return;
    tc_keys_wipe(&keys->curve);
    tc_access_drop(keys->access);
    free(keys);
}

const char *tc_guard_unsafe(tc_str endpoint, bool keys, bool insecure_loopback, const char **help)
{
    *help = NULL;
    if (keys || !tc_sock_is_tcp(endpoint))
        return NULL;
    if (!tc_sock_is_loopback(endpoint)) {
        *help = "write keys: FOLDER (docs/operating.md, \"Keys\"), or listen on ipc:// or "
                "tcp://127.0.0.1";
        return "a port that other machines reach needs keys";
    }
    *help = "write keys: FOLDER, or insecure_loopback: true when that is what you want";
    return insecure_loopback
               ? NULL
               : "every user of this machine can read and forge what goes through a loopback port";
}

// ---- opening ------------------------------------------------------------------------------

int tc_guard_open(void *context, const struct tc_server_keys *keys, struct tc_guard **out,
                  struct tc_err *err)
{
    struct tc_guard *guard = tc_new(sizeof *guard);
    for (size_t i = 0; i < DOORS; i++) {
        guard->curves[i] = keys->curve;
        guard->curves[i].domain = tc_door_domain((enum tc_door)i);
    }
    guard->access = tc_access_hold(keys->access);
    guard->probe = tc_probe_new(context, &keys->curve.open);
    int code = tc_zap_open(context, keys->access, &guard->zap, err);
    if (code != TC_OK) {
        tc_guard_close(guard);
        return code;
    }
    *out = guard;
    return TC_OK;
}

void tc_guard_close(struct tc_guard *guard)
{
    if (!guard)
        return;
    tc_probe_free(guard->probe);
    tc_zap_close(guard->zap);
    tc_access_drop(guard->access);
    for (size_t i = 0; i < DOORS; i++)
        tc_keys_wipe(&guard->curves[i]);
    free(guard);
}

const struct tc_curve *tc_guard_curve(const struct tc_guard *guard, enum tc_door door)
{
    return guard ? &guard->curves[door] : NULL;
}

static enum tc_sock_kind other_end(enum tc_sock_kind kind)
{
    switch (kind) {
    case TC_SOCK_XPUB:
    case TC_SOCK_PUB: return TC_SOCK_SUB;
    case TC_SOCK_PULL: return TC_SOCK_PUSH;
    default: return TC_SOCK_DEALER;
    }
}

int tc_guard_bound(struct tc_guard *guard, void *socket, enum tc_sock_kind kind, tc_str endpoint,
                   struct tc_err *err)
{
    char bound[ENDPOINT_BYTES];
    size_t bytes = sizeof bound;
    if (!guard || !tc_sock_is_tcp(endpoint))
        return TC_OK;
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &bytes) != 0)
        return tc_fail(err, TC_EPROTO, "cannot tell where a socket is bound: %s",
                       zmq_strerror(zmq_errno()));
    return tc_probe_add(guard->probe, other_end(kind), tc_str_of(bound), err);
}

// ---- at work ------------------------------------------------------------------------------

int tc_guard_prove(struct tc_guard *guard, struct tc_err *err)
{
    return guard ? tc_probe_wait(guard->probe, err) : TC_OK;
}

int tc_guard_turn(struct tc_guard *guard, int64_t now_mono_ns, struct tc_err *err)
{
    return guard ? tc_probe_turn(guard->probe, now_mono_ns, err) : TC_OK;
}

void tc_guard_reload(struct tc_guard *guard, const struct tc_server_keys *keys)
{
    tc_access_drop(guard->access);
    guard->access = tc_access_hold(keys->access);
    tc_zap_swap(guard->zap, keys->access);
    tc_probe_now(guard->probe);
}

const struct tc_peer *tc_guard_peer(const struct tc_guard *guard, tc_str user)
{
    return tc_access_find(guard->access, user);
}
