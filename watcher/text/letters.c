// Block by block of 64 bytes; what is known of a character is gathered in registers, because a
// store to the planes for each character cost ten times as much (30 ns).
#include "watcher/text/letters.h"

#include "watcher/text/fold.h"
#include "watcher/text/unicode.h"
#include "watcher/text/utf8.h"

// The characters of one kind: a bit for the first byte of each in this block, and in `carry` whether
// the last one of the block before goes on.
struct kind {
    uint64_t first, carry;
};

// What is known of the characters of a block.
struct found {
    struct kind core, single, gap, end; // end: gaps that may end a sentence
};

// The character at p, good UTF-8 of two or three bytes. No branch: in Vietnamese both lengths come
// in no order, and a wrong guess costs more than the rest. The byte behind two is readable.
static inline size_t decode(const unsigned char *p, uint32_t *cp)
{
    uint32_t two = (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu), is_three = p[0] >= 0xE0;
    uint32_t three = (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    *cp = two ^ ((two ^ three) & (0u - is_three));
    return 2 + is_three;
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
    case CLASS_FULLSTOP: return true;
    case CLASS_MIDNUM: return cp != 0x66C; // the Arabic thousands separator
    default: return false;
    }
}

// Looks at the character of `bit`.
static inline void find(char *small, uint64_t bit, struct found *found)
{
    uint32_t cp;
    size_t len = decode((const unsigned char *)small, &cp);
    unsigned cell = unicode_cell_of(cp);
    if ((cell & (UNICODE_CLASS | UNICODE_ODD)) == CLASS_LETTER) {
        char next = small[len];
        unsigned toned = (cell & UNICODE_TONED) != 0;
        unsigned vowel = (unsigned)(next == 'a') | (next == 'e') | (next == 'y');
        if (toned & vowel && fold_moves_tone(cp, next))
            return;
        if (!(cell & UNICODE_FOLDS) || fold_in_place(small, len, cp))
            found->core.first |= bit;
    } else if (is_single(cell)) {
        found->single.first |= bit;
    } else if (is_gap(cell, cp)) {
        found->gap.first |= bit;
        if (unicode_class(cell) == CLASS_STOP || unicode_class(cell) == CLASS_FULLSTOP)
            found->end.first |= bit;
    }
}

// All bytes of the characters of a kind, `inner` being the bytes that go on with one. Then the kind
// is ready for the next block.
static uint64_t whole(struct kind *kind, uint64_t inner)
{
    uint64_t bits = kind->first | (kind->carry & inner);
    bits |= bits << 1 & inner;
    bits |= bits << 1 & inner;
    *kind = (struct kind){0, bits >> (MARKS_WINDOW - 1)};
    return bits;
}

static void write_down(struct marks *marks, size_t i, struct found *found)
{
    uint64_t inner = marks->high[i] & ~marks->lead[i], before = found->single.carry;
    uint64_t core = whole(&found->core, inner), single_first = found->single.first;
    uint64_t single = whole(&found->single, inner), gap = whole(&found->gap, inner);
    uint64_t end = whole(&found->end, inner);
    marks->core[i] |= core | single;
    marks->blank[i] |= gap;
    marks->careful[i] &= ~(core | single | gap);
    marks->stop[i] &= ~(core | single | (gap & ~end));
    marks->cut[i] = single_first | ((single << 1 | before) & ~inner);
}

// Finds the characters beyond ASCII that begin in block `i`. Those of four bytes stay careful.
static void find_all(const struct marks *marks, size_t i, struct found *found)
{
    char *small = marks->small + i * MARKS_WINDOW;
    for (uint64_t lead = marks->lead[i]; lead; lead &= lead - 1) {
        size_t at = marks_first(lead);
        if ((unsigned char)small[at] < 0xF0)
            find(small + at, lead & -lead, found);
    }
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
