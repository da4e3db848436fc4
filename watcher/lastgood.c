#include "watcher/lastgood.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/diag.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/yaml.h"

enum {
    FILES_MOST = 1001, // a watch file and what it may include
    TREE_FDS = 8,
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

static int read_whole(struct tc_arena *arena, const char *path, tc_str *out, struct tc_err *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        int code = refuse(path, err);
        if (fd >= 0)
            close(fd);
        return code;
    }
    char *bytes = tc_arena_bytes(arena, (size_t)info.st_size + 1);
    size_t len = 0;
    ssize_t got = 0;
    while (len <= (size_t)info.st_size &&
           (got = read(fd, bytes + len, (size_t)info.st_size + 1 - len)) > 0)
        len += (size_t)got;
    int code = got < 0 ? refuse(path, err) : TC_OK;
    close(fd);
    *out = (tc_str){bytes, len};
    return code;
}

static int write_whole(tc_str path, tc_str bytes, struct tc_err *err)
{
    int fd = open(path.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    int code = TC_OK;
    while (fd >= 0 && bytes.len) {
        ssize_t put = write(fd, bytes.ptr, bytes.len);
        if (put < 0)
            break;
        bytes = tc_str_cut(bytes, (size_t)put, bytes.len);
    }
    if (fd < 0 || bytes.len || fsync(fd) != 0)
        code = refuse(path.ptr, err);
    if (fd >= 0)
        close(fd);
    return code;
}

static bool up_to_date(const struct copying *copying)
{
    struct tc_arena *scratch = tc_arena_new();
    bool same = true;
    for (size_t i = 0; same && i < copying->count; i++) {
        tc_str now = {"", 0}, kept = {"", 0};
        tc_str copy = below(scratch, copying->root, copying->files[i].place);
        same = access(copy.ptr, R_OK) == 0 &&
               read_whole(scratch, copying->files[i].path, &now, NULL) == TC_OK &&
               read_whole(scratch, copy.ptr, &kept, NULL) == TC_OK && tc_str_eq(now, kept);
        tc_arena_empty(scratch);
    }
    tc_arena_free(scratch);
    return same;
}

static int copy_all(const struct copying *copying, struct tc_err *err)
{
    struct tc_arena *scratch = tc_arena_new();
    int code = TC_OK;
    for (size_t i = 0; i < copying->count && code == TC_OK; i++) {
        tc_str bytes = {"", 0};
        tc_str to = below(scratch, copying->fresh, copying->files[i].place);
        tc_str folder = tc_beside(scratch, to, TC_STR("."));
        code = read_whole(scratch, copying->files[i].path, &bytes, err);
        if (code == TC_OK)
            code = tc_make_dirs(folder, err);
        if (code == TC_OK)
            code = write_whole(to, bytes, err);
        tc_arena_empty(scratch);
    }
    tc_arena_free(scratch);
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

int lastgood_keep(tc_str folder, const char *path, lastgood_check *check, void *context,
                  struct tc_err *err)
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
    if (code == TC_OK && !check(context, below(copying->arena, copying->fresh, place).ptr))
        code = tc_fail(err, TC_EINVAL, "%s has changed while it was copied", path);
    if (code == TC_OK)
        code = put_in_place(copying, err);
    remove_tree(copying->fresh); // what is left, or what was there before

out:
    tc_arena_free(copying->arena);
    free(copying);
    return code;
}
