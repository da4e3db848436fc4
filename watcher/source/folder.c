// How a file is safe at every moment
//
// A file is opened, read to its end, and stays where it is until the outcome of its last article
// is there. Then it is moved (rename, never copied), so a crash leaves it either in place, to be
// read again as duplicates, or moved. Before the move it is compared with what was read: when it has
// grown or was replaced meanwhile, it stays and is read again.
//
// "Nobody writes it" is asked of the kernel: a read lease is refused while any process has the file
// open for writing. Whoever writes will close, and closing brings an event. File systems without
// leases count as "nobody writes".

#include "watcher/source/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fault.h"
#include "common/mem.h"
#include "watcher/source/lines.h"

enum {
    NAMES_TRIED = 10000,
    LEFT_MOST = 1024,
    PATIENCE_MS = 10, // first; doubles up to FOLDER_LOOK_MS while a file is still written
};

struct file { // on the way; free when `name` is NULL
    char *name;
    struct stat info; // when it was opened
    size_t waiting;   // articles without an outcome
    size_t bad;       // articles that cannot be read
    bool read;        // to its end
    bool undone;      // something was not taken: leave the file for the next start
    struct tc_buf reasons;
};

struct left { // could not be moved; not tried again before the next look
    ino_t inode;
    struct timespec changed;
};

struct folder {
    const struct source_host *host;
    char *path, *name;
    int fd, done_fd, failed_fd, notify_fd;
    struct tc_queue *outcomes;
    struct file files[FOLDER_FILES_MOST];
    size_t file_count, waiting;
    DIR *look;       // a look at the whole folder that is under way
    bool look_again; // begin another behind it
    bool written;    // somebody still wrote a file when it was looked at
    int patience_ms; // then look again after this time
    bool stopping;
    bool gone; // the folder itself was removed
    struct left left[LEFT_MOST];
    size_t left_count;
};

// ---- opening ------------------------------------------------------------------------------

static int refuse(const struct folder *folder, const char *what, struct tc_err *err)
{
    return tc_fail(err, errno == ENOENT ? TC_ENOENT : TC_EIO, "%s: %s: %s", folder->path, what,
                   strerror(errno));
}

// Makes and opens a folder inside ours.
static int open_inner(struct folder *folder, const char *name, int *out, struct tc_err *err)
{
    if (mkdirat(folder->fd, name, 0750) != 0 && errno != EEXIST)
        return refuse(folder, name, err);
    *out = openat(folder->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*out < 0 || faccessat(*out, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return refuse(folder, name, err);
    return TC_OK;
}

static int open_all(struct folder *folder, struct tc_err *err)
{
    const uint32_t events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;
    folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0)
        return refuse(folder, "cannot open the folder", err);
    if (faccessat(folder->fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0)
        return refuse(folder, "cannot read and write in the folder", err);
    folder->notify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (folder->notify_fd < 0 ||
        inotify_add_watch(folder->notify_fd, folder->path, events | IN_ONLYDIR) < 0)
        return refuse(folder, "cannot watch the folder", err);
    int code = open_inner(folder, "done", &folder->done_fd, err);
    return code == TC_OK ? open_inner(folder, "failed", &folder->failed_fd, err) : code;
}

int folder_open(const char *path, tc_str name, const struct source_host *host, struct folder **out,
                struct tc_err *err)
{
    struct folder *folder = tc_new(sizeof *folder);
    folder->patience_ms = PATIENCE_MS;
    folder->host = host;
    folder->path = tc_dup(path, strlen(path));
    folder->name = tc_dup(name.ptr, name.len);
    folder->fd = folder->done_fd = folder->failed_fd = folder->notify_fd = -1;
    folder->outcomes = tc_queue_new(SOURCE_OPEN_MOST);
    folder->look_again = true; // the watch stands before the first look: nothing falls between
    signal(SIGIO, SIG_IGN);    // what breaks a lease would send it; see still_written()
    int code = open_all(folder, err);
    if (code == TC_OK)
        *out = folder;
    else
        folder_close(folder);
    return code;
}

static void forget(struct folder *folder, struct file *file)
{
    free(file->name);
    tc_buf_done(&file->reasons);
    *file = (struct file){0};
    folder->file_count--;
}

void folder_close(struct folder *folder)
{
    if (!folder)
        return;
    const int fds[] = {folder->fd, folder->done_fd, folder->failed_fd, folder->notify_fd};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    for (size_t i = 0; i < FOLDER_FILES_MOST; i++) {
        if (folder->files[i].name)
            forget(folder, &folder->files[i]);
    }
    if (folder->look)
        closedir(folder->look);
    tc_queue_free(folder->outcomes);
    free(folder->path);
    free(folder->name);
    free(folder);
}

static void trouble(struct folder *folder, const char *event, const char *name, const char *why)
{
    struct tc_err err;
    tc_fail(&err, TC_EIO, "%s/%s: %s", folder->path, name, why);
    folder->host->trouble(folder->host->context, event, &err);
}

// ---- moving -------------------------------------------------------------------------------

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool is_left(const struct folder *folder, const struct stat *info)
{
    for (size_t i = 0; i < folder->left_count; i++) {
        const struct left *left = &folder->left[i];
        if (left->inode == info->st_ino && left->changed.tv_sec == info->st_ctim.tv_sec &&
            left->changed.tv_nsec == info->st_ctim.tv_nsec)
            return true;
    }
    return false;
}

static void leave(struct folder *folder, const struct file *file, const char *why)
{
    trouble(folder, "folder.left", file->name, why);
    if (folder->left_count < LEFT_MOST)
        folder->left[folder->left_count++] = (struct left){file->info.st_ino, file->info.st_ctim};
}

// Renames without replacing, also where the file system cannot promise it in one step.
static int rename_new(int from_fd, const char *from, int to_fd, const char *to)
{
    if (renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (faccessat(to_fd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(from_fd, from, to_fd, to);
}

// Moves the file under its name, or the first free NAME.2, NAME.3 ... `taken` holds PATH_MAX bytes.
static bool move(struct folder *folder, const struct file *file, int to_fd, char *taken)
{
    for (int n = 1; n < NAMES_TRIED; n++) {
        if (n == 1)
            snprintf(taken, PATH_MAX, "%s", file->name);
        else
            snprintf(taken, PATH_MAX, "%s.%d", file->name, n);
        if (rename_new(folder->fd, file->name, to_fd, taken) == 0)
            return true;
        if (errno == ENOENT)
            return false; // somebody took it away: nothing to move
        if (errno != EEXIST)
            break;
    }
    leave(folder, file, strerror(errno));
    return false;
}

// A name that has no room for ".reason" loses its end. The file appears with its text.
static void write_reasons(struct folder *folder, const char *name, tc_str reasons)
{
    static const char end[] = ".reason", part[] = ".reason.part";
    char path[NAME_MAX + 1];
    snprintf(path, sizeof path, "%.*s%s", (int)(NAME_MAX - strlen(end)), name, end);
    int fd = openat(folder->failed_fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    0640);
    if (fd < 0 || write(fd, reasons.ptr, reasons.len) != (ssize_t)reasons.len ||
        renameat(folder->failed_fd, part, folder->failed_fd, path) != 0)
        trouble(folder, "folder.reason", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

// Everything about the file is known: moves it away.
static void finish(struct folder *folder, struct file *file)
{
    struct stat now;
    char taken[PATH_MAX];
    if (fstatat(folder->fd, file->name, &now, AT_SYMLINK_NOFOLLOW) != 0)
        return; // somebody took it away
    if (!same_file(&now, &file->info)) {
        folder->look_again = true; // it has changed since: read it again
        return;
    }
    tc_fault("folder.move");
    if (file->bad == 0)
        move(folder, file, folder->done_fd, taken);
    else if (move(folder, file, folder->failed_fd, taken))
        write_reasons(folder, taken, tc_buf_view(&file->reasons));
}

static void finish_if_ready(struct folder *folder, struct file *file)
{
    if (!file->read || file->waiting)
        return;
    if (!file->undone)
        finish(folder, file);
    forget(folder, file);
}

static void add_reason(struct file *file, int line, const char *why)
{
    file->bad++;
    if (file->reasons.len > FOLDER_REASONS_BYTES)
        return;
    if (line)
        tc_buf_addf(&file->reasons, "%s:%d: %s\n", file->name, line, why);
    else
        tc_buf_addf(&file->reasons, "%s: %s\n", file->name, why);
    if (file->reasons.len > FOLDER_REASONS_BYTES)
        tc_buf_puts(&file->reasons, "... and more; further reasons are left out\n");
}

// ---- outcomes -----------------------------------------------------------------------------

// A ticket is the file's place in `files` above the line's number.
static uint64_t ticket_of(const struct folder *folder, const struct file *file, int line)
{
    return (uint64_t)(file - folder->files) << 32 | (uint32_t)line;
}

static void settle_one(struct folder *folder, const struct source_outcome *outcome)
{
    struct file *file = &folder->files[outcome->ticket >> 32];
    file->waiting--;
    folder->waiting--;
    if (outcome->fate == SOURCE_REJECTED)
        add_reason(file, (int)(outcome->ticket & INT32_MAX), outcome->reason);
    else if (outcome->fate == SOURCE_UNDONE)
        file->undone = true;
    finish_if_ready(folder, file);
}

// Takes outcomes, waiting until at most `most` articles are on the way.
static void settle(struct folder *folder, size_t most)
{
    for (;;) {
        struct source_outcome *outcome =
            tc_queue_pop(folder->outcomes, folder->waiting > most ? -1 : 0);
        if (!outcome)
            return;
        settle_one(folder, outcome);
        free(outcome);
    }
}

// ---- reading ------------------------------------------------------------------------------

static bool ignored(const char *name)
{
    tc_str s = tc_str_of(name);
    return s.len == 0 || name[0] == '.' || tc_str_ends(s, TC_STR(".tmp")) ||
           tc_str_ends(s, TC_STR(".part"));
}

static bool known(const struct folder *folder, const char *name)
{
    for (size_t i = 0; i < FOLDER_FILES_MOST; i++) {
        if (folder->files[i].name && strcmp(folder->files[i].name, name) == 0)
            return true;
    }
    return false;
}

static struct file *free_place(struct folder *folder)
{
    for (size_t i = 0; i < FOLDER_FILES_MOST; i++) {
        if (!folder->files[i].name)
            return &folder->files[i];
    }
    return NULL;
}

// Gives one article. False when the host stops.
static bool give(struct folder *folder, struct file *file, struct article *article, int line)
{
    settle(folder, SOURCE_OPEN_MOST - 1);
    article->from = folder->outcomes;
    article->ticket = ticket_of(folder, file, line);
    if (!folder->host->give(folder->host->context, article)) {
        article_free(article);
        return false;
    }
    file->waiting++;
    folder->waiting++;
    return true;
}

static void refuse_article(struct folder *folder, struct file *file, int line, const char *why)
{
    add_reason(file, line, why);
    folder->host->refused(folder->host->context);
}

static void read_articles(struct folder *folder, struct file *file, struct lines *lines)
{
    for (;;) {
        struct article *article = NULL;
        struct tc_err err;
        int code = lines_next(lines, &article, &err);
        if (code == TC_ENOENT)
            return;
        if (code == TC_ESTOP) {
            file->undone = folder->stopping = true;
            return;
        }
        if (code != TC_OK)
            refuse_article(folder, file, lines_number(lines), err.text);
        if (code == TC_EIO)
            return;
        if (code == TC_OK && !give(folder, file, article, lines_number(lines))) {
            file->undone = folder->stopping = true;
            return;
        }
    }
}

// The kernel tells of a close a moment before it stops counting the writer, so after the last event
// of a file this may still be true: the caller looks again soon.
static bool still_written(int fd)
{
    if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
        return errno == EAGAIN;
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
}

static const char *refused_kind(mode_t mode)
{
    if (S_ISLNK(mode))
        return "is a symbolic link; only regular files are read";
    return S_ISREG(mode) ? NULL : "is no regular file";
}

// Opens and reads the file whose place is taken. False when it must wait for its writer.
static bool read_file(struct folder *folder, struct file *file)
{
    struct lines *lines = NULL;
    struct tc_err err;
    const char *refused = refused_kind(file->info.st_mode);
    if (refused) {
        refuse_article(folder, file, 0, refused);
        return true;
    }
    int fd = openat(folder->fd, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno != EACCES) { // gone, replaced by a link, no descriptors left: it may pass
        trouble(folder, "folder.unreadable", file->name, strerror(errno));
        return false;
    }
    if (fd < 0) {
        refuse_article(folder, file, 0, strerror(errno));
        return true;
    }
    bool written = still_written(fd);
    if (written || fstat(fd, &file->info) != 0) {
        folder->written |= written;
        close(fd);
        return false;
    }
    if (lines_open_fd(fd, file->name, tc_str_of(folder->name), folder->host->max_article_bytes,
                      &lines, &err) != TC_OK) {
        close(fd);
        refuse_article(folder, file, 0, err.text);
        return true;
    }
    lines_stop_on(lines, folder->host->stop_fd); // one article may be all of a huge file
    read_articles(folder, file, lines);
    lines_close(lines);
    tc_fault("source.read");
    return true;
}

// Takes a file up if it counts. Needs a free place.
static void take(struct folder *folder, const char *name)
{
    struct stat info;
    if (ignored(name) || known(folder, name) ||
        fstatat(folder->fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(info.st_mode) ||
        is_left(folder, &info))
        return;
    struct file *file = free_place(folder);
    file->name = tc_dup(name, strlen(name));
    file->info = info;
    folder->file_count++;
    if (!read_file(folder, file)) {
        forget(folder, file);
        return;
    }
    file->read = true;
    finish_if_ready(folder, file);
}

// ---- looking and listening ----------------------------------------------------------------

static bool full(const struct folder *folder)
{
    return folder->file_count == FOLDER_FILES_MOST;
}

// Goes on with the look at the whole folder as long as there are free places.
static void look(struct folder *folder)
{
    if (!folder->look && folder->look_again) {
        int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        folder->look = fd < 0 ? NULL : fdopendir(fd);
        folder->look_again = false;
        if (!folder->look)
            trouble(folder, "folder.unreadable", "", strerror(errno));
    }
    while (folder->look && !full(folder) && !folder->stopping) {
        struct dirent *entry = readdir(folder->look);
        if (entry) {
            take(folder, entry->d_name);
        } else {
            closedir(folder->look);
            folder->look = NULL;
        }
    }
}

static void take_event(struct folder *folder, const struct inotify_event *event)
{
    if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) {
        folder->gone = true;
        trouble(folder, "folder.gone", "", "the folder was moved or removed; start again");
    } else if (event->mask & IN_Q_OVERFLOW || full(folder)) {
        folder->look_again = true;
    } else if (event->len) {
        take(folder, event->name);
    }
}

static void listen_to_events(struct folder *folder)
{
    _Alignas(struct inotify_event) char buffer[16 * 1024];
    ssize_t got;
    while (!folder->gone && !folder->stopping &&
           (got = read(folder->notify_fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const void *)(buffer + at);
            take_event(folder, event);
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
}

// Waits for an event, an outcome or the end; false at the end.
static bool wait_for_work(struct folder *folder)
{
    struct pollfd fds[] = {{.fd = folder->host->stop_fd, .events = POLLIN},
                           {.fd = folder->notify_fd, .events = POLLIN},
                           {.fd = tc_queue_fd(folder->outcomes), .events = POLLIN}};
    bool busy = (folder->look || folder->look_again) && !full(folder);
    bool soon = folder->written && folder->patience_ms < FOLDER_LOOK_MS;
    int ready = poll(fds, 3, busy ? 0 : soon ? folder->patience_ms : FOLDER_LOOK_MS);
    if (fds[1].revents)
        folder->patience_ms = PATIENCE_MS;
    if (ready == 0 && !busy) {
        folder->look_again = true;
        folder->written = false;
        if (soon)
            folder->patience_ms *= 2; // a file may be written for hours
        else
            folder->left_count = 0;
    }
    if (fds[2].revents)
        tc_queue_calm(folder->outcomes);
    return !fds[0].revents;
}

static bool finished(const struct folder *folder)
{
    return folder->gone || folder->stopping ||
           (folder->host->once && !folder->look && !folder->look_again && !folder->file_count);
}

void folder_run(struct folder *folder)
{
    do {
        listen_to_events(folder);
        look(folder);
        settle(folder, SOURCE_OPEN_MOST);
    } while (!finished(folder) && wait_for_work(folder));
    folder->stopping = true;
    settle(folder, 0);
}
