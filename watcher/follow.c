#include "watcher/follow.h"

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"

enum {
    EVENTS_BYTES = 16 * 1024,
    MASK = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_MODIFY |
           IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR,
};

struct folder {
    int number; // inotify's
    char *path;
};

struct follow {
    int fd;
    struct folder *folders;
    size_t folder_count, folder_room;
    char **names; // patterns of the last parts of paths
    size_t name_count, name_room;
    int64_t first_ns, last_ns; // of the changes that were not looked at; 0: there are none
    bool writing;              // the last of them was a write, and the file is still open
};

int follow_open(struct follow **out, struct tc_err *err)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0)
        return tc_fail(err, TC_EFULL, "watch_files: %s; the limit is fs.inotify.max_user_instances",
                       strerror(errno));
    struct follow *follow = tc_new(sizeof *follow);
    follow->fd = fd;
    *out = follow;
    return TC_OK;
}

void follow_close(struct follow *follow)
{
    if (!follow)
        return;
    close(follow->fd);
    for (size_t i = 0; i < follow->folder_count; i++)
        free(follow->folders[i].path);
    for (size_t i = 0; i < follow->name_count; i++)
        free(follow->names[i]);
    free(follow->folders);
    free(follow->names);
    free(follow);
}

int follow_fd(const struct follow *follow)
{
    return follow->fd;
}

// ---- what is watched ----------------------------------------------------------------------

static struct folder *folder_of(struct follow *follow, int number)
{
    for (size_t i = 0; i < follow->folder_count; i++) {
        if (follow->folders[i].number == number)
            return &follow->folders[i];
    }
    return NULL;
}

// Watches a folder, or the nearest above it that is there, so that its making is heard.
static int add_folder(struct follow *follow, const char *path, struct tc_err *err)
{
    char near[PATH_MAX];
    snprintf(near, sizeof near, "%s", path);
    int number = inotify_add_watch(follow->fd, near, MASK);
    while (number < 0 && (errno == ENOENT || errno == ENOTDIR) && strcmp(near, "/") != 0 &&
           strcmp(near, ".") != 0) {
        char *above = dirname(near);
        memmove(near, above, strlen(above) + 1);
        number = inotify_add_watch(follow->fd, near, MASK);
    }
    if (number < 0)
        return tc_fail(err, errno == ENOSPC ? TC_EFULL : TC_EIO,
                       "watch_files: %s: %s; changes there are not heard", near,
                       errno == ENOSPC ? "fs.inotify.max_user_watches is reached"
                                       : strerror(errno));
    if (folder_of(follow, number))
        return TC_OK;
    follow->folders = tc_room(follow->folders, follow->folder_count, &follow->folder_room,
                              sizeof *follow->folders);
    follow->folders[follow->folder_count++] = (struct folder){number, tc_dup(near, strlen(near))};
    return TC_OK;
}

static void add_name(struct follow *follow, const char *name)
{
    for (size_t i = 0; i < follow->name_count; i++) {
        if (strcmp(follow->names[i], name) == 0)
            return;
    }
    follow->names = tc_room(follow->names, follow->name_count, &follow->name_room, sizeof(char *));
    follow->names[follow->name_count++] = tc_dup(name, strlen(name));
}

// Splits a path; false when it is too long to be one.
static bool split(const char *path, char *folder, const char **name)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    if (len >= PATH_MAX)
        return false;
    if (len)
        snprintf(folder, PATH_MAX, "%.*s", (int)len, path);
    else
        snprintf(folder, PATH_MAX, "%s", slash ? "/" : ".");
    *name = slash ? slash + 1 : path;
    return true;
}

static int add_matching_folders(struct follow *follow, const char *pattern, struct tc_err *err)
{
    char fixed[PATH_MAX];
    glob_t found = {0};
    size_t len = strcspn(pattern, "*?[");
    if (!pattern[len])
        return add_folder(follow, pattern, err);
    // Folders that are made later appear in the last one without wildcards.
    while (len && pattern[len - 1] != '/')
        len--;
    snprintf(fixed, sizeof fixed, "%.*s", (int)len, pattern);
    int code = add_folder(follow, len ? fixed : ".", err);
    glob(pattern, GLOB_ONLYDIR, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc && code == TC_OK; i++)
        code = add_folder(follow, found.gl_pathv[i], err);
    globfree(&found);
    return code;
}

int follow_glob(struct follow *follow, const char *pattern, struct tc_err *err)
{
    char folder[PATH_MAX];
    const char *name = NULL;
    if (!split(pattern, folder, &name))
        return tc_fail(err, TC_EIO, "watch_files: the path is too long: %.80s ...", pattern);
    add_name(follow, name);
    return add_matching_folders(follow, folder, err);
}

int follow_file(struct follow *follow, const char *path, struct tc_err *err)
{
    char folder[PATH_MAX], real[PATH_MAX];
    const char *name = NULL;
    int code = follow_glob(follow, path, err);
    if (code != TC_OK || !realpath(path, real) || !split(real, folder, &name))
        return code;
    add_name(follow, name);
    return add_folder(follow, folder, err);
}

// ---- what happens -------------------------------------------------------------------------

static bool leads_elsewhere(const struct folder *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat info;
    int len = snprintf(path, sizeof path, "%s/%s", folder->path, name);
    return len < (int)sizeof path && lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

static bool counts(struct follow *follow, const struct inotify_event *event)
{
    const struct folder *folder = folder_of(follow, event->wd);
    if (event->mask & (IN_Q_OVERFLOW | IN_ISDIR | IN_DELETE_SELF | IN_MOVE_SELF))
        return true;
    if (!event->len || event->mask & IN_IGNORED)
        return false;
    for (size_t i = 0; i < follow->name_count; i++) {
        if (fnmatch(follow->names[i], event->name, FNM_PERIOD) == 0)
            return true;
    }
    return folder && leads_elsewhere(folder, event->name);
}

static void forget_folder(struct follow *follow, int number)
{
    struct folder *folder = folder_of(follow, number);
    if (!folder)
        return;
    free(folder->path);
    *folder = follow->folders[--follow->folder_count];
}

static void take_event(struct follow *follow, const struct inotify_event *event, int64_t now_ns)
{
    if (counts(follow, event)) {
        follow->last_ns = now_ns;
        follow->first_ns = follow->first_ns ? follow->first_ns : now_ns;
        follow->writing = (event->mask & IN_MODIFY) != 0;
    }
    if (event->mask & IN_IGNORED)
        forget_folder(follow, event->wd);
}

void follow_take(struct follow *follow, int64_t now_ns)
{
    _Alignas(struct inotify_event) char bytes[EVENTS_BYTES];
    ssize_t got;
    while ((got = read(follow->fd, bytes, sizeof bytes)) > 0) {
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const void *)(bytes + at);
            take_event(follow, event, now_ns);
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
}

int64_t follow_due_ns(const struct follow *follow)
{
    if (!follow->first_ns)
        return INT64_MAX;
    if (follow->writing)
        return follow->last_ns + FOLLOW_WRITING_MS * TC_MS;
    int64_t quiet = follow->last_ns + FOLLOW_QUIET_MS * TC_MS;
    int64_t burst = follow->first_ns + FOLLOW_BURST_MS * TC_MS;
    return quiet < burst ? quiet : burst;
}

void follow_seen(struct follow *follow)
{
    follow->first_ns = follow->last_ns = 0;
    follow->writing = false;
}
