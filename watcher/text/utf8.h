// utf8 - the door: bytes become code points, whatever they are.
//
// Nothing is copied to repair text: a byte that is no UTF-8 reads as U+FFFD where it stands, so
// offsets stay those of the original.
//
//   threads  any
#ifndef UTF8_H
#define UTF8_H

#include "common/arena.h"

enum { UTF8_BAD = 0xFFFD, UTF8_MOST = 4 };

// Reads the code point at p (p < end) and gives the number of bytes it takes. Bad bytes give
// UTF8_BAD for each longest part that could have begun a character, as Unicode 15 section 3.9
// recommends.
size_t utf8_read(const char *p, const char *end, uint32_t *cp);

// The same, fast for good characters of one, two and three bytes, which is nearly all text.
static inline size_t utf8_next(const char *p, const char *end, uint32_t *cp)
{
    const unsigned char *s = (const unsigned char *)p;
    if (s[0] < 0x80) {
        *cp = s[0];
        return 1;
    }
    if (s[0] >= 0xC2 && s[0] <= 0xDF && end - p > 1 && (s[1] & 0xC0) == 0x80) {
        *cp = (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
        return 2;
    }
    // E0 and ED have bounds of their own for the second byte.
    if ((s[0] & 0xF0) == 0xE0 && s[0] != 0xE0 && s[0] != 0xED && end - p > 2 &&
        (s[1] & 0xC0) == 0x80 && (s[2] & 0xC0) == 0x80) {
        *cp = (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
        return 3;
    }
    return utf8_read(p, end, cp);
}

// The start of the character before p; start < p.
const char *utf8_back(const char *start, const char *p);

// Whether all bytes are below 0x80.
bool utf8_is_ascii(tc_str text);

// How many bad places `text` has, each of which reads as U+FFFD.
uint32_t utf8_bad(tc_str text);

// Normalises valid UTF-8 to NFC in `out` of `room` bytes; gives the number of bytes written.
// Text that would not fit is copied as it is, cut to the room.
size_t utf8_nfc(tc_str text, char *out, size_t room);

#endif
