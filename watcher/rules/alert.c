// `alert`: checked here, carried out by the broker.
#include <stdio.h>

#include "watcher/rules/parts.h"

static void read_when(struct rules_reader *reader, const struct tc_yaml *node,
                      struct rules_alert *alert)
{
    static const char *const words[] = {"first", "every", NULL};
    static const char *const known[] = {"count", "window", NULL};
    int64_t window_ns = 0;
    if (!node)
        return;
    if (node->kind != TC_YAML_MAP) {
        int which = rules_one_of(reader, node, "value of when:, nor {count: 5, window: 1h}", words);
        alert->when = which == 1 ? RULES_WHEN_EVERY : RULES_WHEN_FIRST;
        return;
    }
    const struct tc_yaml *count = tc_yaml_get(node, "count"), *window = tc_yaml_get(node, "window");
    tc_yaml_only(node, known, reader->diags);
    if (!count || !window) {
        tc_yaml_wrong(node, "E0117", reader->diags, "write {count: 5, window: 1h}",
                      "a count in a window needs both");
        return;
    }
    alert->when = RULES_WHEN_COUNT;
    tc_yaml_u64(count, 1, RULES_COUNT_MOST, &alert->count, reader->diags);
    if (tc_yaml_duration(window, &window_ns, reader->diags))
        alert->window = tc_arena_str(reader->arena, window->text);
}

static void read_update(struct rules_reader *reader, const struct tc_yaml *item,
                        struct rules_alert *alert)
{
    static const char *const known[] = {"sources", NULL};
    static const char *const words[] = {"new_language", "correction", NULL};
    if (item->kind == TC_YAML_MAP) {
        if (tc_yaml_only(item, known, reader->diags) == 0)
            tc_yaml_u64(tc_yaml_get(item, "sources"), 2, RULES_COUNT_MOST, &alert->update_sources,
                        reader->diags);
        return;
    }
    int which = rules_one_of(reader, item, "reason for an update, nor sources: 5", words);
    alert->update_new_language = alert->update_new_language || which == 0;
    alert->update_correction = alert->update_correction || which == 1;
}

static void read_updates(struct rules_reader *reader, const struct tc_yaml *list,
                         struct rules_alert *alert)
{
    if (!rules_is_list(reader, list, "update_on"))
        return;
    alert->updates = true;
    alert->update_new_language = alert->update_correction = false;
    alert->update_sources = 0;
    for (size_t i = 0; i < list->count; i++)
        read_update(reader, &list->items[i], alert);
}

static void read_word(struct rules_reader *reader, const struct tc_yaml *map, const char *key,
                      const char *const *words, tc_str *out)
{
    const struct tc_yaml *node = tc_yaml_get(map, key);
    char what[40];
    snprintf(what, sizeof what, "value of %s:", key);
    int which = node ? rules_one_of(reader, node, what, words) : -1;
    if (which >= 0)
        *out = tc_str_of(words[which]);
}

void rules_read_alert(struct rules_reader *reader, const struct tc_yaml *map,
                      struct rules_alert *alert)
{
    static const char *const per[] = {"story", "article", NULL};
    static const char *const correction[] = {"resend", "note", "ignore", NULL};
    static const char *const withdrawn[] = {"retract", "note", NULL};
    int64_t throttle_ns = 0;
    static const char *const known[] = {"when",          "per",          "update_on", "throttle",
                                        "on_correction", "on_withdrawn", NULL};
    if (!rules_is_map(reader, map, "alert"))
        return;
    rules_only_keys(reader, map, known);
    read_when(reader, tc_yaml_get(map, "when"), alert);
    read_updates(reader, tc_yaml_get(map, "update_on"), alert);
    read_word(reader, map, "per", per, &alert->per);
    read_word(reader, map, "on_correction", correction, &alert->on_correction);
    read_word(reader, map, "on_withdrawn", withdrawn, &alert->on_withdrawn);
    const struct tc_yaml *throttle = tc_yaml_get(map, "throttle");
    if (throttle && tc_yaml_duration(throttle, &throttle_ns, reader->diags))
        alert->throttle = tc_arena_str(reader->arena, throttle->text);
}
