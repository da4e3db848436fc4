// The canonical JSON of a watch: what the broker keeps, and what its hash is made of.
//
// Keys come in one order, labels and annotations sorted, the query in its canonical string form, so
// that the same watch written differently keeps its hash. Lists go in as hashes of their entries: a
// changed list is a changed watch.
#include <stdio.h>
#include <stdlib.h>

#include "common/json.h"
#include "common/mem.h"
#include "watcher/rules/parts.h"
#include "watcher/text/stem.h"

static const char *const status_names[] = {"live", "shadow", "paused", "retired"};

static void put_pairs(struct tc_json *json, const char *key, const struct rules_pairs *pairs)
{
    tc_json_key(json, key);
    tc_json_open(json, '{');
    for (size_t i = 0; i < pairs->count; i++) {
        tc_json_key_str(json, pairs->items[i].key);
        tc_json_str(json, pairs->items[i].value);
    }
    tc_json_close(json, '}');
}

static void put_given(struct tc_json *json, const char *key, tc_str value)
{
    if (value.len > 0)
        tc_json_put_str(json, key, value);
}

static void put_values(struct tc_json *json, const char *key, const tc_str *values, size_t count)
{
    if (count == 0)
        return;
    tc_json_key(json, key);
    tc_json_open(json, '[');
    for (size_t i = 0; i < count; i++)
        tc_json_str(json, values[i]);
    tc_json_close(json, ']');
}

static void put_when(struct tc_json *json, const struct rules_alert *alert)
{
    if (alert->when == RULES_WHEN_UNSET)
        return;
    tc_json_key(json, "when");
    if (alert->when != RULES_WHEN_COUNT) {
        tc_json_str(json, alert->when == RULES_WHEN_EVERY ? TC_STR("every") : TC_STR("first"));
        return;
    }
    tc_json_open(json, '{');
    tc_json_put_u64(json, "count", alert->count);
    tc_json_put_str(json, "window", alert->window);
    tc_json_close(json, '}');
}

static void put_updates(struct tc_json *json, const struct rules_alert *alert)
{
    if (!alert->updates)
        return;
    tc_json_key(json, "update_on");
    tc_json_open(json, '[');
    if (alert->update_new_language)
        tc_json_str(json, TC_STR("new_language"));
    if (alert->update_sources) {
        tc_json_open(json, '{');
        tc_json_put_u64(json, "sources", alert->update_sources);
        tc_json_close(json, '}');
    }
    if (alert->update_correction)
        tc_json_str(json, TC_STR("correction"));
    tc_json_close(json, ']');
}

static void put_alert(struct tc_json *json, const struct rules_alert *alert)
{
    tc_json_key(json, "alert");
    tc_json_open(json, '{');
    put_when(json, alert);
    put_given(json, "per", alert->per);
    put_updates(json, alert);
    put_given(json, "throttle", alert->throttle);
    put_given(json, "on_correction", alert->on_correction);
    put_given(json, "on_withdrawn", alert->on_withdrawn);
    tc_json_close(json, '}');
}

static void put_where(struct tc_json *json, const struct rules_settings *settings)
{
    const struct watch_where *where = &settings->where;
    if (!rules_has_where(settings))
        return;
    tc_json_key(json, "where");
    tc_json_open(json, '{');
    put_values(json, "lang", where->langs, where->lang_count);
    put_values(json, "source", where->sources, where->source_count);
    put_values(json, "country", where->countries, where->country_count);
    put_values(json, "section", where->sections, where->section_count);
    put_values(json, "author", where->authors, where->author_count);
    put_given(json, "words", settings->words);
    put_given(json, "max_age", settings->max_age);
    tc_json_close(json, '}');
}

static void put_query(struct tc_json *json, struct rules_reader *reader,
                      const struct query_node *query)
{
    tc_buf_clear(&reader->query);
    query_print(query, &reader->query);
    tc_json_put_str(json, "query", tc_buf_view(&reader->query));
}

// The query's text alone does not say how it is read.
static void put_dialect(struct tc_json *json, const struct rules_reader *reader,
                        const struct watch *watch)
{
    const struct query_node *query = watch->term_count ? watch->terms[0].query : watch->query;
    if (!query || query->op != QUERY_LUCENE)
        return;
    tc_json_put_str(json, "dialect", TC_STR("lucene"));
    put_given(json, "lucene_options",
              tc_str_of(lucene_options_text(&rules_dialect_of(reader->rules)->options)));
}

static void put_text(struct tc_json *json, struct text_switches switches)
{
    if (!switches_any(switches))
        return;
    tc_json_key(json, "text");
    tc_json_open(json, '{');
    if (switches.marks_folded)
        tc_json_put_str(json, "marks", TC_STR("fold"));
    if (switches.stems) {
        tc_json_key(json, "stem");
        tc_json_open(json, '[');
        for (int i = 0; i < STEM_LANGUAGES_MOST; i++) {
            if (switches.stems >> i & 1)
                tc_json_str(json, tc_str_of(stem_code(i)));
        }
        tc_json_close(json, ']');
    }
    if (switches.umlauts_expanded)
        tc_json_put_str(json, "german_umlauts", TC_STR("expand"));
    tc_json_close(json, '}');
}

static void put_score(struct tc_json *json, struct rules_reader *reader, const struct watch *watch)
{
    if (watch->term_count == 0)
        return;
    tc_json_key(json, "score");
    tc_json_open(json, '{');
    tc_json_key(json, "threshold");
    tc_json_real(json, watch->threshold);
    tc_json_key(json, "terms");
    tc_json_open(json, '[');
    for (size_t i = 0; i < watch->term_count; i++) {
        tc_json_open(json, '{');
        put_query(json, reader, watch->terms[i].query);
        tc_json_key(json, "weight");
        tc_json_real(json, watch->terms[i].weight);
        tc_json_close(json, '}');
    }
    tc_json_close(json, ']');
    tc_json_close(json, '}');
}

// ---- lists ---------------------------------------------------------------------------------

struct used { // lists that a watch names, itself or through other lists, each once
    const struct query_list **lists;
    size_t count, capacity;
    uint32_t expressions; // in all of it
};

static void collect(const struct query_node *node, struct used *used)
{
    if (!node)
        return;
    for (size_t i = 0; i < node->child_count; i++)
        collect(node->children[i], used);
    used->expressions += node->op == QUERY_REGEX;
    if (node->op != QUERY_LIST)
        return;
    for (size_t i = 0; i < used->count; i++) {
        if (used->lists[i] == node->list)
            return;
    }
    used->lists =
        tc_room(used->lists, used->count, &used->capacity, sizeof(const struct query_list *));
    used->lists[used->count++] = node->list;
    for (size_t i = 0; i < node->list->count; i++)
        collect(node->list->entries[i].node, used);
}

static int by_name(const void *a, const void *b)
{
    const struct query_list *const *left = a, *const *right = b;
    return tc_str_cmp((*left)->name, (*right)->name);
}

static void put_lists(struct tc_json *json, struct watch *watch)
{
    struct used used = {0};
    collect(watch->query, &used);
    for (size_t i = 0; i < watch->term_count; i++)
        collect(watch->terms[i].query, &used);
    watch->expressions = used.expressions;
    if (used.count == 0)
        return;
    qsort(used.lists, used.count, sizeof(const struct query_list *), by_name);
    tc_json_key(json, "lists");
    tc_json_open(json, '{');
    for (size_t i = 0; i < used.count; i++) {
        struct tc_buf text = {0};
        char hex[TC_ID_TEXT_BYTES];
        for (size_t k = 0; k < used.lists[i]->count; k++) {
            const struct query_list_entry *entry = &used.lists[i]->entries[k];
            tc_buf_addf(&text, "%.*s ", TC_ARG(entry->lang));
            query_print(entry->node, &text);
            tc_buf_byte(&text, '\n');
        }
        tc_id_text(tc_id_of_bytes(tc_buf_view(&text)), hex);
        tc_json_key_str(json, used.lists[i]->name);
        tc_json_str(json, tc_str_of(hex));
        tc_buf_done(&text);
    }
    tc_json_close(json, '}');
    free(used.lists);
}

void rules_define(struct rules_reader *reader, const struct rules_settings *settings,
                  struct watch *watch)
{
    struct tc_buf *text = &reader->definition;
    tc_buf_clear(text);
    struct tc_json json = tc_json_on(text);
    tc_json_open(&json, '{');
    tc_json_put_str(&json, "name", watch->name);
    tc_json_put_str(&json, "severity", watch->severity);
    tc_json_put_str(&json, "status", tc_str_of(status_names[watch->status]));
    put_given(&json, "expires", settings->expires);
    put_given(&json, "renamed_from", settings->renamed_from);
    put_pairs(&json, "labels", &settings->labels);
    put_pairs(&json, "annotations", &settings->annotations);
    put_alert(&json, &settings->alert);
    if (watch->query)
        put_query(&json, reader, watch->query);
    else if (watch->all_articles)
        tc_json_put_str(&json, "query", TC_STR("*"));
    else
        tc_json_put_str(&json, "query", TC_STR(""));
    put_dialect(&json, reader, watch);
    put_text(&json, settings->text);
    put_score(&json, reader, watch);
    put_lists(&json, watch);
    put_where(&json, settings);
    tc_json_close(&json, '}');
    watch->definition = tc_arena_str(reader->arena, tc_buf_view(text));
    watch->hash = tc_id_of_bytes(watch->definition);
}
