// text - an article as a reader sees it: segments, paragraphs, sentences, words.
//
// A pure function of the article's bytes and the settings. The parts lie in flat arrays in the
// article's arena, so that matching walks memory in order.
//
// A word has two forms: `folded` (what queries match by default: case folded, NFC, marks kept) and
// `surface` (what `=` matches: as written but NFC, full-width Latin as ASCII, typographic quotes
// unified, soft hyphens and zero-width characters gone, dots of initialisms dropped, Vietnamese tone
// marks at their newer place). Several words may stand at one position: China's / China, l'IA / IA,
// #word / word. Positions count through a segment: title first, then body. Each paragraph starts a
// new number in `paragraph`, each sentence in `sentence` (both count through the segment), and the
// title is a paragraph of its own.
//
// The title of an article is article->title (field TITLE). The title of a page is a line of its body:
// `title_words` says which words it has, but its field is BODY, because that is where its offsets
// count. It is taken out of the body's order, and not repeated there. Navigation, bylines and dates
// stay in the body; they are only never the title or the lead.
//
//   memory   at most TEXT_ARENA_PER_BYTE bytes of the arena per input byte, and its last block
//   threads  any; one call works on one article
//   source   UAX #29 word boundaries with the refinements of WATCH-LANGUAGE section 6
//            (docs/watch-language.md), Unicode data from ICU
#ifndef TEXT_H
#define TEXT_H

#include "common/arena.h"
#include "common/err.h"
#include "common/hit.h"
#include "watcher/source/article.h"

enum {
    TEXT_ARENA_PER_BYTE = 64, // measured bound, checked by a test
    TEXT_WORDS_MOST = 1 << 22,
    TEXT_LANG_BYTES = 12,
    TEXT_BEHIND = 16, // bytes that can be read behind a folded form, whatever they are
};

enum text_words { TEXT_WORDS_TOCSIN, TEXT_WORDS_STANDARD, TEXT_WORDS_ASCII };

struct text_settings {
    enum text_words words; // how words are cut; TOCSIN unless a comparison asks for another
};

struct text_word {
    const char *folded, *surface; // not zero-ended; TEXT_BEHIND bytes follow the folded one
    uint16_t folded_len, surface_len;
    uint32_t start, end; // bytes of the original that its paragraph's `field` names, half-open
    uint32_t position;   // rises by one per place; equal for words that share a place
    uint32_t paragraph, sentence;
};

struct text_sentence {
    uint32_t first, count; // words
    uint32_t start, end;   // bytes of the original field
    enum tc_field field;   // which original: TITLE (article->title) or BODY (article->body)
};

struct text_paragraph {
    uint32_t first, count; // words
    uint32_t start, end;   // bytes of the original field
    enum tc_field field;
    char lang[TEXT_LANG_BYTES]; // "vi"; empty when unknown. Lower case, primary subtag only
    bool lang_sure;             // stated by the source or certain: then lists of other languages
                                // do not apply. False: every list applies
};

struct text_segment {
    uint32_t number; // from 0, in reading order
    const struct text_word *words;
    uint32_t word_count;
    uint32_t title_words; // words 0 .. title_words-1 are the title, the others the body
    const struct text_sentence *sentences;
    uint32_t sentence_count;
    const struct text_paragraph *paragraphs;
    uint32_t paragraph_count;
    uint32_t
        lead_paragraph; // index of the first paragraph of the body that is no navigation, byline,
                        // date or the title again; == paragraph_count when there is no body
    tc_str title;       // as written (a view of the original), may be empty
    char lang[TEXT_LANG_BYTES];     // of most of its words; empty when unknown
    uint32_t first_line, last_line; // of the page, from 1; 0 for articles that are no pages
};

struct text {
    const struct article *article;
    const struct text_segment *segments;
    uint32_t segment_count;
    const tc_str *urls; // addresses and links found in the text (they are no words), and the
    uint32_t url_count; // article's own url
    uint32_t repaired;  // bytes that were not UTF-8 and were read as U+FFFD
};

// Reads `article` into its own arena. Views the article. Bytes that are no UTF-8 are repaired and
// counted; an article without any word gives one segment without words.
//   TC_EFULL  more than TEXT_WORDS_MOST words
int text_read(struct article *article, const struct text_settings *settings,
              const struct text **out, struct tc_err *err);

// ---- words of queries --------------------------------------------------------------------
//
// The same splitter reads what people write in queries, so that both sides agree: an entry
// "KI-Koryphäen" gives two words, "人工智能" four, "China's" one (its folded form "china's").
// `*` and `?` are letters here unless escaped with a backslash; a backslash makes the next
// character itself.

struct text_query_word {
    tc_str folded, surface; // may hold wildcards, see `wild`
    bool wild;              // holds an unescaped * or ?; these are then the bytes '*' and '?',
                            // and literal ones are escaped with a backslash
    uint32_t from, to;      // bytes of the entry
    bool glued; // a hyphen, slash or nothing (Han) and no white space stood before this word
};

// Splits an entry into words, in the arena. Gives their number; 0 when it holds no word at all.
// `lost` (may be NULL) is set to the first byte offset of a sign that no word can hold (a query
// "foo+bar" loses "+"), or entry.len when none was lost.
size_t text_query_words(tc_str entry, const struct text_settings *settings, struct tc_arena *arena,
                        const struct text_query_word **out, size_t *lost);

// A string in its folded form without being cut into words: for parts of words (what stands before a
// wildcard, the ends of a range). In the arena.
tc_str text_query_fold(tc_str part, const struct text_settings *settings, struct tc_arena *arena);

// Whether a folded or surface form matches a pattern with `*` and `?` (letters by code points).
bool text_wild_match(tc_str pattern, tc_str word);

#endif
