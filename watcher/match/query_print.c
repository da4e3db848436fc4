// The canonical string form: one blank between words, only the parentheses that are needed, a
// function for every operator that has one. Reading it back gives the same tree.
#include "common/buf.h"
#include "watcher/match/query.h"
#include "watcher/match/query_lex.h"

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

// A child that needs to bind at least as tight as `least`.
static void print_at(const struct query_node *node, enum level least, struct tc_buf *out)
{
    // a boost ends its atom, so a boosted one in an atom's place needs its own parentheses
    bool group = level_of(node) < least && node->boost == 0;
    if (least == LEVEL_ATOM && node->boost > 0)
        group = true;
    if (group)
        tc_buf_byte(out, '(');
    print(node, out);
    if (group)
        tc_buf_byte(out, ')');
}

static void print_joined(const struct query_node *node, const char *between, enum level least,
                         struct tc_buf *out)
{
    for (size_t i = 0; i < node->child_count; i++) {
        if (i > 0)
            tc_buf_puts(out, between);
        print_at(node->children[i], least, out);
    }
}

// Text in straight quotes; quotes inside get a backslash.
static void print_quoted(tc_str text, struct tc_buf *out)
{
    static const char *const typographic[] = {"\u201c", "\u201d", "\u201e", "\u201f",
                                              "\u00ab", "\u00bb", "\""};
    tc_buf_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        tc_str rest = tc_str_cut(text, i, text.len);
        if (text.ptr[i] == '\\' && i + 1 < text.len) {
            tc_buf_byte(out, text.ptr[i++]);
        } else {
            for (size_t q = 0; q < sizeof typographic / sizeof *typographic; q++) {
                if (tc_str_starts(rest, tc_str_of(typographic[q])))
                    tc_buf_byte(out, '\\');
            }
        }
        tc_buf_byte(out, text.ptr[i]);
    }
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
    print_joined(node, ", ", LEVEL_OR, out);
    tc_buf_byte(out, ')');
}

// a NEAR/5 b: the same operator chains to the left, anything else is put in parentheses.
static void print_prox(const struct query_node *node, struct tc_buf *out)
{
    const struct query_node *left = node->children[0];
    bool chained = left->op == node->op && left->number == node->number && left->boost == 0;
    print_at(left, chained ? LEVEL_PROX : LEVEL_ATOM, out);
    tc_buf_addf(out, " %s", query_op_name(node->op));
    if (node->op != QUERY_EXCEPT)
        tc_buf_addf(out, "/%u", node->number);
    tc_buf_byte(out, ' ');
    print_at(node->children[1], LEVEL_ATOM, out);
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
    case QUERY_LIST: tc_buf_addf(out, "@%.*s", TC_ARG(node->text)); break;
    case QUERY_REGEX:
        tc_buf_addf(out, "/%.*s/%s", TC_ARG(node->text), node->fold_case ? "i" : "");
        break;
    case QUERY_AND: print_joined(node, " AND ", LEVEL_NOT, out); break;
    case QUERY_OR: print_joined(node, " OR ", LEVEL_PROX, out); break;
    case QUERY_NOT:
        tc_buf_puts(out, "NOT ");
        print_at(node->children[0], LEVEL_PROX, out);
        break;
    case QUERY_NEAR:
    case QUERY_ONEAR:
    case QUERY_NOTNEAR:
    case QUERY_EXCEPT: print_prox(node, out); break;
    case QUERY_TITLE:
    case QUERY_LEAD:
    case QUERY_BODY:
        tc_buf_puts(out, query_op_name(node->op));
        print_at(node->children[0], LEVEL_ATOM, out);
        break;
    case QUERY_NAMED:
        tc_buf_addf(out, "%.*s::", TC_ARG(node->text));
        print_at(node->children[0], LEVEL_ATOM, out);
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
