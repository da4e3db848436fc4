// lucene_leaf - one term, phrase, range or regular expression of a Lucene query.
//
// Used by lucene.c only.
#ifndef LUCENE_LEAF_H
#define LUCENE_LEAF_H

#include "watcher/match/lucene/lex.h"
#include "watcher/match/lucene/lucene.h"

enum lucene_kept { // where a field's words come from
    LUCENE_BODY,
    LUCENE_TITLE,
    LUCENE_META,    // metadata, `field`
    LUCENE_UNKNOWN, // no article has it
    LUCENE_ANY,     // "*"
};

struct lucene_field {
    enum lucene_kept kept;
    enum query_field field;
};

struct lucene_leaves { // what all leaves of a query need
    const struct text_settings *settings;
    const struct lucene_options *options;
    struct tc_arena *arena;
    const struct query_place *place;
};

struct lucene_field lucene_field_of(tc_str name);

// Takes backslashes away, and \u0041 becomes its letter. False after a mistake; `from` is where the
// text begins in the query.
bool lucene_unescape(const struct lucene_leaves *leaves, tc_str text, size_t from, tc_str *out);

// The words of a text as the field has them. Gives their number, perhaps 0.
size_t lucene_words(const struct lucene_leaves *leaves, struct lucene_field field, tc_str text,
                    struct query_word **out);

// A node of words that were written as `text` at `from`; several words are a phrase with slop. Words
// of metadata and of no field are made what they are.
struct query_node *lucene_leaf(const struct lucene_leaves *leaves, struct lucene_field field,
                               tc_str text, size_t from, const struct query_word *words,
                               size_t count, int slop);

// One word from one token, NULL after a mistake: a*b, a*, /re/, a~1.
struct query_node *lucene_wild(const struct lucene_leaves *leaves, struct lucene_field field,
                               const struct lucene_token *token);
struct query_node *lucene_prefix(const struct lucene_leaves *leaves, struct lucene_field field,
                                 const struct lucene_token *token);
struct query_node *lucene_regexp(const struct lucene_leaves *leaves, struct lucene_field field,
                                 const struct lucene_token *token);
struct query_node *lucene_fuzzy(const struct lucene_leaves *leaves, struct lucene_field field,
                                const struct lucene_token *token, const struct lucene_token *edits);

// [low TO high}: the tokens of the brackets and of both ends.
struct query_node *lucene_range(const struct lucene_leaves *leaves, struct lucene_field field,
                                const struct lucene_token *open, const struct lucene_token *low,
                                const struct lucene_token *high, const struct lucene_token *close);

// n of "~n" behind a phrase. False after a mistake.
bool lucene_slop(const struct lucene_leaves *leaves, const struct lucene_token *token, int *out);

#endif
