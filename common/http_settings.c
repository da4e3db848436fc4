#include "common/http_settings.h"

#include "common/yaml.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

// --- addresses ---

// Splits "HOST:PORT" or "[V6]:PORT" at the last colon behind the bracket; without a port *port is empty.
// The brackets stay with the host. False when what stands behind them is no port.
static bool split(tc_str text, tc_str *host, tc_str *port)
{
    const char *end = text.len && text.ptr[0] == '[' ? memchr(text.ptr, ']', text.len)
                      : text.len                     ? memchr(text.ptr, ':', text.len)
                                                     : NULL;
    size_t at = end ? (size_t)(end - text.ptr) : text.len;
    if (end && *end == ']')
        at++;
    *host = tc_str_cut(text, 0, at);
    *port = tc_str_cut(text, at + 1, text.len);
    return at == text.len || (text.ptr[at] == ':' && port->len);
}

// An address of either family, IPv6 in brackets.
static bool read_ip(tc_str host, struct sockaddr_storage *out, socklen_t *len)
{
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    bool brackets = host.len > 2 && host.ptr[0] == '[' && tc_str_ends(host, TC_STR("]"));
    tc_str inner = brackets ? tc_str_cut(host, 1, host.len - 1) : host;
    if (inner.len >= sizeof text || (inner.len && memchr(inner.ptr, '\0', inner.len)))
        return false;
    memcpy(text, inner.ptr ? inner.ptr : "", inner.len);
    text[inner.len] = '\0';
    *out = (struct sockaddr_storage){0};
    if (brackets ? inet_pton(AF_INET6, text, &v6.sin6_addr) == 1
                 : inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        *len = brackets ? sizeof v6 : sizeof v4;
        memcpy(out, brackets ? (const void *)&v6 : (const void *)&v4, *len);
        return true;
    }
    return false;
}

bool tc_http_address(tc_str text, struct sockaddr_storage *out, socklen_t *len)
{
    tc_str host, port;
    uint64_t number = 0;
    if (!split(text, &host, &port) || !tc_str_u64(port, &number) || number > UINT16_MAX)
        return false;
    if (tc_str_eq(host, TC_STR("localhost")))
        host = TC_STR("127.0.0.1");
    else if (tc_str_eq(host, TC_STR("*")))
        host = TC_STR("0.0.0.0");
    if (!read_ip(host, out, len))
        return false;
    in_port_t wire = htons((uint16_t)number);
    if (out->ss_family == AF_INET)
        ((struct sockaddr_in *)out)->sin_port = wire;
    else
        ((struct sockaddr_in6 *)out)->sin6_port = wire;
    return true;
}

bool tc_http_is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

// --- Host and Origin ---

static bool same_name(tc_str a, tc_str b)
{
    return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

bool tc_http_host_ok(const struct tc_http_settings *settings, tc_str host)
{
    struct sockaddr_storage address;
    socklen_t len = 0;
    tc_str name, port;
    uint64_t number = 0;
    if (!split(host, &name, &port) || (port.len && !tc_str_u64(port, &number)) || !name.len)
        return false;
    bool ok = same_name(name, TC_STR("localhost")) || read_ip(name, &address, &len);
    for (size_t i = 0; i < settings->host_count && !ok; i++)
        ok = same_name(name, settings->hosts[i]);
    return ok;
}

bool tc_http_origin_ok(tc_str origin, tc_str host)
{
    tc_str scheme = TC_STR("http://");
    return origin.len == 0 || (tc_str_starts(origin, scheme) &&
                               same_name(tc_str_cut(origin, scheme.len, origin.len), host));
}

// --- the settings ---

static void read_hosts(const struct tc_yaml *list, struct tc_arena *arena, struct tc_diags *diags,
                       struct tc_http_settings *out)
{
    if (!list)
        return;
    if (list->kind != TC_YAML_LIST || list->count > TC_HTTP_HOSTS) {
        tc_yaml_wrong(list, "E0117", diags, NULL, "\"http_hosts\" is a list of at most %d names",
                      TC_HTTP_HOSTS);
        return;
    }
    out->hosts = tc_arena_take(arena, (list->count + 1) * sizeof *out->hosts);
    for (size_t i = 0; i < list->count; i++) {
        tc_str name = {"", 0};
        if (!tc_yaml_str(&list->items[i], &name, diags))
            continue;
        if (!name.len || memchr(name.ptr, ':', name.len) || memchr(name.ptr, '/', name.len))
            tc_yaml_wrong(&list->items[i], "E0117", diags, NULL,
                          "a name of a machine has no port and no path");
        out->hosts[out->host_count++] = tc_arena_str(arena, name);
    }
}

void tc_http_settings_read(const struct tc_yaml *root, struct tc_arena *arena,
                           struct tc_diags *diags, struct tc_http_settings *out)
{
    const struct tc_yaml *node = tc_yaml_get(root, "http");
    struct sockaddr_storage address;
    socklen_t len = 0;
    tc_str text = {"", 0};
    *out = (struct tc_http_settings){.address = {"", 0}};
    read_hosts(tc_yaml_get(root, "http_hosts"), arena, diags, out);
    if (!node || !tc_yaml_str(node, &text, diags) || tc_str_eq(text, TC_STR("off")))
        return;
    if (tc_http_address(text, &address, &len))
        out->address = tc_arena_str(arena, text);
    else
        tc_yaml_wrong(node, "E0117", diags, "like 127.0.0.1:5580, or off",
                      "\"%.*s\" is no ADDRESS:PORT", TC_ARG(text));
}
