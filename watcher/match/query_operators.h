// query_operators - the operators of the query language that are words, and those of other products.
//
// Part of the lexer: each takes the word that a token begins with, and turns the token into the operator that it is
// or was meant to be. False when it is none, and then nothing is done.
#ifndef QUERY_OPERATORS_H
#define QUERY_OPERATORS_H

#include "watcher/match/query_lex.h"

// NEAR/5, ATLEAST/3( and the plain operators.
bool query_lex_keyword(struct query_lexer *lexer, tc_str word, struct query_token *token);

// and, or, not, sentence(...), atleast/3(...): reported, and read as meant.
bool query_lex_lower_case(struct query_lexer *lexer, tc_str word, struct query_token *token);

// W/5, PRE/5, near5, adj5, near/5, ATLEAST5(...): refused with the spelling of tocsin.
bool query_lex_foreign(struct query_lexer *lexer, tc_str word, struct query_token *token);

// Whether a word is an operator of ours wherever it stands: AND, NEAR.
bool query_is_keyword(tc_str word);

// Whether it is small letters of ASCII alone and no operator of anybody: most words are, and need no lexer.
bool query_is_common_word(tc_str text);

#endif
