// query - what a watch asks for: the syntax tree, and the reader of its string form.
//
// The grammar is in docs/watch-language.md. The whole of it is read into this tree; the tree form of
// watch files builds the same nodes (watcher/rules). The tree says nothing about how to match.
//
//   memory   nodes and texts in the arena given
//   threads  none: plain data, never changed after query_check
#ifndef QUERY_H
#define QUERY_H

#include "common/arena.h"
#include "common/diag.h"
#include "watcher/text/text.h"

enum {
    QUERY_BYTES = 64 * 1024,
    QUERY_DEPTH = 64,
    QUERY_LIST_ENTRIES = 100 * 1000,
    QUERY_DISTANCE_MOST = 1000,
    QUERY_COUNT_MOST = 1000,
    QUERY_NAME_BYTES = 63, // of clauses and lists
};

enum query_op {
    QUERY_WORDS,     // one word or phrase: `words`; slop
    QUERY_REGEX,     // text, fold_case, expression
    QUERY_LIST,      // @name: `list`
    QUERY_AND,       // children; NOT children stand directly inside
    QUERY_OR,        // children
    QUERY_NOT,       // one child; only directly inside AND
    QUERY_NEAR,      // two children, number = words between
    QUERY_ONEAR,     //
    QUERY_NOTNEAR,   //
    QUERY_EXCEPT,    // two children: the second is what the first must not lie in
    QUERY_SENTENCE,  // one child
    QUERY_PARAGRAPH, // one child
    QUERY_ATLEAST,   // one child, number
    QUERY_ANY,       // children, number: at least that many of them
    QUERY_FIRST,     // one child, number: within the first words of the body
    QUERY_TITLE,     // one child
    QUERY_LEAD,      //
    QUERY_BODY,      //
    QUERY_PAGE,      //
    QUERY_NAMED,     // one child, text = the clause's name
    QUERY_META,      // meta, text = the value

    // Of dialect lucene only (watcher/match/lucene/lucene.h).
    QUERY_LUCENE, // the root: one child, text = as written; the text is one segment then
    QUERY_FIELD, // one child, WORDS: a field of metadata as Lucene has it; number = enum text_words
    QUERY_ALWAYS, // *:*
    QUERY_NEVER,  // a query of negatives only, a field that no article has
};

enum query_field {
    QUERY_FIELD_AUTHOR,
    QUERY_FIELD_LANG,
    QUERY_FIELD_PUBLISHED,
    QUERY_FIELD_SOURCE,
};
enum { QUERY_FIELDS = QUERY_FIELD_SOURCE + 1 };

enum query_meta {
    QUERY_META_SOURCE,
    QUERY_META_LANG,
    QUERY_META_AUTHOR,
    QUERY_META_SECTION,
    QUERY_META_TAG,
    QUERY_META_URL,
    QUERY_META_COUNTRY, // in `where` only
};

struct expression;
struct word_test;

struct query_word {
    tc_str folded, surface;
    bool wild;
    bool glued;                   // a hyphen or nothing stood before it, no white space
    uint8_t edits;                // fuzzy: 0, 1 or 2
    const struct word_test *test; // the word must pass it; dialect lucene: `folded` is its source
};

struct query_list;

// One cache line: a million watches have some millions of them.
struct query_node {
    enum query_op op : 8;
    enum query_meta meta : 8;
    enum query_field field : 8;
    bool exact : 1;        // =: surface forms
    bool strict_joins : 1; // ="a-b": hyphens must be there as written
    bool lucene : 1;    // of dialect lucene: paragraphs end no phrase, slop counts moves of words
    bool fold_case : 1; // /.../i
    uint32_t from, to;  // bytes of the query string it was read from, for carets
    uint32_t op_from, op_to; // of its operator, when it has one between its children
    uint32_t number;         // distance, count
    uint32_t boost;          // ^n, 0 when none
    int32_t slop;            // "..."~n; -1 when none
    uint32_t word_count, child_count;
    tc_str text; // as the op says; for WORDS: what was written, without quotes and =
    union {
        const struct query_word *words;      // WORDS: at neighbouring positions
        const struct expression *expression; // REGEX: what it means
        const struct query_list *list;       // LIST
        struct query_node **children;        // all others
    };
};

// A list of entries, some of them for one language only. Entries are WORDS nodes or whole
// queries (q:).
struct query_list_entry {
    tc_str lang; // "de"; empty: every language
    struct query_node *node;
};

struct query_list {
    tc_str name;
    const struct query_list_entry *entries;
    size_t count;
    int line; // where it stands in its file, for messages
};

// Where lists are looked up while reading: the file's own, then its includes.
struct query_lists {
    const struct query_list *const *lists;
    size_t count;
};

// Where mistakes of a query string are reported. A query from the command line has a name
// ("query") and itself as its only line; one from a YAML file maps back through its scalar.
struct query_place {
    void (*wrong)(const struct query_place *place, size_t from, size_t to,
                  enum tc_severity severity, const char *code, tc_str help, tc_str message);
    struct tc_diags *diags;
    const void *context; // the YAML scalar, or a struct query_text_place
};

struct query_text_place { // context of query_wrong_in_text
    tc_str name, text;
};
void query_wrong_in_text(const struct query_place *place, size_t from, size_t to,
                         enum tc_severity severity, const char *code, tc_str help, tc_str message);

// Reads a query string. Adds every mistake (E0101..E0117) and warning to place->diags. Gives the
// tree, NULL when it has an error. Includes query_check.
struct query_node *query_read(tc_str text, const struct text_settings *settings,
                              const struct query_lists *lists, struct tc_arena *arena,
                              const struct query_place *place);

// Reads an entry of a list or a plain string of the tree form: one word or phrase, a leading =,
// wildcards, nothing else special (E0116 when it holds an operator word). NULL on error.
struct query_node *query_entry(tc_str text, const struct text_settings *settings,
                               struct tc_arena *arena, const struct query_place *place);

// What an entry cannot say of a leaf, for phrase: and fuzzy: of the tree form.
struct query_leaf_form {
    size_t text_from; // bytes of `text` before the words themselves ("=")
    bool quoted; // as in quotes: operator words and signs are text, hyphens of an exact one stay
    bool exact;
    int tilde; // ~n behind it, -1 when none
};
struct query_node *query_leaf(tc_str text, const struct query_leaf_form *form,
                              const struct text_settings *settings, struct tc_arena *arena,
                              const struct query_place *place);

// The static rules that the grammar does not show (E0113, E0114, W02xx), on a tree that came from
// YAML. False when an error was added.
bool query_check(const struct query_node *root, const struct query_place *place);

// The same rules at one node alone, for builders that check each node as they make it. Its
// children have passed.
bool query_check_node(const struct query_node *node, const struct query_place *place);

// Whether it can hold only where something of it is present: false for NOT, and for lang: and
// source: alone.
bool query_positive(const struct query_node *node);

// Whether a leaf is one short word in capitals that is not asked for exactly: AI also matches ai.
bool query_is_short_capital(const struct query_node *leaf);

// "AND", "NEAR", "title:" ..., for messages.
const char *query_op_name(enum query_op op);

// "author", "lang", "published", "source"
const char *query_field_name(enum query_field field);

// "source", "lang", ... and back (false when there is no such field).
const char *query_meta_name(enum query_meta meta);
bool query_meta_read(tc_str name, enum query_meta *out);

// Whether a value of lang: can be the code of a language: "de", "yue", "en-GB".
bool query_is_language(tc_str value);
#define QUERY_LANGUAGE_HELP "languages are codes of two or three letters: de, en, vi"

// A node with room for `children`, for builders.
struct query_node *query_node_new(struct tc_arena *arena, enum query_op op, size_t children);

// Writes the canonical string form.
struct tc_buf;
void query_print(const struct query_node *root, struct tc_buf *out);

// Parts of it, for writers of other layouts: a child with the parentheses it needs in its parent
// (an operator with two or more), and the text of WORDS without quotes and signs.
void query_print_child(const struct query_node *parent, size_t index, struct tc_buf *out);
void query_print_text(const struct query_node *words, struct tc_buf *out);

// Whether the whole of `text` would be read back as one plain word; whether an operator word stands
// in it, which no entry may hold, and where.
bool query_is_plain_word(tc_str text);
bool query_holds_operator(tc_str text, size_t *from, size_t *to);

// How deep the reader of strings would go into the canonical form; it stops at QUERY_DEPTH.
int query_depth(const struct query_node *root);

#endif
