#include "common/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FOLDER_MODE = 0750, PRIVATE_MODE = 0700, LOCK_MODE = 0640 };

int tc_exit_of(int code)
{
    switch (code) {
    case TC_OK: return TC_EXIT_OK;
    case TC_EBUSY: return TC_EXIT_BUSY;
    case TC_EVERSION:
    case TC_EINVAL:
    case TC_ENOENT:
    case TC_EPARSE: return TC_EXIT_CONFIG;
    case TC_EIO:
    case TC_EFULL: // the disk
    case TC_ECORRUPT: return TC_EXIT_IO;
    default: return TC_EXIT_FAILED;
    }
}

// --- folders ---

// The environment's value, empty when it is absent.
static tc_str from_environment(const char *name)
{
    return tc_str_of(getenv(name));
}

// The same for a path of the XDG base directory specification, which wants it absolute.
static tc_str xdg_path(const char *name)
{
    tc_str path = from_environment(name);
    return tc_str_starts(path, TC_STR("/")) ? path : (tc_str){"", 0};
}

static int make_folder(const char *path, struct tc_err *err)
{
    struct stat made;
    if (mkdir(path, FOLDER_MODE) == 0)
        return TC_OK;
    int reason = errno;
    if (reason == EEXIST && stat(path, &made) == 0 && S_ISDIR(made.st_mode))
        return TC_OK;
    return tc_fail(err, TC_EIO, "cannot make the folder %s: %s", path,
                   strerror(reason == EEXIST ? ENOTDIR : reason));
}

int tc_make_dirs(tc_str path, struct tc_err *err)
{
    int code = TC_OK;
    char *copy = strndup(path.len ? path.ptr : "", path.len);
    if (!copy)
        return tc_fail(err, TC_ENOMEM, "no memory for a path");
    for (char *slash = copy; code == TC_OK && slash && *slash;) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        code = make_folder(copy, err);
        if (slash)
            *slash = '/';
    }
    free(copy);
    return code;
}

// The folder under the temporary folder, where anybody may put things: it must be ours alone.
// Looking at it without following links, after making it, leaves nobody a chance between.
static int check_private(const char *path, bool make, struct tc_err *err)
{
    struct stat found;
    if (make && mkdir(path, PRIVATE_MODE) != 0 && errno != EEXIST)
        return tc_fail(err, TC_EIO, "cannot make the folder %s: %s", path, strerror(errno));
    if (lstat(path, &found) != 0) {
        if (errno == ENOENT && !make)
            return TC_OK;
        return tc_fail(err, TC_EIO, "cannot look at %s: %s", path, strerror(errno));
    }
    if (!S_ISDIR(found.st_mode) || found.st_uid != getuid() || (found.st_mode & 0077))
        return tc_fail(err, TC_EIO,
                       "%s is not a folder of this user alone (mode 0700); set TOCSIN_RUNTIME_DIR",
                       path);
    return TC_OK;
}

int tc_runtime_dir(struct tc_arena *arena, bool make, tc_str *out, struct tc_err *err)
{
    tc_str path = from_environment("TOCSIN_RUNTIME_DIR");
    tc_str xdg = xdg_path("XDG_RUNTIME_DIR");
    int code = TC_OK;
    if (path.len) {
        path = tc_arena_str(arena, path);
    } else if (xdg.len) {
        path = tc_arena_printf(arena, "%.*s/tocsin", TC_ARG(xdg));
    } else if (getuid() == 0) {
        path = TC_STR("/run/tocsin");
    } else {
        tc_str temporary = xdg_path("TMPDIR");
        if (!temporary.len)
            temporary = TC_STR("/tmp");
        path =
            tc_arena_printf(arena, "%.*s/tocsin-%lu", TC_ARG(temporary), (unsigned long)getuid());
        code = check_private(path.ptr, make, err);
        make = false;
    }
    if (make && code == TC_OK)
        code = tc_make_dirs(path, err);
    if (code == TC_OK)
        *out = path;
    return code;
}

int tc_state_dir(struct tc_arena *arena, tc_str *out, struct tc_err *err)
{
    tc_str state = xdg_path("XDG_STATE_HOME"), home = xdg_path("HOME");
    if (state.len)
        *out = tc_arena_printf(arena, "%.*s/tocsin", TC_ARG(state));
    else if (getuid() == 0) // before HOME: a daemon of root keeps nothing in /root
        *out = TC_STR("/var/lib/tocsin");
    else if (home.len)
        *out = tc_arena_printf(arena, "%.*s/.local/state/tocsin", TC_ARG(home));
    else
        return tc_fail(err, TC_ENOENT, "no folder for state: set HOME or XDG_STATE_HOME");
    return TC_OK;
}

tc_str tc_config_file(struct tc_arena *arena, const char *name)
{
    tc_str config = xdg_path("XDG_CONFIG_HOME"), home = xdg_path("HOME");
    const tc_str candidates[] = {
        config.len ? tc_arena_printf(arena, "%.*s/tocsin/%s", TC_ARG(config), name) : config,
        home.len ? tc_arena_printf(arena, "%.*s/.config/tocsin/%s", TC_ARG(home), name) : home,
        tc_arena_printf(arena, "/etc/tocsin/%s", name),
    };
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        if (candidates[i].len && access(candidates[i].ptr, F_OK) == 0)
            return candidates[i];
    }
    return (tc_str){"", 0};
}

tc_str tc_beside(struct tc_arena *arena, tc_str file, tc_str path)
{
    size_t folder = file.len;
    while (folder && file.ptr[folder - 1] != '/')
        folder--;
    if (tc_str_starts(path, TC_STR("/")))
        folder = 0;
    return tc_arena_printf(arena, "%.*s%.*s", (int)folder, folder ? file.ptr : "", TC_ARG(path));
}

// --- locks ---

// Who holds a lock file: its pid as the file has it, and its name while it lives.
static int held(int fd, const char *path, struct tc_err *err)
{
    char text[32] = "", name[64] = "", comm[64];
    if (pread(fd, text, sizeof text - 1, 0) < 0)
        text[0] = '\0';
    long pid = strtol(text, NULL, 10);
    snprintf(comm, sizeof comm, "/proc/%ld/comm", pid);
    FILE *file = pid > 0 ? fopen(comm, "re") : NULL;
    if (file) {
        if (!fgets(name, sizeof name, file))
            name[0] = '\0';
        fclose(file);
    }
    name[strcspn(name, "\n")] = '\0';
    if (!*name)
        return tc_fail(err, TC_EBUSY, "%s is held by another process", path);
    return tc_fail(err, TC_EBUSY, "%s is held by process %ld (%s)", path, pid, name);
}

static int write_pid(int fd, const char *path, struct tc_err *err)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
        return tc_fail(err, TC_EIO, "cannot write %s: %s", path, strerror(errno));
    return TC_OK;
}

static int lock_path(const char *path, int *out, struct tc_err *err)
{
    int code = TC_OK;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, LOCK_MODE);
    if (fd < 0)
        return tc_fail(err, TC_EIO, "cannot open %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        code = write_pid(fd, path, err);
    else if (errno == EWOULDBLOCK)
        code = held(fd, path, err);
    else
        code = tc_fail(err, TC_EIO, "cannot lock %s: %s", path, strerror(errno));
    if (code != TC_OK) {
        close(fd);
        return code;
    }
    *out = fd;
    return TC_OK;
}

int tc_lock(tc_str path, int *out, struct tc_err *err)
{
    char *copy = strndup(path.len ? path.ptr : "", path.len);
    if (!copy)
        return tc_fail(err, TC_ENOMEM, "no memory for a path");
    int code = lock_path(copy, out, err);
    free(copy);
    return code;
}

int tc_lock_endpoint(tc_str endpoint, int *out, struct tc_err *err)
{
    tc_str scheme = TC_STR("ipc://");
    tc_str path = tc_str_cut(endpoint, scheme.len, endpoint.len);
    if (!tc_str_starts(endpoint, scheme) || !path.len || path.ptr[0] == '@' || path.ptr[0] == '*') {
        *out = -1;
        return TC_OK;
    }
    struct tc_arena *arena = tc_arena_new();
    int code = tc_lock(tc_arena_printf(arena, "%.*s.lock", TC_ARG(path)), out, err);
    tc_arena_free(arena);
    return code;
}

// --- signals ---

int tc_signals_block(int *out_fd, struct tc_err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    int reason = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (reason)
        return tc_fail(err, TC_EIO, "cannot block signals: %s", strerror(reason));
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return tc_fail(err, TC_EIO, "cannot watch signals: %s", strerror(errno));
    *out_fd = fd;
    return TC_OK;
}

void tc_files_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int tc_signal_next(int fd)
{
    struct signalfd_siginfo signal;
    return read(fd, &signal, sizeof signal) == sizeof signal ? (int)signal.ssi_signo : 0;
}

// --- the service manager ---

void tc_notify(const char *state)
{
    tc_str path = from_environment("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (!path.len || path.len >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path.ptr, path.len);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len);
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0'; // a name of the abstract space, whose length counts
    else
        len++;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    // A service manager that does not listen is its own affair.
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, len);
    close(fd);
}

tc_str tc_boot_id(char *out)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    out[0] = '\0';
    if (file && !fgets(out, TC_BOOT_BYTES, file))
        out[0] = '\0';
    if (file)
        fclose(file);
    return tc_str_trim(tc_str_of(out));
}
