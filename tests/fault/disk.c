#include "tests/fault/disk.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"

enum { RECORDS_MOST = 8, PRAGMAS_MOST = 4, SECTOR_BYTES = 512, NAME_BYTES = 512 };

// A write, or a truncate (no bytes), that no sync has covered.
struct op {
    uint64_t order; // over all files
    size_t at, len;
    char *bytes;
};

struct record {
    char name[64]; // in the folder; "" when the file was deleted
    struct tc_buf durable;
    struct op *ops;
    size_t count, capacity;
};

struct pragma {
    const char *name, *value;
};

struct disk {
    sqlite3_vfs vfs, *real;
    char folder[NAME_BYTES];
    struct record records[RECORDS_MOST];
    uint64_t order;
    struct pragma pragmas[PRAGMAS_MOST];
    size_t pragma_count;
    void (*told)(void *context);
    void *context;
    enum disk_op failing;
    unsigned passes; // operations until it fails; 0: none will
    int result;
    bool lasting, failed;
};

struct file {
    sqlite3_file base;
    struct disk *disk;
    struct record *record; // NULL: not watched
    sqlite3_file *real;    // behind this struct
};

// ---- what the disk holds ------------------------------------------------------------------

static void set_size(struct tc_buf *bytes, size_t size)
{
    if (size > bytes->len) {
        size_t more = size - bytes->len;
        memset(tc_buf_reserve(bytes, more), 0, more);
    }
    bytes->len = size;
}

static void apply(struct tc_buf *bytes, const struct op *op, size_t from, size_t to)
{
    if (bytes->len < op->at + to)
        set_size(bytes, op->at + to);
    memcpy(bytes->ptr + op->at + from, op->bytes + from, to - from);
}

static void apply_whole(struct tc_buf *bytes, const struct op *op)
{
    if (op->bytes)
        apply(bytes, op, 0, op->len);
    else
        set_size(bytes, op->at);
}

// Each sector of the write arrives or not.
static void apply_sectors(struct tc_buf *bytes, const struct op *op, struct chance *chance)
{
    for (size_t from = 0; from < op->len;) {
        size_t to = from + SECTOR_BYTES - (op->at + from) % SECTOR_BYTES;
        if (to > op->len)
            to = op->len;
        if (chance_one_in(chance, 2))
            apply(bytes, op, from, to);
        from = to;
    }
    if (!op->bytes && chance_one_in(chance, 2))
        set_size(bytes, op->at);
}

static void forget(struct record *record)
{
    for (size_t i = 0; i < record->count; i++)
        free(record->ops[i].bytes);
    record->count = 0;
}

static void sync_all(struct record *record)
{
    for (size_t i = 0; i < record->count; i++)
        apply_whole(&record->durable, &record->ops[i]);
    forget(record);
}

static void add_op(struct file *file, size_t at, const void *bytes, size_t len)
{
    struct record *record = file->record;
    if (!record)
        return;
    record->ops = tc_room(record->ops, record->count, &record->capacity, sizeof *record->ops);
    record->ops[record->count++] =
        (struct op){file->disk->order++, at, len, bytes ? tc_dup(bytes, len) : NULL};
}

static void write_file(const char *folder, const char *name, tc_str bytes)
{
    char path[2 * NAME_BYTES];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes.ptr, bytes.len) != (ssize_t)bytes.len)
        abort();
    close(fd);
}

void disk_image(const struct disk *disk, enum disk_cut cut, struct chance *chance,
                const char *folder)
{
    uint64_t first = disk->order, arrived = 0;
    for (size_t i = 0; i < RECORDS_MOST; i++) {
        if (disk->records[i].count && disk->records[i].ops[0].order < first)
            first = disk->records[i].ops[0].order;
    }
    arrived = first + (uint64_t)chance_below(chance, (int)(disk->order - first) + 1);
    for (size_t i = 0; i < RECORDS_MOST; i++) {
        const struct record *record = &disk->records[i];
        struct tc_buf bytes = {0};
        if (!record->name[0])
            continue;
        tc_buf_str(&bytes, tc_buf_view(&record->durable));
        for (size_t j = 0; j < record->count; j++) {
            const struct op *op = &record->ops[j];
            if (cut == DISK_EVERYTHING || (cut == DISK_PREFIX && op->order < arrived))
                apply_whole(&bytes, op);
            else if (cut == DISK_SECTORS)
                apply_sectors(&bytes, op, chance);
        }
        write_file(folder, record->name, tc_buf_view(&bytes));
        tc_buf_done(&bytes);
    }
}

// ---- failing ------------------------------------------------------------------------------

void disk_fail(struct disk *disk, enum disk_op op, unsigned nth, int result, bool lasting)
{
    disk->failing = op;
    disk->passes = nth;
    disk->result = result;
    disk->lasting = lasting;
    disk->failed = false;
}

bool disk_failed(const struct disk *disk)
{
    return disk->failed;
}

// SQLITE_OK, or what the operation has to end with.
static int verdict(struct disk *disk, enum disk_op op)
{
    if (disk->failed && disk->lasting && op == disk->failing && disk->passes)
        return disk->result;
    if (op != disk->failing || disk->failed || disk->passes == 0 || --disk->passes > 0)
        return SQLITE_OK;
    disk->passes = 1; // stays armed, for `lasting`
    disk->failed = true;
    return disk->result;
}

static int before(struct file *file, enum disk_op op)
{
    if (!file->record)
        return SQLITE_OK;
    if (file->disk->told && op != DISK_READ)
        file->disk->told(file->disk->context);
    return verdict(file->disk, op);
}

// ---- a file -------------------------------------------------------------------------------

static int file_close(sqlite3_file *base)
{
    struct file *file = (struct file *)base;
    return file->real->pMethods->xClose(file->real);
}

static int file_read(sqlite3_file *base, void *bytes, int len, sqlite3_int64 at)
{
    struct file *file = (struct file *)base;
    int result = before(file, DISK_READ);
    return result == SQLITE_OK ? file->real->pMethods->xRead(file->real, bytes, len, at) : result;
}

// How much of a write that fails is written: half, but no sector is torn.
static int half(int len, sqlite3_int64 at)
{
    sqlite3_int64 end = (at + len / 2) / SECTOR_BYTES * SECTOR_BYTES;
    return end > at ? (int)(end - at) : 0;
}

static int file_write(sqlite3_file *base, const void *bytes, int len, sqlite3_int64 at)
{
    struct file *file = (struct file *)base;
    int result = before(file, DISK_WRITE);
    int size = result == SQLITE_OK ? len : half(len, at);
    int written = size ? file->real->pMethods->xWrite(file->real, bytes, size, at) : SQLITE_OK;
    if (size && written == SQLITE_OK)
        add_op(file, (size_t)at, bytes, (size_t)size);
    return result == SQLITE_OK ? written : result;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct file *file = (struct file *)base;
    int result = before(file, DISK_TRUNCATE);
    if (result == SQLITE_OK)
        result = file->real->pMethods->xTruncate(file->real, size);
    if (result == SQLITE_OK)
        add_op(file, (size_t)size, NULL, 0);
    return result;
}

// The system's sync would cost time and change nothing: no power will be cut.
static int file_sync(sqlite3_file *base, int flags)
{
    struct file *file = (struct file *)base;
    int result = before(file, DISK_SYNC);
    (void)flags;
    if (!file->record)
        return SQLITE_OK;
    if (result == SQLITE_OK)
        sync_all(file->record);
    else
        forget(file->record); // Linux takes the pages for clean
    return result;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    struct file *file = (struct file *)base;
    return file->real->pMethods->xFileSize(file->real, size);
}

static int file_lock(sqlite3_file *base, int level)
{
    struct file *file = (struct file *)base;
    return file->real->pMethods->xLock(file->real, level);
}

static int file_unlock(sqlite3_file *base, int level)
{
    struct file *file = (struct file *)base;
    return file->real->pMethods->xUnlock(file->real, level);
}

static int file_reserved(sqlite3_file *base, int *out)
{
    struct file *file = (struct file *)base;
    return file->real->pMethods->xCheckReservedLock(file->real, out);
}

// SQLite asks the file system first what a PRAGMA shall do. The value is a copy of its own that it reads
// afterwards: another one of no more characters goes into its place.
static int file_control(sqlite3_file *base, int op, void *argument)
{
    struct file *file = (struct file *)base;
    char **words = argument;
    for (size_t i = 0; op == SQLITE_FCNTL_PRAGMA && file->record && i < file->disk->pragma_count;
         i++) {
        const struct pragma *pragma = &file->disk->pragmas[i];
        if (sqlite3_stricmp(words[1], pragma->name) != 0 || !words[2])
            continue;
        if (strlen(words[2]) < strlen(pragma->value))
            abort();
        memcpy(words[2], pragma->value, strlen(pragma->value) + 1);
    }
    return file->real->pMethods->xFileControl(file->real, op, argument);
}

static int file_sector(sqlite3_file *base)
{
    struct file *file = (struct file *)base;
    return file->real->pMethods->xSectorSize(file->real);
}

static int file_character(sqlite3_file *base)
{
    struct file *file = (struct file *)base;
    return file->real->pMethods->xDeviceCharacteristics(file->real);
}

static int file_map(sqlite3_file *base, int page, int size, int extend, void volatile **out)
{
    struct file *file = (struct file *)base;
    return file->real->pMethods->xShmMap(file->real, page, size, extend, out);
}

static int file_share(sqlite3_file *base, int offset, int n, int flags)
{
    struct file *file = (struct file *)base;
    return file->real->pMethods->xShmLock(file->real, offset, n, flags);
}

static void file_barrier(sqlite3_file *base)
{
    struct file *file = (struct file *)base;
    file->real->pMethods->xShmBarrier(file->real);
}

static int file_unmap(sqlite3_file *base, int remove)
{
    struct file *file = (struct file *)base;
    return file->real->pMethods->xShmUnmap(file->real, remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, // without the mapping of version 3: every byte passes here
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_character,
    .xShmMap = file_map,
    .xShmLock = file_share,
    .xShmBarrier = file_barrier,
    .xShmUnmap = file_unmap,
};

// ---- the file system ----------------------------------------------------------------------

static const char *name_inside(const struct disk *disk, const char *path)
{
    size_t len = strlen(disk->folder);
    return path && strncmp(path, disk->folder, len) == 0 && path[len] == '/' ? path + len + 1
                                                                             : NULL;
}

static struct record *find(struct disk *disk, const char *name)
{
    for (size_t i = 0; i < RECORDS_MOST; i++) {
        if (strcmp(disk->records[i].name, name) == 0)
            return &disk->records[i];
    }
    return NULL;
}

// What a file held before it was watched counts as synced.
static void load(struct record *record, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = 1;
    record->durable.len = 0;
    while (fd >= 0 && len > 0) {
        len = read(fd, tc_buf_reserve(&record->durable, 1 << 16), 1 << 16);
        record->durable.len += len > 0 ? (size_t)len : 0;
    }
    if (fd >= 0)
        close(fd);
}

static struct record *find_or_make(struct disk *disk, const char *path)
{
    const char *name = name_inside(disk, path);
    struct record *record = name ? find(disk, name) : NULL;
    if (!name || record)
        return record;
    record = find(disk, "");
    if (!record || strlen(name) >= sizeof record->name)
        abort();
    snprintf(record->name, sizeof record->name, "%s", name);
    load(record, path);
    return record;
}

static int disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out)
{
    struct disk *disk = vfs->pAppData;
    struct file *file = (struct file *)base;
    bool watched = name_inside(disk, path) != NULL;
    base->pMethods = NULL;
    if (watched && verdict(disk, DISK_OPEN) != SQLITE_OK)
        return disk->result;
    file->disk = disk;
    file->real = (sqlite3_file *)(file + 1);
    file->record = find_or_make(disk, path);
    int result = disk->real->xOpen(disk->real, path, file->real, flags, out);
    if (result == SQLITE_OK)
        base->pMethods = &methods;
    return result;
}

static int disk_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    struct disk *disk = vfs->pAppData;
    const char *name = name_inside(disk, path);
    struct record *record = name ? find(disk, name) : NULL;
    int result = disk->real->xDelete(disk->real, path, sync_folder);
    if (result == SQLITE_OK && record) {
        forget(record);
        record->durable.len = 0;
        record->name[0] = '\0';
    }
    return result;
}

static int disk_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    struct disk *disk = vfs->pAppData;
    return disk->real->xAccess(disk->real, path, flags, out);
}

static int disk_full_path(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
    struct disk *disk = vfs->pAppData;
    return disk->real->xFullPathname(disk->real, path, size, out);
}

struct disk *disk_new(const char *folder)
{
    struct disk *disk = tc_new(sizeof *disk);
    disk->real = sqlite3_vfs_find("unix");
    disk->vfs = *disk->real; // time, randomness and loading are the system's
    disk->vfs.szOsFile = (int)sizeof(struct file) + disk->real->szOsFile;
    disk->vfs.pNext = NULL;
    disk->vfs.zName = "tocsin-disk";
    disk->vfs.pAppData = disk;
    disk->vfs.xOpen = disk_open;
    disk->vfs.xDelete = disk_delete;
    disk->vfs.xAccess = disk_access;
    disk->vfs.xFullPathname = disk_full_path;
    snprintf(disk->folder, sizeof disk->folder, "%s", folder);
    if (sqlite3_vfs_register(&disk->vfs, 1) != SQLITE_OK)
        abort();
    return disk;
}

void disk_free(struct disk *disk)
{
    if (!disk)
        return;
    sqlite3_vfs_unregister(&disk->vfs);
    sqlite3_vfs_register(disk->real, 1);
    for (size_t i = 0; i < RECORDS_MOST; i++) {
        forget(&disk->records[i]);
        tc_buf_done(&disk->records[i].durable);
        free(disk->records[i].ops);
    }
    free(disk);
}

void disk_pragma(struct disk *disk, const char *name, const char *value)
{
    if (disk->pragma_count == PRAGMAS_MOST)
        abort();
    disk->pragmas[disk->pragma_count++] = (struct pragma){name, value};
}

void disk_tell(struct disk *disk, void (*told)(void *context), void *context)
{
    disk->told = told;
    disk->context = context;
}
