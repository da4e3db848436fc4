#include "common/sock.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <zmq.h>

// Never set here, each for a reason measured with libzmq 4.3.4:
//   ZMQ_HEARTBEAT_*     the process aborts ("_input_stopped") when it reads slower than it is sent
//   ZMQ_XPUB_MANUAL     a refused subscriber can inherit another one's grant
//   ZMQ_XPUB_NODROP     one stalled subscriber stops the publisher
//   ZMQ_CONFLATE        keeps one message, breaks multipart
//   ZMQ_ROUTER_HANDOVER lets a client take another one's identity

enum {
    ENDPOINT_BYTES = 512,
    IPC_PATH_BYTES = 107, // sun_path less its zero byte
    TOPIC_BYTES = 200,    // longer subscriptions are lost on the wire
    SUBSCRIPTION_BYTES = 512,
    IPC_MODE = 0660,
};

_Static_assert(IPC_PATH_BYTES == sizeof(((struct sockaddr_un *)0)->sun_path) - 1,
               "the limit of ipc paths is the kernel's");

struct option {
    int name, value;
};

// For every socket.
static const struct option common_options[] = {
    {ZMQ_LINGER, 0},
    {ZMQ_TCP_KEEPALIVE, 1},
    {ZMQ_TCP_KEEPALIVE_IDLE, 10},
    {ZMQ_TCP_KEEPALIVE_INTVL, 5},
    {ZMQ_TCP_KEEPALIVE_CNT, 3},
    {ZMQ_RECONNECT_IVL, 100},
    {ZMQ_RECONNECT_IVL_MAX, 5000},
    {ZMQ_HANDSHAKE_IVL, 5000},
};

enum { OPTIONS_MOST = 3 };

static const struct kind {
    int type;
    int64_t message_bytes; // MAXMSGSIZE, 0: no limit
    struct option options[OPTIONS_MOST];
} kinds[] = {
    [TC_SOCK_ROUTER] = {ZMQ_ROUTER, TC_SOCK_MESSAGE_BYTES, {{ZMQ_ROUTER_MANDATORY, 1}}},
    [TC_SOCK_DEALER] = {ZMQ_DEALER, 0, {{ZMQ_IMMEDIATE, 1}}},
    [TC_SOCK_XPUB] = {ZMQ_XPUB,
                      SUBSCRIPTION_BYTES,
                      {{ZMQ_SNDHWM, TC_SOCK_LIVE_HWM}, {ZMQ_XPUB_VERBOSER, 0}}},
    [TC_SOCK_PUB] = {ZMQ_PUB, SUBSCRIPTION_BYTES, {{ZMQ_SNDHWM, TC_SOCK_LIVE_HWM}}},
    // SNDHWM 0: a subscriber's filters are messages too, and are dropped beyond it.
    [TC_SOCK_SUB] = {ZMQ_SUB, 0, {{ZMQ_RCVHWM, TC_SOCK_LIVE_HWM}, {ZMQ_SNDHWM, 0}}},
    [TC_SOCK_PULL] = {ZMQ_PULL, TC_SOCK_MESSAGE_BYTES, {{0, 0}}},
    [TC_SOCK_PUSH] = {ZMQ_PUSH, 0, {{ZMQ_IMMEDIATE, 1}}},
};

static bool set_all(void *socket, const struct option *options, size_t count)
{
    for (size_t i = 0; i < count && options[i].name; i++) {
        int value = options[i].value;
        if (zmq_setsockopt(socket, options[i].name, &value, sizeof value) != 0)
            return false;
    }
    return true;
}

static bool set_options(void *socket, const struct kind *kind)
{
    if (kind->message_bytes && zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &kind->message_bytes,
                                              sizeof kind->message_bytes) != 0)
        return false;
    return set_all(socket, common_options, sizeof common_options / sizeof *common_options) &&
           set_all(socket, kind->options, OPTIONS_MOST);
}

// The path of an ipc endpoint, empty for other transports and for names that are no files.
static tc_str ipc_path(tc_str endpoint)
{
    tc_str scheme = TC_STR("ipc://");
    if (!tc_str_starts(endpoint, scheme))
        return (tc_str){"", 0};
    return tc_str_cut(endpoint, scheme.len, endpoint.len);
}

static int check_endpoint(tc_str endpoint, struct tc_err *err)
{
    size_t path = ipc_path(endpoint).len;
    if (path > IPC_PATH_BYTES)
        return tc_fail(err, TC_EINVAL, "the path of \"%.*s\" has %zu bytes, more than %d",
                       TC_ARG(endpoint), path, IPC_PATH_BYTES);
    if (endpoint.len >= ENDPOINT_BYTES || memchr(endpoint.ptr, '\0', endpoint.len))
        return tc_fail(err, TC_EINVAL, "the endpoint has %zu bytes, or a zero byte in it",
                       endpoint.len);
    return TC_OK;
}

static int refused(const char *verb, const char *endpoint, struct tc_err *err)
{
    int reason = errno;
    int code = TC_EPROTO;
    if (reason == EINVAL || reason == EPROTONOSUPPORT || reason == ENOCOMPATPROTO ||
        reason == ENODEV || reason == ENAMETOOLONG)
        code = TC_EINVAL;
    else if (reason == EADDRINUSE)
        code = TC_EBUSY;
    return tc_fail(err, code, "cannot %s %s: %s", verb, endpoint, zmq_strerror(reason));
}

bool tc_sock_allow_ipv6(void *socket, tc_str endpoint)
{
    static const int yes = 1;
    return !tc_str_starts(endpoint, TC_STR("tcp://[")) ||
           zmq_setsockopt(socket, ZMQ_IPV6, &yes, sizeof yes) == 0;
}

// Attaches the socket; an ipc file that it binds is for the owner and the group.
static int attach(void *socket, tc_str endpoint, bool bind, struct tc_err *err)
{
    char text[ENDPOINT_BYTES];
    int code = check_endpoint(endpoint, err);
    if (code != TC_OK)
        return code;
    snprintf(text, sizeof text, "%.*s", TC_ARG(endpoint));
    if (!tc_sock_allow_ipv6(socket, endpoint) ||
        (bind ? zmq_bind(socket, text) != 0 : zmq_connect(socket, text) != 0))
        return refused(bind ? "bind" : "connect to", text, err);
    const char *path = text + (endpoint.len - ipc_path(endpoint).len);
    if (bind && *path && *path != '@' && *path != '*' && chmod(path, IPC_MODE) != 0)
        return tc_fail(err, TC_EPROTO, "cannot set the mode of %s: %s", path, strerror(errno));
    return TC_OK;
}

bool tc_sock_is_tcp(tc_str endpoint)
{
    return tc_str_starts(endpoint, TC_STR("tcp://"));
}

// 127.evil.example is a name: only digits and dots follow up to the port.
bool tc_sock_is_loopback(tc_str endpoint)
{
    tc_str host = tc_str_cut(endpoint, strlen("tcp://"), endpoint.len);
    size_t colon = host.len;
    if (!tc_sock_is_tcp(endpoint))
        return false;
    while (colon && host.ptr[colon - 1] != ':')
        colon--;
    host = tc_str_cut(host, 0, colon ? colon - 1 : 0);
    if (tc_str_eq(host, TC_STR("[::1]")) || tc_str_eq(host, TC_STR("localhost")))
        return true;
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] != '.' && (host.ptr[i] < '0' || host.ptr[i] > '9'))
            return false;
    }
    return tc_str_starts(host, TC_STR("127."));
}

int tc_sock_open(void *context, enum tc_sock_kind kind, tc_str endpoint, bool bind, void **out,
                 struct tc_err *err)
{
    return tc_sock_open_guarded(context, kind, NULL, endpoint, bind, out, err);
}

int tc_sock_open_guarded(void *context, enum tc_sock_kind kind, const struct tc_curve *curve,
                         tc_str endpoint, bool bind, void **out, struct tc_err *err)
{
    int code = TC_OK;
    void *socket = zmq_socket(context, kinds[kind].type);
    if (!socket || !set_options(socket, &kinds[kind]))
        code = tc_fail(err, TC_EPROTO, "cannot open a socket: %s", zmq_strerror(errno));
    else if (curve && tc_sock_is_tcp(endpoint))
        code = tc_keys_set(socket, curve, err);
    if (code == TC_OK && endpoint.len)
        code = attach(socket, endpoint, bind, err);
    if (code != TC_OK) {
        tc_sock_close(socket);
        return code;
    }
    *out = socket;
    return TC_OK;
}

int tc_sock_bind(void *socket, tc_str endpoint, struct tc_err *err)
{
    return attach(socket, endpoint, true, err);
}

int tc_sock_connect(void *socket, tc_str endpoint, struct tc_err *err)
{
    return attach(socket, endpoint, false, err);
}

void tc_sock_close(void *socket)
{
    if (socket)
        zmq_close(socket);
}

int tc_sock_subscribe(void *socket, tc_str topic, struct tc_err *err)
{
    if (topic.len > TOPIC_BYTES)
        return tc_fail(err, TC_EINVAL, "the topic has %zu bytes, more than %d", topic.len,
                       TOPIC_BYTES);
    if (zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic.ptr ? topic.ptr : "", topic.len) != 0)
        return tc_fail(err, TC_EPROTO, "cannot subscribe: %s", zmq_strerror(errno));
    return TC_OK;
}
