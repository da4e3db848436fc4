// yaml - a strict reader of YAML files as people write them.
//
// Reads a whole file into a tree of maps, lists and scalars. Every scalar is text until a
// schema says otherwise (so "NO" stays NO). Refused, each with its place and all at once where
// the parser can go on: syntax errors, a key twice in one map, aliases, anchors and tags,
// several documents, a key that is no scalar, nesting beyond TC_YAML_DEPTH, a file beyond
// TC_YAML_BYTES, bytes that are not UTF-8.
//
//   memory   the tree and the file's text live in the arena given: about ten times the file
//   cost     linear: 21 MB with 100,000 watches took 0.5 s (2 vCPU, -O2)
//   source   YAML 1.1 through libyaml's event interface (positions from 0, in characters)
#ifndef TC_YAML_H
#define TC_YAML_H

#include "common/arena.h"
#include "common/diag.h"

enum { TC_YAML_DEPTH = 256, TC_YAML_BYTES = 64 * 1024 * 1024 };

enum tc_yaml_kind { TC_YAML_SCALAR, TC_YAML_LIST, TC_YAML_MAP };

struct tc_yaml {
    enum tc_yaml_kind kind;
    int line, column;      // of its first character, from 1
    tc_str text;           // scalars: decoded, views the arena
    bool quoted;           // '...' or "..."
    bool block;            // | or >
    bool comment_behind;   // one-line plain scalar with a " #" comment after it (W0209)
    size_t count;          // lists and maps
    struct tc_yaml *items; // lists: items; maps: values
    struct tc_yaml *keys;  // maps: keys, scalars, same order as items
    const struct tc_yaml_file *file;
    const uint32_t *places; // scalars: for every byte of text, and one behind the last, its byte
                            // offset in the file
};

struct tc_yaml_file {
    tc_str name;                 // as given, for messages
    tc_str text;                 // the whole file
    const uint32_t *line_starts; // byte offset of each line
    int line_count;
    struct tc_yaml root;
};

// Reads the file `name`, or `text` under that name. On mistakes the tree may be partial.
// `arena` and `diags` are borrowed until the tree is no longer used. Gives *out, which lives
// in the arena; NULL only when the file cannot be opened.
//   TC_EIO     cannot be read (said in diags too)
//   TC_EPARSE  mistakes were added to diags
int tc_yaml_read(const char *name, struct tc_arena *arena, struct tc_diags *diags,
                 struct tc_yaml_file **out);
int tc_yaml_read_text(tc_str name, tc_str text, struct tc_arena *arena, struct tc_diags *diags,
                      struct tc_yaml_file **out);

// For files of very many like parts, which are read a part at a time: a file of whose `text` (valid UTF-8,
// borrowed) nothing was parsed yet.
struct tc_yaml_file *tc_yaml_file_of(tc_str name, tc_str text, struct tc_arena *arena);

// Parses bytes from..to of it as if they were a document: whole lines, whose first is number `line`.
// Places are those in the file. `arena` may be another one, emptied when the part is done with.
//   TC_EPARSE  mistakes were added to diags; *root may be partial
int tc_yaml_part(struct tc_yaml_file *file, size_t from, size_t to, int line,
                 struct tc_arena *arena, struct tc_diags *diags, struct tc_yaml *root);

// The value under `key`, NULL when absent or when `map` is no map.
const struct tc_yaml *tc_yaml_get(const struct tc_yaml *map, const char *key);

// Adds E0115 with the nearest known word for every key of `map` that is not in `known`
// (NULL-ended). Returns how many there were.
size_t tc_yaml_only(const struct tc_yaml *map, const char *const *known, struct tc_diags *diags);

// Adds a mistake at a node: the caret stands under the node's first line.
void tc_yaml_wrong(const struct tc_yaml *node, const char *code, struct tc_diags *diags,
                   const char *help, const char *format, ...) __attribute__((format(printf, 5, 6)));

// The same under bytes from..to of a scalar's text (mapped back into the file, also inside block
// and quoted scalars), as error or warning.
void tc_yaml_wrong_span(const struct tc_yaml *scalar, size_t from, size_t to,
                        enum tc_severity severity, const char *code, struct tc_diags *diags,
                        tc_str help, tc_str message);

// Typed readers: false, and a mistake in diags (E0117), when the node is not what it should be.
// A NULL node leaves *out alone and is fine.
bool tc_yaml_str(const struct tc_yaml *node, tc_str *out, struct tc_diags *diags);
bool tc_yaml_bool(const struct tc_yaml *node, bool *out, struct tc_diags *diags);
bool tc_yaml_u64(const struct tc_yaml *node, uint64_t least, uint64_t most, uint64_t *out,
                 struct tc_diags *diags);
bool tc_yaml_duration(const struct tc_yaml *node, int64_t *out_ns, struct tc_diags *diags);
// 512B 64KiB 4MiB 1GiB, or kB MB GB for powers of ten; the unit is required.
bool tc_yaml_size(const struct tc_yaml *node, uint64_t *out_bytes, struct tc_diags *diags);

#endif
