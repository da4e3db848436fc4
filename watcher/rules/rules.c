#include "watcher/rules/rules.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "watcher/match/expressions.h"
#include "watcher/rules/parts.h"

// Beyond these, or when more than half of what was read is in force no more, a set is read anew.
enum { READINGS_MOST = 1000, WASTE_LEAST = 10 * 1000 };

struct rules {
    struct rules_memory *memory; // everything that watches view
    struct text_settings settings;
    struct rules_dialect dialect;
    const struct rules_census *census; // NULL: none
    struct tc_id key;                  // of prints
    const struct rules *before;        // what the next file builds on; NULL: nothing
    struct rules_slot *slots;
    size_t count, capacity, shared;
    size_t expressions; // that watches which run ask for, each time
    struct rules_names names;
    struct rules_context context; // of the last file that was added
};

struct rules *rules_new(const struct text_settings *settings)
{
    struct rules *rules = tc_new(sizeof *rules);
    rules->memory = rules_memory_new();
    rules->settings = *settings;
    rules->key = tc_id_random();
    return rules;
}

void rules_drop(struct rules *rules)
{
    if (!rules)
        return;
    rules_memory_drop(rules->memory);
    tc_free(rules->slots);
    rules_names_done(&rules->names);
    free(rules);
}

struct rules_memory *rules_memory(const struct rules *rules)
{
    return rules->memory;
}

void rules_build_on(struct rules *rules, const struct rules *before)
{
    struct rules_memory *older = before->memory;
    if (older->depth == READINGS_MOST || older->watches > 2 * before->count + WASTE_LEAST)
        return;
    rules->before = before;
    rules->key = before->key;
}

void rules_read_as(struct rules *rules, const struct rules_dialect *dialect)
{
    rules->dialect = *dialect;
}

const struct rules_dialect *rules_dialect_of(const struct rules *rules)
{
    return &rules->dialect;
}

const struct rules_slot *rules_slot_at(const struct rules *rules, size_t index)
{
    return &rules->slots[index];
}

const struct rules *rules_before(const struct rules *rules)
{
    return rules->before;
}

const struct rules_context *rules_context_of(const struct rules *rules)
{
    return &rules->context;
}

struct tc_id rules_key(const struct rules *rules)
{
    return rules->key;
}

size_t rules_shared(const struct rules *rules)
{
    return rules->shared;
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
    return &rules->slots[index].entry->watch;
}

const char *rules_file_of(const struct rules *rules, size_t index)
{
    return rules->slots[index].entry->file;
}

int rules_line_of(const struct rules *rules, size_t index)
{
    return rules->slots[index].line;
}

const struct rules_slot *rules_find(const struct rules *rules, tc_str name)
{
    return rules_names_find(&rules->names, rules->slots, name);
}

void rules_each_include(const struct rules *rules, void (*tell)(void *context, const char *path),
                        void *context)
{
    for (const struct rules_include *at = rules->context.includes; at; at = at->next)
        tell(context, at->path);
}

// ---- adding --------------------------------------------------------------------------------

static bool runs(const struct watch *watch)
{
    return watch->status == WATCH_LIVE || watch->status == WATCH_SHADOW;
}

const struct rules_entry *rules_entry_new(struct rules_reader *reader,
                                          const struct rules_entry *entry)
{
    struct rules_entry *kept = tc_arena_take(reader->arena, sizeof *kept);
    *kept = *entry;
    return kept;
}

void rules_add_slot(struct rules_reader *reader, struct rules_slot slot)
{
    reader->slots = tc_room(reader->slots, reader->count, &reader->capacity, sizeof *reader->slots);
    reader->slots[reader->count] = slot;
    rules_names_add(&reader->names, reader->slots, reader->count++);
    reader->expressions += runs(&slot.entry->watch) ? slot.entry->watch.expressions : 0;
}

static void keep(struct rules *rules, const struct rules_slot *slot)
{
    rules->slots = tc_room(rules->slots, rules->count, &rules->capacity, sizeof *rules->slots);
    rules->slots[rules->count] = *slot;
    rules_names_add(&rules->names, rules->slots, rules->count++);
}

// What was read, into the set. The first file hands over its whole arrays.
static void keep_all(struct rules *rules, struct rules_reader *reader)
{
    if (rules->count) {
        for (size_t i = 0; i < reader->count; i++)
            keep(rules, &reader->slots[i]);
        return;
    }
    tc_free(rules->slots);
    rules_names_done(&rules->names);
    rules->slots = reader->slots;
    rules->count = reader->count;
    rules->capacity = reader->capacity;
    rules->names = reader->names;
    reader->slots = NULL;
    reader->names = (struct rules_names){0};
}

// Holds what is shared, and keeps what the next reading has to compare with.
static void remember(struct rules *rules, const struct rules_reader *reader)
{
    rules->expressions += reader->expressions;
    for (size_t i = 0; i < rules->count; i++)
        rules->shared += rules->slots[i].shared;
    rules->memory->watches = rules->count - rules->shared;
    if (rules->shared || reader->took_head) {
        struct rules_memory *older = rules->before->memory;
        rules->memory->older = rules_memory_hold(older);
        rules->memory->depth = older->depth + 1;
        rules->memory->watches += older->watches;
    }
    rules->context = (struct rules_context){
        .head = reader->head,
        .includes = reader->includes,
        .namespace = reader->namespace,
        .test_folder = reader->test_folder,
        .lists = reader->lists,
        .switched = reader->switched,
        .defaults = reader->defaults,
    };
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
    tc_str kept = tc_arena_str(rules->memory->arena, tc_str_of(path));
    return (struct rules_reader){.rules = rules,
                                 .text = &rules->settings,
                                 .census = rules->census,
                                 .diags = diags,
                                 .arena = rules->memory->arena,
                                 .file = kept.ptr,
                                 .defaults = {.lucene = rules->dialect.lucene},
                                 .namespace = tc_arena_str(rules->memory->arena, stem_of(path)),
                                 .bulk = tc_str_ends(kept, TC_STR(".jsonl"))};
}

void rules_reader_done(struct rules_reader *reader)
{
    rules_names_done(&reader->names);
    rules_before_done(&reader->before);
    tc_buf_done(&reader->definition);
    tc_buf_done(&reader->query);
    tc_free(reader->slots);
    reader->slots = NULL;
}

// ---- regular expressions -------------------------------------------------------------------

// The first of the watches with which there are too many; `count` when there is none.
static size_t first_beyond(const struct rules_slot *slots, size_t count,
                           struct expressions_tally *tally)
{
    size_t i = 0;
    while (i < count && (!runs(&slots[i].entry->watch) ||
                         expressions_tally_add(tally, &slots[i].entry->watch) <= EXPRESSIONS_MOST))
        i++;
    return i;
}

static void too_many(const struct rules_slot *slot, struct tc_diags *diags)
{
    char message[TC_ERR_TEXT_BYTES];
    snprintf(message, sizeof message,
             "watch \"%.*s\": with it all watches have more than %d different regular expressions",
             TC_ARG(slot->entry->watch.name), EXPRESSIONS_MOST);
    tc_diags_add(diags, &(struct tc_diag){.severity = TC_DIAG_ERROR,
                                          .code = "E0117",
                                          .file = tc_str_of(slot->entry->file),
                                          .line = slot->line,
                                          .column = 1,
                                          .width = 1,
                                          .message = tc_str_of(message),
                                          .help = TC_STR("join some of them: /(?:one|other)/")});
}

// How many are asked for is known at once; that some are the same is looked at only where it counts.
static void check_expressions(const struct rules *rules, const struct rules_reader *reader)
{
    struct expressions_tally tally = {0};
    if (rules->expressions + reader->expressions <= EXPRESSIONS_MOST)
        return;
    first_beyond(rules->slots, rules->count, &tally);
    size_t at = first_beyond(reader->slots, reader->count, &tally);
    if (at < reader->count)
        too_many(&reader->slots[at], reader->diags);
    expressions_tally_done(&tally);
}

size_t rules_expressions(const struct rules *rules)
{
    return rules->expressions;
}

bool rules_tally(const struct rules *rules, struct expressions_tally *tally, struct tc_diags *diags)
{
    size_t at = first_beyond(rules->slots, rules->count, tally);
    if (at < rules->count)
        too_many(&rules->slots[at], diags);
    return at == rules->count;
}

int rules_add_file(struct rules *rules, const char *path, struct tc_diags *diags)
{
    size_t errors = tc_diags_errors(diags);
    struct rules_reader reader = rules_reader_for(rules, path, diags);
    bool readable = reader.bulk ? rules_read_lines(&reader) : rules_read_yaml(&reader);
    if (tc_diags_errors(diags) == errors)
        check_expressions(rules, &reader);
    bool fine = tc_diags_errors(diags) == errors;
    if (fine) {
        keep_all(rules, &reader);
        remember(rules, &reader);
    }
    rules->before = NULL;
    rules_reader_done(&reader);
    if (!readable)
        return TC_EIO;
    return fine ? TC_OK : TC_EPARSE;
}

int rules_add_query(struct rules *rules, tc_str query, struct tc_diags *diags)
{
    struct query_text_place text = {TC_STR("query"), query};
    struct query_place place = {.wrong = query_wrong_in_text, .diags = diags, .context = &text};
    struct rules_reader reader = {.rules = rules, .arena = rules->memory->arena, .diags = diags};
    struct rules_entry entry = {.file = "query"};
    struct rules_settings settings = {0};

    entry.watch.name = TC_STR("query");
    entry.watch.severity = TC_STR("info");
    if (rules->dialect.lucene)
        entry.watch.query = lucene_read(query, &rules->settings, &rules->dialect.options,
                                        rules->memory->arena, &place, NULL);
    else
        entry.watch.query = query_read(query, &rules->settings, NULL, rules->memory->arena, &place);
    if (!entry.watch.query)
        return TC_EPARSE;
    rules_define(&reader, &settings, &entry.watch);
    rules_reader_done(&reader);
    keep(rules, &(struct rules_slot){.entry = rules_entry_new(&reader, &entry), .line = 1});
    return TC_OK;
}

int rules_matcher(struct rules *rules, struct matcher **out, struct tc_err *err)
{
    size_t count = 0;
    const struct watch **running =
        tc_arena_room(rules->memory->arena, (rules->count + 1) * sizeof(const struct watch *));
    for (size_t i = 0; i < rules->count; i++) {
        const struct watch *watch = &rules->slots[i].entry->watch;
        if (runs(watch))
            running[count++] = watch;
    }
    struct rules_memory *memory = rules_memory_hold(rules->memory);
    int code = matcher_new_of(running, count, NULL, NULL, rules_memory_drop, memory, out, err);
    if (code != TC_OK)
        rules_memory_drop(memory);
    return code;
}
