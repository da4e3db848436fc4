#include "broker/backup.h"

#include "broker/store_parts.h"
#include "broker/verify.h"
#include "common/clock.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

// Nothing of it matters before it has its name, so SQLite need not be careful with the file.
static const char copy_sql[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;";
// One file, which can be read where nothing can be written.
static const char mark_sql[] = "PRAGMA journal_mode = DELETE;"
                               "INSERT OR REPLACE INTO meta(key, value) VALUES('copy', 1)";

struct backup {
    struct store *store; // borrowed
    struct backup_status status;
    char part[BACKUP_PATH_BYTES + 8];
    sqlite3 *copy;
    sqlite3_backup *pages;
    pthread_t thread;
    bool thread_runs;
    atomic_bool sealed, stop;
    struct tc_err seal_err; // the thread's, until it is sealed
    int seal_code;
    uint64_t seal_bytes;
};

struct backup *backup_new(struct store *store)
{
    struct backup *backup = tc_new(sizeof *backup);
    backup->store = store;
    return backup;
}

const struct backup_status *backup_status(const struct backup *backup)
{
    return &backup->status;
}

bool backup_copying(const struct backup *backup)
{
    return backup->status.state == BACKUP_COPYING;
}

// --- beginning ---

static int check_file(const struct backup *backup, tc_str file, struct tc_err *err)
{
    if (file.len < 2 || file.ptr[0] != '/' || memchr(file.ptr, 0, file.len))
        return tc_fail(err, TC_EINVAL, "\"%.*s\" is no absolute path of a file", TC_ARG(file));
    if (file.len >= BACKUP_PATH_BYTES)
        return tc_fail(err, TC_EINVAL, "the path has more than %d bytes", BACKUP_PATH_BYTES - 1);
    if (backup->status.state == BACKUP_COPYING || backup->status.state == BACKUP_CHECKING)
        return tc_fail(err, TC_EBUSY, "a backup to %s is being made", backup->status.file);
    return TC_OK;
}

static int check_room(const struct backup *backup, const char *file, struct tc_err *err)
{
    struct statvfs room;
    char folder[BACKUP_PATH_BYTES];
    uint64_t need = store_bytes(backup->store);
    snprintf(folder, sizeof folder, "%s", file);
    char *slash = strrchr(folder, '/');
    slash[slash == folder] = 0;
    if (statvfs(folder, &room) != 0)
        return tc_fail(err, TC_EIO, "the folder %s: %s", folder, strerror(errno));
    uint64_t there = (uint64_t)room.f_bavail * room.f_frsize;
    if (there < need)
        return tc_fail(err, TC_EFULL, "%s has room for %llu MiB, the history has %llu MiB", folder,
                       (unsigned long long)(there >> 20), (unsigned long long)(need >> 20));
    return TC_OK;
}

static int open_copy(struct backup *backup, struct tc_err *err)
{
    int file = open(backup->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (file < 0 && errno == EEXIST)
        return tc_fail(err, TC_EEXIST,
                       "%s is there already: a backup that was cut off has left it, remove it",
                       backup->part);
    if (file < 0)
        return tc_fail(err, TC_EIO, "cannot make %s: %s", backup->part, strerror(errno));
    close(file);
    if (sqlite3_open_v2(backup->part, &backup->copy,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(backup->copy, copy_sql, NULL, NULL, NULL) != SQLITE_OK)
        return tc_fail(err, TC_EIO, "cannot open %s: %s", backup->part,
                       sqlite3_errmsg(backup->copy));
    backup->pages = sqlite3_backup_init(backup->copy, "main", backup->store->db, "main");
    return backup->pages ? TC_OK
                         : tc_fail(err, TC_EIO, "cannot copy to %s: %s", backup->part,
                                   sqlite3_errmsg(backup->copy));
}

static void close_copy(struct backup *backup)
{
    sqlite3_backup_finish(backup->pages);
    sqlite3_close(backup->copy);
    backup->pages = NULL;
    backup->copy = NULL;
}

static void give_up(struct backup *backup)
{
    close_copy(backup);
    unlink(backup->part);
    backup->status.state = BACKUP_FAILED;
}

int backup_begin(struct backup *backup, tc_str file, struct tc_err *err)
{
    struct backup_status *status = &backup->status;
    struct stat there;
    if (tc_str_eq(file, tc_str_of(status->file)) &&
        (status->state == BACKUP_COPYING || status->state == BACKUP_CHECKING))
        return TC_OK;
    int code = check_file(backup, file, err);
    if (code != TC_OK)
        return code;
    struct backup_status fresh = {.state = BACKUP_COPYING,
                                  .pages = store_bytes(backup->store) / 4096};
    snprintf(fresh.file, sizeof fresh.file, "%.*s", TC_ARG(file));
    snprintf(backup->part, sizeof backup->part, "%.*s.part", TC_ARG(file));
    if (lstat(fresh.file, &there) == 0)
        return tc_fail(err, TC_EEXIST, "%s is there already and is not overwritten", fresh.file);
    code = check_room(backup, fresh.file, err);
    if (code != TC_OK)
        return code;
    *status = fresh;
    code = open_copy(backup, err);
    if (code != TC_OK) {
        close_copy(backup);
        if (code != TC_EEXIST)
            unlink(backup->part);
        status->state = BACKUP_NONE;
    }
    return code;
}

// --- the thread ---

static bool asked_to_stop(void *context)
{
    struct backup *backup = context;
    return atomic_load(&backup->stop);
}

static void keep_fault(void *context, const char *sentence)
{
    struct backup *backup = context;
    if (!backup->seal_err.code)
        tc_fail(&backup->seal_err, TC_ECORRUPT, "the copy is not whole: %s", sentence);
}

static int mark(const char *path, struct tc_err *err)
{
    sqlite3 *copy = NULL;
    int code = TC_OK;
    if (sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(copy, mark_sql, NULL, NULL, NULL) != SQLITE_OK)
        code = tc_fail(err, TC_EIO, "cannot mark %s: %s", path, sqlite3_errmsg(copy));
    sqlite3_close(copy);
    return code;
}

// To disk, a file or a folder.
static int sync_path(const char *path, uint64_t *bytes, struct tc_err *err)
{
    int code = TC_OK, fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fsync(fd) != 0 || fstat(fd, &status) != 0)
        code = tc_fail(err, TC_EIO, "cannot bring %s to disk: %s", path, strerror(errno));
    else if (bytes)
        *bytes = (uint64_t)status.st_size;
    if (fd >= 0)
        close(fd);
    return code;
}

// The name appears at once and never in the place of another file.
static int give_name(const struct backup *backup, struct tc_err *err)
{
    char folder[BACKUP_PATH_BYTES];
    if (link(backup->part, backup->status.file) != 0)
        return tc_fail(err, errno == EEXIST ? TC_EEXIST : TC_EIO, "cannot name it %s: %s",
                       backup->status.file, strerror(errno));
    unlink(backup->part);
    snprintf(folder, sizeof folder, "%s", backup->status.file);
    char *slash = strrchr(folder, '/');
    slash[slash == folder] = 0;
    return sync_path(folder, NULL, err);
}

static void *seal(void *context)
{
    struct backup *backup = context;
    struct verify_to to = {backup, keep_fault, asked_to_stop};
    struct verify_report report;
    struct tc_err *err = &backup->seal_err;
    int code = mark(backup->part, err);
    if (code == TC_OK)
        code = sync_path(backup->part, &backup->seal_bytes, err);
    if (code == TC_OK)
        code = verify_store(backup->part, true, &to, &report, err);
    if (code == TC_OK && report.faults)
        code = TC_ECORRUPT;
    if (code == TC_OK)
        code = give_name(backup, err);
    if (code != TC_OK)
        unlink(backup->part);
    backup->seal_code = code;
    atomic_store(&backup->sealed, true);
    return NULL;
}

static void start_sealing(struct backup *backup)
{
    close_copy(backup);
    backup->seal_err = (struct tc_err){0};
    atomic_store(&backup->sealed, false);
    int reason = pthread_create(&backup->thread, NULL, seal, backup);
    if (reason) {
        tc_fail(&backup->status.err, TC_EFULL, "cannot start a thread: %s", strerror(reason));
        give_up(backup);
        return;
    }
    pthread_setname_np(backup->thread, "backup");
    backup->thread_runs = true;
    backup->status.state = BACKUP_CHECKING;
}

static void end_sealing(struct backup *backup)
{
    struct backup_status *status = &backup->status;
    pthread_join(backup->thread, NULL);
    backup->thread_runs = false;
    status->state = backup->seal_code == TC_OK ? BACKUP_DONE : BACKUP_FAILED;
    status->bytes = backup->seal_bytes;
    status->err = backup->seal_err;
}

// --- turns ---

static void copy_slice(struct backup *backup)
{
    struct backup_status *status = &backup->status;
    int64_t end_mono_ns = tc_mono_ns() + BACKUP_SLICE_MS * TC_MS;
    int step = SQLITE_OK;
    while (step == SQLITE_OK && tc_mono_ns() < end_mono_ns)
        step = sqlite3_backup_step(backup->pages, BACKUP_CHUNK);
    status->pages = (uint64_t)sqlite3_backup_pagecount(backup->pages);
    status->pages_done = status->pages - (uint64_t)sqlite3_backup_remaining(backup->pages);
    if (step == SQLITE_DONE) {
        start_sealing(backup);
    } else if (step != SQLITE_OK && step != SQLITE_BUSY) {
        tc_fail(&status->err, (step & 0xff) == SQLITE_FULL ? TC_EFULL : TC_EIO, "copying to %s: %s",
                backup->part, sqlite3_errstr(step));
        give_up(backup);
    }
}

void backup_turn(struct backup *backup)
{
    if (backup->status.state == BACKUP_COPYING)
        copy_slice(backup);
    else if (backup->thread_runs && atomic_load(&backup->sealed))
        end_sealing(backup);
}

void backup_free(struct backup *backup)
{
    if (!backup)
        return;
    atomic_store(&backup->stop, true);
    if (backup->thread_runs)
        end_sealing(backup);
    if (backup->status.state == BACKUP_COPYING)
        give_up(backup);
    free(backup);
}
