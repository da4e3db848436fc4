// unicode_gen - writes unicode_tables.inc at build time: what the word scanner knows about
// every code point.
//
// ICU answers per character through function calls and a trie; the scanner wants one load. So
// this program asks ICU once for each code point, while building, and writes constant tables:
//
//   unicode_block[cp >> 8]            number of a block of 256
//   unicode_cell[block][cp & 255]     class, flags and script packed as in unicode.h
//   unicode_folds, unicode_maps       sorted by code point: its case folding; its plain spelling
//
// Regenerate: it runs whenever this file changes; the Unicode version is ICU's.
#include "watcher/text/unicode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

enum { CODE_POINTS = 0x110000, BLOCK = 256, BLOCKS = CODE_POINTS / BLOCK, PLAIN_MOST = 8 };

static uint16_t cells[CODE_POINTS];
static UChar plain[PLAIN_MOST]; // what plain_form() found

static const UNormalizer2 *normalizer(bool compatible)
{
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2 *nf =
        compatible ? unorm2_getNFKCInstance(&code) : unorm2_getNFCInstance(&code);
    if (U_FAILURE(code))
        exit(1);
    return nf;
}

static bool is_surrogate(UChar32 cp)
{
    return cp >= 0xD800 && cp <= 0xDFFF;
}

static bool is_apostrophe(UChar32 cp)
{
    return cp == 0x2018 || cp == 0x2019 || cp == 0x02BC || cp == 0xFF07 || cp == 0x201B;
}

// The plain spelling of one character, in `plain`: typographic apostrophes, full-width Latin and
// half-width Kana. Gives its length, 0 when the character is its own.
static int plain_form(UChar32 cp)
{
    if (is_apostrophe(cp)) {
        plain[0] = '\'';
        return 1;
    }
    if (cp < 0xFF01 || cp > 0xFFEF)
        return 0;
    UChar from[2];
    int32_t len = 0;
    UErrorCode code = U_ZERO_ERROR;
    U16_APPEND_UNSAFE(from, len, cp);
    int32_t got = unorm2_normalize(normalizer(true), from, len, plain, PLAIN_MOST, &code);
    return U_FAILURE(code) || (got == 1 && plain[0] == (UChar)cp) ? 0 : got;
}

// The full case folding, with one change: a dotted capital I folds to a plain i, so that
// Istanbul is found however it is written.
static int fold_form(UChar32 cp, UChar *out)
{
    UChar from[2];
    int32_t len = 0;
    UErrorCode code = U_ZERO_ERROR;
    if (cp == 0x130) {
        out[0] = 'i';
        return 1;
    }
    U16_APPEND_UNSAFE(from, len, cp);
    int32_t got = u_strFoldCase(out, PLAIN_MOST, from, len, U_FOLD_CASE_DEFAULT, &code);
    return U_FAILURE(code) || (got == len && !memcmp(out, from, (size_t)len * sizeof *out)) ? 0
                                                                                            : got;
}

// Scripts that are written without spaces get one position per character.
static bool is_single(UScriptCode script)
{
    switch (script) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA: return true;
    default: return false;
    }
}

static enum unicode_script script_of(UScriptCode script)
{
    switch (script) {
    case USCRIPT_LATIN: return SCRIPT_LATIN;
    case USCRIPT_HAN: return SCRIPT_HAN;
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA: return SCRIPT_KANA;
    case USCRIPT_HANGUL: return SCRIPT_HANGUL;
    case USCRIPT_THAI: return SCRIPT_THAI;
    case USCRIPT_LAO: return SCRIPT_LAO;
    case USCRIPT_KHMER: return SCRIPT_KHMER;
    case USCRIPT_MYANMAR: return SCRIPT_MYANMAR;
    case USCRIPT_GREEK: return SCRIPT_GREEK;
    case USCRIPT_HEBREW: return SCRIPT_HEBREW;
    case USCRIPT_GEORGIAN: return SCRIPT_GEORGIAN;
    case USCRIPT_ARMENIAN: return SCRIPT_ARMENIAN;
    default: return SCRIPT_OTHER;
    }
}

static enum unicode_class sign_class(UChar32 cp)
{
    if (cp == UNICODE_WILD_MANY || cp == UNICODE_WILD_ONE)
        return CLASS_WILD;
    if (cp == '%' || cp == 0xFF05 || cp == 0x2030 || cp == 0x066A)
        return CLASS_PERCENT;
    if (cp == 0x2026 || cp == '!' || cp == '?' || cp == 0x061F || cp == 0x06D4 || cp == 0x0964)
        return CLASS_STOP;
    if (cp == 0x3002 || cp == 0xFF01 || cp == 0xFF1F || cp == 0xFF61)
        return CLASS_FULLSTOP;
    if (u_charType(cp) == U_CURRENCY_SYMBOL)
        return CLASS_MONEY;
    if (u_isUWhiteSpace(cp))
        return CLASS_SPACE;
    switch (u_charType(cp)) {
    case U_END_PUNCTUATION:
    case U_FINAL_PUNCTUATION:
    case U_INITIAL_PUNCTUATION: return CLASS_CLOSE;
    case U_MATH_SYMBOL:
    case U_MODIFIER_SYMBOL:
    case U_OTHER_SYMBOL: return CLASS_SYMBOL;
    default: return CLASS_NONE;
    }
}

static enum unicode_class class_of(UChar32 cp)
{
    UErrorCode code = U_ZERO_ERROR;
    if (cp == 0x200B || cp == 0xFEFF)
        return CLASS_MARK; // dropped inside words; UAX #29 breaks here
    switch (u_getIntPropertyValue(cp, UCHAR_WORD_BREAK)) {
    case U_WB_ALETTER: return is_single(uscript_getScript(cp, &code)) ? CLASS_SINGLE : CLASS_LETTER;
    case U_WB_HEBREW_LETTER: return CLASS_HEBREW;
    case U_WB_NUMERIC: return CLASS_DIGIT;
    case U_WB_KATAKANA: return CLASS_KATAKANA;
    case U_WB_EXTENDNUMLET: return CLASS_JOIN;
    case U_WB_EXTEND:
    case U_WB_FORMAT:
    case U_WB_ZWJ: return CLASS_MARK;
    case U_WB_MIDLETTER: return CLASS_MIDLETTER;
    case U_WB_MIDNUM: return CLASS_MIDNUM;
    case U_WB_MIDNUMLET: return CLASS_MIDBOTH;
    case U_WB_SINGLE_QUOTE: return CLASS_QUOTE;
    case U_WB_DOUBLE_QUOTE: return CLASS_DQUOTE;
    default: break;
    }
    if (u_getIntPropertyValue(cp, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT)
        return u_isalpha(cp) ? CLASS_COMPLEX : CLASS_NONE;
    if (is_single(uscript_getScript(cp, &code)) && u_isalpha(cp))
        return CLASS_SINGLE;
    return sign_class(cp);
}

// o and u of either case with grave, acute, hook, tilde or dot below (fold.c has them by vowel).
static bool is_toned(UChar32 cp)
{
    static const UChar toned[] = {
        0xF2, 0xF3, 0x1ECF, 0xF5,  0x1ECD, 0xD2, 0xD3, 0x1ECE, 0xD5,  0x1ECC,
        0xF9, 0xFA, 0x1EE7, 0x169, 0x1EE5, 0xD9, 0xDA, 0x1EE6, 0x168, 0x1EE4,
    };
    for (size_t i = 0; i < sizeof toned / sizeof *toned; i++)
        if (toned[i] == cp)
            return true;
    return false;
}

static uint16_t cell_of(UChar32 cp)
{
    UErrorCode code = U_ZERO_ERROR;
    UChar folded[PLAIN_MOST];
    unsigned cell = class_of(cp);
    if (fold_form(cp, folded))
        cell |= UNICODE_FOLDS;
    if (plain_form(cp))
        cell |= UNICODE_MAPS;
    if (u_hasBinaryProperty(cp, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) || cp == 0x200B || cp == 0xFEFF)
        cell |= UNICODE_DROPS;
    if (cp >= 0x300 && (u_getIntPropertyValue(cp, UCHAR_NFC_QUICK_CHECK) != UNORM_YES ||
                        u_getCombiningClass(cp) != 0))
        cell |= UNICODE_COMPOSES;
    if (u_isupper(cp))
        cell |= UNICODE_UPPER;
    if (u_islower(cp))
        cell |= UNICODE_LOWER;
    if (is_toned(cp))
        cell |= UNICODE_TONED;
    cell |= (unsigned)script_of(uscript_getScript(cp, &code)) << UNICODE_SCRIPT_SHIFT;
    return (uint16_t)cell;
}

static void write_blocks(FILE *out)
{
    static int number[BLOCKS];
    int count = 0;
    fprintf(out, "const uint16_t unicode_cell[][%d] = {\n", BLOCK);
    for (int b = 0; b < BLOCKS; b++) {
        int same = 0;
        while (same < b && memcmp(cells + same * BLOCK, cells + b * BLOCK, BLOCK * 2) != 0)
            same++;
        if (same < b) {
            number[b] = number[same];
            continue;
        }
        number[b] = count++;
        fprintf(out, "{");
        for (int i = 0; i < BLOCK; i++)
            fprintf(out, "%u,%s", cells[b * BLOCK + i], i % 24 == 23 ? "\n" : "");
        fprintf(out, "},\n");
    }
    fprintf(out, "};\nconst uint8_t unicode_block[%d] = {\n", BLOCKS);
    if (count > 255)
        exit(1); // the number of a block is a byte
    for (int b = 0; b < BLOCKS; b++)
        fprintf(out, "%d,%s", number[b], b % 32 == 31 ? "\n" : "");
    fprintf(out, "};\n");
}

static void write_spelling(FILE *out, UChar32 cp, const UChar *text, int len)
{
    char utf8[64];
    int32_t bytes = 0;
    UErrorCode code = U_ZERO_ERROR;
    u_strToUTF8(utf8, sizeof utf8, &bytes, text, len, &code);
    if (U_FAILURE(code) || bytes > UNICODE_SPELLING_BYTES)
        exit(1);
    fprintf(out, "{0x%X,%d,{", (unsigned)cp, (int)bytes);
    for (int32_t i = 0; i < bytes; i++)
        fprintf(out, "(char)%d,", (unsigned char)utf8[i]);
    fprintf(out, "}},\n");
}

static void write_spellings(FILE *out, const char *name, bool fold)
{
    UChar folded[PLAIN_MOST];
    fprintf(out, "static const struct unicode_spelling %s[] = {\n", name);
    for (UChar32 cp = 0; cp < CODE_POINTS; cp++) {
        int len = is_surrogate(cp) ? 0 : fold ? fold_form(cp, folded) : plain_form(cp);
        if (len)
            write_spelling(out, cp, fold ? folded : plain, len);
    }
    fprintf(out, "};\n");
}

int main(int argc, char **argv)
{
    FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (!out)
        return 1;
    for (UChar32 cp = 0; cp < CODE_POINTS; cp++)
        cells[cp] = is_surrogate(cp) ? CLASS_NONE : cell_of(cp);
    fprintf(out, "// Written by unicode_gen from Unicode %s.\n", U_UNICODE_VERSION);
    write_blocks(out);
    write_spellings(out, "unicode_folds", true);
    write_spellings(out, "unicode_maps", false);
    return fclose(out) == 0 ? 0 : 1;
}
