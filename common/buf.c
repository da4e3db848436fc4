#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

char *tc_buf_reserve(struct tc_buf *buf, size_t more)
{
    size_t need = 0;
    if (buf->failed || __builtin_add_overflow(buf->len, more, &need) ||
        __builtin_add_overflow(need, (size_t)1, &need)) {
        buf->failed = true;
        return NULL;
    }
    if (need > buf->capacity) {
        size_t capacity = buf->capacity < 64 ? 64 : buf->capacity;
        while (capacity < need)
            capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
        char *grown = realloc(buf->ptr, capacity);
        if (!grown) {
            buf->failed = true;
            return NULL;
        }
        buf->ptr = grown;
        buf->capacity = capacity;
    }
    return buf->ptr + buf->len;
}

void tc_buf_add_grown(struct tc_buf *buf, const void *bytes, size_t len)
{
    char *to = tc_buf_reserve(buf, len);
    if (!to)
        return;
    if (len)
        memcpy(to, bytes, len);
    buf->len += len;
    buf->ptr[buf->len] = '\0';
}

void tc_buf_addf(struct tc_buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = len < 0 ? NULL : tc_buf_reserve(buf, (size_t)len);
    if (to) {
        vsnprintf(to, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

static void add_integer(struct tc_buf *buf, uint64_t value, size_t bytes)
{
    char little[8];
    for (size_t i = 0; i < bytes; i++)
        little[i] = (char)(value >> (8 * i));
    tc_buf_add(buf, little, bytes);
}

void tc_buf_u8(struct tc_buf *buf, uint8_t value)
{
    add_integer(buf, value, 1);
}

void tc_buf_u16(struct tc_buf *buf, uint16_t value)
{
    add_integer(buf, value, 2);
}

void tc_buf_u32(struct tc_buf *buf, uint32_t value)
{
    add_integer(buf, value, 4);
}

void tc_buf_u64(struct tc_buf *buf, uint64_t value)
{
    add_integer(buf, value, 8);
}

void tc_buf_done(struct tc_buf *buf)
{
    free(buf->ptr);
    *buf = (struct tc_buf){0};
}
