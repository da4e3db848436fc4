// scratch - a temporary folder for one test, and files in it.
#ifndef SCRATCH_H
#define SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRATCH_PATH = 512 };

struct scratch {
    char root[64];
    char path[SCRATCH_PATH]; // of the last scratch_path()
};

static inline void scratch_make(struct scratch *scratch)
{
    snprintf(scratch->root, sizeof scratch->root, "/tmp/tocsin-test-XXXXXX");
    if (!mkdtemp(scratch->root))
        abort();
}

// The path of `name` inside; good until the next call.
static inline const char *scratch_path(struct scratch *scratch, const char *name)
{
    snprintf(scratch->path, sizeof scratch->path, "%s/%s", scratch->root, name);
    return scratch->path;
}

static inline const char *scratch_write(struct scratch *scratch, const char *name,
                                        const void *bytes, size_t len)
{
    const char *path = scratch_path(scratch, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        abort();
    close(fd);
    return path;
}

static inline const char *scratch_text(struct scratch *scratch, const char *name, const char *text)
{
    return scratch_write(scratch, name, text, strlen(text));
}

static inline int scratch_has(struct scratch *scratch, const char *name)
{
    struct stat info;
    return lstat(scratch_path(scratch, name), &info) == 0;
}

// The whole of a small file, zero-ended; views a buffer of its own.
static inline const char *scratch_read(struct scratch *scratch, const char *name)
{
    static char text[8192];
    int fd = open(scratch_path(scratch, name), O_RDONLY);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static inline int scratch_remove_one(const char *path, const struct stat *info, int kind,
                                     struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static inline void scratch_remove(struct scratch *scratch)
{
    nftw(scratch->root, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
