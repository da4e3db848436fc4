#include "client/endpoint.h"
#include "common/buf.h"

#include <stdlib.h>
#include <unistd.h>

// The variable's value, NULL when it is unset or empty.
static const char *set(const char *variable)
{
    const char *value = getenv(variable);
    return value && value[0] ? value : NULL;
}

static void runtime_dir(struct tc_buf *out)
{
    const char *dir = set("TOCSIN_RUNTIME_DIR");
    const char *session = set("XDG_RUNTIME_DIR");
    const char *temporary = set("TMPDIR");
    if (dir)
        tc_buf_puts(out, dir);
    else if (session)
        tc_buf_addf(out, "%s/tocsin", session);
    else if (geteuid() == 0)
        tc_buf_puts(out, "/run/tocsin");
    else
        tc_buf_addf(out, "%s/tocsin-%u", temporary ? temporary : "/tmp", (unsigned)geteuid());
}

int endpoint_of(const char *given, const char *variable, const char *name, char **out,
                struct tc_err *err)
{
    struct tc_buf text = {0};
    const char *wanted = given ? given : set(variable);
    if (wanted) {
        tc_buf_puts(&text, wanted);
    } else {
        tc_buf_puts(&text, "ipc://");
        runtime_dir(&text);
        tc_buf_addf(&text, "/%s", name);
    }
    if (text.failed || text.len == 0) {
        bool memory = text.failed;
        tc_buf_done(&text);
        return memory ? tc_fail(err, TC_ENOMEM, "no memory for an endpoint")
                      : tc_fail(err, TC_EINVAL, "the endpoint of %s is empty", name);
    }
    *out = text.ptr; // ours since tc_buf allocates with malloc
    return TC_OK;
}
