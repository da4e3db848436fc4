// What a watch and `defaults` have in common. A watch's settings begin as a copy of the defaults,
// and each key that it has replaces one; labels, annotations and `where` are laid over key by key.
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"
#include "watcher/rules/parts.h"

// ---- labels and annotations ----------------------------------------------------------------

static void put_pair(struct rules_reader *reader, struct rules_pairs *pairs, tc_str key,
                     tc_str value)
{
    size_t at = 0;
    while (at < pairs->count && tc_str_cmp(pairs->items[at].key, key) < 0)
        at++;
    bool replaces = at < pairs->count && tc_str_eq(pairs->items[at].key, key);
    size_t count = pairs->count + !replaces;
    // a copy: the items may be those of the defaults
    struct rules_pair *items = tc_arena_take(reader->arena, count * sizeof *items);
    if (at > 0)
        memcpy(items, pairs->items, at * sizeof *items);
    items[at] = (struct rules_pair){key, value};
    if (at + 1 < count)
        memcpy(items + at + 1, pairs->items + at + replaces, (count - at - 1) * sizeof *items);
    *pairs = (struct rules_pairs){items, count};
}

static bool is_key(tc_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return text.len > 0 && text.len <= RULES_NAME_BYTES;
}

// Only what is replaced may stand in double braces.
static void check_placeholders(struct rules_reader *reader, const struct tc_yaml *node)
{
    static const char *const known[] = {"title", "source", "quote", "story.sources"};
    tc_str text = node->text;
    for (size_t at = 0; at + 1 < text.len; at++) {
        if (text.ptr[at] != '{' || text.ptr[at + 1] != '{')
            continue;
        const char *end = memmem(text.ptr + at, text.len - at, "}}", 2);
        size_t to = end ? (size_t)(end - text.ptr) : text.len;
        tc_str name = tc_str_trim(tc_str_cut(text, at + 2, to));
        bool found = false;
        for (size_t i = 0; end && i < sizeof known / sizeof *known; i++)
            found = found || tc_str_eq(name, tc_str_of(known[i]));
        if (!found)
            tc_yaml_wrong_span(
                node, at, end ? to + 2 : to, TC_DIAG_ERROR, "E0117", reader->diags,
                TC_STR("{{ title }} {{ source }} {{ quote }} {{ story.sources }} are replaced"),
                end ? TC_STR("nothing is known to put here") : TC_STR("\"{{\" is never closed"));
        at = to;
    }
}

static void read_pairs(struct rules_reader *reader, const struct tc_yaml *map, const char *what,
                       struct rules_pairs *pairs)
{
    if (!rules_is_map(reader, map, what))
        return;
    for (size_t i = 0; i < map->count; i++) {
        tc_str key = map->keys[i].text, value = {0};
        if (!is_key(key)) {
            tc_yaml_wrong(&map->keys[i], "E0117", reader->diags, NULL,
                          "a key of %s is made of a-z, 0-9, \"-\" and \"_\"", what);
            continue;
        }
        if (!tc_yaml_str(&map->items[i], &value, reader->diags))
            continue;
        if (value.len > RULES_TEXT_BYTES) {
            tc_yaml_wrong(&map->items[i], "E0117", reader->diags, NULL,
                          "a text of %s has at most %d bytes", what, RULES_TEXT_BYTES);
            continue;
        }
        put_pair(reader, pairs, tc_arena_str(reader->arena, key),
                 tc_arena_str(reader->arena, value));
    }
    if (pairs->count > RULES_LABELS_MOST)
        tc_yaml_wrong(map, "E0117", reader->diags, NULL, "there are at most %d %s",
                      RULES_LABELS_MOST, what);
}

static void read_labels(struct rules_reader *reader, const struct tc_yaml *map,
                        struct rules_settings *settings)
{
    const struct tc_yaml *severity = tc_yaml_get(map, "severity");
    tc_str name;
    read_pairs(reader, map, "labels", &settings->labels);
    if (severity && severity->kind == TC_YAML_SCALAR)
        rules_read_name(reader, severity, "severity", &name);
}

static void read_annotations(struct rules_reader *reader, const struct tc_yaml *map,
                             struct rules_settings *settings)
{
    read_pairs(reader, map, "annotations", &settings->annotations);
    for (size_t i = 0; map && map->kind == TC_YAML_MAP && i < map->count; i++) {
        if (map->items[i].kind == TC_YAML_SCALAR)
            check_placeholders(reader, &map->items[i]);
    }
}

// ---- where ---------------------------------------------------------------------------------

static void read_values(struct rules_reader *reader, const struct tc_yaml *node,
                        const tc_str **values, size_t *count)
{
    size_t items = node ? node->kind == TC_YAML_LIST ? node->count : 1 : 0;
    if (!node)
        return;
    if (items == 0) {
        tc_yaml_wrong(node, "E0117", reader->diags, NULL, "an empty list never holds");
        return;
    }
    tc_str *texts = tc_arena_take(reader->arena, items * sizeof *texts);
    for (size_t i = 0; i < items; i++) {
        const struct tc_yaml *item = node->kind == TC_YAML_LIST ? &node->items[i] : node;
        if (tc_yaml_str(item, &texts[i], reader->diags))
            texts[i] = tc_arena_str(reader->arena, texts[i]);
    }
    *values = texts;
    *count = items;
}

// One that is no code would never hold.
static void check_languages(struct rules_reader *reader, const struct tc_yaml *node)
{
    size_t items = node ? node->kind == TC_YAML_LIST ? node->count : 1 : 0;
    for (size_t i = 0; i < items; i++) {
        const struct tc_yaml *item = node->kind == TC_YAML_LIST ? &node->items[i] : node;
        if (item->kind == TC_YAML_SCALAR && !query_is_language(item->text))
            tc_yaml_wrong(item, "E0117", reader->diags, QUERY_LANGUAGE_HELP,
                          "\"%.*s\" is no language", TC_ARG(item->text));
    }
}

// One comparison of `words`: ">= 80". Takes it off *rest.
static bool take_comparison(tc_str *rest, struct watch_where *where)
{
    size_t sign = 0, digits;
    uint64_t number;
    *rest = tc_str_trim(*rest);
    while (sign < rest->len && strchr("<>=", rest->ptr[sign]))
        sign++;
    tc_str op = tc_str_cut(*rest, 0, sign);
    tc_str after = tc_str_trim(tc_str_cut(*rest, sign, rest->len));
    for (digits = 0; digits < after.len && after.ptr[digits] >= '0' && after.ptr[digits] <= '9';)
        digits++;
    if (!tc_str_u64(tc_str_cut(after, 0, digits), &number) || number > UINT32_MAX / 2)
        return false;
    uint32_t words = (uint32_t)number;
    if (tc_str_eq(op, TC_STR(">=")))
        where->words_least = words;
    else if (tc_str_eq(op, TC_STR(">")))
        where->words_least = words + 1;
    else if (tc_str_eq(op, TC_STR("<=")) && words > 0)
        where->words_most = words;
    else if (tc_str_eq(op, TC_STR("<")) && words > 1)
        where->words_most = words - 1;
    else
        return false;
    *rest = tc_str_trim(tc_str_cut(after, digits, after.len));
    return true;
}

static void read_words(struct rules_reader *reader, const struct tc_yaml *node,
                       struct rules_settings *settings)
{
    tc_str rest = {0};
    if (!node || !tc_yaml_str(node, &rest, reader->diags))
        return;
    settings->words = tc_arena_str(reader->arena, rest);
    settings->where.words_least = settings->where.words_most = 0;
    do {
        if (!take_comparison(&rest, &settings->where)) {
            tc_yaml_wrong(node, "E0117", reader->diags, "write \">= 80\", \"<= 500\" or both",
                          "\"%.*s\" is no number of words", TC_ARG(node->text));
            return;
        }
    } while (rest.len > 0);
}

bool rules_has_where(const struct rules_settings *settings)
{
    const struct watch_where *where = &settings->where;
    return where->lang_count || where->source_count || where->country_count ||
           where->section_count || where->author_count || settings->words.len ||
           settings->max_age.len;
}

static void read_where(struct rules_reader *reader, const struct tc_yaml *map,
                       struct rules_settings *settings)
{
    static const char *const known[] = {"lang",   "source", "country", "section",
                                        "author", "words",  "max_age", NULL};
    struct watch_where *where = &settings->where;
    if (!rules_is_map(reader, map, "where"))
        return;
    tc_yaml_only(map, known, reader->diags);
    read_values(reader, tc_yaml_get(map, "lang"), &where->langs, &where->lang_count);
    check_languages(reader, tc_yaml_get(map, "lang"));
    read_values(reader, tc_yaml_get(map, "source"), &where->sources, &where->source_count);
    read_values(reader, tc_yaml_get(map, "country"), &where->countries, &where->country_count);
    read_values(reader, tc_yaml_get(map, "section"), &where->sections, &where->section_count);
    read_values(reader, tc_yaml_get(map, "author"), &where->authors, &where->author_count);
    read_words(reader, tc_yaml_get(map, "words"), settings);
    const struct tc_yaml *age = tc_yaml_get(map, "max_age");
    if (age && tc_yaml_duration(age, &where->max_age_ns, reader->diags))
        settings->max_age = tc_arena_str(reader->arena, age->text);
}

// ---- the rest ------------------------------------------------------------------------------

static void read_expires(struct rules_reader *reader, const struct tc_yaml *node,
                         struct rules_settings *settings)
{
    int64_t wall_ns;
    tc_str text = {0};
    if (!node || !tc_yaml_str(node, &text, reader->diags))
        return;
    if (!tc_time_read(text, &wall_ns))
        tc_yaml_wrong(node, "E0117", reader->diags, "write 2026-12-31", "\"%.*s\" is no date",
                      TC_ARG(text));
    settings->expires = tc_arena_str(reader->arena, text);
}

static void read_status(struct rules_reader *reader, const struct tc_yaml *node,
                        struct rules_settings *settings)
{
    static const char *const words[] = {"live", "shadow", "paused", "retired", NULL};
    int which = node ? rules_one_of(reader, node, "status", words) : -1;
    if (which >= 0)
        settings->status = (enum watch_status)which;
}

static void read_dialect(struct rules_reader *reader, const struct tc_yaml *node,
                         struct rules_settings *settings)
{
    static const char *const dialects[] = {"tocsin", "lucene", NULL};
    int which = node ? rules_one_of(reader, node, "dialect", dialects) : -1;
    if (which >= 0)
        settings->lucene = which == 1;
}

void rules_read_settings(struct rules_reader *reader, const struct tc_yaml *map,
                         struct rules_settings *settings)
{
    const struct tc_yaml *renamed = tc_yaml_get(map, "renamed_from");
    if (renamed)
        rules_read_name(reader, renamed, "name", &settings->renamed_from);
    read_status(reader, tc_yaml_get(map, "status"), settings);
    read_expires(reader, tc_yaml_get(map, "expires"), settings);
    read_labels(reader, tc_yaml_get(map, "labels"), settings);
    read_annotations(reader, tc_yaml_get(map, "annotations"), settings);
    read_where(reader, tc_yaml_get(map, "where"), settings);
    rules_read_text(reader, tc_yaml_get(map, "text"), &settings->text);
    read_dialect(reader, tc_yaml_get(map, "dialect"), settings);
    rules_read_alert(reader, tc_yaml_get(map, "alert"), &settings->alert);
}
