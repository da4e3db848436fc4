#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "watcher/rules/parts.h"

int rules_read_bytes(const char *path, size_t most, struct tc_buf *out, struct tc_err *err)
{
    enum { AT_ONCE = 64 * 1024 };
    struct stat info;
    int code = TC_OK;
    FILE *file = fopen(path, "rb");
    if (!file)
        return tc_fail(err, errno == ENOENT ? TC_ENOENT : TC_EIO, "cannot open %s: %s", path,
                       strerror(errno));
    if (fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode) && (size_t)info.st_size < most)
        tc_buf_reserve(out,
                       (size_t)info.st_size + AT_ONCE + 1); // so that a large one moves nowhere
    for (;;) {
        char *room = tc_buf_reserve(out, AT_ONCE);
        size_t got = room ? fread(room, 1, AT_ONCE, file) : 0;
        out->len += got;
        if (got == 0)
            break;
        if (out->len > most) {
            code = tc_fail(err, TC_EFULL, "%s has more than %zu bytes", path, most);
            break;
        }
    }
    if (code == TC_OK && (ferror(file) || out->failed))
        code = tc_fail(err, TC_EIO, "cannot read %s: %s", path, strerror(errno));
    fclose(file);
    return code;
}
