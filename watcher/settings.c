#include "watcher/settings.h"

#include <unistd.h>

#include "common/daemon.h"
#include "common/event.h"
#include "common/guard.h"
#include "common/yaml.h"
#include "watcher/outbox/outbox.h"
#include "watcher/source/article.h"

static const char default_name[] = "watcher";

// What the readers below share.
struct reader {
    struct tc_arena *arena;
    struct tc_diags *diags;
    struct settings *settings;
    tc_str runtime; // the folder for sockets
};

static void wrong(const struct reader *reader, const struct tc_yaml *node, const char *help,
                  const char *message)
{
    tc_yaml_wrong(node, "E0117", reader->diags, help, "%s", message);
}

// ---- values -------------------------------------------------------------------------------

static tc_str copy(const struct reader *reader, tc_str s)
{
    return tc_arena_str(reader->arena, s);
}

// Relative paths count from the folder of the file.
static tc_str resolve(const struct reader *reader, tc_str path)
{
    return tc_beside(reader->arena, reader->settings->file, path);
}

// Our own socket in the runtime folder: NAME-x.sock unless the watcher has the usual name.
static tc_str own_socket(const struct reader *reader, const char *file)
{
    tc_str name = reader->settings->name;
    bool usual = tc_str_eq(name, tc_str_of(default_name));
    return tc_arena_printf(reader->arena, "ipc://%.*s/%.*s%s%s", TC_ARG(reader->runtime),
                           usual ? 0 : (int)name.len, name.ptr, usual ? "" : "-", file);
}

static bool is_endpoint(tc_str text)
{
    return tc_str_starts(text, TC_STR("ipc://")) || tc_str_starts(text, TC_STR("tcp://")) ||
           tc_str_starts(text, TC_STR("inproc://"));
}

// An endpoint, "default", or "none" where that is possible (then empty).
static void read_endpoint(const struct reader *reader, const struct tc_yaml *node, bool none_too,
                          tc_str standard, tc_str *out)
{
    tc_str text = {"", 0};
    if (!node || !tc_yaml_str(node, &text, reader->diags))
        return;
    if (tc_str_eq(text, TC_STR("default")) && standard.len)
        *out = standard;
    else if (none_too && tc_str_eq(text, TC_STR("none")))
        *out = (tc_str){"", 0};
    else if (is_endpoint(text))
        *out = copy(reader, text);
    else
        wrong(reader, node, "like ipc:///run/tocsin/x.sock or tcp://127.0.0.1:5571",
              "this is no endpoint");
}

// A text, or a list of texts, each resolved as a path. "-" stays what it is.
static void read_paths(const struct reader *reader, const struct tc_yaml *node, const tc_str **out,
                       size_t *count)
{
    const struct tc_yaml *items = node->kind == TC_YAML_LIST ? node->items : node;
    size_t given = node->kind == TC_YAML_LIST ? node->count : 1;
    tc_str *paths = tc_arena_take(reader->arena, (given + 1) * sizeof *paths);
    for (size_t i = 0; i < given; i++) {
        tc_str text = {"", 0};
        if (!tc_yaml_str(&items[i], &text, reader->diags))
            continue;
        if (text.len == 0)
            wrong(reader, &items[i], NULL, "this path is empty");
        else
            paths[(*count)++] = tc_str_eq(text, TC_STR("-")) ? TC_STR("-") : resolve(reader, text);
    }
    *out = paths;
}

// A port of ours is guarded by keys or, on loopback, left open by an explicit word. Where the daemon
// connects to is the other side's to guard.
static void check_own(const struct reader *reader, const struct tc_yaml *node, tc_str endpoint)
{
    const char *help = NULL, *why = NULL;
    const struct settings *settings = reader->settings;
    if (node && endpoint.len)
        why = tc_guard_unsafe(endpoint, settings->keys.len > 0, settings->insecure_loopback, &help);
    if (why)
        wrong(reader, node, help, why);
}

// ---- sources ------------------------------------------------------------------------------

static const struct {
    const char *key;
    enum settings_kind kind;
    const char *name; // default of `name`; NULL: the folder's own
} kinds[] = {
    {"lines", SETTINGS_LINES, "lines"},
    {"folder", SETTINGS_FOLDER, NULL},
    {"socket", SETTINGS_SOCKET, "intake"},
    {"pull", SETTINGS_PULL, "intake"},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

// The key of `node` that says what kind of source it is; KINDS when there is none.
static size_t kind_of(const struct tc_yaml *node, const struct tc_yaml **value)
{
    for (size_t i = 0; i < KINDS; i++) {
        *value = tc_yaml_get(node, kinds[i].key);
        if (*value)
            return i;
    }
    return KINDS;
}

static tc_str last_part(tc_str path)
{
    tc_str part = path, last = path;
    while (tc_str_next(&path, '/', &part)) {
        if (part.len)
            last = part;
    }
    return last;
}

static void read_source_value(const struct reader *reader, const struct tc_yaml *value,
                              struct settings_source *source)
{
    switch (source->kind) {
    case SETTINGS_LINES: read_paths(reader, value, &source->paths, &source->path_count); break;
    case SETTINGS_FOLDER:
        if (value->kind != TC_YAML_SCALAR)
            wrong(reader, value, "write one source for each folder", "this is no path");
        else
            read_paths(reader, value, &source->paths, &source->path_count);
        break;
    case SETTINGS_SOCKET:
        read_endpoint(reader, value, false, own_socket(reader, "intake.sock"), &source->endpoint);
        check_own(reader, value, source->endpoint);
        break;
    case SETTINGS_PULL:
        read_endpoint(reader, value, false, (tc_str){"", 0}, &source->endpoint);
        check_own(reader, value, source->endpoint);
        break;
    }
}

static void read_source(const struct reader *reader, const struct tc_yaml *node,
                        struct settings_source *source)
{
    static const char *const known[] = {"lines", "folder",  "socket", "pull",
                                        "name",  "archive", "feed",   NULL};
    const struct tc_yaml *value = NULL;
    if (node->kind != TC_YAML_MAP) {
        wrong(reader, node, "like \"- folder: inbox\"",
              "a source is one of lines, folder, socket, pull");
        return;
    }
    tc_yaml_only(node, known, reader->diags);
    const struct tc_yaml *later = tc_yaml_get(node, "feed");
    later = later ? later : tc_yaml_get(node, "archive");
    size_t kind = kind_of(node, &value);
    if (later)
        wrong(reader, later, NULL, "feeds and archives are not in this version");
    if (kind == KINDS) {
        if (!later)
            wrong(reader, node, NULL, "a source is one of lines, folder, socket, pull");
        return;
    }
    for (size_t i = kind + 1; i < KINDS; i++) {
        if (tc_yaml_get(node, kinds[i].key))
            wrong(reader, tc_yaml_get(node, kinds[i].key), "begin another source with \"-\"",
                  "a source has only one kind");
    }
    source->kind = kinds[kind].kind;
    read_source_value(reader, value, source);
    source->name = kinds[kind].name     ? tc_str_of(kinds[kind].name)
                   : source->path_count ? last_part(source->paths[0])
                                        : TC_STR("folder");
    const struct tc_yaml *name = tc_yaml_get(node, "name");
    if (tc_yaml_str(name, &source->name, reader->diags) && name &&
        (source->name.len == 0 || source->name.len > ARTICLE_VALUE_BYTES))
        wrong(reader, name, NULL, "the name is empty or too long");
}

static void read_sources(const struct reader *reader, const struct tc_yaml *node)
{
    struct settings *settings = reader->settings;
    size_t count = node ? node->count : 1;
    if (node && node->kind != TC_YAML_LIST) {
        wrong(reader, node, "begin each source with \"-\"", "sources are a list");
        return;
    }
    struct settings_source *sources = tc_arena_take(reader->arena, (count + 1) * sizeof *sources);
    for (size_t i = 0; node && i < count; i++)
        read_source(reader, &node->items[i], &sources[i]);
    if (!node)
        sources[0] = (struct settings_source){.kind = SETTINGS_SOCKET,
                                              .name = TC_STR("intake"),
                                              .endpoint = own_socket(reader, "intake.sock")};
    settings->sources = sources;
    settings->source_count = count;
}

// ---- the file -----------------------------------------------------------------------------

static void refuse_later_keys(const struct reader *reader, const struct tc_yaml *root)
{
    static const char *const later[] = {"archive", "feed"};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        const struct tc_yaml *node = tc_yaml_get(root, later[i]);
        if (node)
            tc_yaml_wrong(node, "E0117", reader->diags, NULL, "\"%s\" is not in this version",
                          later[i]);
    }
}

static void read_name(const struct reader *reader, const struct tc_yaml *node)
{
    tc_str name = {"", 0};
    if (!node || !tc_yaml_str(node, &name, reader->diags))
        return;
    if (tc_event_name_ok(name))
        reader->settings->name = copy(reader, name);
    else
        wrong(reader, node, NULL, "a name is 1 to 63 of a-z, 0-9 and -");
}

static void read_numbers(const struct reader *reader, const struct tc_yaml *root)
{
    struct settings *settings = reader->settings;
    uint64_t threads = settings->threads, bytes = settings->max_article_bytes;
    tc_yaml_u64(tc_yaml_get(root, "threads"), 1, SETTINGS_THREADS_MOST, &threads, reader->diags);
    tc_yaml_u64(tc_yaml_get(root, "max_outbox_articles"), 1, UINT32_MAX,
                &settings->max_outbox_articles, reader->diags);
    tc_yaml_duration(tc_yaml_get(root, "keep_acknowledged"), &settings->keep_acknowledged_ns,
                     reader->diags);
    tc_yaml_size(tc_yaml_get(root, "keep_acknowledged_bytes"), &settings->keep_acknowledged_bytes,
                 reader->diags);
    const struct tc_yaml *size = tc_yaml_get(root, "max_article_bytes");
    if (tc_yaml_size(size, &bytes, reader->diags) &&
        (bytes < 1024 || bytes > SETTINGS_ARTICLE_BYTES_MOST))
        wrong(reader, size, NULL, "an article may have 1 KiB to 64 MiB");
    settings->threads = (unsigned)threads;
    settings->max_article_bytes = (size_t)bytes;
    tc_yaml_u64(tc_yaml_get(root, "audit"), 0, UINT32_MAX, &settings->audit, reader->diags);
    tc_yaml_bool(tc_yaml_get(root, "watch_files"), &settings->watch_files, reader->diags);
}

static void read_log(const struct reader *reader, const struct tc_yaml *node)
{
    tc_str level = {"", 0};
    if (node && tc_yaml_str(node, &level, reader->diags) &&
        !tc_log_level_read(level, &reader->settings->log))
        wrong(reader, node, NULL, "the log level is one of debug, info, warn, error");
}

static void read_keys(const struct reader *reader, const struct tc_yaml *root)
{
    struct settings *settings = reader->settings;
    const struct tc_yaml *node = tc_yaml_get(root, "keys");
    tc_str path = {"", 0};
    tc_yaml_bool(tc_yaml_get(root, "insecure_loopback"), &settings->insecure_loopback,
                 reader->diags);
    if (!node || !tc_yaml_str(node, &path, reader->diags))
        return;
    settings->keys = resolve(reader, path);
    if (path.len == 0)
        wrong(reader, node, NULL, "this path is empty");
    else if (settings->insecure_loopback)
        wrong(reader, node, "leave insecure_loopback out",
              "with keys every tcp endpoint is guarded by them");
}

// Fills in what depends on the name and on the machine.
static int defaults(struct reader *reader, struct tc_err *err)
{
    struct settings *settings = reader->settings;
    int code = tc_state_dir(reader->arena, &settings->state, err);
    if (code == TC_OK && !tc_str_eq(settings->name, tc_str_of(default_name)))
        settings->state = tc_arena_printf(reader->arena, "%.*s/%.*s", TC_ARG(settings->state),
                                          TC_ARG(settings->name));
    settings->broker =
        tc_arena_printf(reader->arena, "ipc://%.*s/fetch.sock", TC_ARG(reader->runtime));
    settings->tap = own_socket(reader, "tap.sock");
    return code;
}

static int read_root(struct reader *reader, const struct tc_yaml *root, struct tc_err *err)
{
    static const char *const known[] = {"name",
                                        "state",
                                        "watches",
                                        "watch_files",
                                        "keys",
                                        "insecure_loopback",
                                        "broker",
                                        "tap",
                                        "threads",
                                        "audit",
                                        "sources",
                                        "max_article_bytes",
                                        "max_outbox_articles",
                                        "keep_acknowledged",
                                        "keep_acknowledged_bytes",
                                        "log",
                                        "http",
                                        "http_hosts",
                                        "archive",
                                        "feed",
                                        NULL};
    struct settings *settings = reader->settings;
    const struct tc_yaml *state = tc_yaml_get(root, "state");
    const struct tc_yaml *watches = tc_yaml_get(root, "watches");
    tc_str text = {"", 0};

    tc_yaml_only(root, known, reader->diags);
    refuse_later_keys(reader, root);
    read_name(reader, tc_yaml_get(root, "name"));
    int code = defaults(reader, err);
    if (state && tc_yaml_str(state, &text, reader->diags)) {
        settings->state = resolve(reader, text);
        code = TC_OK;
    }
    if (watches)
        read_paths(reader, watches, &settings->watches, &settings->watch_count);
    read_keys(reader, root);
    tc_str broker = settings->broker, tap = settings->tap;
    read_endpoint(reader, tc_yaml_get(root, "broker"), true, broker, &settings->broker);
    read_endpoint(reader, tc_yaml_get(root, "tap"), true, tap, &settings->tap);
    check_own(reader, tc_yaml_get(root, "tap"), settings->tap);
    read_numbers(reader, root);
    read_log(reader, tc_yaml_get(root, "log"));
    tc_http_settings_read(root, reader->arena, reader->diags, &settings->http);
    read_sources(reader, tc_yaml_get(root, "sources"));
    return code;
}

static struct settings *settings_new(struct tc_arena *arena, tc_str file)
{
    struct settings *settings = tc_arena_take(arena, sizeof *settings);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    settings->file = tc_arena_str(arena, file);
    settings->name = tc_str_of(default_name);
    settings->threads = cores < 1                       ? 1
                        : cores > SETTINGS_THREADS_MOST ? SETTINGS_THREADS_MOST
                                                        : (unsigned)cores;
    settings->max_article_bytes = ARTICLE_BYTES;
    settings->max_outbox_articles = SETTINGS_OUTBOX_ARTICLES;
    settings->keep_acknowledged_ns = OUTBOX_HORIZON_NS;
    settings->keep_acknowledged_bytes = OUTBOX_HORIZON_BYTES;
    settings->log = TC_INFO;
    return settings;
}

static void warn_without_file(struct tc_diags *diags)
{
    tc_diags_add(diags,
                 &(struct tc_diag){.severity = TC_DIAG_WARNING,
                                   .file = TC_STR("watcher.yaml"),
                                   .message = TC_STR("no configuration was found: the "
                                                     "intake is on, and there are no watches"),
                                   .help = TC_STR("give one with --config FILE")});
}

int settings_read(tc_str file, struct tc_arena *arena, struct tc_diags *diags,
                  struct settings **out, struct tc_err *err)
{
    struct settings *settings = settings_new(arena, file);
    struct reader reader = {arena, diags, settings, {"", 0}};
    struct tc_yaml_file *yaml = NULL;
    const struct tc_yaml empty = {.kind = TC_YAML_MAP};
    int code = tc_runtime_dir(arena, false, &reader.runtime, err);
    if (code != TC_OK)
        return code;
    if (!file.len) {
        warn_without_file(diags);
        code = read_root(&reader, &empty, err);
    } else if (tc_yaml_read(settings->file.ptr, arena, diags, &yaml) == TC_EIO) {
        return tc_diags_result(diags, err);
    } else if (yaml->root.kind != TC_YAML_MAP) {
        wrong(&reader, &yaml->root, NULL, "the configuration is no map of keys");
    } else {
        code = read_root(&reader, &yaml->root, err);
    }
    if (tc_diags_errors(diags))
        return tc_diags_result(diags, err);
    settings->kept = tc_arena_printf(arena, "%.*s/watches", TC_ARG(settings->state));
    settings->frequencies = tc_arena_printf(arena, "%.*s/frequencies", TC_ARG(settings->state));
    if (code == TC_OK)
        *out = settings;
    return code;
}
