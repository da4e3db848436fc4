// Watch files in their canonical form: keys in the order of docs/watch-language.md, queries as the
// matcher understands them, comments where they belong.
//
// The file is read twice from its bytes: once into watches, as for matching, and once into a page of
// entries with comments (fmt.h). The queries of the page are replaced by what is printed
// from the watches' trees; the rest is put in order and written as it is. What was written is then
// read back: unless every watch has the hash that it had, and every comment is there, it is refused.
#include "watcher/rules/fmt.h"

#include <stdlib.h>

#include "watcher/rules/parts.h"

enum { MATCH_INDENT = 6 }; // of the lines of a query below `match: |`

struct formatting {
    struct rules *rules;
    struct rules_reader reader;
    struct tc_arena *arena; // of the page
    struct fmt_page page;
    enum rules_form form;
};

// ---- order ---------------------------------------------------------------------------------

static const char *const root_keys[] = {"tocsin",   "namespace", "test_files", "include",
                                        "defaults", "lists",     "watches",    NULL};
static const char *const watch_keys[] = {
    "name",  "renamed_from", "status", "expires", "labels", "annotations", "where",
    "match", "dialect",      "score",  "text",    "alert",  "tests",       NULL};
static const char *const where_keys[] = {"lang",   "source", "country", "section",
                                         "author", "words",  "max_age", NULL};
static const char *const text_keys[] = {"marks", "stem", "german_umlauts", NULL};
static const char *const alert_keys[] = {"when",          "per",          "update_on", "throttle",
                                         "on_correction", "on_withdrawn", NULL};
static const char *const when_keys[] = {"count", "window", NULL};
static const char *const score_keys[] = {"threshold", "terms", NULL};
static const char *const term_keys[] = {"match", "weight", NULL};
static const char *const test_keys[] = {"name",   "file",   "files", "text",     "title",   "lang",
                                        "source", "expect", "quote", "segments", "stories", NULL};

static size_t rank(tc_str key, const char *const *order)
{
    size_t at = 0;
    while (order[at] && !tc_str_eq(key, tc_str_of(order[at])))
        at++;
    return at;
}

// Puts the keys of a map in order; blank lines between them go.
static void arrange(struct fmt_value *map, const char *const *order, enum fmt_style style)
{
    map->style = style;
    for (size_t i = 1; i < map->count; i++) {
        struct fmt_entry entry = map->entries[i];
        size_t at = i;
        for (; at > 0 && rank(map->entries[at - 1].key, order) > rank(entry.key, order); at--)
            map->entries[at] = map->entries[at - 1];
        map->entries[at] = entry;
    }
    for (size_t i = 0; i < map->count; i++)
        map->entries[i].blank_above = false;
}

static void arrange_at(struct fmt_value *map, const char *key, const char *const *order,
                       enum fmt_style style)
{
    struct fmt_entry *entry = fmt_get(map, key);
    if (entry && entry->value.kind == TC_YAML_MAP)
        arrange(&entry->value, order, style);
}

static void open_list(struct fmt_value *list)
{
    list->style = FMT_OPEN;
    if (list->count > 0)
        list->entries[0].blank_above = false;
}

// ---- queries -------------------------------------------------------------------------------

// All comments inside a value, those of its query strings too, in order to the end of `out`.
static void take_comments(struct fmt_value *value, struct tc_arena *arena, struct fmt_comments *out)
{
    for (size_t i = 0; i < value->count; i++) {
        struct fmt_entry *entry = &value->entries[i];
        bool query = tc_str_eq(entry->key, TC_STR("match")) || tc_str_eq(entry->key, TC_STR("q"));
        struct fmt_comments inside = {0};
        if (query && entry->value.kind == TC_YAML_SCALAR)
            inside = fmt_query_comments(entry->value.text, arena);
        fmt_comments_join(out, &entry->above);
        fmt_comments_join(out, &entry->behind);
        fmt_comments_join(out, &inside);
        take_comments(&entry->value, arena, out);
        fmt_comments_join(out, &entry->after);
    }
}

// Where a new tree has the shape of the old one, its comments stay where they were.
static void carry_comments(struct fmt_value *from, struct fmt_value *to)
{
    if (from->kind != to->kind || (from->kind == TC_YAML_LIST && from->count != to->count))
        return;
    for (size_t i = 0; i < to->count; i++) {
        struct fmt_entry *made = &to->entries[i], *old = &from->entries[i];
        if (from->kind == TC_YAML_MAP) {
            size_t at = 0;
            while (at < from->count && !tc_str_eq(from->entries[at].key, made->key))
                at++;
            if (at == from->count)
                continue;
            old = &from->entries[at];
        }
        fmt_comments_join(&made->above, &old->above);
        fmt_comments_join(&made->behind, &old->behind);
        fmt_comments_join(&made->after, &old->after);
        carry_comments(&old->value, &made->value);
    }
}

// A tree in the place of a query: a word alone would be read as a query string there.
static struct fmt_value whole_tree(const struct query_node *root, struct tc_arena *arena)
{
    struct fmt_value made = fmt_tree(root, arena);
    if (made.kind == TC_YAML_SCALAR) {
        struct fmt_value list = fmt_new(arena, TC_YAML_LIST, 1),
                         map = fmt_new(arena, TC_YAML_MAP, 1);
        list.entries[0].value = made;
        map.entries[0].key = TC_STR("all");
        map.entries[0].value = list;
        made = map;
    }
    made.style = FMT_OPEN;
    return made;
}

// The entry's value becomes a string; what comments it cannot hold go above the entry.
static void make_text(struct formatting *fmt, struct fmt_entry *entry,
                      const struct query_node *root, bool block)
{
    bool was_text = entry->value.kind == TC_YAML_SCALAR;
    tc_str text = was_text ? entry->value.text : (tc_str){0};
    tc_str lines = fmt_query_lines(root, text, FMT_WIDTH - MATCH_INDENT, fmt->arena);
    take_comments(&entry->value, fmt->arena, &entry->above);
    if (block && fmt_is_literal(lines)) {
        entry->value = fmt_scalar(lines);
        entry->value.literal = true;
        return;
    }
    struct fmt_comments comments = fmt_query_comments(text, fmt->arena);
    fmt_comments_join(&entry->above, &comments);
    entry->value = fmt_scalar(fmt_query_line(root, fmt->arena));
    entry->value.quoted = true;
}

static void make_tree(struct formatting *fmt, struct fmt_entry *entry, struct fmt_value made)
{
    struct fmt_value old = entry->value;
    entry->value = made;
    if (old.kind == TC_YAML_SCALAR) {
        struct fmt_comments comments = fmt_query_comments(old.text, fmt->arena);
        fmt_comments_join(&entry->above, &comments);
        return;
    }
    carry_comments(&old, &entry->value);
    take_comments(&old, fmt->arena, &entry->above);
}

// `match`, of a watch (whose string form is a block) or of a term of a score.
static void format_match(struct formatting *fmt, struct fmt_entry *entry,
                         const struct query_node *root, bool block)
{
    bool text = fmt->form == RULES_FORM_TEXT ||
                (fmt->form == RULES_FORM_KEEP && entry->value.kind == TC_YAML_SCALAR);
    if (!root) // all_articles
        return;
    if (text)
        make_text(fmt, entry, root, block);
    else
        make_tree(fmt, entry, whole_tree(root, fmt->arena));
}

// ---- lists ---------------------------------------------------------------------------------

// {q: "..."}, whose comments go above the entry.
static void make_embedded(struct formatting *fmt, struct fmt_entry *entry,
                          const struct query_node *root)
{
    struct fmt_value map = fmt_new(fmt->arena, TC_YAML_MAP, 1);
    take_comments(&entry->value, fmt->arena, &entry->above);
    map.entries[0].key = TC_STR("q");
    map.entries[0].value = fmt_scalar(fmt_query_line(root, fmt->arena));
    entry->value = map;
}

static void format_entries(struct formatting *fmt, struct fmt_value *items,
                           const struct query_list *list, size_t *at)
{
    for (size_t i = 0; i < items->count; i++) {
        const struct query_node *node = list->entries[(*at)++].node;
        struct fmt_entry *entry = &items->entries[i];
        bool text = fmt->form == RULES_FORM_TEXT ||
                    (fmt->form == RULES_FORM_KEEP && fmt_get(&entry->value, "q"));
        if (entry->value.kind != TC_YAML_MAP)
            continue;
        if (text)
            make_embedded(fmt, entry, node);
        else
            make_tree(fmt, entry, fmt_tree(node, fmt->arena));
    }
}

static const struct query_list *list_named(const struct query_lists *lists, tc_str name)
{
    for (size_t i = 0; i < lists->count; i++) {
        if (tc_str_eq(lists->lists[i]->name, name))
            return lists->lists[i];
    }
    return NULL;
}

static void format_lists(struct formatting *fmt, struct fmt_value *lists)
{
    open_list(lists);
    for (size_t i = 0; i < lists->count; i++) {
        struct fmt_value *value = &lists->entries[i].value;
        const struct query_list *list = list_named(&fmt->reader.lists, lists->entries[i].key);
        size_t at = 0;
        if (value->kind == TC_YAML_LIST)
            format_entries(fmt, value, list, &at);
        else
            open_list(value);
        for (size_t k = 0; value->kind == TC_YAML_MAP && k < value->count; k++) {
            value->entries[k].blank_above = false;
            format_entries(fmt, &value->entries[k].value, list, &at);
        }
    }
}

// ---- watches -------------------------------------------------------------------------------

static void format_settings(struct fmt_value *map)
{
    struct fmt_entry *annotations = fmt_get(map, "annotations"), *alert = fmt_get(map, "alert");
    arrange_at(map, "where", where_keys, FMT_FIT);
    arrange_at(map, "text", text_keys, FMT_FIT);
    arrange_at(map, "alert", alert_keys, FMT_FIT);
    if (alert)
        arrange_at(&alert->value, "when", when_keys, FMT_FIT);
    if (annotations)
        annotations->value.style = FMT_OPEN;
}

static void format_tests(struct fmt_value *tests)
{
    open_list(tests);
    for (size_t i = 0; i < tests->count; i++)
        arrange(&tests->entries[i].value, test_keys, FMT_FIT);
}

static void format_score(struct formatting *fmt, struct fmt_value *score, const struct watch *watch,
                         bool ours)
{
    arrange(score, score_keys, FMT_OPEN);
    struct fmt_entry *terms = fmt_get(score, "terms");
    open_list(&terms->value);
    for (size_t i = 0; i < terms->value.count; i++) {
        struct fmt_value *term = &terms->value.entries[i].value;
        arrange(term, term_keys, FMT_FIT);
        if (ours)
            format_match(fmt, fmt_get(term, "match"), watch->terms[i].query, false);
    }
}

// Whether queries are tocsin's own; others stay as they are.
static bool is_ours(const struct fmt_value *watch, const struct fmt_value *defaults)
{
    const struct fmt_entry *dialect = fmt_get(watch, "dialect");
    if (!dialect && defaults)
        dialect = fmt_get(defaults, "dialect");
    return !dialect || tc_str_eq(dialect->value.text, TC_STR("tocsin"));
}

static void format_watch(struct formatting *fmt, struct fmt_entry *entry, const struct watch *watch,
                         const struct fmt_value *defaults)
{
    struct fmt_value *map = &entry->value;
    bool ours = is_ours(map, defaults);
    arrange(map, watch_keys, FMT_OPEN);
    format_settings(map);
    struct fmt_entry *match = fmt_get(map, "match"), *score = fmt_get(map, "score");
    struct fmt_entry *tests = fmt_get(map, "tests");
    if (match && ours)
        format_match(fmt, match, watch->query, true);
    if (score)
        format_score(fmt, &score->value, watch, ours);
    if (tests)
        format_tests(&tests->value);
}

// The comments at the top speak of the file, not of the key that happens to stand first.
static void arrange_root(struct fmt_value *root)
{
    if (root->count == 0)
        return;
    struct fmt_comments top = root->entries[0].above;
    bool blank = root->entries[0].blank_below;
    root->entries[0].above = (struct fmt_comments){0};
    arrange(root, root_keys, FMT_OPEN);
    fmt_comments_join(&top, &root->entries[0].above);
    root->entries[0].above = top;
    root->entries[0].blank_below = blank || root->entries[0].blank_below;
}

static void format_page(struct formatting *fmt)
{
    struct fmt_value *root = &fmt->page.root;
    arrange_root(root);
    struct fmt_entry *defaults = fmt_get(root, "defaults"), *lists = fmt_get(root, "lists");
    struct fmt_entry *watches = fmt_get(root, "watches");
    if (defaults) {
        arrange(&defaults->value, watch_keys, FMT_OPEN);
        format_settings(&defaults->value);
        defaults->blank_above = true;
    }
    if (lists) {
        format_lists(fmt, &lists->value);
        lists->blank_above = true;
    }
    if (!watches)
        return;
    watches->blank_above = true;
    open_list(&watches->value);
    for (size_t i = 0; i < watches->value.count; i++) {
        watches->value.entries[i].blank_above = i > 0;
        format_watch(fmt, &watches->value.entries[i], &fmt->reader.slots[i].entry->watch,
                     defaults ? &defaults->value : NULL);
    }
}

// An item that is a map begins with its first key, so what stands above that key stands above the item.
static void hoist_comments(struct fmt_value *value)
{
    for (size_t i = 0; i < value->count; i++) {
        struct fmt_entry *entry = &value->entries[i];
        bool item = value->kind == TC_YAML_LIST && entry->value.kind == TC_YAML_MAP;
        hoist_comments(&entry->value);
        if (item && entry->value.count > 0)
            fmt_comments_join(&entry->above, &entry->value.entries[0].above);
    }
}

// ---- reading it back -----------------------------------------------------------------------

static void begin(struct formatting *fmt, const char *path, const struct text_settings *settings,
                  struct tc_diags *diags)
{
    *fmt = (struct formatting){.rules = rules_new(settings), .arena = tc_arena_new()};
    fmt->reader = rules_reader_for(fmt->rules, path, diags);
    fmt->reader.as_written = true;
}

static void end(struct formatting *fmt)
{
    rules_reader_done(&fmt->reader);
    rules_drop(fmt->rules);
    tc_arena_free(fmt->arena);
}

static struct fmt_comments comments_of(const struct tc_yaml_file *file, struct tc_arena *arena)
{
    struct fmt_comments comments = {0};
    struct fmt_page page;
    fmt_read(file, arena, &page);
    take_comments(&page.root, arena, &comments);
    fmt_comments_join(&comments, &page.tail);
    return comments;
}

// The first comment of the old file that is not in the new one; each counts once.
static const struct fmt_comment *
lost_comment(const struct tc_yaml_file *old, const struct tc_yaml_file *new, struct tc_arena *arena)
{
    struct fmt_comments before = comments_of(old, arena), after = comments_of(new, arena);
    for (const struct fmt_comment *comment = before.first; comment; comment = comment->next) {
        struct fmt_comment *same = after.first;
        while (same && !(same->at != SIZE_MAX && tc_str_eq(same->text, comment->text)))
            same = same->next;
        if (!same)
            return comment;
        same->at = SIZE_MAX; // taken
    }
    return NULL;
}

static bool same_lists(const struct query_lists *a, const struct query_lists *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        const struct query_list *left = a->lists[i], *right = b->lists[i];
        struct tc_buf one = {0}, other = {0};
        same = tc_str_eq(left->name, right->name) && left->count == right->count;
        for (size_t k = 0; same && k < left->count; k++) {
            tc_buf_clear(&one);
            tc_buf_clear(&other);
            query_print(left->entries[k].node, &one);
            query_print(right->entries[k].node, &other);
            same = tc_str_eq(left->entries[k].lang, right->entries[k].lang) &&
                   tc_str_eq(tc_buf_view(&one), tc_buf_view(&other));
        }
        tc_buf_done(&one);
        tc_buf_done(&other);
    }
    return same;
}

static int differ(const struct formatting *fmt, const char *what, tc_str name, struct tc_err *err)
{
    return tc_fail(err, TC_EINVAL,
                   "%s is left as it is: in its canonical form %s%.*s would not mean the same",
                   fmt->reader.file, what, TC_ARG(name));
}

static int compare(const struct formatting *fmt, const struct formatting *again, struct tc_err *err)
{
    if (fmt->reader.count != again->reader.count)
        return differ(fmt, "the list of watches", TC_STR(""), err);
    for (size_t i = 0; i < fmt->reader.count; i++) {
        const struct rules_entry *old = fmt->reader.slots[i].entry,
                                 *new = again->reader.slots[i].entry;
        if (!tc_id_eq(old->watch.hash, new->watch.hash) || old->case_count != new->case_count)
            return differ(fmt, "watch ", old->watch.name, err);
    }
    if (!same_lists(&fmt->reader.lists, &again->reader.lists))
        return differ(fmt, "a list", TC_STR(""), err);
    return TC_OK;
}

static int read_back(const struct formatting *fmt, const struct tc_yaml_file *file, tc_str text,
                     struct tc_err *err)
{
    struct formatting again;
    struct tc_yaml_file *written = NULL;
    struct tc_diags *diags = tc_diags_new();
    struct tc_err why = {0};
    begin(&again, fmt->reader.file, rules_text_settings(fmt->rules), diags);
    tc_yaml_read_text(tc_str_of(fmt->reader.file), text, again.arena, diags, &written);
    rules_read_root(&again.reader, &written->root, tc_diags_errors(diags) > 0);
    const struct fmt_comment *lost = NULL;
    int code = compare(fmt, &again, err);
    if (tc_diags_result(diags, &why) != TC_OK)
        code = tc_fail(err, TC_EINVAL, "%s is left as it is: its canonical form is wrong: %s",
                       fmt->reader.file, why.text);
    else if (code == TC_OK && (lost = lost_comment(file, written, again.arena)) != NULL)
        code = tc_fail(err, TC_EINVAL, "%s is left as it is: the comment \"%.*s\" would be lost",
                       fmt->reader.file, TC_ARG(lost->text));
    tc_diags_free(diags);
    end(&again);
    return code;
}

static int format(struct formatting *fmt, const struct tc_yaml_file *file, struct tc_buf *out,
                  struct tc_err *err)
{
    rules_read_root(&fmt->reader, &file->root, false);
    int code = tc_diags_result(fmt->reader.diags, err);
    if (code != TC_OK)
        return code;
    fmt_read(file, fmt->arena, &fmt->page);
    format_page(fmt);
    hoist_comments(&fmt->page.root);
    fmt_write(&fmt->page, out);
    return read_back(fmt, file, tc_buf_view(out), err);
}

int rules_format(const char *path, const tc_str *text, enum rules_form form,
                 const struct text_settings *settings, struct tc_buf *out, struct tc_diags *diags,
                 struct tc_err *err)
{
    struct formatting fmt;
    struct tc_yaml_file *file = NULL;
    begin(&fmt, path, settings, diags);
    fmt.form = form;
    int code = text ? tc_yaml_read_text(tc_str_of(path), *text, fmt.arena, diags, &file)
                    : tc_yaml_read(fmt.reader.file, fmt.arena, diags, &file);
    if (code == TC_OK)
        code = format(&fmt, file, out, err);
    end(&fmt);
    return code;
}
