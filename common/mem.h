// mem - memory for the programs; running out ends the process.
//
// Outbox and store make that safe (what is acknowledged is on disk), and size is bounded at
// the door. libtocsin must not use this: it reports TOCSIN_ENOMEM instead.
#ifndef TC_MEM_H
#define TC_MEM_H

#include <stddef.h>

// Zeroed memory, never NULL; free() ends it.
void *tc_new(size_t bytes) __attribute__((malloc, returns_nonnull));

// An array grown to hold `count` items of `size` bytes; never NULL. New bytes are not zeroed.
void *tc_grow(void *array, size_t count, size_t size) __attribute__((returns_nonnull));

// Makes room for one more item in a growing array: doubles *capacity when `count` has reached it.
// Use as: list = tc_room(list, n, &cap, sizeof *list);
void *tc_room(void *array, size_t count, size_t *capacity, size_t size)
    __attribute__((returns_nonnull));

// Memory for a table that is read here and there: not zeroed, at cache lines, and from some megabytes on
// upon huge pages where the system grants them, so that a look-up in it misses the cache only, not the
// page table too. Never NULL; free() ends it.
void *tc_table(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

// As free(), for arrays that may be large. Their pages are given back in steps first: while one thread gives back
// many at once, no other can get or return memory of its own. (64 MiB took 67 to 133 ms; threads that matched
// articles waited 7 to 22 ms for it.)
void tc_free(void *memory); // NULL is fine

// For a program whose threads should seldom wait for one another in malloc: what a thread has got it keeps, so
// that an article is read in memory that is there, and only large blocks come and go.
void tc_mem_keep(void);

// A zero-ended copy; free() ends it.
char *tc_dup(const char *bytes, size_t len) __attribute__((malloc, returns_nonnull));

#endif
