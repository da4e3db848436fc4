// What is kept of a connection is a `visitor`, from accept to close, in a list by age. libmicrohttpd's own
// time limit counts from the last byte, so a client that sends one now and then would stay for ever: ours
// counts from the accept. A visitor is shown out by shutdown(2) of its socket, which libmicrohttpd sees as
// the client's leaving; it has no call for that.
//
// libmicrohttpd must not be stopped while a request waits ("suspended"), so closing answers those first.
#include "common/http.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/mem.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BACKLOG = 64, LISTENS_BYTES = INET6_ADDRSTRLEN + 16 };

static const char plain[] = "text/plain; charset=utf-8";

struct visitor {
    struct visitor *older, *newer;
    struct tc_http_call *call;
    int64_t since_mono_ns;
    int fd;
    bool shown_out;
};

struct tc_http_call {
    struct visitor *visitor;
    struct MHD_Connection *connection;
    struct MHD_Response *response; // NULL: not answered yet
    unsigned status;
    bool waits; // suspended
};

struct tc_http {
    const struct tc_http_settings *settings; // borrowed
    tc_http_handler *handler;
    void *context; // borrowed
    struct MHD_Daemon *daemon;
    struct visitor *oldest, *newest;
    size_t visitors;
    int64_t now_mono_ns; // of the turn
    int listener;
    char listens[LISTENS_BYTES];
};

// --- visitors ---

static void show_out(struct visitor *visitor)
{
    if (!visitor->shown_out)
        shutdown(visitor->fd, SHUT_RDWR);
    visitor->shown_out = true;
}

// One more is coming: who has been here longest without asking anything goes.
static void make_room(struct tc_http *http)
{
    struct visitor *visitor = http->oldest;
    while (visitor && (visitor->call || visitor->shown_out))
        visitor = visitor->newer;
    if (visitor)
        show_out(visitor);
}

static struct visitor *visitor_new(struct tc_http *http, struct MHD_Connection *connection)
{
    struct visitor *visitor = tc_new(sizeof *visitor);
    visitor->fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    visitor->since_mono_ns = http->now_mono_ns;
    visitor->older = http->newest;
    if (http->newest)
        http->newest->newer = visitor;
    else
        http->oldest = visitor;
    http->newest = visitor;
    http->visitors++;
    return visitor;
}

static void visitor_free(struct tc_http *http, struct visitor *visitor)
{
    if (visitor->older)
        visitor->older->newer = visitor->newer;
    else
        http->oldest = visitor->newer;
    if (visitor->newer)
        visitor->newer->older = visitor->older;
    else
        http->newest = visitor->older;
    http->visitors--;
    free(visitor);
}

static void come_or_go(void *context, struct MHD_Connection *connection, void **visitor,
                       enum MHD_ConnectionNotificationCode what)
{
    struct tc_http *http = context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        if (http->visitors >= TC_HTTP_CROWDED)
            make_room(http);
        *visitor = visitor_new(http, connection);
    } else if (*visitor) {
        visitor_free(http, *visitor);
        *visitor = NULL;
    }
}

// --- calls ---

static struct MHD_Response *response_new(const char *type, tc_str body)
{
    static const char *const headers[][2] = {
        {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {MHD_HTTP_HEADER_CONNECTION, "close"},
    };
    // Copied at once; the parameter only lacks the const.
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return NULL;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    return response;
}

void tc_http_answer(struct tc_http_call *call, unsigned status, const char *type, tc_str body)
{
    call->status = status;
    call->response = response_new(type, body);
    if (call->waits)
        MHD_resume_connection(call->connection);
    call->waits = false;
}

static tc_str header(struct MHD_Connection *connection, const char *name)
{
    return tc_str_of(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

static void refuse(struct tc_http_call *call, unsigned status, const char *sentence)
{
    tc_http_answer(call, status, plain, tc_str_of(sentence));
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED && call->response)
        MHD_add_response_header(call->response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
}

static void take(struct tc_http *http, struct tc_http_call *call, const char *path,
                 const char *method)
{
    tc_str host = header(call->connection, MHD_HTTP_HEADER_HOST);
    if (!tc_http_host_ok(http->settings, host))
        refuse(call, MHD_HTTP_FORBIDDEN,
               "this Host is none of ours: ask by address, or name it in http_hosts\n");
    else if (!tc_http_origin_ok(header(call->connection, MHD_HTTP_HEADER_ORIGIN), host))
        refuse(call, MHD_HTTP_FORBIDDEN, "pages of other origins may not ask\n");
    else if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        refuse(call, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n");
    else
        http->handler(http->context, tc_str_of(path), call);
}

// Called when the header is there, and once more when a call that waited has its answer. Without memory for
// an answer the connection is closed.
static enum MHD_Result serve(void *context, struct MHD_Connection *connection, const char *path,
                             const char *method, const char *version, const char *body,
                             size_t *body_len, void **state)
{
    struct tc_http_call *call = *state;
    (void)version;
    (void)body;
    (void)body_len;
    if (!call) {
        *state = call = tc_new(sizeof *call);
        call->connection = connection;
        call->visitor =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
        call->visitor->call = call;
        take(context, call, path, method);
        if (!call->response && call->status == 0) {
            MHD_suspend_connection(connection);
            call->waits = true;
            return MHD_YES;
        }
    }
    return call->response ? MHD_queue_response(connection, call->status, call->response) : MHD_NO;
}

static void end_call(void *context, struct MHD_Connection *connection, void **state,
                     enum MHD_RequestTerminationCode how)
{
    struct tc_http_call *call = *state;
    (void)context;
    (void)connection;
    (void)how;
    if (!call)
        return;
    call->visitor->call = NULL;
    if (call->response)
        MHD_destroy_response(call->response);
    free(call);
    *state = NULL;
}

// --- opening ---

static void write_listens(struct tc_http *http)
{
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof bound;
    char host[INET6_ADDRSTRLEN] = "?", port[8] = "?";
    if (getsockname(http->listener, (struct sockaddr *)&bound, &len) == 0)
        getnameinfo((const struct sockaddr *)&bound, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(http->listens, sizeof http->listens, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
             host, port);
}

// A socket of our own: libmicrohttpd would not say why it cannot bind one.
static int listen_at(struct tc_http *http, struct tc_err *err)
{
    struct sockaddr_storage address;
    socklen_t len = 0;
    const int yes = 1;
    tc_str text = http->settings->address;
    if (!tc_http_address(text, &address, &len))
        return tc_fail(err, TC_EINVAL, "\"%.*s\" is no ADDRESS:PORT", TC_ARG(text));
    http->listener = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (http->listener < 0)
        return tc_fail(err, TC_EIO, "cannot make a socket for http: %s", strerror(errno));
    setsockopt(http->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(http->listener, (const struct sockaddr *)&address, len) != 0 ||
        listen(http->listener, BACKLOG) != 0) {
        int code = errno == EADDRINUSE ? TC_EBUSY : errno == EADDRNOTAVAIL ? TC_EINVAL : TC_EIO;
        return tc_fail(err, code, "cannot listen at http: %.*s: %s", TC_ARG(text), strerror(errno));
    }
    write_listens(http);
    return TC_OK;
}

static int start(struct tc_http *http, struct tc_err *err)
{
    int code = listen_at(http, err);
    if (code != TC_OK)
        return code;
    http->daemon =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, serve, http,
                         MHD_OPTION_LISTEN_SOCKET, http->listener, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)TC_HTTP_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         (size_t)TC_HTTP_MEMORY_BYTES, MHD_OPTION_NOTIFY_CONNECTION, come_or_go,
                         http, MHD_OPTION_NOTIFY_COMPLETED, end_call, http, MHD_OPTION_END);
    return http->daemon ? TC_OK : tc_fail(err, TC_EIO, "libmicrohttpd does not start");
}

int tc_http_open(const struct tc_http_settings *settings, tc_http_handler *handler, void *context,
                 struct tc_http **out, struct tc_err *err)
{
    struct tc_http *http = tc_new(sizeof *http);
    http->settings = settings;
    http->handler = handler;
    http->context = context;
    http->listener = -1;
    int code = start(http, err);
    if (code != TC_OK) {
        tc_http_close(http);
        return code;
    }
    *out = http;
    return TC_OK;
}

void tc_http_close(struct tc_http *http)
{
    if (!http)
        return;
    for (struct visitor *visitor = http->oldest; visitor; visitor = visitor->newer) {
        if (visitor->call && visitor->call->waits)
            refuse(visitor->call, MHD_HTTP_SERVICE_UNAVAILABLE, "the daemon is ending\n");
    }
    if (http->daemon) {
        MHD_run(http->daemon);
        MHD_stop_daemon(http->daemon); // and the listener
    } else if (http->listener >= 0) {
        close(http->listener);
    }
    free(http);
}

tc_str tc_http_listens(const struct tc_http *http)
{
    return tc_str_of(http->listens);
}

// --- turns ---

int tc_http_fd(const struct tc_http *http)
{
    return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

// The oldest who is still to be shown out.
static struct visitor *next_to_go(const struct tc_http *http)
{
    struct visitor *visitor = http->oldest;
    while (visitor && visitor->shown_out)
        visitor = visitor->newer;
    return visitor;
}

int tc_http_wait_ms(const struct tc_http *http, int64_t now_mono_ns)
{
    const struct visitor *next = next_to_go(http);
    MHD_UNSIGNED_LONG_LONG theirs = 0;
    int64_t ours = -1;
    if (next) {
        int64_t left = next->since_mono_ns + TC_HTTP_LIFE_MS * TC_MS - now_mono_ns;
        ours = left > 0 ? (left + TC_MS - 1) / TC_MS : 0;
    }
    if (MHD_get_timeout(http->daemon, &theirs) == MHD_YES && (ours < 0 || theirs < (uint64_t)ours))
        ours = theirs < TC_HTTP_LIFE_MS ? (int64_t)theirs : TC_HTTP_LIFE_MS;
    return (int)ours;
}

void tc_http_turn(struct tc_http *http, int64_t now_mono_ns)
{
    struct visitor *next = NULL;
    http->now_mono_ns = now_mono_ns;
    while ((next = next_to_go(http)) &&
           next->since_mono_ns + TC_HTTP_LIFE_MS * TC_MS <= now_mono_ns)
        show_out(next);
    MHD_run(http->daemon);
}
