// fmt - a watch file as a page that can be written again; what fmt*.c share.
//
// A page is the tree of a YAML file together with its comments. Each entry (a key with its value, or
// an item of a list) carries the comments above it, behind it on its line, and after all that is in
// it, so that comments travel with it wherever it goes.
//
//   fmt.c        the canonical order and layout of each part of a watch file
//   fmt_read.c   a file to a page, comments put to their entries
//   fmt_tree.c   a query in its tree form
//   fmt_text.c   a query in its string form, broken into lines, with its comments
//   fmt_write.c  a page to YAML
//
//   memory   the arena given; comments and scalars view the file
#ifndef RULES_FMT_H
#define RULES_FMT_H

#include "common/buf.h"
#include "common/yaml.h"
#include "watcher/rules/rules.h"

enum {
    FMT_WIDTH = 100,  // columns of a line that holds a list or map in brackets
    FMT_LOW_MOST = 2, // brackets within brackets in the tree form of a query
};

struct fmt_comment {
    tc_str text; // with its #
    size_t at;   // byte of the file
    int line;
    bool alone;       // nothing else stands on its line
    bool blank_above; // the line above is empty
    struct fmt_comment *next;
};

struct fmt_comments {
    struct fmt_comment *first, *last;
};

enum fmt_style {
    FMT_FIT,  // in brackets where that fits on the line
    FMT_LOW,  // the same, unless more than FMT_LOW_MOST brackets stand in one another
    FMT_OPEN, // a line for each entry
};

struct fmt_entry;

struct fmt_value {
    enum tc_yaml_kind kind;
    tc_str text;  // of a scalar
    bool quoted;  // a scalar that other readers of YAML must not take for a number or the like
    bool literal; // a scalar written as a block: |
    enum fmt_style style;
    struct fmt_entry *entries;
    size_t count;
};

struct fmt_entry {
    tc_str key; // of a map
    struct fmt_value value;
    struct fmt_comments above, behind, after;
    bool blank_above; // an empty line stands above it and its comments
    bool blank_below; // an empty line stands between it and its comments
    // where it was in the file, for finding its comments
    struct fmt_entry *holder; // NULL: a key of the root
    size_t at, end;
    int line, column; // column of the dash for an item
};

struct fmt_page {
    struct fmt_value root;
    struct fmt_comments tail; // behind everything
    struct tc_arena *arena;
};

void fmt_comments_add(struct fmt_comments *list, struct fmt_comment *comment);
void fmt_comments_join(struct fmt_comments *list, struct fmt_comments *more); // empties `more`

// Reads a page.
void fmt_read(const struct tc_yaml_file *file, struct tc_arena *arena, struct fmt_page *out);

// The entry under `key`, NULL when there is none.
struct fmt_entry *fmt_get(const struct fmt_value *map, const char *key);

// A map or list with room for `count` entries, and a scalar.
struct fmt_value fmt_new(struct tc_arena *arena, enum tc_yaml_kind kind, size_t count);
struct fmt_value fmt_scalar(tc_str text);

// The tree form of a query; a word alone is a scalar.
struct fmt_value fmt_tree(const struct query_node *node, struct tc_arena *arena);

// The string form of a query: lines that fit, its comments kept. `text` is what it was read from, and
// is empty when that was a tree. `width` columns are there.
tc_str fmt_query_lines(const struct query_node *root, tc_str text, size_t width,
                       struct tc_arena *arena);
// The string form on one line.
tc_str fmt_query_line(const struct query_node *root, struct tc_arena *arena);
// The comments inside a query string, in order.
struct fmt_comments fmt_query_comments(tc_str text, struct tc_arena *arena);

// Whether a text can be a literal block.
bool fmt_is_literal(tc_str text);

void fmt_write(const struct fmt_page *page, struct tc_buf *out);

#endif
