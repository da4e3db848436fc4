// query_leaf - one word or phrase, from a query string or from an entry of a list.
//
// Used by query.c only.
#ifndef QUERY_LEAF_H
#define QUERY_LEAF_H

#include "watcher/match/query_lex.h"

struct query_leaf {
    size_t from, to;  // bytes of the query, with its signs
    size_t text_from; // where `text` starts in the query
    tc_str text;      // without quotes, = and ~
    bool exact;       // = stood before it
    bool quoted;      // it stood in quotes
    int tilde;        // ~n, QUERY_NO_TILDE when there is none
};

// The node of a leaf. Mistakes go to the lexer's place; the node is then one without words, on which
// reading goes on.
struct query_node *query_leaf_node(struct query_lexer *lexer, const struct text_settings *settings,
                                   struct tc_arena *arena, const struct query_leaf *leaf);

#endif
