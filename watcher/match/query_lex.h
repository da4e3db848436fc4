// query_lex - the words, signs and operators of a query string, one after the other.
//
// Used by query*.c, and by the writer of canonical files, which looks for comments. Mistakes that can be seen here (a character that has no meaning, an operator
// of another product) are reported here, and the token that was probably meant is given, so
// that reading goes on and finds the next mistake.
//
//   memory   none: tokens view the query string
//   threads  none
#ifndef QUERY_LEX_H
#define QUERY_LEX_H

#include "watcher/match/query.h"

enum query_token_kind {
    TOKEN_END,
    TOKEN_BAD, // already reported; stands for a term
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_EQUALS,
    TOKEN_BOOST, // ^number
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT, // also "-"
    TOKEN_NEAR,
    TOKEN_ONEAR,
    TOKEN_NOTNEAR,
    TOKEN_EXCEPT,
    TOKEN_SENTENCE,
    TOKEN_PARAGRAPH,
    TOKEN_ATLEAST,
    TOKEN_FIRST,
    TOKEN_ANY,
    TOKEN_PART,   // title: or TITLE( and the like: `op`
    TOKEN_META,   // source: and the like: `meta`
    TOKEN_CLAUSE, // text::
    TOKEN_LIST,   // @text
    TOKEN_WORD,   // text, tilde
    TOKEN_PHRASE, // text inside the quotes, tilde
    TOKEN_REGEX,  // text between the slashes, fold_case
};

enum { QUERY_NO_TILDE = -1 };

struct query_token {
    enum query_token_kind kind;
    size_t from, to;
    tc_str text;
    uint32_t number;
    int tilde; // ~n behind a word or phrase, QUERY_NO_TILDE when there is none
    bool fold_case;
    enum query_op op;
    enum query_meta meta;
};

struct query_lexer {
    tc_str text;
    size_t at; // the next byte
    const struct query_place *place;
    size_t errors; // reported so far
};

// The next token. `value` asks for the value of source: or url:, which runs to white space or ")".
struct query_token query_lex(struct query_lexer *lexer, bool value);

// Reports a mistake under bytes from..to and counts it.
void query_wrong(struct query_lexer *lexer, size_t from, size_t to, const char *code,
                 const char *help, const char *format, ...) __attribute__((format(printf, 6, 7)));

// Whether the lexer's text can be read at all: valid UTF-8 without zero bytes, at most QUERY_BYTES.
// Reports when it cannot; `what` is "a query" or "an entry".
bool query_is_text(struct query_lexer *lexer, const char *what);

// Whether `text` is an operator word (AND, NEAR/5, ...).
bool query_is_operator(tc_str text);

#endif
