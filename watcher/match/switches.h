// switches - the key `text:` of a watch: marks folded, umlauts expanded, words stemmed.
//
// One switch comes from `where:` instead. A text in Turkish has a word with a capital I in two foldings, with a
// dot and without (a name may be foreign); a query does not know its language, unless all texts it may
// see are Turkish.
//
// A query is read as it is written; then each plain word of it, and of the lists it names, gets a test by
// form (word_form.h). Where there is more than one form, a word or phrase becomes a list of itself under each
// of them: stems of a language are an entry of that language, so that they apply where the text is in it or
// in no known language. Exact words stay as they are; near spellings too; wildcards have no stems.
//
//   memory   a copy of the tree; of a list one for each set of switches it is used with
//   threads  one
#ifndef SWITCHES_H
#define SWITCHES_H

#include "watcher/match/query.h"

struct text_switches {
    bool marks_folded, umlauts_expanded;
    bool turkic;    // the watch is for Turkish texts alone: a capital I is a dotless one
    uint32_t stems; // bit n: language n of stem.h
};

struct switched_list { // a list that was copied already
    const struct query_list *from, *to;
    struct text_switches switches;
    struct switched_list *next;
};

static inline bool switches_any(struct text_switches switches)
{
    return switches.marks_folded || switches.umlauts_expanded || switches.turkic || switches.stems;
}

// The tree with the switches put on, in the arena; `root` stays as it is. `known` remembers lists between
// calls with the same arena; it begins as NULL.
const struct query_node *switches_put_on(struct text_switches switches,
                                         const struct query_node *root, struct tc_arena *arena,
                                         struct switched_list **known);

// What the switches do to a word or phrase, for people: " (marks folded, stem reis)". Nothing when they
// do nothing.
void switches_print(const struct query_node *words, struct tc_buf *out);

#endif
