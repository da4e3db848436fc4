#include "watcher/rules/rules.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/mem.h"
#include "watcher/rules/parts.h"

struct rules {
    atomic_uint references;
    struct tc_arena *arena; // everything that watches view
    struct text_settings settings;
    struct rules_dialect dialect;
    const struct rules_census *census; // NULL: none
    struct rules_entry *entries;
    size_t count, capacity;
    struct rules_names names;
};

struct rules *rules_new(const struct text_settings *settings)
{
    struct rules *rules = tc_new(sizeof *rules);
    atomic_init(&rules->references, 1);
    rules->arena = tc_arena_new();
    rules->settings = *settings;
    return rules;
}

void rules_drop(void *pointer)
{
    struct rules *rules = pointer;
    if (!rules || atomic_fetch_sub(&rules->references, 1) > 1)
        return;
    tc_arena_free(rules->arena);
    free(rules->entries);
    rules_names_done(&rules->names);
    free(rules);
}

void rules_read_as(struct rules *rules, const struct rules_dialect *dialect)
{
    rules->dialect = *dialect;
}

const struct rules_dialect *rules_dialect_of(const struct rules *rules)
{
    return &rules->dialect;
}

const struct rules_entry *rules_entry_at(const struct rules *rules, size_t index)
{
    return &rules->entries[index];
}

const struct text_settings *rules_text_settings(const struct rules *rules)
{
    return &rules->settings;
}

void rules_set_census(struct rules *rules, const struct rules_census *census)
{
    rules->census = census;
}

size_t rules_count(const struct rules *rules)
{
    return rules->count;
}

const struct watch *rules_watch(const struct rules *rules, size_t index)
{
    return &rules->entries[index].watch;
}

const char *rules_file_of(const struct rules *rules, size_t index)
{
    return rules->entries[index].file;
}

int rules_line_of(const struct rules *rules, size_t index)
{
    return rules->entries[index].line;
}

const struct rules_entry *rules_find(const struct rules *rules, tc_str name)
{
    return rules_names_find(&rules->names, rules->entries, name);
}

// ---- adding --------------------------------------------------------------------------------

static void keep(struct rules *rules, const struct rules_entry *entry)
{
    rules->entries =
        tc_room(rules->entries, rules->count, &rules->capacity, sizeof *rules->entries);
    rules->entries[rules->count] = *entry;
    rules_names_add(&rules->names, rules->entries, rules->count++);
}

// The file's name without folder and extension: the namespace when it names none.
static tc_str stem_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    return (tc_str){base, dot && dot > base ? (size_t)(dot - base) : strlen(base)};
}

struct rules_reader rules_reader_for(struct rules *rules, const char *path, struct tc_diags *diags)
{
    tc_str kept = tc_arena_str(rules->arena, tc_str_of(path));
    return (struct rules_reader){.rules = rules,
                                 .text = &rules->settings,
                                 .census = rules->census,
                                 .diags = diags,
                                 .arena = rules->arena,
                                 .file = kept.ptr,
                                 .defaults = {.lucene = rules->dialect.lucene},
                                 .namespace = tc_arena_str(rules->arena, stem_of(path)),
                                 .bulk = tc_str_ends(kept, TC_STR(".jsonl"))};
}

int rules_add_file(struct rules *rules, const char *path, struct tc_diags *diags)
{
    size_t errors = tc_diags_errors(diags);
    struct rules_reader reader = rules_reader_for(rules, path, diags);
    bool readable = reader.bulk ? rules_read_lines(&reader) : rules_read_yaml(&reader);
    bool fine = tc_diags_errors(diags) == errors;
    for (size_t i = 0; fine && i < reader.count; i++)
        keep(rules, &reader.entries[i]);
    rules_names_done(&reader.names);
    free(reader.entries);
    if (!readable)
        return TC_EIO;
    return fine ? TC_OK : TC_EPARSE;
}

int rules_add_query(struct rules *rules, tc_str query, struct tc_diags *diags)
{
    struct query_text_place text = {TC_STR("query"), query};
    struct query_place place = {.wrong = query_wrong_in_text, .diags = diags, .context = &text};
    struct rules_reader reader = {.rules = rules, .arena = rules->arena, .diags = diags};
    struct rules_entry entry = {.file = "query", .line = 1};
    struct rules_settings settings = {0};

    entry.watch.name = TC_STR("query");
    entry.watch.severity = TC_STR("info");
    if (rules->dialect.lucene)
        entry.watch.query = lucene_read(query, &rules->settings, &rules->dialect.options,
                                        rules->arena, &place, NULL);
    else
        entry.watch.query = query_read(query, &rules->settings, NULL, rules->arena, &place);
    if (!entry.watch.query)
        return TC_EPARSE;
    entry.watch.definition = rules_definition(&reader, &settings, &entry.watch);
    entry.watch.hash = tc_id_of_bytes(entry.watch.definition);
    keep(rules, &entry);
    return TC_OK;
}

int rules_matcher(struct rules *rules, struct matcher **out, struct tc_err *err)
{
    size_t count = 0;
    struct watch *running = tc_arena_take(rules->arena, (rules->count + 1) * sizeof *running);
    for (size_t i = 0; i < rules->count; i++) {
        enum watch_status status = rules->entries[i].watch.status;
        if (status == WATCH_LIVE || status == WATCH_SHADOW)
            running[count++] = rules->entries[i].watch;
    }
    atomic_fetch_add(&rules->references, 1);
    int code = matcher_new(running, count, rules_drop, rules, out, err);
    if (code != TC_OK)
        rules_drop(rules);
    return code;
}
