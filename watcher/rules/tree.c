// A query in its tree form: maps and lists of YAML instead of operators.
//
// Each form has a function; the table at the end says which key it stands under. The nodes are the
// same as those of the string form, so a tree and its string give one definition.
#include <stdio.h>

#include "watcher/rules/parts.h"

struct form {
    const char *key;
    struct query_node *(*read)(struct rules_reader *reader, const struct tc_yaml *key,
                               const struct tc_yaml *value, enum query_op op);
    enum query_op op;
};

static struct query_node *read_part(struct rules_reader *reader, const struct tc_yaml *node);

// ---- places --------------------------------------------------------------------------------

static void wrong_in_scalar(const struct query_place *place, size_t from, size_t to,
                            enum tc_severity severity, const char *code, tc_str help,
                            tc_str message)
{
    tc_yaml_wrong_span(place->context, from, to, severity, code, place->diags, help, message);
}

// For nodes that were made by a key: the caret stands under the whole key.
static void wrong_at_key(const struct query_place *place, size_t from, size_t to,
                         enum tc_severity severity, const char *code, tc_str help, tc_str message)
{
    const struct tc_yaml *key = place->context;
    (void)from, (void)to;
    tc_yaml_wrong_span(key, 0, key->text.len, severity, code, place->diags, help, message);
}

// With a census, which knows how often each case occurs, W0201 is its word.
static void wrong_beside_census(const struct query_place *place, size_t from, size_t to,
                                enum tc_severity severity, const char *code, tc_str help,
                                tc_str message)
{
    if (strcmp(code, "W0201") != 0)
        wrong_in_scalar(place, from, to, severity, code, help, message);
}

static struct query_place in_scalar(struct rules_reader *reader, const struct tc_yaml *scalar)
{
    return (struct query_place){.wrong = reader->census ? wrong_beside_census : wrong_in_scalar,
                                .diags = reader->diags,
                                .context = scalar};
}

// Shows the census every word and phrase that was read from a scalar.
static void count_leaves(struct rules_reader *reader, const struct tc_yaml *scalar,
                         const struct query_node *node)
{
    struct query_place place = {
        .wrong = wrong_in_scalar, .diags = reader->diags, .context = scalar};
    if (!reader->census || !node)
        return;
    if (node->op == QUERY_WORDS)
        reader->census->leaf(reader->census, node, &place);
    for (size_t i = 0; i < node->child_count; i++)
        count_leaves(reader, scalar, node->children[i]);
}

// The node, once it has passed the rules that can be seen from it alone; NULL when it has not.
static struct query_node *checked(struct rules_reader *reader, struct query_node *node,
                                  const struct tc_yaml *key)
{
    struct query_place place = {.wrong = wrong_at_key, .diags = reader->diags, .context = key};
    return query_check_node(node, &place) ? node : NULL;
}

// ---- strings -------------------------------------------------------------------------------

static struct query_node *read_string(struct rules_reader *reader, const struct tc_yaml *scalar)
{
    struct query_place place = in_scalar(reader, scalar);
    if (scalar->comment_behind)
        tc_yaml_wrong_span(scalar, scalar->text.len, scalar->text.len, TC_DIAG_WARNING, "W0209",
                           reader->diags, TC_STR("put the query in a block, match: |"),
                           TC_STR("a YAML comment cuts the query here"));
    struct query_node *root =
        reader->lucene
            ? lucene_read(scalar->text, reader->text, &rules_dialect_of(reader->rules)->options,
                          reader->arena, &place, NULL)
            : query_read(scalar->text, reader->text, &reader->lists, reader->arena, &place);
    count_leaves(reader, scalar, root);
    return root;
}

// "@usa", or one word or phrase.
static struct query_node *read_entry(struct rules_reader *reader, const struct tc_yaml *scalar)
{
    struct query_place place = in_scalar(reader, scalar);
    if (scalar->text.len > 1 && scalar->text.ptr[0] == '@' &&
        !memchr(scalar->text.ptr, ' ', scalar->text.len))
        return query_read(scalar->text, reader->text, &reader->lists, reader->arena, &place);
    struct query_node *node = query_entry(scalar->text, reader->text, reader->arena, &place);
    if (!node || !query_check_node(node, &place))
        return NULL;
    count_leaves(reader, scalar, node);
    return node;
}

// ---- lists of parts ------------------------------------------------------------------------

// AND or OR of the parts of a list; the part alone when there is one, or no list. NULL after
// mistakes, once all parts have been read.
static struct query_node *read_parts(struct rules_reader *reader, const struct tc_yaml *key,
                                     const struct tc_yaml *value, enum query_op op)
{
    bool fine = true;
    if (value->kind != TC_YAML_LIST)
        return read_part(reader, value);
    if (value->count == 0) {
        tc_yaml_wrong(key, "E0104", reader->diags, NULL, "%.*s: needs at least one term",
                      TC_ARG(key->text));
        return NULL;
    }
    struct query_node *node = query_node_new(reader->arena, op, value->count);
    for (size_t i = 0; i < value->count; i++) {
        node->children[i] = read_part(reader, &value->items[i]);
        fine = node->children[i] && fine;
    }
    if (!fine)
        return NULL;
    return value->count == 1 ? node->children[0] : checked(reader, node, key);
}

static struct query_node *wrap(struct rules_reader *reader, enum query_op op,
                               struct query_node *child)
{
    if (!child)
        return NULL;
    struct query_node *node = query_node_new(reader->arena, op, 1);
    node->children[0] = child;
    return node;
}

static struct query_node *read_joined(struct rules_reader *reader, const struct tc_yaml *key,
                                      const struct tc_yaml *value, enum query_op op)
{
    if (!rules_is_list(reader, value, op == QUERY_AND ? "all" : "any"))
        return NULL;
    return read_parts(reader, key, value, op);
}

static struct query_node *read_none(struct rules_reader *reader, const struct tc_yaml *key,
                                    const struct tc_yaml *value, enum query_op op)
{
    return wrap(reader, op, read_parts(reader, key, value, QUERY_OR));
}

// sentence: [x, y] and the like hold all of their parts.
static struct query_node *read_within(struct rules_reader *reader, const struct tc_yaml *key,
                                      const struct tc_yaml *value, enum query_op op)
{
    return wrap(reader, op, read_parts(reader, key, value, QUERY_AND));
}

// ---- maps with arguments -------------------------------------------------------------------

// The argument `name` of the form at `key`; says so when it is missing.
static const struct tc_yaml *argument(struct rules_reader *reader, const struct tc_yaml *key,
                                      const struct tc_yaml *map, const char *name)
{
    const struct tc_yaml *value = tc_yaml_get(map, name);
    if (!value)
        tc_yaml_wrong(key, "E0117", reader->diags, NULL, "%.*s: needs %s:", TC_ARG(key->text),
                      name);
    return value;
}

static bool number_argument(struct rules_reader *reader, const struct tc_yaml *key,
                            const struct tc_yaml *map, const char *name, uint64_t least,
                            uint64_t most, uint32_t *out)
{
    uint64_t number = 0;
    const struct tc_yaml *value = argument(reader, key, map, name);
    if (!value || !tc_yaml_u64(value, least, most, &number, reader->diags))
        return false;
    *out = (uint32_t)number;
    return true;
}

static bool has_only(struct rules_reader *reader, const struct tc_yaml *map, const char *what,
                     const char *const *known)
{
    return rules_is_map(reader, map, what) && tc_yaml_only(map, known, reader->diags) == 0;
}

static struct query_node *pair(struct rules_reader *reader, const struct tc_yaml *key,
                               enum query_op op, uint32_t number, struct query_node *left,
                               struct query_node *right)
{
    if (!left || !right)
        return NULL;
    struct query_node *node = query_node_new(reader->arena, op, 2);
    node->number = number;
    node->children[0] = left;
    node->children[1] = right;
    return checked(reader, node, key);
}

// near: {within: 5, ordered: true, of: [x, y, ...]}, from left to right
static struct query_node *read_near(struct rules_reader *reader, const struct tc_yaml *key,
                                    const struct tc_yaml *value, enum query_op op)
{
    static const char *const known[] = {"within", "ordered", "of", NULL};
    uint32_t within = 0;
    bool ordered = false;
    if (!has_only(reader, value, "near", known))
        return NULL;
    bool fine = number_argument(reader, key, value, "within", 0, QUERY_DISTANCE_MOST, &within);
    fine = tc_yaml_bool(tc_yaml_get(value, "ordered"), &ordered, reader->diags) && fine;
    const struct tc_yaml *of = argument(reader, key, value, "of");
    if (!fine || !rules_is_list(reader, of, "of"))
        return NULL;
    if (of->count < 2 || of->count > QUERY_DEPTH) {
        tc_yaml_wrong(of, "E0117", reader->diags, NULL, "near: needs 2 to %d terms", QUERY_DEPTH);
        return NULL;
    }
    struct query_node *node = read_part(reader, &of->items[0]);
    for (size_t i = 1; i < of->count; i++)
        node = pair(reader, key, ordered ? QUERY_ONEAR : op, within, node,
                    read_part(reader, &of->items[i]));
    return node;
}

// not_near: {within: 5, of: x, but: y}, except: {of: x, but: [y]}
static struct query_node *read_but(struct rules_reader *reader, const struct tc_yaml *key,
                                   const struct tc_yaml *value, enum query_op op)
{
    static const char *const known[] = {"of", "but", "within", NULL};
    static const char *const known_except[] = {"of", "but", NULL};
    uint32_t within = 0;
    if (!has_only(reader, value, op == QUERY_EXCEPT ? "except" : "not_near",
                  op == QUERY_EXCEPT ? known_except : known))
        return NULL;
    bool fine = op == QUERY_EXCEPT ||
                number_argument(reader, key, value, "within", 0, QUERY_DISTANCE_MOST, &within);
    const struct tc_yaml *of = argument(reader, key, value, "of");
    const struct tc_yaml *but = argument(reader, key, value, "but");
    struct query_node *left = of ? read_parts(reader, key, of, QUERY_OR) : NULL;
    struct query_node *right = but ? read_parts(reader, key, but, QUERY_OR) : NULL;
    return fine ? pair(reader, key, op, within, left, right) : NULL;
}

// atleast: {n: 3, of: x}, first: {words: 50, of: x}
static struct query_node *read_counted(struct rules_reader *reader, const struct tc_yaml *key,
                                       const struct tc_yaml *value, enum query_op op)
{
    const char *count = op == QUERY_FIRST ? "words" : "n";
    const char *const known[] = {count, "of", NULL};
    uint32_t number = 0;
    if (!has_only(reader, value, op == QUERY_FIRST ? "first" : "atleast", known))
        return NULL;
    bool fine = number_argument(reader, key, value, count, 1, QUERY_COUNT_MOST, &number);
    const struct tc_yaml *of = argument(reader, key, value, "of");
    struct query_node *node = of ? wrap(reader, op, read_parts(reader, key, of, QUERY_OR)) : NULL;
    if (!fine || !node)
        return NULL;
    node->number = number;
    return node;
}

// some: {n: 2, of: [x, y, z]}
static struct query_node *read_some(struct rules_reader *reader, const struct tc_yaml *key,
                                    const struct tc_yaml *value, enum query_op op)
{
    static const char *const known[] = {"n", "of", NULL};
    uint32_t number = 0;
    if (!has_only(reader, value, "some", known))
        return NULL;
    const struct tc_yaml *of = argument(reader, key, value, "of");
    if (!rules_is_list(reader, of, "of"))
        return NULL;
    bool fine = number_argument(reader, key, value, "n", 1, of->count, &number);
    struct query_node *node = query_node_new(reader->arena, op, of->count);
    for (size_t i = 0; i < of->count; i++) {
        node->children[i] = read_part(reader, &of->items[i]);
        fine = node->children[i] && fine;
    }
    node->number = number;
    return fine ? checked(reader, node, key) : NULL;
}

// ---- leaves with a name --------------------------------------------------------------------

static struct query_node *read_embedded(struct rules_reader *reader, const struct tc_yaml *key,
                                        const struct tc_yaml *value, enum query_op op)
{
    tc_str text;
    (void)key, (void)op;
    return tc_yaml_str(value, &text, reader->diags) ? read_string(reader, value) : NULL;
}

static struct query_node *read_leaf(struct rules_reader *reader, const struct tc_yaml *scalar,
                                    const struct query_leaf_form *form, struct query_place place)
{
    struct query_node *node = query_leaf(scalar->text, form, reader->text, reader->arena, &place);
    if (!node || !query_check_node(node, &place))
        return NULL;
    count_leaves(reader, scalar, node);
    return node;
}

// phrase: {words: export chip, slop: 4}, read as if in quotes: operator words are words here. A
// leading "=" makes it exact, unless exact: says itself what it is.
static struct query_node *read_phrase(struct rules_reader *reader, const struct tc_yaml *key,
                                      const struct tc_yaml *value, enum query_op op)
{
    static const char *const known[] = {"words", "exact", "slop", NULL};
    uint64_t slop = 0;
    tc_str text;
    (void)op;
    if (!has_only(reader, value, "phrase", known))
        return NULL;
    const struct tc_yaml *words = argument(reader, key, value, "words");
    const struct tc_yaml *number = tc_yaml_get(value, "slop"), *exact = tc_yaml_get(value, "exact");
    struct query_leaf_form form = {.quoted = true, .tilde = -1};
    bool fine = tc_yaml_u64(number, 0, QUERY_DISTANCE_MOST, &slop, reader->diags);
    fine = tc_yaml_bool(exact, &form.exact, reader->diags) && fine;
    if (!words || !tc_yaml_str(words, &text, reader->diags) || !fine)
        return NULL;
    if (!exact && text.len > 0 && text.ptr[0] == '=') {
        form.exact = true;
        form.text_from = 1;
    }
    if (number)
        form.tilde = (int)slop;
    return read_leaf(reader, words, &form, in_scalar(reader, words));
}

// fuzzy: {word: Hormus, edits: 1}, read as Hormus~1
static struct query_node *read_fuzzy(struct rules_reader *reader, const struct tc_yaml *key,
                                     const struct tc_yaml *value, enum query_op op)
{
    static const char *const known[] = {"word", "edits", NULL};
    uint32_t edits = 0;
    tc_str word = {0};
    (void)op;
    if (!has_only(reader, value, "fuzzy", known))
        return NULL;
    const struct tc_yaml *scalar = argument(reader, key, value, "word");
    if (!number_argument(reader, key, value, "edits", 1, 2, &edits) || !scalar ||
        !tc_yaml_str(scalar, &word, reader->diags))
        return NULL;
    struct query_leaf_form form = {.tilde = (int)edits};
    return read_leaf(reader, scalar, &form, in_scalar(reader, scalar));
}

// regex: '/gpt-?[0-9]+/i'
static struct query_node *read_regex(struct rules_reader *reader, const struct tc_yaml *key,
                                     const struct tc_yaml *value, enum query_op op)
{
    tc_str text;
    (void)op;
    if (!tc_yaml_str(value, &text, reader->diags))
        return NULL;
    if (text.len == 0 || text.ptr[0] != '/') {
        tc_yaml_wrong(value, "E0117", reader->diags, "write regex: '/gpt-?[0-9]+/i'",
                      "%.*s: an expression stands between two slashes", TC_ARG(key->text));
        return NULL;
    }
    struct query_node *node = read_string(reader, value);
    if (!node || node->op == QUERY_REGEX)
        return node;
    tc_yaml_wrong(value, "E0117", reader->diags, NULL, "%.*s: is one expression, not a query",
                  TC_ARG(key->text));
    return NULL;
}

static struct query_node *field_value(struct rules_reader *reader, enum query_meta meta,
                                      const struct tc_yaml *scalar)
{
    tc_str text = {0};
    if (!tc_yaml_str(scalar, &text, reader->diags))
        return NULL;
    struct query_node *node = query_node_new(reader->arena, QUERY_META, 0);
    node->meta = meta;
    if (meta == QUERY_META_LANG && !query_is_language(text))
        tc_yaml_wrong(scalar, "E0117", reader->diags, QUERY_LANGUAGE_HELP,
                      "\"%.*s\" is no language", TC_ARG(text));
    node->text = tc_arena_str(reader->arena, text);
    return node;
}

// field: {source: wsj.com}, field: {lang: [de, fr]}
static struct query_node *read_field(struct rules_reader *reader, const struct tc_yaml *key,
                                     const struct tc_yaml *value, enum query_op op)
{
    static const char *const known[] = {"source", "lang", "author", "section", "tag", "url", NULL};
    enum query_meta meta;
    (void)op;
    if (!has_only(reader, value, "field", known))
        return NULL;
    if (value->count != 1 || !query_meta_read(value->keys[0].text, &meta)) {
        tc_yaml_wrong(key, "E0117", reader->diags, NULL, "field: names one field");
        return NULL;
    }
    const struct tc_yaml *items = &value->items[0];
    if (items->kind != TC_YAML_LIST)
        return field_value(reader, meta, items);
    bool fine = items->count > 0;
    struct query_node *node = query_node_new(reader->arena, QUERY_OR, items->count);
    for (size_t i = 0; i < items->count; i++) {
        node->children[i] = field_value(reader, meta, &items->items[i]);
        fine = node->children[i] && fine;
    }
    if (!fine)
        return NULL;
    return items->count == 1 ? node->children[0] : node;
}

// ---- the table -----------------------------------------------------------------------------

static const struct form forms[] = {
    {"all", read_joined, QUERY_AND},
    {"any", read_joined, QUERY_OR},
    {"none", read_none, QUERY_NOT},
    {"near", read_near, QUERY_NEAR},
    {"not_near", read_but, QUERY_NOTNEAR},
    {"except", read_but, QUERY_EXCEPT},
    {"sentence", read_within, QUERY_SENTENCE},
    {"paragraph", read_within, QUERY_PARAGRAPH},
    {"title", read_within, QUERY_TITLE},
    {"lead", read_within, QUERY_LEAD},
    {"body", read_within, QUERY_BODY},
    {"page", read_within, QUERY_PAGE},
    {"atleast", read_counted, QUERY_ATLEAST},
    {"first", read_counted, QUERY_FIRST},
    {"some", read_some, QUERY_ANY},
    {"q", read_embedded, QUERY_AND},
    {"phrase", read_phrase, QUERY_WORDS},
    {"fuzzy", read_fuzzy, QUERY_WORDS},
    {"regex", read_regex, QUERY_REGEX},
    {"field", read_field, QUERY_META},
};
enum { FORMS = sizeof forms / sizeof *forms };

static const struct form *form_of(tc_str key)
{
    for (size_t i = 0; i < FORMS; i++) {
        if (tc_str_eq(key, tc_str_of(forms[i].key)))
            return &forms[i];
    }
    return NULL;
}

// id: and boost:, which may stand beside the form's own key.
static struct query_node *decorate(struct rules_reader *reader, const struct tc_yaml *map,
                                   struct query_node *node)
{
    const struct tc_yaml *id = tc_yaml_get(map, "id"), *boost = tc_yaml_get(map, "boost");
    uint64_t number = 0;
    tc_str name = {0};
    bool fine = tc_yaml_u64(boost, 1, QUERY_COUNT_MOST, &number, reader->diags);
    fine = tc_yaml_str(id, &name, reader->diags) && fine;
    if (id && fine && !rules_is_ident(name)) {
        tc_yaml_wrong(
            id, "E0117", reader->diags, NULL,
            "a clause name is made of a-z, 0-9, \"-\" and \"_\", and begins with a letter");
        fine = false;
    }
    if (!node || !fine)
        return NULL;
    if (boost)
        node->boost = (uint32_t)number;
    if (!id)
        return node;
    node = wrap(reader, QUERY_NAMED, node);
    node->text = tc_arena_str(reader->arena, name);
    return node;
}

static struct query_node *read_map(struct rules_reader *reader, const struct tc_yaml *map)
{
    const char *known[FORMS + 3];
    size_t count = 0, at = 0, found = 0;
    for (; count < FORMS; count++)
        known[count] = forms[count].key;
    known[count++] = "id";
    known[count++] = "boost";
    known[count] = NULL;
    if (tc_yaml_only(map, known, reader->diags) > 0)
        return NULL;
    for (size_t i = 0; i < map->count; i++) {
        if (form_of(map->keys[i].text)) {
            at = i;
            found++;
        }
    }
    if (found != 1) {
        tc_yaml_wrong(map, "E0117", reader->diags, "join several with all: [...] or any: [...]",
                      "a part of a query has one operator, not %zu", found);
        return NULL;
    }
    const struct form *form = form_of(map->keys[at].text);
    return decorate(reader, map, form->read(reader, &map->keys[at], &map->items[at], form->op));
}

static struct query_node *read_part(struct rules_reader *reader, const struct tc_yaml *node)
{
    switch (node->kind) {
    case TC_YAML_SCALAR: return read_entry(reader, node);
    case TC_YAML_MAP: return read_map(reader, node);
    default:
        tc_yaml_wrong(node, "E0117", reader->diags, "write all: [...] or any: [...]",
                      "a list does not say how its parts are joined");
        return NULL;
    }
}

struct query_node *rules_read_tree(struct rules_reader *reader, const struct tc_yaml *node)
{
    struct query_node *root = read_part(reader, node);
    if (!root || query_depth(root) <= QUERY_DEPTH)
        return root;
    tc_yaml_wrong(node, "E0117", reader->diags, NULL, "a query is nested at most %d deep",
                  QUERY_DEPTH);
    return NULL;
}

// What a corpus says about a whole query, under its place when it is a string, else under the first
// key of its tree.
static void ask_census(struct rules_reader *reader, const struct tc_yaml *node,
                       const struct query_node *root)
{
    struct query_place place = {.wrong = wrong_in_scalar, .diags = reader->diags, .context = node};
    if (node->kind == TC_YAML_MAP) {
        place.wrong = wrong_at_key;
        place.context = &node->keys[0];
    }
    if (reader->census)
        reader->census->whole(reader->census, root, &place);
}

struct query_node *rules_read_query(struct rules_reader *reader, const struct tc_yaml *node)
{
    if (reader->lucene && node->kind != TC_YAML_SCALAR) {
        tc_yaml_wrong(node, "E0117", reader->diags,
                      "write the query as a string, in a block: match: |",
                      "dialect: lucene has no tree form");
        return NULL;
    }
    struct query_node *root =
        node->kind == TC_YAML_SCALAR ? read_string(reader, node) : rules_read_tree(reader, node);
    if (!root)
        return NULL;
    if (!query_positive(root)) {
        tc_yaml_wrong(node, "E0114", reader->diags,
                      "add a term that must be present, joined with all: [...]",
                      "this query can match without any positive term");
        return NULL;
    }
    ask_census(reader, node, root);
    return root;
}
