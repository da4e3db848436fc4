// parts - what the files behind rules.h share; nobody else includes this.
//
//   rules.c       the set: files added, names unique, matcher made
//   memory.c      what watches view, held as long as anybody runs them
//   cut.c         where the watches of a YAML file begin and end
//   pieces.c      a file read watch by watch, but for those that were read before
//   file.c        one YAML watch file from its root to its watches
//   lines.c       one JSONL watch file, a watch a line
//   quick_json.c  a line without escapes
//   lists.c       lists and the files they are included from
//   tree.c        a query in its tree form
//   watch.c       one watch
//   settings.c    what a watch and `defaults` have in common: labels, where, ...
//   text.c        `text`
//   alert.c       `alert`
//   definition.c  the canonical JSON of a watch
//   cases.c       tests inside a file, read
//   tests.c       tests inside a file, run
//   names.c       which names are taken
//   bytes.c       a whole file at once
//   fmt*.c        the canonical form of a file (fmt.h)
#ifndef RULES_PARTS_H
#define RULES_PARTS_H

#include <stdatomic.h>

#include "common/buf.h"
#include "common/yaml.h"
#include "watcher/match/switches.h"
#include "watcher/rules/rules.h"

enum {
    RULES_NAME_BYTES = 63, // namespace, name, severity: topics must stay under 200 bytes
    RULES_LABELS_MOST = 32,
    RULES_TEXT_BYTES = 4096, // of a label, an annotation
    RULES_TERMS_MOST = 1000, // of a score
    RULES_INCLUDES_MOST = 1000,
    RULES_COUNT_MOST = 1000 * 1000, // of alert: in a window, sources
    RULES_TESTS_MOST = 10 * 1000,   // a watch
};

// ---- what is read --------------------------------------------------------------------------

struct rules_pair {
    tc_str key, value;
};

struct rules_pairs { // sorted by key
    struct rules_pair *items;
    size_t count;
};

enum rules_when { RULES_WHEN_UNSET, RULES_WHEN_FIRST, RULES_WHEN_EVERY, RULES_WHEN_COUNT };

struct rules_alert { // texts as written, empty when absent
    enum rules_when when;
    uint64_t count;
    tc_str window;
    tc_str per, throttle, on_correction, on_withdrawn;
    bool updates; // update_on was given
    bool update_new_language, update_correction;
    uint64_t update_sources; // 0: none
};

struct rules_settings {
    enum watch_status status;
    bool lucene; // dialect
    struct text_switches text;
    tc_str expires, renamed_from;
    struct rules_pairs labels, annotations;
    struct watch_where where;
    tc_str words, max_age; // of `where`, as written, for the definition
    struct rules_alert alert;
};

enum rules_expect { RULES_EXPECT_HIT, RULES_EXPECT_NONE, RULES_EXPECT_STORY };

struct rules_case { // one test
    tc_str name;
    int line;
    enum rules_expect expect;
    tc_str text; // the article, or
    tc_str file; // a glob in `folder`
    tc_str folder;
    bool from_file;
    tc_str title, lang, source, quote;
    const uint32_t *segments; // that must hit, and no others
    size_t segment_count;
    bool segments_given;
};

struct rules_entry { // a watch and its tests; never changed, perhaps part of several sets
    struct watch watch;
    const char *file;
    const struct rules_case *cases;
    size_t case_count;
};

struct rules_slot { // the place of a watch in a set
    const struct rules_entry *entry;
    struct tc_id print; // of the text it was read from; only where files are read in pieces
    int line;
    bool shared; // with the set before: its text is the same, and its tests passed there
};

// Names of watches in an array that may grow between calls. Zero it; rules_names_done() ends it.
struct rules_name_slot {
    uint32_t number; // of a slot, from 1; 0 where free
    uint32_t hash;   // of its name, so that the watches need not be read again
};

struct rules_names {
    struct rules_name_slot *slots;
    size_t slot_count, count;
};
const struct rules_slot *rules_names_find(const struct rules_names *names,
                                          const struct rules_slot *slots, tc_str name);
// Adds slots[index], unless its name is there already.
void rules_names_add(struct rules_names *names, const struct rules_slot *slots, size_t index);
void rules_names_done(struct rules_names *names);

// ---- what was read before ------------------------------------------------------------------

struct rules_memory { // counted: the watches of a set, and those of older sets that it shares
    atomic_uint held;
    struct tc_arena *arena;
    struct rules_memory *older;
    size_t depth;
    size_t watches; // read into it and into all older ones
};
struct rules_memory *rules_memory_new(void);

struct rules_include { // a file of lists that was read
    const char *path;
    struct tc_id print;
    const struct rules_include *next;
};

// What the text of a watch needs beside itself to mean something: all that stands above the watches.
struct rules_context {
    struct tc_id head;
    const struct rules_include *includes;
    tc_str namespace, test_folder;
    struct query_lists lists;
    struct switched_list *switched;
    struct rules_settings defaults;
};

struct rules_before { // finds texts among those of the set before; zero it, rules_before_done()
    const struct rules_slot *slots; // NULL: there is none
    size_t count;
    size_t next; // where the next text probably is
    uint32_t *table, mask;
};
void rules_before_done(struct rules_before *before);

// ---- reading one file ----------------------------------------------------------------------

struct rules_reader {
    struct rules *rules;
    const struct text_settings *text;
    const struct rules_census *census; // NULL: none
    struct tc_arena *arena;            // of the rule set: everything that stays
    struct tc_diags *diags;
    const char *file;
    tc_str namespace;
    tc_str test_folder;
    bool lucene;     // dialect of the watch that is being read
    bool as_written; // for the canonical form: no switches are put on
    bool bulk;       // lines made by a program: no advice about tests
    bool cut; // what is read last may be torn off by a mistake in the YAML: nothing is missed there
    struct query_lists lists;
    struct switched_list *switched; // lists under switches of `text:`
    bool took_head;                 // lists, defaults and the like are those of the set before
    struct rules_settings defaults;
    const struct rules_include *includes;
    struct rules_slot *slots; // heap; of this file
    size_t count, capacity;
    size_t expressions;              // that those which run ask for, each time
    struct rules_names names;        // of these
    struct tc_buf definition, query; // of the watch that is read; kept for their memory
    struct tc_id head;               // print of what stands above the watches; zero: nothing does
    struct rules_before before;
};

// A reader for the file at `path`, whose watches go into `rules` only when the caller puts them there.
// rules_reader_done() ends it.
struct rules_reader rules_reader_for(struct rules *rules, const char *path, struct tc_diags *diags);

void rules_reader_done(struct rules_reader *reader);

// A piece of a file is one watch. What it says of itself, and from rules_compare() on (the context is known
// to be the same) which watch of the set before has the same text; NULL when none does.
struct tc_id rules_print(const struct rules_reader *reader, tc_str text);
void rules_compare(struct rules_reader *reader);
const struct rules_slot *rules_known(struct rules_reader *reader, struct tc_id print);
// False when its name is taken: then it is to be read, which says so.
bool rules_take_over(struct rules_reader *reader, const struct rules_slot *old, int line);

struct rules_piece {
    size_t from, to; // bytes
    int line;        // of its first byte
};
// Puts an entry into the arena; adds a watch, also one with mistakes, which has its name only.
const struct rules_entry *rules_entry_new(struct rules_reader *reader,
                                          const struct rules_entry *entry);
void rules_add_slot(struct rules_reader *reader, struct rules_slot slot);

// The pieces of a YAML file that has its watches last, each with its own "- ". False (and nothing given)
// when it is laid out otherwise. `*head` gets the bytes above the first. The caller frees *pieces.
bool rules_cut(tc_str text, size_t *head, struct rules_piece **pieces, size_t *count);

// Reads a YAML file by its pieces. False, and nothing done, when it has to be read as a whole.
bool rules_read_pieces(struct rules_reader *reader, tc_str text);

struct rules_line {           // of a JSONL file
    struct tc_arena *scratch; // emptied behind it
    const struct tc_yaml_file *file;
    tc_str text;
    size_t start; // of the line in the file
    int number;
    size_t at;              // where the next string is looked for
    const uint32_t *places; // of the bytes of the line
    struct tc_yaml *nodes;  // heap, for all lines
    size_t node_room;
};

// The tree of a line as most of them are. False when it needs all that JSON can do, or has a mistake.
bool rules_quick_json(struct rules_line *line, struct tc_yaml *node);

// Reads the parts of a root above its watches.
void rules_read_head(struct rules_reader *reader, const struct tc_yaml *root);

// Reads the whole of a YAML file that has been parsed. `broken`: the YAML has mistakes, and perhaps could
// not be read to its end.
void rules_read_root(struct rules_reader *reader, const struct tc_yaml *root, bool broken);

// Reads files into reader->slots. Mistakes are in reader->diags. False when the file cannot be
// read at all.
bool rules_read_yaml(struct rules_reader *reader);
bool rules_read_lines(struct rules_reader *reader);

// All lists of a file and its includes, filled and free of cycles, in reader->lists.
void rules_read_lists(struct rules_reader *reader, const struct tc_yaml *root);

// Adds the watch of a map; after mistakes one that has its name only.
void rules_read_watch(struct rules_reader *reader, const struct tc_yaml *map);

// Lays what a map says over `settings`; `map` is a watch or `defaults`.
void rules_read_settings(struct rules_reader *reader, const struct tc_yaml *map,
                         struct rules_settings *settings);
bool rules_has_where(const struct rules_settings *settings); // whether `where` limits anything
void rules_read_alert(struct rules_reader *reader, const struct tc_yaml *map,
                      struct rules_alert *alert);

// Lays `text` over `switches`.
void rules_read_text(struct rules_reader *reader, const struct tc_yaml *map,
                     struct text_switches *switches);

// A query in either form: a string, or a tree. NULL after mistakes.
struct query_node *rules_read_query(struct rules_reader *reader, const struct tc_yaml *node);

// A part of a tree or list: a plain string is a word, a phrase or "@name" here. NULL after mistakes.
struct query_node *rules_read_tree(struct rules_reader *reader, const struct tc_yaml *node);

// The tests of a watch.
const struct rules_case *rules_read_cases(struct rules_reader *reader, const struct tc_yaml *list,
                                          size_t *count);

// Fills in what follows from all the rest: the canonical JSON, in the reader's arena, its hash, and how many
// expressions there are.
void rules_define(struct rules_reader *reader, const struct rules_settings *settings,
                  struct watch *watch);

// Reads a whole file, adding its bytes to `out`.
//   TC_ENOENT  there is none
//   TC_EIO     cannot be read
//   TC_EFULL   more than `most` bytes
int rules_read_bytes(const char *path, size_t most, struct tc_buf *out, struct tc_err *err);

// Whether `text` is a name of [a-z0-9-]{1,63}.
bool rules_is_name(tc_str text);

// Whether `text` can name a list or a clause: [a-z][a-z0-9_-]{0,62}.
bool rules_is_ident(tc_str text);

// Reports that `node` is no name, as `what`. False then.
bool rules_read_name(struct rules_reader *reader, const struct tc_yaml *node, const char *what,
                     tc_str *out);

// A scalar that must be one of `words` (NULL-ended); gives its index, -1 after a mistake.
int rules_one_of(struct rules_reader *reader, const struct tc_yaml *node, const char *what,
                 const char *const *words);

// Reports keys that are none of `known` (NULL-ended), and as such those that a later version will know.
void rules_only_keys(struct rules_reader *reader, const struct tc_yaml *map,
                     const char *const *known);

// Whether `map` is a map; says so when it is not. NULL is fine and false.
bool rules_is_map(struct rules_reader *reader, const struct tc_yaml *map, const char *what);
bool rules_is_list(struct rules_reader *reader, const struct tc_yaml *list, const char *what);

// ---- the set -------------------------------------------------------------------------------

const struct rules_slot *rules_slot_at(const struct rules *rules, size_t index);
const struct rules *rules_before(const struct rules *rules); // what it builds on; NULL: nothing
const struct rules_context *rules_context_of(const struct rules *rules);
struct tc_id rules_key(const struct rules *rules);
const struct rules_dialect *rules_dialect_of(const struct rules *rules);
const struct text_settings *rules_text_settings(const struct rules *rules);

// The watch of this name that is known already, NULL when there is none.
const struct rules_slot *rules_find(const struct rules *rules, tc_str name);

#endif
