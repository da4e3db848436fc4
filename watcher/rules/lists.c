// Lists, and the files they are included from.
//
// First all files are read and all lists get their names, so that entries may speak of any list in
// any order; then entries are read; then a walk finds lists that hold themselves.
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "watcher/rules/parts.h"

struct found { // a list and what stands in its file
    struct query_list *list;
    const struct tc_yaml *key, *node;
    enum { UNSEEN, OPEN, DONE } state; // of the walk
};

struct gathering {
    struct rules_reader *reader;
    struct tc_arena *scratch; // included files live here until their entries are read
    struct found *found;
    size_t count, capacity;
    char **files; // real paths of what was read
    size_t file_count, file_capacity;
};

struct chain { // files that are being included, innermost first
    const char *path;
    const struct chain *outer;
};

static void gather(struct gathering *all, const struct tc_yaml *root, const struct chain *chain);

bool rules_is_ident(tc_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = c >= 'a' && c <= 'z';
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-' || c == '_')))
            return false;
    }
    return name.len > 0 && name.len <= QUERY_NAME_BYTES;
}

static void add_list(struct gathering *all, const struct tc_yaml *key, const struct tc_yaml *node)
{
    struct rules_reader *reader = all->reader;
    if (!rules_is_ident(key->text)) {
        tc_yaml_wrong(
            key, "E0117", reader->diags, NULL,
            "a list's name is made of a-z, 0-9, \"-\" and \"_\", and begins with a letter");
        return;
    }
    for (size_t i = 0; i < all->count; i++) {
        if (!tc_str_eq(all->found[i].list->name, key->text))
            continue;
        char help[300];
        snprintf(help, sizeof help, "the other one is in %.*s:%d",
                 TC_ARG(all->found[i].key->file->name), all->found[i].key->line);
        tc_yaml_wrong(key, "E0117", reader->diags, help, "list @%.*s is defined twice",
                      TC_ARG(key->text));
        return;
    }
    struct query_list *list = tc_arena_take(reader->arena, sizeof *list);
    list->name = tc_arena_str(reader->arena, key->text);
    list->line = key->line;
    all->found = tc_room(all->found, all->count, &all->capacity, sizeof *all->found);
    all->found[all->count++] = (struct found){.list = list, .key = key, .node = node};
}

// ---- included files ------------------------------------------------------------------------

static bool is_cycle(struct gathering *all, const struct tc_yaml *node, const char *path,
                     const struct chain *chain)
{
    for (const struct chain *link = chain; link; link = link->outer) {
        if (strcmp(link->path, path) != 0)
            continue;
        tc_yaml_wrong(node, "E0117", all->reader->diags, NULL,
                      "files include each other in a circle");
        return true;
    }
    return false;
}

static bool was_read(const struct gathering *all, const char *path)
{
    for (size_t i = 0; i < all->file_count; i++) {
        if (strcmp(all->files[i], path) == 0)
            return true;
    }
    return false;
}

static void remember(struct gathering *all, char *path)
{
    all->files = tc_room(all->files, all->file_count, &all->file_capacity, sizeof *all->files);
    all->files[all->file_count++] = path;
}

// For the next reading, to see whether anything has changed.
static void note_include(struct rules_reader *reader, tc_str path, tc_str text)
{
    struct rules_include *include = tc_arena_take(reader->arena, sizeof *include);
    include->path = tc_arena_str(reader->arena, path).ptr;
    include->print = rules_print(reader, text);
    include->next = reader->includes;
    reader->includes = include;
}

static void read_included(struct gathering *all, const char *name, char *real,
                          const struct chain *chain)
{
    static const char *const known[] = {"tocsin", "lists", "include", NULL};
    struct tc_yaml_file *file = NULL;
    struct chain link = {.path = real, .outer = chain};
    remember(all, real);
    tc_str kept = tc_arena_str(all->scratch, tc_str_of(name));
    tc_yaml_read(kept.ptr, all->scratch, all->reader->diags, &file);
    if (!file || file->text.len == 0 || !rules_is_map(all->reader, &file->root, "a file of lists"))
        return;
    tc_yaml_only(&file->root, known, all->reader->diags);
    note_include(all->reader, kept, file->text);
    gather(all, &file->root, &link);
}

static void include(struct gathering *all, const struct tc_yaml *node, const struct chain *chain)
{
    tc_str name = {0};
    if (!tc_yaml_str(node, &name, all->reader->diags))
        return;
    char *folder = tc_dup(node->file->name.ptr, node->file->name.len);
    tc_str path = name.len > 0 && name.ptr[0] == '/'
                      ? tc_arena_str(all->scratch, name)
                      : tc_arena_printf(all->scratch, "%s/%.*s", dirname(folder), TC_ARG(name));
    free(folder);
    char *real = realpath(path.ptr, NULL);
    if (!real) {
        tc_yaml_wrong(node, "E0117", all->reader->diags, NULL, "there is no file %.*s",
                      TC_ARG(path));
        return;
    }
    if (is_cycle(all, node, real, chain) || was_read(all, real)) {
        free(real);
        return;
    }
    if (all->file_count >= RULES_INCLUDES_MOST) {
        tc_yaml_wrong(node, "E0117", all->reader->diags, NULL, "at most %d files are included",
                      RULES_INCLUDES_MOST);
        free(real);
        return;
    }
    read_included(all, path.ptr, real, chain);
}

static void gather(struct gathering *all, const struct tc_yaml *root, const struct chain *chain)
{
    const struct tc_yaml *lists = tc_yaml_get(root, "lists");
    const struct tc_yaml *files = tc_yaml_get(root, "include");
    if (rules_is_map(all->reader, lists, "lists")) {
        for (size_t i = 0; i < lists->count; i++)
            add_list(all, &lists->keys[i], &lists->items[i]);
    }
    if (rules_is_list(all->reader, files, "include")) {
        for (size_t i = 0; i < files->count; i++)
            include(all, &files->items[i], chain);
    }
}

// ---- entries -------------------------------------------------------------------------------

// Words without any mark in a Vietnamese list were probably typed on a keyboard without them. One
// word alone may be a name, when it begins with a capital.
static void warn_of_missing_marks(struct rules_reader *reader, const struct tc_yaml *node)
{
    bool marks = false;
    for (size_t i = 0; i < node->text.len; i++)
        marks = marks || (unsigned char)node->text.ptr[i] >= 0x80;
    if (marks || node->text.len == 0 || node->text.ptr[0] == '=' || node->text.ptr[0] == '@' ||
        (!memchr(node->text.ptr, ' ', node->text.len) &&
         !(node->text.ptr[0] >= 'a' && node->text.ptr[0] <= 'z')))
        return;
    tc_yaml_wrong_span(node, 0, node->text.len, TC_DIAG_WARNING, "W0202", reader->diags,
                       TC_STR("tone marks distinguish words: write them"),
                       TC_STR("an entry without marks in a Vietnamese list"));
}

static void add_entries(struct rules_reader *reader, const struct tc_yaml *items, tc_str lang,
                        struct query_list_entry *entries, size_t *count)
{
    for (size_t i = 0; i < items->count; i++) {
        const struct tc_yaml *item = &items->items[i];
        struct query_node *node = rules_read_tree(reader, item);
        if (!node)
            continue;
        if (tc_str_eq(lang, TC_STR("vi")) && item->kind == TC_YAML_SCALAR)
            warn_of_missing_marks(reader, item);
        entries[(*count)++] = (struct query_list_entry){.lang = lang, .node = node};
    }
}

static bool is_language(tc_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 'a' || text.ptr[i] > 'z')
            return false;
    }
    return text.len == 2 || text.len == 3;
}

// Counts the entries; false when the list is not shaped as one.
static bool count_entries(struct rules_reader *reader, const struct found *found, size_t *count)
{
    const struct tc_yaml *node = found->node;
    *count = node->kind == TC_YAML_LIST ? node->count : 0;
    if (node->kind == TC_YAML_SCALAR) {
        tc_yaml_wrong(node, "E0117", reader->diags, NULL,
                      "a list holds entries: [a, b], or {en: [a], de: [b]}");
        return false;
    }
    for (size_t i = 0; node->kind == TC_YAML_MAP && i < node->count; i++) {
        const struct tc_yaml *key = &node->keys[i];
        if (!is_language(key->text)) {
            tc_yaml_wrong(key, "E0115", reader->diags, "en, de, vi ... or any for all of them",
                          "\"%.*s\" is no language", TC_ARG(key->text));
        }
        if (!rules_is_list(reader, &node->items[i], "the entries of a language"))
            return false;
        *count += node->items[i].count;
    }
    if (*count > QUERY_LIST_ENTRIES)
        tc_yaml_wrong(found->key, "E0117", reader->diags, NULL, "a list has at most %d entries",
                      QUERY_LIST_ENTRIES);
    else if (*count == 0)
        tc_yaml_wrong(found->key, "E0117", reader->diags, NULL, "a list without entries");
    return *count > 0 && *count <= QUERY_LIST_ENTRIES;
}

static void fill(struct rules_reader *reader, struct found *found)
{
    const struct tc_yaml *node = found->node;
    size_t most = 0, count = 0;
    if (!count_entries(reader, found, &most))
        return;
    struct query_list_entry *entries = tc_arena_take(reader->arena, most * sizeof *entries);
    if (node->kind == TC_YAML_LIST)
        add_entries(reader, node, (tc_str){0}, entries, &count);
    for (size_t i = 0; node->kind == TC_YAML_MAP && i < node->count; i++) {
        bool any = tc_str_eq(node->keys[i].text, TC_STR("any"));
        tc_str lang = any ? (tc_str){0} : tc_arena_str(reader->arena, node->keys[i].text);
        add_entries(reader, &node->items[i], lang, entries, &count);
    }
    found->list->entries = entries;
    found->list->count = count;
}

// ---- circles -------------------------------------------------------------------------------

static bool walk_list(struct gathering *all, struct found *found, int depth);

static bool walk_node(struct gathering *all, const struct query_node *node, int depth)
{
    for (size_t i = 0; node->op == QUERY_LIST && i < all->count; i++) {
        if (all->found[i].list == node->list && !walk_list(all, &all->found[i], depth + 1))
            return false;
    }
    for (size_t i = 0; i < node->child_count; i++) {
        if (!walk_node(all, node->children[i], depth))
            return false;
    }
    return true;
}

// False when the list holds itself, or lists nest too deep.
static bool walk_list(struct gathering *all, struct found *found, int depth)
{
    if (found->state == DONE)
        return true;
    if (found->state == OPEN || depth > QUERY_DEPTH) {
        tc_yaml_wrong(found->key, "E0117", all->reader->diags, NULL,
                      found->state == OPEN ? "list @%.*s holds itself"
                                           : "lists around @%.*s are nested too deep",
                      TC_ARG(found->list->name));
        found->list->count = 0; // so that nobody walks in circles later
        return false;
    }
    found->state = OPEN;
    bool fine = true;
    for (size_t i = 0; fine && i < found->list->count; i++)
        fine = walk_node(all, found->list->entries[i].node, depth);
    found->state = DONE;
    return fine;
}

void rules_read_lists(struct rules_reader *reader, const struct tc_yaml *root)
{
    struct gathering all = {.reader = reader, .scratch = tc_arena_new()};
    char *real = realpath(reader->file, NULL);
    struct chain chain = {.path = real ? real : reader->file};
    gather(&all, root, &chain);
    const struct query_list **lists =
        tc_arena_take(reader->arena, (all.count + 1) * sizeof(const struct query_list *));
    for (size_t i = 0; i < all.count; i++)
        lists[i] = all.found[i].list;
    reader->lists = (struct query_lists){.lists = lists, .count = all.count};
    for (size_t i = 0; i < all.count; i++)
        fill(reader, &all.found[i]);
    for (size_t i = 0; i < all.count; i++)
        walk_list(&all, &all.found[i], 0);
    for (size_t i = 0; i < all.file_count; i++)
        free(all.files[i]);
    free(all.files);
    free(all.found);
    free(real);
    tc_arena_free(all.scratch);
}
