// A file read watch by watch, so that a changed file costs what was changed in it.
//
// A line of a JSONL file is a piece, an item of a YAML file (cut.c) another. Where the pieces of a YAML file
// are not what the cut took them for it is read as a whole, which also words the mistakes.
//
// Each piece has a keyed fingerprint. The reading before kept them; a piece that it has, in the same
// context, is that watch. Pieces are looked for first behind the last one found, so that an edited file is
// compared once along its length; a table of all is made when one is not there.
#include <stdlib.h>

#include "common/mem.h"
#include "watcher/rules/parts.h"

struct tc_id rules_print(const struct rules_reader *reader, tc_str text)
{
    return tc_id_keyed(rules_key(reader->rules), text);
}

// ---- which were read before ----------------------------------------------------------------

static uint32_t place_of(struct tc_id print)
{
    uint32_t hash;
    memcpy(&hash, print.bytes, sizeof hash);
    return hash;
}

static void make_table(struct rules_before *before)
{
    uint32_t size = 2;
    while (size < 2 * before->count)
        size *= 2;
    before->mask = size - 1;
    before->table = tc_new(size * sizeof *before->table);
    for (size_t i = 0; i < before->count; i++) {
        uint32_t at = place_of(before->slots[i].print) & before->mask;
        while (before->table[at])
            at = (at + 1) & before->mask;
        before->table[at] = (uint32_t)i + 1;
    }
}

static const struct rules_slot *find_before(struct rules_before *before, struct tc_id print)
{
    if (before->next < before->count && tc_id_eq(before->slots[before->next].print, print))
        return &before->slots[before->next++];
    if (!before->count)
        return NULL;
    if (!before->table)
        make_table(before);
    for (uint32_t at = place_of(print) & before->mask; before->table[at];
         at = (at + 1) & before->mask) {
        size_t index = before->table[at] - 1;
        if (tc_id_eq(before->slots[index].print, print)) {
            before->next = index + 1;
            return &before->slots[index];
        }
    }
    return NULL;
}

void rules_before_done(struct rules_before *before)
{
    tc_free(before->table);
    *before = (struct rules_before){0};
}

void rules_compare(struct rules_reader *reader)
{
    const struct rules *before = rules_before(reader->rules);
    if (before && rules_count(before))
        reader->before =
            (struct rules_before){rules_slot_at(before, 0), rules_count(before), 0, NULL, 0};
}

const struct rules_slot *rules_known(struct rules_reader *reader, struct tc_id print)
{
    return reader->before.slots ? find_before(&reader->before, print) : NULL;
}

bool rules_take_over(struct rules_reader *reader, const struct rules_slot *old, int line)
{
    tc_str name = old->entry->watch.name;
    if (rules_names_find(&reader->names, reader->slots, name) || rules_find(reader->rules, name))
        return false; // read again, which says that it is there twice
    struct rules_slot slot = {old->entry, old->print, line, true};
    rules_add_slot(reader, slot);
    return true;
}

// ---- YAML in pieces ------------------------------------------------------------------------

enum { TOGETHER = 64 }; // pieces that are parsed at once: beginning costs as much as a few of them

struct pieces {
    struct tc_yaml_file *file;
    size_t head; // bytes above the first
    struct rules_piece *list;
    size_t count;
    struct tc_arena *scratch;
};

static tc_str text_of(const struct pieces *pieces, size_t index)
{
    return tc_str_cut(pieces->file->text, pieces->list[index].from, pieces->list[index].to);
}

// Whether the files of lists are what they were.
static bool same_includes(const struct rules_reader *reader, const struct rules_include *include)
{
    bool same = true;
    for (; include && same; include = include->next) {
        struct tc_buf text = {0};
        struct tc_err err;
        same = rules_read_bytes(include->path, TC_YAML_BYTES, &text, &err) == TC_OK &&
               tc_id_eq(rules_print(reader, tc_buf_view(&text)), include->print);
        tc_buf_done(&text);
    }
    return same;
}

// Takes over what stands above the watches from the set before, when it is the same there.
static bool take_head(struct rules_reader *reader, const struct pieces *pieces)
{
    const struct rules *older = rules_before(reader->rules);
    const struct rules_context *before = older ? rules_context_of(older) : NULL;
    reader->head = rules_print(reader, tc_str_cut(pieces->file->text, 0, pieces->head));
    if (!before || !tc_id_eq(before->head, reader->head) ||
        !same_includes(reader, before->includes))
        return false;
    reader->includes = before->includes;
    reader->namespace = before->namespace;
    reader->test_folder = before->test_folder;
    reader->lists = before->lists;
    reader->switched = before->switched;
    reader->defaults = before->defaults;
    reader->took_head = true;
    rules_compare(reader);
    return true;
}

static bool read_head(struct rules_reader *reader, const struct pieces *pieces)
{
    struct tc_yaml root;
    size_t from = tc_str_starts(pieces->file->text, TC_STR("\xef\xbb\xbf")) ? 3 : 0;
    bool fine = tc_yaml_part(pieces->file, from, pieces->head, 1, pieces->scratch, reader->diags,
                             &root) == TC_OK &&
                root.kind == TC_YAML_MAP;
    if (fine)
        rules_read_head(reader, &root);
    tc_arena_empty(pieces->scratch);
    return fine;
}

// Reads neighbouring pieces. False when they are not what the cut took them for.
static bool read_together(struct rules_reader *reader, const struct pieces *pieces, size_t first,
                          size_t count)
{
    const struct rules_piece *list = pieces->list + first;
    struct tc_yaml root;
    bool fine = tc_yaml_part(pieces->file, list[0].from, list[count - 1].to, list[0].line,
                             pieces->scratch, reader->diags, &root) == TC_OK &&
                root.kind == TC_YAML_LIST && root.count == count;
    for (size_t i = 0; fine && i < count; i++) {
        size_t had = reader->count;
        fine = root.items[i].line >= list[i].line &&
               (i + 1 == count || root.items[i].line < list[i + 1].line);
        if (fine)
            rules_read_watch(reader, &root.items[i]);
        if (reader->count > had)
            reader->slots[had].print = rules_print(reader, text_of(pieces, first + i));
    }
    tc_arena_empty(pieces->scratch);
    return fine;
}

static bool read_all(struct rules_reader *reader, const struct pieces *pieces)
{
    size_t first = 0; // of those that are to be read
    bool fine = take_head(reader, pieces) || read_head(reader, pieces);
    for (size_t i = 0; i < pieces->count && fine; i++) {
        const struct rules_slot *known =
            rules_known(reader, rules_print(reader, text_of(pieces, i)));
        if (i > first && (known || i - first == TOGETHER)) {
            fine = read_together(reader, pieces, first, i - first);
            first = i;
        }
        if (known && fine && rules_take_over(reader, known, pieces->list[i].line))
            first = i + 1;
    }
    return fine &&
           (first == pieces->count || read_together(reader, pieces, first, pieces->count - first));
}

// Reads with mistakes put aside, until it is known that the pieces are what they seem.
static bool try_pieces(struct rules_reader *reader, const struct pieces *pieces, bool at_any_rate)
{
    const struct rules_reader fresh = *reader;
    reader->diags = tc_diags_new();
    bool fine = read_all(reader, pieces);
    struct tc_diags *found = reader->diags;
    reader->diags = fresh.diags;
    if (fine || at_any_rate) {
        tc_diags_append(reader->diags, found);
    } else {
        rules_reader_done(reader);
        *reader = fresh;
    }
    tc_diags_free(found);
    return fine || at_any_rate;
}

bool rules_read_pieces(struct rules_reader *reader, tc_str text)
{
    struct pieces pieces = {0};
    if (!rules_cut(text, &pieces.head, &pieces.list, &pieces.count))
        return false;
    struct tc_arena *lines = tc_arena_new();
    pieces.scratch = tc_arena_new();
    pieces.file = tc_yaml_file_of(tc_str_of(reader->file), text, lines);
    // A file that is too large to be read as a whole has the mistakes that its pieces have.
    bool done = try_pieces(reader, &pieces, text.len > TC_YAML_BYTES);
    tc_free(pieces.list);
    tc_arena_free(pieces.scratch);
    tc_arena_free(lines);
    return done;
}
