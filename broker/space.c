#include "broker/space.h"

#include "common/clock.h"
#include "common/fault.h"
#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

struct space {
    char *folder, *ballast;
    uint64_t reserve;
    struct space_state state;
    int64_t next_mono_ns;
    bool met_full;
};

const struct space_state *space_state(const struct space *space)
{
    return &space->state;
}

// SQLite's log needs memory that is shared between processes, and locks that hold, neither of which is
// sure there. Numbers from linux/magic.h and the file systems' own sources.
const char *space_network(long magic)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } known[] = {
        {0x6969, "NFS"},        {0x517b, "SMB"},       {0xff534d42, "CIFS"}, {0xfe534d42, "SMB2"},
        {0x01021997, "9P"},     {0x5346414f, "AFS"},   {0x73757245, "Coda"}, {0x00c36400, "Ceph"},
        {0x0bd00bd0, "Lustre"}, {0x65735546, "FUSE"},  {0x47504653, "GPFS"}, {0x7461636f, "OCFS2"},
        {0x01161970, "GFS2"},   {0x19830326, "FhGFS"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if ((unsigned long)magic == known[i].magic)
            return known[i].name;
    }
    return NULL;
}

static int check_folder(const struct space *space, bool network, struct tc_err *err)
{
    struct statfs status;
    if (statfs(space->folder, &status) != 0)
        return tc_fail(err, TC_EIO, "cannot ask for the file system of %s: %s", space->folder,
                       strerror(errno));
    const char *name = tc_fault_strikes("space.network") ? "NFS" : space_network(status.f_type);
    if (name && !network)
        return tc_fail(err, TC_EINVAL,
                       "%s is on %s, where locks and shared memory are not sure, and a history can "
                       "be lost: put the store on a local disk, or write network_storage: true",
                       space->folder, name);
    return TC_OK;
}

// --- what is held back ---

static bool ballast_is_there(const struct space *space)
{
    struct stat status;
    return stat(space->ballast, &status) == 0 && (uint64_t)status.st_size == space->reserve &&
           (uint64_t)status.st_blocks * 512 >= space->reserve;
}

static void make_ballast(struct space *space)
{
    if (space->reserve && !ballast_is_there(space)) {
        int fd = open(space->ballast, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
        if (fd < 0 || posix_fallocate(fd, 0, (off_t)space->reserve) != 0)
            unlink(space->ballast);
        if (fd >= 0)
            close(fd);
    }
    space->state.held_back = space->reserve && ballast_is_there(space);
}

static void drop_ballast(struct space *space)
{
    unlink(space->ballast);
    space->state.held_back = false;
}

// --- looking ---

static void look(struct space *space)
{
    struct statvfs status;
    if (statvfs(space->folder, &status) == 0)
        space->state.free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
}

static uint64_t room(const struct space *space, struct store *store)
{
    return space->state.free_bytes + store_free_bytes(store);
}

// A full disk that has room again, or never lacked it (a quota, say), is tried again at every write.
bool space_turn(struct space *space, struct store *store, int64_t now_mono_ns)
{
    uint64_t least = space->reserve / 3; // as much as the log may grow
    uint64_t enough = 2 * least + space->reserve;
    bool before = space->state.low;
    if (now_mono_ns < space->next_mono_ns && !space->met_full)
        return false;
    space->next_mono_ns = now_mono_ns + SPACE_LOOK_MS * TC_MS;
    look(space);
    uint64_t there = room(space, store);
    if (there < least || (space->met_full && there < enough)) {
        drop_ballast(space);
        store_checkpoint(store);
        look(space);
        space->state.low = space->reserve > 0;
    } else if (there >= enough) {
        space->state.low = false;
    }
    if (!space->state.low && !space->state.held_back && space->state.free_bytes >= enough) {
        make_ballast(space);
        look(space);
    }
    space->met_full = false;
    return space->state.low != before;
}

void space_met_full(struct space *space)
{
    space->met_full = true;
}

// --- opening ---

int space_open(tc_str path, uint64_t reserve, bool network, struct space **out, struct tc_err *err)
{
    struct space *space = tc_new(sizeof *space);
    size_t slash = path.len;
    while (slash && path.ptr[slash - 1] != '/')
        slash--;
    space->folder = slash > 1 ? tc_dup(path.ptr, slash - 1) : tc_dup(slash ? "/" : ".", 1);
    space->ballast = tc_new(path.len + sizeof ".ballast");
    snprintf(space->ballast, path.len + sizeof ".ballast", "%.*s.ballast", TC_ARG(path));
    space->reserve = reserve;
    int code = check_folder(space, network, err);
    if (code != TC_OK) {
        space_close(space);
        return code;
    }
    look(space);
    if (!reserve || space->state.free_bytes < reserve / 3) {
        // Opening the store needs room, too: its log and shared memory.
        drop_ballast(space);
        look(space);
        space->state.low = reserve > 0;
    } else if (ballast_is_there(space) || space->state.free_bytes >= reserve + reserve / 3) {
        make_ballast(space);
    }
    *out = space;
    return TC_OK;
}

void space_close(struct space *space)
{
    if (!space)
        return;
    free(space->folder);
    free(space->ballast);
    free(space);
}
