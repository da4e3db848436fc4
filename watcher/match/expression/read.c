// The reader: recursive descent, one function a rule.
//
//   either = join { "|" join }      join = { piece }      piece = atom [ repeat ]
//   atom   = "(" ["?:"] either ")" | "[" class "]" | "." | "^" | "$" | "\" escape | character
//
// What it does not know is a mistake and never taken for something else. Depth and steps are bounded while
// reading, so that nothing large is ever built.
#include "watcher/match/expression/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <unicode/uchar.h>

#include "common/utf8.h"

static struct part *read_either(struct expression_reader *reader);

void expression_fail(struct expression_reader *reader, size_t from, size_t to, const char *help,
                     const char *format, ...)
{
    va_list args;
    if (reader->failed)
        return;
    reader->failed = true;
    va_start(args, format);
    vsnprintf(reader->wrong->message, sizeof reader->wrong->message, format, args);
    va_end(args);
    reader->wrong->from = from;
    reader->wrong->to = to > reader->text.len ? reader->text.len : to;
    reader->wrong->help = help;
}

static struct part *part_new(struct expression_reader *reader, enum part_op op, size_t kids)
{
    struct part *part = tc_arena_take(reader->arena, sizeof *part);
    part->op = op;
    part->steps = 1;
    if (kids)
        part->kids = tc_arena_take(reader->arena, kids * sizeof(struct part *));
    return part;
}

static struct part *set_of(struct expression_reader *reader, size_t from,
                           const struct expression_set *set)
{
    struct part *part = part_new(reader, PART_SET, 0);
    part->set = set;
    if (!set->ascii[0] && !set->ascii[1] && !set->range_count)
        expression_fail(reader, from, reader->at, NULL, "no character is meant by this");
    return part;
}

static struct part *literal(struct expression_reader *reader, uint32_t c)
{
    struct part *part = set_of(reader, reader->at, expression_char(reader, c));
    part->letter = u_isalnum((UChar32)c);
    return part;
}

static char peek(const struct expression_reader *reader, size_t ahead)
{
    return reader->at + ahead < reader->text.len ? reader->text.ptr[reader->at + ahead] : 0;
}

static bool at_end(const struct expression_reader *reader)
{
    return reader->failed || reader->at >= reader->text.len;
}

// Bounds what is built. `what` is what grew too large, at bytes from..to.
static void count_steps(struct expression_reader *reader, struct part *part, uint64_t steps,
                        size_t from)
{
    if (steps > EXPRESSION_STEPS_MOST)
        expression_fail(reader, from, reader->at, "say it with fewer or smaller repeats",
                        "this is too large: it takes %llu steps, at most %d are allowed",
                        (unsigned long long)steps, EXPRESSION_STEPS_MOST);
    part->steps = steps > EXPRESSION_STEPS_MOST ? EXPRESSION_STEPS_MOST : (uint32_t)steps;
}

// ---- atoms ---------------------------------------------------------------------------------------

static void wrong_group(struct expression_reader *reader, size_t from)
{
    char sign = peek(reader, 1), next = peek(reader, 2);
    size_t to = from + 3;
    if (sign == '=' || sign == '!' || (sign == '<' && (next == '=' || next == '!')))
        expression_fail(
            reader, from, to + (sign == '<'), "use NEAR, NOT or EXCEPT around it",
            "looking ahead or behind is not supported: an expression takes linear time");
    else if (sign == 'i')
        expression_fail(reader, from, to, "write /.../i", "case is told behind the last slash");
    else
        expression_fail(reader, from, to, "groups are written (...) or (?:...)",
                        "this kind of group is not known here");
}

static struct part *read_group(struct expression_reader *reader, size_t from)
{
    if (peek(reader, 0) == '?' && peek(reader, 1) == ':')
        reader->at += 2;
    else if (peek(reader, 0) == '?' || peek(reader, 0) == '*')
        wrong_group(reader, from);
    if (reader->depth >= EXPRESSION_DEPTH_MOST)
        expression_fail(reader, from, from + 1, NULL, "groups are nested at most %d deep",
                        EXPRESSION_DEPTH_MOST);
    if (reader->failed)
        return part_new(reader, PART_JOIN, 0);
    reader->depth++;
    struct part *inner = read_either(reader);
    reader->depth--;
    if (peek(reader, 0) == ')')
        reader->at++;
    else
        expression_fail(reader, from, from + 1, "a \"(\" itself is written \\(",
                        "\"(\" is never closed");
    return inner;
}

static struct part *read_escape(struct expression_reader *reader, size_t from)
{
    if (at_end(reader)) {
        expression_fail(reader, from, from + 1, "a \"\\\" itself is written \\\\",
                        "a backslash needs something behind it");
        return part_new(reader, PART_JOIN, 0);
    }
    uint32_t c = tc_utf8_next(reader->text, &reader->at);
    if (c == 'b' || c == 'B')
        return part_new(reader, c == 'b' ? PART_EDGE : PART_INNER, 0);
    const struct expression_set *set = expression_shorthand(reader, from, c);
    return set ? set_of(reader, from, set) : literal(reader, expression_escaped(reader, from, c));
}

static struct part *read_atom(struct expression_reader *reader)
{
    size_t from = reader->at;
    uint32_t c;
    if (!expression_next(reader, &c))
        return part_new(reader, PART_JOIN, 0);
    switch (c) {
    case '(': return read_group(reader, from);
    case '[': return set_of(reader, from, expression_class(reader));
    case '.': return set_of(reader, from, expression_any(reader));
    case '^': return part_new(reader, PART_BEGIN, 0);
    case '$': return part_new(reader, PART_END, 0);
    case '\\': return read_escape(reader, from);
    case '*':
    case '+':
    case '?':
    case '{':
        expression_fail(reader, from, reader->at, "a sign itself is written \\* \\+ \\? \\{",
                        "\"%c\" has nothing before it to repeat", (char)c);
        return part_new(reader, PART_JOIN, 0);
    default: return literal(reader, c);
    }
}

// ---- repeats -------------------------------------------------------------------------------------

static bool read_number(struct expression_reader *reader, uint32_t *number)
{
    size_t begun = reader->at;
    uint64_t value = 0;
    while (peek(reader, 0) >= '0' && peek(reader, 0) <= '9') {
        value = value * 10 + (uint64_t)(reader->text.ptr[reader->at++] - '0');
        if (value > UINT32_MAX - 1)
            value = UINT32_MAX - 1;
    }
    *number = (uint32_t)value;
    return reader->at > begun;
}

// {2} {2,} {2,4}
static bool read_counts(struct expression_reader *reader, uint32_t *least, uint32_t *most)
{
    size_t from = reader->at++;
    bool fine = read_number(reader, least);
    *most = *least;
    if (fine && peek(reader, 0) == ',') {
        reader->at++;
        if (!read_number(reader, most))
            *most = PART_ENDLESS;
    }
    fine = fine && peek(reader, 0) == '}' && *most >= *least;
    reader->at += fine;
    if (!fine)
        expression_fail(reader, from, reader->at + 1, "a \"{\" itself is written \\{",
                        "a repeat is written {2}, {2,} or {2,4}");
    return fine;
}

static bool read_repeat(struct expression_reader *reader, uint32_t *least, uint32_t *most)
{
    char sign = peek(reader, 0);
    if (sign == '{')
        return read_counts(reader, least, most);
    if (sign != '*' && sign != '+' && sign != '?')
        return false;
    reader->at++;
    *least = sign == '+';
    *most = sign == '?' ? 1 : PART_ENDLESS;
    return true;
}

static struct part *read_piece(struct expression_reader *reader)
{
    size_t from = reader->at;
    struct part *atom = read_atom(reader);
    uint32_t least, most;
    while (!at_end(reader) && read_repeat(reader, &least, &most)) {
        struct part *repeat = part_new(reader, PART_REPEAT, 1);
        if (peek(reader, 0) == '?')
            reader->at++; // lazy: a match is as long as it can be all the same
        else if (peek(reader, 0) == '+')
            expression_fail(reader, from, reader->at + 1, NULL,
                            "possessive repeats are not supported");
        repeat->least = least;
        repeat->most = most;
        repeat->kids[repeat->count++] = atom;
        uint64_t copies = most == PART_ENDLESS ? (least ? least : 1) : most;
        uint64_t splits = most == PART_ENDLESS ? 1 : most - least;
        count_steps(reader, repeat, copies * atom->steps + splits, from);
        atom = repeat;
    }
    return atom;
}

// ---- the rest ------------------------------------------------------------------------------------

static void add_kid(struct expression_reader *reader, struct part *part, size_t *room,
                    struct part *kid)
{
    if (part->count == *room) {
        *room = *room * 2 + 4;
        struct part **kids = tc_arena_take(reader->arena, *room * sizeof(struct part *));
        if (part->count)
            memcpy(kids, part->kids, part->count * sizeof(struct part *));
        part->kids = kids;
    }
    part->kids[part->count++] = kid;
}

static bool is_blank(const struct part *part)
{
    return part->op == PART_SET && !part->letter && !part->set->range_count &&
           !part->set->ascii[1] && part->set->ascii[0] == UINT64_C(1) << ' ';
}

static struct part *read_join(struct expression_reader *reader)
{
    struct part *join = part_new(reader, PART_JOIN, 0);
    size_t room = 0, begun = reader->at;
    uint64_t steps = 0;
    while (!at_end(reader) && peek(reader, 0) != '|' && peek(reader, 0) != ')') {
        size_t from = reader->at;
        struct part *piece = read_piece(reader);
        if (join->count && is_blank(piece) && is_blank(join->kids[join->count - 1]))
            expression_fail(
                reader, from, reader->at, "write one",
                "two blanks match nothing: in running text all white space is one blank");
        add_kid(reader, join, &room, piece);
        steps += piece->steps;
        count_steps(reader, join, steps, begun);
    }
    return join->count == 1 ? join->kids[0] : join;
}

static struct part *read_either(struct expression_reader *reader)
{
    size_t room = 0, begun = reader->at;
    struct part *first = read_join(reader), *either = part_new(reader, PART_EITHER, 0);
    uint64_t steps = first->steps + 1;
    if (at_end(reader) || peek(reader, 0) != '|')
        return first;
    add_kid(reader, either, &room, first);
    while (!at_end(reader) && peek(reader, 0) == '|') {
        reader->at++;
        struct part *more = read_join(reader);
        add_kid(reader, either, &room, more);
        steps += more->steps + 1;
        count_steps(reader, either, steps, begun);
    }
    return either;
}

const struct expression *expression_read(tc_str text, bool fold_case, struct tc_arena *arena,
                                         struct expression_wrong *wrong)
{
    struct tc_arena *scratch = tc_arena_new(); // the tree goes, the steps stay
    struct expression_reader reader = {
        .text = text, .fold_case = fold_case, .arena = scratch, .wrong = wrong};
    struct expression *expression = NULL;
    struct part *root = read_either(&reader);
    if (!at_end(&reader)) // only a bracket ends an expression too early
        expression_fail(&reader, reader.at, reader.at + 1, "a \")\" itself is written \\)",
                        "\")\" without \"(\"");
    if (!reader.failed && !expression_has_letters(root))
        expression_fail(&reader, 0, text.len,
                        "add letters that stand in everything it should match",
                        "an expression needs at least %d letters or digits in a row that every "
                        "match holds",
                        EXPRESSION_LETTERS);
    if (!reader.failed) {
        expression = tc_arena_take(arena, sizeof *expression);
        expression->text = tc_arena_str(arena, text);
        expression->fold_case = fold_case;
        expression_make(expression, root, arena);
    }
    tc_arena_free(scratch);
    return expression;
}
