#include "watcher/text/sentence.h"

#include "watcher/text/utf8.h"
#include "watcher/text/words.h"

#include <stdlib.h>

enum { ABBREVIATION_BYTES = 8 };

// Folded, without full stops, sorted by bytes. A full stop after these ends no sentence. Each fills
// eight bytes with zeros, so that a comparison is one load: words before full stops are many.
static const char abbreviations[][ABBREVIATION_BYTES] = {
    "abr",  "abs",  "adm",  "ago",  "amb",  "approx", "apr",  "apt",    "atty", "aug",  "avr",
    "brig", "bros", "bspw", "bzgl", "bzw",  "ca",     "capt", "cf",     "cmdr", "co",   "col",
    "corp", "cpl",  "dec",  "dept", "dez",  "dic",    "dipl", "dott",   "dr",   "drs",  "déc",
    "ene",  "est",  "evtl", "ext",  "feb",  "fr",     "févr", "gen",    "ggf",  "gov",  "gs",
    "hon",  "hr",   "inc",  "ing",  "inkl", "insp",   "jan",  "janv",   "jr",   "juil", "jul",
    "jun",  "jän",  "lt",   "ltd",  "maj",  "mar",    "me",   "messrs", "mio",  "mlle", "mm",
    "mme",  "mr",   "mrd",  "mrs",  "ms",   "msgr",   "mt",   "nov",    "oct",  "okt",  "pgs",
    "ph",   "pres", "prof", "rep",  "rev",  "sen",    "sens", "sep",    "sept", "sgt",  "sig",
    "sr",   "sra",  "srta", "st",   "str",  "supt",   "ths",  "tp",     "ts",   "tsd",  "usf",
    "vgl",  "vs",
};
// These only before a number.
static const char *const counters[] = {"art", "bd", "fig", "no",  "nos",
                                       "nr",  "p",  "pp",  "sec", "vol"};
// Months of languages that write a full stop after the day.
static const char *const months[] = {
    "april",   "august",    "dezember", "februar",  "januar",  "juli",
    "juni",    "jänner",    "mai",      "maj",      "märz",    "november",
    "oktober", "september", "december", "februari", "januari", "augusti",
};

static bool is_in(const char *const *list, size_t count, tc_str word)
{
    for (size_t i = 0; i < count; i++)
        if (list[i][0] == word.ptr[0] && tc_str_eq(tc_str_of(list[i]), word))
            return true;
    return false;
}
#define IS_IN(list, word) is_in(list, sizeof(list) / sizeof *(list), word)

static bool is_abbreviation(tc_str word)
{
    char bytes[ABBREVIATION_BYTES] = {0};
    if (word.len >= ABBREVIATION_BYTES)
        return false;
    memcpy(bytes, word.ptr, word.len);
    for (size_t i = 0; i < sizeof abbreviations / sizeof *abbreviations; i++)
        if (memcmp(abbreviations[i], bytes, ABBREVIATION_BYTES) == 0)
            return true;
    return false;
}

static bool is_closer(enum unicode_class class, uint32_t cp)
{
    return class == CLASS_CLOSE || class == CLASS_DQUOTE || class == CLASS_QUOTE || cp == 0x2019 ||
           cp == 0x2018;
}

// Closing signs, and zero-width characters among them.
static const char *skip_closers(const char *p, const char *end)
{
    size_t len;
    uint32_t cp;
    while (p < end) {
        enum unicode_class class = words_class_at(p, end, &len, &cp);
        if (class != CLASS_MARK && !is_closer(class, cp))
            break;
        p += len;
    }
    return p;
}

static bool is_digits(tc_str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] < '0' || word.ptr[i] > '9')
            return false;
    return word.len > 0;
}

// The letters at p begin with the name of a month, whatever the case of the first.
static bool begins_with_month(const char *p, const char *end)
{
    for (size_t i = 0; i < sizeof months / sizeof *months; i++) {
        size_t len = strlen(months[i]);
        if ((size_t)(end - p) >= len && (*p | 0x20) == months[i][0] &&
            memcmp(p + 1, months[i] + 1, len - 1) == 0)
            return true;
    }
    return false;
}

static bool is_single_capital(tc_str surface)
{
    uint32_t cp;
    return utf8_next(surface.ptr, surface.ptr + surface.len, &cp) == surface.len &&
           unicode_cell_of(cp) & UNICODE_UPPER;
}

// One letter and a full stop stand at p.
static bool is_initial(const char *p, const char *end)
{
    uint32_t cp;
    size_t len = p < end ? utf8_next(p, end, &cp) : 0;
    return len && p + len < end && p[len] == '.' && unicode_cell_of(cp) & UNICODE_UPPER;
}

static bool is_single_letter(tc_str surface)
{
    uint32_t cp;
    return utf8_next(surface.ptr, surface.ptr + surface.len, &cp) == surface.len &&
           unicode_class(unicode_cell_of(cp)) == CLASS_LETTER;
}

// Whether a single full stop after `word` belongs to it, `next` being the next word.
static bool stop_is_of_word(const struct sentence_word *word, const char *next, const char *end)
{
    size_t len;
    uint32_t cp;
    enum unicode_class class = words_class_at(next, end, &len, &cp);
    if (word->folded.len == 0)
        return false;
    if (is_single_capital(word->surface) || is_abbreviation(word->folded))
        return true;
    if (is_single_letter(word->surface) && is_initial(next, end)) // z. B., e. V.
        return true;
    if (class == CLASS_DIGIT && IS_IN(counters, word->folded))
        return true;
    return word->folded.len <= 2 && is_digits(word->folded) && begins_with_month(next, end);
}

static bool goes_on_small(const char *next, const char *end)
{
    uint32_t cp = 0;
    if (next < end)
        utf8_next(next, end, &cp);
    return (unicode_cell_of(cp) & UNICODE_LOWER) != 0;
}

static bool is_space_or_end(const char *p, const char *end)
{
    size_t len;
    uint32_t cp;
    return p >= end || words_class_at(p, end, &len, &cp) == CLASS_SPACE;
}

const char *sentence_end(const struct sentence_word *word, const char *from, const char *to,
                         const char *end)
{
    if (to - from == 1 && *from == ' ')
        return NULL;
    for (const char *p = from; p < to;) {
        size_t len;
        uint32_t cp;
        enum unicode_class class = words_class_at(p, to, &len, &cp);
        const char *after = skip_closers(p + len, end);
        if (class == CLASS_FULLSTOP)
            return after;
        if (class == CLASS_STOP && is_space_or_end(after, end) &&
            !(cp == 0x2026 && goes_on_small(to, end)))
            return after;
        if (cp == '.' && is_space_or_end(after, end) && !goes_on_small(to, end) &&
            !(p == from && !word->initials && stop_is_of_word(word, to, end)))
            return after;
        p += len;
    }
    return NULL;
}

bool sentence_ends(tc_str text)
{
    const char *p = text.ptr + text.len;
    if (p > text.ptr && (p[-1] | 0x20) >= 'a' && (p[-1] | 0x20) <= 'z')
        return false; // most lines of wrapped text
    while (p > text.ptr) {
        uint32_t cp;
        size_t len;
        const char *last = utf8_back(text.ptr, p);
        enum unicode_class class = words_class_at(last, p, &len, &cp);
        if (class == CLASS_STOP || class == CLASS_FULLSTOP || cp == '.')
            return true;
        if (!is_closer(class, cp))
            return false;
        p = last;
    }
    return false;
}
