#include "watcher/text/unmark.h"

#include "common/utf8.h"
#include "watcher/text/utf8.h"

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

enum { PARTS = 20 }; // UTF-16 units of the longest decomposition, and some

static bool is_mark(uint32_t cp)
{
    return (cp >= 0x300 && cp <= 0x36F) ||                // Latin, Greek, Cyrillic
           (cp >= 0x591 && cp <= 0x5C7 && cp != 0x5BE) || // Hebrew points
           (cp >= 0x64B && cp <= 0x65F) || cp == 0x670;   // Arabic vowels
}

// What a stroke goes through.
static uint32_t without_stroke(uint32_t cp)
{
    switch (cp) {
    case 0x110:
    case 0x111: return 'd'; // Đ đ
    case 0xD8:
    case 0xF8: return 'o'; // Ø ø
    case 0x141:
    case 0x142: return 'l'; // Ł ł
    case 0x126:
    case 0x127: return 'h'; // Ħ ħ
    case 0x166:
    case 0x167: return 't'; // Ŧ ŧ
    case 0x131: return 'i'; // ı
    default: return cp;
    }
}

static size_t put(uint32_t cp, char *out, size_t used, size_t room)
{
    return used + UTF8_MOST <= room ? used + tc_utf8_put(cp, out + used) : used;
}

// Writes the parts of a character that are no marks; the character itself when it has no mark.
static size_t put_parts(uint32_t cp, const UNormalizer2 *nfd, char *out, size_t used, size_t room)
{
    UChar units[PARTS];
    UChar32 parts[PARTS];
    UErrorCode code = U_ZERO_ERROR;
    int32_t count = unorm2_getDecomposition(nfd, (UChar32)cp, units, PARTS, &code);
    size_t end = used;
    bool marked = false;
    if (count > 0)
        u_strToUTF32(parts, PARTS, &count, units, count, &code);
    for (int32_t i = 0; U_SUCCESS(code) && i < count; i++) {
        uint32_t part = (uint32_t)parts[i];
        marked = marked || is_mark(part);
        if (!is_mark(part))
            end = put(without_stroke(part), out, end, room);
    }
    return marked ? end : put(without_stroke(cp), out, used, room);
}

size_t unmark(tc_str folded, char *out, size_t room)
{
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&code);
    const char *p = folded.ptr, *end = folded.ptr + folded.len;
    size_t used = 0;
    while (p < end) {
        uint32_t cp;
        p += utf8_next(p, end, &cp);
        if (cp < 0x80)
            used = put(cp, out, used, room);
        else if (!is_mark(cp))
            used = put_parts(cp, nfd, out, used, room);
    }
    return used;
}

size_t unmark_german(tc_str folded, char *out, size_t room)
{
    const char *p = folded.ptr, *end = folded.ptr + folded.len;
    size_t used = 0;
    while (p < end) {
        uint32_t cp;
        p += utf8_next(p, end, &cp);
        bool umlaut = cp == 0xE4 || cp == 0xF6 || cp == 0xFC;
        uint32_t letter = cp == 0xE4 ? 'a' : cp == 0xF6 ? 'o' : cp == 0xFC ? 'u' : cp;
        used = put(letter, out, used, room);
        if (umlaut)
            used = put('e', out, used, room);
    }
    return used;
}
