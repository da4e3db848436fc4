// anchor - what must stand in a text that a watch matches.
//
// A watch is taken apart into the clauses that must all hold. Of each positive clause the `factors` are
// sets of terms of which one must be present; the cheapest factor of a watch becomes its anchor. A factor
// that is all there is to its clause is `exact`: where one of its terms is present the clause holds.
//
//   threads  one
#ifndef ANCHOR_H
#define ANCHOR_H

#include "watcher/match/plan.h"

struct clause {
    uint32_t node;
    int scope; // enum terms_scope, or ANCHOR_WHOLE
    bool negated;
    bool proven; // by the entry that leads to the watch
};

struct factor {
    size_t first, count; // in terms[]
    float cost;          // share of texts that hold one of them, at most
    uint32_t clause;
    bool exact;
    bool page; // must stand on the page, perhaps in another segment
};

enum { ANCHOR_WHOLE = -1 }; // no scope: title and body

struct anchors { // zero it and set plan; anchors_done
    const struct plan *plan;
    struct clause *clauses;
    size_t clause_count, clause_room;
    uint32_t *terms;  // of all factors
    uint32_t *wholes; // the same without their scope
    size_t term_count, term_room, whole_room;
    struct factor *factors;
    size_t factor_count, factor_room;
    bool page; // of dialect lucene: everything is asked of the page, for its first segment
    int scope; // while taking apart
};

// Takes a watch apart.
void anchors_of(struct anchors *anchors, const struct plan_watch *planned,
                const struct watch *watch);
void anchors_done(struct anchors *anchors);

// The watch as one clause, without factors: for one that nothing leads to.
void anchors_undivided(struct anchors *anchors, const struct plan_watch *planned);

// Of a node that is TITLE or BODY: its scope, when its child can be looked at by itself under it. Else
// ANCHOR_WHOLE.
int anchors_scope(const struct plan *plan, const struct plan_node *node);

// The cheapest factor; NULL when there is none, and every text must be tried.
const struct factor *anchors_best(const struct anchors *anchors);

#endif
