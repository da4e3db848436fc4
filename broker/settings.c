#include "broker/settings.h"

#include "common/clock.h"
#include "common/daemon.h"
#include "common/guard.h"
#include "common/yaml.h"

enum {
    LIVE_EXCEPT_MOST = 1000,
    PROTECT_DAYS = 7,
    RETAIN_LEAST_HOURS = 1,
    RETAIN_MOST_DAYS = 36500
};

#define DAY_NS (INT64_C(86400) * TC_SECOND)

static const char *const keys[] = {"store",
                                   "listen",
                                   "http",
                                   "http_hosts",
                                   "retain",
                                   "protect_consumers",
                                   "disk_reserve",
                                   "network_storage",
                                   "keys",
                                   "log",
                                   "live_except",
                                   "insecure_loopback",
                                   NULL};

int settings_default(struct tc_arena *arena, struct settings *out, struct tc_err *err)
{
    tc_str state, runtime;
    int code = tc_state_dir(arena, &state, err);
    if (code == TC_OK)
        code = tc_runtime_dir(arena, false, &runtime, err);
    if (code != TC_OK)
        return code;
    *out = (struct settings){
        .store = tc_arena_printf(arena, "%.*s/broker.db", TC_ARG(state)),
        .fetch = tc_arena_printf(arena, "ipc://%.*s/fetch.sock", TC_ARG(runtime)),
        .live = tc_arena_printf(arena, "ipc://%.*s/live.sock", TC_ARG(runtime)),
        .log = TC_INFO,
        .disk_reserve = SPACE_RESERVE_BYTES,
        .retain = {.protect_ns = PROTECT_DAYS * DAY_NS},
    };
    return TC_OK;
}

// --- endpoints ---

static void check_endpoint(const struct tc_yaml *node, const struct settings *settings,
                           struct tc_diags *diags)
{
    const char *help = NULL;
    tc_str endpoint = node->text;
    if (tc_str_starts(endpoint, TC_STR("ipc://")) && endpoint.len > strlen("ipc://"))
        return;
    if (!tc_sock_is_tcp(endpoint)) {
        tc_yaml_wrong(node, "E0117", diags, NULL,
                      "\"%.*s\" is no endpoint: ipc://PATH or tcp://ADDRESS:PORT",
                      TC_ARG(endpoint));
        return;
    }
    const char *why =
        tc_guard_unsafe(endpoint, settings->keys.len > 0, settings->insecure_loopback, &help);
    if (why)
        tc_yaml_wrong(node, "E0117", diags, help, "%s", why);
}

static void read_endpoint(const struct tc_yaml *listen, const char *key,
                          const struct settings *settings, struct tc_diags *diags, tc_str *out)
{
    const struct tc_yaml *node = tc_yaml_get(listen, key);
    if (!node || !tc_yaml_str(node, out, diags))
        return;
    check_endpoint(node, settings, diags);
}

static void read_listen(const struct tc_yaml *root, struct settings *settings,
                        struct tc_diags *diags)
{
    static const char *const known[] = {"fetch", "live", NULL};
    const struct tc_yaml *listen = tc_yaml_get(root, "listen");
    if (!listen)
        return;
    if (listen->kind != TC_YAML_MAP) {
        tc_yaml_wrong(listen, "E0117", diags, NULL, "\"listen\" holds fetch: and live:");
        return;
    }
    tc_yaml_only(listen, known, diags);
    read_endpoint(listen, "fetch", settings, diags, &settings->fetch);
    read_endpoint(listen, "live", settings, diags, &settings->live);
    if (tc_str_eq(settings->fetch, settings->live))
        tc_yaml_wrong(listen, "E0117", diags, NULL, "fetch and live are one endpoint");
}

// --- the other keys ---

static void read_live_except(const struct tc_yaml *root, struct tc_arena *arena,
                             struct settings *settings, struct tc_diags *diags)
{
    const struct tc_yaml *list = tc_yaml_get(root, "live_except");
    if (!list)
        return;
    if (list->kind != TC_YAML_LIST || list->count > LIVE_EXCEPT_MOST) {
        tc_yaml_wrong(list, "E0117", diags, NULL, "\"live_except\" is a list of at most %d topics",
                      LIVE_EXCEPT_MOST);
        return;
    }
    settings->live_except = tc_arena_take(arena, list->count * sizeof *settings->live_except);
    settings->live_except_count = 0;
    for (size_t i = 0; i < list->count; i++) {
        tc_str prefix = {0};
        if (!tc_yaml_str(&list->items[i], &prefix, diags))
            continue;
        if (!tc_str_ends(prefix, TC_STR("/")))
            tc_yaml_wrong(&list->items[i], "E0117", diags, NULL,
                          "a topic prefix ends in \"/\", so that china/ does not catch china-sea/");
        settings->live_except[settings->live_except_count++] = prefix;
    }
}

static void read_log(const struct tc_yaml *root, struct settings *settings, struct tc_diags *diags)
{
    const struct tc_yaml *node = tc_yaml_get(root, "log");
    tc_str level = {0};
    if (node && tc_yaml_str(node, &level, diags) && !tc_log_level_read(level, &settings->log))
        tc_yaml_wrong(node, "E0117", diags, NULL, "\"log\" is debug, info, warn or error");
}

static void read_retain(const struct tc_yaml *root, struct settings *settings,
                        struct tc_diags *diags)
{
    const struct tc_yaml *retain = tc_yaml_get(root, "retain");
    const struct tc_yaml *protect = tc_yaml_get(root, "protect_consumers");
    int64_t *keep_ns = &settings->retain.keep_ns;
    if (protect)
        tc_yaml_duration(protect, &settings->retain.protect_ns, diags);
    if (!retain || tc_str_eq(retain->text, TC_STR("forever")) ||
        !tc_yaml_duration(retain, keep_ns, diags))
        return;
    if (*keep_ns < RETAIN_LEAST_HOURS * DAY_NS / 24 || *keep_ns > RETAIN_MOST_DAYS * DAY_NS)
        tc_yaml_wrong(retain, "E0117", diags, "such as 400d, or forever",
                      "\"retain\" is between 1h and %dd", RETAIN_MOST_DAYS);
}

// A relative path counts from the folder of the file.
static void read_keys(const struct tc_yaml_file *file, struct tc_arena *arena,
                      struct tc_diags *diags, struct settings *settings)
{
    const struct tc_yaml *node = tc_yaml_get(&file->root, "keys");
    tc_str path = {"", 0};
    if (!node || !tc_yaml_str(node, &path, diags))
        return;
    settings->keys = tc_beside(arena, file->name, path);
    if (path.len == 0)
        tc_yaml_wrong(node, "E0117", diags, NULL, "this path is empty");
    else if (settings->insecure_loopback)
        tc_yaml_wrong(node, "E0117", diags, "leave insecure_loopback out",
                      "with keys every tcp endpoint is guarded by them");
}

static void read_store(const struct tc_yaml_file *file, struct tc_arena *arena,
                       struct tc_diags *diags, struct settings *settings)
{
    const struct tc_yaml *node = tc_yaml_get(&file->root, "store");
    tc_str path = {"", 0};
    if (!node || !tc_yaml_str(node, &path, diags))
        return;
    if (path.len == 0)
        tc_yaml_wrong(node, "E0117", diags, NULL, "this path is empty");
    else
        settings->store = tc_beside(arena, file->name, path);
}

static int read_tree(const struct tc_yaml_file *file, struct tc_arena *arena,
                     struct tc_diags *diags, struct settings *settings)
{
    const struct tc_yaml *root = &file->root;
    size_t before = tc_diags_errors(diags);
    if (root->kind != TC_YAML_MAP) { // a file of comments only is an empty scalar
        if (root->kind != TC_YAML_SCALAR || root->text.len)
            tc_yaml_wrong(root, "E0117", diags, NULL, "the file is no map of settings");
        return tc_diags_errors(diags) > before ? TC_EPARSE : TC_OK;
    }
    tc_yaml_only(root, keys, diags);
    tc_yaml_bool(tc_yaml_get(root, "insecure_loopback"), &settings->insecure_loopback, diags);
    read_keys(file, arena, diags, settings);
    read_store(file, arena, diags, settings);
    read_listen(root, settings, diags);
    read_live_except(root, arena, settings, diags);
    read_log(root, settings, diags);
    tc_http_settings_read(root, arena, diags, &settings->http);
    read_retain(root, settings, diags);
    tc_yaml_size(tc_yaml_get(root, "disk_reserve"), &settings->disk_reserve, diags);
    tc_yaml_bool(tc_yaml_get(root, "network_storage"), &settings->network_storage, diags);
    return tc_diags_errors(diags) > before ? TC_EPARSE : TC_OK;
}

int settings_read(const char *path, struct tc_arena *arena, struct tc_diags *diags,
                  struct settings *settings)
{
    struct tc_yaml_file *file = NULL;
    int code = tc_yaml_read(path, arena, diags, &file);
    int values = file ? read_tree(file, arena, diags, settings) : code;
    return code == TC_OK ? values : code;
}

int settings_read_text(tc_str name, tc_str text, struct tc_arena *arena, struct tc_diags *diags,
                       struct settings *settings)
{
    struct tc_yaml_file *file = NULL;
    int code = tc_yaml_read_text(name, text, arena, diags, &file);
    int values = file ? read_tree(file, arena, diags, settings) : code;
    return code == TC_OK ? values : code;
}
