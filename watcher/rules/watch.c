// One watch: its name, its query or score, its settings, its tests.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "watcher/rules/parts.h"

static bool read_number(struct rules_reader *reader, const struct tc_yaml *node, double *out)
{
    tc_str text = {0};
    char copy[40], *end;
    if (!node || !tc_yaml_str(node, &text, reader->diags))
        return false;
    snprintf(copy, sizeof copy, "%.*s", TC_ARG(text));
    double number = strtod(copy, &end);
    if (text.len == 0 || text.len >= sizeof copy || *end || !isfinite(number)) {
        tc_yaml_wrong(node, "E0117", reader->diags, NULL, "\"%.*s\" is no number", TC_ARG(text));
        return false;
    }
    *out = number;
    return true;
}

// {match: "...", weight: 5}
static bool read_term(struct rules_reader *reader, const struct tc_yaml *map,
                      struct watch_term *term)
{
    static const char *const known[] = {"match", "weight", NULL};
    if (!rules_is_map(reader, map, "a term of a score"))
        return false;
    bool fine = tc_yaml_only(map, known, reader->diags) == 0;
    const struct tc_yaml *match = tc_yaml_get(map, "match"), *weight = tc_yaml_get(map, "weight");
    if (!match || !weight) {
        tc_yaml_wrong(map, "E0117", reader->diags, NULL, "a term needs match: and weight:");
        return false;
    }
    term->query = rules_read_query(reader, match);
    return read_number(reader, weight, &term->weight) && term->query && fine;
}

static void read_score(struct rules_reader *reader, const struct tc_yaml *map, struct watch *watch)
{
    static const char *const known[] = {"threshold", "terms", NULL};
    if (!rules_is_map(reader, map, "score"))
        return;
    tc_yaml_only(map, known, reader->diags);
    const struct tc_yaml *threshold = tc_yaml_get(map, "threshold");
    const struct tc_yaml *list = tc_yaml_get(map, "terms");
    if (!threshold || !list) {
        tc_yaml_wrong(map, "E0117", reader->diags, NULL, "score needs threshold: and terms:");
        return;
    }
    double best = 0;
    read_number(reader, threshold, &watch->threshold);
    if (!rules_is_list(reader, list, "terms"))
        return;
    if (list->count > RULES_TERMS_MOST) {
        tc_yaml_wrong(list, "E0117", reader->diags, NULL, "a score has at most %d terms",
                      RULES_TERMS_MOST);
        return;
    }
    struct watch_term *terms = tc_arena_take(reader->arena, (list->count + 1) * sizeof *terms);
    bool fine = true;
    for (size_t i = 0; i < list->count; i++) {
        fine = read_term(reader, &list->items[i], &terms[i]) && fine;
        best += terms[i].weight > 0 ? terms[i].weight : 0;
    }
    watch->terms = terms;
    watch->term_count = list->count;
    if (fine && !(watch->threshold > 0))
        tc_yaml_wrong(threshold, "E0117", reader->diags, NULL, "a threshold is more than 0");
    else if (fine && best < watch->threshold)
        tc_yaml_wrong(threshold, "E0117", reader->diags, NULL,
                      "the positive weights never reach the threshold");
}

// match: {all_articles: true}, which `where` must narrow.
static void read_all_articles(struct rules_reader *reader, const struct tc_yaml *match,
                              bool narrowed, struct watch *watch)
{
    static const char *const known[] = {"all_articles", NULL};
    tc_yaml_only(match, known, reader->diags);
    tc_yaml_bool(tc_yaml_get(match, "all_articles"), &watch->all_articles, reader->diags);
    if (!watch->all_articles)
        tc_yaml_wrong(match, "E0117", reader->diags, NULL, "all_articles is true or not there");
    else if (!narrowed)
        tc_yaml_wrong(match, "E0117", reader->diags, "add where: {source: ...}",
                      "all_articles needs where: beside it");
}

static void read_what(struct rules_reader *reader, const struct tc_yaml *map, bool narrowed,
                      struct watch *watch)
{
    const struct tc_yaml *match = tc_yaml_get(map, "match"), *score = tc_yaml_get(map, "score");
    if (match && score)
        tc_yaml_wrong(score, "E0117", reader->diags, NULL,
                      "a watch has match: or score:, not both");
    else if (!match && !score && !reader->cut)
        tc_yaml_wrong(map, "E0117", reader->diags, "add match: | and the query",
                      "a watch needs match: or score:");
    if (match && tc_yaml_get(match, "all_articles"))
        read_all_articles(reader, match, narrowed, watch);
    else if (match)
        watch->query = rules_read_query(reader, match);
    if (score)
        read_score(reader, score, watch);
}

// namespace/name, once in all files.
static bool read_full_name(struct rules_reader *reader, const struct tc_yaml *map, tc_str *out)
{
    const struct tc_yaml *node = tc_yaml_get(map, "name");
    tc_str name = {0};
    if (!node) {
        if (!reader->cut)
            tc_yaml_wrong(map, "E0117", reader->diags, NULL, "a watch needs name:");
        return false;
    }
    if (!rules_read_name(reader, node, "name", &name))
        return false;
    size_t len = reader->namespace.len + 1 + name.len;
    char *text = tc_arena_bytes(reader->arena, len + 1);
    memcpy(text, reader->namespace.ptr, reader->namespace.len);
    text[reader->namespace.len] = '/';
    memcpy(text + reader->namespace.len + 1, name.ptr, name.len);
    text[len] = '\0';
    *out = (tc_str){text, len};
    return true;
}

static void refuse_twin(struct rules_reader *reader, const struct tc_yaml *map, tc_str name)
{
    const struct rules_slot *twin = rules_names_find(&reader->names, reader->slots, name);
    char help[300];
    if (!twin)
        twin = rules_find(reader->rules, name);
    if (!twin)
        return;
    snprintf(help, sizeof help, "the other one is in %s:%d", twin->entry->file, twin->line);
    tc_yaml_wrong(tc_yaml_get(map, "name"), "E0117", reader->diags, help,
                  "watch \"%.*s\" is defined twice", TC_ARG(name));
}

static tc_str severity_of(const struct rules_settings *settings)
{
    for (size_t i = 0; i < settings->labels.count; i++) {
        if (tc_str_eq(settings->labels.items[i].key, TC_STR("severity")))
            return settings->labels.items[i].value;
    }
    return TC_STR("info");
}

static void advise_on_tests(struct rules_reader *reader, const struct tc_yaml *map,
                            const struct rules_entry *entry)
{
    const struct tc_yaml *name = tc_yaml_get(map, "name");
    bool negative = false;
    for (size_t i = 0; i < entry->case_count; i++)
        negative = negative || entry->cases[i].expect == RULES_EXPECT_NONE;
    if (reader->bulk || reader->cut || !name || negative)
        return;
    tc_yaml_wrong_span(name, 0, name->text.len, TC_DIAG_WARNING,
                       entry->case_count ? "W0302" : "W0301", reader->diags,
                       entry->case_count ? TC_STR("add a text that must not match: expect: none")
                                         : TC_STR("add tests: with a text that must match and one "
                                                  "that must not"),
                       entry->case_count ? TC_STR("only positive tests")
                                         : TC_STR("a watch without tests"));
}

// What is matched; the definition holds the query as it is written.
static void put_switches_on(struct rules_reader *reader, struct text_switches switches,
                            struct watch *watch)
{
    if (reader->as_written || !switches_any(switches))
        return;
    if (watch->query)
        watch->query = switches_put_on(switches, watch->query, reader->arena, &reader->switched);
    struct watch_term *terms =
        tc_arena_take(reader->arena, (watch->term_count + 1) * sizeof *terms);
    for (size_t i = 0; i < watch->term_count; i++) {
        terms[i] = watch->terms[i];
        terms[i].query =
            switches_put_on(switches, watch->terms[i].query, reader->arena, &reader->switched);
    }
    watch->terms = terms;
}

// Whether texts in Turkish alone can match.
static bool is_turkic(const struct rules_settings *settings)
{
    const struct watch_where *where = &settings->where;
    for (size_t i = 0; i < where->lang_count; i++) {
        if (!tc_str_eq(where->langs[i], TC_STR("tr")) && !tc_str_eq(where->langs[i], TC_STR("az")))
            return false;
    }
    return where->lang_count > 0 && !settings->lucene;
}

// Lucene's own analysis says what its words are.
static void refuse_lucene_switches(struct rules_reader *reader, const struct tc_yaml *map,
                                   const struct rules_settings *settings)
{
    const struct tc_yaml *text = tc_yaml_get(map, "text");
    if (settings->lucene && switches_any(settings->text))
        tc_yaml_wrong(text ? text : map, "E0117", reader->diags,
                      "set text: {marks: keep, stem: [], german_umlauts: keep} for this watch",
                      "dialect: lucene has no switches under text:");
}

static const struct watch_where *where_of(struct rules_reader *reader,
                                          const struct rules_settings *settings)
{
    struct watch_where *where = NULL;
    if (rules_has_where(settings)) {
        where = tc_arena_take(reader->arena, sizeof *where);
        *where = settings->where;
    }
    return where;
}

void rules_read_watch(struct rules_reader *reader, const struct tc_yaml *map)
{
    static const char *const known[] = {
        "name",  "renamed_from", "status", "expires", "labels", "annotations", "where",
        "match", "dialect",      "score",  "text",    "alert",  "tests",       NULL};
    struct rules_entry entry = {.file = reader->file};
    struct rules_settings settings = reader->defaults;
    size_t errors = tc_diags_errors(reader->diags);

    if (!rules_is_map(reader, map, "a watch"))
        return;
    rules_only_keys(reader, map, known);
    if (read_full_name(reader, map, &entry.watch.name))
        refuse_twin(reader, map, entry.watch.name);
    rules_read_settings(reader, map, &settings);
    reader->lucene = settings.lucene;
    refuse_lucene_switches(reader, map, &settings);
    read_what(reader, map, rules_has_where(&settings), &entry.watch);
    entry.cases = rules_read_cases(reader, tc_yaml_get(map, "tests"), &entry.case_count);
    if (tc_diags_errors(reader->diags) == errors) {
        advise_on_tests(reader, map, &entry);
        entry.watch.status = settings.status;
        entry.watch.where = where_of(reader, &settings);
        entry.watch.severity = severity_of(&settings);
        rules_define(reader, &settings, &entry.watch);
        settings.text.turkic = is_turkic(&settings);
        put_switches_on(reader, settings.text, &entry.watch);
    }
    // one with mistakes is kept too, for its name; the file is refused as a whole
    rules_add_slot(
        reader, (struct rules_slot){.entry = rules_entry_new(reader, &entry), .line = map->line});
}
