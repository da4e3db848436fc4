// watchset - the watch files of the configuration, as one set of watches that run.
//
// A file that was read before is compared with that reading: only texts of watches that changed are read and
// tested (rules.h). What runs is then laid over what is compiled already: only watches that changed are
// compiled (layers.h). A reload thus costs a look at every line, and the rest for what is new.
//
// Each file stands for itself: when one is broken, its last good version stays in force and the others
// change. At the start that is the version that was remembered on disk, if there is one.
//
//   memory   the rules of each file, shared between the sets before and after a reload
//   disk     copies of the files (lastgood.h)
//   threads  one; the layers are shared
#ifndef WATCHSET_H
#define WATCHSET_H

#include "common/diag.h"
#include "watcher/match/layers.h"
#include "watcher/text/text.h"

struct watchset;

struct watchset_file {
    tc_str path;
    size_t watches;
    int64_t since_wall_ns; // when the version in force was read first, 0: nothing is in force
    bool stale;            // its last good version is in force (or nothing, when there is none)
    const char *why;       // why it is stale: its first mistake; NULL when it is not
};

// Reads all files that `globs` (zero-ended) name, in their order, each once; runs the tests inside
// them. A file with errors or failed tests, or with a watch that an earlier file has, falls back to
// what `before` (NULL at the start) has of it, else to what is remembered in the folder `kept` (empty:
// nothing is). `counts` (NULL: none) are for what is compiled. Mistakes go to diags. Gives *out;
// watchset_free() ends it.
//   TC_EPARSE  there is no `before`, and a file without a last good version has errors; or all files together have
//              more regular expressions than may be (E0117)
//   TC_EINVAL  the watches cannot be compiled
int watchset_load(const tc_str *globs, size_t count, const struct text_settings *text,
                  const struct watchset *before, tc_str kept, const struct counts *counts,
                  struct tc_diags *diags, struct watchset **out, struct tc_err *err);

// Remembering a file in the folder `kept` (borrowed). Made and freed in the thread of the sets; written in any.
// NULL when the file is stale, or is not there.
struct watchset_memo;
struct watchset_memo *watchset_memo_new(const struct watchset *set, size_t index, tc_str kept);
void watchset_memo_free(struct watchset_memo *memo); // NULL is fine

// Costs an fsync when the file has changed. After a failure (lastgood_keep) what was remembered before stays.
int watchset_memo_write(const struct watchset_memo *memo, struct tc_err *err);
void watchset_free(struct watchset *set); // NULL is fine; its layers live on while they are held

struct layers *watchset_layers(const struct watchset *set); // views the set; NULL: no watches
size_t watchset_watches(const struct watchset *set);        // that run
size_t watchset_count(const struct watchset *set);          // files
bool watchset_changed(const struct watchset *set); // whether anything differs from the set before

// Tells the path of every watch file, and of every file of lists that those in force include.
void watchset_each_path(const struct watchset *set, void (*tell)(void *context, const char *path),
                        void *context);

// Takes the same watches, laid out anew, in the place of its layers.
void watchset_relay(struct watchset *set, struct layers *layers);
struct watchset_file watchset_file(const struct watchset *set, size_t index);
size_t watchset_stale(const struct watchset *set); // files that are not what is on disk

#endif
