// Any bytes as a file of a key: refused with a sentence, or a key that libzmq takes.

#include "common/keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

static char folder[] = "/tmp/tocsin-fuzz-XXXXXX", path[64];

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void clean_up(void)
{
    unlink(path);
    rmdir(folder);
}

static void make_folder(void)
{
    if (path[0])
        return;
    need(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/a.secret", folder);
    atexit(clean_up);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tc_key key = {0};
    struct tc_err err = {0};
    uint8_t bytes[TC_KEY_TEXT];
    make_folder();
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    need(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    if (tc_key_read(folder, "a.secret", true, &key, &err) == TC_OK)
        need(tc_key_ok(tc_str_of(key.text)) && zmq_z85_decode(bytes, key.text) != NULL);
    else
        need(err.text[0] != '\0' && key.text[0] == '\0');
    return 0;
}
