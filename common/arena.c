#include "common/arena.h"

#include "common/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    BLOCK_BYTES = 16 * 1024,
    KEPT_BYTES = 1 << 20,  // the largest block that an empty arena holds
    LARGE_BYTES = 8 << 20, // an arena that holds as much will fill its next block too
    ASK_BYTES = 256 * 1024,
    ALIGN = 8, // of every number and pointer; nothing wider lies in arenas
};

struct block {
    struct block *older;
    size_t bytes; // room in data
    _Alignas(max_align_t) char data[];
};

struct tc_arena {
    struct block *newest;
    size_t used;  // of the newest block
    size_t asked; // bytes of it whose pages are there, or are left to come one by one
    size_t held;
};

// Asks for the next pages of a large arena together, up to what is carved and ASK_BYTES more. One by one, when they
// are first written, they cost twice as much (2.2 to 4 s of CPU a gigabyte in a virtual machine). ASK_BYTES are
// few enough to be in the cache still when they are used.
static void ask_for_pages(struct tc_arena *arena)
{
    struct block *block = arena->newest;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    size_t end = arena->used + ASK_BYTES < block->bytes ? arena->used + ASK_BYTES : block->bytes;
    uintptr_t from = ((uintptr_t)block->data + arena->asked + page - 1) / page * page;
    uintptr_t to = (uintptr_t)(block->data + end) / page * page;
    if (from < to)
        madvise((void *)from, to - from, MADV_POPULATE_WRITE); // refused: one by one, as ever
    arena->asked = end;
}

static void add_block(struct tc_arena *arena, size_t bytes)
{
    size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    // Blocks grow with the arena, so that a large article costs few of them; a block is larger than
    // all before it, so that the kept one holds the whole of such an article the next time.
    if (room < 2 * arena->held)
        room = 2 * arena->held < KEPT_BYTES ? 2 * arena->held : KEPT_BYTES;
    if (room < bytes)
        room = bytes;
    struct block *block = tc_grow(NULL, 1, sizeof *block + room);
    block->older = arena->newest;
    block->bytes = room;
    arena->newest = block;
    arena->used = 0;
    arena->held += room;
    arena->asked = arena->held < LARGE_BYTES ? room : 0;
}

struct tc_arena *tc_arena_new(void)
{
    struct tc_arena *arena = tc_new(sizeof *arena);
    add_block(arena, BLOCK_BYTES);
    return arena;
}

static void free_blocks(struct block *block)
{
    while (block) {
        struct block *older = block->older;
        free(block);
        block = older;
    }
}

void tc_arena_free(struct tc_arena *arena)
{
    if (!arena)
        return;
    free_blocks(arena->newest);
    free(arena);
}

static char *carve(struct tc_arena *arena, size_t bytes, size_t align)
{
    size_t from = (arena->used + align - 1) / align * align;
    if (from > arena->newest->bytes || arena->newest->bytes - from < bytes) {
        add_block(arena, bytes);
        from = 0;
    }
    arena->used = from + bytes;
    if (arena->used > arena->asked)
        ask_for_pages(arena);
    return arena->newest->data + from;
}

void *tc_arena_take(struct tc_arena *arena, size_t bytes)
{
    return memset(carve(arena, bytes, ALIGN), 0, bytes);
}

void *tc_arena_room(struct tc_arena *arena, size_t bytes)
{
    return carve(arena, bytes, ALIGN);
}

char *tc_arena_bytes(struct tc_arena *arena, size_t bytes)
{
    return carve(arena, bytes, 1);
}

tc_str tc_arena_str(struct tc_arena *arena, tc_str s)
{
    char *copy = tc_arena_bytes(arena, s.len + 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return (tc_str){copy, s.len};
}

tc_str tc_arena_printf(struct tc_arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t bytes = len < 0 ? 0 : (size_t)len;
    char *text = tc_arena_bytes(arena, bytes + 1);
    vsnprintf(text, bytes + 1, format, again);
    va_end(again);
    return (tc_str){text, bytes};
}

void tc_arena_empty(struct tc_arena *arena)
{
    struct block *kept = NULL; // there is one: the first block is small enough
    for (struct block *block = arena->newest; block; block = block->older) {
        if (block->bytes <= KEPT_BYTES && (!kept || block->bytes > kept->bytes))
            kept = block;
    }
    while (arena->newest) {
        struct block *block = arena->newest;
        arena->newest = block->older;
        if (block != kept)
            free(block);
    }
    kept->older = NULL;
    arena->newest = kept;
    arena->used = 0;
    arena->asked = arena->held = kept->bytes;
}

size_t tc_arena_held(const struct tc_arena *arena)
{
    return arena->held;
}
