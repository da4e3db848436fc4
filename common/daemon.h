// daemon - what both daemons do around their work: folders, locks, signals, readiness.
//
// Belongs to the main thread; call tc_signals_block() before the first zmq context or thread.
#ifndef TC_DAEMON_H
#define TC_DAEMON_H

#include "common/arena.h"
#include "common/err.h"

// Exit statuses (sysexits.h where one fits).
enum tc_exit {
    TC_EXIT_OK = 0,
    TC_EXIT_USAGE = 64,  // wrong flags
    TC_EXIT_CONFIG = 78, // configuration or schema refused
    TC_EXIT_IO = 74,     // disk failed
    TC_EXIT_BUSY = 75,   // another process holds the file or the socket
    TC_EXIT_FAILED = 70,
};

// The exit status that tells why a daemon ended with `code` (enum tc_code).
int tc_exit_of(int code);

// The folder for sockets: $TOCSIN_RUNTIME_DIR, else $XDG_RUNTIME_DIR/tocsin, else /run/tocsin
// for root, else TMP/tocsin-UID (0700, owner checked). Made when absent if `make`.
int tc_runtime_dir(struct tc_arena *arena, bool make, tc_str *out, struct tc_err *err);

// The folder for state: $XDG_STATE_HOME/tocsin, ~/.local/state/tocsin, /var/lib/tocsin for root.
int tc_state_dir(struct tc_arena *arena, tc_str *out, struct tc_err *err);

// The configuration file `name` ("watcher.yaml"): $XDG_CONFIG_HOME/tocsin/, ~/.config/tocsin/,
// /etc/tocsin/. Empty when none exists.
tc_str tc_config_file(struct tc_arena *arena, const char *name);

// `path` as it is when absolute, else counted from the folder that `file` (the configuration, may be
// empty) lies in. Copies into the arena; zero-ended.
tc_str tc_beside(struct tc_arena *arena, tc_str file, tc_str path);

// Makes a folder and its parents, 0750.
int tc_make_dirs(tc_str path, struct tc_err *err);

// Takes an exclusive lock on FILE (made when absent, kept, holds our pid). Gives a descriptor
// that close() ends.
//   TC_EBUSY   names the path and the process that holds it
int tc_lock(tc_str path, int *out, struct tc_err *err);

// Locks the ipc path that an endpoint binds (PATH.lock); tcp and inproc need none (*out = -1).
int tc_lock_endpoint(tc_str endpoint, int *out, struct tc_err *err);

// Blocks SIGINT, SIGTERM, SIGHUP (and ignores SIGPIPE) in this and all later threads, and gives a
// signalfd that reports them.
int tc_signals_block(int *out_fd, struct tc_err *err);

// Raises the limit of open descriptors to what the system allows this process: a connection is one, and
// the customary 1,024 would turn a thousand subscribers away.
void tc_files_raise(void);

// The next signal waiting in the descriptor, 0 when there is none.
int tc_signal_next(int fd);

// Which boot of the machine this is: the monotonic clock means nothing in another one. `out` holds
// TC_BOOT_BYTES. Empty when nobody knows.
enum { TC_BOOT_BYTES = 64 };
tc_str tc_boot_id(char *out);

// Tells the service manager ($NOTIFY_SOCKET, if any): "READY=1", "STOPPING=1".
void tc_notify(const char *state);

#endif
