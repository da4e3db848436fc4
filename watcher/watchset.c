#include "watcher/watchset.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/mem.h"
#include "watcher/lastgood.h"
#include "watcher/match/expressions.h"
#include "watcher/rules/rules.h"

// One file that was read without error. Counted by the sets that show it.
struct version {
    size_t holders;
    struct rules *rules;
    int64_t since_wall_ns;
};

struct file {
    char *path;
    struct version *version; // NULL: nothing of it is in force
    char *why;               // why it is stale, NULL when it is not
    bool twice;              // a watch of it is in an earlier file
};

struct watchset {
    struct text_settings text;
    struct file *files;
    size_t count, capacity;
    struct layers *layers; // NULL: no watches
    bool changed;          // from the set before
};

// Where versions of a file are found that are not on its place.
struct past {
    const struct text_settings *text;
    const struct watchset *before;
    tc_str kept;
};

// What the watches of a list view.
struct holding {
    struct rules_memory **memories;
    size_t count;
};

static struct version *version_hold(struct version *version)
{
    if (version)
        version->holders++;
    return version;
}

static void version_drop(struct version *version)
{
    if (!version || --version->holders)
        return;
    rules_drop(version->rules);
    free(version);
}

void watchset_free(struct watchset *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++) {
        version_drop(set->files[i].version);
        free(set->files[i].path);
        free(set->files[i].why);
    }
    layers_drop(set->layers);
    free(set->files);
    free(set);
}

// ---- which files --------------------------------------------------------------------------

static bool has_file(const struct watchset *set, const char *path)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->files[i].path, path) == 0)
            return true;
    }
    return false;
}

static void say(struct tc_diags *diags, enum tc_severity severity, tc_str file, const char *message)
{
    tc_diags_add(diags, &(struct tc_diag){
                            .severity = severity, .file = file, .message = tc_str_of(message)});
}

// A pattern that names nothing is a warning, a plain name that is not there a mistake (of the
// reader, when it opens it).
static void add_glob(struct watchset *set, tc_str pattern, struct tc_diags *diags)
{
    glob_t found = {0};
    bool plain = strpbrk(pattern.ptr, "*?[") == NULL;
    glob(pattern.ptr, plain ? GLOB_NOCHECK : 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        if (has_file(set, path))
            continue;
        set->files = tc_room(set->files, set->count, &set->capacity, sizeof *set->files);
        set->files[set->count++] = (struct file){.path = tc_dup(path, strlen(path))};
    }
    if (found.gl_pathc == 0)
        say(diags, TC_DIAG_WARNING, pattern, "no watch file is called so");
    globfree(&found);
}

// ---- one file -----------------------------------------------------------------------------

static void tell_failed(void *context, const struct rules_result *result)
{
    struct tc_diags *diags = context;
    char message[TC_ERR_TEXT_BYTES];
    if (result->outcome != RULES_FAIL)
        return;
    snprintf(message, sizeof message, "test failed: %.*s, %.*s: %.*s", TC_ARG(result->watch),
             TC_ARG(result->name), TC_ARG(result->detail));
    tc_diags_add(diags, &(struct tc_diag){.severity = TC_DIAG_ERROR,
                                          .code = "E0301",
                                          .file = tc_str_of(result->file),
                                          .line = result->line,
                                          .column = 1,
                                          .width = 1,
                                          .message = tc_str_of(message)});
}

static struct version *version_new(struct rules *rules, int64_t since_wall_ns)
{
    struct version *version = tc_new(sizeof *version);
    version->holders = 1;
    version->rules = rules;
    version->since_wall_ns = since_wall_ns;
    return version;
}

// Reads a file, as far as it is not as it was `before`, and runs the tests of what it read. NULL when it
// has mistakes.
static struct version *read_version(const char *path, const struct text_settings *text,
                                    const struct version *before, struct tc_diags *diags)
{
    int64_t now = tc_wall_ns();
    struct rules *rules = rules_new(text);
    if (before)
        rules_build_on(rules, before->rules);
    bool good = rules_add_file(rules, path, diags) == TC_OK;
    if (good && rules_test(rules, NULL, tell_failed, diags) == 0)
        return version_new(rules, now);
    rules_drop(rules);
    return NULL;
}

// Reads a copy of a file that was good once; its tests passed then. `like` (NULL: nothing) is what it probably is,
// and costs little to find again. NULL when it cannot be read.
static struct rules *read_copy(const char *path, const struct text_settings *text,
                               const struct rules *like)
{
    struct tc_diags *diags = tc_diags_new();
    struct rules *rules = rules_new(text);
    if (like)
        rules_build_on(rules, like);
    if (rules_add_file(rules, path, diags) != TC_OK) {
        rules_drop(rules);
        rules = NULL;
    }
    tc_diags_free(diags);
    return rules;
}

static bool same_watches(const struct rules *a, const struct rules *b)
{
    bool same = rules_count(a) == rules_count(b);
    for (size_t i = 0; same && i < rules_count(a); i++) {
        const struct watch *left = rules_watch(a, i), *right = rules_watch(b, i);
        same = left == right || tc_id_eq(left->hash, right->hash);
    }
    return same;
}

static struct version *version_before(const struct watchset *before, const char *path)
{
    for (size_t i = 0; before && i < before->count; i++) {
        if (strcmp(before->files[i].path, path) == 0)
            return before->files[i].version;
    }
    return NULL;
}

static struct version *version_kept(const struct past *past, const char *path)
{
    struct tc_arena *arena = tc_arena_new();
    struct version *version = NULL;
    struct stat info;
    tc_str copy = past->kept.len ? lastgood_find(past->kept, path, arena) : past->kept;
    struct rules *rules = copy.len ? read_copy(copy.ptr, past->text, NULL) : NULL;
    if (rules && stat(copy.ptr, &info) == 0)
        version = version_new(rules, info.st_mtim.tv_sec * TC_SECOND + info.st_mtim.tv_nsec);
    else
        rules_drop(rules);
    tc_arena_free(arena);
    return version;
}

// The version that stays in force when a file is broken. NULL when there is none.
static struct version *last_good(const struct past *past, const char *path)
{
    struct version *version = version_hold(version_before(past->before, path));
    return version ? version : version_kept(past, path);
}

// The first error about `path` that was added behind `from`, as the file's reason.
static char *reason_of(const struct tc_diags *diags, size_t from, const char *path)
{
    for (size_t i = from; i < tc_diags_count(diags); i++) {
        const struct tc_diag *diag = tc_diags_at(diags, i);
        char text[TC_ERR_TEXT_BYTES];
        if (diag->severity != TC_DIAG_ERROR)
            continue;
        int len = snprintf(text, sizeof text, "%.*s:%d:%d: %.*s", TC_ARG(diag->file), diag->line,
                           diag->column, TC_ARG(diag->message));
        return tc_dup(text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
    }
    return tc_dup(path, strlen(path));
}

static void read_file(struct file *file, const struct past *past, struct tc_diags *diags)
{
    size_t from = tc_diags_count(diags);
    struct version *before = version_before(past->before, file->path);
    file->version = read_version(file->path, past->text, before, diags);
    if (!file->version) {
        file->why = reason_of(diags, from, file->path);
        file->version = last_good(past, file->path);
    } else if (before && same_watches(before->rules, file->version->rules)) {
        version_drop(file->version); // nothing changed: one version of it is enough
        file->version = version_hold(before);
    }
}

// ---- all files ----------------------------------------------------------------------------

// A watch that is in two files. Names are unique inside each, so one file alone is not looked at.
struct clash {
    tc_str name;
    size_t earlier, later; // files
};

struct names { // of all watches so far, as a table; the numbers are from 1, 0 is free
    struct name {
        tc_str name;
        size_t file;
    } * list;
    uint32_t *slots, mask;
    size_t count;
};

static size_t count_all(const struct watchset *set, size_t *files)
{
    size_t total = 0;
    *files = 0;
    for (size_t i = 0; i < set->count; i++) {
        total += set->files[i].version ? rules_count(set->files[i].version->rules) : 0;
        *files += set->files[i].version != NULL;
    }
    return total;
}

// The file that has the name already; adds it for `file` when there is none, and gives that.
static size_t name_file(struct names *names, tc_str name, size_t file)
{
    uint32_t at = tc_crc32(0, name) & names->mask;
    for (; names->slots[at]; at = (at + 1) & names->mask) {
        const struct name *other = &names->list[names->slots[at] - 1];
        if (tc_str_eq(other->name, name))
            return other->file;
    }
    names->list[names->count] = (struct name){name, file};
    names->slots[at] = (uint32_t)++names->count;
    return file;
}

// The first clash of every file that has one. The caller frees.
static struct clash *find_clashes(const struct watchset *set, size_t *count)
{
    struct clash *clashes = tc_new((set->count + 1) * sizeof *clashes);
    size_t files, total = count_all(set, &files);
    struct names names = {.mask = 1};
    *count = 0;
    if (files < 2)
        return clashes;
    while (names.mask < 2 * total)
        names.mask = 2 * names.mask + 1;
    names.list = tc_new((total + 1) * sizeof *names.list);
    names.slots = tc_new((names.mask + (size_t)1) * sizeof *names.slots);
    for (size_t i = 0; i < set->count; i++) {
        const struct version *version = set->files[i].version;
        bool clashed = false;
        for (size_t j = 0; version && j < rules_count(version->rules); j++) {
            tc_str name = rules_watch(version->rules, j)->name;
            size_t earlier = name_file(&names, name, i);
            if (earlier != i && !clashed)
                clashes[(*count)++] = (struct clash){name, earlier, i};
            clashed = clashed || earlier != i;
        }
    }
    free(names.list);
    free(names.slots);
    return clashes;
}

// Refuses each later file that has a watch of an earlier one: one mistake for each.
static void refuse_twice(struct watchset *set, struct tc_diags *diags)
{
    size_t count = 0;
    struct clash *clashes = find_clashes(set, &count);
    for (size_t i = 0; i < count; i++) {
        struct file *file = &set->files[clashes[i].later];
        char message[TC_ERR_TEXT_BYTES];
        free(file->why); // of an older version
        snprintf(message, sizeof message, "watch %.*s is in %s already", TC_ARG(clashes[i].name),
                 set->files[clashes[i].earlier].path);
        say(diags, TC_DIAG_ERROR, tc_str_of(file->path), message);
        file->why = tc_dup(message, strlen(message));
        file->twice = true;
    }
    free(clashes);
}

// A file whose older version has a watch that another has now, NULL when there is none. Of two, the stale
// one gives way: the other is what somebody wrote.
static struct file *in_the_way(struct watchset *set)
{
    size_t count = 0;
    struct clash *clashes = find_clashes(set, &count);
    struct file *found = NULL;
    if (count) {
        struct file *later = &set->files[clashes[0].later];
        found = later->why ? later : &set->files[clashes[0].earlier];
    }
    free(clashes);
    return found;
}

// Refused files fall back to their last good versions, as far as these are not in the way.
static void settle_twice(struct watchset *set, const struct past *past, struct tc_diags *diags)
{
    struct file *file = NULL;
    refuse_twice(set, diags);
    for (size_t i = 0; i < set->count; i++) {
        if (!set->files[i].twice)
            continue;
        version_drop(set->files[i].version);
        set->files[i].version = last_good(past, set->files[i].path);
    }
    while ((file = in_the_way(set))) {
        version_drop(file->version);
        file->version = NULL;
    }
}

static void holding_drop(void *context)
{
    struct holding *holding = context;
    for (size_t i = 0; i < holding->count; i++)
        rules_memory_drop(holding->memories[i]);
    free(holding->memories);
    free(holding);
}

// The watches that run, in load order.
static struct watch_list *list_all(const struct watchset *set)
{
    struct holding *holding = tc_new(sizeof *holding);
    size_t count = 0, files, total = count_all(set, &files);
    const struct watch **watches = tc_grow(NULL, total + 1, sizeof(const struct watch *));
    holding->memories = tc_new((files + 1) * sizeof(struct rules_memory *));
    for (size_t i = 0; i < set->count; i++) {
        const struct version *version = set->files[i].version;
        for (size_t j = 0; version && j < rules_count(version->rules); j++) {
            const struct watch *watch = rules_watch(version->rules, j);
            if (watch->status == WATCH_LIVE || watch->status == WATCH_SHADOW)
                watches[count++] = watch;
        }
        if (version)
            holding->memories[holding->count++] = rules_memory_hold(rules_memory(version->rules));
    }
    return watch_list_new(watches, count, holding_drop, holding);
}

static bool same_file(const struct file *a, const struct file *b)
{
    bool same_why = a->why && b->why ? strcmp(a->why, b->why) == 0 : a->why == b->why;
    return strcmp(a->path, b->path) == 0 && a->version == b->version && same_why;
}

static bool differs(const struct watchset *set, const struct watchset *before)
{
    bool same = before && set->count == before->count;
    for (size_t i = 0; same && i < set->count; i++)
        same = same_file(&set->files[i], &before->files[i]);
    return !same;
}

// Lays the watches that run over what is compiled of the set before.
static int compile(struct watchset *set, const struct watchset *before, const struct counts *counts,
                   struct tc_err *err)
{
    struct layers *older = before ? before->layers : NULL;
    set->changed = differs(set, before);
    if (!set->changed) {
        set->layers = older ? layers_hold(older) : NULL;
        return TC_OK;
    }
    struct watch_list *list = list_all(set);
    int code = TC_OK;
    if (watch_list_count(list))
        code = layers_new(older ? layers_base(older) : NULL, list, counts, &set->layers, err);
    watch_list_drop(list);
    return code;
}

// Whether something is broken that never was good.
static bool any_lost(const struct watchset *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->files[i].why && !set->files[i].version)
            return true;
    }
    return false;
}

// Refuses the whole when all files together have too many regular expressions.
static int count_expressions(const struct watchset *set, struct tc_diags *diags, struct tc_err *err)
{
    struct expressions_tally tally = {0};
    size_t most = 0;
    bool fit = true;
    for (size_t i = 0; i < set->count; i++)
        most += set->files[i].version ? rules_expressions(set->files[i].version->rules) : 0;
    for (size_t i = 0; i < set->count && most > EXPRESSIONS_MOST && fit; i++)
        fit = !set->files[i].version || rules_tally(set->files[i].version->rules, &tally, diags);
    expressions_tally_done(&tally);
    if (fit)
        return TC_OK;
    const struct tc_diag *said = tc_diags_at(diags, tc_diags_count(diags) - 1);
    return tc_fail_at(err, TC_EPARSE, said->file.ptr, said->line, said->column, "%.*s",
                      TC_ARG(said->message));
}

int watchset_load(const tc_str *globs, size_t count, const struct text_settings *text,
                  const struct watchset *before, tc_str kept, const struct counts *counts,
                  struct tc_diags *diags, struct watchset **out, struct tc_err *err)
{
    struct watchset *set = tc_new(sizeof *set);
    const struct past past = {text, before, kept};
    int code = TC_OK;
    set->text = *text;
    for (size_t i = 0; i < count; i++)
        add_glob(set, globs[i], diags);
    for (size_t i = 0; i < set->count; i++)
        read_file(&set->files[i], &past, diags);
    settle_twice(set, &past, diags);
    if (!before && any_lost(set))
        code = tc_diags_result(diags, err);
    if (code == TC_OK)
        code = count_expressions(set, diags, err);
    if (code == TC_OK)
        code = compile(set, before, counts, err);
    if (code == TC_OK)
        *out = set;
    else
        watchset_free(set);
    return code;
}

// ---- remembering --------------------------------------------------------------------------

struct watchset_memo {
    struct text_settings text;
    tc_str kept;
    char *path;
    struct version *version;
};

struct watchset_memo *watchset_memo_new(const struct watchset *set, size_t index, tc_str kept)
{
    const struct file *file = &set->files[index];
    if (file->why || !file->version)
        return NULL;
    struct watchset_memo *memo = tc_new(sizeof *memo);
    memo->text = set->text;
    memo->kept = kept;
    memo->path = tc_dup(file->path, strlen(file->path));
    memo->version = version_hold(file->version);
    return memo;
}

void watchset_memo_free(struct watchset_memo *memo)
{
    if (!memo)
        return;
    version_drop(memo->version);
    free(memo->path);
    free(memo);
}

static bool reads_the_same(void *context, const char *copy)
{
    const struct watchset_memo *memo = context;
    struct rules *rules = read_copy(copy, &memo->text, memo->version->rules);
    bool same = rules && same_watches(rules, memo->version->rules);
    rules_drop(rules);
    return same;
}

int watchset_memo_write(const struct watchset_memo *memo, struct tc_err *err)
{
    return lastgood_keep(memo->kept, memo->path, memo->version->since_wall_ns, reads_the_same,
                         (void *)(uintptr_t)memo, err);
}

// ---- looking ------------------------------------------------------------------------------

struct layers *watchset_layers(const struct watchset *set)
{
    return set->layers;
}

void watchset_each_path(const struct watchset *set, void (*tell)(void *context, const char *path),
                        void *context)
{
    for (size_t i = 0; i < set->count; i++) {
        tell(context, set->files[i].path);
        if (set->files[i].version)
            rules_each_include(set->files[i].version->rules, tell, context);
    }
}

void watchset_relay(struct watchset *set, struct layers *layers)
{
    layers_drop(set->layers);
    set->layers = layers;
}

bool watchset_changed(const struct watchset *set)
{
    return set->changed;
}

size_t watchset_watches(const struct watchset *set)
{
    return set->layers ? layers_count(set->layers) : 0;
}

size_t watchset_count(const struct watchset *set)
{
    return set->count;
}

struct watchset_file watchset_file(const struct watchset *set, size_t index)
{
    const struct file *file = &set->files[index];
    return (struct watchset_file){
        .path = tc_str_of(file->path),
        .watches = file->version ? rules_count(file->version->rules) : 0,
        .since_wall_ns = file->version ? file->version->since_wall_ns : 0,
        .stale = file->why != NULL,
        .why = file->why,
    };
}

size_t watchset_stale(const struct watchset *set)
{
    size_t stale = 0;
    for (size_t i = 0; i < set->count; i++)
        stale += set->files[i].why != NULL;
    return stale;
}
