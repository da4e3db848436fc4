// expressions - the regular expressions of a watch set, as a few databases of vectorscan.
//
// Compiling costs about a millisecond an expression, so a database is a block that a later set takes over as
// it is, as long as most of its expressions are still wanted; only what is new is compiled, into one
// block more. Few large blocks are scanned much faster than many small ones (10,000 expressions in one: 40 us
// an article, in ten: 121). One expression of a set is told once per text: whether it is there, not where.
//
//   memory   about 2 KB an expression
//   threads  a set is shared once sealed; each thread has its own scratch
#ifndef EXPRESSIONS_H
#define EXPRESSIONS_H

#include "common/err.h"
#include "watcher/match/dict.h"
#include "watcher/match/expression/expression.h"
#include "watcher/match/watch.h"

enum {
    EXPRESSIONS_MOST = 10 * 1000, // distinct, of all watches that run
    EXPRESSIONS_BLOCKS = 5,       // each costs every text a scan: then the smallest are joined
    // vectorscan 5.4.9 overlooks some words in the last 32 bytes of what it scans, depending on where they lie
    // in memory (35 of 7.8 million questions; behind 64 bytes more, none): nothing that counts lies there.
    EXPRESSIONS_BEHIND = 128,
};

struct expression_block;

struct expressions {
    const struct expression **list; // borrowed; by number
    uint32_t *terms;                // by number
    size_t count, list_room, term_room;
    struct dict numbers; // "i/text" -> number
    struct expressions_block {
        struct expression_block *block; // held
        uint32_t *numbers;              // by its own; not wanted here: DICT_NONE
    } * blocks;
    size_t block_count, block_room;
};

void expressions_init(struct expressions *set, uint64_t seed);
void expressions_done(struct expressions *set);

// How many are in one of the two sets at least.
size_t expressions_together(const struct expressions *one, const struct expressions *other);

// Counts the different expressions of watches as they are read, before anything is compiled: those of a set may
// run in several layers, and EXPRESSIONS_MOST holds for all together.
struct expressions_tally { // zero it; expressions_tally_done ends it
    struct dict seen;
    bool begun;
    const struct query_list **lists; // whose entries are counted
    size_t list_count, list_room;
};
void expressions_tally_done(struct expressions_tally *tally);

// Adds those of a watch. Gives how many there are by now.
size_t expressions_tally_add(struct expressions_tally *tally, const struct watch *watch);

// The number of an expression; DICT_NONE when it is not there.
uint32_t expressions_number(const struct expressions *set, const struct expression *expression);

// Adds one that is not there, under a term.
void expressions_add(struct expressions *set, const struct expression *expression, uint32_t term);

// Ends adding: terms become map[term]. Takes blocks over from `before` (may be NULL) and compiles the others.
//   TC_EFULL   more than EXPRESSIONS_MOST
//   TC_EINVAL  the processor is too old for vectorscan, or it refuses one
int expressions_seal(struct expressions *set, const uint32_t *map, const struct expressions *before,
                     struct tc_err *err);

size_t expressions_bytes(const struct expressions *set);

struct expressions_scratch { // zero it; expressions_scratch_done ends it
    struct hs_scratch *scratch;
    uint32_t *found;
    size_t count, room;
    const uint32_t *numbers; // of the block that is being scanned
};

void expressions_scratch_done(struct expressions_scratch *scratch);

// Before a set is scanned for the first time with this scratch.
void expressions_use(struct expressions_scratch *scratch, const struct expressions *set);

// The numbers of those whose filter matches the text, valid UTF-8, into scratch->found, each once. The text's
// last EXPRESSIONS_BEHIND bytes are line feeds.
void expressions_scan(const struct expressions *set, struct expressions_scratch *scratch,
                      tc_str text);

#endif
