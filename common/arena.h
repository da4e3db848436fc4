// arena - memory that is carved in order and freed all at once.
//
// One arena per article (or per configuration). Stages carve, nobody frees; the last one
// empties it. Belongs to one thread at a time: it travels with its article.
//
//   memory   blocks of at least 16 KiB; tc_arena_empty() keeps the largest up to 1 MiB, so that an
//            arena that serves many articles soon asks for no more memory
//   cost     a pointer bump; a malloc per block
#ifndef TC_ARENA_H
#define TC_ARENA_H

#include "common/str.h"

struct tc_arena;

struct tc_arena *tc_arena_new(void); // tc_arena_free() ends it
void tc_arena_free(struct tc_arena *arena);

// Zeroed, aligned for numbers and pointers, never NULL. Lives until the arena is emptied or freed.
void *tc_arena_take(struct tc_arena *arena, size_t bytes) __attribute__((returns_nonnull));

// The same, not zeroed: for large arrays that are filled in order.
void *tc_arena_room(struct tc_arena *arena, size_t bytes) __attribute__((returns_nonnull));

// Not zeroed, any alignment: for text.
char *tc_arena_bytes(struct tc_arena *arena, size_t bytes) __attribute__((returns_nonnull));

// copies into the arena; a zero byte stands behind the copy, uncounted.
tc_str tc_arena_str(struct tc_arena *arena, tc_str s);

// A string put together in the arena.
tc_str tc_arena_printf(struct tc_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Everything carved so far is gone; the memory is kept for the next article.
void tc_arena_empty(struct tc_arena *arena);

// Bytes held from the system, for limits and statistics.
size_t tc_arena_held(const struct tc_arena *arena);

#endif
