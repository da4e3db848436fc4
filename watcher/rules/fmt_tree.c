// A query in its tree form: every operator has a map of its own name (tree.c reads them all).
//
// A word or phrase is a plain string where such a string means the same; else it is written out as
// phrase: or fuzzy:. What stands in a map may carry id: and boost: beside it; what does not is put
// into a map first, as the only part of all:.
#include "watcher/rules/fmt.h"

static struct fmt_value part(const struct query_node *node, struct tc_arena *arena);

// ---- maps ----------------------------------------------------------------------------------

static struct fmt_value map_with_room(struct tc_arena *arena, size_t most)
{
    struct fmt_value map = fmt_new(arena, TC_YAML_MAP, most);
    map.count = 0;
    map.style = FMT_LOW;
    return map;
}

static void put(struct fmt_value *map, const char *key, struct fmt_value value)
{
    map->entries[map->count++] = (struct fmt_entry){.key = tc_str_of(key), .value = value};
}

static void put_number(struct fmt_value *map, const char *key, uint32_t number,
                       struct tc_arena *arena)
{
    put(map, key, fmt_scalar(tc_arena_printf(arena, "%u", number)));
}

static struct fmt_value only(struct tc_arena *arena, const char *key, struct fmt_value value)
{
    struct fmt_value map = map_with_room(arena, 3); // id: and boost: may join it
    put(&map, key, value);
    return map;
}

static struct fmt_value list_of(struct query_node *const *nodes, size_t count,
                                struct tc_arena *arena)
{
    struct fmt_value list = fmt_new(arena, TC_YAML_LIST, count);
    list.style = FMT_LOW;
    for (size_t i = 0; i < count; i++)
        list.entries[i].value = part(nodes[i], arena);
    return list;
}

static struct fmt_value list_of_one(struct fmt_value value, struct tc_arena *arena)
{
    struct fmt_value list = fmt_new(arena, TC_YAML_LIST, 1);
    list.style = FMT_LOW;
    list.entries[0].value = value;
    return list;
}

// The parts of `op`, or the one part, as a list.
static struct fmt_value parts(const struct query_node *node, enum query_op op,
                              struct tc_arena *arena)
{
    if (node->op == op && node->boost == 0)
        return list_of(node->children, node->child_count, arena);
    return list_of_one(part(node, arena), arena);
}

// The same, without a list around one part.
static struct fmt_value parts_or_one(const struct query_node *node, enum query_op op,
                                     struct tc_arena *arena)
{
    return node->op == op ? parts(node, op, arena) : part(node, arena);
}

// ---- words ---------------------------------------------------------------------------------

static struct fmt_value quoted(tc_str text)
{
    struct fmt_value value = fmt_scalar(text);
    value.quoted = true;
    return value;
}

static tc_str text_of(const struct query_node *node, struct tc_arena *arena)
{
    struct tc_buf text = {0};
    query_print_text(node, &text);
    tc_str kept = tc_arena_str(arena, tc_buf_view(&text));
    tc_buf_done(&text);
    return kept;
}

// Whether an operator word stands in it, which an entry may not hold.
static bool holds_operator(tc_str text)
{
    size_t from = 0, to = 0;
    return query_holds_operator(text, &from, &to);
}

// Whether a plain string means this leaf.
static bool is_entry(const struct query_node *node, tc_str text)
{
    bool handle = text.len > 0 && text.ptr[0] == '@', equals = text.len > 0 && text.ptr[0] == '=';
    if (node->slop >= 0 || (node->word_count > 0 && node->words[0].edits > 0))
        return false;
    if (node->exact)
        return !holds_operator(text) && (!node->strict_joins || !query_is_plain_word(text));
    return !holds_operator(text) && !handle && !equals;
}

static struct fmt_value words(const struct query_node *node, struct tc_arena *arena)
{
    tc_str text = text_of(node, arena);
    bool fuzzy = node->slop < 0 && node->word_count > 0 && node->words[0].edits > 0;
    bool equals = text.len > 0 && text.ptr[0] == '=';
    if (is_entry(node, text))
        return quoted(node->exact ? tc_arena_printf(arena, "=%.*s", TC_ARG(text)) : text);
    struct fmt_value map = map_with_room(arena, 3);
    if (fuzzy) {
        put(&map, "word", quoted(text));
        put_number(&map, "edits", node->words[0].edits, arena);
        return only(arena, "fuzzy", map);
    }
    if (node->exact && !equals)
        text = tc_arena_printf(arena, "=%.*s", TC_ARG(text));
    put(&map, "words", quoted(text));
    if (equals)
        put(&map, "exact", fmt_scalar(node->exact ? TC_STR("true") : TC_STR("false")));
    if (node->slop >= 0)
        put_number(&map, "slop", (uint32_t)node->slop, arena);
    return only(arena, "phrase", map);
}

// ---- metadata ------------------------------------------------------------------------------

static struct fmt_value field(const struct query_node *node, struct fmt_value value,
                              struct tc_arena *arena)
{
    return only(arena, "field", only(arena, query_meta_name(node->meta), value));
}

// Whether an OR is several values of one field: lang:(de OR fr).
static bool is_one_field(const struct query_node *node)
{
    for (size_t i = 0; i < node->child_count; i++) {
        const struct query_node *child = node->children[i];
        if (child->op != QUERY_META || child->meta != node->children[0]->meta || child->boost > 0)
            return false;
    }
    return true;
}

static struct fmt_value any(const struct query_node *node, struct tc_arena *arena)
{
    if (!is_one_field(node))
        return only(arena, "any", list_of(node->children, node->child_count, arena));
    struct fmt_value values = fmt_new(arena, TC_YAML_LIST, node->child_count);
    for (size_t i = 0; i < node->child_count; i++)
        values.entries[i].value = quoted(node->children[i]->text);
    return field(node->children[0], values, arena);
}

// ---- operators -----------------------------------------------------------------------------

// a NEAR/5 b NEAR/5 c, which is read from left to right, is one list.
static struct fmt_value near(const struct query_node *node, struct tc_arena *arena)
{
    struct fmt_value map = map_with_room(arena, 3), list;
    const struct query_node *left = node;
    size_t count = 1;
    do {
        left = left->children[0];
        count++;
    } while (left->op == node->op && left->number == node->number && left->boost == 0);
    list = fmt_new(arena, TC_YAML_LIST, count);
    list.style = FMT_LOW;
    list.entries[0].value = part(left, arena);
    left = node;
    for (size_t i = count - 1; i > 0; i--, left = left->children[0])
        list.entries[i].value = part(left->children[1], arena);
    put_number(&map, "within", node->number, arena);
    if (node->op == QUERY_ONEAR)
        put(&map, "ordered", fmt_scalar(TC_STR("true")));
    put(&map, "of", list);
    return only(arena, "near", map);
}

static struct fmt_value but(const struct query_node *node, struct tc_arena *arena)
{
    struct fmt_value map = map_with_room(arena, 3);
    if (node->op == QUERY_NOTNEAR)
        put_number(&map, "within", node->number, arena);
    put(&map, "of", parts_or_one(node->children[0], QUERY_OR, arena));
    put(&map, "but", parts_or_one(node->children[1], QUERY_OR, arena));
    return only(arena, node->op == QUERY_NOTNEAR ? "not_near" : "except", map);
}

static struct fmt_value counted(const struct query_node *node, const char *key, const char *count,
                                struct tc_arena *arena)
{
    struct fmt_value map = map_with_room(arena, 2);
    put_number(&map, count, node->number, arena);
    put(&map, "of",
        node->op == QUERY_ANY ? list_of(node->children, node->child_count, arena)
                              : parts_or_one(node->children[0], QUERY_OR, arena));
    return only(arena, key, map);
}

static struct fmt_value within(const struct query_node *node, const char *key,
                               struct tc_arena *arena)
{
    return only(arena, key, parts_or_one(node->children[0], QUERY_AND, arena));
}

static struct fmt_value operation(const struct query_node *node, struct tc_arena *arena);

static struct fmt_value regex(const struct query_node *node, struct tc_arena *arena)
{
    tc_str text =
        tc_arena_printf(arena, "/%.*s/%s", TC_ARG(node->text), node->fold_case ? "i" : "");
    return only(arena, "regex", quoted(text));
}

// The clause's name goes in front of the map of what it names.
static struct fmt_value named(const struct query_node *node, struct tc_arena *arena)
{
    const struct query_node *child = node->children[0];
    struct fmt_value inner = part(child, arena), map = map_with_room(arena, 4);
    bool room = inner.kind == TC_YAML_MAP && child->op != QUERY_NAMED;
    put(&map, "id", fmt_scalar(node->text));
    for (size_t i = 0; room && i < inner.count; i++)
        map.entries[map.count++] = inner.entries[i];
    if (!room)
        put(&map, "all", list_of(node->children, 1, arena));
    return map;
}

static struct fmt_value operation(const struct query_node *node, struct tc_arena *arena)
{
    switch (node->op) {
    case QUERY_WORDS: return words(node, arena);
    case QUERY_LIST: return fmt_scalar(tc_arena_printf(arena, "@%.*s", TC_ARG(node->text)));
    case QUERY_META: return field(node, quoted(node->text), arena);
    case QUERY_REGEX: return regex(node, arena);
    case QUERY_AND: return only(arena, "all", list_of(node->children, node->child_count, arena));
    case QUERY_OR: return any(node, arena);
    case QUERY_NOT: return only(arena, "none", parts(node->children[0], QUERY_OR, arena));
    case QUERY_NEAR:
    case QUERY_ONEAR: return near(node, arena);
    case QUERY_NOTNEAR:
    case QUERY_EXCEPT: return but(node, arena);
    case QUERY_SENTENCE: return within(node, "sentence", arena);
    case QUERY_PARAGRAPH: return within(node, "paragraph", arena);
    case QUERY_TITLE: return within(node, "title", arena);
    case QUERY_LEAD: return within(node, "lead", arena);
    case QUERY_BODY: return within(node, "body", arena);
    case QUERY_PAGE: return within(node, "page", arena);
    case QUERY_ATLEAST: return counted(node, "atleast", "n", arena);
    case QUERY_FIRST: return counted(node, "first", "words", arena);
    case QUERY_ANY: return counted(node, "some", "n", arena);
    case QUERY_NAMED: return named(node, arena);
    case QUERY_LUCENE:
    case QUERY_FIELD:
    case QUERY_ALWAYS:
    case QUERY_NEVER: break; // of dialect lucene, which has no tree form
    }
    return fmt_scalar((tc_str){0});
}

// A node with its boost, which reads as the boost of what its map holds - but of a named clause as
// that of the clause's own part.
static struct fmt_value part(const struct query_node *node, struct tc_arena *arena)
{
    struct fmt_value inner = operation(node, arena);
    if (node->boost == 0)
        return inner;
    struct fmt_value map = map_with_room(arena, 4);
    put_number(&map, "boost", node->boost, arena);
    if (inner.kind == TC_YAML_MAP && node->op != QUERY_NAMED) {
        for (size_t i = 0; i < inner.count; i++)
            map.entries[map.count++] = inner.entries[i];
        return map;
    }
    put(&map, "all", list_of_one(inner, arena));
    return map;
}

struct fmt_value fmt_tree(const struct query_node *node, struct tc_arena *arena)
{
    return part(node, arena);
}
