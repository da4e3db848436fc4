// disk_preload - lets the disk fail under a real program: LD_PRELOAD=libtocsin_disk.so
//
//   TOCSIN_DISK="FOLDER OPERATION NTH [RESULT [lasting]]"
//
// OPERATION is write, sync, truncate, open or read, RESULT "full" or "error" (the default); see disk.h.
#include "tests/fault/disk.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum disk_op op;
    int result;
} operations[] = {
    {"write", DISK_WRITE, SQLITE_IOERR_WRITE},
    {"sync", DISK_SYNC, SQLITE_IOERR_FSYNC},
    {"truncate", DISK_TRUNCATE, SQLITE_IOERR_TRUNCATE},
    {"open", DISK_OPEN, SQLITE_CANTOPEN},
    {"read", DISK_READ, SQLITE_IOERR_READ},
};

__attribute__((constructor)) static void arm(void)
{
    const char *wanted = getenv("TOCSIN_DISK");
    char folder[256], operation[16], result[16] = "error", lasting[16] = "";
    unsigned nth = 0;
    if (!wanted)
        return;
    if (sscanf(wanted, "%255s %15s %u %15s %15s", folder, operation, &nth, result, lasting) < 3)
        abort();
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(operation, operations[i].name) == 0)
            disk_fail(disk_new(folder), operations[i].op, nth,
                      strcmp(result, "full") == 0 ? SQLITE_FULL : operations[i].result,
                      lasting[0] != '\0');
    }
}
