// The other two ways to cut words, for comparisons.
//
// standard  UAX #29 as Lucene's StandardTokenizer reads it: a word holds a letter or digit; Han and
//           Hiragana one by one; runs of Katakana; runs of Thai and its kin; an emoji is a word, with
//           all that is joined to it
// ascii     runs of A-Z a-z 0-9
#include "watcher/text/words.h"

#include <unicode/uchar.h>

enum { ZERO_WIDTH_SPACE = 0x200B };

static bool is_skin_tone(uint32_t cp)
{
    return cp >= 0x1F3FB && cp <= 0x1F3FF;
}

// Behind the marks at p. A zero-width space is none here, because words end at it, and the tone of an
// emoji's skin is a word where it stands behind none.
static const char *skip_marks(const char *p, const char *end)
{
    uint32_t cp;
    size_t len;
    while (p < end && words_class_at(p, end, &len, &cp) == CLASS_MARK && cp != ZERO_WIDTH_SPACE &&
           !is_skin_tone(cp))
        p += len;
    return p;
}

static bool is_letter(enum unicode_class class)
{
    return class == CLASS_LETTER || class == CLASS_HEBREW;
}

static bool joins_freely(enum unicode_class last, enum unicode_class next)
{
    switch (next) {
    case CLASS_LETTER:
    case CLASS_HEBREW:
    case CLASS_DIGIT: return is_letter(last) || last == CLASS_DIGIT || last == CLASS_JOIN;
    case CLASS_KATAKANA: return last == CLASS_KATAKANA || last == CLASS_JOIN;
    case CLASS_JOIN:
        return is_letter(last) || last == CLASS_DIGIT || last == CLASS_KATAKANA ||
               last == CLASS_JOIN;
    case CLASS_COMPLEX: return last == CLASS_COMPLEX;
    default: return false;
    }
}

// WB6, WB7, WB7a-c, WB11, WB12: `sign` between `last` and what follows.
static bool joins_over(enum unicode_class last, enum unicode_class sign, enum unicode_class next)
{
    bool both = sign == CLASS_MIDBOTH || sign == CLASS_QUOTE;
    if (is_letter(last) && is_letter(next) && (both || sign == CLASS_MIDLETTER))
        return true;
    if (last == CLASS_DIGIT && next == CLASS_DIGIT && (both || sign == CLASS_MIDNUM))
        return true;
    return last == CLASS_HEBREW && next == CLASS_HEBREW && sign == CLASS_DQUOTE;
}

// Where the word that begins at p ends. *real: it holds more than underscores.
static const char *word_end(const struct words *words, const char *p, enum unicode_class last,
                            size_t len, bool *real)
{
    const char *start = p, *end = words->end;
    uint32_t cp;
    p = skip_marks(p + len, end);
    *real = last != CLASS_JOIN;
    while (p < end && p - start < WORDS_SPAN_MOST) {
        enum unicode_class next = words_class_at(p, end, &len, &cp);
        if (joins_freely(last, next)) {
            last = next;
            *real = *real || last != CLASS_JOIN;
            p = skip_marks(p + len, end);
            continue;
        }
        const char *behind = skip_marks(p + len, end);
        size_t behind_len;
        enum unicode_class after = words_class_at(behind, end, &behind_len, &cp);
        if (joins_over(last, next, after)) {
            p = behind;
            last = after;
            p = skip_marks(p + behind_len, end);
            continue;
        }
        return last == CLASS_HEBREW && next == CLASS_QUOTE ? behind : p;
    }
    return p;
}

static bool begins_word(const struct words *words, enum unicode_class class)
{
    return is_letter(class) || class == CLASS_DIGIT || class == CLASS_KATAKANA ||
           class == CLASS_JOIN || class == CLASS_COMPLEX || (class == CLASS_WILD && words->wild);
}

// A wildcard of a query is a letter, and joins the letters on both sides.
static const char *wild_end(const struct words *words, const char *p, bool *wild)
{
    const char *end = words->end;
    size_t len;
    uint32_t cp;
    if (words_class_at(p, end, &len, &cp) != CLASS_WILD)
        return p;
    for (;;) {
        enum unicode_class class = words_class_at(p, end, &len, &cp);
        if (class != CLASS_WILD && class != CLASS_LETTER && class != CLASS_DIGIT)
            return p;
        *wild = *wild || class == CLASS_WILD;
        p = skip_marks(p + len, end);
    }
}

// ---- emoji ---------------------------------------------------------------------------------

static bool is_flag_letter(uint32_t cp)
{
    return u_hasBinaryProperty((UChar32)cp, UCHAR_REGIONAL_INDICATOR);
}

static bool is_emoji(uint32_t cp)
{
    return u_hasBinaryProperty((UChar32)cp, UCHAR_EXTENDED_PICTOGRAPHIC) ||
           u_hasBinaryProperty((UChar32)cp, UCHAR_EMOJI);
}

static bool is_keycap(const char *p, const char *end)
{
    tc_str rest = {p + 1, (size_t)(end - p) - 1};
    return strchr("#*", *p) &&
           (tc_str_starts(rest, TC_STR("\ufe0f\u20e3")) || tc_str_starts(rest, TC_STR("\u20e3")));
}

// Whether marks end with a joiner, so that the next emoji belongs to them.
static bool joins_next(const char *from, const char *to)
{
    return to - from >= 3 && !memcmp(to - 3, "\u200d", 3);
}

// Behind the emoji at p with its marks, its other half or what is joined to it; p when there is none.
static const char *emoji_end(const char *p, const char *end)
{
    uint32_t cp, next;
    size_t len;
    const char *at = p;
    do {
        words_class_at(at, end, &len, &cp);
        if (cp < 0x80 ? !is_keycap(at, end) : !is_emoji(cp))
            return at;
        const char *marks = at + len;
        at = skip_marks(marks, end);
        if (is_flag_letter(cp)) { // two are a flag, one is nothing
            words_class_at(at, end, &len, &next);
            return at < end && is_flag_letter(next) ? skip_marks(at + len, end) : p;
        }
        words_class_at(at, end, &len, &next);
        if (at < end && is_skin_tone(next) &&
            u_hasBinaryProperty((UChar32)cp, UCHAR_EMOJI_MODIFIER_BASE)) {
            marks = at + len;
            at = skip_marks(marks, end);
        }
        if (!joins_next(marks, at))
            return at;
    } while (at < end);
    return at;
}

bool words_next_standard(struct words *words, struct words_span *out)
{
    while (words->p < words->stop) {
        uint32_t cp;
        size_t len;
        const char *p = words->p;
        bool real = true, wild = false;
        enum unicode_class class = words_class_at(p, words->end, &len, &cp);
        if (class == CLASS_SINGLE) {
            words->p = skip_marks(p + len, words->end);
        } else if (begins_word(words, class)) {
            words->p = word_end(words, p, class, len, &real);
        } else { // a tone that stands alone is of class MARK
            words->p = emoji_end(p, words->end);
            real = words->p > p;
            words->p += real ? 0 : len;
        }
        if (real && words->wild)
            words->p = wild_end(words, class == CLASS_WILD ? p : words->p, &wild);
        if (real) {
            *out = (struct words_span){.start = p, .end = words->p};
            out->flags = wild ? WORDS_WILD : 0;
            return true;
        }
    }
    return false;
}

static bool is_ascii_core(const struct words *words, const char *p, size_t *len, bool *wild)
{
    uint32_t cp;
    enum unicode_class class = words_class_at(p, words->end, len, &cp);
    if (class == CLASS_WILD && words->wild)
        return *wild = true;
    return cp < 0x80 && (class == CLASS_LETTER || class == CLASS_DIGIT);
}

bool words_next_ascii(struct words *words, struct words_span *out)
{
    size_t len;
    bool wild = false;
    while (words->p < words->stop && !is_ascii_core(words, words->p, &len, &wild))
        words->p += len;
    if (words->p >= words->stop)
        return false;
    *out = (struct words_span){.start = words->p};
    while (words->p < words->end && words->p - out->start < WORDS_SPAN_MOST &&
           is_ascii_core(words, words->p, &len, &wild))
        words->p += len;
    out->end = words->p;
    out->flags = wild ? WORDS_WILD : WORDS_ASCII;
    return true;
}
