#include "watcher/match/program.h"

#include "common/mem.h"

#include <stdlib.h>

// The words that must all be there come first and together, then what costs little. The words that must
// not be there come behind these, because they seldom decide; what the general evaluator looks at comes
// last.

enum { SHARED_LEAST = 16 }; // entries of a list that is worth sharing

uint32_t program_operands(uint32_t header, uint32_t *terms)
{
    *terms = 0;
    switch ((enum program_kind)program_kind(header)) {
    case PROGRAM_ALL:
    case PROGRAM_ANY:
    case PROGRAM_NONE:
    case PROGRAM_PHRASE: return *terms = program_count(header);
    case PROGRAM_NEAR:
    case PROGRAM_SLOPPY:
    case PROGRAM_ONEAR: return *terms = 2;
    case PROGRAM_LIST:
    case PROGRAM_NODE:
    case PROGRAM_SOME: return 1;
    default: return 0;
    }
}

static void put(struct program_writer *writer, uint32_t number)
{
    writer->code = tc_room(writer->code, writer->count, &writer->room, sizeof *writer->code);
    writer->code[writer->count++] = number;
}

static void put_header(struct program_writer *writer, enum program_kind kind, bool negated,
                       size_t count)
{
    put(writer, (uint32_t)kind | (negated ? PROGRAM_NOT : 0u) | (uint32_t)count << 8);
}

// Of clauses that look for places: where these may be.
static void mark_scope(struct program_writer *writer)
{
    writer->code[writer->count - 1] |= (uint32_t)(writer->scope + 1) << PROGRAM_SCOPE_AT;
}

// Of clauses that ask for presence: the term of the scope.
static void put_term(struct program_writer *writer, uint32_t term)
{
    put(writer, writer->scope == ANCHOR_WHOLE
                    ? term
                    : terms_scoped(writer->plan->terms, term, (enum terms_scope)writer->scope));
}

static void put_node(struct program_writer *writer, const struct plan_node *node, bool negated)
{
    put_header(writer, PROGRAM_NODE, negated, 0);
    mark_scope(writer);
    put(writer, (uint32_t)(node - writer->plan->nodes));
    writer->needs_plan = true;
}

// ---- clauses -------------------------------------------------------------------------------

static void write_clause(struct program_writer *writer, const struct plan_node *core, bool negated);

static const struct plan_node *kid(const struct program_writer *writer,
                                   const struct plan_node *node, uint32_t number)
{
    return plan_core(writer->plan, plan_kids(writer->plan, node)[number]);
}

static void write_words(struct program_writer *writer, const struct plan_node *core, bool negated)
{
    put_header(writer, PROGRAM_ANY, negated, core->count);
    for (uint32_t i = 0; i < core->count; i++)
        put_term(writer, kid(writer, core, i)->first);
}

// A list that other watches may use as well is written once.
static void write_list(struct program_writer *writer, const struct plan_node *core, bool negated)
{
    tc_str address = {(const char *)&core->first, sizeof core->first};
    uint32_t *at = dict_add(&writer->listed, address);
    if (*at == DICT_NONE) {
        *at = (uint32_t)writer->list_count;
        for (uint32_t i = 0; i <= core->count; i++) {
            writer->lists =
                tc_room(writer->lists, writer->list_count, &writer->list_room, sizeof(uint32_t));
            writer->lists[writer->list_count++] = i ? kid(writer, core, i - 1)->first : core->count;
        }
    }
    put_header(writer, PROGRAM_LIST, negated, 0);
    put(writer, *at);
    writer->needs_plan = true; // the list's nodes stay, so that hits need not lay it out again
}

// AND, OR and ANY: clauses in a clause.
static void write_group(struct program_writer *writer, const struct plan_node *core, bool negated)
{
    size_t header = writer->count;
    put(writer, 0);
    if (core->op != PLAN_AND)
        put(writer, core->op == PLAN_OR ? 1 : core->number);
    size_t begun = writer->count;
    for (uint32_t i = 0; i < core->count; i++)
        write_clause(writer, kid(writer, core, i), false);
    size_t length = writer->count - begun;
    if (length > PROGRAM_COUNT_MOST) { // such a monster goes the long way
        writer->count = header;
        put_node(writer, core, negated);
        return;
    }
    writer->code[header] = (uint32_t)(core->op == PLAN_AND ? PROGRAM_EVERY : PROGRAM_SOME) |
                           (negated ? PROGRAM_NOT : 0u) | (uint32_t)length << 8;
}

static void write_or(struct program_writer *writer, const struct plan_node *core, bool negated)
{
    const struct query_node *query = core->source;
    if (!plan_only_words(writer->plan, core))
        write_group(writer, core, negated);
    else if (core->count > PROGRAM_COUNT_MOST)
        put_node(writer, core, negated);
    else if (query && query->op == QUERY_LIST && core->count >= SHARED_LEAST &&
             writer->scope == ANCHOR_WHOLE)
        write_list(writer, core, negated);
    else
        write_words(writer, core, negated);
}

// NEAR of two words. Groups go the long way.
static bool write_near(struct program_writer *writer, const struct plan_node *core, bool negated)
{
    const struct plan_node *first = kid(writer, core, 0), *second = kid(writer, core, 1);
    if (first->op != PLAN_WORD || second->op != PLAN_WORD || core->number > PROGRAM_COUNT_MOST)
        return false;
    put_header(writer, core->op == PLAN_NEAR ? PROGRAM_NEAR : PROGRAM_ONEAR, negated, core->number);
    if (first->flags & second->flags & PLAN_PLAIN)
        writer->code[writer->count - 1] |= PROGRAM_PLAIN;
    mark_scope(writer);
    put(writer, first->first);
    put(writer, second->first);
    return true;
}

static bool write_phrase(struct program_writer *writer, const struct plan_node *core, bool negated)
{
    if (!(core->flags & PLAN_PLAIN) || core->flags & PLAN_STRICT ||
        core->count > PROGRAM_COUNT_MOST)
        return false;
    put_header(writer, PROGRAM_PHRASE, negated, core->count);
    if (core->flags & PLAN_RUNNING)
        writer->code[writer->count - 1] |= PROGRAM_RUNNING;
    mark_scope(writer);
    for (uint32_t i = 0; i < core->count; i++)
        put(writer, writer->plan->words[core->first + i]);
    return true;
}

// Two words. More of them, or one twice, go the long way.
static bool write_sloppy(struct program_writer *writer, const struct plan_node *core, bool negated)
{
    const uint32_t *words = writer->plan->words + core->first;
    if (core->count != 2 || words[0] == words[1] || core->number > PROGRAM_COUNT_MOST)
        return false;
    put_header(writer, PROGRAM_SLOPPY, negated, core->number);
    mark_scope(writer);
    put(writer, words[0]);
    put(writer, words[1]);
    return true;
}

// TITLE and BODY: their child under that scope.
static bool write_scoped(struct program_writer *writer, const struct plan_node *core, bool negated)
{
    int scope = anchors_scope(writer->plan, core);
    if (writer->scope != ANCHOR_WHOLE || scope == ANCHOR_WHOLE)
        return false;
    writer->scope = scope;
    write_clause(writer, kid(writer, core, 0), negated);
    writer->scope = ANCHOR_WHOLE;
    return true;
}

static void write_clause(struct program_writer *writer, const struct plan_node *core, bool negated)
{
    bool written = true;
    switch ((enum plan_op)core->op) {
    case PLAN_WORD:
    case PLAN_REGEX:
        put_header(writer, negated ? PROGRAM_NONE : PROGRAM_ALL, false, 1);
        put_term(writer, core->first);
        break;
    case PLAN_NOT: write_clause(writer, kid(writer, core, 0), !negated); break;
    case PLAN_OR: write_or(writer, core, negated); break;
    case PLAN_AND:
    case PLAN_ANY: write_group(writer, core, negated); break;
    case PLAN_PHRASE: written = write_phrase(writer, core, negated); break;
    case PLAN_NEAR:
    case PLAN_ONEAR: written = write_near(writer, core, negated); break;
    case PLAN_SLOPPY: written = write_sloppy(writer, core, negated); break;
    case PLAN_TITLE:
    case PLAN_BODY: written = write_scoped(writer, core, negated); break;
    case PLAN_NEVER: put_header(writer, negated ? PROGRAM_EVERY : PROGRAM_NEVER, false, 0); break;
    default: written = false; break;
    }
    if (!written)
        put_node(writer, core, negated);
}

// ---- programs ------------------------------------------------------------------------------

// The single words of all clauses together, behind one header.
static void write_single_words(struct program_writer *writer, const struct anchors *anchors,
                               bool negated)
{
    size_t header = writer->count;
    put(writer, 0);
    for (size_t i = 0; i < anchors->clause_count; i++) {
        const struct clause *clause = &anchors->clauses[i];
        const struct plan_node *core = &writer->plan->nodes[clause->node];
        if (!plan_is_term(core) || clause->negated != negated || clause->proven)
            continue;
        writer->scope = clause->scope;
        put_term(writer, core->first);
    }
    size_t words = writer->count - header - 1;
    writer->code[header] = (uint32_t)(negated ? PROGRAM_NONE : PROGRAM_ALL) | (uint32_t)words << 8;
    if (!words)
        writer->count = header;
}

static bool is_slow(const struct plan_node *core)
{
    return core->op != PLAN_OR && core->op != PLAN_PHRASE && core->op != PLAN_NEAR &&
           core->op != PLAN_ONEAR && core->op != PLAN_SLOPPY;
}

static void write_others(struct program_writer *writer, const struct anchors *anchors, bool slow)
{
    for (size_t i = 0; i < anchors->clause_count; i++) {
        const struct clause *clause = &anchors->clauses[i];
        const struct plan_node *core = &writer->plan->nodes[clause->node];
        writer->scope = clause->scope;
        if (!plan_is_term(core) && is_slow(core) == slow && !clause->proven)
            write_clause(writer, core, clause->negated);
    }
}

uint32_t program_write(struct program_writer *writer, const struct anchors *anchors,
                       const struct plan_watch *planned, uint32_t watch)
{
    uint32_t begun = (uint32_t)writer->count;
    writer->needs_plan = false;
    put(writer, watch);
    if (planned->count) {
        put_header(writer, PROGRAM_WATCH, false, 0);
    } else {
        write_single_words(writer, anchors, false);
        write_others(writer, anchors, false);
        write_single_words(writer, anchors, true);
        write_others(writer, anchors, true);
        if (planned->root == PLAN_NONE && !planned->all_articles)
            put_header(writer, PROGRAM_NEVER, false, 0);
        if (planned->limits || planned->where != PLAN_NONE)
            put_header(writer, PROGRAM_WHERE, false, 0);
    }
    writer->needs_plan |= planned->count || planned->limits || planned->where != PLAN_NONE;
    put(writer, PROGRAM_END);
    return begun;
}

bool program_is_empty(const struct program_writer *writer, uint32_t program)
{
    return writer->code[program + 1] == PROGRAM_END;
}

void program_done(struct program_writer *writer)
{
    tc_free(writer->code);
    tc_free(writer->lists);
    dict_done(&writer->listed);
}
