// Words are short, so each form is made in one pass over its characters, with a second one for
// NFC only when a character asks for it (UNICODE_COMPOSES). Worst case linear in the word.
//
// Vietnamese tone marks: older spelling puts the mark of an open syllable in oa, oe, uy on the
// first vowel (hòa, thúy), newer spelling on the second (hoà, thuý). Only at the end of a word,
// so that Portuguese õe inside a word (nações) stays; õe is left alone everywhere, Vietnamese
// has no such syllable.
#include "watcher/text/fold.h"

#include "common/utf8.h"
#include "watcher/text/unicode.h"
#include "watcher/text/utf8.h"

#include <unicode/uchar.h>

enum { TONES = 5, SCRATCH = 4096 };

struct vowel {
    uint16_t letter, toned[TONES]; // grave, acute, hook, tilde, dot below
};

static const struct vowel first_vowels[] = {
    {'o', {0xF2, 0xF3, 0x1ECF, 0xF5, 0x1ECD}},
    {'O', {0xD2, 0xD3, 0x1ECE, 0xD5, 0x1ECC}},
    {'u', {0xF9, 0xFA, 0x1EE7, 0x169, 0x1EE5}},
    {'U', {0xD9, 0xDA, 0x1EE6, 0x168, 0x1EE4}},
};
static const struct vowel second_vowels[] = {
    {'a', {0xE0, 0xE1, 0x1EA3, 0xE3, 0x1EA1}},     {'A', {0xC0, 0xC1, 0x1EA2, 0xC3, 0x1EA0}},
    {'e', {0xE8, 0xE9, 0x1EBB, 0x1EBD, 0x1EB9}},   {'E', {0xC8, 0xC9, 0x1EBA, 0x1EBC, 0x1EB8}},
    {'y', {0x1EF3, 0xFD, 0x1EF7, 0x1EF9, 0x1EF5}}, {'Y', {0x1EF2, 0xDD, 0x1EF6, 0x1EF8, 0x1EF4}},
};
enum { TILDE = 3 };

// Finds `cp` among the toned first vowels. Gives the plain vowel, or 0.
static uint32_t first_vowel(uint32_t cp, size_t *tone)
{
    for (size_t i = 0; i < sizeof first_vowels / sizeof *first_vowels; i++)
        for (size_t t = 0; t < TONES; t++)
            if (first_vowels[i].toned[t] == cp) {
                *tone = t;
                return first_vowels[i].letter;
            }
    return 0;
}

static uint32_t second_vowel(uint32_t first, uint32_t cp, size_t tone)
{
    bool after_o = (first | 0x20) == 'o';
    if ((cp | 0x20) == 'e' && tone == TILDE)
        return 0;
    for (size_t i = 0; i < sizeof second_vowels / sizeof *second_vowels; i++)
        if (second_vowels[i].letter == cp && after_o == ((cp | 0x20) != 'y'))
            return second_vowels[i].toned[tone];
    return 0;
}

bool fold_moves_tone(uint32_t vowel, char next)
{
    size_t tone = 0;
    uint32_t plain = first_vowel(vowel, &tone);
    return plain && second_vowel(plain, (unsigned char)next, tone) != 0;
}

static bool ends_word(const char *p, const char *end)
{
    uint32_t cp;
    if (p == end)
        return true;
    utf8_next(p, end, &cp);
    enum unicode_class class = unicode_class(unicode_cell_of(cp));
    return class != CLASS_LETTER && class != CLASS_MARK && class != CLASS_DIGIT;
}

// Moves the tone mark of a final òa to its newer place; the length stays or changes by a byte
// or two, so the tail is written anew.
static size_t move_tones(char *text, size_t len)
{
    char done[SCRATCH];
    const char *p = text, *end = text + len;
    size_t out = 0, tone = 0;
    while (p < end && out + 2 * UTF8_MOST < sizeof done) {
        uint32_t cp, next;
        size_t n = utf8_next(p, end, &cp);
        uint32_t plain = cp < 0x80 ? 0 : first_vowel(cp, &tone);
        if (plain && p + n < end && (unsigned char)p[n] < 0x80) {
            next = second_vowel(plain, (unsigned char)p[n], tone);
            if (next && ends_word(p + n + 1, end)) {
                out += tc_utf8_put(plain, done + out);
                out += tc_utf8_put(next, done + out);
                p += n + 1;
                continue;
            }
        }
        memcpy(done + out, p, n);
        out += n;
        p += n;
    }
    if (p < end)
        return len; // longer than any syllable
    memcpy(text, done, out);
    return out;
}

static size_t put(tc_str piece, char *out, size_t used, size_t room)
{
    if (piece.len > room - used)
        return used;
    memcpy(out + used, piece.ptr, piece.len);
    return used + piece.len;
}

static size_t compose(char *text, size_t len, size_t room)
{
    char copy[SCRATCH];
    if (len > sizeof copy)
        return len;
    memcpy(copy, text, len);
    return utf8_nfc((tc_str){copy, len}, text, room);
}

size_t fold_surface(tc_str raw, bool initials, char *out, size_t room)
{
    const char *p = raw.ptr, *end = raw.ptr + raw.len;
    size_t used = 0;
    unsigned seen = 0;
    while (p < end) {
        uint32_t cp;
        size_t len = utf8_next(p, end, &cp);
        unsigned cell = unicode_cell_of(cp);
        tc_str piece = {p, len};
        p += len;
        if (cell & UNICODE_DROPS || (initials && cp == '.'))
            continue;
        if (cell & UNICODE_MAPS)
            piece = unicode_map(cp);
        seen |= cell;
        used = put(piece, out, used, room);
    }
    if (seen & UNICODE_COMPOSES)
        used = compose(out, used, room);
    return seen & (UNICODE_TONED | UNICODE_COMPOSES) ? move_tones(out, used) : used;
}

// The flags of all characters of a piece.
static unsigned cells_of(tc_str piece)
{
    const char *p = piece.ptr, *end = piece.ptr + piece.len;
    unsigned cells = 0;
    uint32_t cp;
    while (p < end) {
        p += utf8_next(p, end, &cp);
        cells |= unicode_cell_of(cp);
    }
    return cells;
}

size_t fold_case(tc_str surface, enum fold_how how, char *out, size_t room)
{
    const char *p = surface.ptr, *end = surface.ptr + surface.len;
    size_t used = 0;
    unsigned seen = 0;
    while (p < end) {
        uint32_t cp;
        size_t len = utf8_next(p, end, &cp);
        unsigned cell = unicode_cell_of(cp);
        tc_str piece = {p, len};
        p += len;
        seen |= cell;
        if (cell & UNICODE_FOLDS) {
            piece = how == FOLD_TURKIC && cp == 'I' ? TC_STR("\xc4\xb1") : unicode_fold(cp);
            seen |= cells_of(piece); // a folding of several characters may compose again
        }
        used = put(piece, out, used, room);
    }
    return seen & UNICODE_COMPOSES ? compose(out, used, room) : used;
}

size_t fold_lower(tc_str raw, char *out, size_t room)
{
    const char *p = raw.ptr, *end = raw.ptr + raw.len;
    size_t used = 0;
    while (p < end && used + UTF8_MOST <= room) {
        uint32_t cp;
        p += utf8_next(p, end, &cp);
        used += tc_utf8_put((uint32_t)u_tolower((UChar32)cp), out + used);
    }
    return used;
}
