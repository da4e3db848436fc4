#include "watcher/watchset.h"

#include <glob.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/mem.h"
#include "watcher/lastgood.h"
#include "watcher/rules/rules.h"

// One file that was read without error. Held by the sets that show it and by the matchers that
// were made of it.
struct version {
    atomic_size_t holders;
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
    struct matcher *matcher;
    size_t watches;
};

// Where versions of a file are found that are not on its place.
struct past {
    const struct text_settings *text;
    const struct watchset *before;
    tc_str kept;
};

// What a matcher holds until it is gone.
struct holding {
    struct watch *watches;
    struct version **versions;
    size_t count;
};

static struct version *version_hold(struct version *version)
{
    if (version)
        atomic_fetch_add(&version->holders, 1);
    return version;
}

static void version_drop(struct version *version)
{
    if (!version || atomic_fetch_sub(&version->holders, 1) != 1)
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
    matcher_drop(set->matcher);
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
    atomic_init(&version->holders, 1);
    version->rules = rules;
    version->since_wall_ns = since_wall_ns;
    return version;
}

// Reads a file and runs its tests. NULL when it has mistakes.
static struct version *read_version(const char *path, const struct text_settings *text,
                                    struct tc_diags *diags)
{
    int64_t now = tc_wall_ns();
    struct rules *rules = rules_new(text);
    bool good = rules_add_file(rules, path, diags) == TC_OK;
    if (good && rules_test(rules, NULL, tell_failed, diags) == 0)
        return version_new(rules, now);
    rules_drop(rules);
    return NULL;
}

// Reads a copy of a file that was good once; its tests passed then. NULL when it cannot be read.
static struct rules *read_copy(const char *path, const struct text_settings *text)
{
    struct tc_diags *diags = tc_diags_new();
    struct rules *rules = rules_new(text);
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
    for (size_t i = 0; same && i < rules_count(a); i++)
        same = tc_id_eq(rules_watch(a, i)->hash, rules_watch(b, i)->hash);
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
    struct rules *rules = copy.len ? read_copy(copy.ptr, past->text) : NULL;
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
    file->version = read_version(file->path, past->text, diags);
    if (!file->version) {
        file->why = reason_of(diags, from, file->path);
        file->version = last_good(past, file->path);
    } else if (before && same_watches(before->rules, file->version->rules)) {
        version_drop(file->version); // nothing changed: one version of it is enough
        file->version = version_hold(before);
    }
}

// ---- all files ----------------------------------------------------------------------------

struct name { // of a watch, for finding it twice
    tc_str name;
    size_t file;
};

static int by_name(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    int order = tc_str_cmp(left->name, right->name);
    return order ? order : (left->file > right->file) - (left->file < right->file);
}

static size_t count_all(const struct watchset *set)
{
    size_t total = 0;
    for (size_t i = 0; i < set->count; i++)
        total += set->files[i].version ? rules_count(set->files[i].version->rules) : 0;
    return total;
}

// All names of watches with their files, sorted. The caller frees.
static struct name *all_names(const struct watchset *set, size_t *count)
{
    struct name *names = tc_new((count_all(set) + 1) * sizeof *names);
    *count = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct version *version = set->files[i].version;
        for (size_t j = 0; version && j < rules_count(version->rules); j++)
            names[(*count)++] = (struct name){rules_watch(version->rules, j)->name, i};
    }
    qsort(names, *count, sizeof *names, by_name);
    return names;
}

// Refuses each later file that has a watch of an earlier one: one mistake for each.
static void refuse_twice(struct watchset *set, struct tc_diags *diags)
{
    size_t count = 0;
    struct name *names = all_names(set, &count);
    for (size_t i = 1; i < count; i++) {
        struct file *file = &set->files[names[i].file];
        char message[TC_ERR_TEXT_BYTES];
        if (!tc_str_eq(names[i].name, names[i - 1].name) || names[i].file == names[i - 1].file ||
            file->twice)
            continue;
        free(file->why); // of an older version
        snprintf(message, sizeof message, "watch %.*s is in %s already", TC_ARG(names[i].name),
                 set->files[names[i - 1].file].path);
        say(diags, TC_DIAG_ERROR, tc_str_of(file->path), message);
        file->why = tc_dup(message, strlen(message));
        file->twice = true;
    }
    free(names);
}

// A file whose older version has a watch that another has now, NULL when there is none. Of two, the stale
// one gives way: the other is what somebody wrote.
static struct file *in_the_way(struct watchset *set)
{
    size_t count = 0;
    struct name *names = all_names(set, &count);
    struct file *found = NULL;
    for (size_t i = 1; i < count && !found; i++) {
        struct file *earlier = &set->files[names[i - 1].file], *later = &set->files[names[i].file];
        if (earlier != later && tc_str_eq(names[i].name, names[i - 1].name))
            found = later->why ? later : earlier;
    }
    free(names);
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
        version_drop(holding->versions[i]);
    free(holding->versions);
    free(holding->watches);
    free(holding);
}

// Makes the matcher of all watches that run.
static int compile(struct watchset *set, const struct watchset *before, struct tc_err *err)
{
    struct holding *holding = tc_new(sizeof *holding);
    holding->watches = tc_new((count_all(set) + 1) * sizeof *holding->watches);
    holding->versions = tc_new((set->count + 1) * sizeof(struct version *));
    for (size_t i = 0; i < set->count; i++) {
        struct version *version = set->files[i].version;
        for (size_t j = 0; version && j < rules_count(version->rules); j++) {
            const struct watch *watch = rules_watch(version->rules, j);
            if (watch->status == WATCH_LIVE || watch->status == WATCH_SHADOW)
                holding->watches[set->watches++] = *watch;
        }
        if (version)
            holding->versions[holding->count++] = version_hold(version);
    }
    int code = TC_OK;
    if (set->watches)
        code = matcher_new_after(holding->watches, set->watches, before ? before->matcher : NULL,
                                 holding_drop, holding, &set->matcher, err);
    if (code != TC_OK || !set->watches)
        holding_drop(holding);
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

int watchset_load(const tc_str *globs, size_t count, const struct text_settings *text,
                  const struct watchset *before, tc_str kept, struct tc_diags *diags,
                  struct watchset **out, struct tc_err *err)
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
        code = compile(set, before, err);
    if (code == TC_OK)
        *out = set;
    else
        watchset_free(set);
    return code;
}

// ---- remembering --------------------------------------------------------------------------

struct checking {
    const struct text_settings *text;
    const struct rules *good;
};

static bool reads_the_same(void *context, const char *copy)
{
    const struct checking *checking = context;
    struct rules *rules = read_copy(copy, checking->text);
    bool same = rules && same_watches(rules, checking->good);
    rules_drop(rules);
    return same;
}

int watchset_remember(const struct watchset *set, size_t index, tc_str kept, struct tc_err *err)
{
    const struct file *file = &set->files[index];
    if (file->why || !file->version)
        return TC_OK;
    struct checking checking = {&set->text, file->version->rules};
    return lastgood_keep(kept, file->path, file->version->since_wall_ns, reads_the_same, &checking,
                         err);
}

// ---- looking ------------------------------------------------------------------------------

struct matcher *watchset_matcher(const struct watchset *set)
{
    return set->matcher;
}

size_t watchset_watches(const struct watchset *set)
{
    return set->watches;
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
