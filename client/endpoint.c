#include "client/endpoint.h"
#include "common/buf.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// The variable's value, NULL when it is unset or empty.
static const char *set(const char *variable)
{
    const char *value = getenv(variable);
    return value && value[0] ? value : NULL;
}

// The same for folders, which must be absolute paths.
static const char *folder_set(const char *variable)
{
    const char *value = set(variable);
    return value && value[0] == '/' ? value : NULL;
}

// Anybody may make a folder in the temporary one; only our own is trusted with our articles.
static int check_private(const char *path, struct tc_err *err)
{
    struct stat found;
    if (lstat(path, &found) != 0)
        return TC_OK; // nobody listens there yet
    if (!S_ISDIR(found.st_mode) || found.st_uid != getuid() || (found.st_mode & 077) != 0)
        return tc_fail(err, TC_EINVAL, "%s is not a folder of ours alone (0700)", path);
    return TC_OK;
}

static int runtime_dir(struct tc_buf *out, struct tc_err *err)
{
    const char *dir = set("TOCSIN_RUNTIME_DIR");
    const char *session = folder_set("XDG_RUNTIME_DIR");
    const char *temporary = folder_set("TMPDIR");
    size_t from = out->len;
    if (dir) {
        tc_buf_puts(out, dir);
    } else if (session) {
        tc_buf_addf(out, "%s/tocsin", session);
    } else if (getuid() == 0) {
        tc_buf_puts(out, "/run/tocsin");
    } else {
        tc_buf_addf(out, "%s/tocsin-%u", temporary ? temporary : "/tmp", (unsigned)getuid());
        return out->failed ? TC_OK : check_private(out->ptr + from, err);
    }
    return TC_OK;
}

int endpoint_of(const char *given, const char *variable, const char *name, char **out,
                struct tc_err *err)
{
    int code = TC_OK;
    struct tc_buf text = {0};
    const char *wanted = given ? given : set(variable);
    if (wanted) {
        tc_buf_puts(&text, wanted);
    } else {
        tc_buf_puts(&text, "ipc://");
        code = runtime_dir(&text, err);
        tc_buf_addf(&text, "/%s", name);
    }
    if (code == TC_OK && text.failed)
        code = tc_fail(err, TC_ENOMEM, "no memory for an endpoint");
    if (code == TC_OK && text.len == 0)
        code = tc_fail(err, TC_EINVAL, "the endpoint of %s is empty", name);
    if (code == TC_OK)
        *out = text.ptr; // a tc_buf's bytes come from malloc: free() ends them
    else
        tc_buf_done(&text);
    return code;
}
