#include "common/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum {
    // Without it a server lets everybody in when no handler runs. A draft option: Debian's zmq.h does
    // not name it, the library knows the number.
    ZAP_ENFORCE_DOMAIN = 93,
    KEY_BYTES = 32,
};

bool tc_key_ok(tc_str text)
{
    char copy[TC_KEY_TEXT + 1];
    uint8_t bytes[KEY_BYTES];
    if (text.len != TC_KEY_TEXT || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, TC_KEY_TEXT);
    copy[TC_KEY_TEXT] = '\0';
    bool good = zmq_z85_decode(bytes, copy) != NULL;
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(copy, sizeof copy);
    return good;
}

// --- reading ---

// What is looked at is the file that was opened, so that nobody exchanges it in between.
static int check_file(int fd, const char *path, bool secret, struct tc_err *err)
{
    struct stat found;
    if (fstat(fd, &found) != 0)
        return tc_fail(err, TC_EIO, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISREG(found.st_mode))
        return tc_fail(err, TC_EINVAL, "%s is no file", path);
    if (secret && found.st_uid != geteuid() && found.st_uid != 0)
        return tc_fail(err, TC_EINVAL,
                       "%s belongs to another user (uid %u): a secret key must be "
                       "the user's own",
                       path, (unsigned)found.st_uid);
    if (secret && (found.st_mode & 077) != 0)
        return tc_fail(err, TC_EINVAL,
                       "others can read %s (mode %04o): run chmod 600 on it, or make "
                       "another key if somebody may have seen this one",
                       path, (unsigned)(found.st_mode & 07777));
    return TC_OK;
}

static int read_open(int fd, const char *path, struct tc_key *out, struct tc_err *err)
{
    char text[TC_KEY_TEXT + 2]; // one byte more than a key with its line end
    size_t length = 0;
    ssize_t got = 1;
    while (got > 0 && length < sizeof text) {
        got = read(fd, text + length, sizeof text - length);
        if (got < 0)
            return tc_fail(err, TC_EIO, "cannot read %s: %s", path, strerror(errno));
        length += (size_t)got;
    }
    if (length == TC_KEY_TEXT + 1 && text[TC_KEY_TEXT] == '\n')
        length--;
    bool good = tc_key_ok((tc_str){text, length});
    if (good) {
        memcpy(out->text, text, TC_KEY_TEXT);
        out->text[TC_KEY_TEXT] = '\0';
    }
    explicit_bzero(text, sizeof text);
    return good ? TC_OK
                : tc_fail(err, TC_EINVAL,
                          "%s holds no key: 40 characters as `tocsin keygen` writes "
                          "them, and nothing else",
                          path);
}

int tc_key_read(const char *folder, const char *file, bool secret, struct tc_key *out,
                struct tc_err *err)
{
    char path[TC_KEY_PATH_BYTES];
    int length = snprintf(path, sizeof path, "%s/%s", folder, file);
    if (length < 0 || length >= TC_KEY_PATH_BYTES)
        return tc_fail(err, TC_EINVAL, "the path of the folder of keys is too long");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return tc_fail(err, errno == ENOENT ? TC_ENOENT : TC_EIO, "cannot open the key %s: %s",
                       path, strerror(errno));
    int code = check_file(fd, path, secret, err);
    if (code == TC_OK)
        code = read_open(fd, path, out, err);
    close(fd);
    return code;
}

static int public_of(const struct tc_key *secret, struct tc_key *out, struct tc_err *err)
{
    if (zmq_curve_public(out->text, secret->text) != 0)
        return tc_fail(err, TC_EPROTO, "this libzmq was built without CURVE");
    return TC_OK;
}

int tc_keys_server(const char *folder, struct tc_curve *out, struct tc_err *err)
{
    struct tc_curve curve = {.domain = ""};
    int code = tc_key_read(folder, "server.secret", true, &curve.secret, err);
    if (code == TC_OK)
        code = public_of(&curve.secret, &curve.open, err);
    if (code == TC_OK)
        *out = curve;
    tc_keys_wipe(&curve);
    return code;
}

int tc_keys_client(const char *folder, const char *server, struct tc_curve *out, struct tc_err *err)
{
    struct tc_curve curve = {0};
    int code = tc_key_read(folder, "client.secret", true, &curve.secret, err);
    if (code == TC_OK)
        code = public_of(&curve.secret, &curve.open, err);
    if (code == TC_OK)
        code = tc_key_read(folder, server, false, &curve.server, err);
    if (code == TC_OK)
        *out = curve;
    tc_keys_wipe(&curve);
    return code;
}

int tc_keys_stranger(const struct tc_key *server, struct tc_curve *out, struct tc_err *err)
{
    struct tc_curve curve = {.server = *server};
    if (zmq_curve_keypair(curve.open.text, curve.secret.text) != 0)
        return tc_fail(err, TC_EPROTO, "this libzmq was built without CURVE");
    *out = curve;
    tc_keys_wipe(&curve);
    return TC_OK;
}

void tc_keys_wipe(struct tc_curve *curve)
{
    if (curve)
        explicit_bzero(curve, sizeof *curve);
}

// --- using ---

static bool set_text(void *socket, int option, const char *text)
{
    return zmq_setsockopt(socket, option, text, strlen(text)) == 0;
}

static bool set_server(void *socket, const struct tc_curve *curve)
{
    static const int yes = 1;
    return zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof yes) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, curve->secret.text, TC_KEY_TEXT + 1) == 0 &&
           set_text(socket, ZMQ_ZAP_DOMAIN, curve->domain) &&
           zmq_setsockopt(socket, ZAP_ENFORCE_DOMAIN, &yes, sizeof yes) == 0;
}

static bool set_client(void *socket, const struct tc_curve *curve)
{
    return zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, curve->server.text, TC_KEY_TEXT + 1) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, curve->open.text, TC_KEY_TEXT + 1) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, curve->secret.text, TC_KEY_TEXT + 1) == 0;
}

int tc_keys_set(void *socket, const struct tc_curve *curve, struct tc_err *err)
{
    if (curve->domain ? set_server(socket, curve) : set_client(socket, curve))
        return TC_OK;
    return tc_fail(err, TC_EPROTO, "cannot guard a socket by keys: %s", zmq_strerror(errno));
}
