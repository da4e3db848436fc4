// A JSONL watch file: one watch a line, the same keys as in YAML, lists not available.
//
// Each line becomes the tree that the YAML reader would give, in an arena that is emptied after it,
// so one builder serves both. Lines that need it go through jansson, which keeps no places; they are found again by looking for the string
// in the line, which costs little beside parsing it.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/utf8.h"
#include "watcher/rules/parts.h"

enum { LINE_BYTES = 1024 * 1024 };
#define LINES_BYTES ((size_t)INT32_MAX) // places are 32 bits

// ---- places --------------------------------------------------------------------------------

// Reads one escape behind a backslash at `at`; gives how many bytes of the decoded text it stands for.
static size_t skip_escape(tc_str line, size_t *at, tc_str text, size_t done)
{
    size_t next = done;
    bool high = *at + 5 < line.len && line.ptr[*at + 1] == 'u' &&
                (line.ptr[*at + 2] == 'd' || line.ptr[*at + 2] == 'D') &&
                strchr("89abAB", line.ptr[*at + 3]);
    *at += *at + 1 < line.len && line.ptr[*at + 1] == 'u' ? (high ? 12 : 6) : 2;
    if (done < text.len)
        tc_utf8_next(text, &next);
    return next - done;
}

// Whether the string literal behind the quote at `quote` is `text`; fills its places then.
static bool literal_is(const struct rules_line *line, size_t quote, tc_str text, uint32_t *places,
                       size_t *end)
{
    size_t at = quote + 1, done = 0;
    while (at < line->text.len && line->text.ptr[at] != '"') {
        size_t from = at, bytes = 1;
        if (line->text.ptr[at] == '\\')
            bytes = skip_escape(line->text, &at, text, done);
        else if (done >= text.len || text.ptr[done] != line->text.ptr[at++])
            return false;
        for (size_t i = 0; i < bytes && done < text.len; i++)
            places[done++] = (uint32_t)(line->start + from);
    }
    places[done] = (uint32_t)(line->start + at);
    *end = at + 1;
    return done == text.len;
}

static uint32_t *find_places(struct rules_line *line, tc_str text, size_t *where)
{
    uint32_t *places = tc_arena_take(line->scratch, (text.len + 1) * sizeof *places);
    size_t at = line->at, end = 0;
    while (at < line->text.len) {
        if (line->text.ptr[at] != '"') {
            at++;
            continue;
        }
        if (literal_is(line, at, text, places, &end)) {
            line->at = end;
            *where = at;
            return places;
        }
        for (at++; at < line->text.len && line->text.ptr[at] != '"'; at++)
            at += line->text.ptr[at] == '\\';
        at++;
    }
    for (size_t i = 0; i <= text.len; i++)
        places[i] = (uint32_t)line->start;
    *where = 0;
    return places;
}

// ---- JSON to the tree ----------------------------------------------------------------------

static void convert(struct rules_line *line, json_t *value, struct tc_yaml *node);

static void convert_text(struct rules_line *line, tc_str text, bool quoted, struct tc_yaml *node)
{
    size_t where = 0;
    node->kind = TC_YAML_SCALAR;
    node->text = text;
    node->quoted = quoted;
    if (quoted) {
        node->places = find_places(line, text, &where);
    } else { // numbers and words: the line is place enough
        uint32_t *places = tc_arena_take(line->scratch, (text.len + 1) * sizeof *places);
        for (size_t i = 0; i <= text.len; i++)
            places[i] = (uint32_t)(line->start + line->at);
        node->places = places;
        where = line->at;
    }
    node->column = (int)tc_utf8_count(tc_str_cut(line->text, 0, where)) + 1;
}

static void convert_object(struct rules_line *line, json_t *object, struct tc_yaml *node)
{
    const char *key;
    json_t *value;
    size_t i = 0, count = json_object_size(object);
    node->kind = TC_YAML_MAP;
    node->count = count;
    node->keys = tc_arena_take(line->scratch, (count + 1) * sizeof *node->keys);
    node->items = tc_arena_take(line->scratch, (count + 1) * sizeof *node->items);
    json_object_foreach (object, key, value) {
        node->keys[i].file = line->file;
        node->keys[i].line = line->number;
        convert_text(line, tc_arena_str(line->scratch, tc_str_of(key)), true, &node->keys[i]);
        convert(line, value, &node->items[i++]);
    }
}

static void convert_number(struct rules_line *line, json_t *value, struct tc_yaml *node)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    convert_text(line, tc_arena_str(line->scratch, tc_str_of(text)), false, node);
    free(text);
}

static void convert(struct rules_line *line, json_t *value, struct tc_yaml *node)
{
    node->file = line->file;
    node->line = line->number;
    node->column = (int)tc_utf8_count(tc_str_cut(line->text, 0, line->at)) + 1;
    switch (json_typeof(value)) {
    case JSON_OBJECT: convert_object(line, value, node); break;
    case JSON_ARRAY:
        node->kind = TC_YAML_LIST;
        node->count = json_array_size(value);
        node->items = tc_arena_take(line->scratch, (node->count + 1) * sizeof *node->items);
        for (size_t i = 0; i < node->count; i++)
            convert(line, json_array_get(value, i), &node->items[i]);
        break;
    case JSON_STRING:
        convert_text(line, (tc_str){json_string_value(value), json_string_length(value)}, true,
                     node);
        break;
    default: convert_number(line, value, node); break;
    }
}

// ---- lines ---------------------------------------------------------------------------------

static void wrong_line(struct rules_reader *reader, const struct rules_line *line,
                       const char *message)
{
    struct tc_diag diag = {
        .severity = TC_DIAG_ERROR, .code = "E0117", .line = line->number, .column = 1, .width = 1};
    diag.file = tc_str_of(reader->file);
    diag.message = tc_str_of(message);
    diag.source = tc_utf8_cut(line->text, 200);
    tc_diags_add(reader->diags, &diag);
}

// The map without its `namespace`, which is for this file's kind only.
static void take_namespace(struct rules_reader *reader, struct tc_yaml *map)
{
    for (size_t i = 0; i < map->count; i++) {
        if (!tc_str_eq(map->keys[i].text, TC_STR("namespace")))
            continue;
        rules_read_name(reader, &map->items[i], "namespace", &reader->namespace);
        map->count--;
        map->keys[i] = map->keys[map->count];
        map->items[i] = map->items[map->count];
        return;
    }
    if (!rules_is_name(reader->namespace))
        tc_yaml_wrong(map, "E0117", reader->diags, "add \"namespace\": \"NAME\"",
                      "the file's name cannot be a namespace");
}

static void read_tree(struct rules_reader *reader, struct tc_yaml *map)
{
    tc_str stem = reader->namespace;
    if (rules_is_map(reader, map, "a watch")) {
        take_namespace(reader, map);
        rules_read_watch(reader, map);
    }
    reader->namespace = stem;
}

static void read_line(struct rules_reader *reader, struct rules_line *line)
{
    struct json_t *value = NULL;
    struct tc_err err;
    struct tc_yaml map = {0};
    if (line->text.len > LINE_BYTES) {
        wrong_line(reader, line, "a line has at most 1 MiB");
    } else if (rules_quick_json(line, &map)) {
        read_tree(reader, &map);
    } else if (tc_json_read(line->text, &value, &err) != TC_OK) {
        wrong_line(reader, line, err.text);
    } else {
        map = (struct tc_yaml){0};
        convert(line, value, &map);
        read_tree(reader, &map);
        json_decref(value);
    }
}

static void take_line(struct rules_reader *reader, struct rules_line *line)
{
    struct tc_id print = rules_print(reader, line->text);
    const struct rules_slot *known = rules_known(reader, print);
    size_t had = reader->count;
    if (known && rules_take_over(reader, known, line->number))
        return;
    read_line(reader, line);
    if (reader->count > had)
        reader->slots[had].print = print;
    tc_arena_empty(line->scratch);
}

static void read_all_lines(struct rules_reader *reader, tc_str text)
{
    struct tc_arena *arena = tc_arena_new();
    struct rules_line line = {.scratch = tc_arena_new(),
                              .file = tc_yaml_file_of(tc_str_of(reader->file), text, arena)};
    tc_str rest = text;
    while (tc_str_next(&rest, '\n', &line.text)) {
        line.start = (size_t)(line.text.ptr - text.ptr);
        line.at = 0;
        line.number++;
        if (tc_str_trim(line.text).len > 0)
            take_line(reader, &line);
    }
    free(line.nodes);
    tc_arena_free(line.scratch);
    tc_arena_free(arena);
}

static void wrong_file(struct rules_reader *reader, const char *message)
{
    struct tc_diag diag = {.severity = TC_DIAG_ERROR, .code = "E0117"};
    diag.file = tc_str_of(reader->file);
    diag.message = tc_str_of(message);
    tc_diags_add(reader->diags, &diag);
}

bool rules_read_lines(struct rules_reader *reader)
{
    struct tc_buf text = {0};
    struct tc_err err;
    int code = rules_read_bytes(reader->file, LINES_BYTES, &text, &err);
    if (code != TC_OK) {
        wrong_file(reader, err.text);
    } else if (tc_utf8_valid(tc_buf_view(&text)) < text.len) {
        wrong_file(reader, "the file is not UTF-8");
    } else {
        rules_compare(reader); // there is no context
        read_all_lines(reader, tc_buf_view(&text));
    }
    tc_free(text.ptr);
    return code == TC_OK || code == TC_EFULL;
}
