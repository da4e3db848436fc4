#include "common/keygen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum { SECRET_MODE = 0600, PUBLIC_MODE = 0644 };

static int path_of(const char *folder, const char *name, const char *ending, char *out,
                   struct tc_err *err)
{
    int length = snprintf(out, TC_KEY_PATH_BYTES, "%s/%s%s", folder, name, ending);
    if (length < 0 || length >= TC_KEY_PATH_BYTES)
        return tc_fail(err, TC_EINVAL, "the path of the folder of keys is too long");
    return TC_OK;
}

// Writes a file that was not there before.
static int write_key(const char *path, const struct tc_key *key, mode_t mode, struct tc_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 && errno == EEXIST)
        return tc_fail(err, TC_EEXIST, "%s is there already: move it away, or choose another name",
                       path);
    if (fd < 0)
        return tc_fail(err, TC_EIO, "cannot make %s: %s", path, strerror(errno));
    bool whole = fchmod(fd, mode) == 0 && write(fd, key->text, TC_KEY_TEXT) == TC_KEY_TEXT &&
                 write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    int reason = errno;
    close(fd);
    if (whole)
        return TC_OK;
    unlink(path);
    return tc_fail(err, TC_EIO, "cannot write %s: %s", path, strerror(reason));
}

int tc_key_make(const char *folder, const char *name, struct tc_key *out, struct tc_err *err)
{
    char secret_path[TC_KEY_PATH_BYTES], public_path[TC_KEY_PATH_BYTES];
    struct tc_key secret, open;
    int code = path_of(folder, name, ".secret", secret_path, err);
    if (code == TC_OK)
        code = path_of(folder, name, ".public", public_path, err);
    if (code != TC_OK)
        return code;
    if (zmq_curve_keypair(open.text, secret.text) != 0)
        return tc_fail(err, TC_EPROTO, "this libzmq was built without CURVE");
    code = write_key(secret_path, &secret, SECRET_MODE, err);
    if (code == TC_OK) {
        code = write_key(public_path, &open, PUBLIC_MODE, err);
        if (code != TC_OK)
            unlink(secret_path);
    }
    explicit_bzero(&secret, sizeof secret);
    if (code == TC_OK)
        *out = open;
    return code;
}
