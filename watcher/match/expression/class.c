// Sets of characters. ICU does the set arithmetic; what is kept is a bitmap of ASCII and ranges above it.
//
// No set holds the line feed: paragraphs of running text are joined by it when they are scanned.
#include "watcher/match/expression/parts.h"

#include <stdio.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uset.h>

#include "common/utf8.h"
#include "watcher/text/unicode.h"

enum { LAST_CHARACTER = 0x10FFFF, PROPERTY_BYTES = 40, LONG_S = 0x17F, KELVIN = 0x212A };

// ---- kept sets -----------------------------------------------------------------------------------

static const struct expression_set *keep(struct expression_reader *reader, USet *from)
{
    struct expression_set *set = tc_arena_take(reader->arena, sizeof *set);
    uset_remove(from, '\n');
    uset_removeRange(from, 0xD800, 0xDFFF);
    int32_t items = uset_getItemCount(from);
    uint32_t *ranges = tc_arena_take(reader->arena, ((size_t)items + 1) * 2 * sizeof *ranges);
    for (int32_t i = 0; i < items; i++) {
        UChar32 first = 0, last = 0;
        UErrorCode code = U_ZERO_ERROR;
        if (uset_getItem(from, i, &first, &last, NULL, 0, &code) != 0)
            continue; // a string: of several characters
        for (; first <= last && first < 0x80; first++)
            set->ascii[first >> 6] |= UINT64_C(1) << (first & 63);
        if (first > last)
            continue;
        ranges[2 * set->range_count] = (uint32_t)first;
        ranges[2 * set->range_count++ + 1] = (uint32_t)last;
    }
    set->ranges = ranges;
    uset_close(from);
    return set;
}

bool expression_set_has(const struct expression_set *set, uint32_t c)
{
    uint32_t low = 0, high = set->range_count;
    if (c < 0x80)
        return expression_set_has_ascii(set, c);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (set->ranges[2 * middle + 1] < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->range_count && set->ranges[2 * low] <= c;
}

// The other cases of all members. A long s and the sign of kelvin are no ASCII letters here: they would make
// every s and k three times as costly, and no text that anybody watches for has them.
static void add_cases(USet *set)
{
    bool long_s = uset_contains(set, LONG_S), kelvin = uset_contains(set, KELVIN);
    uset_closeOver(set, USET_CASE_INSENSITIVE);
    uset_removeAllStrings(set);
    if (!long_s)
        uset_remove(set, LONG_S);
    if (!kelvin)
        uset_remove(set, KELVIN);
}

const struct expression_set *expression_char(struct expression_reader *reader, uint32_t c)
{
    if (c < 0x80) {
        struct expression_set *set = tc_arena_take(reader->arena, sizeof *set);
        set->ascii[c >> 6] |= UINT64_C(1) << (c & 63);
        uint32_t other = c ^ 0x20;
        if (reader->fold_case && (c | 0x20) >= 'a' && (c | 0x20) <= 'z')
            set->ascii[other >> 6] |= UINT64_C(1) << (other & 63);
        return set;
    }
    USet *set = uset_open((UChar32)c, (UChar32)c);
    if (reader->fold_case)
        add_cases(set);
    return keep(reader, set);
}

const struct expression_set *expression_any(struct expression_reader *reader)
{
    return keep(reader, uset_open(0, LAST_CHARACTER));
}

// ---- characters ----------------------------------------------------------------------------------

bool expression_next(struct expression_reader *reader, uint32_t *c)
{
    uint32_t first = tc_utf8_next(reader->text, &reader->at);
    unsigned cell = unicode_cell_of(first);
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&code);
    if (cell & UNICODE_DROPS)
        return false;
    if (cell & UNICODE_MAPS) {
        size_t at = 0;
        first = tc_utf8_next(unicode_map(first), &at);
    }
    if (unicode_class(cell) == CLASS_SPACE)
        first = ' ';
    if (expression_is_quote(first))
        first = '"';
    while (reader->at < reader->text.len) {
        size_t next = reader->at;
        UChar32 pair =
            unorm2_composePair(nfc, (UChar32)first, (UChar32)tc_utf8_next(reader->text, &next));
        if (pair < 0)
            break;
        first = (uint32_t)pair;
        reader->at = next;
    }
    *c = first;
    return true;
}

// The value of a hexadecimal digit; 16 when it is none.
static uint32_t hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10) : 16;
}

// \xE9, \x{1F600}
static uint32_t read_hex(struct expression_reader *reader, size_t from)
{
    tc_str text = reader->text;
    uint32_t value = 0;
    bool braces = reader->at < text.len && text.ptr[reader->at] == '{';
    size_t at = reader->at + braces, first = at, most = braces ? 6 : 2;
    for (; at < text.len && at - first < most && hex_of(text.ptr[at]) < 16; at++)
        value = value * 16 + hex_of(text.ptr[at]);
    bool fine = braces ? at > first && at < text.len && text.ptr[at] == '}' : at - first == 2;
    reader->at = at + (braces && fine);
    if (!fine || value == 0 || value == '\n' || value > LAST_CHARACTER ||
        (value >= 0xD800 && value <= 0xDFFF)) {
        expression_fail(reader, from, reader->at, "write \\xE9 or \\x{1F600}",
                        "\\x needs the number of a character behind it");
        return 'x';
    }
    return value;
}

uint32_t expression_escaped(struct expression_reader *reader, size_t from, uint32_t c)
{
    if (c == 'x')
        return read_hex(reader, from);
    if (c == 't' || c == 'n' || c == 'r' || c == 'f' || c == 'v')
        expression_fail(reader, from, reader->at, "write \\s",
                        "\\%c matches nothing: in running text all white space is one blank",
                        (char)c);
    else if ((c >= '1' && c <= '9') || c == 'k' || c == 'g')
        expression_fail(reader, from, reader->at, NULL,
                        "back-references are not supported: an expression takes linear time");
    else if (c < 0x80 && (((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '0'))
        expression_fail(reader, from, reader->at,
                        "escapes are \\d \\w \\s \\b \\p{..} \\x{..} and signs",
                        "\\%c has no meaning here", (char)c);
    return c;
}

// ---- shorthands ----------------------------------------------------------------------------------

// \p{Lu}, \p{Greek}, \pL
static USet *read_property(struct expression_reader *reader, size_t from)
{
    tc_str text = reader->text, name = {0};
    const char *end =
        reader->at < text.len ? memchr(text.ptr + reader->at, '}', text.len - reader->at) : NULL;
    if (end && text.ptr[reader->at] == '{')
        name = tc_str_cut(text, reader->at + 1, (size_t)(end - text.ptr));
    UChar pattern[PROPERTY_BYTES + 8] = {'[', '\\', 'p', '{'};
    int32_t length = 4;
    bool plain = name.len > 0 && name.len <= PROPERTY_BYTES;
    for (size_t i = 0; plain && i < name.len; i++) {
        char c = name.ptr[i];
        plain = c == '_' || c == '=' || (c >= '0' && c <= '9') ||
                ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        pattern[length++] = (UChar)c;
    }
    pattern[length++] = '}';
    pattern[length++] = ']';
    UErrorCode code = U_ZERO_ERROR;
    USet *set = plain ? uset_openPattern(pattern, length, &code) : NULL;
    if (name.len > 0)
        reader->at += name.len + 2;
    if (set && U_SUCCESS(code))
        return set;
    uset_close(set);
    expression_fail(reader, from, reader->at, "write \\p{L} (a letter), \\p{Lu}, \\p{Greek}",
                    "\\p needs the name of a property or script behind it");
    return uset_openEmpty();
}

static USet *open_words(void)
{
    UErrorCode code = U_ZERO_ERROR;
    USet *set = uset_openEmpty();
    uset_applyIntPropertyValue(set, UCHAR_GENERAL_CATEGORY_MASK,
                               (int32_t)(U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK), &code);
    uset_add(set, '_');
    return set;
}

// The members of a shorthand; NULL when `c` is none.
static USet *open_shorthand(struct expression_reader *reader, size_t from, uint32_t c)
{
    USet *set;
    switch (c | 0x20) {
    case 'd': set = uset_open('0', '9'); break;
    case 's': set = uset_open(' ', ' '); break;
    case 'w': set = open_words(); break;
    case 'p': set = read_property(reader, from); break;
    default: return NULL;
    }
    if (!(c & 0x20))
        uset_complement(set);
    return set;
}

const struct expression_set *expression_shorthand(struct expression_reader *reader, size_t from,
                                                  uint32_t c)
{
    USet *set = c < 0x80 ? open_shorthand(reader, from, c) : NULL;
    if (set && reader->fold_case && (c | 0x20) == 'p')
        add_cases(set);
    return set ? keep(reader, set) : NULL;
}

// ---- [...] ---------------------------------------------------------------------------------------

// One member: a character (true), or a shorthand, which is added to the set (false).
static bool read_member(struct expression_reader *reader, USet *set, uint32_t *c)
{
    size_t from = reader->at;
    if (!expression_next(reader, c))
        return false;
    if (*c == '[' && reader->at < reader->text.len && reader->text.ptr[reader->at] == ':')
        expression_fail(reader, from, reader->at + 1, "write \\p{L}, \\p{Lu}, \\d, \\w",
                        "[: :] is not known here");
    if (*c != '\\')
        return true;
    if (reader->at >= reader->text.len)
        return false; // the bracket is never closed
    *c = tc_utf8_next(reader->text, &reader->at);
    USet *more = *c < 0x80 ? open_shorthand(reader, from, *c) : NULL;
    if (!more) {
        *c = expression_escaped(reader, from, *c);
        return true;
    }
    uset_addAll(set, more);
    uset_close(more);
    return false;
}

static bool at_range(const struct expression_reader *reader)
{
    tc_str rest = tc_str_cut(reader->text, reader->at, reader->text.len);
    return rest.len > 1 && rest.ptr[0] == '-' && rest.ptr[1] != ']';
}

static void read_members(struct expression_reader *reader, USet *set)
{
    while (reader->at < reader->text.len && reader->text.ptr[reader->at] != ']') {
        size_t from = reader->at;
        uint32_t first = 0, last = 0;
        if (!read_member(reader, set, &first))
            continue;
        last = first;
        if (at_range(reader)) {
            reader->at++;
            if (!read_member(reader, set, &last) || last < first) {
                expression_fail(reader, from, reader->at, "a \"-\" itself is written \\-",
                                "this range goes from nowhere to nowhere");
                last = first;
            }
        }
        uset_addRange(set, (UChar32)first, (UChar32)last);
    }
}

const struct expression_set *expression_class(struct expression_reader *reader)
{
    size_t open = reader->at - 1;
    USet *set = uset_openEmpty();
    bool others = reader->at < reader->text.len && reader->text.ptr[reader->at] == '^';
    reader->at += others;
    size_t first = reader->at;
    read_members(reader, set);
    if (reader->at >= reader->text.len)
        expression_fail(reader, open, open + 1, "a \"[\" itself is written \\[",
                        "\"[\" is never closed");
    else if (reader->at++ == first)
        expression_fail(reader, open, reader->at, "a \"]\" itself is written \\]",
                        "there is nothing in these brackets");
    if (reader->fold_case)
        add_cases(set);
    if (others)
        uset_complement(set);
    return keep(reader, set);
}
