// running - the running text of a segment, which regular expressions look at.
//
// Of each paragraph the text as the words were read from it: NFC, soft hyphens and zero-width characters
// gone, full-width Latin as ASCII, one kind of apostrophe and of quotes; every run of white space, line breaks too, is one
// blank, with none at the ends. Where an address stands that is no word there is a blank.
// Paragraphs are joined by line feeds, which stand nowhere else, so that all can be scanned at once.
//
// Marks map its bytes back to the original's. What was found of an expression is kept until
// the next segment.
//
//   cost     about a nanosecond a byte
//   memory   grows to the largest segment seen, then allocates nothing
//   threads  one: belongs to a view
#ifndef RUNNING_H
#define RUNNING_H

#include "watcher/match/expression/expression.h"
#include "watcher/match/near.h"

struct running;

struct running *running_new(void);
void running_free(struct running *running); // NULL is fine

// Reads a segment, which is borrowed until the next; `expressions` is how many may be asked for.
void running_fill(struct running *running, const struct text *text,
                  const struct text_segment *segment, size_t expressions);

tc_str running_text(const struct running *running); // and EXPRESSIONS_BEHIND line feeds behind it
tc_str running_paragraph(const struct running *running, uint32_t paragraph);

// Where expression `number` stands in the segment, as words: those that a match touches. Sorted, without
// doubles; views `running` until the next call.
size_t running_find(struct running *running, size_t number, const struct expression *expression,
                    const struct span **out);

// The same for an expression that has no number, not kept.
size_t running_find_other(struct running *running, const struct expression *expression,
                          const struct span **out);

#endif
