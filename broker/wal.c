#include "broker/wal.h"

#include "common/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    HEADER_BYTES = 32,
    FRAME_BYTES = 24,
    MAGIC = 0x377f0682, // and one more when the sums are of big-endian words
    PAGE_MOST = 65536,
    DATABASE_HEADER_BYTES = 100,
};

struct sums {
    uint32_t one, two;
    bool big;
};

struct log {
    FILE *file;
    uint8_t header[HEADER_BYTES];
    uint8_t frame[FRAME_BYTES + PAGE_MOST];
    size_t page_bytes;
    struct sums sums;
};

static uint32_t big(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t little(const uint8_t *bytes)
{
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static void sum(struct sums *sums, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i + 8 <= count; i += 8) {
        uint32_t first = sums->big ? big(bytes + i) : little(bytes + i);
        uint32_t second = sums->big ? big(bytes + i + 4) : little(bytes + i + 4);
        sums->one += first + sums->two;
        sums->two += second + sums->one;
    }
}

static bool sums_are(const struct sums *sums, const uint8_t *bytes)
{
    return sums->one == big(bytes) && sums->two == big(bytes + 4);
}

// False when the header is no header: then SQLite takes the whole log for empty.
static bool read_header(struct log *log)
{
    uint32_t magic = big(log->header);
    log->page_bytes = big(log->header + 8);
    log->sums = (struct sums){.big = magic & 1};
    sum(&log->sums, log->header, HEADER_BYTES - 8);
    return (magic & ~1U) == MAGIC && log->page_bytes >= 512 && log->page_bytes <= PAGE_MOST &&
           (log->page_bytes & (log->page_bytes - 1)) == 0 &&
           sums_are(&log->sums, log->header + HEADER_BYTES - 8);
}

static bool next_frame(struct log *log)
{
    size_t bytes = FRAME_BYTES + log->page_bytes;
    return fread(log->frame, 1, bytes, log->file) == bytes;
}

static bool is_of(const struct log *log, const uint8_t *salt)
{
    return memcmp(log->frame + 8, salt, 8) == 0;
}

static bool is_whole(struct log *log)
{
    sum(&log->sums, log->frame, 8);
    sum(&log->sums, log->frame + FRAME_BYTES, log->page_bytes);
    return is_of(log, log->header + 16) && big(log->frame) != 0 &&
           sums_are(&log->sums, log->frame + 16);
}

static bool is_commit(const struct log *log)
{
    return big(log->frame + 4) != 0;
}

// How many commits lie behind the first frame that is not whole; *whole counts the frames before it.
static uint64_t lost_commits(struct log *log, uint64_t *whole)
{
    uint8_t salt[8];
    bool good = read_header(log), first = true;
    uint64_t lost = 0;
    memcpy(salt, log->header + 16, sizeof salt);
    *whole = 0;
    if (!good) // the page size that every store of ours has
        log->page_bytes = 4096;
    while (next_frame(log)) {
        if (!good && first)
            memcpy(salt, log->frame + 8, sizeof salt);
        first = false;
        if (good && is_whole(log)) {
            ++*whole;
            continue;
        }
        good = false;
        lost += is_of(log, salt) && is_commit(log);
    }
    return lost;
}

static int check_log(FILE *file, uint64_t *whole, struct tc_err *err)
{
    struct log *log = tc_new(sizeof *log);
    int code = TC_OK;
    log->file = file;
    *whole = 0;
    if (fread(log->header, 1, HEADER_BYTES, file) == HEADER_BYTES) {
        uint64_t lost = lost_commits(log, whole);
        if (lost > 1)
            code =
                tc_fail(err, TC_ECORRUPT,
                        "its log is damaged behind frame %llu: %llu commits there cannot be read",
                        (unsigned long long)*whole, (unsigned long long)lost);
    }
    free(log);
    return code;
}

// Without a log the file is complete; SQLite notices what is cut off only when it gets there.
static int check_length(const char *path, struct tc_err *err)
{
    uint8_t header[DATABASE_HEADER_BYTES];
    struct stat status;
    FILE *file = fopen(path, "re");
    int code = TC_OK;
    if (file && fstat(fileno(file), &status) == 0 &&
        fread(header, 1, sizeof header, file) == sizeof header &&
        memcmp(header, "SQLite format 3", 16) == 0) {
        uint64_t page_bytes = (uint64_t)header[16] << 8 | header[17];
        uint64_t bytes = (page_bytes == 1 ? PAGE_MOST : page_bytes) * big(header + 28);
        if ((uint64_t)status.st_size < bytes)
            code = tc_fail(err, TC_ECORRUPT, "it is cut off: it has %llu of its %llu bytes",
                           (unsigned long long)status.st_size, (unsigned long long)bytes);
    }
    if (file)
        fclose(file);
    return code;
}

int wal_check(const char *path, struct tc_err *err)
{
    uint64_t whole = 0;
    size_t room = strlen(path) + sizeof "-wal";
    char *name = tc_new(room);
    snprintf(name, room, "%s-wal", path);
    FILE *file = fopen(name, "re");
    int code = TC_OK;
    if (file)
        code = check_log(file, &whole, err);
    else if (errno != ENOENT)
        code = tc_fail(err, TC_EIO, "cannot open %s: %s", name, strerror(errno));
    if (code == TC_OK && whole == 0)
        code = check_length(path, err);
    if (file)
        fclose(file);
    free(name);
    return code;
}
