// eval - whether a plan's node holds in a range of words, where, and what made it hold.
//
// A scope (title, lead, sentence, paragraph, the first n words) is a range of words, because each is
// contiguous in a segment; narrowing the scope is cutting the range. NOT says that its clause does not
// hold in the scope that it stands in.
//
// Three questions: holds (yes or no), spans (the occurrences, for distances and counts), collect (the
// words that made it hold, for hits).
//
//   memory   span lists are kept and used again; nothing per watch after warm-up
//   threads  one
//   source   docs/watch-language.md
#ifndef EVAL_H
#define EVAL_H

#include "watcher/match/near.h"
#include "watcher/match/view.h"

enum { EVAL_MATCHES_MOST = 1024 }; // collected per hit before doubles go

struct eval_match {
    struct span span;
    tc_str clause;
    const struct query_node *leaf; // what stood there
    tc_str meta;                   // of metadata: its value; the span is then empty
    bool is_meta;
    bool tight; // part of a proximity, sentence or paragraph
};

struct eval_value { // words of one value of the article's metadata
    const struct text_query_word *words;
    size_t count;
};

struct eval_field { // of metadata, as dialect lucene has it
    bool ready;
    const struct text_word *words;
    size_t count;
};

struct eval_said {
    bool ready;
    struct eval_field fields[QUERY_FIELDS];
    struct eval_value author, section, country;
    struct eval_value tags[ARTICLE_TAGS_MOST];
    size_t tag_count;
};

struct eval {
    const struct plan *plan;
    struct view *view; // what is looked at
    struct view *page; // all segments as one; the same as view when there is one segment

    struct spans **pool; // lists to borrow
    size_t pool_count, pool_used, pool_room;
    uint32_t *cursors; // one per word of the longest phrase
    size_t cursor_room;
    struct sloppy_word *sloppy; // one per word of the longest sloppy phrase
    size_t sloppy_room;
    struct eval_match *matches;
    size_t match_count, match_room;
    tc_str clause;         // around the node that is being collected
    struct eval_said said; // metadata of the text as words, made when first asked for
    unsigned tight;
};

void eval_done(struct eval *eval);

bool eval_holds(struct eval *eval, uint32_t node, struct range range);

// Adds the occurrences within the range to `out`, sorted, without doubles. `out` is empty before.
void eval_spans(struct eval *eval, uint32_t node, struct range range, struct spans *out);

// Adds to eval->matches what made the node hold in the range; nothing when it does not.
void eval_collect(struct eval *eval, uint32_t node, struct range range);

// A list from the pool; give lists back in reverse order.
struct spans *eval_borrow(struct eval *eval);
void eval_return(struct eval *eval, struct spans *spans);

// The range that a TITLE, LEAD, BODY or FIRST node leaves of `range`.
struct range eval_narrow(const struct eval *eval, const struct plan_node *node, struct range range);

// The sentence (or paragraph) of number *next that overlaps the range, cut to it; moves *next on.
// *next begins at UINT32_MAX. False when there is none left.
bool eval_part(const struct eval *eval, bool paragraphs, struct range range, uint32_t *next,
               struct range *part);

// How the operands of a NEAR-like node are compared.
struct near eval_near(const struct eval *eval, const struct plan_node *node);

// Whether a value of metadata holds for the text (the paragraphs of the range for a language).
bool eval_meta(struct eval *eval, const struct plan_meta *meta, struct range range);

#endif
