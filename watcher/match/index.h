// index - which watches a word leads to, and what is left to check of them.
//
// Each watch is filed under the terms of its anchor, chosen as rare as is known. An entry is eight bytes:
// a second bit that must be set (another term, or a pair of neighbours, see view.h), so that most entries
// are done with after one look, and what to do then: report the watch, because anchor and second bit prove
// it, or run its program. A watch without an anchor ("all articles", metadata alone) is tried on every
// text. Programs lie in the order of entries.
//
//   memory   8 bytes an entry, 4 a term, and the programs
//   threads  shared once built
#ifndef INDEX_H
#define INDEX_H

#include "watcher/match/program.h"

enum {
    INDEX_PRODUCT_MOST = 64, // (a OR b) AND (c OR d): entries for each with each, up to here,
    INDEX_SECOND_MOST = 16,  // when one group has no more than this
};

// What to do: report this watch, or run the program that begins there. How a program begins is said
// with it, so that those that begin alike can be run one after the other: the processor foretells what is
// like the last time.
#define INDEX_RUN UINT32_C(0x80000000)
enum {
    INDEX_AT_BITS = 28,
    INDEX_PARTS = 3,
    INDEX_KINDS = 8,                       // of programs
    INDEX_MOST = (1 << INDEX_AT_BITS) - 1, // watches, and numbers of programs
};

static inline uint32_t index_at(uint32_t act)
{
    return act & INDEX_MOST;
}

static inline uint32_t index_kind(uint32_t act)
{
    return act >> INDEX_AT_BITS & (INDEX_KINDS - 1);
}

// In the first number of a program: it costs enough (it asks the general evaluator, or many words lead to
// it) that a text should not run it twice.
#define INDEX_ONCE UINT32_C(0x80000000)

// Of a term's entries the needs lie together, because these are read for every word that is there, and
// behind them the acts.
struct index_part {
    uint32_t *starts; // by term, one more than terms: its first entry
    uint32_t *rows;   // of each term: needs (bits of the view), then as many acts
    size_t entry_count;
};

struct index_row {
    const uint32_t *needs, *acts;
    uint32_t count;
};

static inline struct index_row index_row(const struct index_part *part, uint32_t term)
{
    uint32_t begin = part->starts[term], count = part->starts[term + 1] - begin;
    const uint32_t *needs = part->rows + 2 * (size_t)begin;
    return (struct index_row){needs, needs + count, count};
}

struct index {
    struct index_part segment; // anchors that stand in the segment itself
    struct index_part page;    // anchors that stand anywhere on the page: PAGE(...)
    struct index_part whole;   // of dialect lucene: all of it is asked of the page, once
    uint32_t *always;          // what to do on every text
    size_t always_count;
    uint32_t *code, *lists;
    size_t code_count, list_count;
    size_t term_count;
    bool has_once;
};

// Whose act it is.
static inline uint32_t index_watch(const struct index *index, uint32_t act)
{
    return act & INDEX_RUN ? index->code[index_at(act)] & ~INDEX_ONCE : act;
}

struct index_builder {
    struct anchors anchors;
    struct program_writer writer;
    struct filed *filed[INDEX_PARTS]; // of the segment, the page, the whole
    size_t filed_count[INDEX_PARTS], filed_room[INDEX_PARTS];
    uint32_t *needs; // pairs of numbers: a term, or two that stand side by side
    size_t need_count, need_room;
    uint32_t *always;
    size_t always_count, always_room;
    bool has_once;
};

void index_begin(struct index_builder *builder, const struct plan *plan);

// Files one watch, laid out in the plan. Gives whether its plan must be kept.
bool index_add(struct index_builder *builder, const struct plan_watch *planned,
               const struct watch *watch, uint32_t number);

// Gives the index; `map` is what terms_seal gave. NULL when the programs are too many to number.
struct index *index_end(struct index_builder *builder, const uint32_t *map, size_t terms);
void index_free(struct index *index);
size_t index_bytes(const struct index *index);

#endif
