// A YAML watch file, from its root to its watches.
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/utf8.h"
#include "watcher/rules/parts.h"

#define FILE_BYTES ((size_t)1024 * 1024 * 1024) // of one that is read in pieces

bool rules_is_name(tc_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return text.len > 0 && text.len <= RULES_NAME_BYTES;
}

bool rules_read_name(struct rules_reader *reader, const struct tc_yaml *node, const char *what,
                     tc_str *out)
{
    tc_str text = {0};
    if (!node || !tc_yaml_str(node, &text, reader->diags))
        return false;
    if (!rules_is_name(text)) {
        tc_yaml_wrong(node, "E0117", reader->diags, NULL,
                      "a %s is made of a-z, 0-9 and \"-\", at most %d of them", what,
                      RULES_NAME_BYTES);
        return false;
    }
    *out = tc_arena_str(reader->arena, text);
    return true;
}

int rules_one_of(struct rules_reader *reader, const struct tc_yaml *node, const char *what,
                 const char *const *words)
{
    tc_str text = {0};
    size_t count = 0;
    char help[160] = "write";
    if (!tc_yaml_str(node, &text, reader->diags))
        return -1;
    for (; words[count]; count++) {
        if (tc_str_eq(text, tc_str_of(words[count])))
            return (int)count;
        size_t len = strlen(help);
        snprintf(help + len, sizeof help - len, "%s %s", count ? " or" : "", words[count]);
    }
    tc_yaml_wrong(node, "E0117", reader->diags, help, "\"%.*s\" is no %s", TC_ARG(text), what);
    return -1;
}

bool rules_is_map(struct rules_reader *reader, const struct tc_yaml *map, const char *what)
{
    if (!map)
        return false;
    if (map->kind == TC_YAML_MAP)
        return true;
    tc_yaml_wrong(map, "E0117", reader->diags, NULL, "%s is a map of keys and values", what);
    return false;
}

void rules_only_keys(struct rules_reader *reader, const struct tc_yaml *map,
                     const char *const *known)
{
    static const char *const reserved[] = {"spike",       "absence", "mute",     "mutes", "digest",
                                           "quiet_hours", "silence", "silences", NULL};
    enum { KEYS_MOST = 32 };
    const char *all[KEYS_MOST + 1] = {NULL};
    size_t count = 0;
    for (size_t i = 0; known[i] && count < KEYS_MOST; i++)
        all[count++] = known[i];
    for (size_t i = 0; reserved[i] && count < KEYS_MOST; i++)
        all[count++] = reserved[i];
    tc_yaml_only(map, all, reader->diags);
    for (size_t i = 0; i < map->count; i++) {
        for (size_t k = 0; reserved[k]; k++) {
            if (tc_str_eq(map->keys[i].text, tc_str_of(reserved[k])))
                tc_yaml_wrong(&map->keys[i], "E0117", reader->diags, NULL,
                              "%s: is reserved for a later version", reserved[k]);
        }
    }
}

bool rules_is_list(struct rules_reader *reader, const struct tc_yaml *list, const char *what)
{
    if (!list)
        return false;
    if (list->kind == TC_YAML_LIST)
        return true;
    tc_yaml_wrong(list, "E0117", reader->diags, NULL, "%s is a list", what);
    return false;
}

static void read_version(struct rules_reader *reader, const struct tc_yaml *root)
{
    const struct tc_yaml *node = tc_yaml_get(root, "tocsin");
    if (!node)
        tc_yaml_wrong(root, "E0117", reader->diags, "write tocsin: 1 at its top",
                      "a watch file says which version of the format it has");
    else if (node->kind != TC_YAML_SCALAR || !tc_str_eq(node->text, TC_STR("1")))
        tc_yaml_wrong(node, "E0117", reader->diags, NULL, "this version reads format 1");
}

// Where tests find their files: test_files, relative to the watch file.
static void read_test_folder(struct rules_reader *reader, const struct tc_yaml *root)
{
    tc_str folder = {0};
    char *copy = tc_dup(reader->file, strlen(reader->file));
    const char *base = dirname(copy);
    tc_yaml_str(tc_yaml_get(root, "test_files"), &folder, reader->diags);
    if (folder.len > 0 && folder.ptr[0] == '/')
        reader->test_folder = tc_arena_str(reader->arena, folder);
    else if (folder.len > 0)
        reader->test_folder = tc_arena_printf(reader->arena, "%s/%.*s", base, TC_ARG(folder));
    else
        reader->test_folder = tc_arena_str(reader->arena, tc_str_of(base));
    free(copy);
}

static void read_defaults(struct rules_reader *reader, const struct tc_yaml *map)
{
    static const char *const known[] = {"renamed_from", "status", "expires", "labels",
                                        "annotations",  "where",  "dialect", "text",
                                        "alert",        NULL};
    static const char *const own[] = {"name", "match", "score", "tests"};
    if (!rules_is_map(reader, map, "defaults"))
        return;
    for (size_t i = 0; i < map->count; i++) {
        for (size_t k = 0; k < sizeof own / sizeof *own; k++) {
            if (tc_str_eq(map->keys[i].text, tc_str_of(own[k]))) {
                tc_yaml_wrong(&map->keys[i], "E0115", reader->diags, NULL,
                              "every watch has its own %s, so it cannot be a default", own[k]);
                return;
            }
        }
    }
    rules_only_keys(reader, map, known);
    rules_read_settings(reader, map, &reader->defaults);
}

void rules_read_head(struct rules_reader *reader, const struct tc_yaml *root)
{
    static const char *const known[] = {"tocsin",   "namespace", "test_files", "include",
                                        "defaults", "lists",     "watches",    NULL};
    if (!rules_is_map(reader, root, "a watch file"))
        return;
    rules_only_keys(reader, root, known);
    read_version(reader, root);
    const struct tc_yaml *namespace = tc_yaml_get(root, "namespace");
    if (namespace)
        rules_read_name(reader, namespace, "namespace", &reader->namespace);
    else if (!rules_is_name(reader->namespace))
        tc_yaml_wrong(root, "E0117", reader->diags, "write namespace: NAME",
                      "the file's name cannot be a namespace");
    read_test_folder(reader, root);
    read_defaults(reader, tc_yaml_get(root, "defaults"));
    rules_read_lists(reader, root);
}

void rules_read_root(struct rules_reader *reader, const struct tc_yaml *root, bool broken)
{
    if (!rules_is_map(reader, root, "a watch file"))
        return;
    rules_read_head(reader, root);
    const struct tc_yaml *watches = tc_yaml_get(root, "watches");
    if (rules_is_list(reader, watches, "watches")) {
        for (size_t i = 0; i < watches->count; i++) {
            reader->cut = broken && i + 1 == watches->count;
            rules_read_watch(reader, &watches->items[i]);
        }
    }
}

static bool read_whole(struct rules_reader *reader)
{
    struct tc_arena *scratch = tc_arena_new();
    struct tc_yaml_file *file = NULL;
    int code = tc_yaml_read(reader->file, scratch, reader->diags, &file);
    // An empty file is refused, so that one cut short while it was written takes no watches away.
    if (file && (code == TC_OK || file->root.count > 0))
        rules_read_root(reader, &file->root, code != TC_OK);
    tc_arena_free(scratch);
    return code != TC_EIO;
}

bool rules_read_yaml(struct rules_reader *reader)
{
    struct tc_buf text = {0};
    struct tc_err err;
    int code = rules_read_bytes(reader->file, FILE_BYTES, &text, &err);
    bool done = code == TC_OK && tc_utf8_valid(tc_buf_view(&text)) == text.len &&
                rules_read_pieces(reader, tc_buf_view(&text));
    tc_free(text.ptr);
    return done || read_whole(reader);
}
