#include "common/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CACHE_LINE = 64, HUGE_PAGE = 2 << 20, LARGE = 2 << 20, STEP = 512 * 1024 };

static void *need(void *got)
{
    if (!got) {
        fputs("level=fatal event=memory.exhausted\n", stderr);
        abort();
    }
    return got;
}

void *tc_new(size_t bytes)
{
    return need(calloc(1, bytes ? bytes : 1));
}

void *tc_grow(void *array, size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count ? count : 1, size, &bytes))
        return need(NULL);
    return need(realloc(array, bytes));
}

void *tc_room(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity && array)
        return array;
    *capacity = count < 4 ? 8 : count * 2;
    return tc_grow(array, *capacity, size);
}

void *tc_table(size_t count, size_t size)
{
    size_t bytes = 0, align = CACHE_LINE;
    if (__builtin_mul_overflow(count ? count : 1, size, &bytes))
        return need(NULL);
    if (bytes >= LARGE)
        align = HUGE_PAGE;
    bytes = (bytes + align - 1) / align * align;
    void *table = need(aligned_alloc(align, bytes));
    if (align == HUGE_PAGE)
        madvise(table, bytes, MADV_HUGEPAGE); // refused: small pages, as ever
    return table;
}

void tc_free(void *memory)
{
    size_t bytes = memory ? malloc_usable_size(memory) : 0;
    if (bytes >= LARGE) {
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
        uintptr_t at = ((uintptr_t)memory + page - 1) / page * page;
        uintptr_t end = ((uintptr_t)memory + bytes) / page * page;
        for (; at < end; at += STEP)
            madvise((void *)at, end - at < STEP ? end - at : STEP, MADV_DONTNEED);
    }
    free(memory);
}

void tc_mem_keep(void)
{
    enum { COMES_AND_GOES = 1 << 20, KEPT = 32 << 20 };
    mallopt(M_MMAP_THRESHOLD, COMES_AND_GOES);
    mallopt(M_TRIM_THRESHOLD, KEPT);
}

char *tc_dup(const char *bytes, size_t len)
{
    char *copy = tc_new(len + 1);
    if (len)
        memcpy(copy, bytes, len);
    return copy;
}
