// unicode - what the scanner knows about a character, one load each.
//
// The tables are constant and made at build time by unicode_gen.c from ICU's data.
//
//   memory   about 100 KB of constant data
//   threads  any
#ifndef UNICODE_H
#define UNICODE_H

#include "common/str.h"

// Word classes: those of UAX #29, with letters of scripts without spaces and the signs that
// belong to words told apart.
enum unicode_class {
    CLASS_NONE,
    CLASS_SPACE,
    CLASS_LETTER,
    CLASS_HEBREW, // letter that joins over a double quote
    CLASS_DIGIT,
    CLASS_SINGLE,   // Han, Hiragana: a word of its own
    CLASS_KATAKANA, // a word of its own; UAX #29 makes runs
    CLASS_COMPLEX,  // Thai, Lao, Khmer, Myanmar: the same
    CLASS_MARK,     // combining or zero-width: belongs to what stands before
    CLASS_JOIN,     // _
    CLASS_MIDLETTER,
    CLASS_MIDNUM,
    CLASS_MIDBOTH,
    CLASS_QUOTE, // '
    CLASS_DQUOTE,
    CLASS_MONEY,
    CLASS_PERCENT,
    CLASS_STOP,     // ! ? and the like: end a sentence before white space
    CLASS_FULLSTOP, // the full-width ones: end it anyway
    CLASS_CLOSE,    // brackets and quotes
    CLASS_SYMBOL,   // math and other symbols
    CLASS_WILD,     // stands for * and ? of a query while it is scanned
};

enum unicode_script {
    SCRIPT_OTHER,
    SCRIPT_LATIN,
    SCRIPT_HAN,
    SCRIPT_KANA,
    SCRIPT_HANGUL,
    SCRIPT_THAI,
    SCRIPT_LAO,
    SCRIPT_KHMER,
    SCRIPT_MYANMAR,
    SCRIPT_GREEK,
    SCRIPT_HEBREW,
    SCRIPT_GEORGIAN,
    SCRIPT_ARMENIAN,
    SCRIPTS,
};

enum {
    UNICODE_CLASS = 0x1f,
    UNICODE_FOLDS = 1 << 5,    // case folding changes it
    UNICODE_MAPS = 1 << 6,     // has a plain spelling: typographic apostrophe, full-width Latin
    UNICODE_DROPS = 1 << 7,    // soft hyphen, zero width: leaves no trace
    UNICODE_COMPOSES = 1 << 8, // NFC has to look at it
    UNICODE_UPPER = 1 << 9,
    UNICODE_LOWER = 1 << 10,
    UNICODE_TONED = 1 << 11, // o or u with a Vietnamese tone mark: may stand at its older place
    UNICODE_SCRIPT_SHIFT = 12,

    // With none of these, the surface of a character is the character.
    UNICODE_ODD = UNICODE_MAPS | UNICODE_DROPS | UNICODE_COMPOSES,

    // Noncharacters that no text holds on purpose.
    UNICODE_WILD_MANY = 0xFDD0,
    UNICODE_WILD_ONE = 0xFDD1,

    UNICODE_SPELLING_BYTES = 7,
};

struct unicode_spelling {
    uint32_t cp;
    uint8_t len;
    char utf8[UNICODE_SPELLING_BYTES];
};

extern const uint16_t unicode_cell[][256]; // row 0 is Latin-1
extern const uint8_t unicode_block[0x1100];

// Class, flags and script of a code point.
static inline unsigned unicode_cell_of(uint32_t cp)
{
    return unicode_cell[unicode_block[cp >> 8]][cp & 255];
}

// The same for a byte of ASCII.
static inline unsigned unicode_ascii(char byte)
{
    return unicode_cell[0][(unsigned char)byte];
}

static inline enum unicode_class unicode_class(unsigned cell)
{
    return (enum unicode_class)(cell & UNICODE_CLASS);
}

static inline enum unicode_script unicode_script(unsigned cell)
{
    return (enum unicode_script)(cell >> UNICODE_SCRIPT_SHIFT);
}

// The case folding of a character with UNICODE_FOLDS, the plain spelling of one with
// UNICODE_MAPS; otherwise empty.
tc_str unicode_fold(uint32_t cp);
tc_str unicode_map(uint32_t cp);

#endif
