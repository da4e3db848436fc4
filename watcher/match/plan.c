#include "watcher/match/plan.h"

#include "common/mem.h"

#include <stdlib.h>

// Two passes would know the sizes; growing arrays are simpler and the slack is given back at the end.
// Children are numbered before their parent: a node's children are laid out first, then their numbers
// are written side by side into kids[].

struct builder {
    struct plan *plan;
    struct dict patterns; // "f1hormus": form, edits, text -> term
    struct dict lists;    // a list's address -> its node
    int depth;
    bool too_deep;
};

static uint32_t build(struct builder *builder, const struct query_node *node);

// ---- terms ---------------------------------------------------------------------------------

// How often a word is met, guessed by its letters alone. On news that makes matching cost 1.05 to 1.3
// times what it costs with counted frequencies (1,000 to a million watches). Letters of three bytes (Han, Kana) count as words of two.
static float cost_of(tc_str word, bool wild)
{
    static const float by_letters[] = {0.6f,  0.5f,   0.4f,  0.3f,  0.12f, 0.07f,
                                       0.05f, 0.035f, 0.03f, 0.02f, 0.015f};
    size_t letters = 0;
    for (size_t i = 0; i < word.len; i++) {
        unsigned char byte = (unsigned char)word.ptr[i];
        if (byte != '*' && byte != '?' && (byte & 0xc0) != 0x80)
            letters += byte >= 0xe3 ? 2 : 1;
    }
    size_t most = sizeof by_letters / sizeof *by_letters - 1;
    float cost = by_letters[letters < most ? letters : most];
    return wild ? 2 * cost : cost;
}

static uint32_t new_term(struct plan *plan, float cost)
{
    plan->terms = tc_room(plan->terms, plan->term_count, &plan->term_room, sizeof *plan->terms);
    plan->terms[plan->term_count].cost = cost;
    return (uint32_t)plan->term_count++;
}

static uint32_t pattern_term(struct builder *builder, tc_str text, uint8_t edits, bool exact)
{
    struct plan *plan = builder->plan;
    struct tc_buf key = {0};
    tc_buf_addf(&key, "%c%u", exact ? 's' : 'f', (unsigned)edits);
    tc_buf_str(&key, text);
    uint32_t *term = dict_add(&builder->patterns, tc_buf_view(&key));
    tc_buf_done(&key);
    if (*term == PLAN_NONE) {
        *term = new_term(plan, cost_of(text, true));
        pattern_set_add(exact ? plan->surface_patterns : plan->folded_patterns, text, edits, *term);
    }
    return *term;
}

// A test of dialect lucene; its source tells it from others.
static uint32_t test_term(struct builder *builder, const struct query_word *word)
{
    struct plan *plan = builder->plan;
    struct tc_buf key = {0};
    tc_buf_byte(&key, 't');
    tc_buf_str(&key, word->folded);
    uint32_t *term = dict_add(&builder->patterns, tc_buf_view(&key));
    tc_buf_done(&key);
    if (*term == PLAN_NONE) {
        *term = new_term(plan, cost_of(word->folded, true));
        pattern_set_add_test(plan->folded_patterns, word->test, *term);
    }
    return *term;
}

static uint32_t term_of(struct builder *builder, const struct query_word *word, bool exact)
{
    struct plan *plan = builder->plan;
    tc_str text = exact ? word->surface : word->folded;
    if (word->test)
        return test_term(builder, word);
    if (word->wild || word->edits)
        return pattern_term(builder, text, word->edits, exact);
    uint32_t *term = dict_add(exact ? &plan->surface : &plan->folded, text);
    if (*term == PLAN_NONE)
        *term = new_term(plan, cost_of(text, false));
    return *term;
}

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

static uint32_t build_words(struct builder *builder, const struct query_node *node)
{
    struct plan *plan = builder->plan;
    struct plan_node made = {.op = PLAN_NEVER, .source = node};
    if (node->word_count == 1) {
        made.op = PLAN_WORD;
        made.first = term_of(builder, node->words, node->exact);
    } else if (node->word_count) {
        made.op = node->slop < 0 ? PLAN_PHRASE : node->lucene ? PLAN_SLOPPY : PLAN_WINDOW;
        made.number = node->slop >= 0 ? (uint32_t)node->slop : 0;
        made.flags =
            (uint8_t)((node->slop > 0 ? PLAN_GAPPY : 0) | (node->strict_joins ? PLAN_STRICT : 0) |
                      (node->lucene ? PLAN_RUNNING : 0));
        made.first = (uint32_t)plan->word_count;
        made.count = (uint32_t)node->word_count;
        for (size_t i = 0; i < node->word_count; i++) {
            uint32_t term = term_of(builder, &node->words[i], node->exact);
            plan->words =
                tc_room(plan->words, plan->word_count, &plan->word_room, sizeof *plan->words);
            plan->words[plan->word_count++] = term;
        }
    }
    return add_node(plan, made);
}

static uint32_t build_list(struct builder *builder, const struct query_node *node)
{
    struct plan *plan = builder->plan;
    const struct query_list *list = node->list;
    tc_str address = {(const char *)&list, sizeof list};
    uint32_t known = dict_find(&builder->lists, address);
    if (known != PLAN_NONE) { // laid out already: the same children under this node
        struct plan_node made = plan->nodes[known];
        made.source = node;
        return add_node(plan, made);
    }
    uint32_t *kids = tc_new((list->count + 1) * sizeof *kids);
    for (size_t i = 0; i < list->count; i++) {
        uint32_t child = build(builder, list->entries[i].node);
        struct plan_node entry = {.op = PLAN_ENTRY, .source = &list->entries[i]};
        kids[i] = add_parent(plan, entry, &child, 1);
    }
    struct plan_node made = {.op = PLAN_OR, .source = node};
    uint32_t number = add_parent(plan, made, kids, list->count);
    *dict_add(&builder->lists, address) = number;
    free(kids);
    return number;
}

static uint32_t add_meta(struct plan *plan, enum query_meta meta, tc_str value, const void *source)
{
    static const struct text_settings settings = {.words = TEXT_WORDS_TOCSIN};
    const struct text_query_word *words = NULL;
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

static uint32_t build_parent(struct builder *builder, const struct query_node *node)
{
    uint32_t *kids = tc_new((node->child_count + 1) * sizeof *kids);
    for (size_t i = 0; i < node->child_count; i++)
        kids[i] = build(builder, node->children[i]);
    struct plan_node made = {
        .op = (uint8_t)op_of(node->op), .number = node->number, .source = node};
    uint32_t number = add_parent(builder->plan, made, kids, node->child_count);
    free(kids);
    return number;
}

static uint32_t build(struct builder *builder, const struct query_node *node)
{
    uint32_t made;
    if (builder->depth >= PLAN_DEPTH) {
        builder->too_deep = true;
        return add_node(builder->plan, (struct plan_node){.op = PLAN_NEVER, .source = node});
    }
    builder->depth++;
    switch (node->op) {
    case QUERY_WORDS: made = build_words(builder, node); break;
    case QUERY_LIST: made = build_list(builder, node); break;
    case QUERY_FIELD:
        made = add_node(builder->plan, (struct plan_node){.op = PLAN_FIELD, .source = node});
        break;
    case QUERY_META: made = add_meta(builder->plan, node->meta, node->text, node); break;
    default: made = build_parent(builder, node); break;
    }
    builder->depth--;
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

static void build_watch(struct builder *builder, const struct watch *watch)
{
    struct plan *plan = builder->plan;
    struct plan_watch made = {.root = PLAN_NONE};
    if (watch->query) {
        made.root = build(builder, watch->query);
    } else if (watch->term_count) {
        uint32_t *kids = tc_new(watch->term_count * sizeof *kids);
        for (size_t i = 0; i < watch->term_count; i++)
            kids[i] = build(builder, watch->terms[i].query);
        made.first = add_kids(plan, kids, watch->term_count);
        made.count = (uint32_t)watch->term_count;
        free(kids);
    }
    const struct watch_where *where = &watch->where;
    made.where = build_where(plan, where);
    made.all_articles = watch->all_articles;
    made.limits = where->words_least || where->words_most || where->max_age_ns;
    plan->watches[plan->watch_count++] = made;
}

static void give_back(struct plan *plan)
{
    plan->nodes = tc_grow(plan->nodes, plan->node_count, sizeof *plan->nodes);
    plan->kids = tc_grow(plan->kids, plan->kid_count, sizeof *plan->kids);
    plan->words = tc_grow(plan->words, plan->word_count, sizeof *plan->words);
    plan->terms = tc_grow(plan->terms, plan->term_count, sizeof *plan->terms);
}

int plan_new(const struct watch *watches, size_t count, uint64_t key, struct plan **out,
             struct tc_err *err)
{
    int code = TC_OK;
    struct plan *plan = tc_new(sizeof *plan);
    struct builder builder = {.plan = plan};

    plan->arena = tc_arena_new();
    plan->watches = tc_new(count * sizeof *plan->watches);
    dict_init(&plan->folded, key);
    dict_init(&plan->surface, key);
    plan->folded_patterns = pattern_set_new(key);
    plan->surface_patterns = pattern_set_new(key);
    dict_init(&builder.patterns, key);
    dict_init(&builder.lists, key);
    for (size_t i = 0; i < count; i++) {
        build_watch(&builder, &watches[i]);
        if (builder.too_deep) {
            code = tc_fail(err, TC_EINVAL, "watch %.*s: lists are nested deeper than %d",
                           TC_ARG(watches[i].name), (int)PLAN_DEPTH);
            goto out;
        }
    }
    give_back(plan);
    *out = plan;
    plan = NULL;

out:
    dict_done(&builder.patterns);
    dict_done(&builder.lists);
    plan_free(plan);
    return code;
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    free(plan->nodes);
    free(plan->kids);
    free(plan->words);
    free(plan->metas);
    free(plan->meta_words);
    free(plan->watches);
    free(plan->terms);
    dict_done(&plan->folded);
    dict_done(&plan->surface);
    pattern_set_free(plan->folded_patterns);
    pattern_set_free(plan->surface_patterns);
    tc_arena_free(plan->arena);
    free(plan);
}

size_t plan_bytes(const struct plan *plan)
{
    return sizeof *plan + plan->node_count * sizeof *plan->nodes +
           (plan->kid_count + plan->word_count) * sizeof(uint32_t) +
           plan->meta_room * sizeof *plan->metas + plan->meta_word_room * sizeof *plan->meta_words +
           plan->watch_count * sizeof *plan->watches + plan->term_count * sizeof *plan->terms +
           dict_bytes(&plan->folded) + dict_bytes(&plan->surface) +
           pattern_set_bytes(plan->folded_patterns) + pattern_set_bytes(plan->surface_patterns) +
           tc_arena_held(plan->arena);
}
