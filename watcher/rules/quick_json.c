// JSON as programs write it, made into the tree of the YAML reader, nearly without a copy.
//
// Most lines of a JSONL watch file hold no escapes but those of quotes and backslashes, and no odd numbers. Most of
// their strings stand in the line as they are, so the tree views it, and the place of each byte is the byte.
// Everything else (other escapes, fractions, a key twice, anything that is wrong) is left to the reader that handles all of JSON and words its mistakes:
// lines.c. Accepted here means: accepted there, with the same tree.
#include "common/mem.h"
#include "watcher/rules/parts.h"

enum {
    DEPTH_MOST = 64,
    DIGITS_MOST = 15,
    KEYS_MOST = 64, // of a map: each is compared with all
};

struct quick {
    struct rules_line *line;
    size_t at;
    size_t count; // of line->nodes
    int depth;
};

static bool quick_value(struct quick *quick, struct tc_yaml *node);

static char here(const struct quick *quick)
{
    return quick->at < quick->line->text.len ? quick->line->text.ptr[quick->at] : '\0';
}

static void skip_blanks(struct quick *quick)
{
    while (here(quick) == ' ' || here(quick) == '\t')
        quick->at++;
}

static bool take(struct quick *quick, char c)
{
    skip_blanks(quick);
    if (here(quick) != c)
        return false;
    quick->at++;
    return true;
}

// Fills in a scalar of bytes from..to; its node stands at `where`.
static void scalar(const struct quick *quick, size_t from, size_t to, size_t where,
                   struct tc_yaml *node)
{
    node->kind = TC_YAML_SCALAR;
    node->text = tc_str_cut(quick->line->text, from, to);
    node->places = quick->line->places + from;
    node->column = (int)where + 1; // the line is ASCII, see rules_quick_json()
}

// Whether the backslash stands before what it makes plain: a quote, a slash, another backslash.
static bool is_plain_escape(tc_str line, size_t backslash)
{
    return backslash + 1 < line.len && strchr("\"\\/", line.ptr[backslash + 1]);
}

// The same where backslashes stand between the quotes `quote` and `end`: without them, in memory of its own. Each
// byte's place is where what stands for it begins.
static void unescape(const struct quick *quick, size_t quote, size_t end, struct tc_yaml *node)
{
    struct rules_line *line = quick->line;
    uint32_t *places = tc_arena_room(line->scratch, (end - quote) * sizeof *places);
    char *text = tc_arena_bytes(line->scratch, end - quote);
    size_t len = 0;
    for (size_t at = quote + 1; at < end; at++) {
        places[len] = (uint32_t)(line->start + at);
        at += line->text.ptr[at] == '\\';
        text[len++] = line->text.ptr[at];
    }
    places[len] = (uint32_t)(line->start + end);
    text[len] = '\0';
    node->text = (tc_str){text, len};
    node->places = places;
}

static bool quick_string(struct quick *quick, struct tc_yaml *node)
{
    tc_str line = quick->line->text;
    bool escapes = false;
    if (!take(quick, '"'))
        return false;
    size_t quote = quick->at - 1, end = quick->at;
    for (; end < line.len && line.ptr[end] != '"'; end++) {
        if (line.ptr[end] != '\\')
            continue;
        if (!is_plain_escape(line, end++))
            return false;
        escapes = true;
    }
    if (end >= line.len)
        return false;
    quick->at = end + 1;
    node->quoted = true;
    scalar(quick, quote + 1, end, quote, node);
    if (escapes)
        unescape(quick, quote, end, node);
    return true;
}

// A whole number as JSON writes it, or true, false, null.
static bool quick_word(struct quick *quick, struct tc_yaml *node)
{
    size_t from = quick->at;
    while ((here(quick) >= '0' && here(quick) <= '9') || (here(quick) >= 'a' && here(quick) <= 'z'))
        quick->at++;
    tc_str word = tc_str_cut(quick->line->text, from, quick->at);
    bool number = word.len > 0 && word.len <= DIGITS_MOST && (word.ptr[0] != '0' || word.len == 1);
    for (size_t i = 0; i < word.len; i++)
        number = number && word.ptr[i] >= '0' && word.ptr[i] <= '9';
    if (!number && !tc_str_eq(word, TC_STR("true")) && !tc_str_eq(word, TC_STR("false")) &&
        !tc_str_eq(word, TC_STR("null")))
        return false;
    scalar(quick, from, quick->at, from, node);
    return strchr(" \t,]}", here(quick)) != NULL;
}

static struct tc_yaml new_node(const struct quick *quick)
{
    return (struct tc_yaml){
        .file = quick->line->file, .line = quick->line->number, .column = (int)quick->at + 1};
}

// Puts a finished node among those that wait for their list or map to end.
static void push(struct quick *quick, struct tc_yaml node)
{
    struct rules_line *line = quick->line;
    line->nodes = tc_room(line->nodes, quick->count, &line->node_room, sizeof *line->nodes);
    line->nodes[quick->count++] = node;
}

// Every `step`th of the nodes from `first` on, in memory of their own.
static struct tc_yaml *keep(const struct quick *quick, size_t first, size_t count, size_t step)
{
    struct tc_yaml *kept = tc_arena_room(quick->line->scratch, (count + 1) * sizeof *kept);
    for (size_t i = 0; i < count; i++)
        kept[i] = quick->line->nodes[first + i * step];
    return kept;
}

static bool has_repeated_key(const struct tc_yaml *map)
{
    for (size_t i = 1; i < map->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (tc_str_eq(map->keys[i].text, map->keys[k].text))
                return true;
        }
    }
    return false;
}

static bool quick_member(struct quick *quick, bool map)
{
    struct tc_yaml key = new_node(quick), item;
    if (map && (!quick_string(quick, &key) || !take(quick, ':')))
        return false;
    if (map)
        push(quick, key);
    skip_blanks(quick);
    item = new_node(quick);
    if (!quick_value(quick, &item))
        return false;
    push(quick, item);
    return true;
}

// The members of a list or map, behind its first bracket, which `closing` ends.
static bool quick_members(struct quick *quick, struct tc_yaml *node, char closing)
{
    bool map = closing == '}', fine = quick->depth++ < DEPTH_MOST;
    size_t first = quick->count, count = 0;
    while (fine && !take(quick, closing)) {
        fine = (count == 0 || take(quick, ',')) && !(map && count == KEYS_MOST) &&
               quick_member(quick, map);
        count += fine;
    }
    quick->depth--;
    node->kind = map ? TC_YAML_MAP : TC_YAML_LIST;
    node->count = count;
    node->items = fine ? keep(quick, first + map, count, 1 + map) : NULL;
    node->keys = fine && map ? keep(quick, first, count, 2) : NULL;
    quick->count = first;
    return fine && !(map && has_repeated_key(node));
}

static bool quick_value(struct quick *quick, struct tc_yaml *node)
{
    switch (here(quick)) {
    case '{': quick->at++; return quick_members(quick, node, '}');
    case '[': quick->at++; return quick_members(quick, node, ']');
    case '"': return quick_string(quick, node);
    default: return quick_word(quick, node);
    }
}

// Printable ASCII only: then columns are bytes, and no control character stands in a string.
static bool is_plain(tc_str text)
{
    bool plain = true;
    for (size_t i = 0; i < text.len; i++)
        plain = plain & (text.ptr[i] >= ' ') & (text.ptr[i] < 0x7f);
    return plain;
}

bool rules_quick_json(struct rules_line *line, struct tc_yaml *node)
{
    struct quick quick = {.line = line};
    tc_str text = tc_str_trim(line->text);
    if (text.ptr + text.len != line->text.ptr + line->text.len || !is_plain(text))
        return false;
    uint32_t *places = tc_arena_room(line->scratch, (line->text.len + 1) * sizeof *places);
    for (size_t i = 0; i <= line->text.len; i++)
        places[i] = (uint32_t)(line->start + i);
    line->places = places;
    skip_blanks(&quick);
    *node = new_node(&quick);
    return quick_value(&quick, node) && quick.at == line->text.len;
}
