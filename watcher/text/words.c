// How tocsin cuts words: letters, marks and digits in a row, and around that core
//
//   between letters     ' (China's, l'IA); & between short ones (S&P, AT&T); · between two l
//   between digits      , . : ' (6,022  12:01)
//   between any         _
//   single letters      with full stops between them: an initialism (U.S.A.)
//   signs in front      # of a word, a currency sign or a full stop of .NET
//   signs behind        % or a currency sign of a number; ++ and # of a single letter
//
// A hyphen, slash or dash ends a word, and the next begins at the neighbouring position. Each
// character of Han, Kana, Thai, Lao, Khmer and Myanmar is a word with its marks. Every look ahead is
// bounded, so the cost is linear in the bytes.
#include "watcher/text/words.h"

#include "watcher/text/address.h"
#include "watcher/text/fold.h"
#include "watcher/text/utf8.h"

#include <strings.h>

enum { AMPERSAND_LETTERS = 3 }; // most letters at each side of a whole S&P, AT&T

const char *words_skip_marks(const char *p, const char *end)
{
    uint32_t cp;
    size_t len;
    while (p < end && (unsigned char)*p >= 0x80 && words_class_at(p, end, &len, &cp) == CLASS_MARK)
        p += len;
    return p;
}

void words_init(struct words *words, tc_str text, enum text_words mode, bool wild)
{
    *words = (struct words){.p = text.ptr, .mode = mode, .wild = wild};
    words->stop = words->end = text.len ? text.ptr + text.len : text.ptr;
}

static bool is_core(const struct words *words, enum unicode_class class)
{
    return class == CLASS_LETTER || class == CLASS_DIGIT || class == CLASS_HEBREW ||
           (class == CLASS_WILD && words->wild);
}

static bool is_letter(enum unicode_class class)
{
    return class == CLASS_LETTER || class == CLASS_HEBREW;
}

// A word while it grows.
struct growth {
    const char *start, *p;
    enum unicode_class last; // of the last character that is no mark
    uint32_t last_cp;
    unsigned letters, others; // characters that are letters, and that are not
    unsigned cells;           // flags of its characters
    bool wide;                // holds more than ASCII
    struct words_span *span;
};

static void note(struct growth *word, enum unicode_class class, uint32_t cp)
{
    word->last = class;
    word->last_cp = cp;
    if (is_letter(class))
        word->letters++;
    else
        word->others++;
}

// The ASCII part of a core, which most text is: one load and a few additions a byte.
static const char *grow_ascii(struct growth *word, const char *p, const char *limit)
{
    const char *from = p;
    unsigned letters = 0, seen = 0;
    for (; p < limit && (unsigned char)*p < 0x80; p++) {
        unsigned cell = unicode_ascii(*p);
        unsigned letter = unicode_class(cell) == CLASS_LETTER;
        if (!letter && unicode_class(cell) != CLASS_DIGIT)
            break;
        letters += letter;
        seen |= cell;
    }
    if (p == from)
        return p;
    word->letters += letters;
    word->others += (unsigned)(p - from) - letters;
    word->last = unicode_class(unicode_ascii(p[-1]));
    word->last_cp = (unsigned char)p[-1];
    word->cells |= seen;
    return p;
}

// The core: letters, digits and marks in a row.
static void grow_core(const struct words *words, struct growth *word)
{
    const char *end = words->end, *limit = end;
    if (end - word->start > WORDS_SPAN_MOST)
        limit = word->start + WORDS_SPAN_MOST;
    const char *p = grow_ascii(word, word->p, limit);
    while (p < limit && *p != ' ') {
        uint32_t cp;
        size_t len = utf8_next(p, end, &cp);
        unsigned cell = unicode_cell_of(cp);
        enum unicode_class class = unicode_class(cell);
        if (is_core(words, class)) {
            note(word, class, cp);
            if (class == CLASS_WILD)
                word->span->flags |= WORDS_WILD;
        } else if (class != CLASS_MARK) {
            break;
        }
        word->wide |= len > 1;
        p += len;
        word->cells |= cell;
        if (cell & UNICODE_TONED && p < end && fold_moves_tone(cp, *p))
            word->cells |= UNICODE_ODD; // hòa may have to become hoà
        p = grow_ascii(word, p, limit);
    }
    word->p = p;
}

// Takes the signs up to `next` into the word.
static void grow_to(struct growth *word, const char *next)
{
    for (; word->p < next; word->p++)
        if ((unsigned char)*word->p >= 0x80) {
            word->wide = true;
            word->cells |= UNICODE_ODD;
        }
}

// An apostrophe between letters, or between a digit and what follows (1990's, 1'000).
static const char *join_quote(const struct words *words, struct growth *word, const char *after)
{
    size_t len;
    uint32_t cp;
    enum unicode_class next = words_class_at(after, words->end, &len, &cp);
    struct words_span *span = word->span;
    if (!is_core(words, next))
        return NULL;
    if (!(span->flags & WORDS_APOSTROPHE))
        span->after_first = after;
    span->flags |= WORDS_APOSTROPHE;
    span->last_quote = word->p;
    return after;
}

// S&P, AT&T: a few letters at both sides and nothing else.
static const char *join_ampersand(const struct words *words, const struct growth *word)
{
    const char *p = word->p + 1, *end = words->end;
    unsigned letters = 0;
    size_t len;
    uint32_t cp;
    if (word->others || word->letters > AMPERSAND_LETTERS)
        return NULL;
    while (is_letter(words_class_at(p, end, &len, &cp)) && letters <= AMPERSAND_LETTERS) {
        p = words_skip_marks(p + len, end);
        letters++;
    }
    enum unicode_class behind = words_class_at(p, end, &len, &cp);
    if (letters == 0 || letters > AMPERSAND_LETTERS || behind == CLASS_DIGIT)
        return NULL;
    return word->p + 1;
}

// _ between parts of a word, any number of them.
static const char *join_underscore(const struct words *words, const struct growth *word)
{
    const char *p = word->p, *end = words->end;
    size_t len;
    uint32_t cp;
    while (p < end && p - word->start < WORDS_SPAN_MOST &&
           words_class_at(p, end, &len, &cp) == CLASS_JOIN)
        p += len;
    return is_core(words, words_class_at(p, end, &len, &cp)) ? p : NULL;
}

static bool joins_digits(uint32_t cp)
{
    return cp == ',' || cp == '.' || cp == ':' || cp == 0x66B || cp == 0x66C;
}

// Quick and for most signs the answer: ASCII with ASCII behind it that is no part of a word.
static bool is_last_sign(const char *p, const char *end)
{
    if (end - p < 2 || (unsigned char)p[0] >= 0x80 || (unsigned char)p[1] >= 0x80 || *p == '_')
        return false;
    enum unicode_class next = unicode_class(unicode_ascii(p[1]));
    return next != CLASS_LETTER && next != CLASS_DIGIT;
}

// Whether a sign joins what stands before and behind it. Gives where the word goes on, or NULL.
static const char *join(const struct words *words, struct growth *word)
{
    size_t len, next_len;
    uint32_t cp, next_cp;
    if (is_last_sign(word->p, words->end))
        return NULL;
    enum unicode_class class = words_class_at(word->p, words->end, &len, &cp);
    if (class == CLASS_NONE && cp != '&')
        return NULL;
    const char *after = words_skip_marks(word->p + len, words->end);
    enum unicode_class next = words_class_at(after, words->end, &next_len, &next_cp);

    if (class == CLASS_JOIN)
        return join_underscore(words, word);
    if (class == CLASS_QUOTE || cp == 0x2019 || cp == 0x2018 || cp == 0xFF07)
        return join_quote(words, word, after);
    if (word->last == CLASS_DIGIT && next == CLASS_DIGIT && joins_digits(cp))
        return after;
    if (cp == '&')
        return join_ampersand(words, word);
    if (cp == 0xB7 && (word->last_cp | 0x20) == 'l' && (next_cp | 0x20) == 'l')
        return after; // Catalan l·l
    // Hebrew abbreviations hold a double quote or its own sign.
    bool hebrew = word->last == CLASS_HEBREW && next == CLASS_HEBREW;
    return hebrew && (class == CLASS_DQUOTE || cp == 0x5F4 || cp == 0x5F3) ? after : NULL;
}

// Single letters with full stops between them, from the first full stop on. Gives the end,
// with the last full stop, or NULL.
static const char *initials_end(const struct words *words, const char *dot)
{
    const char *p = dot, *end = words->end, *done = NULL;
    size_t len;
    uint32_t cp;
    while (p < end && *p == '.' && p - dot < WORDS_SPAN_MOST &&
           is_letter(words_class_at(p + 1, end, &len, &cp))) {
        const char *after = words_skip_marks(p + 1 + len, end);
        enum unicode_class next = words_class_at(after, end, &len, &cp);
        if (is_core(words, next) || next == CLASS_JOIN)
            break;
        p = done = after;
    }
    if (!done)
        return NULL;
    return p < end && *p == '.' ? p + 1 : p;
}

// Signs behind a number or a single letter. Gives the new end of the word.
static const char *signs_behind(const struct words *words, const struct growth *word)
{
    const char *p = word->p, *end = words->end;
    size_t len, next_len;
    uint32_t cp, next;
    if (word->last != CLASS_DIGIT && (word->letters != 1 || word->others))
        return p;
    enum unicode_class class = words_class_at(p, end, &len, &cp);
    if (word->last == CLASS_DIGIT && class == CLASS_PERCENT)
        return p + len;
    if (word->last == CLASS_DIGIT && class == CLASS_MONEY)
        return is_core(words, words_class_at(p + len, end, &next_len, &next)) ? p : p + len;
    if (word->letters != 1 || word->others)
        return p;
    const char *sign = p;
    if (cp == '#')
        sign = p + 1;
    else if (cp == '+' && end - p > 1 && p[1] == '+')
        sign = p + 2;
    if (sign == p)
        return p;
    class = words_class_at(sign, end, &len, &next);
    return is_core(words, class) || next == '+' || next == '#' ? p : sign;
}

static bool is_of_address(char c)
{
    return c == ':' || c == '@' || c == '.' || c == '-' || c == '_' || c == '+';
}

// A run of ASCII letters before one of these may turn out to be an address.
static bool take_address(struct words *words, const struct growth *word)
{
    if (!is_of_address(*word->p) || words->wild || word->wide || *word->start == '#')
        return false;
    size_t len = address_length(word->start, words->end);
    if (len == 0)
        return false;
    *word->span =
        (struct words_span){.start = word->start, .end = word->start + len, .flags = WORDS_ADDRESS};
    return true;
}

// Which forms of a word need no work.
static unsigned forms_flags(unsigned cells)
{
    if (cells & UNICODE_ODD)
        return 0;
    return cells & UNICODE_FOLDS ? WORDS_WRITTEN : WORDS_WRITTEN | WORDS_PLAIN;
}

// Grows a word from its first letter or digit, `start` being before the signs in front.
static void grow_word(struct words *words, const char *start, const char *core,
                      struct words_span *span)
{
    struct growth word = {.start = start, .p = start, .span = span};
    span->start = start;
    grow_to(&word, core);
    grow_core(words, &word);
    if (word.p < words->end && take_address(words, &word))
        return;
    while (word.p < words->end && *word.p != ' ' && word.p - start < WORDS_SPAN_MOST) {
        const char *initials = word.letters == 1 && word.others == 0 && *word.p == '.'
                                   ? initials_end(words, word.p)
                                   : NULL;
        if (initials) {
            grow_to(&word, initials);
            span->flags |= WORDS_INITIALS;
            break;
        }
        const char *next = join(words, &word);
        if (!next) {
            grow_to(&word, signs_behind(words, &word));
            break;
        }
        grow_to(&word, next);
        grow_core(words, &word);
    }
    span->end = word.p;
    if (!(span->flags & WORDS_INITIALS))
        span->flags |= forms_flags(word.cells) | (word.wide ? 0 : WORDS_ASCII);
}

static void take_single(const struct words *words, const char *p, size_t len, unsigned cell,
                        struct words_span *out)
{
    const char *end = words->end - p > WORDS_SPAN_MOST ? p + WORDS_SPAN_MOST : words->end;
    *out = (struct words_span){
        .start = p, .end = words_skip_marks(p + len, end), .flags = WORDS_SINGLE};
    if (out->end == p + len)
        out->flags |= forms_flags(cell);
}

// A sign in front of a word: # $ or the full stop of .NET. Takes the word, or says no.
static bool take_signed(struct words *words, const char *p, enum unicode_class class, size_t len,
                        struct words_span *out)
{
    size_t next_len;
    uint32_t cp;
    enum unicode_class next = words_class_at(p + len, words->end, &next_len, &cp);
    *out = (struct words_span){0};
    if (!is_core(words, next))
        return false;
    if (class == CLASS_MONEY && next == CLASS_DIGIT) {
        grow_word(words, p, p + len, out);
        return true;
    }
    if (p == words->last_end)
        return false;
    if (*p == '#') {
        out->flags = WORDS_HASH;
        grow_word(words, p, p + len, out);
        return true;
    }
    if (*p != '.' || words->end - p < 4 || strncasecmp(p, ".net", 4) != 0 ||
        is_core(words, words_class_at(p + 4, words->end, &next_len, &cp)))
        return false;
    grow_word(words, p, p + len, out);
    return true;
}

static bool take(struct words *words, const char *p, unsigned cell, size_t len,
                 struct words_span *out)
{
    enum unicode_class class = unicode_class(cell);
    if (class == CLASS_SINGLE || class == CLASS_KATAKANA || class == CLASS_COMPLEX) {
        take_single(words, p, len, cell, out);
        return true;
    }
    if (is_core(words, class)) {
        *out = (struct words_span){0};
        grow_word(words, p, p, out);
        return true;
    }
    if (class == CLASS_MONEY || *p == '#' || *p == '.')
        return take_signed(words, p, class, len, out);
    return false;
}

bool words_next(struct words *words, struct words_span *out)
{
    if (words->mode == TEXT_WORDS_STANDARD)
        return words_next_standard(words, out);
    if (words->mode == TEXT_WORDS_ASCII)
        return words_next_ascii(words, out);
    while (words->p < words->stop) {
        uint32_t cp;
        size_t len = utf8_next(words->p, words->end, &cp);
        if (take(words, words->p, unicode_cell_of(cp), len, out)) {
            words->p = words->last_end = out->end;
            return true;
        }
        words->p += len;
    }
    return false;
}
