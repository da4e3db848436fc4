#include "watcher/match/lucene/lucene.h"

#include "common/mem.h"
#include "watcher/match/lucene/leaf.h"
#include "watcher/match/query_lex.h"

#include <stdlib.h>

// The classic parser reads a flat list of clauses, each with a sign (must, should, must not) that its
// neighbours' operators change; there is no precedence. Clauses become a tree in one place, join():
//
//   something must      AND of these, and NOT of the prohibited; what only should be there is dropped,
//                       because it never changes whether the query matches
//   nothing must        OR of what should, and NOT of the prohibited
//   negatives only      never
//
// Words in the title or the body stand in the scope of that field. A scope is put around the largest part
// of the tree that lies in one field, so that a query without fields is one plain tree in one scope.

enum { SLOPPY_WORDS_MOST = 1000 }; // finding them costs words times places

enum scope {
    SCOPE_FREE, // needs none
    SCOPE_BODY,
    SCOPE_TITLE,
    SCOPE_MIXED, // its parts have theirs
};

struct part {
    struct query_node *node; // NULL: nothing was left of it, as of ""
    enum scope scope;
};

enum occur { OCCUR_SHOULD, OCCUR_MUST, OCCUR_NOT };

struct clause {
    enum occur occur;
    struct part part;
};

struct clauses {
    struct clause *at;
    size_t count, room;
};

struct reader {
    struct lucene_leaves leaves;
    const struct lucene_token *now;
    int depth;
    bool failed;
    struct lucene_forgotten forgotten;
};

static struct part read_query(struct reader *reader, struct lucene_field field);

bool lucene_options_read(tc_str text, struct lucene_options *out, tc_str *unknown)
{
    tc_str rest = text, one;
    *out = (struct lucene_options){0};
    while (tc_str_next(&rest, ',', &one)) {
        if (tc_str_eq(one, TC_STR("op=AND")))
            out->all = true;
        else if (tc_str_eq(one, TC_STR("leadingwild")))
            out->leading_wildcard = true;
        else if (tc_str_eq(one, TC_STR("autophrase")))
            out->auto_phrase = true;
        else if (one.len && !tc_str_eq(one, TC_STR("-")) && !tc_str_eq(one, TC_STR("op=OR"))) {
            *unknown = one;
            return false;
        }
    }
    return true;
}

const char *lucene_options_text(const struct lucene_options *options)
{
    static const char *const texts[] = {
        "",
        "op=AND",
        "leadingwild",
        "op=AND,leadingwild",
        "autophrase",
        "op=AND,autophrase",
        "leadingwild,autophrase",
        "op=AND,leadingwild,autophrase",
    };
    return texts[options->all + 2 * options->leading_wildcard + 4 * options->auto_phrase];
}

// ---- scopes --------------------------------------------------------------------------------

static struct query_node *parent(struct reader *reader, enum query_op op, size_t children)
{
    return query_node_new(reader->leaves.arena, op, children);
}

static struct query_node *over(struct reader *reader, enum query_op op, struct query_node *child)
{
    struct query_node *node = parent(reader, op, 1);
    node->children[0] = child;
    node->from = child->from;
    node->to = child->to;
    return node;
}

// The part's node with its scope around it.
static struct query_node *scoped(struct reader *reader, struct part part)
{
    if (part.scope != SCOPE_BODY && part.scope != SCOPE_TITLE)
        return part.node;
    return over(reader, part.scope == SCOPE_BODY ? QUERY_BODY : QUERY_TITLE, part.node);
}

static enum scope scope_of_both(enum scope a, enum scope b)
{
    return a == SCOPE_FREE ? b : b == SCOPE_FREE || a == b ? a : SCOPE_MIXED;
}

static enum scope scope_of_leaf(const struct query_node *node, struct lucene_field field)
{
    if (node->op == QUERY_NEVER)
        return SCOPE_FREE;
    return field.kept == LUCENE_TITLE  ? SCOPE_TITLE
           : field.kept == LUCENE_BODY ? SCOPE_BODY
                                       : SCOPE_MIXED;
}

// ---- clauses -------------------------------------------------------------------------------

static void add(struct clauses *clauses, enum occur occur, struct part part)
{
    clauses->at = tc_room(clauses->at, clauses->count, &clauses->room, sizeof *clauses->at);
    clauses->at[clauses->count++] = (struct clause){occur, part};
}

static enum scope common_scope(const struct clauses *clauses)
{
    enum scope scope = SCOPE_FREE;
    for (size_t i = 0; i < clauses->count; i++)
        scope = scope_of_both(scope, clauses->at[i].part.scope);
    return scope;
}

static size_t count_of(const struct clauses *clauses, enum occur occur)
{
    size_t count = 0;
    for (size_t i = 0; i < clauses->count; i++)
        count += clauses->at[i].occur == occur;
    return count;
}

// The nodes of all clauses of one sign under `op`; a node alone needs no operator.
static struct query_node *gather(struct reader *reader, const struct clauses *clauses,
                                 enum occur occur, enum query_op op, bool mixed)
{
    struct query_node *node = parent(reader, op, count_of(clauses, occur));
    size_t count = 0;
    for (size_t i = 0; i < clauses->count; i++) {
        if (clauses->at[i].occur == occur)
            node->children[count++] =
                mixed ? scoped(reader, clauses->at[i].part) : clauses->at[i].part.node;
    }
    node->from = node->children[0]->from;
    node->to = node->children[count - 1]->to;
    return count == 1 ? node->children[0] : node;
}

// All of `positive` and none of the prohibited clauses. The children of an AND are its own.
static struct query_node *without(struct reader *reader, const struct clauses *clauses,
                                  struct query_node *positive, bool mixed)
{
    size_t count = count_of(clauses, OCCUR_NOT), used = 0;
    if (!count)
        return positive;
    bool join = positive->op == QUERY_AND;
    size_t begun = join ? positive->child_count : 1;
    struct query_node *node = parent(reader, QUERY_AND, begun + count);
    for (; used < begun; used++)
        node->children[used] = join ? positive->children[used] : positive;
    for (size_t i = 0; i < clauses->count; i++) {
        struct part part = clauses->at[i].part;
        if (clauses->at[i].occur == OCCUR_NOT)
            node->children[used++] =
                over(reader, QUERY_NOT, mixed ? scoped(reader, part) : part.node);
    }
    node->from = clauses->at[0].part.node->from;
    node->to = clauses->at[clauses->count - 1].part.node->to;
    return node;
}

static struct part join(struct reader *reader, const struct clauses *clauses)
{
    bool must = count_of(clauses, OCCUR_MUST) > 0;
    enum scope scope = common_scope(clauses);
    bool mixed = scope == SCOPE_MIXED;
    if (!clauses->count)
        return (struct part){NULL, SCOPE_FREE};
    if (!must && !count_of(clauses, OCCUR_SHOULD)) {
        struct query_node *never = parent(reader, QUERY_NEVER, 0);
        never->from = clauses->at[0].part.node->from;
        never->to = clauses->at[clauses->count - 1].part.node->to;
        return (struct part){never, SCOPE_FREE};
    }
    if (must)
        reader->forgotten.optional += count_of(clauses, OCCUR_SHOULD);
    struct query_node *positive = must ? gather(reader, clauses, OCCUR_MUST, QUERY_AND, mixed)
                                       : gather(reader, clauses, OCCUR_SHOULD, QUERY_OR, mixed);
    return (struct part){without(reader, clauses, positive, mixed), scope};
}

// ---- signs ---------------------------------------------------------------------------------

// Adds a clause behind AND, OR or nothing. AND makes the clause before it required, OR makes it
// optional where all are required by default.
static void add_joined(struct reader *reader, struct clauses *clauses, enum lucene_kind joint,
                       enum lucene_kind sign, struct part part)
{
    bool all = reader->leaves.options->all;
    struct clause *before = clauses->count ? &clauses->at[clauses->count - 1] : NULL;
    if (before && before->occur != OCCUR_NOT && joint == LUCENE_AND)
        before->occur = OCCUR_MUST;
    if (before && before->occur != OCCUR_NOT && joint == LUCENE_OR && all)
        before->occur = OCCUR_SHOULD;
    if (!part.node)
        return;
    bool required = all ? joint != LUCENE_OR : joint == LUCENE_AND || sign == LUCENE_PLUS;
    bool prohibited = sign == LUCENE_MINUS || sign == LUCENE_NOT;
    add(clauses, prohibited ? OCCUR_NOT : required ? OCCUR_MUST : OCCUR_SHOULD, part);
}

// ---- terms ---------------------------------------------------------------------------------

static bool is(const struct reader *reader, enum lucene_kind kind)
{
    return reader->now->kind == kind;
}

static bool take(struct reader *reader, enum lucene_kind kind)
{
    if (!is(reader, kind))
        return false;
    reader->now++;
    return true;
}

static void wrong_here(struct reader *reader, const char *code, const char *help,
                       const char *message)
{
    if (!reader->failed)
        lucene_wrong(reader->leaves.place, reader->now->from, reader->now->to, code, help, "%s",
                     message);
    reader->failed = true;
}

static struct part part_of(struct reader *reader, struct query_node *node,
                           struct lucene_field field)
{
    if (!node) {
        reader->failed = true;
        return (struct part){NULL, SCOPE_FREE};
    }
    return (struct part){node, scope_of_leaf(node, field)};
}

// Each word of a text as a clause of its own.
static void add_each(struct reader *reader, struct clauses *clauses, struct lucene_field field,
                     tc_str text, const struct lucene_token *token)
{
    struct query_word *words;
    size_t count = lucene_words(&reader->leaves, field, text, &words);
    for (size_t i = 0; i < count; i++) {
        tc_str written = count == 1 ? token->text : words[i].surface;
        struct query_node *node =
            lucene_leaf(&reader->leaves, field, written, token->from, &words[i], 1, 0);
        node->to = (uint32_t)token->to;
        add(clauses, reader->leaves.options->all ? OCCUR_MUST : OCCUR_SHOULD,
            part_of(reader, node, field));
    }
}

// A term without quotes: its words are clauses, whatever was between them; or a phrase.
static struct part read_term(struct reader *reader, struct lucene_field field)
{
    const struct lucene_token *token = reader->now++;
    struct query_word *words;
    tc_str text;
    if (!lucene_unescape(&reader->leaves, token->text, token->from, &text)) {
        reader->failed = true;
        return (struct part){NULL, SCOPE_FREE};
    }
    if (reader->leaves.options->auto_phrase) {
        size_t count = lucene_words(&reader->leaves, field, text, &words);
        if (!count)
            return (struct part){NULL, SCOPE_FREE};
        return part_of(
            reader, lucene_leaf(&reader->leaves, field, token->text, token->from, words, count, 0),
            field);
    }
    struct clauses clauses = {0};
    add_each(reader, &clauses, field, text, token);
    struct part part = join(reader, &clauses);
    free(clauses.at);
    return part;
}

static struct part read_quoted(struct reader *reader, struct lucene_field field,
                               const struct lucene_token *token, const struct lucene_token *slop)
{
    tc_str inside = tc_str_cut(token->text, 1, token->text.len - 1), text;
    struct query_word *words;
    int moves = 0;
    if (!lucene_unescape(&reader->leaves, inside, token->from + 1, &text) ||
        (slop && !lucene_slop(&reader->leaves, slop, &moves))) {
        reader->failed = true;
        return (struct part){NULL, SCOPE_FREE};
    }
    size_t count = lucene_words(&reader->leaves, field, text, &words);
    if (!count)
        return (struct part){NULL, SCOPE_FREE};
    if (slop && count > SLOPPY_WORDS_MOST) {
        lucene_wrong(reader->leaves.place, token->from, slop->to, "E0117", NULL,
                     "a phrase whose words may be moved has at most %d of them", SLOPPY_WORDS_MOST);
        reader->failed = true;
        return (struct part){NULL, SCOPE_FREE};
    }
    tc_str written = {token->text.ptr, (slop ? slop->to : token->to) - token->from};
    return part_of(reader,
                   lucene_leaf(&reader->leaves, field, written, token->from, words, count, moves),
                   field);
}

static struct part read_range(struct reader *reader, struct lucene_field field)
{
    const struct lucene_token *open = reader->now++, *low, *high;
    low = reader->now;
    if (low->kind < LUCENE_RANGE_TO) {
        wrong_here(reader, "E0104", "[a TO b]", "a range needs two ends");
        return (struct part){NULL, SCOPE_FREE};
    }
    reader->now++;
    bool to = take(reader, LUCENE_RANGE_TO);
    high = reader->now;
    if (!to || high->kind < LUCENE_RANGE_TO) {
        wrong_here(reader, "E0104", "[a TO b]", "a range needs two ends");
        return (struct part){NULL, SCOPE_FREE};
    }
    reader->now++;
    if (!is(reader, LUCENE_RANGE_CLOSE)) {
        wrong_here(reader, "E0102", "[a TO b]", "a range ends with ] or }");
        return (struct part){NULL, SCOPE_FREE};
    }
    const struct lucene_token *close = reader->now++;
    return part_of(reader, lucene_range(&reader->leaves, field, open, low, high, close), field);
}

// Every article, from *:*; a word that is any word, from title:*.
static struct part read_star(struct reader *reader, struct lucene_field field,
                             const struct lucene_token *token)
{
    if (field.kept != LUCENE_ANY)
        return part_of(reader, lucene_wild(&reader->leaves, field, token), field);
    struct query_node *node = parent(reader, QUERY_ALWAYS, 0);
    node->from = (uint32_t)token->from;
    node->to = (uint32_t)token->to;
    return (struct part){node, SCOPE_MIXED};
}

// ^n: it only ranks, and is forgotten. The lexer has seen to the number.
static void read_boost(struct reader *reader)
{
    if (take(reader, LUCENE_CARAT) && take(reader, LUCENE_NUMBER))
        reader->forgotten.boosts++;
}

// Behind a term: ~n and ^n in either order.
static void read_behind(struct reader *reader, const struct lucene_token **fuzzy)
{
    *fuzzy = is(reader, LUCENE_FUZZY) ? reader->now++ : NULL;
    read_boost(reader);
    if (!*fuzzy && is(reader, LUCENE_FUZZY) && reader->now[-1].kind == LUCENE_NUMBER)
        *fuzzy = reader->now++;
}

static struct part read_leaf(struct reader *reader, struct lucene_field field)
{
    const struct lucene_token *token = reader->now, *fuzzy;
    if (token->kind == LUCENE_RANGE_OPEN) {
        struct part range = read_range(reader, field);
        read_boost(reader);
        return range;
    }
    reader->now++;
    read_behind(reader, &fuzzy);
    switch (token->kind) {
    case LUCENE_QUOTED: return read_quoted(reader, field, token, fuzzy);
    case LUCENE_STAR: return read_star(reader, field, token);
    case LUCENE_PREFIX: return part_of(reader, lucene_prefix(&reader->leaves, field, token), field);
    case LUCENE_WILD: return part_of(reader, lucene_wild(&reader->leaves, field, token), field);
    case LUCENE_REGEXP: return part_of(reader, lucene_regexp(&reader->leaves, field, token), field);
    case LUCENE_BARE: return (struct part){NULL, SCOPE_FREE};
    default: break;
    }
    if (fuzzy)
        return part_of(reader, lucene_fuzzy(&reader->leaves, field, token, fuzzy), field);
    const struct lucene_token *behind = reader->now;
    reader->now = token;
    struct part part = read_term(reader, field);
    reader->now = behind;
    return part;
}

// ---- clauses of a query --------------------------------------------------------------------

static struct part read_group(struct reader *reader, struct lucene_field field)
{
    const struct lucene_token *open = reader->now++;
    struct part part = {NULL, SCOPE_FREE};
    if (++reader->depth > QUERY_DEPTH)
        wrong_here(reader, "E0117", NULL, "parentheses are nested deeper than 64");
    else
        part = read_query(reader, field);
    reader->depth--;
    if (!reader->failed && !is(reader, LUCENE_CLOSE)) {
        lucene_wrong(reader->leaves.place, open->from, open->to, "E0102", NULL,
                     "\"(\" is never closed");
        reader->failed = true;
    }
    take(reader, LUCENE_CLOSE);
    read_boost(reader);
    return part;
}

static struct part read_clause(struct reader *reader, struct lucene_field field)
{
    if ((is(reader, LUCENE_TERM) || is(reader, LUCENE_STAR)) &&
        reader->now[1].kind == LUCENE_COLON) {
        tc_str name;
        if (!lucene_unescape(&reader->leaves, reader->now->text, reader->now->from, &name)) {
            reader->failed = true;
            return (struct part){NULL, SCOPE_FREE};
        }
        field = lucene_field_of(name);
        reader->now += 2;
    }
    switch (reader->now->kind) {
    case LUCENE_OPEN: return read_group(reader, field);
    case LUCENE_QUOTED:
    case LUCENE_STAR:
    case LUCENE_PREFIX:
    case LUCENE_WILD:
    case LUCENE_REGEXP:
    case LUCENE_BARE:
    case LUCENE_TERM:
    case LUCENE_RANGE_OPEN: return read_leaf(reader, field);
    case LUCENE_CLOSE:
        if (!reader->depth) {
            wrong_here(reader, "E0103", NULL, "\")\" without \"(\"");
            break;
        }
        __attribute__((fallthrough));
    default: wrong_here(reader, "E0104", "a literal sign needs \\ before it", "a term is missing");
    }
    return (struct part){NULL, SCOPE_FREE};
}

// Terms side by side are read as one text, up to one that belongs to what is behind it. (For Lucene
// this matters where a field keeps its value whole: lang:(de vi) asks for "de vi".)
static bool continues_text(const struct reader *reader, const struct lucene_token *next)
{
    enum lucene_kind behind = next->kind == LUCENE_TERM ? next[1].kind : LUCENE_COLON;
    return !reader->leaves.options->auto_phrase && behind != LUCENE_COLON &&
           behind != LUCENE_STAR && behind != LUCENE_FUZZY && behind != LUCENE_CARAT &&
           behind != LUCENE_AND && behind != LUCENE_OR;
}

static bool read_text(struct reader *reader, struct lucene_field field, struct clauses *clauses)
{
    if (!is(reader, LUCENE_TERM) || !continues_text(reader, reader->now + 1))
        return false;
    bool whole = field.kept == LUCENE_META && field.field != QUERY_FIELD_AUTHOR;
    struct tc_buf joined = {0};
    const struct lucene_token *first = reader->now;
    do {
        tc_str text;
        if (!lucene_unescape(&reader->leaves, reader->now->text, reader->now->from, &text)) {
            reader->failed = true;
            break;
        }
        if (!whole)
            add_each(reader, clauses, field, text, reader->now);
        else if (joined.len)
            tc_buf_byte(&joined, ' ');
        tc_buf_str(&joined, text);
    } while (continues_text(reader, ++reader->now));
    if (whole && !reader->failed)
        add_each(reader, clauses, field, tc_buf_view(&joined), first);
    tc_buf_done(&joined);
    return true;
}

static bool goes_on(const struct reader *reader)
{
    switch (reader->now->kind) {
    case LUCENE_END:
    case LUCENE_CLOSE:
    case LUCENE_COLON:
    case LUCENE_CARAT:
    case LUCENE_FUZZY:
    case LUCENE_NUMBER: return false;
    default: return !reader->failed;
    }
}

static struct part read_query(struct reader *reader, struct lucene_field field)
{
    struct clauses clauses = {0};
    bool first = true;
    do {
        if (!read_text(reader, field, &clauses)) {
            enum lucene_kind joint = LUCENE_END, sign = LUCENE_END;
            if (!first && (is(reader, LUCENE_AND) || is(reader, LUCENE_OR)))
                joint = (reader->now++)->kind;
            if (is(reader, LUCENE_PLUS) || is(reader, LUCENE_MINUS) || is(reader, LUCENE_NOT))
                sign = (reader->now++)->kind;
            struct part part = read_clause(reader, field);
            if (!reader->failed)
                add_joined(reader, &clauses, joint, sign, part);
        }
        first = false;
    } while (goes_on(reader));
    struct part part = {NULL, SCOPE_FREE};
    if (!reader->failed)
        part = join(reader, &clauses);
    free(clauses.at);
    return part;
}

// ---- the whole -----------------------------------------------------------------------------

static void expect_end(struct reader *reader)
{
    if (reader->failed || is(reader, LUCENE_END))
        return;
    if (is(reader, LUCENE_CLOSE))
        wrong_here(reader, "E0103", NULL, "\")\" without \"(\"");
    else
        wrong_here(reader, "E0101", "a literal one needs \\ before it",
                   "this has nothing to belong to");
}

static void warn_of_never(const struct query_node *node, tc_str text,
                          const struct query_place *place)
{
    if (node->op == QUERY_NEVER)
        place->wrong(place, 0, text.len, TC_DIAG_WARNING, "W0212",
                     TC_STR("add a term that must be present, or *:*"),
                     TC_STR("this query never matches: it has negatives only, or none of its "
                            "fields is one of title, body, author, lang, published, source"));
}

struct query_node *lucene_read(tc_str text, const struct text_settings *settings,
                               const struct lucene_options *options, struct tc_arena *arena,
                               const struct query_place *place, struct lucene_forgotten *forgotten)
{
    static const struct lucene_field body = {LUCENE_BODY, QUERY_FIELD_AUTHOR};
    struct query_lexer check = {.text = text, .place = place};
    struct lucene_tokens tokens;
    struct tc_arena *scratch = tc_arena_new();
    struct query_node *root = NULL;
    if (!query_is_text(&check, "a query") || !lucene_lex(text, scratch, place, &tokens))
        goto out;
    struct reader reader = {.leaves = {settings, options, arena, place}, .now = tokens.at};
    struct part part = read_query(&reader, body);
    expect_end(&reader);
    if (reader.failed)
        goto out;
    if (!part.node)
        part.node = parent(&reader, QUERY_NEVER, 0);
    root = over(&reader, QUERY_LUCENE, scoped(&reader, part));
    root->text = tc_arena_str(arena, text);
    warn_of_never(root->children[0], text, place);
    if (forgotten)
        *forgotten = reader.forgotten;

out:
    tc_arena_free(scratch);
    return root;
}
