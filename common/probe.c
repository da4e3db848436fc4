#include "common/probe.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/monitor.h"

#include <stdlib.h>
#include <zmq.h>

enum { LOOK_MS = 20 }; // while waiting at the start

struct door {
    enum tc_sock_kind kind;
    char *endpoint;
    void *socket; // NULL: not being tested
    struct tc_monitor monitor;
};

struct tc_probe {
    void *context; // borrowed
    struct tc_key server;
    struct door doors[TC_PROBE_DOORS];
    size_t count;
    bool running;
    unsigned tries;                    // in a row, without an answer
    int64_t next_mono_ns, end_mono_ns; // of the next test; of the one that runs
};

struct tc_probe *tc_probe_new(void *context, const struct tc_key *server)
{
    struct tc_probe *probe = tc_new(sizeof *probe);
    probe->context = context;
    probe->server = *server;
    return probe;
}

static void leave(struct door *door)
{
    tc_monitor_close(&door->monitor, door->socket);
    tc_sock_close(door->socket);
    door->socket = NULL;
}

static void leave_all(struct tc_probe *probe)
{
    for (size_t i = 0; i < probe->count; i++)
        leave(&probe->doors[i]);
    probe->running = false;
}

void tc_probe_free(struct tc_probe *probe)
{
    if (!probe)
        return;
    leave_all(probe);
    for (size_t i = 0; i < probe->count; i++)
        free(probe->doors[i].endpoint);
    free(probe);
}

int tc_probe_add(struct tc_probe *probe, enum tc_sock_kind kind, tc_str endpoint,
                 struct tc_err *err)
{
    if (probe->count == TC_PROBE_DOORS)
        return tc_fail(err, TC_EFULL, "more than %d guarded endpoints", TC_PROBE_DOORS);
    probe->doors[probe->count++] =
        (struct door){.kind = kind, .endpoint = tc_dup(endpoint.ptr, endpoint.len)};
    return TC_OK;
}

void tc_probe_now(struct tc_probe *probe)
{
    leave_all(probe);
    probe->tries = 0;
    probe->next_mono_ns = 0;
}

static int knock(struct tc_probe *probe, struct door *door, struct tc_err *err)
{
    struct tc_curve curve;
    int code = tc_keys_stranger(&probe->server, &curve, err);
    if (code == TC_OK)
        code = tc_sock_open(probe->context, door->kind, (tc_str){"", 0}, false, &door->socket, err);
    if (code == TC_OK)
        code = tc_keys_set(door->socket, &curve, err);
    if (code == TC_OK)
        code = tc_monitor_open(&door->monitor, probe->context, door->socket, err);
    if (code == TC_OK && (!tc_sock_allow_ipv6(door->socket, tc_str_of(door->endpoint)) ||
                          zmq_connect(door->socket, door->endpoint) != 0))
        code = tc_fail(err, TC_EPROTO, "cannot connect to %s: %s", door->endpoint,
                       zmq_strerror(zmq_errno()));
    tc_keys_wipe(&curve);
    return code;
}

static int begin(struct tc_probe *probe, int64_t now, struct tc_err *err)
{
    int code = TC_OK;
    probe->running = true;
    probe->end_mono_ns = now + TC_PROBE_SILENCE_MS * TC_MS;
    for (size_t i = 0; i < probe->count && code == TC_OK; i++)
        code = knock(probe, &probe->doors[i], err);
    return code;
}

// Looks at the doors that are still being tested; *open counts them.
static int look(struct tc_probe *probe, const char **silent, struct tc_err *err)
{
    *silent = NULL;
    for (size_t i = 0; i < probe->count; i++) {
        struct door *door = &probe->doors[i];
        if (!door->socket)
            continue;
        tc_monitor_listen(&door->monitor);
        if (door->monitor.times_up)
            return tc_fail(err, TC_EPROTO,
                           "a key that nobody knows was let in at %s: the endpoints are closed",
                           door->endpoint);
        if (door->monitor.refusal == TC_REFUSED_KEY)
            leave(door);
        else
            *silent = door->endpoint;
    }
    return TC_OK;
}

int tc_probe_turn(struct tc_probe *probe, int64_t now, struct tc_err *err)
{
    const char *silent = NULL;
    int code = TC_OK;
    if (!probe->running && now >= probe->next_mono_ns)
        code = begin(probe, now, err);
    if (!probe->running || code != TC_OK)
        return code;
    code = look(probe, &silent, err);
    if (code != TC_OK)
        return code;
    if (!silent) {
        leave_all(probe);
        probe->tries = 0;
        probe->next_mono_ns = now + TC_PROBE_EVERY_MS * TC_MS;
    } else if (now >= probe->end_mono_ns) {
        leave_all(probe);
        probe->next_mono_ns = now;
        if (++probe->tries >= TC_PROBE_TRIES)
            return tc_fail(
                err, TC_EPROTO,
                "the handler of keys does not refuse a stranger at %s, it is silent: the "
                "endpoints are closed",
                silent);
    }
    return TC_OK;
}

int tc_probe_wait(struct tc_probe *probe, struct tc_err *err)
{
    int code = TC_OK;
    tc_probe_now(probe);
    do {
        code = tc_probe_turn(probe, tc_mono_ns(), err);
        if (code == TC_OK && probe->running)
            zmq_poll(NULL, 0, LOOK_MS);
    } while (code == TC_OK && (probe->running || probe->tries));
    return code;
}
