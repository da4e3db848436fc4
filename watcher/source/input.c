#include "watcher/source/input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "common/mem.h"

enum packing { UNDECIDED, PLAIN, GZIP };

struct input {
    int fd, stop_fd; // stop_fd: -1 when nobody stops us
    enum packing packing;
    bool end;    // the descriptor gave its last byte
    bool inside; // a gzip member has begun and not ended
    z_stream zip;
    char raw[INPUT_BUFFER_BYTES];
    size_t raw_len, raw_used;
    char text[INPUT_BUFFER_BYTES];
};

struct input *input_new(int fd)
{
    struct input *input = tc_new(sizeof *input);
    input->fd = fd;
    input->stop_fd = -1;
    return input;
}

void input_stop_on(struct input *input, int stop_fd)
{
    input->stop_fd = stop_fd;
}

void input_close(struct input *input)
{
    if (!input)
        return;
    if (input->packing == GZIP)
        inflateEnd(&input->zip);
    close(input->fd);
    free(input);
}

static int wait_readable(const struct input *input, struct tc_err *err)
{
    struct pollfd fds[] = {{.fd = input->fd, .events = POLLIN},
                           {.fd = input->stop_fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0) {
        if (errno != EINTR)
            return tc_fail(err, TC_EIO, "cannot wait for input: %s", strerror(errno));
    }
    return fds[1].revents ? tc_fail(err, TC_ESTOP, "asked to stop") : TC_OK;
}

// Fills `raw` behind what is there; sets `end` when there is no more.
static int fill(struct input *input, struct tc_err *err)
{
    int code = input->stop_fd >= 0 ? wait_readable(input, err) : TC_OK;
    if (code != TC_OK)
        return code;
    ssize_t got = -1;
    do
        got = read(input->fd, input->raw + input->raw_len, INPUT_BUFFER_BYTES - input->raw_len);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return tc_fail(err, TC_EIO, "cannot be read: %s", strerror(errno));
    input->end = got == 0;
    input->raw_len += (size_t)got;
    return TC_OK;
}

// The first two bytes tell gzip (RFC 1952) from everything else that we read.
static int decide(struct input *input, struct tc_err *err)
{
    int code = TC_OK;
    while (code == TC_OK && input->raw_len < 2 && !input->end)
        code = fill(input, err);
    if (code != TC_OK)
        return code;
    if (input->raw_len < 2 || memcmp(input->raw, "\x1f\x8b", 2) != 0) {
        input->packing = PLAIN;
        return TC_OK;
    }
    if (inflateInit2(&input->zip, 16 + MAX_WBITS) != Z_OK)
        return tc_fail(err, TC_EIO, "zlib does not start");
    input->packing = GZIP;
    return TC_OK;
}

static int plain_more(struct input *input, tc_str *out, struct tc_err *err)
{
    if (input->raw_used == input->raw_len && !input->end) {
        input->raw_used = input->raw_len = 0;
        int code = fill(input, err);
        if (code != TC_OK)
            return code;
    }
    *out = (tc_str){input->raw + input->raw_used, input->raw_len - input->raw_used};
    input->raw_used = input->raw_len;
    return TC_OK;
}

// Unpacks what lies in `raw`; *got bytes come out. A new member may begin behind the last; zero
// bytes behind it are padding, as gzip itself has it.
static int unpack(struct input *input, size_t *got, struct tc_err *err)
{
    if (!input->inside && input->raw[input->raw_used] == '\0') {
        input->raw_used++;
        return TC_OK;
    }
    input->inside = true;
    input->zip.next_in = (Bytef *)input->raw + input->raw_used;
    input->zip.avail_in = (uInt)(input->raw_len - input->raw_used);
    input->zip.next_out = (Bytef *)input->text;
    input->zip.avail_out = INPUT_BUFFER_BYTES;
    int result = inflate(&input->zip, Z_NO_FLUSH);
    input->raw_used = input->raw_len - input->zip.avail_in;
    *got = INPUT_BUFFER_BYTES - input->zip.avail_out;
    if (result == Z_STREAM_END) {
        input->inside = false;
        inflateReset(&input->zip);
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return tc_fail(err, TC_EIO, "damaged gzip data: %s",
                       input->zip.msg ? input->zip.msg : "cannot be unpacked");
    }
    return TC_OK;
}

static int gzip_more(struct input *input, tc_str *out, struct tc_err *err)
{
    size_t got = 0;
    while (got == 0) {
        int code = TC_OK;
        if (input->raw_used == input->raw_len) {
            input->raw_used = input->raw_len = 0;
            code = input->end ? TC_OK : fill(input, err);
            if (code == TC_OK && input->end)
                break;
        }
        if (code == TC_OK)
            code = unpack(input, &got, err);
        if (code != TC_OK)
            return code;
    }
    if (got == 0 && input->inside)
        return tc_fail(err, TC_EIO, "the gzip data ends too early");
    *out = (tc_str){input->text, got};
    return TC_OK;
}

int input_more(struct input *input, tc_str *out, struct tc_err *err)
{
    int code = input->packing == UNDECIDED ? decide(input, err) : TC_OK;
    if (code != TC_OK)
        return code;
    return input->packing == GZIP ? gzip_more(input, out, err) : plain_more(input, out, err);
}
