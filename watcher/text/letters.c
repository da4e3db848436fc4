// Block by block of 64 bytes; what is known of a character is gathered in registers, because a
// store to the planes for each character cost ten times as much (30 ns).
#include "watcher/text/letters.h"

#include "watcher/text/unicode.h"
#include "watcher/text/utf8.h"

// Bits of a block, and those that a character at its end has in the next one.
struct bits {
    uint64_t now, next;
};

// What is known of the characters of a block.
struct found {
    struct bits core, gap, cut;
    struct bits ends; // gaps that may end a sentence
    uint64_t skip;    // bytes of the next block that its last character takes
};

static inline void put(struct bits *bits, size_t from, size_t len)
{
    bits->now |= marks_low(len) << from;
    if (from + len > MARKS_WINDOW)
        bits->next |= marks_low(len) >> (MARKS_WINDOW - from);
}

// Goes on to the next block.
static void turn(struct bits *bits)
{
    *bits = (struct bits){bits->next, 0};
}

// The character at p, which is good UTF-8 beyond ASCII; both short lengths without a branch. The
// two bytes behind p are readable.
static inline size_t decode(const unsigned char *p, uint32_t *cp)
{
    uint32_t two = (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    uint32_t three = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    if (p[0] >= 0xF0)
        return utf8_next((const char *)p, (const char *)p + UTF8_MOST, cp);
    *cp = p[0] >= 0xE0 ? three : two;
    return p[0] >= 0xE0 ? 3 : 2;
}

// Writes the folding of a letter over it in small letters. False when it has another length.
static bool fold_in_place(char *small, size_t len, uint32_t cp)
{
    tc_str folded = unicode_fold(cp);
    uint32_t first;
    if (folded.len != len)
        return false;
    utf8_next(folded.ptr, folded.ptr + len, &first);
    if (unicode_cell_of(first) & UNICODE_COMPOSES)
        return false;
    memcpy(small, folded.ptr, len);
    return true;
}

static bool is_simple(char *small, size_t len, uint32_t cp, unsigned cell)
{
    char next = small[len];
    if (cell & UNICODE_TONED && (next == 'a' || next == 'e' || next == 'y'))
        return false;
    return !(cell & UNICODE_FOLDS) || fold_in_place(small, len, cp);
}

static bool is_single(unsigned cell)
{
    enum unicode_class class = unicode_class(cell);
    return (class == CLASS_SINGLE || class == CLASS_KATAKANA || class == CLASS_COMPLEX) &&
           !(cell & (UNICODE_ODD | UNICODE_FOLDS));
}

// Whether a character neither belongs to a word nor joins two (words.c, join).
static bool is_gap(unsigned cell, uint32_t cp)
{
    switch (unicode_class(cell)) {
    case CLASS_NONE:
    case CLASS_SPACE:
    case CLASS_CLOSE:
    case CLASS_SYMBOL:
    case CLASS_STOP:
    case CLASS_FULLSTOP: return cp != 0x2018;
    case CLASS_MIDNUM: return cp != 0x66C;
    default: return false;
    }
}

static void find(char *small, size_t at, size_t len, uint32_t cp, struct found *found)
{
    unsigned cell = unicode_cell_of(cp);
    if ((cell & (UNICODE_CLASS | UNICODE_ODD)) == CLASS_LETTER) {
        if (!(cell & (UNICODE_TONED | UNICODE_FOLDS)) || is_simple(small, len, cp, cell))
            put(&found->core, at, len);
    } else if (is_single(cell)) {
        put(&found->core, at, len);
        put(&found->cut, at, 1);
        if (at + len < MARKS_WINDOW)
            put(&found->cut, at + len, 1);
        else
            found->cut.next |= UINT64_C(1) << (at + len - MARKS_WINDOW);
    } else if (is_gap(cell, cp)) {
        put(&found->gap, at, len);
        if (unicode_class(cell) == CLASS_STOP || unicode_class(cell) == CLASS_FULLSTOP)
            put(&found->ends, at, len);
    }
}

// Finds the characters beyond ASCII in block `i`.
static void find_all(const struct marks *marks, size_t i, struct found *found)
{
    char *small = marks->small + i * MARKS_WINDOW;
    uint64_t high = marks->high[i] & ~found->skip;
    found->skip = 0;
    while (high) {
        size_t at = marks_first(high);
        uint32_t cp;
        size_t len = decode((const unsigned char *)small + at, &cp);
        find(small + at, at, len, cp, found);
        high &= ~(marks_low(len) << at);
        if (at + len > MARKS_WINDOW)
            found->skip = marks_low(at + len - MARKS_WINDOW);
    }
}

static void write_down(struct marks *marks, size_t i, struct found *found)
{
    uint64_t core = found->core.now, gap = found->gap.now;
    marks->core[i] |= core;
    marks->blank[i] |= gap;
    marks->careful[i] &= ~(core | gap);
    marks->stop[i] &= ~(core | (gap & ~found->ends.now));
    marks->cut[i] = found->cut.now;
    turn(&found->core);
    turn(&found->gap);
    turn(&found->cut);
    turn(&found->ends);
}

// Bits one byte later and one byte earlier, over the borders of blocks.
static uint64_t later(const uint64_t *plane, const uint64_t *mask, size_t i)
{
    uint64_t carry = i ? (plane[i - 1] & mask[i - 1]) >> (MARKS_WINDOW - 1) : 0;
    return (plane[i] & mask[i]) << 1 | carry;
}

static uint64_t earlier(const uint64_t *plane, const uint64_t *mask, size_t i)
{
    return (plane[i] & mask[i]) >> 1 | (plane[i + 1] & mask[i + 1]) << (MARKS_WINDOW - 1);
}

// ASCII signs beside letters that have just become core are careful as beside ASCII letters: all
// but the hyphen between two, the full stop before one. Characters that stayed careful count as
// letters here.
static void mark_signs(struct marks *marks, size_t i)
{
    uint64_t sign = ~(marks->core[i] | marks->blank[i] | marks->high[i] | marks->careful[i]);
    uint64_t before = later(marks->core, marks->core, i) | later(marks->high, marks->careful, i);
    uint64_t behind =
        earlier(marks->core, marks->core, i) | earlier(marks->high, marks->careful, i);
    uint64_t look =
        sign & behind & (later(marks->core, marks->high, i) | earlier(marks->core, marks->high, i));
    for (; look; look &= look - 1) {
        char c = marks->text.ptr[i * MARKS_WINDOW + marks_first(look)];
        uint64_t bit = look & -look;
        if (c == '.' || (c != '-' && before & bit))
            marks->careful[i] |= bit;
    }
}

void letters_mark(struct marks *marks, struct tc_arena *arena)
{
    size_t blocks = marks->text.len / MARKS_WINDOW + 1;
    struct found found = {0};
    if (marks->ascii)
        return;
    marks->cut = tc_arena_take(arena, (blocks + 2) * sizeof *marks->cut);
    for (size_t i = 0; i < blocks; i++) {
        find_all(marks, i, &found);
        write_down(marks, i, &found);
    }
    for (size_t i = 0; i < blocks; i++)
        mark_signs(marks, i);
}
