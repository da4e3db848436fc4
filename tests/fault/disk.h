// disk - a SQLite file system that knows what a power cut would leave, and fails on demand.
//
// It lies over the system's own ("unix") and is SQLite's default while it lives, so that the store and the
// outbox run on it unchanged. Of each file in its folder it keeps what was synced, and every write and
// truncate since, in order. disk_image() writes what a disk could hold if the power went now. The model:
//
//   - what was synced is there; of what was not, any subset of 512-byte sectors, or a prefix in order;
//   - a write changes nothing outside its bytes (SQLite assumes so, too: SQLITE_IOCAP_POWERSAFE_OVERWRITE);
//   - names of files are durable at once; shared memory (-shm) is not on the disk at all;
//   - a sync that fails has lost what it should have saved, as Linux does it.
//
//   memory   a copy of every file
//   threads  one; one disk at a time
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/chance.h"

enum disk_op { DISK_WRITE, DISK_SYNC, DISK_TRUNCATE, DISK_OPEN, DISK_READ, DISK_OPS };

struct disk;

// All files whose path begins with `folder` are watched. disk_free() ends it.
struct disk *disk_new(const char *folder);
void disk_free(struct disk *disk);

// Gives PRAGMA name another value than our programs ask for; at most as many characters as theirs.
void disk_pragma(struct disk *disk, const char *name, const char *value);

// Told before every write, sync and truncate of a watched file; may call disk_image().
void disk_tell(struct disk *disk, void (*told)(void *context), void *context);

enum disk_cut { DISK_NOTHING, DISK_EVERYTHING, DISK_SECTORS, DISK_PREFIX, DISK_CUTS };

// Writes into another folder what the disk could hold if the power were cut now.
void disk_image(const struct disk *disk, enum disk_cut cut, struct chance *chance,
                const char *folder);

// The n-th operation of that kind from now (from 1) ends with SQLite's `result`, and with `lasting` all
// later ones of the kind, too. A write that fails has written half of its sectors. 0 disarms.
void disk_fail(struct disk *disk, enum disk_op op, unsigned nth, int result, bool lasting);
bool disk_failed(const struct disk *disk); // whether an operation was made to fail

#endif
