// rules - watch files: read, checked, tested, made into a matcher.
//
// Reads *.yaml and *.jsonl watch files (docs/watch-language.md) into watches, keeping every mistake with
// its place. Knows YAML so that watcher/match need not.
//
//   threads  one at a time; the matcher it gives is shared
#ifndef RULES_H
#define RULES_H

#include "common/buf.h"
#include "common/diag.h"
#include "watcher/match/lucene/lucene.h"
#include "watcher/match/matcher.h"

struct rules;

struct rules *rules_new(const struct text_settings *settings);
void rules_drop(struct rules *rules); // NULL is fine; watches live on while their memory is held

// What the watches of a set view. Held by whoever runs them.
struct rules_memory;
struct rules_memory *rules_memory(const struct rules *rules);
struct rules_memory *rules_memory_hold(struct rules_memory *memory); // gives a reference
void rules_memory_drop(void *memory);                                // any thread; NULL is fine

// The one file that will be added was read into `before` (same settings) some time ago: watches whose text did not
// change, under the same lists and defaults, are shared with it instead of read, and their tests do not
// run. Costs a fingerprint of the text and a look-up a watch. `before` is borrowed until the file was added.
//
//   memory   what was replaced is kept until it is more than what is in force (or a thousand readings have
//            passed): then everything is read anew
void rules_build_on(struct rules *rules, const struct rules *before);

// How queries are read from now on where a file does not say `dialect:`. tocsin's own language, unless
// this is called.
struct rules_dialect {
    bool lucene;
    struct lucene_options options; // of every query of dialect lucene, whoever asked for it
};
void rules_read_as(struct rules *rules, const struct rules_dialect *dialect);

// Reads one file and what it includes. Mistakes go to diags. Returns TC_OK, or TC_EPARSE / TC_EIO
// after mistakes: the file's watches are then left out, others stay.
int rules_add_file(struct rules *rules, const char *path, struct tc_diags *diags);

// Adds one query under the name "query" (tocsin match -q).
int rules_add_query(struct rules *rules, tc_str query, struct tc_diags *diags);

// What a corpus says about the words of queries, for warnings with figures (tocsin check --corpus).
// `leaf` sees every word and phrase of queries and lists, and says W0201 itself; `whole` every query.
struct rules_census {
    void (*leaf)(const struct rules_census *census, const struct query_node *leaf,
                 const struct query_place *place);
    void (*whole)(const struct rules_census *census, const struct query_node *root,
                  const struct query_place *place);
};

// From now on files are read with a census, borrowed until the rules are gone.
void rules_set_census(struct rules *rules, const struct rules_census *census);

size_t rules_count(const struct rules *rules);
const struct watch *rules_watch(const struct rules *rules, size_t index);
const char *rules_file_of(const struct rules *rules, size_t index); // which file a watch came from
int rules_line_of(const struct rules *rules, size_t index);

// Regular expressions that its watches which run ask for, each time: as many different ones at most. The second adds
// them to those of other sets; false, and a mistake in diags, when all together are too many.
struct expressions_tally;
size_t rules_expressions(const struct rules *rules);
bool rules_tally(const struct rules *rules, struct expressions_tally *tally,
                 struct tc_diags *diags);
size_t rules_shared(const struct rules *rules); // watches that were not read anew

// Tells the path of every file of lists that the file added last includes.
void rules_each_include(const struct rules *rules, void (*tell)(void *context, const char *path),
                        void *context);

// The matcher of all watches that were read without error and are not retired or paused.
int rules_matcher(struct rules *rules, struct matcher **out, struct tc_err *err);

// ---- the canonical form --------------------------------------------------------------------

enum rules_form {
    RULES_FORM_KEEP, // each query in the form it has
    RULES_FORM_TEXT, // all as strings
    RULES_FORM_TREE, // all as trees
};

// Adds the canonical form of a YAML watch file to `out`: the same watches, with the same hashes, and
// every comment. `text` is what stands in it; NULL reads it. Findings of reading it go to diags; a file with errors has no canonical form.
//   TC_EPARSE  errors were added to diags
//   TC_EIO     cannot be read; said in diags too
//   TC_EINVAL  the form would not mean the same (err says what); `out` is to be thrown away
int rules_format(const char *path, const tc_str *text, enum rules_form form,
                 const struct text_settings *settings, struct tc_buf *out, struct tc_diags *diags,
                 struct tc_err *err);

// ---- tests ---------------------------------------------------------------------------------

enum rules_outcome { RULES_PASS, RULES_FAIL, RULES_SKIPPED, RULES_NOT_RUN };

// One test inside a watch file, after it ran.
struct rules_result {
    enum rules_outcome outcome;
    tc_str watch, name; // name: given, else made from its text or file
    const char *file;   // of the watch file
    int line;
    tc_str detail; // what was expected and what came, or why it was skipped
};

// Runs the tests of all watches read so far (of `only_file` when not NULL), but for shared ones, and tells each.
// Returns the number that failed.
size_t rules_test(struct rules *rules, const char *only_file,
                  void (*tell)(void *context, const struct rules_result *result), void *context);

#endif
