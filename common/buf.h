// buf - a growing run of bytes for building messages, lines and JSON.
//
// Zero it (`struct tc_buf buf = {0};`) and add; the first failed allocation sets `failed`,
// after which adding does nothing, so that a caller checks once, at the end. The bytes always
// end in a zero byte that is not counted.
//
//   memory   doubles as it grows; tc_buf_done() frees
//   safe     for libtocsin
#ifndef TC_BUF_H
#define TC_BUF_H

#include "common/str.h"

struct tc_buf {
    char *ptr;
    size_t len, capacity;
    bool failed; // memory ran out; what is there is incomplete
};

void tc_buf_add_grown(struct tc_buf *buf, const void *bytes, size_t len); // tc_buf_add's rare way

// Mostly there is room already: then this is a copy and nothing else.
static inline void tc_buf_add(struct tc_buf *buf, const void *bytes, size_t len)
{
    if (len == 0 || buf->failed || buf->capacity - buf->len <= len) {
        tc_buf_add_grown(buf, bytes, len);
        return;
    }
    memcpy(buf->ptr + buf->len, bytes, len);
    buf->len += len;
    buf->ptr[buf->len] = '\0';
}

static inline void tc_buf_str(struct tc_buf *buf, tc_str s)
{
    tc_buf_add(buf, s.ptr, s.len);
}

static inline void tc_buf_puts(struct tc_buf *buf, const char *zero_ended)
{
    tc_buf_add(buf, zero_ended, strlen(zero_ended));
}

static inline void tc_buf_byte(struct tc_buf *buf, char byte)
{
    tc_buf_add(buf, &byte, 1);
}

void tc_buf_addf(struct tc_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Integers, little-endian, as all our binary formats have them.
void tc_buf_u8(struct tc_buf *buf, uint8_t value);
void tc_buf_u16(struct tc_buf *buf, uint16_t value);
void tc_buf_u32(struct tc_buf *buf, uint32_t value);
void tc_buf_u64(struct tc_buf *buf, uint64_t value);

// Makes room for `more` bytes behind the last; returns where they go, NULL without memory.
char *tc_buf_reserve(struct tc_buf *buf, size_t more);

static inline tc_str tc_buf_view(const struct tc_buf *buf) // views buf until it changes
{
    return (tc_str){buf->ptr ? buf->ptr : "", buf->len};
}

static inline void tc_buf_clear(struct tc_buf *buf) // keeps the memory
{
    buf->len = 0;
    buf->failed = false;
}

void tc_buf_done(struct tc_buf *buf);

#endif
