#include "client/cli/exec.h"

#include "client/cli/cli.h"
#include "common/buf.h"
#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

// From SIGTERM to SIGKILL, for a command whose time is up.
enum { GRACE_MS = 5000, VARIABLES_MOST = 32 };

extern char **environ;

static int alert_file(const struct tocsin_event *alert)
{
    int fd = memfd_create("alert.json", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (write(fd, alert->json, alert->json_bytes) != (ssize_t)alert->json_bytes ||
        write(fd, "\n", 1) != 1 || lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

// Our variables one behind the other, each zero-ended.
static void write_variables(const struct exec_order *order, const struct tocsin_event *alert,
                            struct tc_buf *out)
{
    const struct {
        const char *name, *value;
    } texts[] = {
        {"ID", alert->id},
        {"TOPIC", alert->topic},
        {"TIME", alert->time},
        {"WATCH", alert->watch},
        {"SEVERITY", alert->severity},
        {"ARTICLE", alert->article},
        {"SOURCE", alert->source},
        {"TITLE", alert->title},
        {"URL", alert->url},
        {"LANGUAGE", alert->language},
        {"PUBLISHED", alert->published},
        {"EXCERPT", alert->excerpt},
        {"STORY", alert->story},
        {"CONSUMER", order->consumer},
    };
    tc_buf_addf(out, "TOCSIN_ALERT_SEQ=%" PRIu64, alert->seq);
    tc_buf_byte(out, '\0');
    tc_buf_addf(out, "TOCSIN_ALERT_ATTEMPT=%" PRIu64, order->attempt);
    tc_buf_byte(out, '\0');
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        tc_buf_addf(out, "TOCSIN_ALERT_%s=%s", texts[i].name, texts[i].value);
        tc_buf_byte(out, '\0');
    }
}

// Ours first: of two of one name, programs take the first. Free the array.
static char **environment_with(struct tc_buf *variables)
{
    size_t count = 0, at = 0;
    while (environ[count])
        count++;
    char **all = calloc(count + VARIABLES_MOST + 1, sizeof *all);
    if (!all || variables->failed) {
        free(all);
        return NULL;
    }
    for (char *text = variables->ptr; text < variables->ptr + variables->len;
         text += strlen(text) + 1)
        all[at++] = text;
    memcpy(all + at, environ, count * sizeof *all);
    return all;
}

static pid_t start(const struct exec_order *order, const struct tocsin_event *alert, int input)
{
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, strdup(order->command), NULL};
    struct tc_buf variables = {0};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t child = -1;
    int reason = ENOMEM;
    write_variables(order, alert, &variables);
    char **environment = environment_with(&variables);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    if (argv[2] && environment)
        reason = posix_spawn(&child, "/bin/sh", &actions, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(environment);
    tc_buf_done(&variables);
    free(argv[2]);
    errno = reason;
    return reason ? -1 : child;
}

// Waits for the child's end, at most to `until`. False: it still runs.
static bool wait_until(int pidfd, int64_t until, uint64_t seq)
{
    struct pollfd item = {.fd = pidfd, .events = POLLIN};
    for (;;) {
        int64_t left = until == INT64_MAX ? -1 : (until - tc_mono_ns() + TC_MS - 1) / TC_MS;
        int ready = poll(&item, 1, until == INT64_MAX ? -1 : left > 0 ? (int)left : 0);
        if (ready > 0)
            return true;
        if (ready == 0)
            return false;
        cli_say("stopping as soon as the command for alert #%" PRIu64 " has ended", seq);
    }
}

// True when it had to be ended.
static bool wait_for(pid_t child, const struct exec_order *order, uint64_t seq, int *how)
{
    int pidfd = pidfd_open(child, 0);
    bool late = false;
    if (pidfd >= 0 && order->timeout_ms) {
        late = !wait_until(pidfd, tc_mono_ns() + order->timeout_ms * TC_MS, seq);
        if (late) {
            kill(-child, SIGTERM);
            if (!wait_until(pidfd, tc_mono_ns() + GRACE_MS * TC_MS, seq))
                kill(-child, SIGKILL);
        }
    } else if (pidfd >= 0) {
        wait_until(pidfd, INT64_MAX, seq);
    }
    if (pidfd >= 0)
        close(pidfd);
    while (waitpid(child, how, 0) < 0 && errno == EINTR)
        ;
    if (late) // what it has left behind in its group
        kill(-child, SIGKILL);
    return late;
}

void exec_run(const struct exec_order *order, const struct tocsin_event *alert,
              struct handover *out)
{
    int how = 0;
    int input = alert_file(alert);
    pid_t child = input >= 0 ? start(order, alert, input) : -1;
    *out = (struct handover){.outcome = HANDOVER_LATER};
    if (child < 0)
        snprintf(out->why, sizeof out->why, "the command cannot be run: %s", strerror(errno));
    if (input >= 0)
        close(input);
    if (child < 0)
        return;
    if (wait_for(child, order, alert->seq, &how))
        snprintf(out->why, sizeof out->why, "the command was ended after %d ms", order->timeout_ms);
    else if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        out->outcome = HANDOVER_TAKEN;
    else if (WIFEXITED(how))
        snprintf(out->why, sizeof out->why, "the command ended with %d", WEXITSTATUS(how));
    else
        snprintf(out->why, sizeof out->why, "the command died of signal %d", WTERMSIG(how));
}
