#include "watcher/match/plan.h"

#include "common/mem.h"

#include <stdlib.h>

// Two passes would know the sizes; growing arrays are simpler and the slack is given back at the end.
// Children are numbered before their parent: a node's children are laid out first, then their numbers
// are written side by side into kids[].

enum { FEW = 16 }; // children that need no memory of their own while they are laid out

static uint32_t build(struct plan *plan, const struct query_node *node);

// ---- nodes ---------------------------------------------------------------------------------

static uint32_t add_node(struct plan *plan, struct plan_node node)
{
    plan->nodes = tc_room(plan->nodes, plan->node_count, &plan->node_room, sizeof *plan->nodes);
    plan->nodes[plan->node_count] = node;
    return (uint32_t)plan->node_count++;
}

static uint32_t add_kids(struct plan *plan, const uint32_t *kids, size_t count)
{
    size_t first = plan->kid_count;
    for (size_t i = 0; i < count; i++) {
        plan->kids = tc_room(plan->kids, plan->kid_count, &plan->kid_room, sizeof *plan->kids);
        plan->kids[plan->kid_count++] = kids[i];
    }
    return (uint32_t)first;
}

// A node over children: takes their numbers and what they hand up.
static uint32_t add_parent(struct plan *plan, struct plan_node node, const uint32_t *kids,
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        node.flags |= plan->nodes[kids[i]].flags & (PLAN_NEGATES | PLAN_GAPPY);
    if (node.op == PLAN_NOT)
        node.flags |= PLAN_NEGATES;
    if (node.op == PLAN_NEAR || node.op == PLAN_ONEAR || node.op == PLAN_SENTENCE ||
        node.op == PLAN_PARAGRAPH || node.op == PLAN_AND)
        node.flags |= PLAN_GAPPY;
    if (node.op == PLAN_PAGE || node.op == PLAN_LUCENE)
        plan->has_pages = true;
    node.first = add_kids(plan, kids, count);
    node.count = (uint32_t)count;
    return add_node(plan, node);
}

static uint32_t build_words(struct plan *plan, const struct query_node *node)
{
    struct plan_node made = {.op = PLAN_NEVER, .source = node};
    if (node->word_count == 1) {
        made.op = PLAN_WORD;
        made.flags = node->exact || node->words->wild || node->words->edits || node->words->test
                         ? 0
                         : PLAN_PLAIN;
        made.first = terms_of(plan->terms, node->words, node->exact);
    } else if (node->word_count) {
        made.op = node->slop < 0 ? PLAN_PHRASE : node->lucene ? PLAN_SLOPPY : PLAN_WINDOW;
        made.number = node->slop >= 0 ? (uint32_t)node->slop : 0;
        made.flags =
            (uint8_t)((node->slop > 0 ? PLAN_GAPPY : 0) | (node->strict_joins ? PLAN_STRICT : 0) |
                      (node->lucene ? PLAN_RUNNING : 0));
        made.first = (uint32_t)plan->word_count;
        made.count = (uint32_t)node->word_count;
        made.flags |= node->exact ? 0 : PLAN_PLAIN;
        for (size_t i = 0; i < node->word_count; i++) {
            if (node->words[i].wild || node->words[i].edits || node->words[i].test)
                made.flags &= (uint8_t)~PLAN_PLAIN;
            uint32_t term = terms_of(plan->terms, &node->words[i], node->exact);
            plan->words =
                tc_room(plan->words, plan->word_count, &plan->word_room, sizeof *plan->words);
            plan->words[plan->word_count++] = term;
        }
    }
    return add_node(plan, made);
}

static uint32_t build_expression(struct plan *plan, const struct query_node *node)
{
    struct plan_node made = {.op = PLAN_REGEX, .source = node};
    made.first = terms_of_expression(plan->terms, node->expression, &made.number);
    return add_node(plan, made);
}

static uint32_t build_list(struct plan *plan, const struct query_node *node)
{
    const struct query_list *list = node->list;
    tc_str address = {(const char *)&list, sizeof list};
    uint32_t known = dict_find(&plan->lists, address);
    if (known != PLAN_NONE) { // laid out already: the same children under this node
        struct plan_node made = plan->nodes[known];
        made.source = node;
        return add_node(plan, made);
    }
    uint32_t *kids = tc_new((list->count + 1) * sizeof *kids);
    for (size_t i = 0; i < list->count; i++) {
        uint32_t child = build(plan, list->entries[i].node);
        struct plan_node entry = {.op = PLAN_ENTRY, .source = &list->entries[i]};
        kids[i] = add_parent(plan, entry, &child, 1);
    }
    struct plan_node made = {.op = PLAN_OR, .source = node};
    uint32_t number = add_parent(plan, made, kids, list->count);
    *dict_add(&plan->lists, address) = number;
    free(kids);
    return number;
}

static uint32_t add_meta(struct plan *plan, enum query_meta meta, tc_str value, const void *source)
{
    static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    const struct text_query_word *words = NULL;
    if (!plan->arena)
        plan->arena = tc_arena_new();
    size_t count = text_query_words(value, &settings, plan->arena, &words, NULL);
    plan->metas = tc_room(plan->metas, plan->meta_count, &plan->meta_room, sizeof *plan->metas);
    plan->metas[plan->meta_count] =
        (struct plan_meta){meta, value, (uint32_t)plan->meta_word_count, (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        plan->meta_words = tc_room(plan->meta_words, plan->meta_word_count, &plan->meta_word_room,
                                   sizeof *plan->meta_words);
        plan->meta_words[plan->meta_word_count++] = words[i].folded;
    }
    return add_node(plan, (struct plan_node){.op = PLAN_META,
                                             .first = (uint32_t)plan->meta_count++,
                                             .source = source});
}

static enum plan_op op_of(enum query_op op)
{
    switch (op) {
    case QUERY_AND: return PLAN_AND;
    case QUERY_OR: return PLAN_OR;
    case QUERY_NOT: return PLAN_NOT;
    case QUERY_NEAR: return PLAN_NEAR;
    case QUERY_ONEAR: return PLAN_ONEAR;
    case QUERY_NOTNEAR: return PLAN_NOTNEAR;
    case QUERY_EXCEPT: return PLAN_EXCEPT;
    case QUERY_SENTENCE: return PLAN_SENTENCE;
    case QUERY_PARAGRAPH: return PLAN_PARAGRAPH;
    case QUERY_ATLEAST: return PLAN_ATLEAST;
    case QUERY_ANY: return PLAN_ANY;
    case QUERY_FIRST: return PLAN_FIRST;
    case QUERY_TITLE: return PLAN_TITLE;
    case QUERY_LEAD: return PLAN_LEAD;
    case QUERY_BODY: return PLAN_BODY;
    case QUERY_PAGE: return PLAN_PAGE;
    case QUERY_NAMED: return PLAN_NAMED;
    case QUERY_LUCENE: return PLAN_LUCENE;
    case QUERY_ALWAYS: return PLAN_ALWAYS;
    case QUERY_FIELD:
    case QUERY_NEVER:
    case QUERY_WORDS:
    case QUERY_REGEX:
    case QUERY_LIST:
    case QUERY_META: break; // leaves have builders of their own
    }
    return PLAN_NEVER;
}

static uint32_t build_parent(struct plan *plan, const struct query_node *node)
{
    uint32_t few[FEW], *kids = few;
    if (node->child_count > FEW)
        kids = tc_new(node->child_count * sizeof *kids);
    for (size_t i = 0; i < node->child_count; i++)
        kids[i] = build(plan, node->children[i]);
    struct plan_node made = {
        .op = (uint8_t)op_of(node->op), .number = node->number, .source = node};
    uint32_t number = add_parent(plan, made, kids, node->child_count);
    if (kids != few)
        free(kids);
    return number;
}

static uint32_t build(struct plan *plan, const struct query_node *node)
{
    uint32_t made;
    if (plan->depth >= PLAN_DEPTH) {
        plan->too_deep = true;
        return add_node(plan, (struct plan_node){.op = PLAN_NEVER, .source = node});
    }
    plan->depth++;
    switch (node->op) {
    case QUERY_WORDS: made = build_words(plan, node); break;
    case QUERY_LIST: made = build_list(plan, node); break;
    case QUERY_FIELD:
        made = add_node(plan, (struct plan_node){.op = PLAN_FIELD, .source = node});
        break;
    case QUERY_REGEX: made = build_expression(plan, node); break;
    case QUERY_META: made = add_meta(plan, node->meta, node->text, node); break;
    default: made = build_parent(plan, node); break;
    }
    plan->depth--;
    return made;
}

// ---- watches -------------------------------------------------------------------------------

static void where_values(struct plan *plan, enum query_meta meta, const tc_str *values,
                         size_t count, uint32_t *all, size_t *all_count)
{
    if (!count)
        return;
    uint32_t *kids = tc_new(count * sizeof *kids);
    for (size_t i = 0; i < count; i++)
        kids[i] = add_meta(plan, meta, values[i], NULL);
    all[(*all_count)++] = add_parent(plan, (struct plan_node){.op = PLAN_OR}, kids, count);
    free(kids);
}

static uint32_t build_where(struct plan *plan, const struct watch_where *where)
{
    uint32_t all[5];
    size_t count = 0;
    where_values(plan, QUERY_META_LANG, where->langs, where->lang_count, all, &count);
    where_values(plan, QUERY_META_SOURCE, where->sources, where->source_count, all, &count);
    where_values(plan, QUERY_META_COUNTRY, where->countries, where->country_count, all, &count);
    where_values(plan, QUERY_META_SECTION, where->sections, where->section_count, all, &count);
    where_values(plan, QUERY_META_AUTHOR, where->authors, where->author_count, all, &count);
    return count ? add_parent(plan, (struct plan_node){.op = PLAN_AND}, all, count) : PLAN_NONE;
}

bool plan_watch(struct plan *plan, const struct watch *watch, struct plan_watch *out)
{
    struct plan_watch made = {.root = PLAN_NONE};
    plan->too_deep = false;
    if (watch->query) {
        made.root = build(plan, watch->query);
    } else if (watch->term_count) {
        uint32_t *kids = tc_new(watch->term_count * sizeof *kids);
        for (size_t i = 0; i < watch->term_count; i++)
            kids[i] = build(plan, watch->terms[i].query);
        made.first = add_kids(plan, kids, watch->term_count);
        made.count = (uint32_t)watch->term_count;
        free(kids);
    }
    const struct watch_where *where = watch->where;
    made.where = where ? build_where(plan, where) : PLAN_NONE;
    made.all_articles = watch->all_articles;
    made.limits = where && (where->words_least || where->words_most || where->max_age_ns);
    *out = made;
    return !plan->too_deep;
}

// ---- the whole -----------------------------------------------------------------------------

void plan_init(struct plan *plan, struct terms *terms)
{
    *plan = (struct plan){.terms = terms};
    dict_init(&plan->lists, 0); // of addresses of ours: nobody chooses them
}

void plan_done(struct plan *plan)
{
    tc_free(plan->nodes);
    tc_free(plan->kids);
    tc_free(plan->words);
    free(plan->metas);
    free(plan->meta_words);
    dict_done(&plan->lists);
    tc_arena_free(plan->arena);
    *plan = (struct plan){0};
}

void plan_clear(struct plan *plan)
{
    plan->node_count = plan->kid_count = plan->word_count = 0;
    plan->meta_count = plan->meta_word_count = 0;
    dict_clear(&plan->lists);
    if (plan->arena)
        tc_arena_empty(plan->arena);
}

struct plan_mark plan_mark(const struct plan *plan)
{
    return (struct plan_mark){plan->node_count, plan->kid_count,       plan->word_count,
                              plan->meta_count, plan->meta_word_count, plan->lists.count};
}

bool plan_reset(struct plan *plan, const struct plan_mark *mark)
{
    if (plan->lists.count != mark->lists)
        return false;
    plan->node_count = mark->nodes;
    plan->kid_count = mark->kids;
    plan->word_count = mark->words;
    plan->meta_count = mark->metas;
    plan->meta_word_count = mark->meta_words;
    return true;
}

void plan_seal(struct plan *plan, const uint32_t *map)
{
    for (size_t i = 0; i < plan->word_count; i++)
        plan->words[i] = map[plan->words[i]];
    for (size_t i = 0; i < plan->node_count; i++) {
        if (plan_is_term(&plan->nodes[i]))
            plan->nodes[i].first = map[plan->nodes[i].first];
    }
    plan->nodes = tc_grow(plan->nodes, plan->node_count, sizeof *plan->nodes);
    plan->kids = tc_grow(plan->kids, plan->kid_count, sizeof *plan->kids);
    plan->words = tc_grow(plan->words, plan->word_count, sizeof *plan->words);
    plan->node_room = plan->node_count;
    plan->kid_room = plan->kid_count;
    plan->word_room = plan->word_count;
}

size_t plan_bytes(const struct plan *plan)
{
    return plan->node_room * sizeof *plan->nodes +
           (plan->kid_room + plan->word_room) * sizeof(uint32_t) +
           plan->meta_room * sizeof *plan->metas + plan->meta_word_room * sizeof *plan->meta_words +
           dict_bytes(&plan->lists) + (plan->arena ? tc_arena_held(plan->arena) : 0);
}

const struct plan_node *plan_core(const struct plan *plan, uint32_t number)
{
    const struct plan_node *node = &plan->nodes[number];
    for (;;) {
        const struct query_list_entry *entry = node->source;
        if (node->op != PLAN_NAMED && (node->op != PLAN_ENTRY || entry->lang.len))
            return node;
        node = &plan->nodes[*plan_kids(plan, node)];
    }
}

bool plan_only_words(const struct plan *plan, const struct plan_node *core)
{
    if (plan_is_term(core))
        return true;
    if (core->op != PLAN_OR)
        return false;
    for (uint32_t i = 0; i < core->count; i++) {
        if (!plan_is_term(plan_core(plan, plan_kids(plan, core)[i])))
            return false;
    }
    return true;
}
