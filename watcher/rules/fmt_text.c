// A query in its string form, in lines that fit: broken at its outermost operator when it is long or
// when comments stand between its parts.
//
//   # one sentence must carry the advice itself
//   advice::SENTENCE(@ai AND @stay_away)
//   AND origin::(Chin* OR Beijing)  # the country may stand anywhere
#include "watcher/match/query_lex.h"
#include "watcher/rules/fmt.h"

struct part { // an operand and the comments that go with it
    struct fmt_comments above, behind;
};

// ---- comments ------------------------------------------------------------------------------

static void say_nothing(const struct query_place *place, size_t from, size_t to,
                        enum tc_severity severity, const char *code, tc_str help, tc_str message)
{
    (void)place, (void)from, (void)to, (void)severity, (void)code, (void)help, (void)message;
}

// The comments between two tokens: there is nothing else but white space.
static void comments_between(tc_str text, size_t from, size_t to, struct fmt_comments *out,
                             struct tc_arena *arena)
{
    for (size_t at = from; at < to; at++) {
        size_t end = at, start = at;
        if (text.ptr[at] != '#')
            continue;
        while (end < to && text.ptr[end] != '\n')
            end++;
        while (start > 0 && (text.ptr[start - 1] == ' ' || text.ptr[start - 1] == '\t'))
            start--;
        struct fmt_comment *comment = tc_arena_take(arena, sizeof *comment);
        comment->text = tc_str_trim(tc_str_cut(text, at, end));
        comment->at = at;
        comment->alone = start == 0 || text.ptr[start - 1] == '\n';
        fmt_comments_add(out, comment);
        at = end;
    }
}

struct fmt_comments fmt_query_comments(tc_str text, struct tc_arena *arena)
{
    static const struct query_place nowhere = {.wrong = say_nothing};
    struct query_lexer lexer = {.text = text, .place = &nowhere};
    struct fmt_comments found = {0};
    struct query_token token = {0};
    size_t behind = 0;
    do {
        bool address = token.kind == TOKEN_META &&
                       (token.meta == QUERY_META_SOURCE || token.meta == QUERY_META_URL);
        token = query_lex(&lexer, address);
        comments_between(text, behind, token.from, &found, arena);
        behind = token.to;
    } while (token.kind != TOKEN_END);
    return found;
}

// ---- parts ---------------------------------------------------------------------------------

static bool is_breakable(const struct query_node *root)
{
    switch (root->op) {
    case QUERY_AND:
    case QUERY_OR:
    case QUERY_NEAR:
    case QUERY_ONEAR:
    case QUERY_NOTNEAR:
    case QUERY_EXCEPT: return root->boost == 0;
    default: return false;
    }
}

// A comment on its own line goes above the operand that follows or holds it, one behind words behind
// the operand that they belong to.
static struct fmt_comments *place_of(const struct query_node *root,
                                     const struct fmt_comment *comment, struct part *parts,
                                     size_t count)
{
    size_t at = 0;
    if (comment->alone) {
        while (at < count && root->children[at]->to <= comment->at)
            at++;
        return &parts[at].above; // parts[count] is the end
    }
    while (at + 1 < count && root->children[at + 1]->from < comment->at)
        at++;
    return &parts[at].behind;
}

static void put_alone(const struct fmt_comments *comments, struct tc_buf *out)
{
    for (const struct fmt_comment *comment = comments->first; comment; comment = comment->next) {
        tc_buf_str(out, comment->text);
        tc_buf_byte(out, '\n');
    }
}

static void put_operator(const struct query_node *root, struct tc_buf *out)
{
    tc_buf_puts(out, query_op_name(root->op));
    if (root->op == QUERY_NEAR || root->op == QUERY_ONEAR || root->op == QUERY_NOTNEAR)
        tc_buf_addf(out, "/%u", root->number);
    tc_buf_byte(out, ' ');
}

// Of several comments behind one operand, only the last can stay behind it.
static void put_part(const struct query_node *root, size_t index, struct part *part,
                     struct tc_buf *out)
{
    put_alone(&part->above, out);
    for (struct fmt_comment *c = part->behind.first; c && c->next; c = c->next)
        tc_buf_addf(out, "%.*s\n", TC_ARG(c->text));
    if (index > 0)
        put_operator(root, out);
    query_print_child(root, index, out);
    if (part->behind.last)
        tc_buf_addf(out, "  %.*s", TC_ARG(part->behind.last->text));
    tc_buf_byte(out, '\n');
}

static void put_broken(const struct query_node *root, struct fmt_comments *comments,
                       struct tc_arena *arena, struct tc_buf *out)
{
    size_t count = root->child_count;
    struct part *parts = tc_arena_take(arena, (count + 1) * sizeof *parts);
    for (struct fmt_comment *comment = comments->first, *next; comment; comment = next) {
        next = comment->next;
        fmt_comments_add(place_of(root, comment, parts, count), comment);
    }
    for (size_t i = 0; i < count; i++)
        put_part(root, i, &parts[i], out);
    put_alone(&parts[count].above, out);
}

static tc_str keep(struct tc_buf *text, struct tc_arena *arena)
{
    tc_str kept = tc_arena_str(arena, tc_buf_view(text));
    tc_buf_done(text);
    return kept;
}

tc_str fmt_query_line(const struct query_node *root, struct tc_arena *arena)
{
    struct tc_buf text = {0};
    query_print(root, &text);
    return keep(&text, arena);
}

tc_str fmt_query_lines(const struct query_node *root, tc_str text, size_t width,
                       struct tc_arena *arena)
{
    tc_str line = fmt_query_line(root, arena);
    struct fmt_comments comments = fmt_query_comments(text, arena);
    struct tc_buf out = {0};
    // comments above everything leave a short query on its line
    bool inside = comments.last && (comments.last->at > root->from || !comments.last->alone);
    if (is_breakable(root) && (inside || line.len > width)) {
        put_broken(root, &comments, arena, &out);
    } else {
        put_alone(&comments, &out);
        tc_buf_addf(&out, "%.*s\n", TC_ARG(line));
    }
    return keep(&out, arena);
}
