// lucene - queries in Lucene's classic syntax, with Lucene's meaning.
//
// For watches that come from there. The tree that it gives is the common one; what tocsin's language
// has no operator for (a field of metadata as one word, *:*, nothing at all) has operators of its own.
//
//   words side by side   OR (or AND, see the options), and no operator binds tighter than another: as
//                        the classic parser has it, AND makes what stands on both of its sides
//                        required, and what is not required counts only where nothing is
//   - ! NOT              prohibited; a query or group of negatives only never matches
//   "a b"~n              the words may be moved n places in all; two swapped words are two moves
//   a~ a~1 a~0.7         at most two (one, ...) letters other, more, less or swapped
//   a*b a?b /re/         on one word; [a TO b} on one word by code points
//   a^2                  read and forgotten
//   field:               title, body (the default), author: words. lang, published (UTC, yyyymmdd),
//                        source: the whole value as one word, in the case written. Others are empty
//
// The text is one segment for such a query: all segments of a page together, the hit is the first
// one's. Line breaks are spaces.
//
//   memory   the tree in the arena given
//   threads  none
//   source   QueryParserBase and SloppyPhraseMatcher of Lucene 8
#ifndef LUCENE_H
#define LUCENE_H

#include "watcher/match/query.h"

struct lucene_options {
    bool all;              // op=AND: words side by side must all be there
    bool leading_wildcard; // leadingwild: *word is allowed
    bool auto_phrase;      // autophrase: wi-fi without quotes is the phrase "wi fi"
};

// Reads "op=AND,leadingwild,autophrase" (any of them, "-" or nothing for none). False when one of
// them is unknown; *unknown views it then.
bool lucene_options_read(tc_str text, struct lucene_options *out, tc_str *unknown);

// The same options as text, in a fixed order; empty when there is none.
const char *lucene_options_text(const struct lucene_options *options);

// What a query said that changes no match.
struct lucene_forgotten {
    size_t boosts;   // a^2
    size_t optional; // clauses beside required ones that are not required themselves
};

// Reads a query. Adds mistakes to place->diags. Gives the tree, NULL after an error. `forgotten` may
// be NULL.
struct query_node *lucene_read(tc_str text, const struct text_settings *settings,
                               const struct lucene_options *options, struct tc_arena *arena,
                               const struct query_place *place, struct lucene_forgotten *forgotten);

// Writes the query in tocsin's own language to `out`. What is not quite the same there is said in
// `notes`, a line each. False when it cannot be said; `notes` then has why.
struct tc_buf;
bool lucene_rewrite(const struct query_node *root, const struct text_settings *settings,
                    struct tc_buf *out, struct tc_buf *notes);

#endif
