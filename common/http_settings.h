// http_settings - where a daemon answers HTTP, and whom: `http:` and `http_hosts:` of its settings.
//
// A browser on this machine, or on one that reaches the port, can be made to ask us by any page that it
// shows. Two checks keep such a page from reading the answer: Host must be an address, localhost or a
// name of http_hosts (a name that somebody lets point at us is none of these), and Origin, where there is
// one, must be ourselves.
//
//   threads  none: plain data
//   source   docs/operating.md, "Health and metrics"
#ifndef TC_HTTP_SETTINGS_H
#define TC_HTTP_SETTINGS_H

#include "common/arena.h"
#include "common/diag.h"

#include <sys/socket.h>

enum { TC_HTTP_HOSTS = 100 };

struct tc_http_settings {
    tc_str address; // empty: off
    tc_str *hosts;  // names that Host may say besides addresses and localhost
    size_t host_count;
};

// Reads `http` and `http_hosts` of a settings file. Mistakes go to diags; copies into the arena.
struct tc_yaml;
void tc_http_settings_read(const struct tc_yaml *root, struct tc_arena *arena,
                           struct tc_diags *diags, struct tc_http_settings *out);

// ADDRESS:PORT, where ADDRESS is 127.0.0.1, [::1], localhost, * (all of IPv4) and so on. False when it is
// not one. Names other than localhost are none: what they point to is somebody else's choice.
bool tc_http_address(tc_str text, struct sockaddr_storage *out, socklen_t *len);

// Whether an address is reached from this machine only.
bool tc_http_is_loopback(const struct sockaddr_storage *address);

// Whether a request with this Host is for us.
bool tc_http_host_ok(const struct tc_http_settings *settings, tc_str host);

// Whether a request with this Origin (empty: none was sent) comes from a page of ours.
bool tc_http_origin_ok(tc_str origin, tc_str host);

#endif
