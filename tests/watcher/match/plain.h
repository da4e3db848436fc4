// plain - the watch language read as plainly as can be, to hold the matcher against.
//
// A query is a tree, a segment an array of places with the words that stand there; every operator tries
// everything. Nothing here knows of terms, indexes, programs or lists of places, so an answer that differs
// from the matcher's is a mistake of one of the two. What a word is (text_read), what stems and marks are
// (watcher/text) is taken from there: those have tests of their own.
//
//   memory   trees in an arena; a segment has at most PLAIN_PLACES places
//   threads  one
#ifndef PLAIN_H
#define PLAIN_H

#include "watcher/match/switches.h"
#include "watcher/match/word_form.h"
#include "watcher/text/text.h"

enum {
    PLAIN_PLACES = 160,
    PLAIN_KIDS = 5,
    PLAIN_WORDS = 4,
    PLAIN_SHARED = 3,
    PLAIN_ITEMS = 4,
    PLAIN_LETTERS = 16 * 1024
};

enum plain_kind {
    PLAIN_LEAF, // one word or a phrase
    PLAIN_WINDOW,
    PLAIN_EXPRESSION,
    PLAIN_LIST, // its kids are the entries
    PLAIN_OR,
    PLAIN_NEAR,
    PLAIN_ONEAR,
    PLAIN_NOTNEAR,
    PLAIN_EXCEPT,
    PLAIN_FIRST,
    PLAIN_TITLE,
    PLAIN_LEAD,
    PLAIN_BODY,
    PLAIN_NAMED,
    PLAIN_AND, // from here on no operands of NEAR
    PLAIN_AND_NOT,
    PLAIN_ANY,
    PLAIN_ATLEAST,
    PLAIN_SENTENCE,
    PLAIN_PARAGRAPH,
    PLAIN_PAGE,
    PLAIN_META, // and its only kid
};

struct plain_word {
    const char *folded, *surface; // may hold wildcards
    const char *turkic;           // folded where a capital I is a dotless one
    int edits;
    bool wild;
    bool glued; // a hyphen before it, not a blank
};

struct plain_item { // of a regular expression: any of these letters, least .. most times
    const char *letters;
    int least, most;
};

struct plain_tree {
    enum plain_kind kind;
    int number; // distance, count; of a list which one it is
    struct plain_word words[PLAIN_WORDS];
    int word_count;
    bool exact;
    struct plain_item items[PLAIN_ITEMS]; // EXPRESSION; the second is a word, its letters in order
    bool any_case;
    const char *meta, *value;      // META: lang or source
    const char *langs[PLAIN_KIDS]; // of a list's entries, "" for all
    struct plain_tree *kids[PLAIN_KIDS];
    int count;
};

struct plain_place {
    const struct text_word *words[PLAIN_SHARED];
    int count, paragraph, sentence;
    const char *lang; // of its paragraph
    bool lang_sure;
    char joint;       // what follows it: '-', ' ', or 0 for anything else
    int from, behind; // its letters
};

struct plain {
    struct plain_place places[PLAIN_PLACES];
    int count, title, lead_from, lead_to; // the title is places 0 .. title-1
    const struct plain *page;             // all segments as one
    const struct article *article;
    const char *lang;            // of the segment
    char letters[PLAIN_LETTERS]; // paragraph after paragraph
    int letter_count;
};

// Reads segment `number` of a text, or all of them joined when it is -1. Views the text.
void plain_read(const struct text *text, int number, struct plain *out);

// Whether the query holds in the segment, its words compared as the switches say.
bool plain_holds(const struct plain_tree *tree, const struct plain *text,
                 struct text_switches switches, struct word_form_reader *reader);

// What `where` asks of the number of words.
int plain_body_words(const struct plain *text);

#endif
