#include "client/cli/deadletter.h"

#include "client/cli/small_file.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/json.h"
#include "common/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// A name in a folder is on disk when the folder is.
static int sync_folder(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) != 0;
    if (fd >= 0)
        close(fd);
    return failed ? -1 : 0;
}

int deadletter_open(const char *path, int *out, struct tc_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return tc_fail(err, TC_EIO, "cannot open %s: %s", path, strerror(errno));
    if (small_file_end_line(fd) != 0 || sync_folder(path) != 0) {
        tc_fail(err, TC_EIO, "cannot write to %s: %s", path, strerror(errno));
        close(fd);
        return TC_EIO;
    }
    *out = fd;
    return TC_OK;
}

int deadletter_add(int fd, const char *consumer, uint64_t attempts, const char *reason,
                   const struct tocsin_event *alert, struct tc_err *err)
{
    struct tc_buf line = {0};
    struct tc_json json = tc_json_on(&line);
    char now[TC_TIME_BYTES];
    tc_str why = tc_str_of(reason);
    int code = TC_OK;
    tc_time_text(tc_wall_ns(), now);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "time", tc_str_of(now));
    tc_json_put_str(&json, "consumer", tc_str_of(consumer));
    tc_json_put_u64(&json, "attempts", attempts);
    tc_json_put_str(&json, "reason", tc_str_cut(why, 0, tc_utf8_valid(why)));
    tc_json_key(&json, "event");
    tc_json_raw(&json, (tc_str){alert->json, alert->json_bytes});
    tc_json_close(&json, '}');
    tc_buf_byte(&line, '\n');
    if (line.failed)
        code = tc_fail(err, TC_ENOMEM, "no memory for a dead letter");
    else if (write(fd, line.ptr, line.len) != (ssize_t)line.len || fsync(fd) != 0)
        code = tc_fail(err, TC_EIO, "the dead letter cannot be written: %s", strerror(errno));
    tc_buf_done(&line);
    tc_fault("deadletter.written");
    return code;
}
