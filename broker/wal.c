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

// Where a page lies in the log, of frames that belong together.
struct version {
    uint32_t page, frame;
};

struct log {
    FILE *file;
    struct version *versions;
    size_t count, capacity;
    size_t committed; // of these
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

static void sum_frame(struct sums *sums, const struct log *log)
{
    sum(sums, log->frame, 8);
    sum(sums, log->frame + FRAME_BYTES, log->page_bytes);
}

static bool is_whole(struct log *log)
{
    sum_frame(&log->sums, log);
    return is_of(log, log->header + 16) && big(log->frame) != 0 &&
           sums_are(&log->sums, log->frame + 16);
}

static bool is_commit(const struct log *log)
{
    return big(log->frame + 4) != 0;
}

static void note_version(struct log *log, uint32_t frame)
{
    log->versions = tc_room(log->versions, log->count, &log->capacity, sizeof *log->versions);
    log->versions[log->count++] = (struct version){big(log->frame), frame};
    if (is_commit(log))
        log->committed = log->count;
}

// Frames behind the first that is not whole, as far as each follows the one before it: written one after
// the other, therefore.
struct row {
    struct sums said, held; // of the last frame: what it says, and what follows from its bytes
    uint64_t commits, most; // in this row, and in the one that has most
};

// A damaged frame is followed either by its sums, when they are right, or by its bytes, when those are.
static void go_on(struct row *row, const struct log *log, const uint8_t *salt)
{
    struct sums by_said = row->said, by_held = row->held;
    sum_frame(&by_said, log);
    sum_frame(&by_held, log);
    bool follows = sums_are(&by_said, log->frame + 16) || sums_are(&by_held, log->frame + 16);
    row->said.one = big(log->frame + 16);
    row->said.two = big(log->frame + 20);
    row->held = follows ? row->said : by_held;
    row->held.big = row->said.big;
    row->commits = (follows ? row->commits : 0) + (is_of(log, salt) && is_commit(log));
    if (row->commits > row->most)
        row->most = row->commits;
}

// How many commits lie behind the first frame that is not whole; *whole counts the frames before it.
static uint64_t lost_commits(struct log *log, uint64_t *whole)
{
    uint8_t salt[8];
    struct row row = {.commits = 0};
    bool good = read_header(log);
    uint32_t frame = 0;
    memcpy(salt, log->header + 16, sizeof salt);
    *whole = 0;
    if (!good) // the page size that every store of ours has
        log->page_bytes = 4096;
    row.said = row.held = log->sums;
    for (; next_frame(log); frame++) {
        if (!good && frame == 0)
            memcpy(salt, log->frame + 8, sizeof salt);
        if (is_of(log, salt))
            note_version(log, frame);
        if (good && is_whole(log)) {
            ++*whole;
            row.said = row.held = log->sums;
            continue;
        }
        good = false;
        go_on(&row, log, salt);
    }
    return row.most;
}

static int compare(const void *a, const void *b)
{
    const struct version *one = a, *two = b;
    if (one->page != two->page)
        return one->page < two->page ? -1 : 1;
    return one->frame < two->frame ? -1 : one->frame > two->frame;
}

static bool page_is_there(struct log *log, FILE *database, const struct version *version,
                          uint8_t *page)
{
    size_t bytes = log->page_bytes;
    off_t in_log = HEADER_BYTES + (off_t)version->frame * (off_t)(FRAME_BYTES + bytes);
    off_t in_database = (off_t)(version->page - 1) * (off_t)bytes;
    return fseeko(log->file, in_log + FRAME_BYTES, SEEK_SET) == 0 &&
           fread(log->frame, 1, bytes, log->file) == bytes &&
           fseeko(database, in_database, SEEK_SET) == 0 &&
           fread(page, 1, bytes, database) == bytes && memcmp(page, log->frame, bytes) == 0;
}

// Whether the database has everything that the log was to bring it. Then the log is one that was used up,
// and whose header was being written anew for the next one when the broker was cut off.
static bool used_up(struct log *log, const char *path)
{
    FILE *database = fopen(path, "re");
    uint8_t *page = tc_new(PAGE_MOST);
    bool there = database != NULL;
    log->count = log->committed;
    qsort(log->versions, log->count, sizeof *log->versions, compare);
    for (size_t i = 0; i < log->count && there; i++) {
        const struct version *version = &log->versions[i];
        bool last = i + 1 == log->count || version[1].page != version->page;
        there = !last || (version->page && page_is_there(log, database, version, page));
    }
    if (database)
        fclose(database);
    free(page);
    return there;
}

static int check_log(FILE *file, const char *path, uint64_t *whole, struct tc_err *err)
{
    struct log *log = tc_new(sizeof *log);
    int code = TC_OK;
    log->file = file;
    *whole = 0;
    if (fread(log->header, 1, HEADER_BYTES, file) == HEADER_BYTES) {
        uint64_t lost = lost_commits(log, whole);
        if (lost > 1 && !used_up(log, path))
            code =
                tc_fail(err, TC_ECORRUPT,
                        "its log is damaged behind frame %llu: %llu commits there cannot be read",
                        (unsigned long long)*whole, (unsigned long long)lost);
    }
    free(log->versions);
    free(log);
    return code;
}

// A store that was cut off while it was made has a rollback journal, by which SQLite makes it empty again.
static bool has_journal(const char *path)
{
    struct stat status;
    size_t room = strlen(path) + sizeof "-journal";
    char *name = tc_new(room);
    snprintf(name, room, "%s-journal", path);
    bool has = stat(name, &status) == 0 && status.st_size > 0;
    free(name);
    return has;
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
        code = check_log(file, path, &whole, err);
    else if (errno != ENOENT)
        code = tc_fail(err, TC_EIO, "cannot open %s: %s", name, strerror(errno));
    if (code == TC_OK && whole == 0 && !has_journal(path))
        code = check_length(path, err);
    if (file)
        fclose(file);
    free(name);
    return code;
}
