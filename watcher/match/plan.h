// plan - the trees of all watches as flat arrays, their words as numbers.
//
// A node of a plan mirrors one node of a query tree (so that every clause can be explained), with
// its children as numbers. Every distinct word, in the form it is asked for (folded or surface), and
// every distinct wildcard or near spelling is a `term`. A list that many watches use is laid out once.
//
//   memory   24 bytes a node, 4 a child; no pointers but those into the query trees
//   threads  shared once built
#ifndef PLAN_H
#define PLAN_H

#include "common/err.h"
#include "watcher/match/dict.h"
#include "watcher/match/pattern.h"
#include "watcher/match/watch.h"

enum { PLAN_NONE = UINT32_MAX, PLAN_DEPTH = 256 };

enum plan_op {
    PLAN_NEVER,  // holds nowhere: a regular expression (refused when read), an entry without words
    PLAN_ALWAYS, // every text
    PLAN_FIELD,  // source = a QUERY_FIELD node
    PLAN_WORD,   // first = term
    PLAN_PHRASE, // words[first..]: terms at neighbouring positions
    PLAN_SLOPPY, // the same, moved `number` places in all (dialect lucene)
    PLAN_WINDOW, // the same, any order, at most `number` other words between
    PLAN_AND,    // the rest: kids[first..], as the query's
    PLAN_OR,
    PLAN_NOT,
    PLAN_ENTRY, // of a list: one child, only in its language
    PLAN_NEAR,
    PLAN_ONEAR,
    PLAN_NOTNEAR,
    PLAN_EXCEPT,
    PLAN_SENTENCE,
    PLAN_PARAGRAPH,
    PLAN_ATLEAST,
    PLAN_ANY,
    PLAN_FIRST,
    PLAN_TITLE,
    PLAN_LEAD,
    PLAN_BODY,
    PLAN_PAGE,
    PLAN_NAMED,
    PLAN_META,   // first = metas[]
    PLAN_LUCENE, // one child, on all segments as one; holds for the first segment only
};

enum {
    PLAN_NEGATES = 1, // NOT stands somewhere below
    PLAN_GAPPY = 2,   // its occurrences have words inside that are not theirs
    PLAN_STRICT = 4,  // PHRASE: hyphens as written
    PLAN_RUNNING = 8, // PHRASE: paragraphs do not end it
};

struct plan_node {
    uint8_t op, flags;
    uint32_t number;
    uint32_t first, count;
    const void *source; // struct query_node; ENTRY: struct query_list_entry
};

struct plan_meta { // a value that metadata must hold
    enum query_meta meta;
    tc_str value;
    uint32_t first, count; // its folded words, meta_words[]
};

struct plan_watch {
    uint32_t root;         // PLAN_NONE: all articles, or a score
    uint32_t where;        // PLAN_NONE: no values asked for
    uint32_t first, count; // score: kids[first..], one a term
    bool all_articles;
    bool limits; // its `where` limits words or age
};

struct plan_term {
    float cost; // guessed share of articles that hold it, for choosing anchors
};

struct plan {
    struct plan_node *nodes;
    uint32_t *kids, *words;
    struct plan_meta *metas;
    tc_str *meta_words;
    struct plan_watch *watches;
    struct plan_term *terms;
    size_t node_count, kid_count, word_count, meta_count, meta_word_count, watch_count, term_count;
    size_t node_room, kid_room, word_room, meta_room, meta_word_room, term_room;
    struct dict folded, surface; // words to terms
    struct pattern_set *folded_patterns, *surface_patterns;
    struct tc_arena *arena; // meta words
    bool has_pages;
};

// Lays out the watches, which are borrowed until plan_free. Gives *out.
//   TC_EINVAL  lists nested deeper than PLAN_DEPTH (names the watch)
int plan_new(const struct watch *watches, size_t count, uint64_t key, struct plan **out,
             struct tc_err *err);
void plan_free(struct plan *plan);

size_t plan_bytes(const struct plan *plan);

static inline const uint32_t *plan_kids(const struct plan *plan, const struct plan_node *node)
{
    return plan->kids + node->first;
}

#endif
