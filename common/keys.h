// keys - CURVE keys: the files they lie in, and what a socket is given.
//
// A key is 32 bytes, written as 40 characters of Z85 (ZeroMQ RFC 32), which is how every ZeroMQ binding
// takes it. NAME.secret and NAME.public hold one each and a line end. A folder of keys:
//
//   server.secret   a daemon's own key, for the TCP ports that it opens
//   access.yaml     whom it lets in (common/access.h)
//   client.secret   one's own key, for TCP ports of others
//   broker.public   the key by which a broker is known, watcher.public that of a watcher
//
// A secret file that anybody but its owner can read is refused, so that the mistake is seen at once.
//
//   memory   no allocation; who holds a secret wipes it with tc_keys_wipe()
//   safe     for libtocsin
#ifndef TC_KEYS_H
#define TC_KEYS_H

#include "common/err.h"
#include "common/str.h"

enum { TC_KEY_TEXT = 40, TC_KEY_PATH_BYTES = 1024 };

struct tc_key {
    char text[TC_KEY_TEXT + 1];
};

// What one socket needs. A server has a domain, which tells the handler (common/zap.h) the door; a
// client has the server's public key.
struct tc_curve {
    struct tc_key secret, open, server; // `open`: the public half of `secret`
    const char *domain;                 // static text; NULL: a client
};

bool tc_key_ok(tc_str text); // 40 characters of Z85

// Reads FOLDER/FILE.
//   TC_ENOENT  it is not there
//   TC_EINVAL  not one key, or a secret that others can read; the sentence says what to do
//   TC_EIO     it cannot be read
int tc_key_read(const char *folder, const char *file, bool secret, struct tc_key *out,
                struct tc_err *err);

// A server's key: server.secret, and the public half of it. As tc_key_read().
int tc_keys_server(const char *folder, struct tc_curve *out, struct tc_err *err);

// A client's: client.secret, and the file `server` ("broker.public"). As tc_key_read().
int tc_keys_client(const char *folder, const char *server, struct tc_curve *out,
                   struct tc_err *err);

// A client with a key that nobody knows, for `server`.
int tc_keys_stranger(const struct tc_key *server, struct tc_curve *out, struct tc_err *err);

void tc_keys_wipe(struct tc_curve *curve); // NULL is fine

// Sets the options of an open socket that is not attached yet.
//   TC_EPROTO  libzmq refuses, as one without CURVE does
int tc_keys_set(void *socket, const struct tc_curve *curve, struct tc_err *err);

#endif
