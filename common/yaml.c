// From libyaml's events to a tree, noting every mistake on the way.
//
// libyaml accepts much that we refuse (aliases, tags, a key twice), so the tree is built from its
// events, where all of that is still visible. After one of these mistakes reading goes on; only a
// syntax error, a second document and too deep nesting end it. What was open then is closed, so
// that a caller always has a whole tree.
//
// libyaml counts places in characters. Its events come in the order of the file, so one spot walks
// along with them and knows the byte, the line and the column: the whole file is walked twice at
// most, whatever stands in it. Lines end at \n, as editors count them (YAML 1.1 has more breaks).
//
// Worst case: linear in the file, but for the keys of a map, which are sorted to find repeated
// ones. Nesting is bounded before libyaml has looked further than a simple key reaches (1 KiB).

#include "common/yaml_parts.h"

#include "common/buf.h"
#include "common/mem.h"
#include "common/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CODE "E0117"

// A place in the file, in every unit that somebody counts in.
struct spot {
    size_t character; // as libyaml counts them
    size_t byte;
    int line, column; // from 1
};

// A list or map that has begun and not ended.
struct open {
    struct tc_yaml node;
    size_t byte;  // where it began
    size_t first; // its children are reader.nodes[first..]
};

struct reader {
    struct tc_arena *arena;
    struct tc_diags *diags;
    struct tc_yaml_file *file;
    yaml_parser_t parser;
    struct tc_yaml *root;
    size_t body, end; // of the text, or of the part of it; behind a byte order mark
    int first_line;
    struct spot here;
    struct open open[TC_YAML_DEPTH];
    size_t depth;
    struct tc_yaml *nodes; // finished, waiting for their list or map to end
    size_t count, capacity;
    const struct tc_yaml **order; // scratch for sorting keys
    size_t order_capacity;
    size_t documents;
    int alias_line; // of the last alias: what follows it there is the same mistake
    bool stop;
};

static void mistake(struct reader *reader, size_t from, size_t to, tc_str help, const char *format,
                    ...) __attribute__((format(printf, 5, 6)));

static void mistake(struct reader *reader, size_t from, size_t to, tc_str help, const char *format,
                    ...)
{
    char message[TC_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct yaml_mistake added = {
        .code = CODE,
        .from = from,
        .to = to,
        .help = help,
        .message = tc_str_of(message),
    };
    yaml_mistake_add(reader->file, &added, reader->diags);
}

// --- places ---

static size_t character_bytes(char lead) // of valid UTF-8
{
    unsigned char byte = (unsigned char)lead;
    return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

// Moves a spot forward to libyaml's character `index`; a spot never moves back.
static void walk(const struct reader *reader, struct spot *spot, size_t index)
{
    tc_str text = reader->file->text;
    while (spot->character < index && spot->byte < text.len) {
        bool line_end = text.ptr[spot->byte] == '\n';
        spot->byte += character_bytes(text.ptr[spot->byte]);
        spot->line += line_end;
        spot->column = line_end ? 1 : spot->column + 1;
        spot->character++;
    }
}

static struct spot first_spot(const struct reader *reader)
{
    return (struct spot){.byte = reader->body, .line = reader->first_line, .column = 1};
}

static void find_lines(struct tc_yaml_file *file, struct tc_arena *arena)
{
    size_t count = 1, line = 1;
    const char *begin = file->text.ptr, *end = begin + file->text.len, *at = begin;
    while ((at = memchr(at, '\n', (size_t)(end - at)))) {
        count++;
        at++;
    }
    uint32_t *starts = tc_arena_take(arena, count * sizeof *starts);
    for (at = begin; (at = memchr(at, '\n', (size_t)(end - at)));)
        starts[line++] = (uint32_t)(++at - begin);
    file->line_starts = starts;
    file->line_count = (int)count;
}

// --- help for what YAML makes of a query ---

// What stands on a line before a value: `  - key: `.
struct lead {
    tc_str key;   // empty when there is none
    bool item;    // behind "- "
    tc_str value; // the rest of the line
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static struct lead read_lead(tc_str line)
{
    struct lead lead = {.value = tc_str_trim(line)};
    while (tc_str_starts(lead.value, TC_STR("- "))) {
        lead.item = true;
        lead.value = tc_str_trim(tc_str_cut(lead.value, 2, lead.value.len));
    }
    size_t word = 0;
    while (word < lead.value.len && is_word(lead.value.ptr[word]))
        word++;
    if (word && tc_str_starts(tc_str_cut(lead.value, word, lead.value.len), TC_STR(": "))) {
        lead.key = tc_str_cut(lead.value, 0, word);
        lead.value = tc_str_trim(tc_str_cut(lead.value, word + 2, lead.value.len));
    }
    return lead;
}

// Whether byte `at` of a line stands inside [...] or {...}, as far as that line shows.
static bool is_flow(tc_str line, size_t at)
{
    tc_str before = tc_str_cut(line, 0, at);
    return before.len &&
           (memchr(before.ptr, '{', before.len) || memchr(before.ptr, '[', before.len));
}

// What to write when the mistake at `byte` looks like text that YAML takes for something of its
// own (WATCH-LANGUAGE, "YAML traps"). Empty when it does not.
static tc_str text_help(struct reader *reader, size_t byte, bool is_colon)
{
    static const char specials[] = "@`*&!%\"'";
    if (tc_diags_errors(reader->diags) >= TC_DIAG_MOST)
        return (tc_str){"", 0}; // nobody will see it
    int number = yaml_line_of(reader->file, byte);
    size_t at = byte - reader->file->line_starts[number - 1];
    tc_str line = yaml_line(reader->file, number);
    struct lead lead = read_lead(line);
    bool flow = is_flow(line, at);
    const char *first = flow ? line.ptr + at : lead.value.ptr;
    if (line.len && line.ptr[0] == '\t')
        return TC_STR("indent with blanks: YAML does not take tabs there");
    bool special = (flow ? at < line.len : lead.value.len > 0) && strchr(specials, *first);
    if (!special && !(is_colon && lead.value.len))
        return (tc_str){"", 0};
    if (flow || !lead.key.len)
        return TC_STR("YAML reads some characters as its own; put the text between single quotes");
    if (tc_str_eq(lead.key, TC_STR("match")))
        return TC_STR("YAML reads some characters as its own; put the query in a block, "
                      "`match: |`, and the query on the next line");
    return tc_arena_printf(reader->arena,
                           "YAML reads some characters as its own; put the text in a block, "
                           "`%.*s: |`, or between single quotes",
                           TC_ARG(lead.key));
}

// --- scalars ---

static bool is_comment_next(tc_str text, size_t at)
{
    size_t from = at;
    while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t'))
        at++;
    return at > from && at < text.len && text.ptr[at] == '#';
}

static struct tc_yaml node_here(const struct reader *reader, enum tc_yaml_kind kind)
{
    return (struct tc_yaml){
        .kind = kind,
        .line = reader->here.line,
        .column = reader->here.column,
        .file = reader->file,
    };
}

// An empty scalar, in place of what cannot be one.
static struct tc_yaml empty_scalar(const struct reader *reader, int line, int column, size_t byte)
{
    uint32_t *places = tc_arena_take(reader->arena, sizeof *places);
    places[0] = (uint32_t)byte;
    return (struct tc_yaml){.kind = TC_YAML_SCALAR,
                            .line = line,
                            .column = column,
                            .text = {"", 0},
                            .file = reader->file,
                            .places = places};
}

static struct tc_yaml scalar(struct reader *reader, const yaml_event_t *event)
{
    tc_str value = {(const char *)event->data.scalar.value, event->data.scalar.length};
    yaml_scalar_style_t style = event->data.scalar.style;
    tc_str text = reader->file->text;
    size_t from = reader->here.byte;
    struct spot end = reader->here;
    walk(reader, &end, event->end_mark.index);

    struct tc_yaml node = node_here(reader, TC_YAML_SCALAR);
    node.text = tc_arena_str(reader->arena, value);
    node.quoted =
        style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    node.block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
    node.comment_behind =
        !node.quoted && !node.block && end.line == node.line && is_comment_next(text, end.byte);
    uint32_t *places = tc_arena_take(reader->arena, (value.len + 1) * sizeof *places);
    yaml_places(text, from, end.byte, style, value, places);
    node.places = places;
    return node;
}

// --- lists and maps ---

static void finish_node(struct reader *reader, struct tc_yaml node)
{
    if (reader->depth == 0) {
        *reader->root = node;
        return;
    }
    reader->nodes = tc_room(reader->nodes, reader->count, &reader->capacity, sizeof *reader->nodes);
    reader->nodes[reader->count++] = node;
}

// Whether the next node is the key of a map.
static bool at_key(const struct reader *reader)
{
    if (reader->depth == 0)
        return false;
    const struct open *open = &reader->open[reader->depth - 1];
    return open->node.kind == TC_YAML_MAP && (reader->count - open->first) % 2 == 0;
}

static void begin_collection(struct reader *reader, enum tc_yaml_kind kind)
{
    if (reader->depth == TC_YAML_DEPTH) {
        mistake(reader, reader->here.byte, reader->here.byte + 1, (tc_str){"", 0},
                "lists and maps are nested deeper than %d", TC_YAML_DEPTH);
        reader->stop = true;
        return;
    }
    reader->open[reader->depth++] =
        (struct open){node_here(reader, kind), reader->here.byte, reader->count};
}

static int by_text_then_place(const void *left, const void *right)
{
    const struct tc_yaml *a = *(const struct tc_yaml *const *)left;
    const struct tc_yaml *b = *(const struct tc_yaml *const *)right;
    int order = tc_str_cmp(a->text, b->text);
    return order ? order : (a > b) - (a < b); // keys of one array: the pointers are in file order
}

static void find_repeated_keys(struct reader *reader, const struct tc_yaml *map)
{
    if (map->count > reader->order_capacity) {
        reader->order_capacity = map->count;
        reader->order = tc_grow(reader->order, map->count, sizeof *reader->order);
    }
    for (size_t i = 0; i < map->count; i++)
        reader->order[i] = &map->keys[i];
    if (map->count > 1)
        qsort(reader->order, map->count, sizeof *reader->order, by_text_then_place);
    const struct tc_yaml *first = NULL;
    for (size_t i = 0; i < map->count; i++) {
        const struct tc_yaml *key = reader->order[i];
        if (first && tc_str_eq(first->text, key->text))
            tc_yaml_wrong(key, CODE, reader->diags, NULL,
                          "repeated key \"%.*s\", first given in line %d", TC_ARG(key->text),
                          first->line);
        else
            first = key;
    }
}

static struct tc_yaml *keep_nodes(struct reader *reader, size_t first, size_t count, size_t step)
{
    struct tc_yaml *kept = tc_arena_take(reader->arena, count * sizeof *kept);
    for (size_t i = 0; i < count; i++)
        kept[i] = reader->nodes[first + i * step];
    return kept;
}

// A list or map cannot be a key; an empty scalar takes its place, so that reading goes on.
static struct tc_yaml refuse_key(struct reader *reader, const struct open *open)
{
    mistake(reader, open->byte, open->byte + 1, (tc_str){"", 0},
            "a key must be plain text, not a %s", open->node.kind == TC_YAML_LIST ? "list" : "map");
    return empty_scalar(reader, open->node.line, open->node.column, open->byte);
}

static void end_collection(struct reader *reader)
{
    struct open *open = &reader->open[reader->depth - 1];
    struct tc_yaml node = open->node;
    size_t count = reader->count - open->first;
    if (node.kind == TC_YAML_MAP) {
        node.count = count / 2;
        node.keys = keep_nodes(reader, open->first, node.count, 2);
        node.items = keep_nodes(reader, open->first + 1, node.count, 2);
        find_repeated_keys(reader, &node);
    } else {
        node.count = count;
        node.items = keep_nodes(reader, open->first, count, 1);
    }
    reader->count = open->first;
    reader->depth--;
    finish_node(reader, at_key(reader) ? refuse_key(reader, open) : node);
}

// --- what YAML can do and we refuse ---

static size_t word_end(tc_str text, size_t at)
{
    while (at < text.len && !strchr(" \t\r\n,]}", text.ptr[at]))
        at++;
    return at;
}

static void alias(struct reader *reader)
{
    size_t from = reader->here.byte;
    reader->alias_line = reader->here.line;
    mistake(reader, from, word_end(reader->file->text, from), text_help(reader, from, false),
            "aliases (*name) are not used here");
    finish_node(reader, empty_scalar(reader, reader->here.line, reader->here.column, from));
}

static void refuse_properties(struct reader *reader, const yaml_char_t *anchor,
                              const yaml_char_t *tag, bool bare_tag)
{
    size_t from = reader->here.byte, to = word_end(reader->file->text, from);
    if (anchor)
        mistake(reader, from, to, text_help(reader, from, false),
                "anchors (&name) are not used here");
    if (tag || bare_tag)
        mistake(reader, from, to, text_help(reader, from, false), "tags (!name) are not used here");
}

static void begin_document(struct reader *reader)
{
    if (reader->documents++ == 0)
        return;
    mistake(reader, reader->here.byte, reader->here.byte + 3, (tc_str){"", 0},
            "a file holds one document; a second one begins here");
    reader->stop = true;
}

static void take_event(struct reader *reader, const yaml_event_t *event)
{
    walk(reader, &reader->here, event->start_mark.index);
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT: begin_document(reader); break;
    case YAML_ALIAS_EVENT: alias(reader); break;
    case YAML_SCALAR_EVENT:
        refuse_properties(reader, event->data.scalar.anchor, event->data.scalar.tag,
                          event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                              !event->data.scalar.plain_implicit);
        finish_node(reader, scalar(reader, event));
        break;
    case YAML_SEQUENCE_START_EVENT:
        refuse_properties(reader, event->data.sequence_start.anchor, event->data.sequence_start.tag,
                          false);
        begin_collection(reader, TC_YAML_LIST);
        break;
    case YAML_MAPPING_START_EVENT:
        refuse_properties(reader, event->data.mapping_start.anchor, event->data.mapping_start.tag,
                          false);
        begin_collection(reader, TC_YAML_MAP);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: end_collection(reader); break;
    case YAML_STREAM_END_EVENT: reader->stop = true; break;
    default: break;
    }
}

// --- the reading itself ---

// The character that YAML allows in no file: libyaml gives its byte, and no line.
static void unreadable(struct reader *reader)
{
    size_t byte = reader->body + reader->parser.problem_offset;
    mistake(reader, byte, byte + 1, (tc_str){"", 0}, "character U+%04X is not allowed",
            (unsigned)reader->parser.problem_value);
}

static void syntax_error(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_READER_ERROR) {
        unreadable(reader);
        return;
    }
    struct spot spot = first_spot(reader), begun = spot;
    walk(reader, &spot, parser->problem_mark.index);
    if (spot.line == reader->alias_line)
        return; // the alias is the mistake
    const char *problem = parser->problem ? parser->problem : "memory ran out";
    const char *context = parser->context ? parser->context : "";
    if (*context)
        walk(reader, &begun, parser->context_mark.index);
    // What is still open at the end of the file is shown where it was opened.
    if (*context && spot.byte == reader->end)
        spot = begun;
    bool colon = strcmp(problem, "mapping values are not allowed in this context") == 0;
    char since[40] = "";
    if (*context && begun.line != spot.line)
        snprintf(since, sizeof since, " (begun in line %d)", begun.line);
    mistake(reader, spot.byte, spot.byte + 1, text_help(reader, spot.byte, colon), "%s%s%s%s",
            context, since, *context ? ": " : "", problem);
}

// Closes what a mistake left open. A key without its value is left out.
static void close_all(struct reader *reader)
{
    while (reader->depth > 0)
        end_collection(reader);
}

static void read_events(struct reader *reader)
{
    tc_str body = tc_str_cut(reader->file->text, reader->body, reader->end);
    if (!yaml_parser_initialize(&reader->parser)) {
        mistake(reader, 0, 0, (tc_str){"", 0}, "memory ran out");
        return;
    }
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)body.ptr, body.len);
    while (!reader->stop) {
        yaml_event_t event;
        if (yaml_parser_parse(&reader->parser, &event)) {
            take_event(reader, &event);
            yaml_event_delete(&event);
        } else {
            syntax_error(reader);
            reader->stop = true;
        }
    }
    close_all(reader);
    yaml_parser_delete(&reader->parser);
}

static void read_part(struct reader *reader, int line)
{
    reader->first_line = line;
    reader->here = first_spot(reader);
    read_events(reader);
    free(reader->nodes);
    free(reader->order);
}

// The door: size and encoding. False when there is nothing to parse.
static bool is_text(struct reader *reader)
{
    tc_str text = reader->file->text;
    size_t valid = tc_utf8_valid(text);
    if (valid == text.len)
        return true;
    mistake(reader, valid, valid + 1, (tc_str){"", 0}, "the file is not UTF-8 here (byte 0x%02x)",
            (unsigned)(unsigned char)text.ptr[valid]);
    return false;
}

static void refuse_file(tc_str name, struct tc_diags *diags, tc_str message)
{
    struct tc_diag diag = {.code = CODE, .file = name, .width = 1, .message = message};
    tc_diags_add(diags, &diag);
}

static struct tc_yaml_file *new_file(tc_str name, struct tc_arena *arena)
{
    struct tc_yaml_file *file = tc_arena_take(arena, sizeof *file);
    file->name = tc_arena_str(arena, name);
    file->text = (tc_str){"", 0};
    file->root = (struct tc_yaml){.kind = TC_YAML_MAP, .line = 1, .column = 1, .file = file};
    return file;
}

int tc_yaml_read_text(tc_str name, tc_str text, struct tc_arena *arena, struct tc_diags *diags,
                      struct tc_yaml_file **out)
{
    size_t errors = tc_diags_errors(diags);
    struct tc_yaml_file *file = new_file(name, arena);
    struct reader reader = {.arena = arena, .diags = diags, .file = file, .root = &file->root};
    bool fits = text.len <= TC_YAML_BYTES;
    file->text = tc_arena_str(arena, fits ? text : (tc_str){"", 0});
    find_lines(file, arena);
    if (!fits)
        refuse_file(file->name, diags,
                    tc_arena_printf(arena, "the file is larger than %d MiB", TC_YAML_BYTES >> 20));
    else if (is_text(&reader)) {
        reader.body = tc_str_starts(file->text, TC_STR("\xef\xbb\xbf")) ? 3 : 0;
        reader.end = file->text.len;
        read_part(&reader, 1);
    }
    // An empty file, or "---" alone, is a map without keys.
    if (file->root.kind == TC_YAML_SCALAR && !file->root.text.len && !file->root.quoted)
        file->root = (struct tc_yaml){.kind = TC_YAML_MAP, .line = 1, .column = 1, .file = file};
    *out = file;
    return tc_diags_errors(diags) > errors ? TC_EPARSE : TC_OK;
}

struct tc_yaml_file *tc_yaml_file_of(tc_str name, tc_str text, struct tc_arena *arena)
{
    struct tc_yaml_file *file = new_file(name, arena);
    file->text = text;
    find_lines(file, arena);
    return file;
}

int tc_yaml_part(struct tc_yaml_file *file, size_t from, size_t to, int line,
                 struct tc_arena *arena, struct tc_diags *diags, struct tc_yaml *root)
{
    size_t errors = tc_diags_errors(diags);
    struct reader reader = {.arena = arena, .diags = diags, .file = file, .root = root};
    *root = (struct tc_yaml){.kind = TC_YAML_MAP, .line = line, .column = 1, .file = file};
    reader.body = from;
    reader.end = to;
    read_part(&reader, line);
    return tc_diags_errors(diags) > errors ? TC_EPARSE : TC_OK;
}

// The whole file, up to one byte more than is allowed. False with errno set.
static bool read_whole(const char *name, struct tc_buf *out)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = 0;
    do {
        char *to = tc_buf_reserve(out, 64 * 1024);
        got = to ? read(fd, to, 64 * 1024) : -1;
        if (got > 0)
            out->len += (size_t)got;
    } while ((got > 0 && out->len <= TC_YAML_BYTES) || (got < 0 && errno == EINTR));
    int reason = errno;
    close(fd);
    errno = reason;
    return got >= 0;
}

int tc_yaml_read(const char *name, struct tc_arena *arena, struct tc_diags *diags,
                 struct tc_yaml_file **out)
{
    struct tc_buf text = {0};
    int code = TC_OK;
    if (read_whole(name, &text)) {
        code = tc_yaml_read_text(tc_str_of(name), tc_buf_view(&text), arena, diags, out);
    } else {
        code = TC_EIO;
        *out = NULL;
        refuse_file(tc_str_of(name), diags,
                    tc_arena_printf(arena, "the file cannot be read: %s", strerror(errno)));
    }
    tc_buf_done(&text);
    return code;
}
