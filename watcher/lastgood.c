#include "watcher/lastgood.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/daemon.h"
#include "common/diag.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/yaml.h"

enum {
    FILES_MOST = 1001, // a watch file and what it may include
    TREE_FDS = 8,
    AT_ONCE = 64 * 1024,
    CLOCK_TICK_MS = 20, // the kernel's times of files lag behind the clock by a tick
};

struct copying {
    struct tc_arena *arena;
    struct file {
        const char *path; // as it is opened
        tc_str place;     // absolute, without "." and "..": below the copy's root
    } files[FILES_MOST];
    size_t count;
    tc_str root, fresh; // of the copy that is in force, and of the one that is being made
};

// ---- paths --------------------------------------------------------------------------------

// The path from the root of the file system, by its words alone: "/a/b/../x" is "/a/x".
static tc_str place_of(struct tc_arena *arena, const char *path)
{
    char here[PATH_MAX];
    tc_str rest = tc_str_of(path), part = {"", 0};
    if (path[0] != '/' && getcwd(here, sizeof here))
        rest = tc_arena_printf(arena, "%s/%s", here, path);
    char *out = tc_arena_bytes(arena, rest.len + 2);
    size_t len = 0;
    while (tc_str_next(&rest, '/', &part)) {
        if (part.len == 0 || tc_str_eq(part, TC_STR(".")))
            continue;
        if (tc_str_eq(part, TC_STR(".."))) {
            while (len && out[--len] != '/')
                continue;
            continue;
        }
        out[len++] = '/';
        memcpy(out + len, part.ptr, part.len);
        len += part.len;
    }
    out[len] = '\0';
    return (tc_str){out, len};
}

static tc_str root_of(tc_str folder, tc_str place, struct tc_arena *arena)
{
    char hash[TC_ID_TEXT_BYTES];
    tc_id_text(tc_id_of_bytes(place), hash);
    return tc_arena_printf(arena, "%.*s/%s", TC_ARG(folder), hash);
}

static tc_str below(struct tc_arena *arena, tc_str root, tc_str place)
{
    return tc_arena_printf(arena, "%.*s%.*s", TC_ARG(root), TC_ARG(place));
}

tc_str lastgood_find(tc_str folder, const char *path, struct tc_arena *arena)
{
    tc_str place = place_of(arena, path);
    tc_str copy = below(arena, root_of(folder, place, arena), place);
    return access(copy.ptr, R_OK) == 0 ? copy : (tc_str){"", 0};
}

// ---- which files --------------------------------------------------------------------------

// Adds a file and what it includes. Mistakes are not ours to tell: the copy is checked afterwards.
static void gather(struct copying *copying, const char *path)
{
    struct tc_yaml_file *yaml = NULL;
    tc_str place = place_of(copying->arena, path);
    for (size_t i = 0; i < copying->count; i++) {
        if (tc_str_eq(copying->files[i].place, place))
            return;
    }
    if (copying->count == FILES_MOST)
        return;
    copying->files[copying->count++] = (struct file){path, place};
    if (tc_str_ends(place, TC_STR(".jsonl")))
        return;
    struct tc_diags *diags = tc_diags_new();
    tc_yaml_read(path, copying->arena, diags, &yaml);
    const struct tc_yaml *list = yaml ? tc_yaml_get(&yaml->root, "include") : NULL;
    for (size_t i = 0; list && list->kind == TC_YAML_LIST && i < list->count; i++) {
        tc_str name = list->items[i].text;
        if (list->items[i].kind == TC_YAML_SCALAR && name.len && name.ptr[0] != '/')
            gather(copying, tc_beside(copying->arena, tc_str_of(path), name).ptr);
    }
    tc_diags_free(diags);
}

// ---- files --------------------------------------------------------------------------------

static int refuse(const char *path, struct tc_err *err)
{
    return tc_fail(err, TC_EIO, "%s: %s", path, strerror(errno));
}

// Fills `buffer` as far as the file goes; -1 after a failure.
static ssize_t read_some(int fd, char *buffer)
{
    size_t len = 0;
    ssize_t got = 0;
    while (len < AT_ONCE && (got = read(fd, buffer + len, AT_ONCE - len)) > 0)
        len += (size_t)got;
    return got < 0 ? -1 : (ssize_t)len;
}

static bool write_some(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t put = write(fd, bytes, len);
        if (put < 0)
            return false;
        bytes += put;
        len -= (size_t)put;
    }
    return true;
}

static bool same_bytes(const char *one, const char *two)
{
    char a[AT_ONCE], b[AT_ONCE];
    int fd_a = open(one, O_RDONLY | O_CLOEXEC), fd_b = open(two, O_RDONLY | O_CLOEXEC);
    bool same = fd_a >= 0 && fd_b >= 0;
    for (ssize_t len = 1; same && len > 0;) {
        len = read_some(fd_a, a);
        same = len >= 0 && read_some(fd_b, b) == len && memcmp(a, b, (size_t)len) == 0;
    }
    if (fd_a >= 0)
        close(fd_a);
    if (fd_b >= 0)
        close(fd_b);
    return same;
}

static int copy_file(const char *from, const char *to, struct tc_err *err)
{
    char buffer[AT_ONCE];
    int code = TC_OK;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (out < 0)
        code = refuse(in < 0 ? from : to, err);
    for (ssize_t len = 1; code == TC_OK && len > 0;) {
        len = read_some(in, buffer);
        if (len < 0)
            code = refuse(from, err);
        else if (!write_some(out, buffer, (size_t)len))
            code = refuse(to, err);
    }
    if (code == TC_OK && fsync(out) != 0)
        code = refuse(to, err);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return code;
}

static bool up_to_date(const struct copying *copying)
{
    bool same = true;
    for (size_t i = 0; same && i < copying->count; i++) {
        tc_str copy = below(copying->arena, copying->root, copying->files[i].place);
        same = same_bytes(copying->files[i].path, copy.ptr);
    }
    return same;
}

// Whether no file has changed since that time, which is surely before its reading began.
static bool unchanged(const struct copying *copying, int64_t wall_ns)
{
    struct stat info;
    bool old = true;
    for (size_t i = 0; old && i < copying->count; i++) {
        old = stat(copying->files[i].path, &info) == 0 &&
              info.st_ctim.tv_sec * TC_SECOND + info.st_ctim.tv_nsec + CLOCK_TICK_MS * TC_MS <
                  wall_ns;
    }
    return old;
}

static int copy_all(const struct copying *copying, struct tc_err *err)
{
    int code = TC_OK;
    for (size_t i = 0; i < copying->count && code == TC_OK; i++) {
        tc_str to = below(copying->arena, copying->fresh, copying->files[i].place);
        code = tc_make_dirs(tc_beside(copying->arena, to, TC_STR(".")), err);
        if (code == TC_OK)
            code = copy_file(copying->files[i].path, to.ptr, err);
    }
    return code;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static void remove_tree(tc_str root)
{
    nftw(root.ptr, remove_one, TREE_FDS, FTW_DEPTH | FTW_PHYS);
}

// Puts the fresh copy in the place of the older one. Where the file system cannot exchange two
// folders, a crash in between leaves no copy.
static int put_in_place(const struct copying *copying, struct tc_err *err)
{
    const char *fresh = copying->fresh.ptr, *root = copying->root.ptr;
    if (renameat2(AT_FDCWD, fresh, AT_FDCWD, root, RENAME_EXCHANGE) == 0)
        return TC_OK;
    remove_tree(copying->root);
    return rename(fresh, root) == 0 ? TC_OK : refuse(root, err);
}

int lastgood_keep(tc_str folder, const char *path, int64_t read_wall_ns, lastgood_check *check,
                  void *context, struct tc_err *err)
{
    int code = TC_OK;
    struct copying *copying = tc_new(sizeof *copying);
    copying->arena = tc_arena_new();
    gather(copying, path);
    tc_str place = copying->files[0].place;
    copying->root = root_of(folder, place, copying->arena);
    copying->fresh = tc_arena_printf(copying->arena, "%.*s.new", TC_ARG(copying->root));
    if (up_to_date(copying))
        goto out;
    remove_tree(copying->fresh); // of a process that was killed
    code = copy_all(copying, err);
    if (code == TC_OK && !unchanged(copying, read_wall_ns) &&
        !check(context, below(copying->arena, copying->fresh, place).ptr))
        code = tc_fail(err, TC_EINVAL, "%s has changed while it was copied", path);
    if (code == TC_OK)
        code = put_in_place(copying, err);
    remove_tree(copying->fresh); // what is left, or what was there before

out:
    tc_arena_free(copying->arena);
    free(copying);
    return code;
}
