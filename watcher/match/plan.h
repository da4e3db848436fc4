// plan - query trees as flat arrays, their words as numbers.
//
// A node of a plan mirrors one node of a query tree (so that every clause can be explained), with
// its children as numbers; its words are terms (terms.h). A list that many watches use is laid out once.
//
// The matcher keeps the plans of those watches only that need the general evaluator. Of the others a
// program is enough to match, and a plan is laid out again, in a scan's own memory, when a hit is filled
// or explained.
//
//   memory   32 bytes a node, 4 a child; no pointers but those into the query trees
//   threads  shared once built; a scan's own: one
#ifndef PLAN_H
#define PLAN_H

#include "common/err.h"
#include "watcher/match/terms.h"
#include "watcher/match/watch.h"

enum { PLAN_NONE = UINT32_MAX, PLAN_DEPTH = 256 };

enum plan_op {
    PLAN_NEVER,  // holds nowhere: an entry without words
    PLAN_ALWAYS, // every text
    PLAN_FIELD,  // source = a QUERY_FIELD node
    PLAN_WORD,   // first = term
    PLAN_REGEX,  // first = term, number = that of the expression
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
    PLAN_PLAIN = 16,  // WORD, PHRASE: folded words, no patterns
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

struct plan {
    struct terms *terms; // borrowed
    struct plan_node *nodes;
    uint32_t *kids, *words;
    struct plan_meta *metas;
    tc_str *meta_words;
    size_t node_count, kid_count, word_count, meta_count, meta_word_count;
    size_t node_room, kid_room, word_room, meta_room, meta_word_room;
    struct dict lists;      // a list's address -> its node
    struct tc_arena *arena; // meta words; NULL: none yet
    int depth;              // while laying out
    bool too_deep;
    bool has_pages;
};

void plan_init(struct plan *plan, struct terms *terms);
void plan_done(struct plan *plan);
void plan_clear(struct plan *plan); // keeps the memory

// Lays out one watch behind the others; it is borrowed as long as the plan is. False when its lists are
// nested deeper than PLAN_DEPTH.
bool plan_watch(struct plan *plan, const struct watch *watch, struct plan_watch *out);

// What was laid out since a mark goes again; true. A list stays, and then all stays: false.
struct plan_mark {
    size_t nodes, kids, words, metas, meta_words, lists;
};
struct plan_mark plan_mark(const struct plan *plan);
bool plan_reset(struct plan *plan, const struct plan_mark *mark);

// No more watches: gives memory back, and terms become map[term].
void plan_seal(struct plan *plan, const uint32_t *map);

size_t plan_bytes(const struct plan *plan);

static inline const uint32_t *plan_kids(const struct plan *plan, const struct plan_node *node)
{
    return plan->kids + node->first;
}

// The node that decides for this one wherever it holds: names, and entries for every language, only stand
// around their child.
const struct plan_node *plan_core(const struct plan *plan, uint32_t node);

// Whether it is a term, which holds wherever the bit of the term is set: `first`.
static inline bool plan_is_term(const struct plan_node *core)
{
    return core->op == PLAN_WORD || core->op == PLAN_REGEX;
}

// Whether it holds where one of some terms stands, and no more to it: a term or an OR of terms.
bool plan_only_words(const struct plan *plan, const struct plan_node *core);

#endif
