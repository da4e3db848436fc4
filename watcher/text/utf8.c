#include "watcher/text/utf8.h"

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

enum { NFC_UNITS = 4096 }; // longest run that is normalised, in UTF-16 units

size_t utf8_read(const char *p, const char *end, uint32_t *cp)
{
    const unsigned char *s = (const unsigned char *)p;
    size_t room = (size_t)(end - p);
    unsigned char c = s[0], low = 0x80, high = 0xBF; // bounds of the second byte
    size_t need;

    *cp = UTF8_BAD;
    if (c < 0x80) {
        *cp = c;
        return 1;
    }
    if (c >= 0xC2 && c <= 0xDF) {
        need = 1;
    } else if (c >= 0xE0 && c <= 0xEF) {
        need = 2;
        if (c == 0xE0)
            low = 0xA0;
        if (c == 0xED)
            high = 0x9F; // surrogates
    } else if (c >= 0xF0 && c <= 0xF4) {
        need = 3;
        if (c == 0xF0)
            low = 0x90;
        if (c == 0xF4)
            high = 0x8F;
    } else {
        return 1;
    }
    uint32_t value = c & (0x3Fu >> need);
    for (size_t i = 1; i <= need; i++) {
        if (i == room || s[i] < low || s[i] > high)
            return i;
        value = value << 6 | (s[i] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    *cp = value;
    return need + 1;
}

const char *utf8_back(const char *start, const char *p)
{
    const char *q = p - 1;
    while (q > start && p - q < UTF8_MOST && ((unsigned char)*q & 0xC0) == 0x80)
        q--;
    uint32_t cp;
    return utf8_next(q, p, &cp) == (size_t)(p - q) ? q : p - 1;
}

// Eight ASCII bytes at a time: most text is mostly ASCII.
static const char *skip_ascii(const char *p, const char *end)
{
    uint64_t eight;
    for (; (size_t)(end - p) >= sizeof eight; p += sizeof eight) {
        memcpy(&eight, p, sizeof eight);
        if (eight & UINT64_C(0x8080808080808080))
            break;
    }
    return p;
}

bool utf8_is_ascii(tc_str text)
{
    if (!text.len)
        return true; // without a pointer, perhaps
    const char *end = text.ptr + text.len, *p = skip_ascii(text.ptr, end);
    while (p < end && (unsigned char)*p < 0x80)
        p++;
    return p == end;
}

uint32_t utf8_bad(tc_str text)
{
    uint32_t bad = 0, cp;
    if (!text.len)
        return 0;
    const char *p = text.ptr, *end = text.ptr + text.len;
    while ((p = skip_ascii(p, end)) < end) {
        size_t len = utf8_next(p, end, &cp);
        // A true U+FFFD in the text is three good bytes.
        bad += cp == UTF8_BAD && !(len == 3 && (unsigned char)p[2] == 0xBD &&
                                   (unsigned char)p[1] == 0xBF && (unsigned char)p[0] == 0xEF);
        p += len;
    }
    return bad;
}

size_t utf8_nfc(tc_str text, char *out, size_t room)
{
    UChar wide[NFC_UNITS], done[NFC_UNITS];
    int32_t len = 0, bytes = 0;
    UErrorCode code = U_ZERO_ERROR;

    if (text.len < NFC_UNITS) {
        u_strFromUTF8(wide, NFC_UNITS, &len, text.ptr, (int32_t)text.len, &code);
        len = unorm2_normalize(unorm2_getNFCInstance(&code), wide, len, done, NFC_UNITS, &code);
        u_strToUTF8(out, (int32_t)room, &bytes, done, len, &code);
        if (U_SUCCESS(code))
            return (size_t)bytes;
    }
    size_t keep = text.len < room ? text.len : room;
    memcpy(out, text.ptr, keep);
    return keep;
}
