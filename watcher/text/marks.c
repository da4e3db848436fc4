// The two ways differ only in how they see the kinds of 64 bytes (struct seen); what follows from
// their neighbours is one piece of code, combine().
//
// The table gives eight bits for a byte, one per kind. Eight such bytes in a register are an 8 x 8
// matrix of bits; a multiplication gathers one column of it, which is eight bits of a plane.
#include "watcher/text/marks.h"

#include "watcher/text/words.h"

#include <endian.h>
#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_AVX2 1
#else
#define HAVE_AVX2 0
#endif

enum { WINDOW = MARKS_WINDOW, PLANES = 7, EIGHT = 8, HALF = 32, BEHIND = TEXT_BEHIND };

#define ALWAYS __attribute__((always_inline)) static inline

// The kinds of 64 bytes, the first in the lowest bit.
struct seen {
    uint64_t core, blank, comma, stop, loud, hyphen, dot, w; // as in the table
    uint64_t digit, line;
    uint64_t high;               // bytes beyond ASCII, and of them
    uint64_t lead, lead3, lead4; // those that begin a character, of three bytes or more, of four
    uint64_t wrong;              // those that are wrong, or wrong before the next
};

enum {
    CORE = 1,
    BLANK = 2,
    COMMA = 4,
    STOP = 8,
    LOUD = 16,
    HYPHEN = 32,
    DOT = 64,
    W = 128,
    BEYOND = STOP | LOUD,  // ASCII
    ODD = BEYOND | HYPHEN, // and never in UTF-8, or with bounds of its own for the byte behind
};

#define TIMES4(x) x, x, x, x
#define TIMES16(x) TIMES4(x), TIMES4(x), TIMES4(x), TIMES4(x)
#define TIMES64(x) TIMES16(x), TIMES16(x), TIMES16(x), TIMES16(x)

// clang-format off
static const uint8_t kinds[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, BLANK, BLANK, BLANK, BLANK, BLANK, 0, 0, // 00
    TIMES16(0),
    BLANK, STOP, 0, LOUD, LOUD, LOUD, LOUD, 0, // 20:  !"#$%&'
    0, 0, 0, LOUD, COMMA, HYPHEN, STOP | DOT, LOUD, // 28: ()*+,-./
    TIMES4(CORE), TIMES4(CORE), // 30: 01234567
    CORE, CORE, LOUD, 0, 0, 0, 0, STOP, // 38: 89:;<=>?
    LOUD, CORE, CORE, CORE, TIMES4(CORE), // 40: @ABCDEFG
    TIMES4(CORE), TIMES4(CORE),
    TIMES4(CORE), CORE, CORE, CORE, CORE | W, // 50: PQRSTUVW
    CORE, CORE, CORE, 0, 0, 0, 0, LOUD, // 58: XYZ[\]^_
    0, CORE, CORE, CORE, TIMES4(CORE), // 60: `abcdefg
    TIMES4(CORE), TIMES4(CORE),
    TIMES4(CORE), CORE, CORE, CORE, CORE | W, // 70: pqrstuvw
    CORE, CORE, CORE, 0, 0, 0, 0, 0, // 78: xyz{|}~
    TIMES64(BEYOND), // 80
    ODD, ODD, BEYOND, BEYOND, TIMES4(BEYOND), TIMES4(BEYOND), TIMES4(BEYOND), TIMES16(BEYOND), // c0
    ODD, BEYOND, BEYOND, BEYOND, TIMES4(BEYOND), TIMES4(BEYOND), BEYOND, ODD, BEYOND, BEYOND, // e0
    ODD, BEYOND, BEYOND, BEYOND, ODD, ODD, ODD, ODD, TIMES4(ODD), TIMES4(ODD), // f0
};
// clang-format on

// The marks while they grow, and what a block needs to know of the one before.
struct growth {
    struct marks *marks;
    uint64_t care;                                // all ones: signs may belong to words
    uint64_t core_before, digit_before, w_before; // the last byte's, in the lowest bit
    uint64_t expected;    // bytes that must go on with a character, in the lowest bits
    uint64_t high, wrong; // whether there are any
    size_t starts, signs, leads;
};

static inline bool is_digit(unsigned char c)
{
    return (unsigned)(c - '0') < 10u;
}

// Characters beyond ASCII begin with a lead byte, and as many others follow as it says.
ALWAYS void count_characters(struct growth *all, const struct seen *seen)
{
    uint64_t two = seen->lead << 1, three = seen->lead3 << 2, four = seen->lead4 << 3;
    uint64_t behind = two | three | four | all->expected;
    all->leads += (size_t)__builtin_popcountll(seen->lead);
    all->wrong |= seen->wrong | (behind ^ (seen->high & ~seen->lead));
    all->expected =
        seen->lead >> (WINDOW - 1) | seen->lead3 >> (WINDOW - 2) | seen->lead4 >> (WINDOW - 3);
}

// Adds block `i`; `next`: the byte behind it.
ALWAYS void combine(struct growth *all, size_t i, const struct seen *seen, unsigned char next)
{
    uint64_t core_behind = seen->core >> 1 | (uint64_t)(kinds[next] & CORE) << (WINDOW - 1);
    uint64_t digit_behind = seen->digit >> 1 | (uint64_t)is_digit(next) << (WINDOW - 1);
    uint64_t core_before = seen->core << 1 | all->core_before;
    uint64_t digit_before = seen->digit << 1 | all->digit_before;
    uint64_t joined = (seen->dot | seen->comma) & digit_before & digit_behind & all->care;
    uint64_t sign = ~(seen->core | seen->blank | seen->high);
    uint64_t inside = sign & ~seen->hyphen & core_before & core_behind;
    uint64_t dot = seen->dot & (core_behind | seen->w << 1 | all->w_before);
    all->marks->core[i] = seen->core | joined;
    all->marks->blank[i] = seen->blank;
    all->marks->line[i] = seen->line;
    all->marks->stop[i] = seen->stop & ~joined;
    all->marks->careful[i] = (seen->loud | ((inside | dot) & ~joined)) & all->care;
    all->marks->high[i] = seen->high;
    all->marks->lead[i] = seen->lead;
    all->core_before = seen->core >> (WINDOW - 1);
    all->digit_before = seen->digit >> (WINDOW - 1);
    all->w_before = seen->w >> (WINDOW - 1);
    all->starts += (size_t)__builtin_popcountll(seen->core & ~core_before);
    all->signs += (size_t)__builtin_popcountll(sign);
    if (seen->line)
        all->marks->lines += (size_t)__builtin_popcountll(seen->line);
    all->high |= seen->high;
    if (seen->high | all->expected)
        count_characters(all, seen);
}

// ---- by table ----------------------------------------------------------------------------------

#define ONES UINT64_C(0x0101010101010101)

// Bit `column` of each of eight bytes, the first byte's lowest.
static uint64_t column_of(uint64_t bytes, unsigned column)
{
    return ((bytes >> column & ONES) * UINT64_C(0x0102040810204080)) >> 56;
}

// The eight bytes with A-Z as a-z. A sum of seven bits carries into the eighth where a byte is large
// enough.
static uint64_t small_letters(uint64_t bytes)
{
    uint64_t low = bytes & (ONES * 0x7F);
    uint64_t from_a = low + ONES * (0x80 - 'A'), behind_z = low + ONES * (0x7F - 'Z');
    uint64_t capital = from_a & ~behind_z & ~bytes & (ONES * 0x80);
    return bytes | capital >> 2;
}

static void see_eight_characters(uint64_t bytes, unsigned shift, struct seen *seen)
{
    uint64_t two = bytes & bytes << 1, three = two & bytes << 2, four = three & bytes << 3;
    seen->lead |= column_of(two, 7) << shift;
    seen->lead3 |= column_of(three, 7) << shift;
    seen->lead4 |= column_of(four, 7) << shift;
}

// Adds the eight bytes at `text` to the planes, `shift` bits up. What the bits of a byte tell by
// themselves is not in the table.
static void see_eight(const char *text, unsigned shift, struct seen *seen, char *small)
{
    uint64_t bytes, kind = 0;
    memcpy(&bytes, text, EIGHT);
    for (unsigned i = 0; i < EIGHT; i++)
        kind |= (uint64_t)kinds[(unsigned char)text[i]] << (EIGHT * i);
    bytes = le64toh(bytes);
    uint64_t core = column_of(kind, 0), blank = column_of(kind, 1), folded;
    seen->core |= core << shift;
    seen->blank |= blank << shift;
    seen->comma |= column_of(kind, 2) << shift;
    seen->stop |= column_of(kind, 3) << shift;
    seen->loud |= column_of(kind, 4) << shift;
    seen->hyphen |= column_of(kind, 5) << shift;
    seen->dot |= column_of(kind, 6) << shift;
    seen->w |= column_of(kind, 7) << shift;
    seen->digit |= (core & ~column_of(bytes, 6)) << shift;                       // not 0x4_ to 0x7_
    seen->line |= (blank & column_of(bytes, 1) & ~column_of(bytes, 0)) << shift; // 0x0A
    seen->high |= column_of(bytes, 7) << shift;
    if (bytes & (ONES * 0x80))
        see_eight_characters(bytes, shift, seen);
    folded = htole64(small_letters(bytes));
    memcpy(small, &folded, EIGHT);
}

static void make_table(struct growth *all, const char *text, size_t from, size_t to, char *small)
{
    for (size_t i = from; i < to; i++, text += WINDOW, small += WINDOW) {
        struct seen seen = {0};
        for (unsigned at = 0; at < WINDOW; at += EIGHT)
            see_eight(text + at, at, &seen, small + at);
        seen.wrong = seen.hyphen & seen.high; // perhaps
        combine(all, i, &seen, (unsigned char)text[WINDOW]);
    }
}

// ---- by AVX2 -----------------------------------------------------------------------------------

#if HAVE_AVX2
#define AVX2 __attribute__((target("avx2,popcnt,bmi")))
#define AVX2_PART AVX2 __attribute__((always_inline)) static inline

AVX2_PART __m256i is(__m256i bytes, char c)
{
    return _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c));
}

AVX2_PART __m256i is_between(__m256i bytes, char low, char high)
{
    __m256i clamped =
        _mm256_min_epu8(_mm256_max_epu8(bytes, _mm256_set1_epi8(low)), _mm256_set1_epi8(high));
    return _mm256_cmpeq_epi8(bytes, clamped);
}

AVX2_PART __m256i either(__m256i a, __m256i b)
{
    return _mm256_or_si256(a, b);
}

AVX2_PART uint64_t bits_of(__m256i mask)
{
    return (uint32_t)_mm256_movemask_epi8(mask);
}

// Bytes that UTF-8 never holds, and pairs of bytes that it never holds: too long a spelling, a
// surrogate, or beyond the last code point. `next` are the bytes one further.
AVX2_PART uint64_t wrong_of(__m256i bytes, __m256i next)
{
    __m256i never = either(is_between(bytes, (char)0xC0, (char)0xC1),
                           is_between(bytes, (char)0xF5, (char)0xFF));
    __m256i e0 = _mm256_and_si256(is(bytes, (char)0xE0), is_between(next, (char)0x80, (char)0x9F));
    __m256i ed = _mm256_and_si256(is(bytes, (char)0xED), is_between(next, (char)0xA0, (char)0xBF));
    __m256i f0 = _mm256_and_si256(is(bytes, (char)0xF0), is_between(next, (char)0x80, (char)0x8F));
    __m256i f4 = _mm256_and_si256(is(bytes, (char)0xF4), is_between(next, (char)0x90, (char)0xBF));
    return bits_of(either(never, either(either(e0, ed), either(f0, f4))));
}

AVX2_PART void see_characters(__m256i bytes, __m256i next, unsigned shift, struct seen *seen)
{
    seen->lead |= bits_of(is_between(bytes, (char)0xC0, (char)0xFF)) << shift;
    seen->lead3 |= bits_of(is_between(bytes, (char)0xE0, (char)0xFF)) << shift;
    seen->lead4 |= bits_of(is_between(bytes, (char)0xF0, (char)0xFF)) << shift;
    seen->wrong |= wrong_of(bytes, next) << shift;
}

// Adds the 32 bytes at `text` to the planes, `shift` bits up. The byte behind them is readable.
AVX2_PART void see_half(const char *text, unsigned shift, struct seen *seen, char *small)
{
    __m256i bytes = _mm256_loadu_si256((const __m256i *)text);
    __m256i next = _mm256_loadu_si256((const __m256i *)(text + 1));
    __m256i bit = _mm256_set1_epi8(0x20), low = either(bytes, bit);
    __m256i digit = is_between(bytes, '0', '9'), core = either(is_between(low, 'a', 'z'), digit);
    __m256i line = is(bytes, '\n'), dot = is(bytes, '.');
    __m256i loud = either(
        either(is_between(bytes, '#', '&'), is(bytes, '+')),
        either(either(is(bytes, '/'), is(bytes, ':')), either(is(bytes, '@'), is(bytes, '_'))));
    __m256i stop = either(dot, either(is(bytes, '!'), is(bytes, '?')));
    uint64_t high = bits_of(bytes);
    seen->core |= bits_of(core) << shift;
    seen->digit |= bits_of(digit) << shift;
    seen->comma |= bits_of(is(bytes, ',')) << shift;
    seen->blank |= bits_of(either(is(bytes, ' '), is_between(bytes, '\t', '\r'))) << shift;
    seen->line |= bits_of(line) << shift;
    seen->stop |= (bits_of(stop) | high) << shift;
    seen->loud |= (bits_of(loud) | high) << shift;
    seen->hyphen |= bits_of(is(bytes, '-')) << shift;
    seen->dot |= bits_of(dot) << shift;
    seen->w |= bits_of(is(low, 'w')) << shift;
    seen->high |= high << shift;
    if (high)
        see_characters(bytes, next, shift, seen);
    __m256i folded = either(bytes, _mm256_and_si256(is_between(bytes, 'A', 'Z'), bit));
    _mm256_storeu_si256((__m256i *)small, folded);
}

AVX2 static void make_avx2(struct growth *all, const char *text, size_t from, size_t to,
                           char *small)
{
    for (size_t i = from; i < to; i++, text += WINDOW, small += WINDOW) {
        struct seen seen = {0};
        see_half(text, 0, &seen, small);
        see_half(text + HALF, HALF, &seen, small + HALF);
        combine(all, i, &seen, (unsigned char)text[WINDOW]);
    }
}

bool marks_can(enum marks_how how)
{
    return how == MARKS_TABLE || (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                                  __builtin_cpu_supports("popcnt"));
}
#else
bool marks_can(enum marks_how how)
{
    return how == MARKS_TABLE;
}
#endif

// ---- the whole ---------------------------------------------------------------------------------

// Blocks from..to, the first of them being at `text` and `small`.
static void make(struct growth *all, enum marks_how how, const char *text, size_t from, size_t to,
                 char *small)
{
#if HAVE_AVX2
    if (how == MARKS_AVX2) {
        make_avx2(all, text, from, to, small);
        return;
    }
#endif
    (void)how;
    make_table(all, text, from, to, small);
}

// Blocks that a window reaches into behind the text.
static void make_end(struct marks *marks, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        marks->core[i] = marks->line[i] = marks->stop[i] = marks->careful[i] = 0;
        marks->high[i] = marks->lead[i] = 0;
        marks->blank[i] = UINT64_MAX;
    }
}

void marks_make(tc_str text, enum marks_how how, bool signs, struct tc_arena *arena,
                struct marks *out)
{
    size_t whole = text.len ? (text.len - 1) / WINDOW : 0, tail = whole * WINDOW;
    size_t rows = whole + 3;
    uint64_t *planes = tc_arena_room(arena, PLANES * rows * sizeof *planes);
    char *small = tc_arena_bytes(arena, tail + WINDOW + BEHIND);
    char last[WINDOW + 1]; // filled up with blanks
    *out = (struct marks){.text = text,
                          .small = small,
                          .core = planes,
                          .blank = planes + rows,
                          .line = planes + 2 * rows,
                          .stop = planes + 3 * rows,
                          .careful = planes + 4 * rows,
                          .high = planes + 5 * rows,
                          .lead = planes + 6 * rows};
    struct growth all = {.marks = out, .care = signs ? UINT64_MAX : 0};
    memset(last, ' ', sizeof last);
    memset(small + tail + WINDOW, ' ', BEHIND);
    if (text.len)
        memcpy(last, text.ptr + tail, text.len - tail);
    make(&all, how, text.ptr, 0, whole, small);
    make(&all, how, last, whole, whole + 1, small + tail);
    make_end(out, whole + 1, rows);
    out->words = all.starts + all.leads + all.signs + text.len / WORDS_SPAN_MOST;
    out->ascii = all.high == 0;
    out->doubtful = (all.wrong | all.expected) != 0;
    if (out->doubtful && how == MARKS_TABLE) // it knows too little of the byte behind
        out->doubtful = utf8_bad(text) > 0;
}

size_t marks_find(const uint64_t *plane, size_t from, size_t to)
{
    while (from < to) {
        uint64_t bits = marks_bits(plane, from);
        if (bits) {
            from += marks_first(bits);
            return from < to ? from : to;
        }
        from += MARKS_WINDOW;
    }
    return to;
}
