// The parser: recursive descent over the grammar of docs/watch-language.md, one function a rule.
//
// A mistake is reported and reading goes on as if what was probably meant stood there, so that one
// run finds all mistakes. A term that cannot be read becomes a WORDS node without words; the
// static rules take it for anything. Depth is bounded by QUERY_DEPTH, time is linear.
#include "watcher/match/query.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/mem.h"
#include "watcher/match/expression/expression.h"
#include "watcher/match/query_leaf.h"
#include "watcher/match/query_lex.h"

struct reader {
    struct query_lexer lexer;
    struct query_token now;    // not yet consumed
    size_t last_from, last_to; // of the token before it
    const struct text_settings *settings;
    const struct query_lists *lists;
    struct tc_arena *arena;
    int depth;
    bool too_deep;    // said once
    size_t missed_at; // where a term was missed last, plus one: one mistake there is enough
};

struct children { // of a node that is being read
    struct query_node **items;
    size_t count, capacity;
};

static struct query_node *read_or(struct reader *reader);
static struct query_node *read_atom(struct reader *reader);

struct query_node *query_node_new(struct tc_arena *arena, enum query_op op, size_t children)
{
    struct query_node *node = tc_arena_take(arena, sizeof *node);
    node->op = op;
    node->slop = -1;
    node->child_count = (uint32_t)children;
    if (children > 0)
        node->children = tc_arena_take(arena, children * sizeof(struct query_node *));
    return node;
}

static void advance(struct reader *reader)
{
    reader->last_from = reader->now.from;
    reader->last_to = reader->now.to;
    reader->now = query_lex(&reader->lexer, false);
}

static bool take(struct reader *reader, enum query_token_kind kind)
{
    if (reader->now.kind != kind)
        return false;
    advance(reader);
    return true;
}

static struct query_node *node_at(struct reader *reader, enum query_op op, size_t children,
                                  size_t from, size_t to)
{
    struct query_node *node = query_node_new(reader->arena, op, children);
    node->from = (uint32_t)from;
    node->to = (uint32_t)to;
    return node;
}

// What stands where nothing could be read.
static struct query_node *hole(struct reader *reader)
{
    return node_at(reader, QUERY_WORDS, 0, reader->last_to, reader->last_to);
}

static void children_add(struct children *list, struct query_node *node)
{
    list->items = tc_room(list->items, list->count, &list->capacity, sizeof(struct query_node *));
    list->items[list->count++] = node;
}

// The node of the children collected: the child itself when it is the only one.
static struct query_node *children_join(struct reader *reader, struct children *list,
                                        enum query_op op)
{
    struct query_node *node = list->items[0];
    if (list->count > 1) {
        node = node_at(reader, op, list->count, list->items[0]->from,
                       list->items[list->count - 1]->to);
        memcpy(node->children, list->items, list->count * sizeof(struct query_node *));
    }
    free(list->items);
    *list = (struct children){0};
    return node;
}

static struct query_node *wrap(struct reader *reader, enum query_op op, struct query_node *child,
                               size_t from)
{
    struct query_node *node = node_at(reader, op, 1, from, reader->last_to);
    node->children[0] = child;
    return node;
}

// ---- words, lists, values ------------------------------------------------------------------

static struct query_node *read_words(struct reader *reader, bool exact, size_t from)
{
    struct query_token token = reader->now;
    struct query_leaf leaf = {.from = from,
                              .to = token.to,
                              .text = token.text,
                              .exact = exact,
                              .quoted = token.kind == TOKEN_PHRASE,
                              .tilde = token.tilde};
    leaf.text_from = (size_t)(token.text.ptr - reader->lexer.text.ptr);
    advance(reader);
    return query_leaf_node(&reader->lexer, reader->settings, reader->arena, &leaf);
}

static struct query_node *read_exact(struct reader *reader)
{
    size_t from = reader->now.from, behind = reader->now.to;
    advance(reader);
    bool adjacent = reader->now.from == behind;
    if (adjacent && (reader->now.kind == TOKEN_WORD || reader->now.kind == TOKEN_PHRASE))
        return read_words(reader, true, from);
    if (reader->now.kind != TOKEN_END && reader->now.kind != TOKEN_CLOSE)
        query_wrong(&reader->lexer, from, behind, "E0109", "write it before each word: =US OR =USA",
                    "\"=\" stands directly before a word or a phrase, not before a %s",
                    reader->now.kind == TOKEN_LIST ? "list" : "group");
    return read_atom(reader);
}

static const struct query_list *find_list(const struct query_lists *lists, tc_str name)
{
    for (size_t i = 0; lists && i < lists->count; i++) {
        if (tc_str_eq(lists->lists[i]->name, name))
            return lists->lists[i];
    }
    return NULL;
}

static void unknown_list(struct reader *reader, const struct query_token *token)
{
    size_t count = reader->lists ? reader->lists->count : 0;
    const char **names = tc_arena_take(reader->arena, (count + 1) * sizeof(const char *));
    for (size_t i = 0; i < count; i++)
        names[i] = tc_arena_str(reader->arena, reader->lists->lists[i]->name).ptr;
    const char *near = tc_nearest(token->text, names, count);
    char help[120];
    snprintf(help, sizeof help, "did you mean @%s?", near ? near : "");
    query_wrong(&reader->lexer, token->from, token->to, "E0111", near ? help : NULL,
                "unknown list \"@%.*s\"", TC_ARG(token->text));
}

static struct query_node *read_list(struct reader *reader)
{
    struct query_token token = reader->now;
    advance(reader);
    struct query_node *node = node_at(reader, QUERY_LIST, 0, token.from, token.to);
    node->text = tc_arena_str(reader->arena, token.text);
    node->list = find_list(reader->lists, token.text);
    if (!node->list) {
        unknown_list(reader, &token);
        return node_at(reader, QUERY_WORDS, 0, token.from, token.to);
    }
    return node;
}

static struct query_node *read_regex(struct reader *reader)
{
    struct query_token token = reader->now;
    advance(reader);
    struct query_node *node = node_at(reader, QUERY_REGEX, 0, token.from, token.to);
    struct expression_wrong wrong;
    size_t text_from = (size_t)(token.text.ptr - reader->lexer.text.ptr);
    node->text = tc_arena_str(reader->arena, token.text);
    node->fold_case = token.fold_case;
    node->expression = expression_read(node->text, token.fold_case, reader->arena, &wrong);
    if (!node->expression)
        query_wrong(&reader->lexer, text_from + wrong.from, text_from + wrong.to, "E0117",
                    wrong.help, "%s", wrong.message);
    if (reader->now.kind == TOKEN_WORD && reader->now.from == token.to) {
        query_wrong(&reader->lexer, reader->now.from, reader->now.to, "E0101",
                    "any case: /gpt-?4/i", "only i may stand directly behind an expression");
        advance(reader);
    }
    return node;
}

// A value without the backslashes that made it a word.
static tc_str unescaped(struct tc_arena *arena, tc_str text)
{
    char *out = tc_arena_bytes(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len)
            i++;
        out[len++] = text.ptr[i];
    }
    return (tc_str){out, len};
}

static struct query_node *read_value(struct reader *reader, enum query_meta meta, size_t from)
{
    struct query_token token = reader->now;
    if (token.kind != TOKEN_WORD && token.kind != TOKEN_PHRASE) {
        query_wrong(&reader->lexer, token.from, token.to, "E0104",
                    "one value, or several: source:(wsj.com OR ft.com)",
                    "a value is expected after %s:", query_meta_name(meta));
        return hole(reader);
    }
    advance(reader);
    struct query_node *node = node_at(reader, QUERY_META, 0, from, token.to);
    node->meta = meta;
    node->text = unescaped(reader->arena, token.text);
    if (meta == QUERY_META_LANG && !query_is_language(node->text))
        query_wrong(&reader->lexer, token.from, token.to, "E0117", QUERY_LANGUAGE_HELP,
                    "\"%.*s\" is no language", TC_ARG(node->text));
    if (token.tilde != QUERY_NO_TILDE)
        query_wrong(&reader->lexer, token.from, token.to, "E0117", NULL,
                    "\"~\" has no meaning in a value");
    return node;
}

// source:wsj.com, lang:(de OR fr)
static struct query_node *read_meta(struct reader *reader)
{
    enum query_meta meta = reader->now.meta;
    size_t from = reader->now.from;
    struct children values = {0};

    reader->last_from = reader->now.from;
    reader->last_to = reader->now.to;
    reader->now = query_lex(&reader->lexer, meta == QUERY_META_SOURCE || meta == QUERY_META_URL);
    if (!take(reader, TOKEN_OPEN))
        return read_value(reader, meta, from);
    do
        children_add(&values, read_value(reader, meta, reader->now.from));
    while (take(reader, TOKEN_OR));
    if (!take(reader, TOKEN_CLOSE))
        query_wrong(&reader->lexer, reader->now.from, reader->now.to, "E0102",
                    "values in parentheses are joined with OR",
                    "\")\" is expected after the values of %s:", query_meta_name(meta));
    struct query_node *node = children_join(reader, &values, QUERY_OR);
    node->from = (uint32_t)from;
    node->to = (uint32_t)reader->last_to;
    return node;
}

// ---- groups and functions ------------------------------------------------------------------

static void close_group(struct reader *reader, size_t from, size_t to)
{
    if (!take(reader, TOKEN_CLOSE) && !reader->too_deep)
        query_wrong(&reader->lexer, from, to, "E0102", NULL, "\"(\" is never closed");
}

static struct query_node *read_group(struct reader *reader)
{
    size_t from = reader->now.from, to = reader->now.to;
    advance(reader);
    struct query_node *node = read_or(reader);
    close_group(reader, from, to);
    node->from = (uint32_t)from;
    node->to = (uint32_t)reader->last_to;
    return node;
}

static uint32_t count_within(struct reader *reader, const struct query_token *token, uint32_t most)
{
    if (token->number >= 1 && token->number <= most)
        return token->number;
    query_wrong(&reader->lexer, token->from, token->to, "E0117", NULL,
                "this number is from 1 to %u", most);
    return 1;
}

// Name/n before "(": SENTENCE(q), ATLEAST/3(q), FIRST/50(q), TITLE(q) ...
static struct query_node *read_call(struct reader *reader, enum query_op op, bool number)
{
    struct query_token token = reader->now;
    size_t open = token.to;
    advance(reader);
    if (reader->now.kind != TOKEN_OPEN) {
        query_wrong(&reader->lexer, token.from, token.to, "E0104", NULL,
                    "%s needs \"(\" behind it here, or a term before it", query_op_name(op));
        return reader->now.kind == TOKEN_END ? hole(reader) : read_atom(reader);
    }
    advance(reader);
    struct query_node *child = read_or(reader);
    close_group(reader, open, open + 1);
    struct query_node *node = wrap(reader, op, child, token.from);
    if (number)
        node->number = count_within(reader, &token, QUERY_COUNT_MOST);
    return node;
}

// ANY/2(a, b, c)
static struct query_node *read_any(struct reader *reader)
{
    struct query_token token = reader->now;
    struct children list = {0};
    advance(reader);
    size_t open_from = reader->now.from, open_to = reader->now.to;
    take(reader, TOKEN_OPEN); // the lexer made sure that it stands there
    do
        children_add(&list, read_or(reader));
    while (take(reader, TOKEN_COMMA));
    close_group(reader, open_from, open_to);
    struct query_node *node = node_at(reader, QUERY_ANY, list.count, token.from, reader->last_to);
    memcpy(node->children, list.items, list.count * sizeof(struct query_node *));
    free(list.items);
    node->number = count_within(reader, &token, QUERY_COUNT_MOST);
    if (node->number > node->child_count)
        query_wrong(&reader->lexer, token.from, token.to, "E0117",
                    "arguments are separated by a comma and a blank",
                    "ANY/%u has only %u argument%s", node->number, node->child_count,
                    node->child_count == 1 ? "" : "s");
    return node;
}

// title:x, or TITLE(x)
static struct query_node *read_part(struct reader *reader)
{
    struct query_token token = reader->now;
    advance(reader);
    struct query_node *child = read_atom(reader);
    return wrap(reader, token.op, child, token.from);
}

static struct query_node *read_clause(struct reader *reader)
{
    struct query_token token = reader->now;
    advance(reader);
    struct query_node *node = wrap(reader, QUERY_NAMED, read_atom(reader), token.from);
    node->text = tc_arena_str(reader->arena, token.text);
    return node;
}

// ---- terms ---------------------------------------------------------------------------------

static bool is_not(const struct reader *reader)
{
    return tc_str_eq(tc_str_cut(reader->lexer.text, reader->last_from, reader->last_to),
                     TC_STR("NOT"));
}

static struct query_node *term_expected(struct reader *reader)
{
    const struct query_token *now = &reader->now;
    tc_str text = reader->lexer.text;
    if (now->kind == TOKEN_BAD) { // reported by the lexer
        advance(reader);
        return hole(reader);
    }
    size_t missed_at = reader->missed_at;
    reader->missed_at = now->from + 1;
    if (missed_at > 0 && missed_at == reader->last_from + 1)
        return hole(reader);
    if (reader->last_to == 0 && now->kind == TOKEN_END)
        query_wrong(&reader->lexer, 0, 0, "E0104", NULL, "the query is empty");
    else if (reader->last_to > 0 && (now->kind == TOKEN_END || now->kind == TOKEN_CLOSE))
        query_wrong(&reader->lexer, reader->last_from, reader->last_to, "E0104", NULL,
                    "a term is expected after \"%.*s\"", (int)(reader->last_to - reader->last_from),
                    text.ptr + reader->last_from);
    else
        query_wrong(&reader->lexer, now->from, now->to, "E0104",
                    now->kind == TOKEN_NEAR && is_not(reader) ? "did you mean NOTNEAR?" : NULL,
                    "a term is expected here, not \"%.*s\"", (int)(now->to - now->from),
                    text.ptr + now->from);
    return hole(reader);
}

static struct query_node *read_any_atom(struct reader *reader)
{
    switch (reader->now.kind) {
    case TOKEN_OPEN: return read_group(reader);
    case TOKEN_EQUALS: return read_exact(reader);
    case TOKEN_WORD:
    case TOKEN_PHRASE: return read_words(reader, false, reader->now.from);
    case TOKEN_REGEX: return read_regex(reader);
    case TOKEN_LIST: return read_list(reader);
    case TOKEN_META: return read_meta(reader);
    case TOKEN_PART: return read_part(reader);
    case TOKEN_CLAUSE: return read_clause(reader);
    case TOKEN_SENTENCE: return read_call(reader, QUERY_SENTENCE, false);
    case TOKEN_PARAGRAPH: return read_call(reader, QUERY_PARAGRAPH, false);
    case TOKEN_ATLEAST: return read_call(reader, QUERY_ATLEAST, true);
    case TOKEN_FIRST: return read_call(reader, QUERY_FIRST, true);
    case TOKEN_ANY: return read_any(reader);
    default: return term_expected(reader);
    }
}

static struct query_node *read_atom(struct reader *reader)
{
    if (reader->depth >= QUERY_DEPTH) {
        if (!reader->too_deep)
            query_wrong(&reader->lexer, reader->now.from, reader->now.to, "E0117", NULL,
                        "a query is nested at most %d deep", QUERY_DEPTH);
        reader->too_deep = true;
        reader->lexer.at = reader->lexer.text.len; // nothing sensible can follow
        advance(reader);
        return hole(reader);
    }
    reader->depth++;
    struct query_node *node = read_any_atom(reader);
    reader->depth--;
    return node;
}

static struct query_node *read_boosted(struct reader *reader)
{
    struct query_node *node = read_atom(reader);
    if (reader->now.kind == TOKEN_BOOST) {
        node->boost = reader->now.number;
        node->to = (uint32_t)reader->now.to;
        advance(reader);
    }
    return node;
}

// ---- operators, from tight to loose --------------------------------------------------------

static bool prox_op(enum query_token_kind kind, enum query_op *op)
{
    switch (kind) {
    case TOKEN_NEAR: *op = QUERY_NEAR; return true;
    case TOKEN_ONEAR: *op = QUERY_ONEAR; return true;
    case TOKEN_NOTNEAR: *op = QUERY_NOTNEAR; return true;
    case TOKEN_EXCEPT: *op = QUERY_EXCEPT; return true;
    case TOKEN_SENTENCE: *op = QUERY_SENTENCE; return true;
    case TOKEN_PARAGRAPH: *op = QUERY_PARAGRAPH; return true;
    default: return false;
    }
}

// a SENTENCE b: one SENTENCE around an AND, which grows along a chain.
static struct query_node *join_unit(struct reader *reader, struct query_node *left,
                                    struct query_node *right, enum query_op op, bool chained)
{
    struct query_node *both = NULL;
    size_t before = chained ? left->children[0]->child_count : 1;
    both = node_at(reader, QUERY_AND, before + 1, left->from, right->to);
    if (chained)
        memcpy(both->children, left->children[0]->children, before * sizeof(struct query_node *));
    else
        both->children[0] = left;
    both->children[before] = right;
    return wrap(reader, op, both, left->from);
}

static struct query_node *join_prox(struct reader *reader, struct query_node *left,
                                    struct query_node *right, const struct query_token *token,
                                    enum query_op op, bool chained)
{
    if (op == QUERY_SENTENCE || op == QUERY_PARAGRAPH)
        return join_unit(reader, left, right, op, chained);
    struct query_node *node = node_at(reader, op, 2, left->from, right->to);
    node->children[0] = left;
    node->children[1] = right;
    node->op_from = (uint32_t)token->from;
    node->op_to = (uint32_t)token->to;
    node->number = op == QUERY_EXCEPT ? 0 : token->number;
    if (node->number > QUERY_DISTANCE_MOST) {
        query_wrong(&reader->lexer, token->from, token->to, "E0117",
                    "SENTENCE or PARAGRAPH says it better", "distances go up to %d",
                    QUERY_DISTANCE_MOST);
        node->number = QUERY_DISTANCE_MOST;
    }
    return node;
}

static struct query_node *read_prox(struct reader *reader)
{
    struct query_node *left = read_boosted(reader);
    struct query_token first = {0};
    enum query_op op;
    int links = 0;
    while (prox_op(reader->now.kind, &op)) {
        struct query_token token = reader->now;
        if (links == 0)
            first = token;
        else if (token.kind != first.kind || token.number != first.number)
            query_wrong(&reader->lexer, token.from, token.to, "E0108",
                        "write the parentheses you mean",
                        "different proximity operators in one chain");
        if (++links == QUERY_DEPTH)
            query_wrong(&reader->lexer, token.from, token.to, "E0117", NULL,
                        "a chain has at most %d operators", QUERY_DEPTH - 1);
        advance(reader);
        bool chained = links > 1 && token.kind == first.kind;
        left = join_prox(reader, left, read_boosted(reader), &token, op, chained);
    }
    return left;
}

static struct query_node *read_signed(struct reader *reader)
{
    size_t from = reader->now.from;
    if (!take(reader, TOKEN_NOT))
        return read_prox(reader);
    return wrap(reader, QUERY_NOT, read_prox(reader), from);
}

static bool starts_term(enum query_token_kind kind)
{
    switch (kind) {
    case TOKEN_OPEN:
    case TOKEN_EQUALS:
    case TOKEN_ATLEAST:
    case TOKEN_FIRST:
    case TOKEN_ANY:
    case TOKEN_PART:
    case TOKEN_META:
    case TOKEN_CLAUSE:
    case TOKEN_LIST:
    case TOKEN_WORD:
    case TOKEN_PHRASE:
    case TOKEN_REGEX: return true;
    default: return false;
    }
}

// Whether nothing could be read for a term, not even behind its field; that was reported.
static bool is_hole(const struct query_node *node)
{
    while (node->child_count == 1)
        node = node->children[0];
    return node->op == QUERY_WORDS && node->from == node->to;
}

// Terms side by side: read them all, then offer what can be written instead.
static void side_by_side(struct reader *reader, struct children *parts)
{
    size_t first = parts->count - 1;
    bool words = true;
    struct tc_buf help = {0};
    while (starts_term(reader->now.kind))
        children_add(parts, read_prox(reader));
    size_t from = parts->items[first]->from, to = parts->items[parts->count - 1]->to;
    for (size_t i = first; i < parts->count; i++)
        words = words && parts->items[i]->op == QUERY_WORDS && !parts->items[i]->exact &&
                parts->items[i]->slop < 0 && parts->items[i]->word_count > 0;
    tc_buf_puts(&help, "write one of\n");
    if (words) {
        tc_buf_puts(&help, "\"");
        for (size_t i = first; i < parts->count; i++)
            tc_buf_addf(&help, "%s%.*s", i > first ? " " : "", TC_ARG(parts->items[i]->text));
        tc_buf_puts(&help, "\"   (phrase)\n");
    }
    for (int either = 0; either < 2; either++) {
        for (size_t i = first; i < parts->count; i++)
            tc_buf_addf(&help, "%s%.*s",
                        i == first ? ""
                        : either   ? " OR "
                                   : " AND ",
                        (int)(parts->items[i]->to - parts->items[i]->from),
                        reader->lexer.text.ptr + parts->items[i]->from);
        tc_buf_puts(&help, either ? "" : "\n");
    }
    if (!is_hole(parts->items[first]))
        query_wrong(&reader->lexer, from, to, "E0105", help.ptr,
                    "two terms side by side, no operator between them");
    tc_buf_done(&help);
}

// One AND chain. *mixed is where its first AND, NOT or "-" stands, when it has one.
static struct query_node *read_and(struct reader *reader, struct query_token *mixed)
{
    struct children parts = {0};
    children_add(&parts, read_signed(reader));
    for (;;) {
        enum query_token_kind kind = reader->now.kind;
        if (kind == TOKEN_BAD) { // reported; what follows is read for its mistakes
            advance(reader);
            if (starts_term(reader->now.kind))
                children_add(&parts, read_prox(reader));
            continue;
        }
        if (starts_term(kind)) {
            side_by_side(reader, &parts);
            continue;
        }
        if (kind != TOKEN_AND && kind != TOKEN_NOT)
            break;
        if (mixed->kind == TOKEN_END)
            *mixed = reader->now;
        take(reader, TOKEN_AND);
        children_add(&parts, read_signed(reader));
    }
    return children_join(reader, &parts, QUERY_AND);
}

static void mixed_operators(struct reader *reader, const struct query_token *at)
{
    query_wrong(&reader->lexer, at->from, at->to, "E0107",
                "readings differ between search products; write the parentheses you mean",
                "AND/NOT and OR are mixed without parentheses");
}

static struct query_node *read_or(struct reader *reader)
{
    struct children parts = {0};
    struct query_token mixed = {.kind = TOKEN_END};
    bool said = false;
    children_add(&parts, read_and(reader, &mixed));
    while (reader->now.kind == TOKEN_OR) {
        struct query_token or_token = reader->now;
        bool before = mixed.kind != TOKEN_END;
        advance(reader);
        children_add(&parts, read_and(reader, &mixed));
        if (mixed.kind != TOKEN_END && !said) {
            mixed_operators(reader, before ? &or_token : &mixed);
            said = true;
        }
    }
    return children_join(reader, &parts, QUERY_OR);
}

// ---- whole queries -------------------------------------------------------------------------

// What is left behind a whole query: ")" without "(", or a comma outside ANY.
static struct query_node *read_all(struct reader *reader)
{
    struct query_node *node = read_or(reader);
    while (reader->now.kind != TOKEN_END) {
        struct query_token token = reader->now;
        if (token.kind == TOKEN_CLOSE)
            query_wrong(&reader->lexer, token.from, token.to, "E0103", NULL, "\")\" without \"(\"");
        else if (token.kind != TOKEN_BAD)
            query_wrong(&reader->lexer, token.from, token.to, "E0101",
                        token.kind == TOKEN_COMMA ? "join terms with OR: a OR b" : NULL,
                        "unexpected \"%.*s\"", (int)(token.to - token.from),
                        reader->lexer.text.ptr + token.from);
        advance(reader);
        if (starts_term(reader->now.kind))
            read_or(reader); // for its mistakes
    }
    return node;
}

struct query_node *query_read(tc_str text, const struct text_settings *settings,
                              const struct query_lists *lists, struct tc_arena *arena,
                              const struct query_place *place)
{
    struct reader reader = {.lexer = {.text = text, .place = place},
                            .settings = settings,
                            .lists = lists,
                            .arena = arena};
    if (!query_is_text(&reader.lexer, "a query"))
        return NULL;
    reader.now = query_lex(&reader.lexer, false);
    struct query_node *node = read_all(&reader);
    if (!query_check(node, place) || reader.lexer.errors > 0)
        return NULL;
    return node;
}
