// Random texts for the tests of this room: pieces that tease the scanner, quiet running text in
// several languages, and plain bytes. The same seed gives the same text.
#ifndef MIX_H
#define MIX_H

#include "common/str.h"

// Xorshift; never gives the same state twice in a row. *seed is not 0.
static inline uint32_t mix_next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static const char *const mix_signs[] = {
    "a",
    "B",
    "9",
    ".",
    ",",
    "'",
    "’",
    "&",
    "#",
    "$",
    "%",
    "_",
    "-",
    " ",
    "\n",
    "\n\n\n",
    "é",
    "ß",
    "人",
    "ก",
    "่",
    "\xcc\x81",
    "\xe2\x80\x8b",
    "+",
    "@",
    "://",
    "www.",
    "WWW.",
    "mailto:",
    "\xff",
    "\xe4",
    "!",
    "。",
    "，",
    "*",
    "?",
    "\\",
    "ò",
    "I",
    "s ",
    "l'",
    "\xef\xb7\x90",
    "Ａ",
    " the ",
    ".net",
    "C++",
    "U.S.",
    "Mr. ",
    "12:01",
    "6,022",
    "\t",
    "\r\n",
    "\"",
    "(",
    ")",
    "…",
    "/",
    "wsj.com/a",
    "ǅ",
    "İ",
    "ẞ",
    "Ⱥ",
    "ﬃ",
    "Größe",
    "Ελλάδα",
    "МОСКВА",
    "\xe1\xbb",
    "\xed\xa0\x80",
    "\xf0\x9f\x98\x80",
    "ﾊﾞ",
    "カ",
    "が",
    "l·l",
    "ש\"ש",
    "ᅟ",
    "\xc2\xad",
    "\xc2\xa0",
    "hòa",
    "HÒA",
    "—",
    "“",
    "”",
    "\xe0\x80\x80",
    "\xf4\x90\x80\x80",
    "\xc0\xaf",
    "٣",
    "€",
    "٬",
};
static const char *const mix_calm[] = {
    " the",     " of",     " China",        " said",     " growth",   ", and",
    " in",      ". The",   " market-based", "\n",        " pct",      ". \"",
    " Đà Nẵng", " người",  " hòa bình",     " Trump's",  " 3.5",      " U.S.",
    " (AI)",    "! But",   "? He",          "; so",      ": to",      "\n\n",
    " größer",  " Köln",   " „Haus“",       " www.a.de", " 人工智能", "。",
    "，",       "国",      " it's",         " a",        " I",        " vs. ",
    " Inc.",    " HÀ NỘI", " Россия",       " и",        " — что",    " caf\x65\xcc\x81",
    "\xc2\xa0", " İzmir",  " x@y.de",       "日本の",    "ไทย",
};

// Fills `out` with a text of about `want` bytes, at most `want` + 24. Gives its length. `kind` 0:
// signs, 1: calm, 2: calm with some signs, 3: bytes.
static inline size_t mix_text(uint32_t *seed, unsigned kind, size_t want, char *out)
{
    size_t len = 0;
    while (len < want) {
        const char *piece = mix_calm[mix_next(seed) % (sizeof mix_calm / sizeof *mix_calm)];
        if (kind == 0 || (kind == 2 && mix_next(seed) % 8 == 0))
            piece = mix_signs[mix_next(seed) % (sizeof mix_signs / sizeof *mix_signs)];
        if (kind == 3)
            out[len++] = (char)mix_next(seed);
        for (; kind != 3 && *piece; piece++)
            out[len++] = *piece;
    }
    return len;
}

#endif
