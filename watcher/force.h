// force - the watches in force: what scanners match with, and how it is exchanged while they do.
//
//   main thread  swaps sets of watches and layers of them, and frees what was swapped out
//   scanners     take the layers of now for each article, say what the audit found, hand over counted words
//   any          shows it all in STATS
//
// Layers are swapped whole: an article that is being matched keeps those it began with. What no article needs
// any more is freed by force_tidy(), so in no thread that matches.
#ifndef FORCE_H
#define FORCE_H

#include "common/json.h"
#include "common/queue.h"
#include "watcher/audit.h"
#include "watcher/watchset.h"

struct force;

// Takes `watches`, which were compiled with the word frequencies of `texts` articles (0: guessed).
struct force *force_new(struct watchset *watches, uint64_t texts);
void force_free(struct force *force); // NULL is fine; after all threads that use it

// ---- main thread ---------------------------------------------------------------------------

// Takes the next set of watches and lets go of the last one.
void force_swap(struct force *force, struct watchset *watches);
const struct watchset *force_watches(const struct force *force);

// Takes layers of the same watches, whose base was compiled with the frequencies of `texts` articles.
void force_relay(struct force *force, struct layers *layers, uint64_t texts);

// What was swapped in was compiled as one, with the frequencies of `texts` articles.
void force_set_texts(struct force *force, uint64_t texts);

// Frees what was swapped out and no article needs any more. True when something is left.
bool force_tidy(struct force *force);

// ---- scanners ------------------------------------------------------------------------------

struct layers *force_layers(struct force *force);    // gives a reference; NULL: no watches run
struct tc_queue *force_counted(struct force *force); // where samplers put words (frequencies.h)
void force_audited(struct force *force);
void force_missed(struct force *force, tc_str watch); // the name of one that the audit found wrong

// ---- any -----------------------------------------------------------------------------------

void force_put(struct force *force, struct tc_json *json); // into the answer to STATS

#endif
