// upkeep - keeps the watches in force up to date, beside the articles.
//
// Four things, each a step of upkeep_turn() in the main thread:
//
//   reload    on SIGHUP or when a watch file changed (follow.h): reads what changed, lays it over what is
//             compiled, swaps. This is what a person waits for
//   merge     some time after a reload, in the background: compiles everything into one large set again
//   count     adds up the words that scanners counted; when that is worth it, compiles everything anew
//   remember  writes down the files in force (lastgood.h) and the word frequencies, for the next start
//
// Merging takes at most about one part in UPKEEP_MERGE_SHARE of a core, however often files change.
//
//   threads  the main thread; compiling and writing down are the helper's
#ifndef UPKEEP_H
#define UPKEEP_H

#include "watcher/force.h"
#include "watcher/frequencies.h"
#include "watcher/helper.h"
#include "watcher/settings.h"

enum {
    UPKEEP_MERGE_MS = 200, // of rest behind a reload: others may follow
    UPKEEP_MERGE_SHARE = 10,
    UPKEEP_REMEMBER_MS = 500, // likewise
    UPKEEP_TIDY_MS = 20,      // how often it is tried to free what articles still hold
    UPKEEP_FDS = 2,
};

// Reads the watch files of the settings; `before` is what is in force, NULL at the start. `kept` is where last
// good versions are remembered, empty when they do not count. Prints mistakes on standard error. Gives *out.
//   as watchset_load
int upkeep_read(const struct settings *settings, const struct watchset *before, tc_str kept,
                const struct counts *counts, struct watchset **out);

struct upkeep;

// All borrowed until upkeep_free(). Says in the log what is in force.
struct upkeep *upkeep_new(const struct settings *settings, struct force *force,
                          struct helper *helper, struct frequencies *frequencies);
void upkeep_free(struct upkeep *upkeep); // NULL is fine

void upkeep_reload(struct upkeep *upkeep); // now

// Does what there is to do. Gives how long (ms) to wait for the descriptors, -1 for ever; 0: there is more.
int upkeep_turn(struct upkeep *upkeep);

// Descriptors that are readable when there is something to do; -1 where there is none.
void upkeep_fds(const struct upkeep *upkeep, int fds[UPKEEP_FDS]);

// Whether everything is written down.
bool upkeep_settled(const struct upkeep *upkeep);

#endif
