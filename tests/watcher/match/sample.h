// sample - random watches and random articles to match them on.
//
// Few words, so that they meet; but in every guise that a word can have: other case, marks in both Unicode
// forms, umlauts spelled out, endings, possessives, hyphens, and a title, languages and several segments. The
// same chance gives the same sample.
//
//   memory   trees in the arena given; an article is a list of tokens, so that it can be shrunk
//   threads  one
#ifndef SAMPLE_H
#define SAMPLE_H

#include "common/arena.h"
#include "common/buf.h"
#include "tests/chance.h"
#include "tests/watcher/match/plain.h"

enum { SAMPLE_TOKENS = 60, SAMPLE_TERMS = 3, SAMPLE_LISTS = 3, SAMPLE_WORD_BYTES = 48 };

enum sample_joint {
    JOINT_BLANK,
    JOINT_HYPHEN,
    JOINT_COMMA,
    JOINT_SENTENCE,
    JOINT_PARAGRAPH,
    JOINT_CUT
};

struct sample_token {
    char word[SAMPLE_WORD_BYTES];
    enum sample_joint joint; // what follows
};

struct sample_article {
    struct sample_token tokens[SAMPLE_TOKENS];
    int count, title; // the title is tokens 0 .. title-1
    bool page;
    const char *lang, *source; // "" when not stated
};

struct sample_watch {
    struct text_switches switches;
    const struct plain_tree *terms[SAMPLE_TERMS]; // one for a query, several for a score
    int weights[SAMPLE_TERMS];
    int term_count, threshold;
    bool scores, all_articles;
    const char *lang, *source; // where; NULL for any
    int words_least, words_most;
};

struct sample_lists { // what all watches of a round may name
    struct plain_tree *lists[SAMPLE_LISTS];
};

void sample_lists_make(struct chance *chance, struct tc_arena *arena, struct sample_lists *out);

// A query of every operator, nested.
struct plain_tree *sample_tree(struct chance *chance, struct tc_arena *arena,
                               const struct sample_lists *lists, int depth, bool spans_only);

// A query of the shapes that most watches have; these are matched by programs.
struct plain_tree *sample_shape(struct chance *chance, struct tc_arena *arena);

// A whole watch around such queries.
void sample_watch_make(struct chance *chance, struct tc_arena *arena,
                       const struct sample_lists *lists, bool shapes, struct sample_watch *out);

void sample_article_make(struct chance *chance, bool pages, struct sample_article *out);

// The article as a source would send it, one line of JSON.
void sample_article_print(const struct sample_article *article, struct tc_buf *out);

// The query as a person would write it.
void sample_print(const struct plain_tree *tree, struct tc_buf *out);

#endif
