#include "common/daemon.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOBODY = 65534 };

static struct tc_arena *arena;
static char folder[64];

static int set_up(void **state)
{
    (void)state;
    static const char *const names[] = {
        "TOCSIN_RUNTIME_DIR", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOME",
        "NOTIFY_SOCKET"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    snprintf(folder, sizeof folder, "/tmp/tocsin-daemon-XXXXXX");
    arena = tc_arena_new();
    return mkdtemp(folder) && chmod(folder, 0777) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    tc_arena_free(arena);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static tc_str under(const char *path)
{
    return tc_arena_printf(arena, "%s/%s", folder, path);
}

static mode_t mode_of(tc_str path)
{
    struct stat found = {0};
    assert_int_equal(lstat(path.ptr, &found), 0);
    return found.st_mode & 0777;
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    struct tc_err err = {0};
    umask(022);
    assert_int_equal(tc_make_dirs(under("a/b//c/"), &err), TC_OK);
    assert_int_equal(tc_make_dirs(under("a/b/c"), &err), TC_OK);
    assert_int_equal(mode_of(under("a/b/c")), 0750);
    assert_int_equal(tc_make_dirs(TC_STR("/"), &err), TC_OK);
    close(open(under("file").ptr, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(tc_make_dirs(under("file/x"), &err), TC_EIO);
    assert_non_null(strstr(err.text, "Not a directory"));
}

static void the_runtime_folder_follows_the_environment(void **state)
{
    (void)state;
    tc_str path = {0};
    setenv("XDG_RUNTIME_DIR", under("xdg").ptr, 1);
    assert_int_equal(tc_runtime_dir(arena, false, &path, NULL), TC_OK);
    assert_true(tc_str_eq(path, under("xdg/tocsin")));
    assert_int_not_equal(access(path.ptr, F_OK), 0);
    setenv("TOCSIN_RUNTIME_DIR", under("own").ptr, 1);
    assert_int_equal(tc_runtime_dir(arena, true, &path, NULL), TC_OK);
    assert_true(tc_str_eq(path, under("own")));
    assert_int_equal(mode_of(path), 0750);
}

// Runs `check` as a user who is not root, in a process of its own; its exit status is the answer.
static int as_a_user(int (*check)(void))
{
    int status = -1;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(getuid() == 0 && setuid(NOBODY) != 0 ? 99 : check());
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int private_folder_is_made(void)
{
    tc_str path = {0};
    struct stat found;
    if (tc_runtime_dir(arena, true, &path, NULL) != TC_OK || lstat(path.ptr, &found) != 0)
        return 1;
    if ((found.st_mode & 0777) != 0700)
        return 2;
    return tc_runtime_dir(arena, true, &path, NULL) == TC_OK ? 0 : 3; // a second time
}

static int private_folder_is_refused(void)
{
    tc_str path = {0};
    struct tc_err err = {0};
    if (tc_runtime_dir(arena, true, &path, &err) != TC_EIO)
        return 1;
    if (tc_runtime_dir(arena, false, &path, &err) != TC_EIO)
        return 2;
    return strstr(err.text, "TOCSIN_RUNTIME_DIR") ? 0 : 3;
}

static tc_str private_name(void)
{
    unsigned long user = getuid() == 0 ? NOBODY : getuid();
    return tc_arena_printf(arena, "%s/tocsin-%lu", folder, user);
}

static void a_folder_under_the_temporary_one_is_ours_alone(void **state)
{
    (void)state;
    setenv("TMPDIR", folder, 1);
    assert_int_equal(as_a_user(private_folder_is_made), 0);
    assert_int_equal(chmod(private_name().ptr, 0770), 0);
    assert_int_equal(as_a_user(private_folder_is_refused), 0);
    assert_int_equal(rmdir(private_name().ptr), 0);
    assert_int_equal(symlink("/", private_name().ptr), 0);
    assert_int_equal(as_a_user(private_folder_is_refused), 0);
    unsetenv("TMPDIR");
}

static void the_state_folder_follows_the_environment(void **state)
{
    (void)state;
    tc_str path = {0};
    setenv("HOME", "/home/x", 1);
    assert_int_equal(tc_state_dir(arena, &path, NULL), TC_OK);
    assert_string_equal(path.ptr, getuid() ? "/home/x/.local/state/tocsin" : "/var/lib/tocsin");
    setenv("XDG_STATE_HOME", "/s", 1);
    assert_int_equal(tc_state_dir(arena, &path, NULL), TC_OK);
    assert_string_equal(path.ptr, "/s/tocsin");
    setenv("XDG_STATE_HOME", "relative", 1); // the specification: to be ignored
    assert_int_equal(tc_state_dir(arena, &path, NULL), TC_OK);
    assert_true(path.ptr[0] == '/');
}

static void the_nearest_configuration_is_found(void **state)
{
    (void)state;
    tc_str home = under("home/.config/tocsin"), xdg = under("xdg/tocsin");
    setenv("HOME", under("home").ptr, 1);
    assert_int_equal(tc_config_file(arena, "no-such.yaml").len, 0);
    assert_int_equal(tc_make_dirs(home, NULL), TC_OK);
    close(open(under("home/.config/tocsin/w.yaml").ptr, O_CREAT | O_WRONLY, 0600));
    assert_true(tc_str_eq(tc_config_file(arena, "w.yaml"), under("home/.config/tocsin/w.yaml")));
    assert_int_equal(tc_make_dirs(xdg, NULL), TC_OK);
    close(open(under("xdg/tocsin/w.yaml").ptr, O_CREAT | O_WRONLY, 0600));
    setenv("XDG_CONFIG_HOME", under("xdg").ptr, 1);
    assert_true(tc_str_eq(tc_config_file(arena, "w.yaml"), under("xdg/tocsin/w.yaml")));
}

static void a_held_lock_names_its_path_and_holder(void **state)
{
    (void)state;
    struct tc_err err = {0};
    char holder[32];
    int first = -1, second = -1;
    snprintf(holder, sizeof holder, "process %ld (", (long)getpid());
    assert_int_equal(tc_lock(under("l"), &first, &err), TC_OK);
    assert_int_equal(tc_lock(under("l"), &second, &err), TC_EBUSY);
    assert_int_equal(second, -1);
    assert_non_null(strstr(err.text, under("l").ptr));
    assert_non_null(strstr(err.text, holder));
    close(first);
    assert_int_equal(tc_lock(under("l"), &second, &err), TC_OK);
    close(second);
    assert_int_equal(tc_lock(under("no/such/folder"), &second, &err), TC_EIO);
}

static void only_ipc_endpoints_are_locked(void **state)
{
    (void)state;
    int fd = 5;
    tc_str ipc = tc_arena_printf(arena, "ipc://%s/a.sock", folder);
    assert_int_equal(tc_lock_endpoint(TC_STR("tcp://127.0.0.1:5561"), &fd, NULL), TC_OK);
    assert_int_equal(fd, -1);
    assert_int_equal(tc_lock_endpoint(TC_STR("ipc://@abstract"), &fd, NULL), TC_OK);
    assert_int_equal(fd, -1);
    assert_int_equal(tc_lock_endpoint(ipc, &fd, NULL), TC_OK);
    assert_true(fd >= 0);
    assert_int_equal(access(under("a.sock.lock").ptr, F_OK), 0);
    int second = -1;
    assert_int_equal(tc_lock_endpoint(ipc, &second, NULL), TC_EBUSY);
    close(fd);
}

static void blocked_signals_are_reported_one_by_one(void **state)
{
    (void)state;
    int fd = -1;
    assert_int_equal(tc_signals_block(&fd, NULL), TC_OK);
    assert_int_equal(tc_signal_next(fd), 0);
    raise(SIGHUP);
    assert_int_equal(tc_signal_next(fd), SIGHUP);
    raise(SIGTERM);
    assert_int_equal(tc_signal_next(fd), SIGTERM);
    assert_int_equal(tc_signal_next(fd), 0);
    close(fd);
}

static void readiness_is_told_to_the_service_manager(void **state)
{
    (void)state;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char got[32] = "";
    int manager = socket(AF_UNIX, SOCK_DGRAM, 0);
    tc_notify("READY=1"); // nobody to tell
    snprintf(at.sun_path, sizeof at.sun_path, "%s/notify", folder);
    assert_int_equal(bind(manager, (struct sockaddr *)&at, sizeof at), 0);
    setenv("NOTIFY_SOCKET", at.sun_path, 1);
    tc_notify("READY=1");
    assert_int_equal(recv(manager, got, sizeof got, MSG_DONTWAIT), 7);
    assert_string_equal(got, "READY=1");
    close(manager);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folders_are_made_with_their_parents, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_runtime_folder_follows_the_environment, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_folder_under_the_temporary_one_is_ours_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_state_folder_follows_the_environment, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_nearest_configuration_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_held_lock_names_its_path_and_holder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_ipc_endpoints_are_locked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blocked_signals_are_reported_one_by_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(readiness_is_told_to_the_service_manager, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
