#include "client/cli/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int small_file_read(const char *path, size_t most, struct tc_buf *out, struct tc_err *err)
{
    char bytes[4096];
    size_t count = 0, all = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return tc_fail(err, TC_EIO, "cannot open %s: %s", path, strerror(errno));
    while (all <= most && (count = fread(bytes, 1, sizeof bytes, file)) > 0) {
        tc_buf_add(out, bytes, count);
        all += count;
    }
    int reason = ferror(file) ? errno : 0;
    fclose(file);
    if (reason)
        return tc_fail(err, TC_EIO, "cannot read %s: %s", path, strerror(reason));
    if (all > most)
        return tc_fail(err, TC_EIO, "%s is larger than %zu bytes", path, most);
    return out->failed ? tc_fail(err, TC_ENOMEM, "no memory for %s", path) : TC_OK;
}

// The descriptor may be for writing only (`>>file`): the end is read through another one.
int small_file_end_line(int fd)
{
    struct stat status;
    char path[32], last = '\n';
    if (fstat(fd, &status) != 0)
        return -1;
    if (!S_ISREG(status.st_mode) || status.st_size == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int reader = open(path, O_RDONLY | O_CLOEXEC);
    bool known = reader >= 0 && pread(reader, &last, 1, status.st_size - 1) == 1;
    if (reader >= 0)
        close(reader);
    return known && (last == '\n' || write(fd, "\n", 1) == 1) ? 0 : -1;
}
