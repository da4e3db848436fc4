// lucene_lex - the tokens of Lucene's classic query syntax.
//
// Used by lucene*.c only. The whole query is cut before it is parsed: a grammar with two tokens of
// look-ahead and three sets of tokens (behind "^" and inside ranges others count) stays simple so.
// Where several tokens could begin, the longest counts, as in Lucene.
//
//   memory   the tokens, in the arena; they view the query
//   threads  none
//   source   QueryParser.jj of Lucene 8
#ifndef LUCENE_LEX_H
#define LUCENE_LEX_H

#include "watcher/match/query.h"

enum lucene_kind {
    LUCENE_END,
    LUCENE_AND,
    LUCENE_OR,
    LUCENE_NOT, // also !
    LUCENE_PLUS,
    LUCENE_MINUS,
    LUCENE_BARE, // + - or ! with white space behind it: a term without words
    LUCENE_OPEN,
    LUCENE_CLOSE,
    LUCENE_COLON,
    LUCENE_STAR,
    LUCENE_CARAT,
    LUCENE_NUMBER, // behind ^
    LUCENE_QUOTED,
    LUCENE_TERM,
    LUCENE_FUZZY, // ~, ~2, ~0.5
    LUCENE_PREFIX,
    LUCENE_WILD,
    LUCENE_REGEXP,
    LUCENE_RANGE_OPEN,   // [ or {
    LUCENE_RANGE_CLOSE,  // ] or }
    LUCENE_RANGE_TO,     //
    LUCENE_RANGE_QUOTED, //
    LUCENE_RANGE_END,    // one end of a range, as written
};

struct lucene_token {
    enum lucene_kind kind;
    size_t from, to;
    tc_str text; // as written, with quotes, slashes and backslashes
};

struct lucene_tokens {
    const struct lucene_token *at; // ends with LUCENE_END
    size_t count;                  // without it
};

// Cuts a query. False after a mistake, which is reported to `place`.
bool lucene_lex(tc_str text, struct tc_arena *arena, const struct query_place *place,
                struct lucene_tokens *out);

// Reports a mistake under bytes from..to, at least one column wide.
void lucene_wrong(const struct query_place *place, size_t from, size_t to, const char *code,
                  const char *help, const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
