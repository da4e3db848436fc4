// A YAML tree to a page: entries with their places, then every comment to its entry.
//
// libyaml drops comments, so they are looked for in the bytes between scalars, where "#" behind white
// space cannot be anything else. A comment on a line of its own belongs to what follows it, unless it
// stands further right than that: then it ends what came before. A comment behind something belongs
// to the entry that ends there.
#include <stdlib.h>

#include "common/mem.h"
#include "common/utf8.h"
#include "watcher/rules/fmt.h"

struct gap { // a scalar in the file, which holds no comments
    size_t from, to;
};

struct reading {
    const struct tc_yaml_file *file;
    struct tc_arena *arena;
    struct fmt_entry **entries; // in the order of the file
    size_t count, capacity;
    struct gap *scalars; // in the order of the file
    size_t scalar_count, scalar_capacity;
};

void fmt_comments_add(struct fmt_comments *list, struct fmt_comment *comment)
{
    comment->next = NULL;
    if (list->last)
        list->last->next = comment;
    else
        list->first = comment;
    list->last = comment;
}

void fmt_comments_join(struct fmt_comments *list, struct fmt_comments *more)
{
    if (!more->first)
        return;
    if (list->last)
        list->last->next = more->first;
    else
        list->first = more->first;
    list->last = more->last;
    *more = (struct fmt_comments){0};
}

struct fmt_entry *fmt_get(const struct fmt_value *map, const char *key)
{
    for (size_t i = 0; map && map->kind == TC_YAML_MAP && i < map->count; i++) {
        if (tc_str_eq(map->entries[i].key, tc_str_of(key)))
            return &map->entries[i];
    }
    return NULL;
}

struct fmt_value fmt_new(struct tc_arena *arena, enum tc_yaml_kind kind, size_t count)
{
    struct fmt_value value = {.kind = kind, .count = count};
    value.entries = tc_arena_take(arena, (count + 1) * sizeof *value.entries);
    return value;
}

struct fmt_value fmt_scalar(tc_str text)
{
    return (struct fmt_value){.kind = TC_YAML_SCALAR, .text = text};
}

// ---- entries -------------------------------------------------------------------------------

static size_t byte_of(const struct tc_yaml_file *file, int line, int column)
{
    size_t at = file->line_starts[line - 1];
    for (int i = 1; i < column && at < file->text.len; i++)
        tc_utf8_next(file->text, &at);
    return at;
}

// The number of the line, from 1, that holds a byte.
static int line_of(const struct tc_yaml_file *file, size_t at)
{
    int low = 0, high = file->line_count;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (file->line_starts[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

static bool is_blank_line(const struct reading *reading, int line)
{
    const struct tc_yaml_file *file = reading->file;
    if (line < 1 || line >= file->line_count)
        return false;
    return tc_str_trim(tc_str_cut(file->text, file->line_starts[line - 1], file->line_starts[line]))
               .len == 0;
}

// Where the bytes of a scalar are: its quotes belong to it, the header of a block does not.
static struct gap scalar_gap(const struct reading *reading, const struct tc_yaml *node)
{
    tc_str text = reading->file->text;
    struct gap gap = {byte_of(reading->file, node->line, node->column), 0};
    gap.to = node->places[node->text.len] + node->quoted;
    if (node->block) {
        while (gap.from < text.len && text.ptr[gap.from] != '\n')
            gap.from++;
    }
    gap.to = gap.to < gap.from ? gap.from : gap.to;
    return gap;
}

static void note_scalar(struct reading *reading, const struct tc_yaml *node)
{
    reading->scalars = tc_room(reading->scalars, reading->scalar_count, &reading->scalar_capacity,
                               sizeof *reading->scalars);
    reading->scalars[reading->scalar_count++] = scalar_gap(reading, node);
}

static void note_entry(struct reading *reading, struct fmt_entry *entry)
{
    reading->entries =
        tc_room(reading->entries, reading->count, &reading->capacity, sizeof(struct fmt_entry *));
    reading->entries[reading->count++] = entry;
}

// Where the dash of an item is, when it stands on the item's line.
static int dash_column(const struct reading *reading, const struct tc_yaml *item)
{
    tc_str text = reading->file->text;
    size_t at = byte_of(reading->file, item->line, item->column), back = at;
    while (back > 0 && text.ptr[back - 1] == ' ')
        back--;
    bool dash = back > 0 && back < at && text.ptr[back - 1] == '-';
    return dash ? item->column - (int)(at - back + 1) : item->column;
}

static void build(struct reading *reading, const struct tc_yaml *node, struct fmt_entry *holder,
                  struct fmt_value *out);

static void build_entry(struct reading *reading, const struct tc_yaml *key,
                        const struct tc_yaml *value, struct fmt_entry *entry)
{
    const struct tc_yaml *first = key ? key : value;
    entry->line = first->line;
    entry->column = key ? key->column : dash_column(reading, value);
    entry->at = entry->end = byte_of(reading->file, first->line, first->column);
    note_entry(reading, entry);
    if (key) {
        entry->key = key->text;
        note_scalar(reading, key);
        entry->end = reading->scalars[reading->scalar_count - 1].to;
    }
    if (value->kind == TC_YAML_SCALAR) {
        note_scalar(reading, value);
        // the comment in a block's header stands before the block itself
        if (!value->block)
            entry->end = reading->scalars[reading->scalar_count - 1].to;
    }
    build(reading, value, entry, &entry->value);
}

static void build(struct reading *reading, const struct tc_yaml *node, struct fmt_entry *holder,
                  struct fmt_value *out)
{
    *out = fmt_new(reading->arena, node->kind, node->count);
    out->text = node->text;
    out->quoted = node->quoted;
    out->literal = node->block;
    for (size_t i = 0; i < node->count; i++) {
        out->entries[i].holder = holder;
        build_entry(reading, node->kind == TC_YAML_MAP ? &node->keys[i] : NULL, &node->items[i],
                    &out->entries[i]);
    }
}

// ---- comments ------------------------------------------------------------------------------

// The last entry that begins at or before a byte; `next` becomes the one after it.
static struct fmt_entry *entry_before(const struct reading *reading, size_t at,
                                      struct fmt_entry **next)
{
    size_t low = 0, high = reading->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reading->entries[middle]->at <= at)
            low = middle + 1;
        else
            high = middle;
    }
    *next = low < reading->count ? reading->entries[low] : NULL;
    return low > 0 ? reading->entries[low - 1] : NULL;
}

// A comment on a line of its own, in column `column`.
static void put_alone(struct fmt_page *page, struct fmt_comment *comment, int column,
                      struct fmt_entry *before, struct fmt_entry *next)
{
    int least = next ? next->column : 0;
    struct fmt_entry *ends = column > least ? before : NULL;
    while (ends && ends->column > column)
        ends = ends->holder;
    if (ends && ends->column > least && ends->holder)
        fmt_comments_add(&ends->after, comment);
    else
        fmt_comments_add(next ? &next->above : &page->tail, comment);
}

// A comment behind something: each bracket that closes between them is one level up.
static void put_behind(const struct reading *reading, struct fmt_page *page,
                       struct fmt_comment *comment, struct fmt_entry *entry)
{
    tc_str gap = tc_str_cut(reading->file->text, entry ? entry->end : 0, comment->at);
    int open = 0;
    for (size_t i = 0; entry && i < gap.len; i++) {
        char c = gap.ptr[i];
        if (c == '[' || c == '{')
            open++;
        else if ((c == ']' || c == '}') && open > 0)
            open--;
        else if (c == ']' || c == '}')
            entry = entry->holder ? entry->holder : entry;
    }
    fmt_comments_add(entry ? &entry->behind : &page->tail, comment);
}

static void put_comment(const struct reading *reading, struct fmt_page *page, size_t at, size_t to)
{
    tc_str text = reading->file->text;
    struct fmt_comment *comment = tc_arena_take(reading->arena, sizeof *comment);
    struct fmt_entry *next, *before = entry_before(reading, at, &next);
    size_t start = at;
    while (start > 0 && text.ptr[start - 1] != '\n')
        start--;
    comment->at = at;
    comment->text = tc_str_trim(tc_str_cut(text, at, to));
    comment->line = line_of(reading->file, at);
    comment->blank_above = is_blank_line(reading, comment->line - 1);
    comment->alone = true;
    for (size_t i = start; i < at; i++)
        comment->alone = comment->alone && (text.ptr[i] == ' ' || text.ptr[i] == '-');
    int column = (int)tc_utf8_count(tc_str_cut(text, start, at)) + 1;
    if (comment->alone)
        put_alone(page, comment, column, before, next);
    else
        put_behind(reading, page, comment, before);
}

static void find_comments(const struct reading *reading, struct fmt_page *page)
{
    tc_str text = reading->file->text;
    size_t scalar = 0;
    for (size_t i = 0; i < text.len; i++) {
        while (scalar < reading->scalar_count && reading->scalars[scalar].to <= i)
            scalar++;
        if (scalar < reading->scalar_count && reading->scalars[scalar].from <= i) {
            i = reading->scalars[scalar++].to - 1;
            continue;
        }
        if (text.ptr[i] != '#' || (i > 0 && !strchr(" \t\r\n", text.ptr[i - 1])))
            continue;
        size_t end = i;
        while (end < text.len && text.ptr[end] != '\n')
            end++;
        put_comment(reading, page, i, end);
        i = end;
    }
}

static void note_blanks(const struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        struct fmt_entry *entry = reading->entries[i];
        bool blank = is_blank_line(reading, entry->line - 1);
        entry->blank_below = entry->above.first && blank;
        entry->blank_above = entry->above.first ? entry->above.first->blank_above : blank;
    }
}

void fmt_read(const struct tc_yaml_file *file, struct tc_arena *arena, struct fmt_page *out)
{
    struct reading reading = {.file = file, .arena = arena};
    *out = (struct fmt_page){.arena = arena};
    build(&reading, &file->root, NULL, &out->root);
    find_comments(&reading, out);
    note_blanks(&reading);
    free(reading.entries);
    free(reading.scalars);
}
