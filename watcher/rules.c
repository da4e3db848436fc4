#include "watcher/rules.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/mem.h"
#include "watcher/rules_parts.h"

struct rules {
    atomic_uint references;
    struct tc_arena *arena; // everything that watches view
    struct text_settings settings;
    struct rules_entry *entries;
    size_t count, capacity;
    uint32_t *names;   // hash table of entry numbers from 1, 0 where free
    size_t name_slots; // a power of two, more than half of it free
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
    free(rules->names);
    free(rules);
}

struct tc_arena *rules_arena(struct rules *rules)
{
    return rules->arena;
}

size_t rules_entry_count(const struct rules *rules)
{
    return rules->count;
}

const struct rules_entry *rules_entry_at(const struct rules *rules, size_t index)
{
    return &rules->entries[index];
}

const struct text_settings *rules_text_settings(const struct rules *rules)
{
    return &rules->settings;
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

// ---- names ---------------------------------------------------------------------------------

// FNV-1a. Names come from files of the operator, not from outside.
static uint64_t hash_name(tc_str name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * UINT64_C(0x100000001b3);
    return hash;
}

// The slot that holds `name`, or the free one where it would go.
static size_t slot_of(const struct rules *rules, tc_str name)
{
    size_t slot = hash_name(name) & (rules->name_slots - 1);
    while (rules->names[slot] &&
           !tc_str_eq(rules->entries[rules->names[slot] - 1].watch.name, name))
        slot = (slot + 1) & (rules->name_slots - 1);
    return slot;
}

const struct rules_entry *rules_find(const struct rules *rules, tc_str name)
{
    if (rules->name_slots == 0)
        return NULL;
    uint32_t number = rules->names[slot_of(rules, name)];
    return number ? &rules->entries[number - 1] : NULL;
}

static void grow_names(struct rules *rules)
{
    free(rules->names);
    rules->name_slots = rules->name_slots ? rules->name_slots * 2 : 64;
    rules->names = tc_new(rules->name_slots * sizeof *rules->names);
    for (size_t i = 0; i < rules->count; i++)
        rules->names[slot_of(rules, rules->entries[i].watch.name)] = (uint32_t)i + 1;
}

static void keep(struct rules *rules, const struct rules_entry *entry)
{
    rules->entries =
        tc_room(rules->entries, rules->count, &rules->capacity, sizeof *rules->entries);
    rules->entries[rules->count++] = *entry;
    if (rules->count * 2 > rules->name_slots)
        grow_names(rules);
    else
        rules->names[slot_of(rules, entry->watch.name)] = (uint32_t)rules->count;
}

// ---- adding --------------------------------------------------------------------------------

// The file's name without folder and extension: the namespace when it names none.
static tc_str stem_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    return (tc_str){base, dot && dot > base ? (size_t)(dot - base) : strlen(base)};
}

int rules_add_file(struct rules *rules, const char *path, struct tc_diags *diags)
{
    size_t errors = tc_diags_errors(diags);
    tc_str kept = tc_arena_str(rules->arena, tc_str_of(path));
    struct rules_reader reader = {.rules = rules,
                                  .text = &rules->settings,
                                  .diags = diags,
                                  .arena = rules->arena,
                                  .file = kept.ptr};
    reader.namespace = tc_arena_str(rules->arena, stem_of(path));
    reader.bulk = tc_str_ends(kept, TC_STR(".jsonl"));
    bool readable = reader.bulk ? rules_read_lines(&reader) : rules_read_yaml(&reader);
    bool fine = tc_diags_errors(diags) == errors;
    for (size_t i = 0; fine && i < reader.count; i++)
        keep(rules, &reader.entries[i]);
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
