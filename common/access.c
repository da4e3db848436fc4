#include "common/access.h"

#include "common/event.h"
#include "common/mem.h"
#include "common/yaml.h"

#include <stdatomic.h>
#include <stdlib.h>

struct tc_access {
    atomic_size_t holders;
    struct tc_arena *arena;
    struct tc_peer *peers; // by key
    size_t count;
};

struct reader {
    struct tc_access *access;
    struct tc_diags *diags;
    const struct tc_yaml **keys; // of the peers read so far, for what is said of a repeated one
};

static const struct {
    const char *name;
    enum tc_role role;
} roles[] = {
    {"watcher", TC_ROLE_WATCHER},
    {"subscriber", TC_ROLE_SUBSCRIBER},
    {"admin", TC_ROLE_ADMIN},
    {"publisher", TC_ROLE_PUBLISHER},
};

enum { ROLES = sizeof roles / sizeof *roles };

static const char role_help[] = "roles are watcher, subscriber, admin and publisher";

const char *tc_role_name(enum tc_role role)
{
    for (size_t i = 0; i < ROLES; i++) {
        if (roles[i].role == role)
            return roles[i].name;
    }
    return "none";
}

static void wrong(const struct reader *reader, const struct tc_yaml *node, const char *help,
                  const char *message)
{
    tc_yaml_wrong(node, "E0117", reader->diags, help, "%s", message);
}

// ---- one entry ----------------------------------------------------------------------------

static unsigned role_named(tc_str name)
{
    for (size_t i = 0; i < ROLES; i++) {
        if (tc_str_eq(name, tc_str_of(roles[i].name)))
            return roles[i].role;
    }
    return 0;
}

static void read_roles(const struct reader *reader, const struct tc_yaml *node, unsigned *out)
{
    if (node->kind != TC_YAML_LIST || !node->count) {
        wrong(reader, node, role_help, "\"roles\" is a list of at least one role");
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        tc_str name = {"", 0};
        if (!tc_yaml_str(&node->items[i], &name, reader->diags))
            continue;
        unsigned role = role_named(name);
        if (!role)
            tc_yaml_wrong(&node->items[i], "E0117", reader->diags, role_help,
                          "there is no role \"%.*s\"", TC_ARG(name));
        *out |= role;
    }
}

static void read_prefixes(const struct reader *reader, const struct tc_yaml *node, unsigned has,
                          enum tc_role role, const tc_str **out, size_t *count)
{
    if (!node)
        return;
    if (node->kind != TC_YAML_LIST || !node->count || node->count > TC_ACCESS_PREFIXES) {
        wrong(reader, node, "leave the key out for all topics",
              "topic prefixes are a list of 1 to 1000");
        return;
    }
    if (!(has & role))
        tc_yaml_wrong(node, "E0117", reader->diags, NULL,
                      "topics are named, but not the role %s that would use them",
                      tc_role_name(role));
    tc_str *list = tc_arena_take(reader->access->arena, node->count * sizeof *list);
    for (size_t i = 0; i < node->count; i++) {
        tc_str prefix = {"", 0};
        if (!tc_yaml_str(&node->items[i], &prefix, reader->diags))
            continue;
        if (!tc_event_prefix_ok(prefix))
            wrong(reader, &node->items[i], "like china-ai/ or china-ai/travel-advice/",
                  "this is no topic prefix: segments of [a-z0-9-], each ending in \"/\"");
        list[(*count)++] = prefix;
    }
    *out = list;
}

static bool has_all(const struct reader *reader, const struct tc_yaml *node)
{
    static const char *const needed[] = {"name", "key", "roles"};
    bool all = true;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (tc_yaml_get(node, needed[i]))
            continue;
        tc_yaml_wrong(node, "E0117", reader->diags, NULL, "this peer has no \"%s\"", needed[i]);
        all = false;
    }
    return all;
}

static void read_peer(const struct reader *reader, const struct tc_yaml *node, struct tc_peer *peer)
{
    static const char *const known[] = {"name", "key", "roles", "read", "write", NULL};
    if (node->kind != TC_YAML_MAP) {
        wrong(reader, node, "like {name: desk, key: '...', roles: [subscriber]}",
              "a peer is a map of name, key, roles");
        return;
    }
    tc_yaml_only(node, known, reader->diags);
    if (!has_all(reader, node))
        return;
    const struct tc_yaml *name = tc_yaml_get(node, "name"), *key = tc_yaml_get(node, "key");
    if (tc_yaml_str(name, &peer->name, reader->diags) && !tc_event_name_ok(peer->name))
        wrong(reader, name, NULL, "a name is 1 to 63 of a-z, 0-9 and -");
    if (tc_yaml_str(key, &peer->key, reader->diags) && !tc_key_ok(peer->key))
        wrong(reader, key, "40 characters between single quotes, as in the file NAME.public",
              "this is no public key");
    read_roles(reader, tc_yaml_get(node, "roles"), &peer->roles);
    read_prefixes(reader, tc_yaml_get(node, "read"), peer->roles, TC_ROLE_SUBSCRIBER, &peer->read,
                  &peer->read_count);
    read_prefixes(reader, tc_yaml_get(node, "write"), peer->roles, TC_ROLE_WATCHER, &peer->write,
                  &peer->write_count);
}

// ---- the file -----------------------------------------------------------------------------

static int by_key(const void *a, const void *b)
{
    const struct tc_peer *left = a, *right = b;
    return memcmp(left->key.ptr, right->key.ptr, TC_KEY_TEXT);
}

// What was found equal is looked up in the file's order again, so that the second one is blamed. Names
// of ten thousand peers are compared in a sorted list too.
static int by_text(const void *a, const void *b)
{
    const struct tc_yaml *const *left = a, *const *right = b;
    size_t least = (*left)->text.len < (*right)->text.len ? (*left)->text.len : (*right)->text.len;
    int order = memcmp((*left)->text.ptr, (*right)->text.ptr, least);
    if (order == 0 && (*left)->text.len != (*right)->text.len)
        order = (*left)->text.len < (*right)->text.len ? -1 : 1;
    return order ? order : (*left)->line - (*right)->line;
}

static void refuse_repeated(const struct reader *reader, const struct tc_yaml *list,
                            const char *what)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct tc_yaml *node = tc_yaml_get(&list->items[i], what);
        if (node && node->kind == TC_YAML_SCALAR)
            reader->keys[count++] = node;
    }
    if (count)
        qsort(reader->keys, count, sizeof *reader->keys, by_text);
    for (size_t i = 1; i < count; i++) {
        if (tc_str_eq(reader->keys[i - 1]->text, reader->keys[i]->text))
            tc_yaml_wrong(reader->keys[i], "E0117", reader->diags, NULL,
                          "line %d has the same %s already", reader->keys[i - 1]->line, what);
    }
}

static void read_root(struct reader *reader, const struct tc_yaml *root)
{
    static const char *const known[] = {"peers", NULL};
    struct tc_access *access = reader->access;
    if (root->kind != TC_YAML_MAP) {
        wrong(reader, root, "begin with \"peers:\"", "the file is no list of peers");
        return;
    }
    tc_yaml_only(root, known, reader->diags);
    const struct tc_yaml *list = tc_yaml_get(root, "peers");
    if (!list || list->kind != TC_YAML_LIST || list->count > TC_ACCESS_PEERS) {
        wrong(reader, list ? list : root, "to let nobody in, write peers: []",
              "\"peers\" is a list of at most 10000");
        return;
    }
    access->peers = tc_arena_take(access->arena, (list->count + 1) * sizeof *access->peers);
    reader->keys = tc_arena_take(access->arena, (list->count + 1) * sizeof *reader->keys);
    for (size_t i = 0; i < list->count; i++)
        read_peer(reader, &list->items[i], &access->peers[i]);
    access->count = list->count;
    refuse_repeated(reader, list, "key");
    refuse_repeated(reader, list, "name");
}

static int finish(struct tc_access *access, struct tc_diags *diags, size_t before, int code,
                  struct tc_access **out)
{
    if (code == TC_OK && tc_diags_errors(diags) > before)
        code = TC_EPARSE;
    if (code != TC_OK) {
        tc_access_drop(access);
        return code;
    }
    if (access->count)
        qsort(access->peers, access->count, sizeof *access->peers, by_key);
    *out = access;
    return TC_OK;
}

static struct tc_access *access_new(void)
{
    struct tc_access *access = tc_new(sizeof *access);
    atomic_init(&access->holders, 1);
    access->arena = tc_arena_new();
    return access;
}

static int read_file(const char *path, tc_str name, tc_str text, struct tc_diags *diags,
                     struct tc_access **out)
{
    struct reader reader = {.access = access_new(), .diags = diags};
    size_t before = tc_diags_errors(diags);
    struct tc_yaml_file *file = NULL;
    int code = path ? tc_yaml_read(path, reader.access->arena, diags, &file)
                    : tc_yaml_read_text(name, text, reader.access->arena, diags, &file);
    if (file)
        read_root(&reader, &file->root);
    return finish(reader.access, diags, before, code, out);
}

int tc_access_read(const char *path, struct tc_diags *diags, struct tc_access **out)
{
    return read_file(path, (tc_str){"", 0}, (tc_str){"", 0}, diags, out);
}

int tc_access_read_text(tc_str name, tc_str text, struct tc_diags *diags, struct tc_access **out)
{
    return read_file(NULL, name, text, diags, out);
}

struct tc_access *tc_access_hold(struct tc_access *access)
{
    atomic_fetch_add(&access->holders, 1);
    return access;
}

void tc_access_drop(struct tc_access *access)
{
    if (!access || atomic_fetch_sub(&access->holders, 1) > 1)
        return;
    tc_arena_free(access->arena);
    free(access);
}

size_t tc_access_count(const struct tc_access *access)
{
    return access->count;
}

// ---- asking -------------------------------------------------------------------------------

const struct tc_peer *tc_access_find(const struct tc_access *access, tc_str key)
{
    const struct tc_peer wanted = {.key = key};
    if (key.len != TC_KEY_TEXT || !access->count)
        return NULL;
    return bsearch(&wanted, access->peers, access->count, sizeof *access->peers, by_key);
}

static bool covers(const tc_str *prefixes, size_t count, tc_str topic)
{
    for (size_t i = 0; i < count; i++) {
        if (tc_str_starts(topic, prefixes[i]))
            return true;
    }
    return count == 0;
}

bool tc_peer_reads(const struct tc_peer *peer, tc_str topic)
{
    return tc_peer_is(peer, TC_ROLE_SUBSCRIBER) &&
           (!peer || covers(peer->read, peer->read_count, topic));
}

bool tc_peer_writes(const struct tc_peer *peer, tc_str topic)
{
    return tc_peer_is(peer, TC_ROLE_WATCHER) &&
           (!peer || covers(peer->write, peer->write_count, topic));
}

bool tc_peer_is(const struct tc_peer *peer, enum tc_role role)
{
    return !peer || (peer->roles & (unsigned)role) != 0;
}
