// matcher - all watches compiled into one immutable set.
//
// Watches are looked up by term: each is filed under the words of its most selective part, and an
// article tries only the watches that one of its words leads to. Built once, then read by any number
// of threads, each with its own `scan`.
//
//   threads  shared; matcher_hold/drop from any thread
#ifndef MATCHER_H
#define MATCHER_H

#include "common/err.h"
#include "watcher/match/watch.h"

struct matcher;

// Compiles. The watches (and all they view) are borrowed until the matcher is gone: `owner_drop` is
// called with `owner` then (NULL for none). Gives *out, held once.
//   TC_EINVAL  a watch cannot be compiled (names it and says why)
//   TC_EFULL   too many watches, or regular expressions
int matcher_new(const struct watch *watches, size_t count, void (*owner_drop)(void *), void *owner,
                struct matcher **out, struct tc_err *err);

// The same with word frequencies that were counted (counts.h, borrowed for the call), so that each watch is
// filed under what is rare in these texts and not under what looks rare. The matches are the same.
struct counts;
int matcher_new_counted(const struct watch *watches, size_t count, const struct counts *counts,
                        void (*owner_drop)(void *), void *owner, struct matcher **out,
                        struct tc_err *err);

// The same, taking over from `before` (NULL for none) what is compiled already of regular expressions.
int matcher_new_after(const struct watch *watches, size_t count, const struct matcher *before,
                      void (*owner_drop)(void *), void *owner, struct matcher **out,
                      struct tc_err *err);

// All of that with the watches where they are: the array is borrowed like them. `counts` may be NULL.
int matcher_new_of(const struct watch *const *watches, size_t count, const struct counts *counts,
                   const struct matcher *before, void (*owner_drop)(void *), void *owner,
                   struct matcher **out, struct tc_err *err);

struct matcher *matcher_hold(struct matcher *matcher); // gives a reference
void matcher_drop(struct matcher *matcher);            // NULL is fine

size_t matcher_count(const struct matcher *matcher);
const struct watch *matcher_watch(const struct matcher *matcher, size_t index);

// How many different regular expressions both have together.
size_t matcher_expressions(const struct matcher *matcher, const struct matcher *other);
size_t matcher_bytes(const struct matcher *matcher); // memory of the compiled set

#endif
