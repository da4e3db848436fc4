// The canonical string form: one blank between words, only the parentheses that are needed, a
// function for every operator that has one. Reading it back gives the same tree.
#include "common/buf.h"
#include "watcher/match/query.h"
#include "watcher/match/query_lex.h"
#include "watcher/match/switches.h"

enum level { LEVEL_OR, LEVEL_AND, LEVEL_NOT, LEVEL_PROX, LEVEL_ATOM };

static void print(const struct query_node *node, struct tc_buf *out);

static enum level level_of(const struct query_node *node)
{
    switch (node->op) {
    case QUERY_OR: return LEVEL_OR;
    case QUERY_AND: return LEVEL_AND;
    case QUERY_NOT: return LEVEL_NOT;
    case QUERY_NEAR:
    case QUERY_ONEAR:
    case QUERY_NOTNEAR:
    case QUERY_EXCEPT: return LEVEL_PROX;
    default: return LEVEL_ATOM;
    }
}

// Whether a child needs parentheses to bind at least as tight as `least`. A boost ends its atom,
// so a boosted one in an atom's place needs its own.
static bool needs_group(const struct query_node *node, enum level least)
{
    return node->boost > 0 ? least == LEVEL_ATOM : level_of(node) < least;
}

static void print_at(const struct query_node *node, enum level least, struct tc_buf *out)
{
    bool group = needs_group(node, least);
    if (group)
        tc_buf_byte(out, '(');
    print(node, out);
    if (group)
        tc_buf_byte(out, ')');
}

// a NEAR/5 b NEAR/5 c needs no parentheses; the same operator chains to the left.
static bool is_chained(const struct query_node *node, const struct query_node *left)
{
    return left->op == node->op && left->number == node->number && left->boost == 0;
}

// How tight the child `index` of an operator must bind.
static enum level level_within(const struct query_node *parent, size_t index)
{
    const struct query_node *child = parent->children[index];
    switch (parent->op) {
    case QUERY_AND: return LEVEL_NOT;
    case QUERY_OR:
    case QUERY_NOT: return LEVEL_PROX;
    case QUERY_NEAR:
    case QUERY_ONEAR:
    case QUERY_NOTNEAR:
    case QUERY_EXCEPT: return index == 0 && is_chained(parent, child) ? LEVEL_PROX : LEVEL_ATOM;
    case QUERY_TITLE:
    case QUERY_LEAD:
    case QUERY_BODY:
    case QUERY_NAMED: return LEVEL_ATOM;
    default: return LEVEL_OR;
    }
}

void query_print_child(const struct query_node *parent, size_t index, struct tc_buf *out)
{
    print_at(parent->children[index], level_within(parent, index), out);
}

static void print_joined(const struct query_node *node, const char *between, struct tc_buf *out)
{
    for (size_t i = 0; i < node->child_count; i++) {
        if (i > 0)
            tc_buf_puts(out, between);
        query_print_child(node, i, out);
    }
}

// Text as it stands between straight quotes: quotes inside get a backslash, and so does a backslash
// at its end, which would take the closing quote.
static void print_inside(tc_str text, struct tc_buf *out)
{
    static const char *const typographic[] = {"\u201c", "\u201d", "\u201e", "\u201f",
                                              "\u00ab", "\u00bb", "\""};
    for (size_t i = 0; i < text.len; i++) {
        tc_str rest = tc_str_cut(text, i, text.len);
        if (text.ptr[i] == '\\' && i + 1 < text.len) {
            tc_buf_byte(out, text.ptr[i++]);
        } else if (text.ptr[i] == '\\') {
            tc_buf_byte(out, '\\');
        } else {
            for (size_t q = 0; q < sizeof typographic / sizeof *typographic; q++) {
                if (tc_str_starts(rest, tc_str_of(typographic[q])))
                    tc_buf_byte(out, '\\');
            }
        }
        tc_buf_byte(out, text.ptr[i]);
    }
}

static void print_quoted(tc_str text, struct tc_buf *out)
{
    tc_buf_byte(out, '"');
    print_inside(text, out);
    tc_buf_byte(out, '"');
}

static void print_words(const struct query_node *node, struct tc_buf *out)
{
    bool plain = query_is_plain_word(node->text) && !node->strict_joins && node->slop < 0;
    if (node->exact)
        tc_buf_byte(out, '=');
    if (plain)
        tc_buf_str(out, node->text);
    else
        print_quoted(node->text, out);
    if (node->slop >= 0)
        tc_buf_addf(out, "~%d", node->slop);
    else if (node->word_count > 0 && node->words[0].edits > 0)
        tc_buf_addf(out, "~%d", node->words[0].edits);
    switches_print(node, out);
}

// A value that needs no quotes: letters, digits and the signs of addresses.
static bool is_plain_value(tc_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !(i > 0 && i + 1 < value.len && (c == '.' || c == '-')))
            return false;
    }
    return value.len > 0 && query_is_plain_word(value);
}

static void print_meta(const struct query_node *node, struct tc_buf *out)
{
    tc_buf_puts(out, query_meta_name(node->meta));
    tc_buf_byte(out, ':');
    if (is_plain_value(node->text)) {
        tc_buf_str(out, node->text);
        return;
    }
    struct tc_buf escaped = {0}; // a value holds no backslashes of its own writing
    for (size_t i = 0; i < node->text.len; i++) {
        if (node->text.ptr[i] == '\\')
            tc_buf_byte(&escaped, '\\');
        tc_buf_byte(&escaped, node->text.ptr[i]);
    }
    print_quoted(tc_buf_view(&escaped), out);
    tc_buf_done(&escaped);
}

static void print_call(const struct query_node *node, struct tc_buf *out)
{
    tc_buf_puts(out, query_op_name(node->op));
    if (node->op == QUERY_ATLEAST || node->op == QUERY_ANY || node->op == QUERY_FIRST)
        tc_buf_addf(out, "/%u", node->number);
    tc_buf_byte(out, '(');
    print_joined(node, ", ", out);
    tc_buf_byte(out, ')');
}

static void print_prox(const struct query_node *node, struct tc_buf *out)
{
    query_print_child(node, 0, out);
    tc_buf_addf(out, " %s", query_op_name(node->op));
    if (node->op != QUERY_EXCEPT)
        tc_buf_addf(out, "/%u", node->number);
    tc_buf_byte(out, ' ');
    query_print_child(node, 1, out);
}

static void print_bare(const struct query_node *node, struct tc_buf *out)
{
    switch (node->op) {
    case QUERY_WORDS:
        if (node->lucene)
            tc_buf_str(out, node->text);
        else
            print_words(node, out);
        break;
    case QUERY_LUCENE: tc_buf_str(out, node->text); break;
    case QUERY_FIELD:
        tc_buf_addf(out, "%s:", query_field_name(node->field));
        print_at(node->children[0], LEVEL_ATOM, out);
        break;
    case QUERY_ALWAYS:
    case QUERY_NEVER: tc_buf_puts(out, query_op_name(node->op)); break;
    case QUERY_META: print_meta(node, out); break;
    case QUERY_LIST:
        if (node->word_count) // the forms of a word, under the switches of `text:`
            print_words(node, out);
        else
            tc_buf_addf(out, "@%.*s", TC_ARG(node->text));
        break;
    case QUERY_REGEX:
        tc_buf_addf(out, "/%.*s/%s", TC_ARG(node->text), node->fold_case ? "i" : "");
        break;
    case QUERY_AND: print_joined(node, " AND ", out); break;
    case QUERY_OR: print_joined(node, " OR ", out); break;
    case QUERY_NOT:
        tc_buf_puts(out, "NOT ");
        query_print_child(node, 0, out);
        break;
    case QUERY_NEAR:
    case QUERY_ONEAR:
    case QUERY_NOTNEAR:
    case QUERY_EXCEPT: print_prox(node, out); break;
    case QUERY_TITLE:
    case QUERY_LEAD:
    case QUERY_BODY:
        tc_buf_puts(out, query_op_name(node->op));
        query_print_child(node, 0, out);
        break;
    case QUERY_NAMED:
        tc_buf_addf(out, "%.*s::", TC_ARG(node->text));
        query_print_child(node, 0, out);
        break;
    default: print_call(node, out); break;
    }
}

static void print(const struct query_node *node, struct tc_buf *out)
{
    bool group = node->boost > 0 && level_of(node) < LEVEL_ATOM;
    if (group)
        tc_buf_byte(out, '(');
    print_bare(node, out);
    if (group)
        tc_buf_byte(out, ')');
    if (node->boost > 0)
        tc_buf_addf(out, "^%u", node->boost);
}

void query_print(const struct query_node *root, struct tc_buf *out)
{
    print(root, out);
}

// ---- parts ---------------------------------------------------------------------------------

void query_print_text(const struct query_node *words, struct tc_buf *out)
{
    if (query_is_plain_word(words->text))
        tc_buf_str(out, words->text);
    else
        print_inside(words->text, out);
}

int query_depth(const struct query_node *root)
{
    bool atom = level_of(root) == LEVEL_ATOM;
    int deepest = 0;
    for (size_t i = 0; i < root->child_count; i++) {
        bool group = needs_group(root->children[i], level_within(root, i));
        int depth = query_depth(root->children[i]) + group;
        deepest = depth > deepest ? depth : deepest;
    }
    // a boosted operator stands in parentheses of its own
    return deepest + (atom || root->boost > 0);
}
